"""The moods of the market: how long each lasts, how it moves prices, and which follows it (a semi-Markov chain).

One mood holds for all symbols at a time. The chain begins anew with each season, so that no season needs another.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

import msgspec
from numpy.random import Generator

from services.sim_exchange.market.source import SEASON_MINUTES

SHAPE: Final = 2.0  # of the gamma distribution of how long a mood lasts: neither memoryless nor regular
SHORTEST_MINUTES: Final = 15


class Regime(IntEnum):
    """What the market is doing."""

    TREND = 0
    RANGE = 1
    SQUEEZE = 2
    HIGH_VOLATILITY = 3
    CRASH = 4
    RECOVERY = 5


class Temper(msgspec.Struct, frozen=True, kw_only=True):
    """How a regime moves prices. Volatility is a multiple of the average, drift is in daily volatilities per day."""

    volatility: float
    minutes: float  # on average
    longest_minutes: int
    drift: float = 0.0
    turns: bool = False  # the drift may as well go down
    reversion_minutes: float | None = None  # in which 63 % of the way from where it began are taken back
    followers: dict[Regime, float]


TEMPERS: Final = {
    Regime.TREND: Temper(
        volatility=1.0,
        minutes=16 * 60,
        longest_minutes=5 * 1440,
        drift=1.0,
        turns=True,
        followers={Regime.RANGE: 0.5, Regime.HIGH_VOLATILITY: 0.24, Regime.SQUEEZE: 0.24, Regime.CRASH: 0.02},
    ),
    Regime.RANGE: Temper(
        volatility=0.8,
        minutes=24 * 60,
        longest_minutes=5 * 1440,
        reversion_minutes=240,
        followers={Regime.TREND: 0.45, Regime.SQUEEZE: 0.4, Regime.HIGH_VOLATILITY: 0.15},
    ),
    Regime.SQUEEZE: Temper(
        volatility=0.35,
        minutes=10 * 60,
        longest_minutes=3 * 1440,
        reversion_minutes=180,
        followers={Regime.TREND: 0.55, Regime.HIGH_VOLATILITY: 0.4, Regime.RANGE: 0.05},
    ),
    Regime.HIGH_VOLATILITY: Temper(
        volatility=2.2,
        minutes=5 * 60,
        longest_minutes=2 * 1440,
        followers={Regime.TREND: 0.44, Regime.RANGE: 0.5, Regime.CRASH: 0.06},
    ),
    Regime.CRASH: Temper(
        volatility=4.0,
        minutes=90,
        longest_minutes=300,
        drift=-64.0,
        followers={Regime.RECOVERY: 1.0},
    ),
    Regime.RECOVERY: Temper(
        volatility=2.0,
        minutes=10 * 60,
        longest_minutes=2 * 1440,
        drift=5.0,
        followers={Regime.RANGE: 0.6, Regime.HIGH_VOLATILITY: 0.4},
    ),
}


class Spell(msgspec.Struct, frozen=True):
    """A time under one regime, in minutes of its season."""

    regime: Regime
    first: int
    end: int
    drift: float  # as in Temper, with its direction


def spells(draws: Generator) -> Iterator[Spell]:
    """Yield the spells of a season, from its first minute to its last; the end of the season cuts the last one off."""
    first = 0
    regime = Regime(draws.choice([Regime.TREND, Regime.RANGE, Regime.SQUEEZE]))
    while first < SEASON_MINUTES:
        temper = TEMPERS[regime]
        drawn = int(draws.gamma(SHAPE, temper.minutes / SHAPE))
        end = min(first + max(SHORTEST_MINUTES, min(drawn, temper.longest_minutes)), SEASON_MINUTES)
        turned = temper.turns and draws.random() < 0.5  # noqa: PLR2004  # as often down as up
        yield Spell(regime, first, end, -temper.drift if turned else temper.drift)
        first = end
        regime = Regime(draws.choice(list(temper.followers), p=list(temper.followers.values())))
