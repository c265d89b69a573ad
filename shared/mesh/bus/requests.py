"""Requests that are asked, answered once or timed out: DEALER to ROUTER, so that a server that dies wedges nobody.

An answer names its request as its cause; only the refusal of what cannot be read has no cause but itself. A request
that is said again under the same id is the same request: while it is being handled it waits, and afterwards it gets the
answer that was given. The empty part in front stays, so a plain `zmq.REQ` socket can ask as well.
"""

import asyncio
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import zmq

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.fields import clipped
from proto.streams import RequestRefused
from proto.topics import Delivery, tag_of, topic_of
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.offenders import Offenders
from shared.mesh.bus.rights import may_say
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock

ANSWERS_KEPT_MAX: Final = 10_000
ANSWER_KEPT_NS: Final = 24 * 3600 * 1_000_000_000
WAITING_MAX: Final = 1_000
ASKED_MAX: Final = 1_000
WAITING_NS_MAX: Final = 60 * 1_000_000_000  # where a request names no end itself
ATTEMPTS_MAX: Final = 3
ATTEMPT_TIMEOUT_NS: Final = 500_000_000
_UNCONNECTED_PAUSE_NS: Final = 20_000_000
_MORE: Final = int(zmq.SNDMORE | zmq.NOBLOCK)
_REQUEST_PARTS: Final = 3
_ANSWER_PARTS_MIN: Final = 2


class RequestTimedOutError(Exception):
    """Nobody answered in time. The request may or may not have been handled."""


