"""What risk knows for certain: the fold of its own journal. Pure.

Nothing here changes but by what is durable: in `restore`, `fold`, and `lost`, which the journal says at every start.
"""

from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Id, Instance, Name, Quantity, TimeNs
from proto.intents import EnterBracket
from proto.risk import Scope
from proto.verdicts import (
    Alerted,
    Approval,
    CoverRead,
    CoverTripped,
    DayBegun,
    EntriesPaused,
    EntriesResumed,
    EquityRead,
    FlowCounted,
    GuardTripped,
    HolderRetired,
    IntentJudged,
    IntentRefused,
    KillCleared,
    KillLatched,
    ReservationFreed,
)
from services.risk_watchdog.core.latch import LatchFacts, LatchState
from services.risk_watchdog.core.terms import DAY_NS, RISK
from shared.risk import covers, guards
from shared.risk.book import NOTHING
from shared.risk.covers import CoverState
from shared.risk.guards import GuardState
from shared.risk.tiers import Tier, tier_after, tier_of_equity

VERDICTS_MAX: Final = 5_000  # the intents before them are of bars long past
NOTICED_MAX: Final = 1_000
RECOVERY_NS: Final = 2 * DAY_NS  # behind the day that lost too much

PauseKey = tuple[Scope, Name]  # what is paused, and by whom


class Verdict(msgspec.Struct, frozen=True):
    """What was decided about an intent: approved up to a quantity, or refused.

    `unworked` says why nothing came of an approval: it was declined, it expired, or it ended with nothing filled.
    """

    intent_id: Id
    approval_id: Id | None
    quantity_max: Quantity | None
    refusal: IntentRefused | None
    unworked: str | None = None


class Reservation(msgspec.Struct, frozen=True):
    """An approval that may be worked or is. Its deadlines are counted by the clock of the boot it was given in."""

    approval: Approval
    boot_id: Id

    def is_in_time(self, boot_ns: int, boot_id: str) -> bool:
        """Say whether the executor may still begin with it."""
        return boot_id == self.boot_id and boot_ns <= self.approval.start_by_boot_ns


class Day(msgspec.Struct, frozen=True):
    """The day of trading, and which tier of equity it began in."""

    start_ns: TimeNs
    equity_quote: Decimal
    tier: Tier


class FactsState(msgspec.Struct):
    """All that is known, from which the same can be made again."""

    verdicts: list[Verdict]
    reservations: list[Reservation]
    pauses: list[EntriesPaused]
    noticed: list[str]
    hole: int | None
    day: Day | None
    entries_today: int
    equity_peak_quote: Decimal
    latch: LatchState = LatchState()  # heads of segments from before there was one do not know it
    guards: GuardState = GuardState()
    covers: CoverState = CoverState()
    take_over_told: str = ""
    flat_told: str = ""
    missed: list[Instance] = []
    recovers_until_ns: TimeNs = 0


