"""Features: what strategies decide on, from TA-Lib over closed bars, the same whoever computes them, from wherever.

An indicator that smooths depends on all bars before, and its last digits on where it was started. So each bar has one
window, which depends only on its time, its timeframe and the features asked for: it begins at a fixed place of the
calendar, far enough back that what was before has faded. A bar whose window is not there without a hole is cold: its
features are not a number, and nothing is decided on it.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

import msgspec
import numpy as np
import talib

from shared.market.columns import BarColumns, Floats
from shared.market.timeframe import Timeframe, grid_ns

Indicator = Literal["sma_close", "sma_volume", "atr", "adx", "prior_high"]

# Windows begin on a grid of as many bars. More would make research quicker, and a strategy wait longer to be warm.
ANCHOR_BARS: Final = 16
FADED: Final = 1e-10


class Feature(msgspec.Struct, frozen=True):
    """An indicator over a number of bars, of which the last is the bar decided on."""

    indicator: Indicator
    bars: int

    @property
    def name(self) -> str:
        """What it is called in the evidence of a decision."""
        return f"{self.indicator}_{self.bars}"


@functools.lru_cache(maxsize=64)
def _wilder_decay(bars: int) -> int:
    """Return after how many bars of Wilder's smoothing what was before has faded."""
    count, left = 0, 1.0
    while left >= FADED:
        count, left = count + 1, left * (1 - 1 / bars)
    return count


@functools.lru_cache(maxsize=64)
def _double_wilder_decay(bars: int) -> int:
    """Return the same for what is smoothed twice."""
    count, left = 0, 1.0
    while left * (count + 1) >= FADED:
        count, left = count + 1, left * (1 - 1 / bars)
    return count


class _Law(msgspec.Struct, frozen=True):
    """How an indicator is computed, at which bar it is valid first, and how long it remembers beyond that."""

    computed: Callable[[BarColumns, int], Floats]
    first_valid: Callable[[int], int]
    decay: Callable[[int], int]


def _prior_high(columns: BarColumns, bars: int) -> Floats:
    """Return the highest high of the bars before each bar, itself not among them: no close is above its own high."""
    highest = talib.MAX(columns.high, timeperiod=bars)
    return np.concatenate((np.full(min(1, len(highest)), np.nan), highest[:-1]))


_LAWS: Final[Mapping[Indicator, _Law]] = MappingProxyType(
    {
        "sma_close": _Law(
            lambda columns, bars: talib.SMA(columns.close, timeperiod=bars), lambda bars: bars - 1, lambda _: 0
        ),
        "sma_volume": _Law(
            lambda columns, bars: talib.SMA(columns.volume, timeperiod=bars), lambda bars: bars - 1, lambda _: 0
        ),
        "atr": _Law(
            lambda columns, bars: talib.ATR(columns.high, columns.low, columns.close, timeperiod=bars),
            lambda bars: bars,
            _wilder_decay,
        ),
        "adx": _Law(
            lambda columns, bars: talib.ADX(columns.high, columns.low, columns.close, timeperiod=bars),
            lambda bars: 2 * bars - 1,
            _double_wilder_decay,
        ),
        "prior_high": _Law(_prior_high, lambda bars: bars, lambda _: 0),
    }
)


def warmup_bars(features: Sequence[Feature]) -> int:
    """Return how many bars a window has before the first one that is decided on."""
    return _warmup_bars(tuple(features))


@functools.lru_cache(maxsize=64)
def _warmup_bars(features: tuple[Feature, ...]) -> int:
    laws = [(_LAWS[feature.indicator], feature.bars) for feature in features]
    return max((law.first_valid(bars) + law.decay(bars) for law, bars in laws), default=0)


def window_bars_max(features: Sequence[Feature]) -> int:
    """Return how many bars the longest window has: what has to be remembered."""
    return warmup_bars(features) + ANCHOR_BARS


def window_open_ns(open_time_ns: int, timeframe: Timeframe, features: Sequence[Feature]) -> int:
    """Return when the first bar of the window opens that belongs to the bar which opened then."""
    return _block_open_ns(open_time_ns, timeframe) - warmup_bars(features) * timeframe.duration_ns


def feature_rows(features: Sequence[Feature], columns: BarColumns, timeframe: Timeframe) -> Floats:
    """Return a row of features for each bar, in the order asked for; a cold bar's row is not a number throughout."""
    rows = np.full((len(columns.close), len(features)), np.nan)
    times = columns.open_time_ns
    unbroken_from = _unbroken_from(columns, timeframe)
    first = 0
    while first < len(times):
        block_open_ns = _block_open_ns(int(times[first]), timeframe)
        end = int(np.searchsorted(times, block_open_ns + ANCHOR_BARS * timeframe.duration_ns))
        opens_ns = window_open_ns(int(times[first]), timeframe, features)
        start = int(np.searchsorted(times, opens_ns))
        if times[start] == opens_ns:
            window = columns.part(start, end)
            for place, feature in enumerate(features):
                computed = _LAWS[feature.indicator].computed(window, feature.bars)
                rows[first:end, place] = computed[first - start :]
            rows[first:end][unbroken_from[first:end] > start] = np.nan
        first = end
    return rows


def latest_row(features: Sequence[Feature], columns: BarColumns, timeframe: Timeframe) -> Floats | None:
    """Return the features of the last bar, None while it is cold.

    Bars stand in order and on the grid of their timeframe. So nothing is missing exactly if the first bar of the window
    stands as many places before the last one as bars fit in between: a decision need not look at all of them.
    """
    last = len(columns.close) - 1
    newest_ns = int(columns.open_time_ns[last])
    opens_ns = window_open_ns(newest_ns, timeframe, features)
    start = last - (newest_ns - opens_ns) // timeframe.duration_ns
    if start < 0 or columns.open_time_ns[start] != opens_ns:
        return None
    window = columns.part(start, last + 1)
    return np.array([_LAWS[feature.indicator].computed(window, feature.bars)[-1] for feature in features])


def _block_open_ns(open_time_ns: int, timeframe: Timeframe) -> int:
    return open_time_ns - (open_time_ns - grid_ns(timeframe.duration_ns)) % (ANCHOR_BARS * timeframe.duration_ns)


def _unbroken_from(columns: BarColumns, timeframe: Timeframe) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return for each bar the place of the first from which none is missing up to it."""
    places = np.arange(len(columns.open_time_ns))
    follows = np.diff(columns.open_time_ns, prepend=columns.open_time_ns[:1]) == timeframe.duration_ns
    return np.maximum.accumulate(np.where(follows, 0, places))
