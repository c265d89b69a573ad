"""What happens within a minute: the way its price takes through its bar, and the takers who come along.

The bar is known beforehand, whether it was drawn or recorded; nobody who trades sees more of it than was reached.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
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
    joined,
)
from services.sim_exchange.market.draws import draws_at
from services.sim_exchange.market.intervals import MINUTE_MS, SECOND_MS
from services.sim_exchange.market.source import History
from services.sim_exchange.venue.vocabulary import SymbolRules

SECONDS: Final = 60
RESTLESSNESS: Final = 0.08  # of the bar's range: how far the price strays, each second, from the straight way
SIZE_SPREAD: Final = 1.0  # of the logarithm of what a taker takes
TILT: Final = 0.25  # how much likelier takers buy while the price rises
ONE_SIDED_MAX: Final = 0.97
SCRIPTS_MAX: Final = 256


class Taker(msgspec.Struct, frozen=True, gc=False):
    """Somebody who takes what is there."""

    time_ms: int
    steps: int
    buys: bool


class Script(msgspec.Struct, frozen=True, eq=False):
    """One minute of one symbol: its price in ticks at every turn of a second, and its takers in order of time."""

    first_ms: int
    points: Real
    times_ms: Whole
    steps: Whole
    buys: npt.NDArray[np.bool_]

    def price(self, time_ms: int) -> float:
        """Return the price in ticks at a time within the minute."""
        second, rest_ms = divmod(time_ms - self.first_ms, SECOND_MS)
        before, after = self.points[second], self.points[second + 1]
        return float(before + (after - before) * rest_ms / SECOND_MS)

    def takers(self, start_ms: int, end_ms: int) -> Iterator[Taker]:
        """Yield those who come at `start_ms` or later, and before `end_ms`."""
        first, last = np.searchsorted(self.times_ms, (start_ms, end_ms))
        for index in range(int(first), int(last)):
            yield Taker(int(self.times_ms[index]), int(self.steps[index]), bool(self.buys[index]))


class Scripts:
    """The scripts of every symbol's minutes. It remembers the last few."""

    def __init__(self, *, history: History, symbols: Mapping[str, SymbolRules], seed: int) -> None:
        self.history = history
        self.symbols = symbols  # with the ticks and steps in which the history counts
        self._seed = seed
        self._known: OrderedDict[tuple[str, int], Script] = OrderedDict()

    def minute(self, symbol: str, first_ms: int) -> Script:
        """Return the script of the minute that opens then."""
        known = self._known.get((symbol, first_ms))
        if known is None:
            bar = self.history.minutes(symbol, first_ms, first_ms + MINUTE_MS)
            draws = draws_at(self._seed, "script", symbol, first_ms)
            known = self._known[symbol, first_ms] = _script(bar, self.symbols[symbol], draws)
            if len(self._known) > SCRIPTS_MAX:
                self._known.popitem(last=False)
        return known

    def seconds(self, symbol: str, start_ms: int, end_ms: int) -> Bars:
        """Return the seconds that open from `start_ms` until before `end_ms`; both are full seconds, not the same."""
        minutes = range(start_ms - start_ms % MINUTE_MS, end_ms, MINUTE_MS)
        whole = joined([_seconds(self.minute(symbol, first_ms), self.symbols[symbol]) for first_ms in minutes])
        return whole.between(start_ms, end_ms)


def _script(bar: Bars, rules: SymbolRules, draws: Generator) -> Script:
    opened, high, low, close, volume, _, trades, bought, _ = bar.columns[:, 0].tolist()
    points = _points(opened, high, low, close, draws)
    smallest = (rules.notional_min / (rules.tick_size * rules.step_size * low)).to_integral_value(ROUND_CEILING)
    least = max(1, int(smallest), int(rules.quantity_min / rules.step_size))
    count = min(trades, volume // least)  # a smaller taker the venue would send away
    times_ms = np.sort(draws.integers(0, MINUTE_MS, count))
    sizes = np.exp(draws.normal(0.0, SIZE_SPREAD, count))
    shares = np.rint(np.cumsum(sizes) / max(float(sizes.sum()), 1.0) * (volume - least * count))
    steps = (np.diff(shares, prepend=0.0) + least).astype(np.int64)
    leaning = bought / max(volume, 1) + TILT * np.sign(np.diff(points))[times_ms // SECOND_MS]
    buys = draws.random(count) < np.clip(leaning, 1 - ONE_SIDED_MAX, ONE_SIDED_MAX)
    return Script(bar.first_ms, points, times_ms + bar.first_ms, steps, buys)


def _points(opened: int, high: int, low: int, close: int, draws: Generator) -> Real:
    """Lead the price from open to close over both extremes; a bar that rose was at its low first."""
    rose = close > opened or (close == opened and bool(draws.integers(2)))
    seconds = [0, int(draws.integers(1, 30)), int(draws.integers(30, SECONDS)), SECONDS]
    stations = [opened, low, high, close] if rose else [opened, high, low, close]
    walk = np.concatenate(([0.0], np.cumsum(draws.standard_normal(SECONDS))))
    clock = np.arange(SECONDS + 1)
    walk -= np.interp(clock, seconds, walk[seconds])
    return np.clip(np.interp(clock, seconds, stations) + RESTLESSNESS * (high - low) * walk, low, high)


def _seconds(script: Script, rules: SymbolRules) -> Bars:
    """Return the bars of a minute's seconds, as they are once all its takers came."""
    points = np.rint(script.points)
    columns = np.zeros((FIELDS, SECONDS), dtype=np.int64)
    columns[OPEN], columns[CLOSE] = points[:-1], points[1:]
    columns[HIGH], columns[LOW] = np.maximum(points[:-1], points[1:]), np.minimum(points[:-1], points[1:])
    second = (script.times_ms - script.first_ms) // SECOND_MS
    np.add.at(columns[VOLUME], second, script.steps)
    np.add.at(columns[TAKER_VOLUME], second, script.steps * script.buys)
    np.add.at(columns[TRADES], second, 1)
    worth = (points[:-1] + points[1:]) / 2 * float(rules.tick_size * rules.step_size / QUOTE_UNIT)
    columns[QUOTE_VOLUME], columns[TAKER_QUOTE_VOLUME] = columns[VOLUME] * worth, columns[TAKER_VOLUME] * worth
    return Bars(script.first_ms, SECOND_MS, columns)