class TooManyRequestsError(Exception):
    """More is being asked at once than is reasonable; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the answer, and the parts behind it."""

    envelope: Envelope
    attachments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request to be answered with `Responder.answer`, now or later."""

    instance: str
    envelope: Envelope

    @property
    def key(self) -> tuple[str, str]:
        """Who asked, and under which id: another's id is no way to another's answer."""
        return self.instance, self.envelope.id


@dataclass(slots=True)
class _Kept:
    frame: bytes
    kept_until_ns: int


@dataclass(slots=True)
class _Waiting:
    asker: bytes
    until_ns: int


class Responder:
    """Answers the requests of one socket. Whatever is not a lawful request is refused before the handler sees it.

    A request that is never answered gives its place up when it has expired: to the same one, if it is asked anew and in
    time, and else once there is need of it.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        name: str,
        sender: Sender,
        clock: Clock,
        codec: EnvelopeCodec,
        on_request: Callable[[Request], None],
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self._name: Final = name
        self._sender: Final = sender
        self._clock: Final = clock
        self._codec: Final = codec
        self._on_request: Final = on_request
        self._on_trouble: Final = hub.on_trouble
        self._offenders: Final = Offenders()
        self._waiting: Final[dict[tuple[str, str], _Waiting]] = {}
        self._room_from_ns = 0  # before then no place is given up
        self._kept: Final[OrderedDict[tuple[str, str], _Kept]] = OrderedDict()
        self._socket: Final = hub.bind(zmq.ROUTER, name)
        self._drain: Final = hub.drain(self._socket, self._receive, whole_frames=True)

    def answer(self, request: Request, body: Body, attachments: Sequence[bytes] = ()) -> None:
        """Answer a request, and keep the answer for when it is asked again, unless it was for a reading.

        An answer that whoever asked could not read does not leave: nobody has answered then, and here it is said why.
        """
        waiting = self._waiting.pop(request.key, None)
        try:
            frame = self._codec.encode_proved(self._sender.envelope(body, cause_id=request.envelope.id))
        except ValueError as error:
            self.refused["answer unreadable"] += 1
            what = f"the answer {tag_of(type(body))} to {request.instance}"
            self._on_trouble(f"{what} does not leave {self._name}, for it could not be read: {error}")
            return
        if topic_of(type(request.envelope.body)).delivery is Delivery.REQUEST:
            self._keep(request.key, frame)
        if waiting is not None:
            self._send(waiting.asker, (frame, *attachments))

    def _keep(self, key: tuple[str, str], frame: bytes) -> None:
        now_ns = self._clock.boot_ns()
        self._kept[key] = _Kept(frame=frame, kept_until_ns=now_ns + ANSWER_KEPT_NS)
        while len(self._kept) > ANSWERS_KEPT_MAX or next(iter(self._kept.values())).kept_until_ns < now_ns:
            self._kept.popitem(last=False)

    def _receive(self, parts: list[zmq.Frame]) -> None:
        instance = str(parts[-1].get("User-Id"))  # the gatekeeper's word, on every frame
        if self._offenders.ignores(instance, self._clock.boot_ns()):
            return
        if len(parts) != _REQUEST_PARTS or len(parts[1]) != 0:
            self._count_offence(instance, "malformed")
            return
        asker = parts[0].bytes
        try:
            envelope = self._codec.decode(parts[2].bytes)
        except BadFrame as bad:
            self._count_offence(instance, bad.reason)
            unread = RequestRefused(rule="request_can_be_read", reason=clipped(str(bad)))
            self._send(asker, (self._codec.encode(self._sender.envelope(unread)),))
            return
        if not may_say(instance, envelope, socket=self._name, deliveries=(Delivery.REQUEST, Delivery.READING)):
            self._count_offence(instance, "sender_may_ask")
            what = tag_of(type(envelope.body))
            reason = f"{instance} may not ask {what} at {self._name}"
            self._refuse(asker, envelope, RequestRefused(rule="sender_may_ask", reason=reason))
            return
        self._receive_lawful(asker, Request(instance=instance, envelope=envelope))

    def _receive_lawful(self, asker: bytes, request: Request) -> None:
        """Have a request handled, unless it was before, comes too late, or finds no room.

        A repetition is never too late: what was taken in time is answered, however late it is asked for again.
        """
        key, now_ns = request.key, self._clock.boot_ns()
        kept, waiting = self._kept.get(key), self._waiting.get(key)
        refusal = self._late(request.envelope, now_ns)
        if kept is not None:
            self._send(asker, (kept.frame,))
        elif waiting is not None and (refusal is not None or now_ns <= waiting.until_ns):
            waiting.asker = asker  # the answer goes to where it was asked from last
        elif refusal is not None:
            self.refused[refusal.rule] += 1
            self._refuse(asker, request.envelope, refusal)
        elif self._has_room(now_ns):
            until_ns = request.envelope.expires_boot_ns or now_ns + WAITING_NS_MAX
            self._waiting[key] = _Waiting(asker=asker, until_ns=until_ns)
            self._room_from_ns = min(self._room_from_ns, until_ns)
            self._on_request(request)
        else:
            refusal = RequestRefused(rule="not_too_many_at_once", reason=f"{WAITING_MAX} requests are waiting already")
            self.refused[refusal.rule] += 1
            self._refuse(asker, request.envelope, refusal)

    def _late(self, envelope: Envelope, now_ns: int) -> RequestRefused | None:
        if envelope.expires_boot_ns is None:
            return None
        if envelope.boot_id != self._clock.boot_id:
            return RequestRefused(rule="request_in_time", reason="it expires by the clock of another boot")
        late_ns = now_ns - envelope.expires_boot_ns
        if late_ns > 0:
            return RequestRefused(rule="request_in_time", reason=f"it expired {late_ns / 1e6:.1f} ms ago")
        return None

    def _has_room(self, now_ns: int) -> bool:
        """Tell whether another request may wait; when all places are taken, those that expired give theirs up."""
        if len(self._waiting) >= WAITING_MAX and now_ns > self._room_from_ns:
            expired = [key for key, waiting in self._waiting.items() if waiting.until_ns < now_ns]
            for key in expired:
                del self._waiting[key]
            self.refused["never answered"] += len(expired)
            self._room_from_ns = min((waiting.until_ns for waiting in self._waiting.values()), default=now_ns)
        return len(self._waiting) < WAITING_MAX

    def _count_offence(self, instance: str, reason: str) -> None:
        self.refused[reason] += 1
        if self._offenders.offended(instance, self._clock.boot_ns()):
            self.refused[f"ignored {instance}"] += 1
            self._on_trouble(f"{instance} is ignored at {self._name} for a minute: it sends what is no lawful request")

    def _refuse(self, asker: bytes, envelope: Envelope, refusal: RequestRefused) -> None:
        self._send(asker, (self._codec.encode(self._sender.envelope(refusal, cause_id=envelope.id)),))

    def _send(self, asker: bytes, parts: Sequence[bytes]) -> None:
        try:
            self._socket.send_multipart([asker, b"", *parts], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            # Whoever asked is gone or does not read; it will ask again under the same id, or not at all.
            self.refused[f"answer undelivered: {clipped(str(error))}"] += 1
        self._drain.look_again()


@dataclass(slots=True)
class _Asked:
    frame: bytes
    expires_ns: int
    future: asyncio.Future[Answer]
    attempts: int = 0
    timer: asyncio.TimerHandle | None = None


class Requester:
    """Asks one socket of one instance, and asks again, under the same id, before it gives up."""

    def __init__(
        self, *, hub: Hub, instance: str, name: str, sender: Sender, clock: Clock, codec: EnvelopeCodec
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self._loop: Final = hub.loop
        self._where: Final = f"{instance}.{name}"
        self._sender: Final = sender
        self._clock: Final = clock
        self._codec: Final = codec
        self._asked: Final[dict[str, _Asked]] = {}
        self._socket: Final = hub.connect(zmq.DEALER, instance, name)
        self._drain: Final = hub.drain(self._socket, self._receive)
        hub.before_closing(self._give_up)

    def ask(self, body: Body, *, message_id: str | None = None, cause_id: str | None = None) -> asyncio.Future[Answer]:
        """Ask at once; the answer comes, a refusal included, or RequestTimedOutError after all attempts."""
        if len(self._asked) >= ASKED_MAX:
            raise TooManyRequestsError(f"{ASKED_MAX} requests to {self._where} are unanswered: wait for one")
        envelope = self._sender.envelope(
            body, message_id=message_id, cause_id=cause_id, valid_for_ns=ATTEMPTS_MAX * ATTEMPT_TIMEOUT_NS
        )
        assert envelope.expires_boot_ns is not None, "it was given a time to live"
        asked = _Asked(
            frame=self._codec.encode(envelope),
            expires_ns=envelope.expires_boot_ns,
            future=self._loop.create_future(),
        )
        self._attempt(envelope.id, asked)  # first of all: the way of an order begins with a question
        self._asked[envelope.id] = asked
        asked.future.add_done_callback(partial(self._ended, envelope.id, asked))
        return asked.future

    def _ended(self, message_id: str, asked: _Asked, _: asyncio.Future[Answer]) -> None:
        if asked.timer is not None:
            asked.timer.cancel()
        if self._asked.get(message_id) is asked:  # somebody may have asked again under this id
            del self._asked[message_id]

    def _give_up(self) -> None:
        """Answer for those who will not be asked any more, so that whoever waits goes on."""
        for message_id, asked in self._asked.items():
            if not asked.future.done():
                asked.future.set_exception(
                    RequestTimedOutError(f"{self._where} was left before it answered {message_id}")
                )
            if asked.timer is not None:
                asked.timer.cancel()

    def _attempt(self, message_id: str, asked: _Asked) -> None:
        if asked.future.done():
            return
        left_ns = asked.expires_ns - self._clock.boot_ns()
        if left_ns <= 0:
            asked.future.set_exception(RequestTimedOutError(f"{self._where} did not answer {message_id}"))
            return
        pause_ns = ATTEMPT_TIMEOUT_NS
        if asked.attempts < ATTEMPTS_MAX:  # a timer may ring early: the last pause is no room for another attempt
            try:
                self._socket.send(b"", _MORE)
                self._socket.send(asked.frame, zmq.NOBLOCK)
                # A thread of libzmq's is what sends it. Where the kernel has that wait behind us on this processor, it
                # would wait for all that we do next.
                os.sched_yield()
                asked.attempts += 1
            except zmq.Again:  # not connected yet, or not any more: the frame is kept here and not in a queue
                pause_ns = _UNCONNECTED_PAUSE_NS
            self._drain.look_again()
        asked.timer = self._loop.call_later(min(pause_ns, left_ns) / 1e9, self._attempt, message_id, asked)

    def _receive(self, parts: list[bytes]) -> None:
        if len(parts) < _ANSWER_PARTS_MIN or parts[0]:
            self.refused["malformed"] += 1
            return
        try:
            envelope = self._codec.decode(parts[1])
        except BadFrame as bad:
            self.refused[bad.reason] += 1
            return
        asked = self._asked.get(envelope.cause_id)
        if asked is None or asked.future.done() or topic_of(type(envelope.body)).delivery is not Delivery.ANSWER:
            self.refused["unasked"] += 1
            return
        asked.future.set_result(Answer(envelope=envelope, attachments=tuple(parts[2:])))
