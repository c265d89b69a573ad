"""How often the demonstration trades: its strategy, on its market, with its limits, and no process between them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import numpy as np
import pytest

from proto.market import BarClosed
from proto.streams import StreamPosition
from services.sim_exchange.market.bars import CLOSE, HIGH, LOW, OPEN, TRADES, VOLUME, in_lengths_of
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings, SymbolMarket, as_lively
from services.sim_exchange.market.source import History
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.strategy.__main__ import terms_of
from services.strategy.core.vocabulary import Terms
from services.supervision.demo import variables_of_demo
from shared.market.timeframe import timeframe
from shared.mesh.settings import Settings, load_configuration
from shared.mesh.settings.risk_limits import risk_limits
from shared.risk.book import Candidate, Lot, Sized
from shared.risk.judgement import judged
from shared.strategies.brackets import enter_bracket
from shared.strategies.decider import Decider, Decision
from tests.house.tree import CHECKOUT
from tests.shared.risk.asked import a_book
from tests.shared.trading.terms import WITHOUT_BNB, the_terms

MINUTE_MS: Final = 60_000
YEAR_MS: Final = 365 * 1_440 * MINUTE_MS
FIRST_START_MS: Final = 1_780_000_000_000 // MINUTE_MS * MINUTE_MS
STARTS: Final = 16
MINUTES: Final = 15
ORDER: Final = "500"


def the_settings() -> Settings:
    """Return what `bowline demo` runs with where nobody has said anything."""
    return load_configuration(root=CHECKOUT, environment=variables_of_demo(CHECKOUT, {})).settings


class Trader:
    """One symbol: enters at the next bar what risk allows, and leaves at its stop or at its target."""

    def __init__(self, market: SymbolMarket, terms: Terms, settings: Settings) -> None:
        self.entered = 0
        self._market: Final = market
        self._terms: Final = terms
        self._limits: Final = risk_limits(settings.risk)
        self._decider: Final = Decider(terms.strategy, bar_length=terms.bar_length, chosen=terms.chosen)
        self._decided: Decision | None = None
        self.held: tuple[float, float] | None = None  # its stop and its target

    def warm(self, bar: BarClosed) -> None:
        """Take in a bar of the past."""
        assert self._decider.bar(bar, held=1.0) is None

    def bar(self, bar: BarClosed, others: list["Trader"]) -> bool:
        """Let a bar happen, and say whether it was entered."""
        decided, self._decided = self._decided, None
        enters = decided is not None and bar.open_price <= decided.wish.price_worst
        if enters and decided is not None:
            self.held = (decided.wish.stop_price, decided.wish.target_price)
            self._decider.fill(1.0, bar.open_price)
        if self.held and (bar.low_price <= self.held[0] or bar.high_price >= self.held[1]):
            self.held = None
            self._decider.fill(-1.0, bar.close_price)
        wish = self._decider.bar(bar, held=0.0 if self.held is None else 1.0)
        if wish is not None and self._is_allowed(wish, bar, others):
            self._decided = wish
        return enters

    def _is_allowed(self, decision: Decision, bar: BarClosed, others: list["Trader"]) -> bool:
        rules = self._market.rules
        intent = enter_bracket(
            decision,
            strategy=self._terms.owner,
            symbol=bar.symbol,
            bar_length=bar.timeframe,
            market_seen=StreamPosition(stream="-", epoch=0, sequence=0),
            tick=rules.tick_size,
            work_for_ns=1,
        )
        busy = [other for other in others if other is not self and (other.held or other._decided)]
        candidate = Candidate(
            intent=intent,
            market_price=intent.decision_price,
            lot=Lot(rules.step_size, rules.quantity_min, rules.notional_min),
            costs=the_terms(Decimal, WITHOUT_BNB),
        )
        held = tuple((self._terms.owner, other._market.rules.symbol, ORDER) for other in busy)
        return isinstance(judged(candidate, a_book("10000", held=held), self._limits), Sized)


def bars_of(scripts: Scripts, market: SymbolMarket, bar_length: str, start_ms: int, end_ms: int) -> Iterator[BarClosed]:
    """Yield the bars of a market between two times, as they are when all of its takers came."""
    rules, length = market.rules, timeframe(bar_length)
    bars = in_lengths_of(scripts.seconds(rules.symbol, start_ms, end_ms), length.duration_ns // 1_000_000)
    prices = bars.columns[[OPEN, HIGH, LOW, CLOSE]] * float(rules.tick_size)
    for place in range(len(bars)):
        opens_ns = (bars.first_ms + place * bars.length_ms) * 1_000_000
        opened, high, low, close = np.round(prices[:, place], 8).tolist()
        yield BarClosed(
            symbol=f"{rules.base}/{rules.quote}",
            timeframe=bar_length,
            open_time_ns=opens_ns,
            close_time_ns=length.close_time_ns(opens_ns),
            open_price=opened,
            high_price=high,
            low_price=low,
            close_price=close,
            base_volume=float(bars.columns[VOLUME, place]) * float(rules.step_size),
            quote_volume=1.0,
            trade_count=int(bars.columns[TRADES, place]),
            source="trades",
            gapless=True,
        )


def entries(start_ms: int, settings: Settings, terms: Terms) -> list[float]:
    """Return when something is entered, in seconds from a start, within so many minutes."""
    symbols = as_lively(DEFAULT_SYMBOLS, settings.sim_exchange.volatility_fraction)
    chosen = MarketSettings(seed=settings.sim_exchange.seed, symbols=symbols)
    history = History(SyntheticMarket(chosen))
    scripts = Scripts(history=history, symbols=chosen.rules(), seed=chosen.seed)
    traders = [Trader(market, terms, settings) for market in symbols]
    for trader, market in zip(traders, symbols, strict=True):
        for bar in bars_of(scripts, market, terms.bar_length, start_ms - 10 * MINUTE_MS, start_ms):
            trader.warm(bar)
    rows = [bars_of(scripts, market, terms.bar_length, start_ms, start_ms + MINUTES * MINUTE_MS) for market in symbols]
    return [
        bar.open_time_ns / 1e9 - start_ms / 1e3
        for bars in zip(*rows, strict=True)
        for trader, bar in zip(traders, bars, strict=True)
        if trader.bar(bar, traders)
    ]


@pytest.fixture(scope="module")
def lives() -> list[list[float]]:
    """Return when something is entered after starts all over a year."""
    settings = the_settings()
    (group,) = settings.strategies.groups
    terms = terms_of(group, settings)
    return [
        entries(FIRST_START_MS + place * YEAR_MS // STARTS // MINUTE_MS * MINUTE_MS, settings, terms)
        for place in range(STARTS)
    ]


def test_the_demo_trades_within_a_minute(lives: list[list[float]]) -> None:
    """Nine of ten starts have their first entry within a minute, and none has none in a quarter of an hour."""
    assert sum(bool(life) and life[0] <= 60 for life in lives) >= 0.9 * STARTS
    assert all(lives)


def test_the_demo_goes_on_trading(lives: list[list[float]]) -> None:
    """Three entries and more in ten minutes follow, nine times of ten."""
    assert sum(len(life) * 10 / MINUTES >= 3 for life in lives) >= 0.9 * STARTS
