"""The synthetic market: the same for everybody, lawful bars, and the manners of a real one."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sim_exchange.market.bars import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    QUOTE_VOLUME,
    TAKER_QUOTE_VOLUME,
    TAKER_VOLUME,
    TRADES,
    VOLUME,
    Bars,
    Real,
)
from services.sim_exchange.market.regimes import Regime
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, REFERENCE_MS, MarketSettings, as_lively
from services.sim_exchange.market.source import SEASON_MINUTES, SEASON_MS
from services.sim_exchange.market.synthetic import REFERENCE_SEASON, SyntheticMarket
from tests.services.sim_exchange.market.builders import DAY_MS, SYMBOLS, YEAR_MS, a_history, some_settings

MINUTE_MS = 60_000
HISTORY = a_history()

DIGEST = """
import hashlib, sys
from tests.services.sim_exchange.market.test_synthetic import digest
sys.stdout.write(digest(sys.argv[1:]))
"""


def digest(symbols: list[str]) -> str:
    """Return a fingerprint of some weeks of each symbol, asked for in this order."""
    history = a_history()
    weeks = {s: history.minutes(s, REFERENCE_MS - 40 * DAY_MS, REFERENCE_MS + 5 * DAY_MS).columns for s in symbols}
    return hashlib.sha256(b"".join(weeks[symbol].tobytes() for symbol in sorted(weeks))).hexdigest()


@pytest.fixture(scope="module")
def year() -> dict[str, Bars]:
    """Return a year of minutes of each symbol."""
    return {symbol: a_history().minutes(symbol, REFERENCE_MS, REFERENCE_MS + YEAR_MS) for symbol in SYMBOLS}


def returns(bars: Bars) -> Real:
    """Return the log returns of bars."""
    logarithms: Real = np.diff(np.log(bars.columns[CLOSE].astype(np.float64)))
    return logarithms


def correlation(one: Real, other: Real) -> float:
    """Return how two rows go together."""
    return float(np.corrcoef(one, other)[0, 1])


def kurtosis(row: Real) -> float:
    """Return how fat the tails are; 3 is a normal distribution's."""
    return float(((row - row.mean()) ** 4).mean() / row.var() ** 2)


