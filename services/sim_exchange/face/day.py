"""The last twenty-four hours of a symbol, folded from its one-minute bars. Pure."""

from collections import deque
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.face.layout import Payload, book_ticker_answer, fixed
from services.sim_exchange.face.records import Candles
from services.sim_exchange.face.tape import Tape
from services.sim_exchange.market.bars import Kline
from services.sim_exchange.market.candles import BARS_MAX
from services.sim_exchange.market.intervals import DAY_MS, MINUTE_MS
from services.sim_exchange.venue.vocabulary import Depth, Traded

DAY_MINUTES: Final = DAY_MS // MINUTE_MS
ZERO: Final = Decimal(0)


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What the tickers tell of a day."""

    symbol: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    open_ms: int
    close_ms: int
    last: Traded | None

    @property
    def average(self) -> Decimal:
        """Return the price weighted by volume."""
        return self.quote_volume / self.volume if self.volume else self.close

    @property
    def change(self) -> Decimal:
        """Return how far the price went."""
        return self.close - self.open

    @property
    def change_percent(self) -> str:
        """Return how far the price went, in percent, as the venue rounds it."""
        return f"{100 * self.change / self.open if self.open else ZERO:.3f}"

    @property
    def last_id(self) -> int:
        """Return the id of the last trade, -1 when there was none."""
        return -1 if self.last is None else self.last.trade_id

    @property
    def first_id(self) -> int:
        """Return the id of the first trade of the day, -1 when there was none since the venue started."""
        return -1 if self.last is None else max(self.last_id - self.trades + 1, 0)


class Days:
    """The last day of every symbol. Of each it keeps the minutes, and asks only for those that may have changed."""

    def __init__(self, candles: Candles, tape: Tape) -> None:
        self._candles: Final = candles
        self._tape: Final = tape
        self._minutes: Final[dict[str, deque[Kline]]] = {}

    def day(self, symbol: str, now_ms: int) -> Day:
        """Return the day that ends now."""
        minutes = self._renewed(symbol, now_ms)
        last = self._tape.last(symbol)
        price = minutes[-1].close if minutes else ZERO
        return Day(
            symbol=symbol,
            open=minutes[0].open if minutes else price,
            high=max((bar.high for bar in minutes), default=price),
            low=min((bar.low for bar in minutes), default=price),
            close=price,
            volume=sum((bar.volume for bar in minutes), ZERO),
            quote_volume=sum((bar.quote_volume for bar in minutes), ZERO),
            trades=sum(bar.trades for bar in minutes),
            open_ms=now_ms - DAY_MS,
            close_ms=now_ms,
            last=last,
        )

    def _renewed(self, symbol: str, now_ms: int) -> deque[Kline]:
        minutes = self._minutes.setdefault(symbol, deque(maxlen=DAY_MINUTES + 1))
        oldest_ms = now_ms - DAY_MS
        while minutes and minutes[0].open_ms < oldest_ms:
            minutes.popleft()
        if minutes and minutes[-1].open_ms > now_ms:  # the venue's clock was set back
            minutes.clear()
        since_ms = minutes.pop().open_ms if minutes else oldest_ms
        while True:
            page = self._candles.since(symbol, "1m", since_ms)
            minutes.extend(page)
            if len(page) < BARS_MAX:
                return minutes
            since_ms = page[-1].close_ms + 1


def day_answer(day: Day, depth: Depth) -> Payload:
    """Return the ticker of a day as REST answers it."""
    best = book_ticker_answer(day.symbol, depth)
    return {
        "symbol": day.symbol,
        "priceChange": fixed(day.change),
        "priceChangePercent": day.change_percent,
        "weightedAvgPrice": fixed(day.average),
        "prevClosePrice": fixed(day.open),
        "lastPrice": fixed(day.close),
        "lastQty": fixed(ZERO if day.last is None else day.last.quantity),
        "bidPrice": best["bidPrice"],
        "bidQty": best["bidQty"],
        "askPrice": best["askPrice"],
        "askQty": best["askQty"],
        **_range(day),
        "openTime": day.open_ms,
        "closeTime": day.close_ms,
        **_ids(day),
    }


def mini_day_answer(day: Day) -> Payload:
    """Return the small ticker of a day as REST answers it."""
    return {
        "symbol": day.symbol,
        "lastPrice": fixed(day.close),
        **_range(day),
        "openTime": day.open_ms,
        "closeTime": day.close_ms,
        **_ids(day),
    }


def _range(day: Day) -> Payload:
    return {
        "openPrice": fixed(day.open),
        "highPrice": fixed(day.high),
        "lowPrice": fixed(day.low),
        "volume": fixed(day.volume),
        "quoteVolume": fixed(day.quote_volume),
    }


def _ids(day: Day) -> Payload:
    return {"firstId": day.first_id, "lastId": day.last_id, "count": day.trades}


def mini_day_event(day: Day, now_ms: int) -> Payload:
    """Return the small ticker of a day as its stream tells it."""
    return {
        "e": "24hrMiniTicker",
        "E": now_ms,
        "s": day.symbol,
        "c": fixed(day.close),
        "o": fixed(day.open),
        "h": fixed(day.high),
        "l": fixed(day.low),
        "v": fixed(day.volume),
        "q": fixed(day.quote_volume),
    }


def day_event(day: Day, depth: Depth, now_ms: int) -> Payload:
    """Return the ticker of a day as its stream tells it."""
    best = book_ticker_answer(day.symbol, depth)
    return {
        **mini_day_event(day, now_ms),
        "e": "24hrTicker",
        "p": fixed(day.change),
        "P": day.change_percent,
        "w": fixed(day.average),
        "x": fixed(day.open),
        "Q": fixed(ZERO if day.last is None else day.last.quantity),
        "b": best["bidPrice"],
        "B": best["bidQty"],
        "a": best["askPrice"],
        "A": best["askQty"],
        "O": day.open_ms,
        "C": day.close_ms,
        "F": day.first_id,
        "L": day.last_id,
        "n": day.trades,
    }
