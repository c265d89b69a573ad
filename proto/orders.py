"""What was done at the venue: numbered reports, each journaled before it is said.

The executor makes them, and the flattener when it has to act alone. Risk, strategies and records read them.
"""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import (
    Amount,
    Asset,
    Count,
    DurationNs,
    Id,
    Message,
    Name,
    Part,
    Price,
    Quantity,
    Share,
    ShortText,
    Side,
    Symbol,
    Text,
    TimeNs,
)
from proto.risk import Condition, Scope
from proto.verdicts import Approval

DIFFERENCES_MAX = 16
SYMBOLS_MAX = 120


class EntryOpened(Message, frozen=True, tag="entry_opened.1"):
    """The executor works this approval from here on. Its intent is worked once, ever."""

    approval: Approval


class EntryEnded(Message, frozen=True, tag="entry_ended.1"):
    """The entry is worked no longer. What filled stays, under its cover."""

    approval_id: Id
    intent_id: Id
    strategy: Name
    symbol: Symbol
    filled_quantity: Quantity
    reason: Text


class ExitOpened(Message, frozen=True, tag="exit_opened.1"):
    """A position shall come down to a quantity, by whom and why. Lower ones may follow, higher ones never count."""

    exit_id: Id
    strategy: Name
    symbol: Symbol
    target_quantity: Quantity
    asked_by: Name
    reason: Text


class ExitEnded(Message, frozen=True, tag="exit_ended.1"):
    """The target is reached, or what is left of the position is too small for any order of the venue."""

    exit_id: Id
    strategy: Name
    symbol: Symbol
    quantity_left: Quantity
    reason: Text


class ExitHeldUp(Message, frozen=True, tag="exit_held_up.1"):
    """Nothing can be sent for an exit, and why: told once that has lasted a second, and again while it does."""

    exit_id: Id
    strategy: Name
    symbol: Symbol
    reason: Text


class OrderKey(Part, frozen=True):
    """Which order: our own id for it, and the chain up to what caused it.

    `parent_id` is the approval of an entry, or the exit or cover that a risk-reducing order serves.
    """

    client_order_id: Annotated[str, Meta(min_length=1, max_length=32)]
    parent_id: Id
    strategy: Name
    symbol: Symbol
    side: Side
    purpose: Literal["entry", "exit", "cover"]


class SendMarked(Message, frozen=True, tag="send_marked.1"):
    """The order is about to be sent, once. From here until evidence says otherwise it may exist at the venue.

    An entry is a `limit_ioc`: it takes what is offered up to its limit price, at once, and the rest of it expires.
    `child_number` counts the orders that work one parent, each of them sent once: what was proved absent is sent again
    as the next one. `cost_expected_fraction` is what fee, half the spread and slippage are reckoned to be of its worth
    at `decision_price`: what its trades really cost is held against both. `window_ns` is how long after its stamp the
    venue may still accept it; `lease_age_ns` is None for orders that reduce risk, which need no lease.
    """

    order: OrderKey
    order_type: Literal["market", "limit", "limit_ioc", "stop_market", "stop_limit"]
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None
    decision_price: Price
    cost_expected_fraction: Share | None
    child_number: Count
    window_ns: DurationNs
    lease_age_ns: DurationNs | None


class OrderAcknowledged(Message, frozen=True, tag="order_acknowledged.1"):
    """The venue holds the order: it named its own id and echoed ours."""

    order: OrderKey
    venue_order_id: Id
    venue_time_ns: TimeNs


class CancelMarked(Message, frozen=True, tag="cancel_marked.1"):
    """A cancellation of the order is about to be sent. Only the venue's word ends the order."""

    order: OrderKey
    reason: ShortText


class OrderDoubted(Message, frozen=True, tag="order_doubted.1"):
    """The answer proves nothing. The order reserves its quantity until it is found at the venue or proved absent."""

    order: OrderKey
    http_status: Count | None
    venue_code: ShortText
    reason: Text


