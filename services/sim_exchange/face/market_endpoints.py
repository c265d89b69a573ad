"""The public endpoints: time, symbols, books, trades, bars and tickers."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, NamedTuple

from services.sim_exchange.face import refusals
from services.sim_exchange.face.day import day_answer, mini_day_answer
from services.sim_exchange.face.endpoint import Asked, Endpoint, Weigh, weight
from services.sim_exchange.face.layout import (
    AVERAGE_MINUTES,
    Payload,
    book_ticker_answer,
    depth_answer,
    fixed,
    kline_answer,
    symbol_answer,
    trade_answer,
)
from services.sim_exchange.face.parameters import Parameters
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.tape import aggregate_answer
from services.sim_exchange.face.weights import limits_laid_out
from services.sim_exchange.market.intervals import INTERVALS, Interval

TICKER_TYPES: Final = ("FULL", "MINI")
ROWS_USUAL: Final = 500
ROWS_MAX: Final = 1_000
DEPTH_USUAL: Final = 100
DEPTH_MAX: Final = 5_000


def ping(asked: Asked) -> Payload:
    """Answer that somebody is here."""
    del asked
    return {}


def time(asked: Asked) -> Payload:
    """Answer the venue's time."""
    return {"serverTime": asked.now_ms}


def exchange_info(asked: Asked) -> Payload:
    """Answer the rules of symbols: of one, of several, or of all."""
    parameters = asked.parameters
    parameters.text("permissions")
    parameters.flag("showPermissionSets")
    status = parameters.text("symbolStatus")
    chosen = _chosen(asked)
    rules = asked.records.rules().values() if chosen is None else [asked.listed(symbol) for symbol in chosen]
    return {
        "timezone": "UTC",
        "serverTime": asked.now_ms,
        "rateLimits": limits_laid_out(asked.venue.limits),
        "exchangeFilters": [],
        "symbols": [symbol_answer(one) for one in rules if status in {None, one.status}],
    }


def depth(asked: Asked) -> Payload:
    """Answer a book."""
    symbol = asked.rules().symbol
    return depth_answer(
        asked.records.depth(symbol, asked.parameters.bounded("limit", usual=DEPTH_USUAL, most=DEPTH_MAX))
    )


def trades(asked: Asked) -> list[Payload]:
    """Answer the last trades."""
    limit = asked.parameters.bounded("limit", usual=ROWS_USUAL, most=ROWS_MAX)
    return [trade_answer(trade) for trade in asked.records.trades(asked.rules().symbol)[-limit:]]


def aggregates(asked: Asked) -> list[Payload]:
    """Answer trades put together by taker and price: from an id on, within a time, or the last ones."""
    parameters = asked.parameters
    symbol = asked.rules().symbol
    limit = parameters.bounded("limit", usual=ROWS_USUAL, most=ROWS_MAX)
    from_id, start_ms, end_ms = (parameters.integer(name) for name in ("fromId", "startTime", "endTime"))
    if from_id is not None and (start_ms is not None or end_ms is not None):
        raise refusals.invalid_combination()
    found = [
        aggregate
        for aggregate in asked.venue.tape.aggregates(symbol)
        if (from_id is None or aggregate.aggregate_id >= from_id)
        and (start_ms is None or aggregate.time_ms >= start_ms)
        and (end_ms is None or aggregate.time_ms <= end_ms)
    ]
    is_from_start = from_id is not None or start_ms is not None
    return [aggregate_answer(one) for one in (found[:limit] if is_from_start else found[-limit:])]


class _BarsWanted(NamedTuple):
    symbol: str
    interval: Interval
    start_ms: int | None
    until_ms: int
    limit: int


def klines(asked: Asked) -> list[list[object]]:
    """Answer bars."""
    symbol, interval, start_ms, until_ms, limit = _bars_wanted(asked)
    candles = asked.venue.candles
    if start_ms is None:
        bars = candles.latest(symbol, interval, until_ms, limit)
    else:
        bars = candles.since(symbol, interval, start_ms, until_ms, limit)
    return [kline_answer(bar) for bar in bars]


async def _fetch_klines(asked: Asked) -> None:
    await asked.venue.old_bars.fetch(*_bars_wanted(asked))


