"""Bars as columns of floats, the form in which features are computed."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proto.market import BarClosed

Floats = NDArray[np.float64]


class BarColumns(NamedTuple):
    """Bars of one symbol and timeframe, in order; one place of every column is one bar."""

    open_time_ns: NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def part(self, first: int, end: int) -> "BarColumns":
        """Return the bars from one place up to another."""
        return BarColumns(self.open_time_ns[first:end], *[column[first:end] for column in self.values])

    @property
    def values(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return the columns that are no times."""
        return self.open, self.high, self.low, self.close, self.volume


class BarWindow:
    """The last bars of a symbol and timeframe, as columns, of which the oldest is forgotten when there are too many."""

    def __init__(self, bars_max: int) -> None:
        self._bars_max: Final = bars_max
        # Twice as long, so that only every so many bars what is kept moves to the front.
        self._times: Final = np.zeros(2 * bars_max, dtype=np.int64)
        self._values: Final = np.zeros((5, 2 * bars_max))
        self._columns: Final[tuple[Floats, ...]] = tuple(self._values)
        self._first = self._end = 0

    @property
    def newest_open_time_ns(self) -> int | None:
        """When the newest bar opened, None when there is none."""
        return int(self._times[self._end - 1]) if self._end > self._first else None

    @property
    def columns(self) -> BarColumns:
        """The bars it holds. They are the window's own, and good until the next bar."""
        kept = slice(self._first, self._end)
        return BarColumns(self._times[kept], *[column[kept] for column in self._columns])

    def add(self, bar: BarClosed) -> None:
        """Take in a bar behind the others."""
        if self._end == len(self._times):
            kept = self._end - self._first
            self._times[:kept] = self._times[self._first :]
            self._values[:, :kept] = self._values[:, self._first :]
            self._first, self._end = 0, kept
        self._times[self._end] = bar.open_time_ns
        self._values[:, self._end] = _values(bar)
        self._end += 1
        self._first = max(self._first, self._end - self._bars_max)

    def clear(self) -> None:
        """Forget all bars."""
        self._first = self._end = 0


def bar_columns(bars: Sequence[BarClosed]) -> BarColumns:
    """Return bars as columns."""
    times = np.array([bar.open_time_ns for bar in bars], dtype=np.int64)
    values = np.array([_values(bar) for bar in bars], dtype=np.float64).reshape(len(bars), 5)
    return BarColumns(times, *(np.ascontiguousarray(column) for column in values.T))


def _values(bar: BarClosed) -> tuple[float, float, float, float, float]:
    return bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.base_volume
