"""What Binance's messages mean: one pure function per message of its spot and USD-M markets, where they agree.

Nothing is judged: a price of zero, of a negative number or of NaN is a price here. What is missing, of another type or
no number at all makes the message `Unreadable`, and so does a symbol that was not asked for.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, Protocol, TypeVar

import msgspec

from proto.fields import INTEGER_MAX
from services.feed_handler.vocabulary import Told, Unreadable
from shared.market.observations import BookChange, BookWhole, Candle, Levels, Quote, Trade

NS_PER_MS: Final = 1_000_000
LEVELS_MAX: Final = 5_000  # of one side in one message: what the whole book of the venue has, and a message of ours
ROWS_MAX: Final = 1_500  # in one answer; the venue gives no more
REASON_CHARACTERS_MAX: Final = 200

Text = str | bytes
Symbols = Mapping[str, str]  # the unified symbol by the venue's

# What is beyond is no number of the venue's, and none that a message of ours could carry.
_Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
_Milliseconds = Annotated[int, msgspec.Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]  # the gate judges them

_RawT = TypeVar("_RawT", bound="_Raw")
_Form = TypeVar("_Form")
_Side = Annotated[Levels, msgspec.Meta(max_length=LEVELS_MAX)]
_EVENT: Final = {"event": "e", "symbol": "s", "event_time_ms": "E"}
_TRADE: Final = {**_EVENT, "price": "p", "quantity": "q", "time_ms": "T", "buyer_is_maker": "m"}
_TRADES: Final = {"trade_id": "a", "first_id": "f", "last_id": "l"}


class _Aggregate(msgspec.Struct, frozen=True, gc=False, rename=_TRADE | _TRADES):
    trade_id: _Number
    price: Decimal
    quantity: Decimal
    first_id: _Number
    last_id: _Number
    time_ms: _Milliseconds
    buyer_is_maker: bool
    symbol: str = ""  # as a row of an answer it says neither of whom it is nor what
    event: Literal["aggTrade"] = "aggTrade"


class _Trade(msgspec.Struct, frozen=True, gc=False, rename=_TRADE | {"trade_id": "t"}):
    event: Literal["trade"]
    symbol: str
    trade_id: _Number
    price: Decimal
    quantity: Decimal
    time_ms: _Milliseconds
    buyer_is_maker: bool


class _Quote(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        **_EVENT,
        "update_id": "u",
        "bid_price": "b",
        "bid_quantity": "B",
        "ask_price": "a",
        "ask_quantity": "A",
        "time_ms": "T",
    },
):
    symbol: str
    update_id: _Number
    bid_price: Decimal
    bid_quantity: Decimal
    ask_price: Decimal
    ask_quantity: Decimal
    event: Literal["bookTicker"] = "bookTicker"  # the spot market names no event here, and stamps no time
    time_ms: _Milliseconds | None = None


class _Depth(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        **_EVENT,
        "first_id": "U",
        "last_id": "u",
        "previous_id": "pu",
        "bids": "b",
        "asks": "a",
        "time_ms": "T",
    },
):
    event: Literal["depthUpdate"]
    event_time_ms: _Milliseconds
    symbol: str
    first_id: _Number
    last_id: _Number
    bids: _Side
    asks: _Side
    previous_id: _Number | None = None
    time_ms: _Milliseconds | None = None


class _Bar(
    msgspec.Struct,
    frozen=True,
    gc=False,
    rename={
        "open_time_ms": "t",
        "timeframe": "i",
        "open_price": "o",
        "high_price": "h",
        "low_price": "l",
        "close_price": "c",
        "base_volume": "v",
        "quote_volume": "q",
        "trade_count": "n",
        "is_closed": "x",
    },
):
    open_time_ms: _Milliseconds
    timeframe: str
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    close_price: Decimal
    base_volume: Decimal
    quote_volume: Decimal
    trade_count: _Number
    is_closed: bool


class _Kline(msgspec.Struct, frozen=True, gc=False, rename=_EVENT | {"bar": "k"}):
    event: Literal["kline"]
    symbol: str
    bar: _Bar


class _BarRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    open_time_ms: _Milliseconds
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    close_price: Decimal
    base_volume: Decimal
    close_time_ms: _Milliseconds
    quote_volume: Decimal
    trade_count: _Number


class _Book(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    last_update_id: _Number
    bids: _Side
    asks: _Side


class _Time(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    server_time: _Milliseconds


class _Named(msgspec.Struct, frozen=True, gc=False, rename=_EVENT):
    symbol: str


_AGGREGATES: Final = msgspec.json.Decoder(_Aggregate)
_TRADES_ALONE: Final = msgspec.json.Decoder(_Trade)
_QUOTES: Final = msgspec.json.Decoder(_Quote)
_DEPTHS: Final = msgspec.json.Decoder(_Depth)
_KLINES: Final = msgspec.json.Decoder(_Kline)
_NAMED: Final = msgspec.json.Decoder(_Named)


# What streams tell.


def aggregate_trade(text: Text, symbols: Symbols) -> Told:
    """Read trades of one taker at one price, whose ids have no gap: `@aggTrade`.

    {"e":"aggTrade","E":1672515782136,"s":"BNBBTC","a":12345,"p":"0.001","q":"100","f":100,"l":105,
    "T":1672515782136,"m":true,"M":true}
    """
    return _told(_AGGREGATES, text, symbols, _aggregate)


def trade(text: Text, symbols: Symbols) -> Told:
    """Read a single trade: `@trade`.

    {"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000",
    "T":1723161255342,"m":true,"M":true}
    {"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006",
    "X":"MARKET","m":false}
    """
    return _told(_TRADES_ALONE, text, symbols, _single)


def quote(text: Text, symbols: Symbols) -> Told:
    """Read the best bid and ask: `@bookTicker`, first as the spot market tells it, then as USD-M does.

    {"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}
    {"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510",
    "T":1723161256313,"E":1723161256313}
    """
    return _told(_QUOTES, text, symbols, _best)


def book_change(text: Text, symbols: Symbols) -> Told:
    """Read changes of the book: `@depth@100ms`. Of USD-M `pu` is what it follows on; the spot market counts on.

    {"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,
    "b":[["61737.63000000","0.00000000"]],"a":[["61837.64000000","1.54698000"]]}
    {"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,
    "pu":5123107831937,"b":[["58710.20","0.014"]],"a":[["61800.30","2.510"]]}
    """
    return _told(_DEPTHS, text, symbols, _changed)


def candle(text: Text, symbols: Symbols) -> Told:
    """Read a bar that grows, or has closed: `@kline_1m`.

    {"e":"kline","E":1579482921215,"s":"ETHBTC","k":{"t":1579482900000,"T":1579482959999,"s":"ETHBTC","i":"1m",
    "f":158411535,"L":158411550,"o":"0.01913200","c":"0.01913500","h":"0.01913700","l":"0.01913200",
    "v":"5.08400000","n":16,"x":false,"q":"0.09728060","V":"3.30200000","Q":"0.06318500","B":"0"}}
    """
    return _told(_KLINES, text, symbols, _bar)


# What requests are answered with.


def trades_fetched(answer: object, symbol: str) -> tuple[Trade, ...] | Unreadable:
    """Read the rows of `aggTrades`.

    [{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true}]
    """
    rows = _rows(answer, tuple[_Aggregate, ...], symbol)
    if isinstance(rows, Unreadable):
        return rows
    trades = []
    for row in rows:
        read = _aggregate(row, symbol)
        if isinstance(read, Unreadable):
            return read
        trades.append(read)
    return tuple(trades)


def book_fetched(answer: object, symbol: str) -> BookWhole | Unreadable:
    """Read a whole book, the answer of `depth`.

    {"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}
    """
    book = _converted(answer, _Book, symbol)
    if isinstance(book, Unreadable):
        return book
    return BookWhole(symbol, book.last_update_id, book.bids, book.asks)


def closed_candles_fetched(
    answer: object, symbol: str, timeframe: str, venue_time_ms: int
) -> tuple[Candle, ...] | Unreadable:
    """Read the rows of `klines` that had closed by then: the venue tells the one that still grows as well.

    [[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,
    "2434.19055334",308,"1756.87402397","28.46694368","0"]]
    """
    rows = _rows(answer, tuple[_BarRow, ...], symbol)
    if isinstance(rows, Unreadable):
        return rows
    return tuple(_closed_bar(row, symbol, timeframe) for row in rows if row.close_time_ms < venue_time_ms)


def venue_time_fetched(answer: object) -> int | Unreadable:
    """Read the venue's time in nanoseconds, the answer of `time`: {"serverTime":1499827319559}."""
    time = _converted(answer, _Time, None)
    return time if isinstance(time, Unreadable) else time.server_time * NS_PER_MS


# What a message is, once it was read.


def _aggregate(raw: _Aggregate, symbol: str) -> Trade | Unreadable:
    count = raw.last_id - raw.first_id + 1
    if count < 1:
        return Unreadable(symbol, f"trades from {raw.first_id} to {raw.last_id} are none")
    side: Literal["buy", "sell"] = "sell" if raw.buyer_is_maker else "buy"
    return Trade(symbol, raw.trade_id, raw.price, raw.quantity, side, count, raw.time_ms * NS_PER_MS)


def _single(raw: _Trade, symbol: str) -> Trade:
    side: Literal["buy", "sell"] = "sell" if raw.buyer_is_maker else "buy"
    return Trade(symbol, raw.trade_id, raw.price, raw.quantity, side, 1, raw.time_ms * NS_PER_MS)


def _best(raw: _Quote, symbol: str) -> Quote:
    time_ns = None if raw.time_ms is None else raw.time_ms * NS_PER_MS
    return Quote(symbol, raw.update_id, raw.bid_price, raw.bid_quantity, raw.ask_price, raw.ask_quantity, time_ns)


def _changed(raw: _Depth, symbol: str) -> BookChange:
    time_ms = raw.event_time_ms if raw.time_ms is None else raw.time_ms
    return BookChange(symbol, raw.first_id, raw.last_id, raw.previous_id, raw.bids, raw.asks, time_ms * NS_PER_MS)


def _bar(raw: _Kline, symbol: str) -> Candle:
    bar = raw.bar
    return Candle(
        symbol=symbol,
        timeframe=bar.timeframe,
        open_time_ns=bar.open_time_ms * NS_PER_MS,
        open_price=bar.open_price,
        high_price=bar.high_price,
        low_price=bar.low_price,
        close_price=bar.close_price,
        base_volume=bar.base_volume,
        quote_volume=bar.quote_volume,
        trade_count=bar.trade_count,
        is_closed=bar.is_closed,
    )


def _closed_bar(row: _BarRow, symbol: str, timeframe: str) -> Candle:
    return Candle(
        symbol=symbol,
        timeframe=timeframe,
        open_time_ns=row.open_time_ms * NS_PER_MS,
        open_price=row.open_price,
        high_price=row.high_price,
        low_price=row.low_price,
        close_price=row.close_price,
        base_volume=row.base_volume,
        quote_volume=row.quote_volume,
        trade_count=row.trade_count,
        is_closed=True,
    )


class _Raw(Protocol):
    """Whatever a stream tells: it names its symbol."""

    @property
    def symbol(self) -> str:
        """The venue's name of it."""


def _told(
    decoder: "msgspec.json.Decoder[_RawT]", text: Text, symbols: Symbols, make: Callable[[_RawT, str], Told]
) -> Told:
    """Read a message of a stream. Malformed text, nested too deeply, or with halves of characters: all is possible."""
    try:
        raw = decoder.decode(text)
    except (ValueError, RecursionError) as error:
        return Unreadable(_symbol_named(text, symbols), _reason(error))
    symbol = symbols.get(raw.symbol)
    if symbol is None:
        return Unreadable(None, f"of {raw.symbol[:REASON_CHARACTERS_MAX]!r}, which nobody asked for")
    return make(raw, symbol)


def _symbol_named(text: Text, symbols: Symbols) -> str | None:
    try:
        return symbols.get(_NAMED.decode(text).symbol)
    except (ValueError, RecursionError):
        return None


def _converted(answer: object, form: type[_Form], symbol: str | None) -> _Form | Unreadable:
    try:
        return msgspec.convert(answer, form)
    except (ValueError, RecursionError) as error:
        return Unreadable(symbol, _reason(error))


def _rows(answer: object, form: type[tuple[_Form, ...]], symbol: str) -> tuple[_Form, ...] | Unreadable:
    rows = _converted(answer, form, symbol)
    if isinstance(rows, tuple) and len(rows) > ROWS_MAX:
        return Unreadable(symbol, f"{len(rows)} rows, where the venue gives {ROWS_MAX} at most")
    return rows


def _reason(error: Exception) -> str:
    return str(error)[:REASON_CHARACTERS_MAX]
