"""Prices that never were: the synthetic market, a season at a time.

Log prices at the turns of seasons are a chain of one number a season; within a season the path between two turns is
made of minutes, under the market's regimes. What of this is like a real market, and what is not, says decision 0010.
"""

from collections import OrderedDict
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
)
from services.sim_exchange.market.draws import draws_at
from services.sim_exchange.market.intervals import DAY_MS, MINUTE_MS
from services.sim_exchange.market.regimes import TEMPERS, Spell, spells
from services.sim_exchange.market.settings import REFERENCE_MS, MarketSettings, SymbolMarket
from services.sim_exchange.market.source import SEASON_DAYS, SEASON_MINUTES, SEASON_MS

REFERENCE_SEASON: Final = REFERENCE_MS // SEASON_MS
DAY_MINUTES: Final = 1_440
WEEK_DAYS: Final = 7
TAIL_DEGREES: Final = 4  # of Student's t: fat tails that still have a variance
HOLD: Final = (
    0.955  # how much of a distance from the reference price is left a season later: half of it after 16 months
)
TURN_SHARE: Final = 0.55  # of the volatility that reaches the turns of seasons; ranges take the rest back

# Volatility breathes on several scales at once: minutes between two knots, and how far its logarithm swings.
COMMON_BREATH: Final = ((2_880, 0.30), (360, 0.30), (45, 0.30), (8, 0.25))
OWN_BREATH: Final = ((180, 0.20),)
CALM: Final = 0.76  # makes the volatility of regimes, breath and hours together the one that was asked for
DAY_SWING: Final = 0.2
BUSIEST_HOUR: Final = 15
WEEKEND: Final = (2, 3)  # days since 1970 began on a Thursday
WEEKEND_VOLATILITY: Final = 0.8

VOLUME_POWER: Final = 1.2  # of volatility
VOLUME_NOISE: Final = 0.45
TRADES_POWER: Final = 0.8  # of volume: busy times have larger trades as well
QUIET: Final = 1.22  # makes the volumes those that were asked for
SEASONS_SHARED_MAX: Final = 4


class _Weather(msgspec.Struct, frozen=True, eq=False):
    """What a season does to every symbol alike, minute by minute."""

    spells: tuple[Spell, ...]
    volatility: Real
    shocks: Real


class SyntheticMarket:
    """A price source made of nothing but its settings."""

    def __init__(self, settings: MarketSettings) -> None:
        self.first_ms = settings.first_ms - settings.first_ms % DAY_MS
        self._seed = settings.seed
        self._symbols = {market.rules.symbol: market for market in settings.symbols}
        self._shared: OrderedDict[int, _Weather] = OrderedDict()

    def season(self, symbol: str, number: int) -> Bars:
        """Return every minute of a season; it is counted from 1970."""
        market, weather = self._symbols[symbol], self._weather(number)
        draws = draws_at(self._seed, "minutes", symbol, number)
        volatility = weather.volatility * _breath(draws, OWN_BREATH)
        sigma = volatility * market.daily_volatility / np.sqrt(DAY_MINUTES)
        share = market.market_share
        shocks = np.sqrt(share) * weather.shocks + np.sqrt(1 - share) * _fat_tailed(draws)
        path = _path(weather.spells, sigma * shocks, market.daily_volatility)
        turns = self._turns(market, number)
        path = np.log(float(market.price)) + _pinned(path, sigma, turns)
        return Bars(number * SEASON_MS, MINUTE_MS, _columns(market, path, sigma, volatility, draws))

    def spells(self, number: int) -> tuple[Spell, ...]:
        """Return the regimes of a season."""
        return self._weather(number).spells

    def _weather(self, number: int) -> _Weather:
        known = self._shared.get(number)
        if known is None:
            # Two threads may make the same, but neither takes away what the other is about to return.
            known = self._shared[number] = _weather(self._seed, number)
            if len(self._shared) > SEASONS_SHARED_MAX:
                self._shared.popitem(last=False)
        return known

    def _turns(self, market: SymbolMarket, number: int) -> tuple[float, float]:
        """Return how far the log price is from the reference when the season begins and when it ends."""
        first = self._distance(market, number - REFERENCE_SEASON)
        return first, self._distance(market, number + 1 - REFERENCE_SEASON)

    def _distance(self, market: SymbolMarket, seasons: int) -> float:
        # A chain like this one looks the same in both directions, so the past is made in the manner of the future.
        way, length, share = ("after" if seasons > 0 else "before"), abs(seasons), market.market_share
        common = draws_at(self._seed, "turns", way).standard_normal(length)
        own = draws_at(self._seed, "turns", way, market.rules.symbol).standard_normal(length)
        distance = 0.0
        for step in np.sqrt(share) * common + np.sqrt(1 - share) * own:
            distance = HOLD * distance + TURN_SHARE * market.daily_volatility * SEASON_DAYS**0.5 * float(step)
        return distance


def _weather(seed: int, number: int) -> _Weather:
    draws = draws_at(seed, "weather", number)
    told = tuple(spells(draws_at(seed, "regimes", number)))
    regime = np.repeat(
        [TEMPERS[spell.regime].volatility for spell in told], [spell.end - spell.first for spell in told]
    )
    volatility = CALM * regime * _breath(draws, COMMON_BREATH) * _hours(number)
    return _Weather(told, volatility, _fat_tailed(draws))


