"""Prices that were: recorded bars as a price source, whatever their interval.

A bar of more than a minute is taken apart into minutes that add up to it. Its price goes from open to close over both
extremes; which of them was first the bar does not tell, and one that rose is taken to have been at its low first.
"""

import csv
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec
import numpy as np
from numpy.random import Generator

from services.sim_exchange.market.bars import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    QUOTE_UNIT,
    QUOTE_VOLUME,
    TAKER_QUOTE_VOLUME,
    TAKER_VOLUME,
    TRADES,
    VOLUME,
    Bars,
    Real,
    Whole,
    flat_minutes,
)
from services.sim_exchange.market.draws import draws_at
from services.sim_exchange.market.intervals import DAY_MS, LENGTHS_MS, MINUTE_MS, Interval
from services.sim_exchange.market.settings import MarketSettings, SymbolMarket
from services.sim_exchange.market.source import SEASON_MINUTES, SEASON_MS

RECORDED: Final = ("timestamp_ms", "open", "high", "low", "close", "volume")
RESTLESSNESS: Final = 0.12  # of a bar's range: how far a minute strays from the straight way
BOUGHT: Final = 0.5  # a recording does not tell who took


class RecordingRefusedError(Exception):
    """A recording is not what it should be; the message says where and what to do."""


class RecordedBars(msgspec.Struct, frozen=True, eq=False):
    """The bars of one symbol, oldest first; some may be missing."""

    length_ms: int
    openings_ms: Whole
    columns: Whole  # open to volume, in ticks and steps


def read_csv(lines: Iterable[str], *, name: str, interval: Interval, market: SymbolMarket) -> RecordedBars:
    """Read bars from comma-separated lines, the first of which names the columns. `name` is for the complaints."""
    length_ms = LENGTHS_MS.get(interval, DAY_MS + 1)
    if length_ms < MINUTE_MS or DAY_MS % length_ms:
        raise RecordingRefusedError(f"{name}: bars of {interval} cannot be replayed; use 1m to 1d.")
    reader = csv.DictReader(lines)
    missing = [column for column in RECORDED if column not in (reader.fieldnames or ())]
    if missing:
        raise RecordingRefusedError(
            f"{name}: no column {', '.join(missing)}; the first line names {','.join(RECORDED)}."
        )
    openings_ms: list[int] = []
    rows: list[list[int]] = []
    for line, row in enumerate(reader, start=2):
        opens_ms, values = _row(row, f"{name}, line {line}", market)
        if opens_ms % length_ms:
            raise RecordingRefusedError(f"{name}, line {line}: {opens_ms} is not when a bar of {interval} opens.")
        if openings_ms and opens_ms <= openings_ms[-1]:
            raise RecordingRefusedError(
                f"{name}, line {line}: the bar is not later than the one before; sort the file."
            )
        openings_ms.append(opens_ms)
        rows.append(values)
    if not rows:
        raise RecordingRefusedError(f"{name}: no bars in it.")
    return RecordedBars(length_ms, np.array(openings_ms, dtype=np.int64), np.array(rows, dtype=np.int64).T.copy())


def _row(row: Mapping[str, str | None], where: str, market: SymbolMarket) -> tuple[int, list[int]]:
    try:
        opens_ms = int(row["timestamp_ms"] or "")
        opened, high, low, close, volume = (Decimal(row[column] or "") for column in RECORDED[1:])
    except (ValueError, InvalidOperation) as error:
        raise RecordingRefusedError(f"{where}: not six numbers ({error}).") from error
    amounts = (opened, high, low, close, volume)
    if not all(amount.is_finite() for amount in amounts):
        raise RecordingRefusedError(f"{where}: an amount is no finite number.")
    if not (0 < low <= min(opened, close) and max(opened, close) <= high and volume >= 0 and opens_ms >= 0):
        raise RecordingRefusedError(f"{where}: not a bar: 0 < low <= open, close <= high, and no negative volume.")
    tick, step = market.rules.tick_size, market.rules.step_size
    return opens_ms, [*(max(1, round(price / tick)) for price in amounts[:-1]), round(volume / step)]


