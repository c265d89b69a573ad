"""Where prices come from, and the memory between a source and those who ask it.

A source tells whole seasons, the market's pieces of history: 32 days of minutes that need no other season to be
known. There are two of them, the synthetic market and a recording.

A season takes a source a good part of a tenth of a second, and long bars are made of a hundred of them. Whoever must
not stand still for so long asks what is missing, and has it made elsewhere.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, NamedTuple, Protocol

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
        """Return every minute of a season; it is counted from 1970. The answer is always the same, in any thread."""


class Missing(NamedTuple):
    """A piece of history that is not remembered. To make it takes a while; what was made is to be handed in."""

    make: Callable[[], Bars]  # in any thread
    keep: Callable[[Bars], None]


class History:
    """Any window of a source. It remembers the seasons asked for last, and forgets those beyond its bounds."""

    def __init__(self, source: PriceSource) -> None:
        self.first_ms = source.first_ms
        self._source = source
        self._minutes = _Remembered(source.season, MINUTE_SEASONS_MAX)
        self._hours = _Remembered(self._hours_of_season, HOUR_SEASONS_MAX)

    def minutes(self, symbol: str, start_ms: int, end_ms: int) -> Bars:
        """Return the minutes that open from `start_ms` until before `end_ms`; both are full minutes, not the same."""
        return _window(self._minutes, symbol, start_ms, end_ms)

    def hours(self, symbol: str, start_ms: int, end_ms: int) -> Bars:
        """Return the hours that open from `start_ms` until before `end_ms`; both are full hours, not the same."""
        return _window(self._hours, symbol, start_ms, end_ms)

    def missing_minutes(self, symbol: str, start_ms: int, end_ms: int) -> Iterator[Missing]:
        """Yield what `minutes` would have to make first, one piece after the other was kept."""
        return self._minutes.missing(symbol, start_ms, end_ms)

    def missing_hours(self, symbol: str, start_ms: int, end_ms: int) -> Iterator[Missing]:
        """Yield what `hours` would have to make first, one piece after the other was kept."""
        return self._hours.missing(symbol, start_ms, end_ms)

    def _hours_of_season(self, symbol: str, number: int) -> Bars:
        # Minutes made for the sake of their hours are not remembered: they would drive out those that are traded.
        known = self._minutes.peek(symbol, number)
        return in_lengths_of(self._source.season(symbol, number) if known is None else known, HOUR_MS)


class _Remembered:
    def __init__(self, make: Callable[[str, int], Bars], seasons_max: int) -> None:
        self._make = make
        self._seasons_max = seasons_max
        self._seasons: OrderedDict[tuple[str, int], Bars] = OrderedDict()

    def known(self, symbol: str, number: int) -> Bars | None:
        if (symbol, number) in self._seasons:
            self._seasons.move_to_end((symbol, number))
        return self._seasons.get((symbol, number))

    def peek(self, symbol: str, number: int) -> Bars | None:
        """Look, but do not count it as used: this is the one thing here that may be done in any thread."""
        return self._seasons.get((symbol, number))

    def season(self, symbol: str, number: int) -> Bars:
        known = self.known(symbol, number)
        if known is not None:
            return known
        made = self._make(symbol, number)
        self._keep(symbol, number, made)
        return made

    def missing(self, symbol: str, start_ms: int, end_ms: int) -> Iterator[Missing]:
        for number in _numbers(start_ms, end_ms):
            if self.known(symbol, number) is None:
                yield Missing(partial(self._make, symbol, number), partial(self._keep, symbol, number))

    def _keep(self, symbol: str, number: int, made: Bars) -> None:
        self._seasons[symbol, number] = made
        if len(self._seasons) > self._seasons_max:
            self._seasons.popitem(last=False)


def _window(seasons: _Remembered, symbol: str, start_ms: int, end_ms: int) -> Bars:
    return joined([seasons.season(symbol, number).between(start_ms, end_ms) for number in _numbers(start_ms, end_ms)])


def _numbers(start_ms: int, end_ms: int) -> range:
    """Return the seasons that such a window touches."""
    return range(start_ms // SEASON_MS, (end_ms - 1) // SEASON_MS + 1)
