"""What Binance's answers on its spot market mean: one pure function for each, with an answer of the venue's in it.

Anything that is missing, of another type, no number, or more than a record of ours holds raises `UnreadableError`: half
an answer is none, and what was written down and cannot be read again would end every later life of the executor.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from proto.fields import ID_LENGTH_MAX, INTEGER_MAX, Asset, Id, Side, Symbol
from shared.execution.vocabulary import VenueBalance, VenueOrder, VenueStatus, VenueTrade
from shared.market.bounds import QUANTITY_LARGEST, SMALLEST
from shared.mesh.gateway.venues.venue import Complaint, KeyRights, Symbols, UnreadableError, own_symbol

NS_PER_MS: Final = 1_000_000
REASON_CHARACTERS_MAX: Final = 200
# The venue has eight places. Sums and averages of numbers within these bounds still fit into any record.
NUMBER_BOUND: Final = Decimal(10) ** 16
PLACES_MAX: Final = 12

STATUS: Final[dict[str, VenueStatus]] = {
    "NEW": "open",
    "PENDING_NEW": "open",
    "PARTIALLY_FILLED": "open",
    "PENDING_CANCEL": "open",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
    "REJECTED": "rejected",
}
SIDE: Final[dict[str, Side]] = {"BUY": "buy", "SELL": "sell"}
STOPS: Final = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})  # its "algo" orders

Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX // NS_PER_MS)]
MarketId = Annotated[str, msgspec.Meta(min_length=3, max_length=24)]  # it may have to stand for an asset
IdOrNone = Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)]
RawSide = Literal["BUY", "SELL"]
RawStatus = Literal[
    "NEW",
    "PENDING_NEW",
    "PARTIALLY_FILLED",
    "PENDING_CANCEL",
    "FILLED",
    "CANCELED",
    "EXPIRED",
    "EXPIRED_IN_MATCH",
    "REJECTED",
]

_Form = TypeVar("_Form")


class _Complaint(msgspec.Struct, frozen=True):
    code: Annotated[int, msgspec.Meta(lt=0)]  # others who complain in JSON count from zero up
    msg: str


class _Order(msgspec.Struct, frozen=True, rename="camel"):
    symbol: MarketId
    order_id: Number
    client_order_id: Id
    side: RawSide
    status: RawStatus
    orig_qty: Decimal
    executed_qty: Decimal
    transact_time: Milliseconds | None = None  # of an answer to a sending
    update_time: Milliseconds | None = None  # of an answer to a question
    type: str = ""  # left out of some answers to a sending or a cancellation
    orig_client_order_id: IdOrNone = ""  # of an answer to a cancellation, which has a client id of its own


class _Trade(msgspec.Struct, frozen=True, rename="camel"):
    symbol: MarketId
    id: Number
    order_id: Number
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    commission: Decimal
    commission_asset: Asset
    time: Milliseconds
    is_buyer: bool
    is_maker: bool


class _Balance(msgspec.Struct, frozen=True):
    asset: Asset
    free: Decimal
    locked: Decimal


class _Account(msgspec.Struct, frozen=True):
    balances: tuple[_Balance, ...]


class _BestPrices(msgspec.Struct, frozen=True, rename="camel"):
    symbol: MarketId
    bid_price: Decimal


class _Rights(msgspec.Struct, frozen=True, rename="camel"):
    ip_restrict: bool
    enable_withdrawals: bool
    enable_spot_and_margin_trading: bool


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: Milliseconds


def complaint(body: str) -> Complaint | None:
    """Read what the venue says in the place of an answer, None where that is something else.

    {"code":-2010,"msg":"Account has insufficient balance for requested action."}
    """
    try:
        raw = msgspec.json.decode(body, type=_Complaint)
    except (ValueError, RecursionError):
        return None
    return Complaint(raw.code, raw.msg[:REASON_CHARACTERS_MAX])


def time_read(body: str) -> int:
    """Read the venue's time in nanoseconds: {"serverTime":1499827319559}."""
    return decoded(body, _Time).server_time * NS_PER_MS


def rights_read(body: str) -> KeyRights:
    """Read what the key that asked may do.

    {"ipRestrict":true,"enableReading":true,"enableWithdrawals":false,"enableSpotAndMarginTrading":true}
    """
    raw = decoded(body, _Rights)
    return KeyRights(
        may_trade=raw.enable_spot_and_margin_trading, may_withdraw=raw.enable_withdrawals, is_bound=raw.ip_restrict
    )


def account_read(body: str) -> tuple[VenueBalance, ...]:
    """Read the balances: {"balances":[{"asset":"BTC","free":"4723846.89208129","locked":"0.00000000"}]}."""
    raw = decoded(body, _Account)
    return tuple(VenueBalance(one.asset, amount(one.free), amount(one.locked)) for one in raw.balances)


def bids_read(body: str, symbols: Symbols) -> Mapping[Symbol, Decimal]:
    """Read the best bids; where there is none, the venue says that it is 0.

    [{"symbol":"LTCBTC","bidPrice":"4.00000000","bidQty":"431.0","askPrice":"4.00000200","askQty":"9.0"}]
    """
    raw = decoded(body, tuple[_BestPrices, ...])
    return {own_symbol(one.symbol, symbols): amount(one.bid_price) for one in raw if amount(one.bid_price)}


