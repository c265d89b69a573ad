"""The words of the executor's journal, as docs/messages.md lays them out, and by its tag every word that is known."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final, Literal

from services.verify.checker.decoding import Price, Quantity
from services.verify.checker.risk_words import (
    Alerted,
    Approval,
    Condition,
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
    KillCleared,
    KillLatched,
    OfRisk,
    ReservationFreed,
    Scope,
    Side,
)


@dataclass(frozen=True, slots=True)
class OrderKey:
    """Which order, and what it serves."""

    client_order_id: str
    parent_id: str
    strategy: str
    symbol: str
    side: Side
    purpose: Literal["entry", "exit", "cover"]


@dataclass(frozen=True, slots=True)
class EntryOpened:
    """The executor works an approval from here on."""

    TAG: ClassVar[str] = "entry_opened.1"
    approval: Approval


@dataclass(frozen=True, slots=True)
class EntryEnded:
    """It works the entry no longer."""

    TAG: ClassVar[str] = "entry_ended.1"
    approval_id: str
    intent_id: str
    strategy: str
    symbol: str
    filled_quantity: Quantity
    reason: str


@dataclass(frozen=True, slots=True)
class ExitOpened:
    """A position shall come down."""

    TAG: ClassVar[str] = "exit_opened.1"
    exit_id: str
    strategy: str
    symbol: str
    target_quantity: Quantity
    asked_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExitEnded:
    """It did."""

    TAG: ClassVar[str] = "exit_ended.1"
    exit_id: str
    strategy: str
    symbol: str
    quantity_left: Quantity
    reason: str


@dataclass(frozen=True, slots=True)
class ExitHeldUp:
    """Nothing can be sent for an exit, and why."""

    TAG: ClassVar[str] = "exit_held_up.1"
    exit_id: str
    strategy: str
    symbol: str
    reason: str


@dataclass(frozen=True, slots=True)
class SendMarked:
    """An order is about to be sent, once."""

    TAG: ClassVar[str] = "send_marked.1"
    order: OrderKey
    order_type: Literal["market", "limit", "limit_ioc", "stop_market", "stop_limit"]
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None
    decision_price: Price
    cost_expected_fraction: Decimal | None
    child_number: int
    window_ns: int
    lease_age_ns: int | None


@dataclass(frozen=True, slots=True)
class OrderAcknowledged:
    """The venue has the order."""

    TAG: ClassVar[str] = "order_acknowledged.1"
    order: OrderKey
    venue_order_id: str
    venue_time_ns: int


@dataclass(frozen=True, slots=True)
class CancelMarked:
    """A cancellation is about to be sent."""

    TAG: ClassVar[str] = "cancel_marked.1"
    order: OrderKey
    reason: str


@dataclass(frozen=True, slots=True)
class OrderDoubted:
    """The answer to a sending proves nothing."""

    TAG: ClassVar[str] = "order_doubted.1"
    order: OrderKey
    http_status: int | None
    venue_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """A trade of an order."""

    TAG: ClassVar[str] = "order_filled.1"
    order: OrderKey
    venue_order_id: str
    trade_id: int
    price: Price
    quantity: Quantity
    quote_quantity: Quantity
    cumulative_quantity: Quantity
    fee: Decimal
    fee_asset: str
    liquidity: Literal["maker", "taker"]
    venue_time_ns: int
    decision_price: Price
    cost_expected_quote: Decimal | None


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """An order is terminal."""

    TAG: ClassVar[str] = "order_ended.1"
    order: OrderKey
    ending: Literal["filled", "canceled", "expired", "rejected", "absent"]
    executed_quantity: Quantity
    average_price: Price | None
    venue_code: str
    reason: str


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """What a strategy holds of a symbol."""

    TAG: ClassVar[str] = "position_changed.1"
    strategy: str
    symbol: str
    quantity: Decimal
    average_entry_price: Price | None
    covered_quantity: Quantity


@dataclass(frozen=True, slots=True)
class OutsideSeen:
    """Something that the bot did not do."""

    TAG: ClassVar[str] = "outside_seen.1"
    kind: Literal["opening", "order", "trade", "transfer", "unexplained"]
    reference: str
    symbol: str | None
    asset: str
    quantity: Decimal
    venue_time_ns: int


@dataclass(frozen=True, slots=True)
class ConditionSet:
    """A reason for less than RUN that outlives a restart."""

    TAG: ClassVar[str] = "condition_set.1"
    condition: Condition


@dataclass(frozen=True, slots=True)
class ConditionCleared:
    """An operator lifts it."""

    TAG: ClassVar[str] = "condition_cleared.1"
    name: str
    scope: Scope
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class TradesReadTo:
    """Every trade of the account on a symbol below this id is in the books."""

    symbol: str
    next_trade_id: int


@dataclass(frozen=True, slots=True)
class ReconcileFinished:
    """Our books were held against the venue's."""

    TAG: ClassVar[str] = "reconcile_finished.1"
    pass_number: int
    clean: bool
    differences: tuple[str, ...]
    trades_read: tuple[TradesReadTo, ...]


@dataclass(frozen=True, slots=True)
class FlattenBegun:
    """What is held of a symbol, or of all, shall be closed."""

    TAG: ClassVar[str] = "flatten_begun.1"
    flatten_id: str
    symbol: str | None
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlattenCalledOff:
    """Nobody wants that closed any longer."""

    TAG: ClassVar[str] = "flatten_called_off.1"
    flatten_id: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class FlatnessTold:
    """Whether it is."""

    TAG: ClassVar[str] = "flatness_told.1"
    flatten_id: str
    is_flat: bool
    pass_number: int
    reason: str


@dataclass(frozen=True, slots=True)
class RoleTaken:
    """The flattener holds a role."""

    TAG: ClassVar[str] = "role_taken.1"
    instance: str
    epoch: int
    reason: str


@dataclass(frozen=True, slots=True)
class RoleReturned:
    """The role is free again."""

    TAG: ClassVar[str] = "role_returned.1"
    instance: str
    epoch: int
    reason: str


OfOrder = SendMarked | OrderAcknowledged | CancelMarked | OrderDoubted | OrderFilled | OrderEnded
OfExecutor = (
    OfOrder
    | EntryOpened
    | EntryEnded
    | ExitOpened
    | ExitEnded
    | ExitHeldUp
    | PositionChanged
    | OutsideSeen
    | ConditionSet
    | ConditionCleared
    | ReconcileFinished
    | FlattenBegun
    | FlattenCalledOff
    | FlatnessTold
    | RoleTaken
    | RoleReturned
)
Word = OfRisk | OfExecutor
WORDS: Final[dict[str, type[Word]]] = {
    word.TAG: word
    for word in (
        *(IntentJudged, ReservationFreed, EntriesPaused, EntriesResumed, DayBegun),
        *(SendMarked, OrderAcknowledged, CancelMarked, OrderDoubted, OrderFilled, OrderEnded),
        *(EntryOpened, EntryEnded, ExitOpened, ExitEnded, ExitHeldUp, PositionChanged, OutsideSeen),
        *(ConditionSet, ConditionCleared, ReconcileFinished),
        *(
            KillLatched,
            KillCleared,
            FlowCounted,
            EquityRead,
            GuardTripped,
            CoverRead,
            CoverTripped,
            HolderRetired,
            Alerted,
        ),
        *(FlattenBegun, FlattenCalledOff, FlatnessTold, RoleTaken, RoleReturned),
    )
}
