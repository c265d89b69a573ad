"""Watches risk and the strategy from outside: nothing is said that is not durable, and nothing is decided twice."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from proto.envelope import Body, Envelope
from proto.intents import EnterBracket
from proto.risk import Everything, LeaseAnswered
from proto.verdicts import (
    Alerted,
    Approval,
    CoverTripped,
    DayBegun,
    EntriesPaused,
    EntriesResumed,
    EquityRead,
    GuardTripped,
    IntentApproved,
    IntentJudged,
    IntentRefused,
    KillCleared,
    KillLatched,
    ReservationFreed,
)
from shared.core.service import Answer, Ask, Effect, Happening
from tests.simulation.fall import Fall
from tests.simulation.risk import LIMITS
from tests.simulation.scheduler import SECOND_NS
from tests.simulation.trace import Trace
from tests.simulation.witness import Witness

if TYPE_CHECKING:
    from proto.risk import Scope

CAP: Final = LIMITS.exposure_fraction * Decimal("1.15")  # prices move between what risk has heard and now
NOT_USED: Final = "approval_used_in_time"  # the one refusal that takes the place of a yes


class RiskWitness:
    """Holds what risk says against what it wrote down."""

    def __init__(
        self,
        trace: Trace,
        executor: Witness,
        price: Callable[[str], Decimal],
        fall: Fall,
        on_ask: Callable[[Body], None],
    ) -> None:
        self._trace: Final = trace
        self._on_ask: Final = on_ask
        self._executor: Final = executor
        self._price: Final = price
        self._fall: Final = fall
        self._verdicts: Final[dict[str, IntentJudged]] = {}
        self._paused: Final[set[Scope]] = set()
        self.latch_id: str | None = None  # as its journal says
        self._names: Final[set[str]] = set()  # all of what stands
        self._latched: Final[set[str]] = set()
        self._tripped: Final[set[str]] = set()
        self._woken_for: Final[set[str]] = set()  # the executor's records
        self.approved = self.refused = self.readings = self.trips = self.trips_alone = 0
        self._sure: EquityRead | None = None  # the newest reading, if the books agreed with it
        self._has_counted = False  # from something, since before the fall

    def began(self) -> None:
        """Take note of nothing: what risk has to know after a restart is what it had to know before."""

    def taken(self, happening: Happening, epoch: int) -> None:
        """Take note of nothing: what risk is told counts by what it makes of it."""

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record."""
        match envelope.body:
            case IntentJudged(intent=intent, approval=approval) as judged:
                self._expect(intent.intent_id not in self._verdicts, "I2", f"{intent.intent_id} is judged again")
                self._verdicts[intent.intent_id] = judged
                if approval is None:
                    self.refused += 1
                else:
                    self.approved += 1
                    self._is_within_cap(approval, judged.equity_quote)
                    self._executor.approvals[approval.approval_id] = approval
            case ReservationFreed(approval_id=approval_id, filled_quantity=filled):
                if approval_id in self._executor.opened:
                    ended = self._executor.ended.get(approval_id)
                    self._expect(ended == filled, "I18", f"{approval_id} is freed with {filled}, it ended with {ended}")
                self._executor.freed.add(approval_id)
            case KillLatched(latch=latch):
                self.latch_id = latch.latch_id
                self._names.add(latch.latch_id)
                self._latched.add(latch.latch_id)
            case KillCleared(latch_id=latch_id):
                self._expect(latch_id == self.latch_id, "I13", f"{latch_id} is cleared, and {self.latch_id} stands")
                self.latch_id = self._sure = None  # readings from before it are no neighbours of those behind it
                self._executor.latch.cleared |= self._names  # what stood before it goes with it
                self._names.clear()
            case EntriesPaused(scope=scope):
                self._paused.add(scope)
            case EntriesResumed(scope=scope):
                self._paused.discard(scope)
            case Alerted(name="executor-wary", text=text):
                self._expect(envelope.cause_id not in self._woken_for, "alert", f"a person is woken again for {text}")
                self._woken_for.add(envelope.cause_id)
            case body:
                self._guarded(body)

    def _guarded(self, body: Body) -> None:
        """See that no guard trips where prices have not taken as much, whatever is read wrong, comes or goes."""
        match body:
            case EquityRead():
                self.readings += 1
                self._read(body)
            case DayBegun():
                self._sure = None
            case GuardTripped():
                self.trips += 1
                self.trips_alone += self._sure is None
                self._tripped.add(body.trip_id)
                self._expect(self._fall.is_true, "I16", f"{body.trip_id} trips falsely: {body.reason}")
            case CoverTripped(quantity=quantity):
                self._expect(not quantity, "I19", f"risk has to close what the executor leaves: {body.reason}")
            case _:
                pass

    def _read(self, read: EquityRead) -> None:
        """Take note of whether the guards have something to count from: two readings with which the books agree."""
        books, before = read.executor_equity_quote, self._sure
        is_sure = books is not None and abs(books - read.equity_quote) < read.equity_quote / 100
        self._sure = read if is_sure else None
        if before is not None and is_sure and before.reader_epoch == read.reader_epoch and self._fall.is_before():
            self._has_counted |= SECOND_NS <= read.venue_time_ns - before.venue_time_ns <= 15 * SECOND_NS

    def judge(self) -> None:
        """Judge that a fall has tripped a guard, if there was something to count from before it."""
        missed = self._fall.is_certain and self._has_counted and not self.trips
        self._expect(not missed, "I16", "prices have taken far more than any limit, and no guard has tripped")
        is_latched = not self._tripped or bool(self._tripped & self._latched)
        self._expect(is_latched, "I13", f"{self._tripped} tripped, and no latch was set")

    def performed(self, effect: Effect, epoch: int) -> None:
        """Look at what risk says: an approval, an answer, a lease."""
        if isinstance(effect, Ask):
            self._on_ask(effect.body)
        match effect:
            case Ask(body=Approval() as approval):
                self._is_written_down(approval)
                of_now = approval.risk_epoch <= epoch
                self._expect(of_now, "I25", f"{approval.approval_id} is of epoch {approval.risk_epoch}")
            case Answer(body=IntentApproved(intent_id=intent_id, approval_id=approval_id)):
                given = self._approval_of(intent_id)
                is_it = given is not None and given.approval_id == approval_id
                self._expect(is_it, "I1", f"{intent_id} is answered with {approval_id}, which is not written down")
            case Answer(body=IntentRefused(intent_id=intent_id, rule=rule)):
                is_it = rule == NOT_USED or (intent_id in self._verdicts and self._verdicts[intent_id].approval is None)
                self._expect(is_it, "I1", f"{intent_id} is refused by {rule}, which is not written down")
            case Answer(body=LeaseAnswered(permission="RUN")):
                self._expect(Everything() not in self._paused, "I13", "a lease says RUN while entries are paused")
                self._expect(self.latch_id is None, "I13", f"a lease says RUN under the kill latch {self.latch_id}")
            case _:
                pass

    def _is_within_cap(self, approval: Approval, equity_quote: Decimal) -> None:
        """Hold all that is approved and not freed, and what is held besides, against the limit of exposure."""
        open_ones = [one for one in self._executor.approvals.values() if one.approval_id not in self._executor.freed]
        reserved = sum((one.reserved_quote for one in (*open_ones, approval)), Decimal(0))
        entering = {(one.strategy, one.symbol) for one in open_ones}
        held = sum(
            (held * self._price(place[1]) for place, held in self._executor.held.items() if place not in entering),
            Decimal(0),
        )
        what = f"with {approval.approval_id} {reserved} are reserved, {held} held"
        self._expect(reserved + held <= CAP * equity_quote, "I16", what)

    def _approval_of(self, intent_id: str) -> Approval | None:
        judged = self._verdicts.get(intent_id)
        return None if judged is None else judged.approval

    def _is_written_down(self, approval: Approval) -> None:
        is_it = self._approval_of(approval.intent_id) == approval
        self._expect(is_it, "I1", f"{approval.approval_id} is handed out, and not written down so")
        freed = approval.approval_id in self._executor.freed
        self._expect(not freed, "I18", f"{approval.approval_id} is handed out after it was freed")

    def _expect(self, holds: bool, invariant: str, what: str) -> None:  # noqa: FBT001  # it reads as a sentence
        if not holds:
            self._trace.violated(invariant, what)