class Recording:
    """Recorded bars as a price source. Where bars are missing, before them and after them, nobody trades.

    `shift_days` says how much later the recording is played than it was made.
    """

    def __init__(self, *, settings: MarketSettings, bars: Mapping[str, RecordedBars], shift_days: int) -> None:
        self._seed = settings.seed
        self._symbols = {market.rules.symbol: market for market in settings.symbols}
        self._bars = bars
        self._shift_ms = shift_days * DAY_MS
        first_ms = min(int(recorded.openings_ms[0]) for recorded in bars.values()) + self._shift_ms
        self.first_ms = first_ms - first_ms % DAY_MS

    def season(self, symbol: str, number: int) -> Bars:
        """Return every minute of a season; it is counted from 1970."""
        recorded, market = self._bars[symbol], self._symbols[symbol]
        first_ms = number * SEASON_MS
        sought_ms = (first_ms - self._shift_ms, first_ms - self._shift_ms + SEASON_MS)
        first, end = map(int, np.searchsorted(recorded.openings_ms, sought_ms))
        before = recorded.columns[CLOSE, first - 1] if first else recorded.columns[OPEN, 0]
        season = flat_minutes(first_ms, SEASON_MINUTES, int(before))
        if end > first:
            draws = draws_at(self._seed, "recording", symbol, number)
            minutes = _minutes(recorded.columns[:, first:end], recorded.length_ms // MINUTE_MS, market, draws)
            opened = (recorded.openings_ms[first:end] - sought_ms[0]) // MINUTE_MS
            _lay_in(season.columns, minutes, opened, int(before))
        return season


def _lay_in(columns: Whole, minutes: Whole, opened: Whole, before: int) -> None:
    """Put the minutes of bars where they belong; a minute of none of them has the last price there was."""
    length = minutes.shape[1] // len(opened)
    there = (opened[:, None] + np.arange(length)).ravel()
    columns[:, there] = minutes
    latest = np.full(columns.shape[1], -1)
    latest[there] = np.arange(len(there))
    latest = np.maximum.accumulate(latest)
    silent = np.ones(columns.shape[1], dtype=bool)
    silent[there] = False
    prices = np.where(latest[silent] < 0, before, minutes[CLOSE, latest[silent]])
    columns[: CLOSE + 1, silent] = prices


def _minutes(bars: Whole, length: int, market: SymbolMarket, draws: Generator) -> Whole:
    """Take bars apart into minutes that add up to them, each bar's minutes in a row."""
    count = bars.shape[1]
    columns = np.zeros((FIELDS, count, length), dtype=np.int64)
    if length == 1:
        columns[: VOLUME + 1, :, 0] = bars
    else:
        points = np.rint(_points(bars[: CLOSE + 1].astype(np.float64), length, draws))
        columns[OPEN], columns[CLOSE] = points[:, :-1], points[:, 1:]
        columns[HIGH], columns[LOW] = (
            np.maximum(columns[OPEN], columns[CLOSE]),
            np.minimum(columns[OPEN], columns[CLOSE]),
        )
        weights = np.cumsum(draws.standard_exponential((count, length)), axis=1)
        reached = np.rint(weights / weights[:, -1:] * bars[VOLUME][:, None])
        columns[VOLUME] = np.diff(reached, axis=1, prepend=0.0)
    trades = np.maximum(draws.poisson(market.trades_per_minute, (count, length)), 1)
    columns[TRADES] = np.minimum(trades, columns[VOLUME])
    columns[TAKER_VOLUME] = columns[VOLUME] * BOUGHT
    step_worth = float(market.rules.tick_size * market.rules.step_size / QUOTE_UNIT)
    worth = columns[: CLOSE + 1].mean(axis=0) * step_worth
    columns[QUOTE_VOLUME], columns[TAKER_QUOTE_VOLUME] = columns[VOLUME] * worth, columns[TAKER_VOLUME] * worth
    return columns.reshape(FIELDS, count * length)


def _points(prices: Real, length: int, draws: Generator) -> Real:
    """Return the price at every turn of a minute in each bar, by way of both extremes."""
    opened, high, low, close = (row[:, None] for row in prices)
    rose = close >= opened
    first, second = np.where(rose, low, high), np.where(rose, high, low)
    count = prices.shape[1]
    turn = draws.integers(1, length // 2 + 1, (count, 1))
    other = draws.integers(length // 2 + 1, length, (count, 1))
    clock = np.arange(length + 1)
    way = np.where(
        clock <= turn,
        opened + (first - opened) * clock / turn,
        np.where(
            clock <= other,
            first + (second - first) * (clock - turn) / (other - turn),
            second + (close - second) * (clock - other) / (length - other),
        ),
    )
    strays = RESTLESSNESS * (high - low) * draws.standard_normal((count, length + 1))
    strays[(clock == 0) | (clock == length) | (clock == turn) | (clock == other)] = 0.0
    points: Real = np.clip(way + strays, low, high)
    return points