def order_read(body: str, symbols: Symbols) -> VenueOrder:
    """Read one order, as a sending or a question is answered.

    {"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"6gCrw2kRUAF9CvJDGP16IP",
    "transactTime":1507725176595,"price":"0.00000000","origQty":"10.00000000","executedQty":"10.00000000",
    "status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL"}
    """
    raw = decoded(body, _Order)
    return _order(raw, raw.client_order_id, symbols)


def cancel_read(body: str, symbols: Symbols) -> VenueOrder:
    """Read the order that was cancelled.

    {"symbol":"LTCBTC","origClientOrderId":"myOrder1","orderId":4,"clientOrderId":"cancelMyOrder1",
    "transactTime":1684804350068,"origQty":"1.00000000","executedQty":"0.00000000","status":"CANCELED","side":"BUY"}
    """
    raw = decoded(body, _Order)
    return _order(raw, raw.orig_client_order_id, symbols)


def orders_read(body: str, symbols: Symbols) -> tuple[VenueOrder, ...]:
    """Read orders in a row, as `openOrders` has them."""
    return tuple(_order(raw, raw.client_order_id, symbols) for raw in decoded(body, tuple[_Order, ...]))


def trades_read(body: str, symbols: Symbols) -> tuple[VenueTrade, ...]:
    """Read the account's own trades in the order of their ids.

    [{"symbol":"BNBBTC","id":28457,"orderId":100234,"price":"4.00000100","qty":"12.00000000",
    "quoteQty":"48.000012","commission":"10.10000000","commissionAsset":"BNB","time":1499865549590,
    "isBuyer":true,"isMaker":false}]
    """
    raw = sorted(decoded(body, tuple[_Trade, ...]), key=lambda one: one.id)
    return tuple(_trade(one, symbols) for one in raw)


# What the parts mean.


def _order(raw: _Order, client_order_id: str, symbols: Symbols) -> VenueOrder:
    time_ms = raw.update_time if raw.transact_time is None else raw.transact_time
    if time_ms is None or not client_order_id:
        raise UnreadableError("an order without a time, or without a client id")
    return consistent(
        VenueOrder(
            symbol=own_symbol(raw.symbol, symbols),
            client_order_id=client_order_id,
            venue_order_id=str(raw.order_id),
            side=SIDE[raw.side],
            status=STATUS[raw.status],
            quantity=amount(raw.orig_qty),
            executed_quantity=amount(raw.executed_qty),
            venue_time_ns=time_ms * NS_PER_MS,
            is_stop=raw.type in STOPS,
        )
    )


def _trade(raw: _Trade, symbols: Symbols) -> VenueTrade:
    trade = VenueTrade(
        symbol=own_symbol(raw.symbol, symbols),
        trade_id=raw.id,
        venue_order_id=str(raw.order_id),
        side="buy" if raw.is_buyer else "sell",
        price=positive(raw.price),
        quantity=positive(raw.qty),
        quote_quantity=positive(raw.quote_qty),
        fee=number(raw.commission),
        fee_asset=raw.commission_asset,
        liquidity="maker" if raw.is_maker else "taker",
        venue_time_ns=raw.time * NS_PER_MS,
    )
    return priced(trade)


def decoded(body: str | bytes, form: type[_Form]) -> _Form:
    """Read JSON of a form; nested too deeply, or with halves of characters: all is possible."""
    try:
        return msgspec.json.decode(body, type=form)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(str(error)[:REASON_CHARACTERS_MAX]) from error


def number(value: Decimal) -> Decimal:
    """Return a number, if it is one that a record can hold."""
    places = value.as_tuple().exponent
    if not isinstance(places, int) or -places > PLACES_MAX or abs(value) >= NUMBER_BOUND:
        raise UnreadableError(f"{str(value)[:48]} in the place of a number")
    return value


def amount(value: Decimal) -> Decimal:
    """Return a number that is not negative; zero with a sign is none."""
    if number(value).is_signed():
        raise UnreadableError(f"{value} in the place of an amount")
    return value


def positive(value: Decimal) -> Decimal:
    """Return a number above zero: a trade of nothing, or for nothing, is none."""
    if not amount(value):
        raise UnreadableError(f"{value} in the place of what was traded")
    return value


def priced(trade: VenueTrade) -> VenueTrade:
    """Return a trade whose worth is, by its quantity, a price that can be written down."""
    if not SMALLEST <= trade.quote_quantity / trade.quantity <= QUANTITY_LARGEST:
        raise UnreadableError(f"{trade.quantity} traded for {trade.quote_quantity}")
    return trade


def consistent(order: VenueOrder) -> VenueOrder:
    """Return an order whose state and quantities agree. One for a worth, by another hand, may have no quantity."""
    executed, quantity = order.executed_quantity, order.quantity
    if quantity and (executed > quantity or (order.status == "filled" and executed != quantity)):
        raise UnreadableError(f"an order that is {order.status} with {executed} of {quantity}")
    return order