class Facts:
    """Verdicts, reservations, pauses, the day, the kill latch, and what the account's guards count from."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.reservations: dict[str, Reservation] = {}
        self.pauses: dict[PauseKey, EntriesPaused] = {}
        self.noticed: dict[str, None] = {}  # what risk has paused entries for, or told of, so that it does so once
        self.hole: int | None = None  # the number behind the newest hole in our journal
        self.day: Day | None = None
        self.entries_today = 0
        self.equity_peak_quote = NOTHING
        self.latch: Final = LatchFacts()
        self.guards = GuardState()
        self.covers = CoverState()
        self.take_over_told = ""  # by what names it: the newest one that a person was told of
        self.recovers_until_ns: TimeNs = 0  # a trading day that begins before risks half as much a trade
        self.flat_told = ""  # the latch under which a person was told that everything is closed, and nothing else since
        self.missed: dict[Instance, None] = {}  # told of as gone, and not yet as back

    @property
    def recovers(self) -> bool:
        """Say whether this day is one of those behind a day that lost too much."""
        return self.day is not None and self.day.start_ns < self.recovers_until_ns

    def state(self) -> bytes:
        """Return everything, for the head of a new segment of the journal."""
        return msgspec.json.encode(
            FactsState(
                verdicts=list(self.verdicts.values()),
                reservations=list(self.reservations.values()),
                pauses=list(self.pauses.values()),
                noticed=list(self.noticed),
                hole=self.hole,
                day=self.day,
                entries_today=self.entries_today,
                equity_peak_quote=self.equity_peak_quote,
                latch=self.latch.state(),
                guards=self.guards,
                covers=self.covers,
                take_over_told=self.take_over_told,
                flat_told=self.flat_told,
                missed=list(self.missed),
                recovers_until_ns=self.recovers_until_ns,
            )
        )

    def restore(self, state: bytes) -> None:
        """Begin with what `state` returned."""
        known = msgspec.json.decode(state, type=FactsState)
        self.verdicts = {verdict.intent_id: verdict for verdict in known.verdicts}
        self.reservations = {held.approval.approval_id: held for held in known.reservations}
        self.pauses = {(pause.scope, pause.actor): pause for pause in known.pauses}
        self.noticed, self.hole = dict.fromkeys(known.noticed), known.hole
        self.day, self.entries_today = known.day, known.entries_today
        self.equity_peak_quote = known.equity_peak_quote
        self.latch.restore(known.latch)
        self.guards = known.guards
        self.covers = known.covers
        self.take_over_told = known.take_over_told
        self.flat_told, self.missed = known.flat_told, dict.fromkeys(known.missed)
        self.recovers_until_ns = known.recovers_until_ns

    def lost(self, next_sequence: int) -> None:
        """Take in that records before this number are lost."""
        self.hole = next_sequence

    def fold(self, envelope: Envelope) -> None:
        """Take in a record of the journal."""
        self.guards = guards.folded(self.guards, envelope)
        self.covers = covers.folded(self.covers, envelope)
        match envelope.body:
            case IntentJudged() as judged:
                self._judged(judged, envelope)
            case ReservationFreed() as freed:
                self._freed(freed)
            case EntriesPaused() | EntriesResumed() as said:
                self._paused(said, envelope.cause_id)
            case DayBegun() as begun:
                self._day_begun(begun)
            case KillLatched() | KillCleared():
                self.latch.fold(envelope)
            case Alerted() as alerted:
                self._alerted(alerted, envelope.cause_id)
            case GuardTripped(guard="daily_loss"):
                self._day_lost()
            case EquityRead() | FlowCounted() | GuardTripped() | CoverRead() | CoverTripped() | HolderRetired():
                pass  # the guards' alone, or for people
            case _:
                raise AssertionError(f"{type(envelope.body).__name__} is no record of risk")

    def _judged(self, judged: IntentJudged, envelope: Envelope) -> None:
        intent, approval = judged.intent, judged.approval
        self.verdicts[intent.intent_id] = _verdict(intent, approval, judged.refusal)
        if len(self.verdicts) > VERDICTS_MAX:
            del self.verdicts[next(iter(self.verdicts))]
        if approval is not None:
            self.reservations[approval.approval_id] = Reservation(approval, envelope.boot_id)
            self.entries_today += 1
        self.equity_peak_quote = max(self.equity_peak_quote, judged.equity_quote)

    def _paused(self, said: EntriesPaused | EntriesResumed, cause: str) -> None:
        if isinstance(said, EntriesResumed):
            self.pauses = {key: pause for key, pause in self.pauses.items() if key[0] != said.scope}
            return
        self.pauses[said.scope, said.actor] = said
        if said.actor == RISK:
            self._notice(cause)

    def _freed(self, freed: ReservationFreed) -> None:
        held = self.reservations.pop(freed.approval_id, None)
        verdict = None if held is None else self.verdicts.get(held.approval.intent_id)
        if verdict is not None and not freed.filled_quantity:
            self.verdicts[verdict.intent_id] = msgspec.structs.replace(verdict, unworked=freed.reason)

    def _alerted(self, alerted: Alerted, cause: str) -> None:
        match alerted.name:
            case "flattener-took-over":
                self.take_over_told = cause
            case "executor-wary":
                self._notice(cause)
            case "executor-gone" | "strategy-silent":
                self.missed.pop(cause, None)
                if alerted.level != "info":
                    self.missed[cause] = None
            case "daily-loss":
                self._day_lost()
            case "is-flat" | "not-flat":
                self.flat_told = cause if alerted.name == "is-flat" else ""
            case _:
                pass  # for people

    def _notice(self, cause: str) -> None:
        self.noticed[cause] = None
        if len(self.noticed) > NOTICED_MAX:
            del self.noticed[next(iter(self.noticed))]

    def _day_lost(self) -> None:
        if self.day is not None:
            self.recovers_until_ns = self.day.start_ns + DAY_NS + RECOVERY_NS

    def _day_begun(self, begun: DayBegun) -> None:
        equity = begun.equity_quote
        tier = tier_of_equity(equity) if self.day is None else tier_after(self.day.tier, equity)
        self.day, self.entries_today = Day(begun.day_start_ns, equity, tier), 0
        self.equity_peak_quote = max(self.equity_peak_quote, equity)


def _verdict(intent: EnterBracket, approval: Approval | None, refusal: IntentRefused | None) -> Verdict:
    if approval is None:
        return Verdict(intent.intent_id, None, None, refusal)
    return Verdict(intent.intent_id, approval.approval_id, approval.quantity_max, None)