class OrderFilled(Message, frozen=True, tag="order_filled.1"):
    """One trade of an order, known by the venue's trade id on the symbol. A negative fee is a rebate.

    `quote_quantity` is what the venue itself counts: where price times quantity has more digits, it rounds.
    `decision_price` is what the order was decided at, and `cost_expected_quote` what fee, half the spread and slippage
    of this trade were reckoned to be: what it really cost is held against both.
    """

    order: OrderKey
    venue_order_id: Id
    trade_id: Count
    price: Price
    quantity: Quantity
    quote_quantity: Quantity
    cumulative_quantity: Quantity
    fee: Amount
    fee_asset: Asset
    liquidity: Literal["maker", "taker"]
    venue_time_ns: TimeNs
    decision_price: Price
    cost_expected_quote: Amount | None


class OrderEnded(Message, frozen=True, tag="order_ended.1"):
    """The order is terminal, by evidence. `absent` is the proof that it never reached the venue."""

    order: OrderKey
    ending: Literal["filled", "canceled", "expired", "rejected", "absent"]
    executed_quantity: Quantity
    average_price: Price | None
    venue_code: ShortText
    reason: Text


class PositionChanged(Message, frozen=True, tag="position_changed.1"):
    """What a strategy holds of a symbol after a fill or an external event; negative is short."""

    strategy: Name
    symbol: Symbol
    quantity: Amount
    average_entry_price: Price | None
    covered_quantity: Quantity


class OutsideSeen(Message, frozen=True, tag="outside_seen.1"):
    """Something on the account that the bot did not do; it is counted in the books.

    What was there when they were opened; an order or a trade by another hand; money in or out; and what remains
    unexplained after two readings. `quantity` is what it changed of the asset; of an order it is what it would. All but
    the opening pause entries until an operator has looked.
    """

    kind: Literal["opening", "order", "trade", "transfer", "unexplained"]
    reference: Id
    symbol: Symbol | None
    asset: Asset
    quantity: Amount
    venue_time_ns: TimeNs


class FlattenBegun(Message, frozen=True, tag="flatten_begun.1"):
    """What the bot holds of a symbol, or of all when `symbol` is None, shall be closed until nothing is left.

    A latch's has the latch's id, and goes on for as long as the latch holds.
    """

    flatten_id: Id
    symbol: Symbol | None
    actor: Name
    reason: Text


class FlattenCalledOff(Message, frozen=True, tag="flatten_called_off.1"):
    """Somebody wants this flat no longer, whether it is or not. What is left is covered again. A latch's is cleared."""

    flatten_id: Id
    actor: Name
    reason: Text


class FlatnessTold(Message, frozen=True, tag="flatness_told.1"):
    """Whether what shall be flat is so. FLAT was read back: that pass of reconciliation was clean and showed it.

    NOT FLAT says why, is said again and again, and nothing is given up by it.
    """

    flatten_id: Id
    is_flat: bool
    pass_number: Count
    reason: Text


class ConditionSet(Message, frozen=True, tag="condition_set.1"):
    """A reason for less than RUN that outlives a restart. It is cleared by an operator and by nothing else."""

    condition: Condition


class ConditionCleared(Message, frozen=True, tag="condition_cleared.1"):
    """An operator has looked, and lifts a condition."""

    name: Name
    scope: Scope
    actor: Name
    reason: Text


class TradesReadTo(Part, frozen=True):
    """Every trade of the account on a symbol below this id is in the books."""

    symbol: Symbol
    next_trade_id: Count


class ReconcileFinished(Message, frozen=True, tag="reconcile_finished.1"):
    """Our books were held against the venue's. Differences are reported, never traded away.

    Where there are more than fit, the last one says how many more. `trades_read` is how far the trades of each symbol
    were read without a gap.
    """

    pass_number: Count
    clean: bool
    differences: Annotated[tuple[Text, ...], Meta(max_length=DIFFERENCES_MAX)]
    trades_read: Annotated[tuple[TradesReadTo, ...], Meta(max_length=SYMBOLS_MAX)]
