"""Events that a journal numbers: published as a hint, tailed from the journal, seen by every reader once and in order.

PUB may lose any of them; the owner's heartbeat says the last number, and a reader that is behind asks for the tail. The
numbers never restart, so a reader that was dead for a day continues where it stopped.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import zmq

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Envelope
from proto.streams import TAIL_RECORDS_MAX, AskTail, RequestRefused, TailGiven
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.packet import PacketDamagedError, packed, unpacked
from shared.mesh.bus.requests import Answer, Request, Requester, RequestTimedOutError, Responder
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock

TAIL: Final = "tail"
TAIL_BYTES_MAX: Final = 1024 * 1024
REFUSED_PAUSE_SECONDS: Final = 0.1


class Records(Protocol):
    """What a journal offers to those who publish it: committed records only."""

    @property
    def last_sequence(self) -> int:
        """The newest committed number, 0 when there is none."""

    def frames(self, from_sequence: int, records_max: int) -> Sequence[bytes]:
        """Read committed records from a number on, in order."""


class EventPublisher:
    """Says what was committed, and gives the tail to whoever missed it."""

    def __init__(
        self, *, hub: Hub, name: str, records: Records, sender: Sender, clock: Clock, codec: EnvelopeCodec
    ) -> None:
        self._topic: Final = name.encode()
        self._records: Final = records
        self._socket: Final = hub.bind(zmq.PUB, name)
        self._tail: Final = Responder(
            hub=hub, name=TAIL, sender=sender, clock=clock, codec=codec, on_request=self._give_tail
        )

    def publish(self, frames: Sequence[bytes]) -> None:
        """Hint at records that were just committed; a hint that is lost is found in the tail."""
        self._socket.send(packed(self._topic, frames), zmq.NOBLOCK)

    def _give_tail(self, request: Request) -> None:
        asked = request.envelope.body
        assert isinstance(asked, AskTail), "the table of topics lets nothing else in here"
        if asked.from_sequence < 1:
            refusal = RequestRefused(rule="records_begin_at_one", reason="ask from number 1 or later")
            self._tail.answer(request, refusal)
            return
        frames = self._within_bounds(asked)
        given = TailGiven(
            first_sequence=asked.from_sequence,
            record_count=len(frames),
            last_sequence=self._records.last_sequence,
        )
        self._tail.answer(request, given, frames)

    def _within_bounds(self, asked: AskTail) -> list[bytes]:
        frames: list[bytes] = []
        size = 0
        for frame in self._records.frames(asked.from_sequence, min(asked.records_max, TAIL_RECORDS_MAX)):
            size += len(frame)
            if frames and size > TAIL_BYTES_MAX:
                break
            frames.append(frame)
        return frames


class EventReader:
    """Hands every event on once and in order, from the number it is told to begin with."""

    def __init__(
        self,
        *,
        hub: Hub,
        instance: str,
        name: str,
        next_sequence: int,
        requester: Requester,
        codec: EnvelopeCodec,
        on_events: Callable[[Sequence[Envelope]], None],
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self.next_sequence = next_sequence
        self._loop: Final = hub.loop
        self._requester: Final = requester
        self._codec: Final = codec
        self._on_events: Final = on_events
        self._known_last = 0
        self._catching_up: asyncio.Task[None] | None = None
        self._socket: Final = hub.connect(zmq.SUB, instance, name)
        self._socket.subscribe(name.encode())
        self._drain: Final = hub.drain(self._socket, self._receive)
        self._catch_up()

    def announced(self, last_sequence: int) -> None:
        """Take the owner's word, from its heartbeat, for how far it has come."""
        self._known_last = max(self._known_last, last_sequence)
        if self._known_last >= self.next_sequence:
            self._catch_up()

    def _receive(self, parts: list[bytes]) -> None:
        try:
            _, frames = unpacked(parts[0])
            envelopes = [self._codec.decode(frame) for frame in frames]
        except BadFrame as bad:
            self.refused[bad.reason] += 1
            return
        except PacketDamagedError:
            self.refused["damaged packet"] += 1
            return
        if envelopes:
            self._hand_on(envelopes)
            self.announced(envelopes[-1].sequence)

    def _hand_on(self, envelopes: Sequence[Envelope]) -> None:
        """Pass on what comes next in line; what lies beyond a hole is left to the tail."""
        in_line = []
        for envelope in envelopes:
            if envelope.sequence == self.next_sequence:
                in_line.append(envelope)
                self.next_sequence += 1
        if in_line:
            self._on_events(in_line)

    def _catch_up(self) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._loop.create_task(self._ask_until_level())

    async def _ask_until_level(self) -> None:
        level = False
        while not level:
            try:
                level = self._take(
                    await self._requester.ask(AskTail(from_sequence=self.next_sequence, records_max=TAIL_RECORDS_MAX))
                )
            except RequestTimedOutError:
                continue  # the attempts took their time: that is the pause between rounds
            except (BadFrame, TypeError):
                self.refused["bad tail"] += 1
                await asyncio.sleep(REFUSED_PAUSE_SECONDS)

    def _take(self, answer: Answer) -> bool:
        given = answer.envelope.body
        if not isinstance(given, TailGiven):
            raise TypeError(f"asked for a tail, got {type(given).__name__}")
        self._hand_on([self._codec.decode_stored(frame) for frame in answer.attachments])
        self._known_last = max(self._known_last, given.last_sequence)
        return self._known_last < self.next_sequence
