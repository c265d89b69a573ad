"""What Binance tells of an account over its WebSocket API: executions, transfers, and the ends of the stream itself."""

from decimal import Decimal
from typing import Annotated, Final

import msgspec

from proto.fields import INTEGER_MAX, Asset, Id
from shared.execution.vocabulary import OrderTold, TransferTold, VenueOrder, VenueTrade
from shared.mesh.gateway.venues.binance import (
    NS_PER_MS,
    REASON_CHARACTERS_MAX,
    SIDE,
    STATUS,
    STOPS,
    IdOrNone,
    MarketId,
    Milliseconds,
    Number,
    RawSide,
    RawStatus,
    amount,
    consistent,
    decoded,
    number,
    positive,
    priced,
)
from shared.mesh.gateway.venues.venue import (
    Frame,
    StreamEnding,
    Subscribed,
    SubscriptionRefused,
    Symbols,
    UnreadableError,
    own_symbol,
)

# The key, its rights, its signature: what does not get better within seconds.
_FINAL: Final = frozenset({-1002, -1022, -2014, -2015})
_NO_CLIENT_ID: Final = frozenset({"", "null"})
_OK: Final = 200
NO_TRADE: Final = -1


class _Error(msgspec.Struct, frozen=True):
    code: int
    msg: str


class _Frame(msgspec.Struct, frozen=True):
    """An answer to what we asked, or an event."""

    event: msgspec.Raw = msgspec.Raw()
    status: int | None = None
    error: _Error | None = None


class _Event(msgspec.Struct, frozen=True, rename={"kind": "e"}):
    kind: str


class _Report(
    msgspec.Struct,
    frozen=True,
    rename={
        "symbol": "s",
        "client_order_id": "c",
        "original_client_order_id": "C",
        "order_id": "i",
        "side": "S",
        "type": "o",
        "status": "X",
        "execution": "x",
        "quantity": "q",
        "executed_quantity": "z",
        "time_ms": "T",
        "trade_id": "t",
        "last_price": "L",
        "last_quantity": "l",
        "last_quote_quantity": "Y",
        "fee": "n",
        "fee_asset": "N",
        "is_maker": "m",
    },
):
    symbol: MarketId
    client_order_id: Id
    order_id: Number
    side: RawSide
    type: str
    status: RawStatus
    execution: str
    quantity: Decimal
    executed_quantity: Decimal
    time_ms: Milliseconds
    trade_id: Annotated[int, msgspec.Meta(ge=NO_TRADE, le=INTEGER_MAX)]
    last_price: Decimal
    last_quantity: Decimal
    last_quote_quantity: Decimal
    fee: Decimal
    fee_asset: Asset | None
    is_maker: bool
    original_client_order_id: IdOrNone | None = None


class _Transfer(msgspec.Struct, frozen=True, rename={"asset": "a", "quantity": "d", "time_ms": "T"}):
    asset: Asset
    quantity: Decimal
    time_ms: Milliseconds


def frame_read(text: str | bytes, symbols: Symbols) -> Frame:
    """Read a frame; None is one that says nothing we need.

    {"subscriptionId":0,"event":{"e":"executionReport", ...}}
    {"id":1,"status":200,"result":{"subscriptionId":0}}
    {"id":1,"status":401,"error":{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}}
    """
    frame = decoded(text, _Frame)
    if frame.event:
        return _event(bytes(frame.event), symbols)
    if frame.error is not None:
        reason = f"{frame.error.msg} ({frame.error.code})"[:REASON_CHARACTERS_MAX]
        return SubscriptionRefused(reason, frame.error.code in _FINAL)
    return Subscribed() if frame.status == _OK else None


def _event(text: bytes, symbols: Symbols) -> Frame:
    match decoded(text, _Event).kind:
        case "executionReport":
            return _report(decoded(text, _Report), symbols)
        case "balanceUpdate":
            return _transfer(decoded(text, _Transfer))
        case "eventStreamTerminated" | "serverShutdown" as kind:
            return StreamEnding(f"the venue says {kind}")
        case _:
            return None


def _report(raw: _Report, symbols: Symbols) -> OrderTold:
    """Read what happened to an order.

    {"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW","S":"BUY","o":"LIMIT",
    "q":"1.00000000","C":"","x":"NEW","X":"NEW","r":"NONE","i":4293153,"l":"0.00000000","z":"0.00000000",
    "L":"0.00000000","n":"0","N":null,"T":1499405658657,"t":-1,"m":false,"Y":"0.00000000"}
    """
    original = raw.original_client_order_id
    # After a cancellation `c` is the name of that, and `C` is the order's.
    client_order_id = original if original is not None and original not in _NO_CLIENT_ID else raw.client_order_id
    order = consistent(
        VenueOrder(
            symbol=own_symbol(raw.symbol, symbols),
            client_order_id=client_order_id,
            venue_order_id=str(raw.order_id),
            side=SIDE[raw.side],
            status=STATUS[raw.status],
            quantity=amount(raw.quantity),
            executed_quantity=amount(raw.executed_quantity),
            venue_time_ns=raw.time_ms * NS_PER_MS,
            is_stop=raw.type in STOPS,
        )
    )
    return OrderTold(order, _trade(raw, order) if raw.execution == "TRADE" else None)


def _trade(raw: _Report, order: VenueOrder) -> VenueTrade:
    _, listed, quote = order.symbol.partition("/")
    if raw.trade_id == NO_TRADE or not listed:  # of a market without a name of ours nobody knows what was paid with
        raise UnreadableError("a trade without an id, or on a market that was not listed")
    trade = VenueTrade(
        symbol=order.symbol,
        trade_id=raw.trade_id,
        venue_order_id=order.venue_order_id,
        side=order.side,
        price=positive(raw.last_price),
        quantity=positive(raw.last_quantity),
        quote_quantity=positive(raw.last_quote_quantity),
        fee=number(raw.fee),
        fee_asset=raw.fee_asset or quote,  # where nothing was charged none is named
        liquidity="maker" if raw.is_maker else "taker",
        venue_time_ns=order.venue_time_ns,
    )
    return priced(trade)


def _transfer(raw: _Transfer) -> TransferTold:
    """Read that money came or went: {"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"100.0","T":1573200697068}.

    The venue numbers none of them. The reference is made of what it says, so that what is told twice has it twice.
    """
    quantity = number(raw.quantity)
    reference = f"balanceUpdate/{raw.asset}/{raw.time_ms}/{quantity:f}"
    return TransferTold(raw.asset, quantity, reference, raw.time_ms * NS_PER_MS)
