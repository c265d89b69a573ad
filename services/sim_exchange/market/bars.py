"""Bars as columns of whole numbers, and one bar as the venue tells it.

Within the market a price is a number of ticks and an amount a number of steps, so that adding bars up loses nothing,
whatever the order. Only a `Kline` has Decimals: it is the boundary.
"""

from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from services.sim_exchange.market.intervals import MINUTE_MS
from services.sim_exchange.venue.vocabulary import SymbolRules

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

QUOTE_UNIT: Final = Decimal("0.000001")  # a month of the busiest symbol in these fits 64 bits a hundred times
FIELDS: Final = 9
OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE_VOLUME, TRADES, TAKER_VOLUME, TAKER_QUOTE_VOLUME = range(FIELDS)


class Bars(msgspec.Struct, frozen=True, eq=False):
    """Bars of one length in a row without a hole: FIELDS rows, one column for each bar."""

    first_ms: int
    length_ms: int
    columns: Whole

    def __len__(self) -> int:
        return int(self.columns.shape[1])

    @property
    def end_ms(self) -> int:
        """When the bar after the last one opens."""
        return self.first_ms + len(self) * self.length_ms

    def between(self, start_ms: int, end_ms: int) -> "Bars":
        """Return those that open at `start_ms` or later and before `end_ms`; both are openings."""
        first = max(0, (start_ms - self.first_ms) // self.length_ms)
        last = max(first, (end_ms - self.first_ms) // self.length_ms)
        return Bars(self.first_ms + first * self.length_ms, self.length_ms, self.columns[:, first:last])


def joined(parts: list[Bars]) -> Bars:
    """Join bars that follow one another."""
    if len(parts) == 1:
        return parts[0]
    return Bars(parts[0].first_ms, parts[0].length_ms, np.concatenate([part.columns for part in parts], axis=1))


def added_up(bars: Bars, starts: Whole) -> Whole:
    """Add bars up: a group begins at each of `starts`, of which the first is 0."""
    columns = bars.columns
    ends = np.append(starts[1:], len(bars)) - 1
    grouped = np.empty((FIELDS, len(starts)), dtype=np.int64)
    grouped[OPEN] = columns[OPEN, starts]
    grouped[HIGH] = np.maximum.reduceat(columns[HIGH], starts)
    grouped[LOW] = np.minimum.reduceat(columns[LOW], starts)
    grouped[CLOSE] = columns[CLOSE, ends]
    grouped[VOLUME:] = np.add.reduceat(columns[VOLUME:], starts, axis=1)
    return grouped


def in_lengths_of(bars: Bars, length_ms: int) -> Bars:
    """Add whole bars up into longer ones of equal length."""
    starts = np.arange(0, len(bars), length_ms // bars.length_ms)
    return Bars(bars.first_ms, length_ms, added_up(bars, starts))


def flat_minutes(first_ms: int, count: int, price_ticks: int) -> Bars:
    """Return minutes in which nobody traded."""
    columns = np.zeros((FIELDS, count), dtype=np.int64)
    columns[: CLOSE + 1] = price_ticks
    return Bars(first_ms, MINUTE_MS, columns)


class Kline(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One bar. It opens at `open_ms` and holds every trade until `close_ms`, both included."""

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_buy_volume: Decimal
    taker_buy_quote_volume: Decimal

    def then(self, later: "Kline") -> "Kline":
        """Return this bar and a later one as one, which reaches from the opening of this to the end of that."""
        return Kline(
            open_ms=self.open_ms,
            close_ms=later.close_ms,
            open=self.open,
            high=max(self.high, later.high),
            low=min(self.low, later.low),
            close=later.close,
            volume=self.volume + later.volume,
            quote_volume=self.quote_volume + later.quote_volume,
            trades=self.trades + later.trades,
            taker_buy_volume=self.taker_buy_volume + later.taker_buy_volume,
            taker_buy_quote_volume=self.taker_buy_quote_volume + later.taker_buy_quote_volume,
        )


def flat_kline(open_ms: int, end_ms: int, price: Decimal) -> Kline:
    """Return a bar in which nobody traded."""
    nothing = Decimal(0)
    return Kline(
        open_ms=open_ms,
        close_ms=end_ms - 1,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=nothing,
        quote_volume=nothing,
        trades=0,
        taker_buy_volume=nothing,
        taker_buy_quote_volume=nothing,
    )


def klines(openings_ms: list[int], end_ms: int, columns: Whole, rules: SymbolRules) -> list[Kline]:
    """Turn columns into bars in the symbol's ticks and steps; each reaches to the next, or to `end_ms`."""
    tick, step = rules.tick_size, rules.step_size
    ends_ms = [*openings_ms[1:], end_ms]
    return [
        Kline(
            open_ms=opens_ms,
            close_ms=ends - 1,
            open=row[OPEN] * tick,
            high=row[HIGH] * tick,
            low=row[LOW] * tick,
            close=row[CLOSE] * tick,
            volume=row[VOLUME] * step,
            quote_volume=row[QUOTE_VOLUME] * QUOTE_UNIT,
            trades=row[TRADES],
            taker_buy_volume=row[TAKER_VOLUME] * step,
            taker_buy_quote_volume=row[TAKER_QUOTE_VOLUME] * QUOTE_UNIT,
        )
        for opens_ms, ends, row in zip(openings_ms, ends_ms, columns.T.tolist(), strict=True)
    ]
