"""What the gateway to a venue brings to the executor's core, and what the core wants of it. No venue's own words here.

The gateway decides nothing. What it is asked it does once, and says what came of it, as far as that can be proved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from proto.fields import Asset, Side, Symbol
from shared.core.service import FromOutside, Outward
from shared.trading.instruments import Instrument, OrderType

VenueStatus = Literal["open", "filled", "canceled", "expired", "rejected"]


# What a venue says of orders, trades and balances.


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """An order as the venue shows it. `client_order_id` is whoever's: it may be none of ours.

    `is_stop` says that it waits for its trigger, or did: a venue takes fewer of those.
    """

    symbol: Symbol
    client_order_id: str
    venue_order_id: str
    side: Side
    status: VenueStatus
    quantity: Decimal
    executed_quantity: Decimal
    venue_time_ns: int
    is_stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueTrade:
    """A trade of the account. Its id counts up on a symbol; its order is known by the venue's id."""

    symbol: Symbol
    trade_id: int
    venue_order_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: Asset
    liquidity: Literal["maker", "taker"]
    venue_time_ns: int


@dataclass(frozen=True, slots=True)
class VenueBalance:
    """What the account holds of an asset."""

    asset: Asset
    free: Decimal
    locked: Decimal


# What came of a sending.


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue has the order: it named its own id and echoed ours."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class Rejected:
    """The venue definitely refused: the answer stands on the list of those that prove it.

    `is_closed` says that it takes no order of the symbol for now, whatever order it is.
    """

    code: str
    reason: str
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Unproved:
    """The answer, or its absence, proves nothing: it may have been done."""

    http_status: int | None
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Not a byte has left: it was signed too late, or never."""

    reason: str


# What the gateway brings.


@dataclass(frozen=True, slots=True)
class InstrumentsKnown(FromOutside):
    """What can be traded, and by which rules. It comes first, and again when the rules change."""

    instruments: Mapping[Symbol, Instrument]


@dataclass(frozen=True, slots=True)
class VenueClock(FromOutside):
    """How far the venue's clock is ahead of our boot-time clock, and by how much that may be wrong."""

    ahead_of_boot_ns: int
    uncertainty_ns: int


@dataclass(frozen=True, slots=True)
class KeyRightsTold(FromOutside):
    """Our key may do what it has to and no more, or why that is not known yet: it comes before the stream opens.

    Where it is not bound to addresses, whoever finds it can trade with it.
    """

    unknown_for: str | None
    is_bound: bool = True


@dataclass(frozen=True, slots=True)
class StreamOpened(FromOutside):
    """The private stream flows (again). What the venue told meanwhile was missed."""


@dataclass(frozen=True, slots=True)
class StreamLost(FromOutside):
    """The private stream flows no longer."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderTold(FromOutside):
    """The private stream tells of an order, and of the trade that changed it."""

    order: VenueOrder
    trade: VenueTrade | None


@dataclass(frozen=True, slots=True)
class TransferTold(FromOutside):
    """The private stream tells of money that came or went."""

    asset: Asset
    quantity: Decimal
    reference: str
    venue_time_ns: int


@dataclass(frozen=True, slots=True)
class OrderSent(FromOutside):
    """What came of a `SendOrder`. `signed_venue_time_ns` is the stamp that the venue holds against its window."""

    client_order_id: str
    outcome: Acknowledged | Rejected | Unproved | NotSent
    signed_venue_time_ns: int | None


@dataclass(frozen=True, slots=True)
class CancelSent(FromOutside):
    """What came of a `CancelOrder`: a definite refusal says nothing about how the order ended."""

    client_order_id: str
    outcome: Acknowledged | Rejected | Unproved | NotSent


@dataclass(frozen=True, slots=True)
class OrderRead(FromOutside):
    """What came of a `ReadOrder`: the order; or that the venue has none, said well; or why nothing is known.

    `venue_time_ns` is a time by the venue's clock that had passed when it answered: at the latest, for sure.
    """

    client_order_id: str
    order: VenueOrder | None
    venue_time_ns: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class OpenOrdersRead(FromOutside):
    """What came of a `ReadOpenOrders`."""

    read_number: int
    orders: tuple[VenueOrder, ...]
    failure: str | None


@dataclass(frozen=True, slots=True)
class TradesRead(FromOutside):
    """What came of a `ReadTrades`: those trades in the order of their ids, at most 1,000."""

    read_number: int
    symbol: Symbol
    trades: tuple[VenueTrade, ...]
    failure: str | None


@dataclass(frozen=True, slots=True)
class AccountRead(FromOutside):
    """What came of a `ReadAccount`."""

    read_number: int
    balances: tuple[VenueBalance, ...]
    venue_time_ns: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class WorthRead(FromOutside):
    """What came of a `ReadWorth`: a symbol for which nobody bids has no price. The balances are the older ones."""

    read_number: int
    balances: tuple[VenueBalance, ...]
    bids: Mapping[Symbol, Decimal]
    venue_time_ns: int
    failure: str | None


@dataclass(frozen=True, slots=True)
class WeightTold(FromOutside):
    """How much of its limit a minute the venue says that this address has used, and until when it wants no more.

    No request at all, where the address is banned; no order, where there were too many.
    """

    used_weight: int
    banned_until_boot_ns: int | None
    orders_closed_until_boot_ns: int | None


Fact = OrderSent | CancelSent | OrderRead | OrderTold | TransferTold | OpenOrdersRead | TradesRead | AccountRead


# What the core wants of the gateway.


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOrder(Outward):
    """Sign it and send it once. It is durable that this is about to happen.

    It is not signed after `sign_by_boot_ns`, and the venue shall not take it later than `window_ns` after its stamp. An
    entry is not signed either while the HALT file is there.
    """

    client_order_id: str
    symbol: Symbol
    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    is_entry: bool
    sign_by_boot_ns: int
    window_ns: int


@dataclass(frozen=True, slots=True)
class CancelOrder(Outward):
    """Cancel it, once."""

    client_order_id: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class ReadOrder(Outward):
    """Ask for an order by our own id."""

    client_order_id: str
    symbol: Symbol


@dataclass(frozen=True, slots=True)
class ReadOpenOrders(Outward):
    """Ask for every open order of the account, ours or not."""

    read_number: int


@dataclass(frozen=True, slots=True)
class ReadTrades(Outward):
    """Ask for the account's trades of a symbol, from an id on, or without one from a time on.

    It is urgent where it is known that there are some which were not told.
    """

    read_number: int
    symbol: Symbol
    from_id: int | None
    from_time_ns: int | None
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class ReadAccount(Outward):
    """Ask for every balance."""

    read_number: int


@dataclass(frozen=True, slots=True)
class ReadWorth(Outward):
    """Ask for every balance, and then for the best bids of these symbols: what the account is worth at the venue."""

    read_number: int
    symbols: tuple[Symbol, ...]
