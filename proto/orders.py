"""What was done at the venue: numbered reports, each journaled before it is said.

The executor makes them, and the flattener when it has to act alone. Risk, strategies and records read them.
"""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import (
    Amount,
    Asset,
    Count,
    Digest,
    DurationNs,
    Id,
    Message,
    Name,
    Part,
    Price,
    Quantity,
    ShortText,
    Side,
    Symbol,
    Text,
    TimeNs,
)

DIFFERENCES_MAX = 24


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

    `child_number` counts the orders that work one parent; `attempt` counts the sends of a child that was proved absent.
    `request_digest` is the SHA-256 of the request body; `window_ns` is how long the venue may still accept it;
    `lease_age_ns` is None for orders that reduce risk, which need no lease.
    """

    order: OrderKey
    order_type: Literal["market", "limit", "stop_market", "stop_limit"]
    quantity: Quantity
    limit_price: Price | None
    stop_price: Price | None
    child_number: Count
    attempt: Count
    request_digest: Digest
    window_ns: DurationNs
    lease_age_ns: DurationNs | None


class OrderAcknowledged(Message, frozen=True, tag="order_acknowledged.1"):
    """The venue holds the order: it named its own id and echoed ours."""

    order: OrderKey
    venue_order_id: Id
    venue_time_ns: TimeNs


class OrderDoubted(Message, frozen=True, tag="order_doubted.1"):
    """The answer proves nothing. The order reserves its quantity until it is found at the venue or proved absent."""

    order: OrderKey
    http_status: Count | None
    venue_code: ShortText
    reason: Text


class OrderFilled(Message, frozen=True, tag="order_filled.1"):
    """One trade of an order, known by the venue's trade id. A negative fee is a rebate."""

    order: OrderKey
    venue_order_id: Id
    trade_id: Id
    price: Price
    quantity: Quantity
    cumulative_quantity: Quantity
    fee: Amount
    fee_asset: Asset
    liquidity: Literal["maker", "taker"]
    venue_time_ns: TimeNs


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


class ReconcileFinished(Message, frozen=True, tag="reconcile_finished.1"):
    """Our books were held against the venue's. Differences are reported, never traded away.

    Where there are more than fit, the last one says how many more.
    """

    pass_number: Count
    clean: bool
    differences: Annotated[tuple[Text, ...], Meta(max_length=DIFFERENCES_MAX)]