def _bars_wanted(asked: Asked) -> _BarsWanted:
    parameters = asked.parameters
    symbol = asked.rules().symbol
    if not parameters.has("interval"):
        raise refusals.mandatory_missing("interval")
    interval = parameters.word("interval", INTERVALS, RefusalError(-1120, "Invalid interval."))
    assert interval is not None, "a parameter that was sent is a known word or refused"
    limit = parameters.bounded("limit", usual=ROWS_USUAL, most=ROWS_MAX)
    start_ms, end_ms = parameters.integer("startTime"), parameters.integer("endTime")
    # The future holds no bars, however far off it is that somebody asks for.
    until_ms = asked.now_ms + 1 if end_ms is None else min(end_ms, asked.now_ms) + 1
    return _BarsWanted(symbol, interval, None if start_ms is None else min(start_ms, until_ms), until_ms, limit)


def average_price(asked: Asked) -> Payload:
    """Answer the average price of the last minutes."""
    price = asked.records.average_price(asked.rules().symbol, asked.now_ms)
    return {"mins": AVERAGE_MINUTES, "price": fixed(price or Decimal(0)), "closeTime": asked.now_ms}


def ticker_day(asked: Asked) -> Payload | list[Payload]:
    """Answer the last twenty-four hours."""
    venue = asked.venue
    kind = asked.parameters.word("type", TICKER_TYPES, RefusalError(-1139, "Invalid ticker type."))

    def answer(symbol: str) -> Payload:
        day = venue.days.day(symbol, asked.now_ms)
        return mini_day_answer(day) if kind == "MINI" else day_answer(day, asked.records.depth(symbol, 1))

    return _one_or_many(asked, answer)


def ticker_price(asked: Asked) -> Payload | list[Payload]:
    """Answer last prices."""

    def answer(symbol: str) -> Payload:
        last = asked.venue.tape.last(symbol)
        return {"symbol": symbol, "price": fixed(Decimal(0) if last is None else last.price)}

    return _one_or_many(asked, answer)


def ticker_book(asked: Asked) -> Payload | list[Payload]:
    """Answer best prices."""
    return _one_or_many(asked, lambda symbol: book_ticker_answer(symbol, asked.records.depth(symbol, 1)))


def _chosen(asked: Asked) -> list[str] | None:
    """Return the symbols that the request names, None when it names none."""
    parameters = asked.parameters
    several = parameters.words("symbols")
    if not parameters.has("symbol"):
        return several
    if several is not None:
        raise refusals.invalid_combination()
    return [parameters.symbol()]


def _one_or_many(asked: Asked, answer: Callable[[str], Payload]) -> Payload | list[Payload]:
    """Answer one symbol as it is asked for, and several or all as a list."""
    chosen = _chosen(asked)
    symbols = asked.records.rules() if chosen is None else [asked.listed(symbol).symbol for symbol in chosen]
    answers = [answer(symbol) for symbol in symbols]
    return answers[0] if asked.parameters.has("symbol") else answers


def _weigh_depth(parameters: Parameters) -> int:
    limit = parameters.bounded("limit", usual=DEPTH_USUAL, most=DEPTH_MAX)
    return next(amount for most, amount in ((100, 5), (500, 25), (1_000, 50), (DEPTH_MAX, 250)) if limit <= most)


def _weigh_day(parameters: Parameters) -> int:
    several = parameters.words("symbols")
    if several is None:
        return 2 if parameters.has("symbol") else 80
    return next((amount for most, amount in ((20, 2), (100, 40)) if len(several) <= most), 80)


def _weigh_ticker(parameters: Parameters) -> int:
    return 2 if parameters.has("symbol") else 4


def _public(
    path: str,
    weigh: Weigh,
    answer: Callable[[Asked], object],
    fetch: Callable[[Asked], Awaitable[None]] | None = None,
) -> Endpoint:
    return Endpoint(method="GET", path=f"/api/v3/{path}", weigh=weigh, answer=answer, fetch=fetch)


MARKET_ENDPOINTS: Final = (
    _public("ping", weight(1), ping),
    _public("time", weight(1), time),
    _public("exchangeInfo", weight(20), exchange_info),
    _public("depth", _weigh_depth, depth),
    _public("trades", weight(25), trades),
    _public("aggTrades", weight(4), aggregates),
    _public("klines", weight(2), klines, _fetch_klines),
    _public("avgPrice", weight(2), average_price),
    _public("ticker/24hr", _weigh_day, ticker_day),
    _public("ticker/price", _weigh_ticker, ticker_price),
    _public("ticker/bookTicker", _weigh_ticker, ticker_book),
)