def test_history_is_the_same_in_every_process() -> None:
    """Processes with other hash seeds, that ask in another order, see the same minutes."""
    said = [
        subprocess.run(
            [sys.executable, "-c", DIGEST, *symbols],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed, symbols in (("1", SYMBOLS), ("4242", SYMBOLS[::-1]))
    ]
    assert said == [digest(list(SYMBOLS))] * 2


def test_another_seed_is_another_market() -> None:
    """What two seeds draw has nothing in common."""
    first, other = (a_history(seed).minutes("BTCUSDT", REFERENCE_MS, REFERENCE_MS + SEASON_MS) for seed in (1, 2))
    assert abs(correlation(returns(first), returns(other))) < 0.05


def test_a_livelier_market_moves_as_many_times_as_far() -> None:
    """Four times the volatility makes returns that are four times as large, up to the rounding to ticks."""
    usual, lively = (
        SyntheticMarket(MarketSettings(seed=7, symbols=as_lively(DEFAULT_SYMBOLS, fraction))).season(SYMBOLS[0], 650)
        for fraction in (Decimal(1), Decimal(4))
    )
    assert np.std(returns(lively)) / np.std(returns(usual)) == pytest.approx(4, rel=0.02)


@given(
    start=st.integers(0, 3 * SEASON_MINUTES), count=st.integers(1, 2 * SEASON_MINUTES), symbol=st.sampled_from(SYMBOLS)
)
@settings(max_examples=30, deadline=None)
def test_a_window_does_not_depend_on_what_else_was_asked(start: int, count: int, symbol: str) -> None:
    """Any window is the slice of any larger one, also over the turns of seasons and for one who asks nothing else."""
    origin_ms = REFERENCE_MS - SEASON_MS
    large = HISTORY.minutes(symbol, origin_ms, origin_ms + 6 * SEASON_MS)
    start_ms = origin_ms + start * MINUTE_MS
    window = a_history().minutes(symbol, start_ms, start_ms + count * MINUTE_MS)
    assert (window.first_ms, len(window)) == (start_ms, count)
    assert np.array_equal(window.columns, large.columns[:, start : start + count])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_bars_are_lawful(seed: int) -> None:
    """Prices are positive and ordered, amounts are not negative, takers bought no more than was traded."""
    history = a_history(seed)
    for symbol in SYMBOLS:
        columns = history.minutes(symbol, REFERENCE_MS, REFERENCE_MS + 2 * SEASON_MS).columns
        assert columns.shape == (FIELDS, 2 * SEASON_MINUTES)
        assert (columns[LOW] >= 1).all()
        assert (columns[LOW] <= np.minimum(columns[OPEN], columns[CLOSE])).all()
        assert (columns[HIGH] >= np.maximum(columns[OPEN], columns[CLOSE])).all()
        assert (columns[TRADES] >= 1).all()
        assert (columns[VOLUME] >= columns[TRADES]).all()
        assert (columns[TAKER_VOLUME] >= 0).all()
        assert (columns[TAKER_VOLUME] <= columns[VOLUME]).all()
        assert (columns[TAKER_QUOTE_VOLUME] <= columns[QUOTE_VOLUME]).all()


def test_the_path_has_no_hole() -> None:
    """Every minute opens where the one before it closed, also where seasons meet, years before and after now."""
    for around_ms in (REFERENCE_MS - 5 * YEAR_MS, REFERENCE_MS, REFERENCE_MS + 5 * YEAR_MS):
        turn_ms = around_ms - around_ms % SEASON_MS
        columns = HISTORY.minutes("ETHUSDT", turn_ms - SEASON_MS, turn_ms + SEASON_MS).columns
        assert (abs(columns[OPEN, 1:] - columns[CLOSE, :-1]) <= 1).all()


def test_the_price_at_the_reference_time_is_the_one_set() -> None:
    """A market is at its set prices when the reference time comes, and still of their size twenty years from it."""
    source = SyntheticMarket(some_settings())
    for market in DEFAULT_SYMBOLS:
        ticks = int(source.season(market.rules.symbol, REFERENCE_SEASON).columns[OPEN, 0])
        assert ticks * market.rules.tick_size == market.price
        for season in range(REFERENCE_SEASON - 228, REFERENCE_SEASON + 228, 57):
            far = int(source.season(market.rules.symbol, season).columns[OPEN, 0]) * market.rules.tick_size
            assert market.price / 20 < far < market.price * 20


def test_volatility_is_the_one_set(year: dict[str, Bars]) -> None:
    """Over a year returns are as wide as the settings say, whether minutes or days are counted."""
    for market in DEFAULT_SYMBOLS:
        moves = returns(year[market.rules.symbol])
        assert moves.std() * 1_440**0.5 == pytest.approx(market.daily_volatility, rel=0.25)
        days = np.add.reduceat(moves, np.arange(0, len(moves), 1_440))
        assert days.std() == pytest.approx(market.daily_volatility, rel=0.4)


def test_tails_are_fat(year: dict[str, Bars]) -> None:
    """Extreme returns are far commoner than a normal distribution has them, over minutes and over days."""
    for bars in year.values():
        moves = returns(bars)
        assert kurtosis(moves) > 6
        assert kurtosis(np.add.reduceat(moves, np.arange(0, len(moves), 1_440))) > 3


def test_volatility_comes_in_clusters_and_direction_does_not(year: dict[str, Bars]) -> None:
    """The size of returns is alike from minute to minute and hour to hour; their sign cannot be told from the last."""
    for bars in year.values():
        moves = returns(bars)
        assert correlation(abs(moves[:-1]), abs(moves[1:])) > 0.2
        assert correlation(abs(moves[:-60]), abs(moves[60:])) > 0.1
        assert abs(correlation(moves[:-1], moves[1:])) < 0.05


def test_symbols_move_together_as_set(year: dict[str, Bars]) -> None:
    """Two symbols correlate by the root of the product of what they share with the market."""
    for one in DEFAULT_SYMBOLS:
        for other in DEFAULT_SYMBOLS:
            if one is not other:
                found = correlation(returns(year[one.rules.symbol]), returns(year[other.rules.symbol]))
                assert found == pytest.approx((one.market_share * other.market_share) ** 0.5, abs=0.08)


def test_volume_goes_with_volatility(year: dict[str, Bars]) -> None:
    """More is traded in minutes that move further; over a year it is as much as was set."""
    for market in DEFAULT_SYMBOLS:
        columns = year[market.rules.symbol].columns.astype(np.float64)
        assert correlation(abs(returns(year[market.rules.symbol])), columns[VOLUME, 1:]) > 0.3
        assert columns[QUOTE_VOLUME].mean() / 1e6 == pytest.approx(market.quote_volume_per_minute, rel=0.25)
        assert columns[TRADES].mean() == pytest.approx(market.trades_per_minute, rel=0.25)


@pytest.mark.parametrize("seed", range(5))
def test_every_regime_comes_within_a_year(seed: int) -> None:
    """A year has trends both ways, ranges, squeezes, high volatility, and crashes, each with its recovery."""
    market = SyntheticMarket(some_settings(seed))
    spells = [spell for season in range(REFERENCE_SEASON, REFERENCE_SEASON + 12) for spell in market.spells(season)]
    seen = Counter(spell.regime for spell in spells)
    assert set(seen) == set(Regime)
    assert {spell.drift > 0 for spell in spells if spell.regime is Regime.TREND} == {True, False}
    for spell, after in pairwise(spells):
        if spell.regime is Regime.CRASH and after.first:
            assert after.regime is Regime.RECOVERY


def test_a_crash_falls_and_its_recovery_rises() -> None:
    """Over the crashes of two years the price falls by several daily volatilities, and then takes a part of it back."""
    market = SyntheticMarket(some_settings())
    fallen, risen = [], []
    for season in range(REFERENCE_SEASON - 24, REFERENCE_SEASON):
        closes = np.log(market.season("BTCUSDT", season).columns[CLOSE].astype(np.float64))
        for spell in market.spells(season):
            move = float(closes[spell.end - 1] - closes[spell.first])
            if spell.regime is Regime.CRASH:
                fallen.append(move)
            elif spell.regime is Regime.RECOVERY:
                risen.append(move)
    assert np.mean(fallen) < -0.05
    assert np.mean(risen) > 0.02
