"""Asks metrics, as the operator, and asks again, through a new connection, when there was no answer."""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, TypeVar

from proto.codec import EnvelopeCodec
from proto.measures import AskMeasures, HopsGiven, MeasuresGiven
from proto.streams import RequestRefused
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock
from shared.mesh.operator import OPERATOR, operator_hub
from shared.mesh.settings import Configuration
from shared.mesh.verb import EXPECTED, NotDoneError

METRICS: Final = "metrics"
SNAPSHOT: Final = "snapshot"
REMEDY: Final = "`bowline up` starts what does not run, `bowline status` says how it is"
# Hops are measured over seconds.
HOPS_EVERY_NS: Final = 2_000_000_000
AGAIN: Final = 2
_EPOCH: Final = 1  # whoever has no seat has no other

Wanted = TypeVar("Wanted", MeasuresGiven, HopsGiven)


@dataclass(frozen=True, slots=True)
class Given:
    """What metrics answered."""

    measures: MeasuresGiven
    hops: HopsGiven


@dataclass(frozen=True, slots=True)
class NotGiven:
    """Why there is no answer, and what to do."""

    trouble: str


class Inquiry:
    """One connection to metrics for as long as it answers.

    Whatever was wrong with the last one (no key yet, or another; nobody there) is looked at anew with the next.
    """

    def __init__(self, configuration: Configuration, clock: Clock) -> None:
        self._configuration: Final = configuration
        self._clock: Final = clock
        self._held: Final = ExitStack()
        self._requester: Requester | None = None
        self._hops: HopsGiven | None = None
        self._hops_boot_ns = 0
        self._asked = 0
        # A request that is said twice under one id is one: no other run of this verb may ask under ours.
        self._name: Final = f"watch-{os.getpid()}-{clock.boot_ns()}"

    async def ask(self) -> Given | NotGiven:
        """Ask, and where nobody answers in time, as on a busy machine, again over a new connection."""
        answer = await self._ask()
        for _ in range(AGAIN):
            if isinstance(answer, NotGiven):
                answer = await self._ask()
        return answer

    async def _ask(self) -> Given | NotGiven:
        try:
            requester = self._requester = self._requester or self._connected()
            measures = await self._answer(requester, AskMeasures(of="symbols and processes"), MeasuresGiven)
            if self._hops is None or self._clock.boot_ns() - self._hops_boot_ns >= HOPS_EVERY_NS:
                self._hops = await self._answer(requester, AskMeasures(of="hops"), HopsGiven)
                self._hops_boot_ns = self._clock.boot_ns()
            return Given(measures, self._hops)
        except RequestTimedOutError:
            trouble = self._why_unanswered()
        except EXPECTED as error:
            trouble = str(error)
        self.close()
        return NotGiven(trouble)

    def close(self) -> None:
        """Let the connection go."""
        self._held.close()
        self._requester = None
        self._hops = None

    def _connected(self) -> Requester:
        keys = self._configuration.keys_directory
        if not keys.is_dir():  # and this verb makes nothing
            raise NotDoneError(f"there are no keys in {keys}, so no mesh has run here: `bowline up`")
        sender = Sender(instance=OPERATOR, epoch=_EPOCH, clock=self._clock)
        hub = self._held.enter_context(operator_hub(self._configuration))
        return Requester(
            hub=hub, instance=METRICS, name=SNAPSHOT, sender=sender, clock=self._clock, codec=EnvelopeCodec()
        )

    async def _answer(self, requester: Requester, question: AskMeasures, wanted: type[Wanted]) -> Wanted:
        self._asked += 1
        answer = await requester.ask(question, message_id=f"{self._name}-{self._asked}")
        body = answer.envelope.body
        if isinstance(body, wanted):
            return body
        reason = body.reason if isinstance(body, RequestRefused) else "it answered something else"
        raise NotDoneError(f"{METRICS} does not say how things are ({reason}): {REMEDY}")

    def _why_unanswered(self) -> str:
        """Say why there is no answer: nobody is there, or what came cannot be read here."""
        refused = [] if self._requester is None else sorted(self._requester.refused)
        if refused:
            return f"the answers of {METRICS} cannot be read ({', '.join(refused)}): `bowline restart {METRICS}`"
        return f"{METRICS} does not answer: {REMEDY}"
