"""The venues that are supported, by their names in the settings and in ccxt."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from services.feed_handler.venues import binance
from services.feed_handler.venues.venue import (
    Acknowledged,
    Channel,
    Control,
    Parameters,
    Refused,
    Request,
    ShutdownAnnounced,
    Venue,
)
from services.feed_handler.vocabulary import FetchBook, FetchCandles, FetchTrades, StreamKind
from shared.mesh.gateway.venues.binance import complaint

ROWS_MAX: Final = 1_000  # of trades and candles in an answer, and levels of a book
REASON_CHARACTERS_MAX: Final = 200
CANDLES: Final = frozenset({"1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"})


# What the two markets of Binance have in common.


class _Error(msgspec.Struct, frozen=True, gc=False):
    msg: str = ""
    code: int = 0


class _Answer(msgspec.Struct, frozen=True, gc=False):
    """`{"result":null,"id":1}`, or `{"error":{"code":2,"msg":"Invalid request"},"id":1}`."""

    result: None = None
    id: int | None = None
    error: _Error | None = None


class _Shutdown(msgspec.Struct, frozen=True, gc=False, rename={"event": "e"}):
    """`{"e":"serverShutdown","E":1770123456789}`, ten minutes before."""

    event: Literal["serverShutdown"]


_ANSWERS: Final = msgspec.json.Decoder(_Answer)
_SHUTDOWNS: Final = msgspec.json.Decoder(_Shutdown)


def _control(text: str | bytes) -> Control | None:
    """Read what is no market data."""
    try:
        answer = _ANSWERS.decode(text)
        if answer.error is not None:
            return Refused(answer.id, f"{answer.error.msg[:REASON_CHARACTERS_MAX]} ({answer.error.code})")
        if answer.id is not None:
            return Acknowledged(answer.id)
        _SHUTDOWNS.decode(text)
    except (ValueError, RecursionError):
        return None
    return ShutdownAnnounced()


def _stream_name(market_id: str, channel: Channel) -> str:
    return f"{market_id.lower()}@{channel.name}"


def _asking(
    method: Literal["SUBSCRIBE", "UNSUBSCRIBE"], streams: tuple[str, ...], request_id: int
) -> Mapping[str, object]:
    return {"method": method, "params": streams, "id": request_id}


def _trades_asked(wanted: FetchTrades, market_id: str) -> Parameters:
    parameters: dict[str, str | int] = {"symbol": market_id, "limit": ROWS_MAX}
    if wanted.from_id is not None:
        parameters["fromId"] = wanted.from_id
    elif wanted.from_time_ns is not None:
        parameters["startTime"] = wanted.from_time_ns // binance.NS_PER_MS
    return parameters


def _book_asked(_wanted: FetchBook, market_id: str) -> Parameters:
    return {"symbol": market_id, "limit": ROWS_MAX}


def _candles_asked(wanted: FetchCandles, market_id: str) -> Parameters:
    return {
        "symbol": market_id,
        "interval": wanted.timeframe,
        "limit": min(wanted.candles_max, ROWS_MAX),
        "endTime": wanted.before_open_time_ns // binance.NS_PER_MS - 1,
    }


_CHANNELS: Final[Mapping[StreamKind, Channel]] = {
    "trades": Channel(name="aggTrade", route="aggTrade", read=binance.aggregate_trade),
    "quotes": Channel(name="bookTicker", route="bookTicker", read=binance.quote),
    "book": Channel(name="depth@100ms", route="depth", read=binance.book_change),
    "candles": Channel(name="kline_1m", route="kline", read=binance.candle),
}


def _binance(
    *,
    ccxt_class: str,
    market_type: Literal["spot", "linear"],
    stream_path: str,
    api: str,
    looks_a_minute: int,
    tells_seconds: bool,
) -> Venue:
    return Venue(
        ccxt_class=ccxt_class,
        market_type=market_type,
        stream_path=stream_path,
        channels=_CHANNELS,
        # The venue takes 1,024 streams on a connection, and 200 in one request; one request fills a connection here.
        streams_per_connection_max=200,
        looks_a_minute=looks_a_minute,
        candle_timeframes=CANDLES,
        tells_seconds=tells_seconds,
        stream_name=_stream_name,
        asking=_asking,
        control=_control,
        is_complaint=lambda body: complaint(body) is not None,
        trades=Request(method=f"{api}GetAggTrades", parameters=_trades_asked),
        book=Request(method=f"{api}GetDepth", parameters=_book_asked),
        candles=Request(method=f"{api}GetKlines", parameters=_candles_asked),
        time_method=f"{api}GetTime",
        trades_fetched=binance.trades_fetched,
        book_fetched=binance.book_fetched,
        closed_candles_fetched=binance.closed_candles_fetched,
        venue_time_fetched=binance.venue_time_fetched,
    )


# Of trades a request weighs 4 of the 6,000 a minute on spot, and 20 of the 2,400 on the perpetuals: two fifths of it.
VENUES: Final[Mapping[str, Venue]] = {
    "binance": _binance(
        ccxt_class="binance",
        market_type="spot",
        stream_path="/stream/ws",
        api="public",
        looks_a_minute=600,
        tells_seconds=True,
    ),
    "binanceusdm": _binance(
        ccxt_class="binanceusdm",
        market_type="linear",
        stream_path="/fut/ws",
        api="fapiPublic",
        looks_a_minute=48,
        tells_seconds=False,
    ),
}