class StrategyWitness:
    """Holds what the strategy asks for against what it asked for before: one wish for a bar, ever."""

    def __init__(self, trace: Trace) -> None:
        self._trace: Final = trace
        self._wishes: Final[dict[str, tuple[object, ...]]] = {}
        self._names: Final[dict[tuple[str, int], str]] = {}  # by symbol and bar
        self.asked_again = 0

    def began(self) -> None:
        """Take note of nothing: a life that was killed decides as the one before."""

    def taken(self, happening: Happening, epoch: int) -> None:
        """Take note of nothing."""

    def recorded(self, envelope: Envelope) -> None:
        """Take note of nothing: it has no journal."""

    def performed(self, effect: Effect, epoch: int) -> None:
        """Look at what is asked for."""
        del epoch
        if isinstance(effect, Ask) and isinstance(effect.body, EnterBracket):
            wish = effect.body
            terms = wish.side, wish.decision_price, wish.price_worst, wish.cover, wish.targets, wish.risk_fraction
            self.asked_again += wish.intent_id in self._wishes
            if self._wishes.setdefault(wish.intent_id, terms) != terms:
                self._trace.violated("strategy", f"{wish.intent_id} is wished for in other words than before")
            name = self._names.setdefault((wish.symbol, wish.bar_close_time_ns), wish.intent_id)
            if name != wish.intent_id:
                self._trace.violated("strategy", f"{wish.intent_id} is what {name} was")
