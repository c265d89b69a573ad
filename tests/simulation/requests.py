"""Requests between processes as shared/mesh/bus/requests.py has them: said again, and answered alike, under one id.

A request is said up to three times, and answered from memory if it was handled by this life before. One that comes too
late is refused without the core. The answer finds its question by the id, and the first one counts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.risk import AskLease, LeaseAnswered
from proto.streams import RequestRefused
from proto.topics import Delivery, topic_of
from shared.core.service import Answer, Answered, Ask, Asked, Happening, Unanswered
from shared.mesh.bus.requests import ATTEMPT_TIMEOUT_NS, ATTEMPTS_MAX
from tests.simulation.process import Process
from tests.simulation.scheduler import Scheduler
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.wire import Kind

CODEC: Final = EnvelopeCodec()
Reply = Callable[[Envelope], None]


class Answerer(Protocol):
    """Who can be asked."""

    def arrive(self, envelope: Envelope, asker: str, reply: Reply) -> None:
        """Take a request off the wire."""


Find = Callable[[str], Answerer | None]


@dataclass(slots=True)
class _Question:
    envelope: Envelope
    instance: str
    attempts: int = 0


class Questions:
    """What one life asks of others."""

    def __init__(self, *, process: Process, scheduler: Scheduler, wire: Wire, find: Find) -> None:
        self._process: Final = process
        self._scheduler: Final = scheduler
        self._wire: Final = wire
        self._find: Final = find
        self._open: Final[dict[str, _Question]] = {}

    def ask(self, effect: Ask) -> None:
        """Ask; asking while the same is being asked changes nothing."""
        if effect.ask_id in self._open:
            return
        envelope = self._process.sender.envelope(
            effect.body,
            message_id=effect.ask_id,
            cause_id=effect.cause_id,
            valid_for_ns=ATTEMPTS_MAX * ATTEMPT_TIMEOUT_NS,
        )
        question = self._open[effect.ask_id] = _Question(envelope, effect.instance)
        self._attempt(question)

    def _attempt(self, question: _Question) -> None:
        envelope = question.envelope
        if self._open.get(envelope.id) is not question or not self._process.is_alive:
            return
        assert envelope.expires_boot_ns is not None, "it was given a time to live"
        if self._scheduler.now_ns >= envelope.expires_boot_ns:
            self._process.receive(lambda: self._given_up(question))
            return
        if question.attempts < ATTEMPTS_MAX and not self._process.is_frozen:
            question.attempts += 1
            kind: Kind = "lease" if isinstance(envelope.body, AskLease) else "ask"
            self._wire.send(kind, lambda: self._arrive(question))
        self._scheduler.after(ATTEMPT_TIMEOUT_NS, lambda: self._attempt(question))

    def _arrive(self, question: _Question) -> None:
        asked = self._find(question.instance)
        if asked is not None:
            asked.arrive(question.envelope, self._process.instance, self._replied)

    def _replied(self, answer: Envelope) -> None:
        kind: Kind = "lease" if isinstance(answer.body, LeaseAnswered) else "answer"
        self._wire.send(kind, lambda: self._process.receive(lambda: self._answered(answer)))

    def _answered(self, answer: Envelope) -> Iterable[Happening]:
        question = self._open.pop(answer.cause_id, None)
        return () if question is None else (Answered(answer.cause_id, answer),)

    def _given_up(self, question: _Question) -> Iterable[Happening]:
        if self._open.get(question.envelope.id) is not question:
            return ()
        del self._open[question.envelope.id]
        return (Unanswered(question.envelope.id),)


class Answers:
    """What one life is asked by others."""

    def __init__(self, process: Process, scheduler: Scheduler) -> None:
        self._process: Final = process
        self._scheduler: Final = scheduler
        self._waiting: Final[dict[tuple[str, str], tuple[Reply, int]]] = {}  # and until when
        self._kept: Final[dict[tuple[str, str], Envelope]] = {}

    def arrive(self, envelope: Envelope, asker: str, reply: Reply) -> None:
        """Take a request off the wire."""
        self._process.receive(lambda: self._read(envelope, asker, reply))

    def answer(self, effect: Answer) -> None:
        """Answer, and keep the answer for when it is asked again, unless it was for a reading."""
        asked = effect.asked.envelope
        answer = self._process.sender.envelope(effect.body, cause_id=asked.id)
        CODEC.encode_proved(answer)  # one that could not be read would not leave: here it is a defect
        key = effect.asked.instance, asked.id
        if topic_of(type(asked.body)).delivery is Delivery.REQUEST:
            self._kept[key] = answer
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting[0](answer)

    def _read(self, envelope: Envelope, asker: str, reply: Reply) -> Iterable[Happening]:
        key, waiting = (asker, envelope.id), self._waiting.get((asker, envelope.id))
        assert envelope.expires_boot_ns is not None, "requests have an end"
        is_late = self._scheduler.now_ns > envelope.expires_boot_ns
        if key in self._kept:
            reply(self._kept[key])
        elif waiting is not None and (is_late or self._scheduler.now_ns <= waiting[1]):
            self._waiting[key] = reply, waiting[1]
        elif is_late:
            refusal = RequestRefused("request_in_time", "it has expired")
            reply(self._process.sender.envelope(refusal, cause_id=envelope.id))
        else:
            self._waiting[key] = reply, envelope.expires_boot_ns
            return (Asked(asker, envelope),)
        return ()
