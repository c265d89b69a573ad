"""Market data over PUB/SUB: a publisher numbers and packs, a subscriber follows, and a snapshot closes every gap."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import zmq

from proto.codec import BadFrame, EnvelopeCodec, MarketCodec
from proto.envelope import Body, MarketEnvelope
from proto.fields import ID_LENGTH_MAX
from proto.market import MarketBody
from proto.streams import TOPICS_MAX, AskSnapshot, SnapshotGiven, StreamPosition
from shared.core.continuity import Announcement, BreakReason, Continuity, Event
from shared.mesh.bus.hub import Hub, Socket
from shared.mesh.bus.packet import PacketDamagedError, opened, packed, packets
from shared.mesh.bus.requests import (
    Answer,
    Request,
    Requester,
    RequestTimedOutError,
    Responder,
    TooManyRequestsError,
)
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock

SNAPSHOT_PAUSE_SECONDS: Final = 0.1
LAG_NS_MAX: Final = 1_000_000_000
STREAM: Final = "market"
HISTORY: Final = "history"


class Publisher:
    """Numbers every message per topic. The first of a turn of the loop leaves at once, the rest in a packet per topic.

    So a lone message waits for nothing, and a burst costs few sends, encryptions and wake-ups.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        sender: Sender,
        clock: Clock,
        codec: EnvelopeCodec,
        on_request: Callable[[Request], None],
    ) -> None:
        self._loop: Final = hub.loop
        self._on_request: Final = on_request  # what else is asked at `history`
        self._epoch: Final = sender.epoch
        self._clock: Final = clock
        self._encode: Final = MarketCodec().encode
        self._sequences: Final[dict[bytes, int]] = {}
        self._latest: Final[dict[bytes, MarketEnvelope]] = {}
        self._unsent: Final[defaultdict[bytes, list[MarketEnvelope]]] = defaultdict(list)
        self._flush_scheduled = False
        self._socket: Final = hub.bind(zmq.PUB, STREAM)
        self._history: Final = Responder(
            hub=hub, name=HISTORY, sender=sender, clock=clock, codec=codec, on_request=self._asked
        )

    def publish(self, topic: bytes, body: MarketBody, *, exchange_time_ns: int | None, received_wall_ns: int) -> None:
        """Give the message its number, and send it now or at the end of this turn.

        Raises ValueError for a topic too many, or one whose name no position can carry: no heartbeat could be read that
        says how far it has come, and to its listeners this process would be dead.
        """
        sequence = self._sequences.get(topic, 0) + 1
        if sequence == 1:
            self._check_new(topic)
        envelope = MarketEnvelope(
            epoch=self._epoch,
            sequence=sequence,
            exchange_time_ns=exchange_time_ns,
            received_wall_ns=received_wall_ns,
            published_wall_ns=self._clock.wall_ns(),
            body=body,
        )
        if self._flush_scheduled:
            self._unsent[topic].append(envelope)
        else:
            self._socket.send(packed(topic, (envelope,)), zmq.NOBLOCK)
            self._flush_scheduled = True
            self._loop.call_soon(self._end_turn)
        self._sequences[topic] = sequence  # behind the send, which wakes the reader's core meanwhile
        self._latest[topic] = envelope

    def _check_new(self, topic: bytes) -> None:
        if len(self._sequences) >= TOPICS_MAX:
            raise ValueError(f"topic {topic!r} is one too many: a process publishes at most {TOPICS_MAX}")
        if not 1 <= len(topic.decode()) <= ID_LENGTH_MAX:
            raise ValueError(f"topic {topic!r} has to have 1 to {ID_LENGTH_MAX} characters")

    def flush(self) -> None:
        """Send what is waiting. PUB never blocks: whoever reads too slowly loses packets and will see the hole."""
        for topic, envelopes in self._unsent.items():
            for packet in packets(topic, envelopes):
                self._socket.send(packet, zmq.NOBLOCK)
        self._unsent.clear()

    def _end_turn(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def positions(self, topic_prefix: bytes = b"") -> list[StreamPosition]:
        """Say how far each topic has come: for snapshots, and for the heartbeat that betrays a lost last message."""
        return [
            StreamPosition(stream=topic.decode(), epoch=self._epoch, sequence=sequence)
            for topic, sequence in self._sequences.items()
            if topic.startswith(topic_prefix)
        ]

    def answer(self, request: Request, body: Body) -> None:
        """Answer what else was asked at `history`."""
        self.flush()  # what was said before the answer leaves before it
        self._history.answer(request, body)

    def _asked(self, request: Request) -> None:
        if isinstance(request.envelope.body, AskSnapshot):
            self._give_snapshot(request, request.envelope.body)
        else:
            self._on_request(request)

    def _give_snapshot(self, request: Request, body: AskSnapshot) -> None:
        self.flush()  # so that nothing the snapshot counts is still unsent
        positions = self.positions(body.topic_prefix.encode())
        latest = [self._encode(self._latest[position.stream.encode()]) for position in positions]
        self._history.answer(request, SnapshotGiven(positions=tuple(positions)), latest)


class Subscriber:
    """Follows the topics of one publisher that begin with a prefix, and hands every event on in order."""

    def __init__(
        self,
        *,
        hub: Hub,
        instance: str,
        topic_prefix: bytes,
        requester: Requester,
        clock: Clock,
        on_events: Callable[[Sequence[Event]], None],
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self._hub: Final = hub
        self._prefix: Final = topic_prefix
        self._requester: Final = requester
        self._clock: Final = clock
        self._on_events: Final = on_events
        self._market: Final = MarketCodec()
        self._continuity: Final = Continuity()
        self._asking: asyncio.Task[None] | None = None
        self._busy_since_ns: int | None = None
        self._dropping = False
        self._socket: Final[Socket] = hub.connect(zmq.SUB, instance, STREAM)
        self._socket.subscribe(topic_prefix)
        self._drain: Final = hub.drain(self._socket, self._receive, one_part=True, on_empty=self._emptied)
        self._heal()

    def announced(self, announcement: Announcement) -> None:
        """Hold what the publisher's heartbeat says against what came."""
        for position in announcement.below(self._prefix):
            self._hand_on(self._continuity.announced(position))

    def slept(self) -> None:
        """Give up what is queued: this process stood still, and what waits is old."""
        self._give_up("slept")

    def _receive(self, packet: bytes) -> None:
        if self._dropping:
            return
        try:
            topic, array = opened(packet)
            envelopes = self._market.decode_array(array)
        except BadFrame as bad:
            self.refused[bad.reason] += 1  # its numbers are missing now, which the next message shows
            return
        except PacketDamagedError:
            self.refused["damaged packet"] += 1
            return
        if self._busy_since_ns is None:
            self._busy_since_ns = self._drain.turn_began_ns
        elif envelopes and self._lags(self._busy_since_ns, envelopes[-1]):
            self._give_up("lagging")
            return
        self._hand_on(self._continuity.heard(topic, envelopes))

    def _emptied(self) -> None:
        self._busy_since_ns = None
        self._dropping = False

    def _lags(self, busy_since_ns: int, envelope: MarketEnvelope) -> bool:
        """Say whether the queue has not been empty for too long and what comes out of it is old.

        A busy queue alone may be a busy market, an old stamp alone a wall clock that was set.
        """
        return (
            self._clock.boot_ns() - busy_since_ns > LAG_NS_MAX
            and self._clock.wall_ns() - envelope.published_wall_ns > LAG_NS_MAX
        )

    def _give_up(self, reason: BreakReason) -> None:
        """Drop everything up to the next time the queue is empty, and begin again from a snapshot."""
        self._dropping = True
        self._drain.look_again()
        self._hand_on(self._continuity.dropped_everything(reason))

    def _hand_on(self, events: Sequence[Event]) -> None:
        if events:
            self._on_events(events)
        if self._continuity.wants_snapshot:
            self._heal()

    def _heal(self) -> None:
        if self._asking is None or self._asking.done():
            self._asking = self._hub.start(self._ask_until_synced())

    async def _ask_until_synced(self) -> None:
        while self._continuity.wants_snapshot:
            self._continuity.wants_snapshot = False
            try:
                answer = await self._requester.ask(AskSnapshot(topic_prefix=self._prefix.decode()))
                self._take(answer)
            except RequestTimedOutError:
                self._continuity.wants_snapshot = True  # the attempts took their time: that is the pause between rounds
            except TooManyRequestsError:
                self.refused["too many requests"] += 1
                self._continuity.wants_snapshot = True
                await asyncio.sleep(SNAPSHOT_PAUSE_SECONDS)
            except (BadFrame, TypeError, ValueError):
                self.refused["bad snapshot"] += 1
                self._continuity.wants_snapshot = True
                await asyncio.sleep(SNAPSHOT_PAUSE_SECONDS)

    def _take(self, answer: Answer) -> None:
        body = answer.envelope.body
        if not isinstance(body, SnapshotGiven):
            raise TypeError(f"asked for a snapshot, got {type(body).__name__}")
        latest = [self._market.decode(frame) for frame in answer.attachments]
        events: list[Event] = []
        for position, envelope in list(zip(body.positions, latest, strict=True)):  # whole or not at all
            events += self._continuity.snapshot(position, envelope)
        mentioned = {position.stream.encode() for position in body.positions}
        events += self._continuity.unmentioned(answer.envelope.epoch, mentioned)
        if events:
            self._on_events(events)
