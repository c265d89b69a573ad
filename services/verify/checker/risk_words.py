"""The words of risk's journal, and the parts that they and the executor's are made of, as docs/messages.md has them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from services.verify.checker.decoding import Price, Quantity

Side = Literal["buy", "sell"]
Permission = Literal["RUN", "REDUCE_ONLY", "HALTED"]


@dataclass(frozen=True, slots=True)
class StopCover:
    """A protective order rests at the exchange."""

    TAG: ClassVar[str] = "stop"
    stop_price: Price


@dataclass(frozen=True, slots=True)
class WatchCover:
    """The executor watches the level itself."""

    TAG: ClassVar[str] = "watch"
    level_price: Price


@dataclass(frozen=True, slots=True)
class Target:
    """Where a part of the position is to be left."""

    price: Price
    quantity_fraction: Price


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision rests on."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """A place in a stream of the market."""

    stream: str
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Everything:
    """The whole mesh."""

    TAG: ClassVar[str] = "everything"


@dataclass(frozen=True, slots=True)
class OfSymbol:
    """One symbol, whoever trades it."""

    TAG: ClassVar[str] = "symbol"
    symbol: str


@dataclass(frozen=True, slots=True)
class OfStrategy:
    """One strategy, whatever it trades."""

    TAG: ClassVar[str] = "strategy"
    strategy: str


Scope = Everything | OfSymbol | OfStrategy


@dataclass(frozen=True, slots=True)
class Condition:
    """Why permission is less than RUN."""

    name: str
    scope: Scope
    permission: Permission
    reason: str


@dataclass(frozen=True, slots=True)
class EnterBracket:
    """What a strategy asked risk for."""

    TAG: ClassVar[str] = "enter_bracket.1"
    intent_id: str
    strategy: str
    symbol: str
    side: Side
    timeframe: str
    bar_close_time_ns: int
    market_seen: StreamPosition
    decision_price: Price
    price_worst: Price
    cover: StopCover | WatchCover
    targets: tuple[Target, ...]
    trail_distance: Price | None
    risk_fraction: Price
    expected_gain_fraction: Price | None
    work_for_ns: int
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class IntentRefused:
    """Why risk did not approve."""

    TAG: ClassVar[str] = "intent_refused.1"
    intent_id: str
    rule: str
    value: str
    limit: str
    reason: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Within what the executor may work an entry."""

    TAG: ClassVar[str] = "approval.1"
    approval_id: str
    intent_id: str
    strategy: str
    symbol: str
    side: Side
    quantity_max: Quantity
    price_low: Price
    price_high: Price
    decision_price: Price
    cover: StopCover | WatchCover
    targets: tuple[Target, ...]
    trail_distance: Price | None
    reserved_quote: Quantity
    start_by_boot_ns: int
    work_until_boot_ns: int
    risk_epoch: int


# What risk writes down.


@dataclass(frozen=True, slots=True)
class IntentJudged:
    """Risk judged an intent."""

    TAG: ClassVar[str] = "intent_judged.1"
    intent: EnterBracket
    approval: Approval | None
    refusal: IntentRefused | None
    equity_quote: Decimal
    exposure_quote: Quantity
    entries_today: int


@dataclass(frozen=True, slots=True)
class ReservationFreed:
    """What an approval reserved is free again."""

    TAG: ClassVar[str] = "reservation_freed.1"
    approval_id: str
    filled_quantity: Quantity
    reason: str


@dataclass(frozen=True, slots=True)
class EntriesPaused:
    """An operator allows no new entries."""

    TAG: ClassVar[str] = "entries_paused.1"
    scope: Scope
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class EntriesResumed:
    """An operator allows them again."""

    TAG: ClassVar[str] = "entries_resumed.1"
    scope: Scope
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class DayBegun:
    """A trading day begins."""

    TAG: ClassVar[str] = "day_begun.1"
    day_start_ns: int
    equity_quote: Decimal


@dataclass(frozen=True, slots=True)
class Latch:
    """The kill latch as it was set."""

    latch_id: str
    actor: str
    reason: str
    set_wall_ns: int


@dataclass(frozen=True, slots=True)
class KillLatched:
    """Entries stop, and everything is flattened."""

    TAG: ClassVar[str] = "kill_latched.1"
    latch: Latch


@dataclass(frozen=True, slots=True)
class KillCleared:
    """An owner has cleared the latch."""

    TAG: ClassVar[str] = "kill_cleared.1"
    latch_id: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlowCounted:
    """Money came or went by another hand than trading's."""

    TAG: ClassVar[str] = "flow_counted.1"
    report_sequence: int
    asset: str
    quantity: Decimal
    worth_quote: Decimal


@dataclass(frozen=True, slots=True)
class Counted:
    """How much there was of an asset, and what a unit of it would have fetched."""

    asset: str
    quantity: Quantity
    bid_quote: Price | None


@dataclass(frozen=True, slots=True)
class EquityRead:
    """A reading that the guards rest on."""

    TAG: ClassVar[str] = "equity_read.1"
    reader_epoch: int
    read_number: int
    venue_time_ns: int
    equity_quote: Decimal
    executor_equity_quote: Decimal | None
    account_fingerprint: str
    quote_asset: str
    counted: tuple[Counted, ...]


@dataclass(frozen=True, slots=True)
class GuardTripped:
    """A guard stops trading."""

    TAG: ClassVar[str] = "guard_tripped.1"
    trip_id: str
    guard: Literal["drawdown", "daily_loss"]
    base_quote: Decimal
    floor_quote: Decimal
    equity_quote: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class CoverRead:
    """A position without a stop, by the executor's books and by a reading of the account."""

    TAG: ClassVar[str] = "cover_read.1"
    reader_epoch: int
    read_number: int
    venue_time_ns: int
    strategy: str
    symbol: str
    report_sequence: int
    uncovered_ns: int
    quantity: Decimal
    covered_quantity: Decimal
    elsewhere_quantity: Decimal
    free_quantity: Decimal
    locked_quantity: Decimal


@dataclass(frozen=True, slots=True)
class CoverTripped:
    """Risk has a position closed."""

    TAG: ClassVar[str] = "cover_tripped.1"
    trip_id: str
    strategy: str
    symbol: str
    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class HolderRetired:
    """A process that made no progress was ended."""

    TAG: ClassVar[str] = "holder_retired.1"
    instance: str
    process_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """Something that a person should know."""

    TAG: ClassVar[str] = "alerted.1"
    level: Literal["info", "warning", "critical"]
    name: str
    text: str


OfRisk = (
    IntentJudged
    | ReservationFreed
    | EntriesPaused
    | EntriesResumed
    | DayBegun
    | KillLatched
    | KillCleared
    | FlowCounted
    | EquityRead
    | GuardTripped
    | CoverRead
    | CoverTripped
    | HolderRetired
    | Alerted
)
