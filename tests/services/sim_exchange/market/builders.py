"""Small markets for the tests, with sensible defaults."""

import msgspec

from services.sim_exchange.market.market import Market
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, REFERENCE_MS, MarketSettings
from services.sim_exchange.market.source import History, PriceSource
from services.sim_exchange.market.synthetic import SyntheticMarket

DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
NOON_MS = REFERENCE_MS + 100 * DAY_MS + DAY_MS // 2
SYMBOLS = tuple(market.rules.symbol for market in DEFAULT_SYMBOLS)


def some_settings(seed: int = 7, symbols: int = len(DEFAULT_SYMBOLS)) -> MarketSettings:
    """Return settings with the first few of the default symbols."""
    return MarketSettings(seed=seed, symbols=DEFAULT_SYMBOLS[:symbols])


def a_history(seed: int = 7) -> History:
    """Return a synthetic history of the default symbols."""
    return History(SyntheticMarket(some_settings(seed)))


def some_scripts(settings: MarketSettings | None = None, source: PriceSource | None = None) -> Scripts:
    """Return the scripts of a synthetic market, or of the source given."""
    settings = settings or some_settings()
    history = History(source or SyntheticMarket(settings))
    return Scripts(history=history, symbols=settings.rules(), seed=settings.seed)


def a_market(settings: MarketSettings | None = None, source: PriceSource | None = None) -> Market:
    """Return the makers and takers of a synthetic market, or of the source given."""
    settings = settings or some_settings(symbols=1)
    return Market(settings=settings, scripts=some_scripts(settings, source))


def with_seed(settings: MarketSettings, seed: int) -> MarketSettings:
    """Return the same settings with another seed."""
    return msgspec.structs.replace(settings, seed=seed)