def _fat_tailed(draws: Generator) -> Real:
    scale = ((TAIL_DEGREES - 2) / TAIL_DEGREES) ** 0.5  # makes the variance 1
    shocks: Real = draws.standard_t(TAIL_DEGREES, SEASON_MINUTES) * scale
    return shocks


def _breath(draws: Generator, scales: tuple[tuple[int, float], ...]) -> Real:
    """Return a factor that swings around 1 and takes its time to, on every scale given."""
    minutes = np.arange(SEASON_MINUTES)
    logarithm = np.zeros(SEASON_MINUTES)
    for between_knots, swing in scales:
        knots = draws.standard_normal(SEASON_MINUTES // between_knots + 2)
        logarithm += swing * np.interp(minutes / between_knots, np.arange(len(knots)), knots)
    return np.exp(logarithm)


def _hours(number: int) -> Real:
    """Return how lively each minute is by its hour and day."""
    minutes = np.arange(SEASON_MINUTES)
    angle = 2 * np.pi * (minutes % DAY_MINUTES / DAY_MINUTES - BUSIEST_HOUR / 24)
    weekday = (number * SEASON_DAYS + minutes // DAY_MINUTES) % WEEK_DAYS
    return (1 + DAY_SWING * np.cos(angle)) * np.where(np.isin(weekday, WEEKEND), WEEKEND_VOLATILITY, 1.0)


def _path(told: tuple[Spell, ...], steps: Real, daily_volatility: float) -> Real:
    """Return the log price at each turn of a minute, from 0: free, drifting or drawn back, as the spells have it."""
    path = np.zeros(SEASON_MINUTES + 1)
    for spell in told:
        there = slice(spell.first + 1, spell.end + 1)
        own = steps[spell.first : spell.end] + spell.drift * daily_volatility / DAY_MINUTES
        back = TEMPERS[spell.regime].reversion_minutes
        if back is None:
            moved = np.cumsum(own)
        else:  # x[t] = x[t-1] * decay + step[t], without a loop; the longest spell keeps the powers within a float
            growth = np.exp(np.arange(len(own)) / back)
            moved = np.cumsum(own * growth) / growth
        path[there] = path[spell.first] + moved
    return path


def _pinned(path: Real, sigma: Real, turns: tuple[float, float]) -> Real:
    """Bend the path so that it begins and ends where the season's turns are; wild minutes bear more of it."""
    variance = np.concatenate(([0.0], np.cumsum(sigma**2)))
    missing = turns[1] - turns[0] - float(path[-1])
    pinned: Real = turns[0] + path + missing * variance / variance[-1]
    return pinned


def _columns(market: SymbolMarket, path: Real, sigma: Real, volatility: Real, draws: Generator) -> Whole:
    """Return the bars along a path: what lies between two turns of a minute, and who traded there."""
    opened, moved = path[:-1], np.diff(path)
    # How far a random walk gets up, and how far down, on its way between two points.
    reach = np.sqrt(moved**2 - 2 * sigma**2 * np.log1p(-draws.random((2, SEASON_MINUTES))))
    prices = np.empty((CLOSE + 1, SEASON_MINUTES))
    prices[OPEN], prices[CLOSE] = opened, path[1:]
    prices[HIGH] = opened + (moved + reach[0]) / 2
    prices[LOW] = opened + (moved - reach[1]) / 2
    columns = np.empty((FIELDS, SEASON_MINUTES), dtype=np.int64)
    columns[: CLOSE + 1] = np.maximum(np.rint(np.exp(prices) / float(market.rules.tick_size)), 1)
    _fill_volumes(columns, market, volatility, np.abs(moved) / sigma, draws)
    columns[TAKER_VOLUME] = columns[VOLUME] * _bought(moved / sigma, draws)
    worth = columns[: CLOSE + 1].mean(axis=0) * float(market.rules.tick_size * market.rules.step_size / QUOTE_UNIT)
    columns[QUOTE_VOLUME] = columns[VOLUME] * worth
    columns[TAKER_QUOTE_VOLUME] = columns[TAKER_VOLUME] * worth
    return columns


def _fill_volumes(columns: Whole, market: SymbolMarket, volatility: Real, surprise: Real, draws: Generator) -> None:
    """Trade the more, the wilder the time and the further the minute moved."""
    noise = np.exp(draws.normal(0.0, VOLUME_NOISE, SEASON_MINUTES))
    busy = QUIET * volatility**VOLUME_POWER * (0.6 + 0.5 * surprise) * noise
    columns[TRADES] = np.maximum(draws.poisson(market.trades_per_minute * busy**TRADES_POWER), 1)
    step_worth = columns[CLOSE] * float(market.rules.tick_size * market.rules.step_size)
    columns[VOLUME] = np.maximum(market.quote_volume_per_minute * busy / step_worth, columns[TRADES])


def _bought(move: Real, draws: Generator) -> Real:
    """Return which part of a minute's volume takers bought: more than half of it where the price rose."""
    return np.clip(0.5 + 0.2 * np.tanh(move) + draws.normal(0.0, 0.1, SEASON_MINUTES), 0.02, 0.98)
