"""Where prices come from, and the memory between a source and those who ask it.

A source tells whole seasons, the market's pieces of history: 32 days of minutes that need no other season to be
known. There are two of them, the synthetic market and a recording.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from services.sim_exchange.market.bars import Bars, in_lengths_of, joined
from services.sim_exchange.market.intervals import DAY_MS, HOUR_MS, MINUTE_MS

SEASON_DAYS: Final = 32
SEASON_MS: Final = SEASON_DAYS * DAY_MS
SEASON_MINUTES: Final = SEASON_MS // MINUTE_MS

MINUTE_SEASONS_MAX: Final = 16  # of 3.3 MB each
HOUR_SEASONS_MAX: Final = 512  # of 55 kB each: four symbols for eleven years


class PriceSource(Protocol):
    """Tells what the price of each symbol was in every minute, and will be."""

    @property
    def first_ms(self) -> int:
        """When its first minute opens; before that there is nothing."""

    def season(self, symbol: str, number: int) -> Bars:
        """Return every minute of a season; it is counted from 1970. The answer is always the same."""


class History:
    """Any window of a source. It remembers the seasons asked for last, and forgets those beyond its bounds."""

    def __init__(self, source: PriceSource) -> None:
        self.first_ms = source.first_ms
        self._minutes = _Remembered(source.season, MINUTE_SEASONS_MAX)
        self._hours = _Remembered(self._hours_of_season, HOUR_SEASONS_MAX)

    def minutes(self, symbol: str, start_ms: int, end_ms: int) -> Bars:
        """Return the minutes that open from `start_ms` until before `end_ms`; both are full minutes, not the same."""
        return _window(self._minutes, symbol, start_ms, end_ms)

    def hours(self, symbol: str, start_ms: int, end_ms: int) -> Bars:
        """Return the hours that open from `start_ms` until before `end_ms`; both are full hours, not the same."""
        return _window(self._hours, symbol, start_ms, end_ms)

    def _hours_of_season(self, symbol: str, number: int) -> Bars:
        return in_lengths_of(self._minutes.season(symbol, number), HOUR_MS)


class _Remembered:
    def __init__(self, make: Callable[[str, int], Bars], seasons_max: int) -> None:
        self._make = make
        self._seasons_max = seasons_max
        self._seasons: OrderedDict[tuple[str, int], Bars] = OrderedDict()

    def season(self, symbol: str, number: int) -> Bars:
        known = self._seasons.get((symbol, number))
        if known is not None:
            self._seasons.move_to_end((symbol, number))
            return known
        made = self._make(symbol, number)
        self._seasons[symbol, number] = made
        if len(self._seasons) > self._seasons_max:
            self._seasons.popitem(last=False)
        return made


def _window(seasons: _Remembered, symbol: str, start_ms: int, end_ms: int) -> Bars:
    numbers = range(start_ms // SEASON_MS, (end_ms - 1) // SEASON_MS + 1)
    return joined([seasons.season(symbol, number).between(start_ms, end_ms) for number in numbers])
