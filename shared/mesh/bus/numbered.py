"""Events that a journal numbers: published as a hint, tailed from the journal, seen by every reader once and in order.

PUB may lose any of them; the owner's heartbeat says the last number, and a reader that is behind asks for the tail. The
numbers never restart, so a reader that was dead for a day continues where it stopped.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import zmq

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.fields import clipped
from proto.streams import TAIL_RECORDS_MAX, AskTail, RequestRefused, TailGiven
from proto.topics import Delivery
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.packet import PacketDamagedError, as_written, packets, unpacked
from shared.mesh.bus.requests import Request, Requester, RequestTimedOutError, Responder, TooManyRequestsError
from shared.mesh.bus.rights import may_say
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock

TAIL: Final = "tail"
TAIL_BYTES_MAX: Final = 1024 * 1024
FRUITLESS_PAUSE_SECONDS: Final = 0.1


class RecordsUnreadableError(Exception):
    """The journal cannot be read where it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Committed records in a row, the first of which has this number.

    Where that is above the number asked for, the journal has a hole before it: nothing that stood there will ever come.
    A stretch without frames says that the next record will have this number, or that the way to it is long: ask again.
    """

    first_sequence: int
    frames: Sequence[bytes]


class Records(Protocol):
    """What a journal offers to those who publish it: committed records only."""

    @property
    def last_sequence(self) -> int:
        """The newest committed number, 0 when there is none."""

    def stretch(self, from_sequence: int, *, records_max: int, bytes_max: int) -> Stretch:
        """Read the records in a row from a number on, or from behind the hole there; one record may be over the bytes.

        Raises RecordsUnreadableError.
        """


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
        """Hint at records that were just committed, with the bytes that were appended.

        A hint that is lost is found in the tail.
        """
        for packet in packets(self._topic, as_written(frames)):
            self._socket.send(packet, zmq.NOBLOCK)

    def _give_tail(self, request: Request) -> None:
        asked = request.envelope.body
        assert isinstance(asked, AskTail), "the table of topics lets nothing else in here"
        if asked.from_sequence < 1:
            refusal = RequestRefused(rule="records_begin_at_one", reason="ask from number 1 or later")
            self._tail.answer(request, refusal)
            return
        try:
            stretch = self._records.stretch(
                asked.from_sequence,
                records_max=min(asked.records_max, TAIL_RECORDS_MAX),
                bytes_max=TAIL_BYTES_MAX,
            )
        except RecordsUnreadableError as error:
            refusal = RequestRefused(rule="records_are_readable", reason=clipped(str(error)))
            self._tail.answer(request, refusal)
            return
        given = TailGiven(
            first_sequence=stretch.first_sequence,
            record_count=len(stretch.frames),
            last_sequence=self._records.last_sequence,
        )
        self._tail.answer(request, given, stretch.frames)


class EventReader:
    """Hands every event on once and in order, from the number it is told to begin with.

    Where the owner's journal has a hole, `on_loss` is told the number behind it, and reading goes on there. What the
    owner may not say on this socket is counted and never handed on; its number is then missing, and asked for in vain.
    """

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
        on_loss: Callable[[int], None],
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self.next_sequence = next_sequence
        self._hub: Final = hub
        self._instance: Final = instance
        self._name: Final = name
        self._requester: Final = requester
        self._codec: Final = codec
        self._on_events: Final = on_events
        self._on_loss: Final = on_loss
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
        except PacketDamagedError:
            self.refused["damaged packet"] += 1
            return
        envelopes = self._lawful(frames, self._codec.decode)  # a hint is said by the living, in today's version
        if envelopes:
            self._hand_on(envelopes)
            self.announced(envelopes[-1].sequence)

    def _lawful(self, frames: Sequence[bytes], decode: Callable[[bytes], Envelope]) -> list[Envelope]:
        """Return what the owner may say here, and count the rest."""
        lawful = []
        for frame in frames:
            try:
                envelope = decode(frame)
            except BadFrame as bad:
                self.refused[bad.reason] += 1
                continue
            if may_say(self._instance, envelope, socket=self._name, deliveries=(Delivery.NUMBERED,)):
                lawful.append(envelope)
            else:
                self.refused["sender_may_say"] += 1
        return lawful

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
            self._catching_up = self._hub.start(self._ask_until_level())

    async def _ask_until_level(self) -> None:
        level = False
        while not level:
            wanted = self.next_sequence
            try:
                answer = await self._requester.ask(AskTail(from_sequence=wanted, records_max=TAIL_RECORDS_MAX))
            except RequestTimedOutError:
                continue  # the attempts took their time: that is the pause between rounds
            except TooManyRequestsError:
                self.refused["too many requests"] += 1
                await asyncio.sleep(FRUITLESS_PAUSE_SECONDS)
                continue
            level = self._take(answer.envelope.body, answer.attachments)
            if not level and self.next_sequence == wanted:
                await asyncio.sleep(FRUITLESS_PAUSE_SECONDS)

    def _take(self, given: Body, frames: Sequence[bytes]) -> bool:
        """Take what the owner gave, and tell whether that was all there is."""
        if not isinstance(given, TailGiven):
            self.refused["bad tail"] += 1
            return False
        if given.first_sequence > self.next_sequence:
            self.next_sequence = given.first_sequence
            self._on_loss(given.first_sequence)
        self._hand_on(self._lawful(frames, self._codec.decode_stored))
        self._known_last = max(self._known_last, given.last_sequence)
        return self._known_last < self.next_sequence
