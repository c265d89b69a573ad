"""What the simulated market costs: a year of minutes, the answers a warm-up asks for, and a step of trading.

Everything is measured cold, on a market that was asked nothing before, but for the answers said to be told again.
"""

import statistics
import time
from collections.abc import Callable
from typing import Final

import msgspec

from services.sim_exchange.market.candles import Candles
from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.market.market import Market
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, REFERENCE_MS, MarketSettings
from services.sim_exchange.market.source import History
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.venue.vocabulary import Outcome, Refused

YEAR_GOAL_SECONDS: Final = 5.0
ROUNDS: Final = 5
STEPS: Final = 300
DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS
NOW_MS: Final = REFERENCE_MS + 300 * DAY_MS
SYMBOL: Final = "BTCUSDT"
YEAR: Final = "a year of minutes, one symbol"
REFUSAL: Final = Outcome(answer=Refused(code=-1, message="no"))  # so each step places every order again


class HistoryRow(msgspec.Struct, frozen=True):
    """One thing asked for: milliseconds, the median and the slowest of some rounds."""

    what: str
    median_ms: float
    worst_ms: float


def _scripts() -> Scripts:
    settings = MarketSettings(seed=1, symbols=DEFAULT_SYMBOLS)
    return Scripts(history=History(SyntheticMarket(settings)), symbols=settings.rules(), seed=1)


def _candles() -> Candles:
    return Candles(scripts=_scripts(), opened_ms=NOW_MS)


def _row(what: str, prepare: Callable[[], Callable[[], object]], rounds: int = ROUNDS) -> HistoryRow:
    taken_ms = []
    for _ in range(rounds):
        call = prepare()
        started_ns = time.perf_counter_ns()
        call()
        taken_ms.append((time.perf_counter_ns() - started_ns) / 1e6)
    return HistoryRow(what, round(statistics.median(taken_ms), 2), round(max(taken_ms), 2))


def _told(interval: Interval) -> Callable[[], Callable[[], object]]:
    def prepare() -> Callable[[], object]:
        candles = _candles()
        return lambda: candles.latest(SYMBOL, interval)

    return prepare


def _year() -> Callable[[], object]:
    history = _scripts().history
    return lambda: history.minutes(SYMBOL, NOW_MS - YEAR_MS, NOW_MS)


def _steps() -> HistoryRow:
    market = Market(settings=MarketSettings(seed=1, symbols=DEFAULT_SYMBOLS), scripts=_scripts())
    times_ms = iter(range(NOW_MS, NOW_MS + STEPS * 1_000, 200))

    def step() -> None:
        for command in market.step(next(times_ms)):
            market.answered(command, REFUSAL)

    step()  # the first one makes the season
    return _row("a step of four symbols, every order placed anew", lambda: step, STEPS)


def measured() -> list[HistoryRow]:
    """Measure history, the venue's answers about it, and steps."""
    warm = _candles()
    warm.latest(SYMBOL, "1m")
    return [
        _row(YEAR, _year),
        _row("1000 klines of 1m", _told("1m")),
        _row("1000 klines of 1m, told again", lambda: lambda: warm.latest(SYMBOL, "1m")),
        _row("1000 klines of 1h", _told("1h")),
        _row("1000 klines of 1d", _told("1d")),
        _steps(),
    ]


def table(rows: list[HistoryRow]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':48} {'median ms':>10} {'worst ms':>10}"]
    lines += [f"{row.what:48} {row.median_ms:10.2f} {row.worst_ms:10.2f}" for row in rows]
    return "\n".join(lines)


def verdicts(rows: list[HistoryRow]) -> list[str]:
    """Hold the figure that has a goal to it, in words."""
    seconds = next(row.median_ms for row in rows if row.what == YEAR) / 1_000
    return [
        f"a year of one-minute history of one symbol takes {seconds:.2f} s, goal at most {YEAR_GOAL_SECONDS:.0f} s: "
        + ("met" if seconds <= YEAR_GOAL_SECONDS else "MISSED")
    ]
