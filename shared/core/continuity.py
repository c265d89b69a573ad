"""What a reader of a stream may believe: pure bookkeeping of numbers, epochs, gaps and snapshots (Clone).

A topic is *flowing* while its numbers run on. A hole, another epoch or a lost tail breaks it: from then on messages are
kept back, a snapshot is asked for, and when it comes the topic is synced, what the snapshot already holds is dropped,
and the rest follows. So a reader sees each message at most once, in order, and none across a hole it was not told of.

A topic that the answer leaves out is synced where the publisher's epoch begins. So after every answer each topic flows
or a snapshot is wanted again, because something was kept back that the next answer has to mention: none stays broken.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from proto.envelope import MarketEnvelope
from proto.streams import StreamPosition

KEPT_BACK_MAX: Final = 10_000
# In no text, so that behind a prefix it sorts behind all that begins so.
BEHIND_ALL: Final = b"\xff"

BreakReason = Literal["joined", "gap", "new epoch", "lost tail", "lagging", "slept"]


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing seen of this topic is current any more, until it is synced."""

    topic: bytes
    reason: BreakReason


@dataclass(frozen=True, slots=True)
class Synced:
    """The topic runs on from here; `latest` is its newest message, None when its publisher has none since it began."""

    topic: bytes
    latest: MarketEnvelope | None


class Seen(msgspec.Struct, frozen=True, gc=False):
    """The next message of a flowing topic. There is one per tick: a dataclass costs four times as much to make."""

    topic: bytes
    envelope: MarketEnvelope


Event = Broken | Synced | Seen


@dataclass(slots=True)
class _Topic:
    epoch: int = 0
    next_sequence: int = 1
    flowing: bool = False
    announced: tuple[int, int] = (0, 0)
    kept_back: deque[MarketEnvelope] = field(default_factory=deque)
    overflowed: bool = False


class Announcement:
    """What a heartbeat says of a publisher's topics, sorted once: whoever reads hundreds looks for each by name.

    Each going through all of them would be the square of the symbols, twice a second, in every process that trades.
    """

    def __init__(self, positions: Iterable[StreamPosition]) -> None:
        self._positions: Final = sorted(positions, key=_topic_of)
        self._topics: Final = [_topic_of(position) for position in self._positions]

    def below(self, prefix: bytes) -> Sequence[StreamPosition]:
        """Return those of the topics that begin so."""
        first = bisect_left(self._topics, prefix)
        return self._positions[first : bisect_left(self._topics, prefix + BEHIND_ALL, first)]


class Continuity:
    """The state of every topic a reader follows. `wants_snapshot` says whether one has to be asked for."""

    def __init__(self) -> None:
        self._topics: Final[dict[bytes, _Topic]] = {}
        self._unheard: Final[set[bytes]] = set()  # announced once, and nothing of them came yet
        self.wants_snapshot = True  # a joiner knows nothing yet

    def heard(self, topic: bytes, envelopes: Iterable[MarketEnvelope]) -> list[Event]:
        """Take messages of one topic off the stream."""
        events: list[Event] = []
        state = self._topics.get(topic)
        for envelope in envelopes:
            if (
                state is not None
                and state.flowing
                and envelope.sequence == state.next_sequence
                and envelope.epoch == state.epoch
            ):
                state.next_sequence += 1
                events.append(Seen(topic, envelope))
            else:
                events += self._out_of_turn(topic, envelope)
                state = self._topics[topic]
        return events

    def _out_of_turn(self, topic: bytes, envelope: MarketEnvelope) -> list[Event]:
        state = self._topics.get(topic)
        if state is None:
            return self._first_heard(topic, envelope)
        if not state.flowing:
            self._keep_back(state, envelope)
            return []
        if (envelope.epoch, envelope.sequence) < (state.epoch, state.next_sequence):
            return []  # a repetition, or the last words of a publisher that was replaced
        reason: BreakReason = "gap" if envelope.epoch == state.epoch else "new epoch"
        broken = self._break(topic, state, reason)
        self._keep_back(state, envelope)
        return [broken]

    def snapshot(self, position: StreamPosition, latest: MarketEnvelope | None) -> list[Event]:
        """Take the position of a topic, and its latest message, from a publisher's answer."""
        topic = position.stream.encode()
        state = self._topics.setdefault(topic, _Topic())
        return self._synced(topic, state, (position.epoch, position.sequence), latest)

    def unmentioned(self, epoch: int, mentioned: Container[bytes]) -> list[Event]:
        """Take from an answer that its publisher has said nothing yet, in this epoch, on any other topic."""
        events: list[Event] = []
        for topic, state in self._topics.items():
            if topic not in mentioned:
                events += self._synced(topic, state, (epoch, 0), None)
        return events

    def announced(self, position: StreamPosition) -> list[Event]:
        """Compare with what the publisher says in a heartbeat.

        The heartbeat travels beside the stream and may overtake it, so a number counts as lost only when it was
        announced before and the stream has still not come so far.
        """
        topic = position.stream.encode()
        state = self._topics.get(topic)
        if state is None:
            return self._announced_unheard(topic, position.epoch)
        if not state.flowing:
            return []
        if state.announced >= (state.epoch, state.next_sequence):
            return [self._break(topic, state, "lost tail" if state.announced[0] == state.epoch else "new epoch")]
        state.announced = (position.epoch, position.sequence)
        return []

    def _announced_unheard(self, topic: bytes, epoch: int) -> list[Event]:
        """Ask for a topic of which nothing came though it was announced before: its only message may be lost."""
        if topic not in self._unheard:
            self._unheard.add(topic)
            return []
        self._unheard.discard(topic)
        state = self._topics[topic] = _Topic(epoch=epoch)
        return [self._break(topic, state, "joined")]

    def dropped_everything(self, reason: BreakReason) -> list[Event]:
        """Break every topic at once: the reader fell behind, or slept, and gave up what was queued."""
        self.wants_snapshot = True
        return [self._break(topic, state, reason) for topic, state in self._topics.items() if state.flowing]

    def _first_heard(self, topic: bytes, envelope: MarketEnvelope) -> list[Event]:
        state = self._topics[topic] = _Topic(epoch=envelope.epoch)
        if envelope.sequence == 1:  # a topic that begins: there is nothing before it
            state.flowing, state.next_sequence = True, 2
            return [Synced(topic, None), Seen(topic, envelope)]
        self._keep_back(state, envelope)
        return [self._break(topic, state, "joined")]

    def _synced(
        self, topic: bytes, state: _Topic, position: tuple[int, int], latest: MarketEnvelope | None
    ) -> list[Event]:
        """Let a broken topic run on behind this epoch and number, with what was kept back."""
        if state.flowing:
            return []
        kept_back, overflowed = state.kept_back, state.overflowed
        state.epoch, state.next_sequence, state.flowing = position[0], position[1] + 1, True
        state.kept_back, state.overflowed, state.announced = deque(), False, (0, 0)
        if overflowed:
            return [Synced(topic, latest), self._break(topic, state, "gap")]
        return [Synced(topic, latest), *self.heard(topic, kept_back)]

    def _break(self, topic: bytes, state: _Topic, reason: BreakReason) -> Broken:
        state.flowing = False
        self.wants_snapshot = True
        return Broken(topic, reason)

    def _keep_back(self, state: _Topic, envelope: MarketEnvelope) -> None:
        if len(state.kept_back) == KEPT_BACK_MAX:
            state.kept_back.clear()
            state.overflowed = True
        state.kept_back.append(envelope)


def _topic_of(position: StreamPosition) -> bytes:
    return position.stream.encode()
