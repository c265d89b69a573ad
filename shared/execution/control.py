"""What keeps entries waiting until an operator has looked, and what an operator tells the executor itself. Pure."""

from collections.abc import Collection, Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, Flatten, Kill, LiftKill, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.fields import Name, Symbol, clipped, clipped_short
from proto.orders import ConditionCleared, ConditionSet, FlattenCalledOff
from proto.risk import Condition, Everything, OfStrategy, OfSymbol
from shared.core.room import holds_unwritten, not_done
from shared.core.scopes import scope_words
from shared.core.service import Answer, Asked, MakeHalt, Moment, NotRecorded, Report
from shared.execution.books import Books
from shared.execution.flattening import Flattening
from shared.execution.flattens import KILL_LATCH
from shared.execution.latching import Latching

PAUSED: Final = "operator_pause"
RECORDS_LOST: Final = "records_lost"
TROUBLED_START: Final = "troubled_start"
ELSEWHERE: Final = (
    "the executor takes pauses and their end, a kill, its lifting by risk, and what shall be flat; ask risk"
)


class Control:
    """Answers operators, and says what they have to look at."""

    def __init__(self, books: Books, latching: Latching, flattening: Flattening, symbols: Collection[Symbol]) -> None:
        self._books: Final = books
        self._latching: Final = latching
        self._flattening: Final = flattening
        self._symbols: Final = symbols
        self._unwritten: Final[dict[Name, str]] = {}
        self._asked: tuple[Asked, Sequence[Report]] | None = None  # whose answer waits for these

    def wary(self, name: Name, reason: str) -> None:
        """Let entries wait for a reason of our own, which is written down as soon as it can be."""
        self._unwritten[name] = reason

    def due(self) -> Sequence[Report]:
        """Return what is to be written down, again and again until it is."""
        return [
            Report(ConditionSet(Condition(name, Everything(), "REDUCE_ONLY", clipped_short(reason))), reducing=True)
            for name, reason in self._unwritten.items()
        ]

    def recorded(self, body: Body) -> None:
        """Take in that it is, in this life or in one before, and maybe lifted since."""
        match body:
            case ConditionSet(condition=Condition(name=name)) | ConditionCleared(name=name):
                self._unwritten.pop(name, None)
            case _:
                pass

    def asked(self, asked: Asked, body: Body, now: Moment) -> tuple[Sequence[Report], Answer]:
        """Return what is written down, and the answer."""
        reports: Sequence[Report]
        answer: ControlDone | ControlRefused
        match body:
            case Kill():
                reports, answer = self._latching.killed(body, now)
            case LiftKill():
                reports, answer = self._latching.lift(body, asked.instance)
            case Flatten():
                reports, answer = self._flattening.asked(body, now)
            case PauseEntries():
                reports, answer = self._paused(body, asked.envelope.id)
            case ResumeEntries():
                reports, answer = self._resumed(body, asked.envelope.id)
            case _:
                reports, answer = (), ControlRefused("asked_of_risk", ELSEWHERE)
        self._asked = asked, reports
        return reports, Answer(asked, answer)

    def not_recorded(self, refusal: NotRecorded, now: Moment) -> list[MakeHalt | Answer]:
        """Let the latch hold without a record, and answer whoever waited for one that there is no room."""
        asked, reports = self._asked or (None, ())
        self._asked = None
        made = self._latching.not_recorded(now)
        if asked is None or not any(body is report.body for body in refusal.bodies for report in reports):
            return [*made]
        answer = holds_unwritten if isinstance(asked.envelope.body, Kill) else not_done
        return [*made, answer(asked, refusal.reason)]

    def _paused(self, pause: PauseEntries, cause_id: str) -> tuple[Sequence[Report], ControlDone | ControlRefused]:
        """Pause for risk, which does not answer; of what is not there nobody shall believe that it is paused."""
        scope = pause.scope
        match scope:
            case OfStrategy():
                words = "the executor knows no strategies: pause a symbol, or everything"
                return (), ControlRefused("strategy_runs", words)
            case OfSymbol(symbol=symbol) if symbol not in self._symbols:
                words = f"{symbol} is not traded; traded are {', '.join(self._symbols)}"
                return (), ControlRefused("symbol_is_traded", clipped(words))
            case _:
                pass
        condition = Condition(PAUSED, scope, "REDUCE_ONLY", clipped_short(f"{pause.actor}: {pause.reason}"))
        done = f"no new entries in {scope_words(scope)} until they are resumed; exits and covers go on"
        return (Report(ConditionSet(condition), cause_id=cause_id, reducing=True),), ControlDone(done)

    def _resumed(self, resume: ResumeEntries, cause_id: str) -> tuple[Sequence[Report], ControlDone | ControlRefused]:
        """Lift what waits for an operator to look, and call off what is flattened: never the kill latch."""
        standing = [one for one in self._books.conditions.values() if resume.scope in {one.scope, Everything()}]
        lifted = [one for one in standing if one.name != KILL_LATCH]
        ended = self._flattening.called_off(resume, cause_id)
        if standing and not lifted and not ended:
            return (), ControlRefused("no_kill_latch", "the kill latch is cleared at risk, in two steps")
        if not lifted and not ended:
            is_part = any(one.symbol is None for one in self._books.flattens.without_latch())
            of_all = "everything is flattened, and is called off with everything: resume without a symbol"
            return (), ControlRefused("scope_is_paused", of_all if is_part else "nothing of that scope is waiting")
        reports = [
            Report(ConditionCleared(one.name, one.scope, resume.actor, resume.reason), cause_id=cause_id)
            for one in lifted
        ]
        done = [f"lifted: {', '.join(one.name for one in lifted)}"] if lifted else []
        done += [f"called off: {one.body.flatten_id}" for one in ended if isinstance(one.body, FlattenCalledOff)]
        return [*reports, *ended], ControlDone(clipped("; ".join(done)))
