"""What a market is made of: its symbols, what they cost, how much they move and how busily they are traded."""

from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.venue.vocabulary import SymbolRules

REFERENCE_MS: Final = 1_733_529_600_000  # 2024-12-07, the first instant of season 627


class SymbolMarket(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol. What is called average is so over a year."""

    rules: SymbolRules
    price: Decimal  # at the reference time
    daily_volatility: float  # of log returns, average
    market_share: float  # of the variance that all symbols have in common; two of them correlate by the root of both
    trades_per_minute: float  # average
    quote_volume_per_minute: float  # average


class MarketSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A market. Equal settings make an equal market, whenever and wherever it is looked at."""

    seed: int
    symbols: tuple[SymbolMarket, ...]
    first_ms: int = REFERENCE_MS - 6 * 365 * 86_400_000  # listed since then; there is no history before it
    step_ms: int = 200  # how often the makers look at the price
    levels: int = 15  # of the makers, on each side
    half_spread: float = 0.000005  # of the price, in quiet times
    level_gap: float = 0.0001  # of the price, between two levels behind the best one
    level_depth: float = 4.0  # times an average trade, behind the best price; three times that far behind

    def rules(self) -> dict[str, SymbolRules]:
        """Return the filters by symbol; their ticks and steps are those in which the market's history counts."""
        return {market.rules.symbol: market.rules for market in self.symbols}


def binance_rules(
    base: str, *, tick: str, step: str, quantity_max: str, price_max: str = "1000000", quote: str = "USDT"
) -> SymbolRules:
    """Return the filters that Binance has for a large symbol."""
    return SymbolRules(
        symbol=base + quote,
        base=base,
        quote=quote,
        tick_size=Decimal(tick),
        price_min=Decimal(tick),
        price_max=Decimal(price_max),
        step_size=Decimal(step),
        quantity_min=Decimal(step),
        quantity_max=Decimal(quantity_max),
        market_quantity_max=Decimal(quantity_max) / 50,
        notional_min=Decimal(5),
        notional_max=Decimal(9_000_000),
        percent_up=Decimal(5),
        percent_down=Decimal("0.2"),
        open_orders_max=200,
        algo_orders_max=5,
    )


DEFAULT_SYMBOLS: Final = (
    SymbolMarket(
        rules=binance_rules("BTC", tick="0.01", step="0.00001", quantity_max="9000"),
        price=Decimal(60_000),
        daily_volatility=0.025,
        market_share=0.80,
        trades_per_minute=240,
        quote_volume_per_minute=900_000,
    ),
    SymbolMarket(
        rules=binance_rules("ETH", tick="0.01", step="0.0001", quantity_max="9000"),
        price=Decimal(3_000),
        daily_volatility=0.034,
        market_share=0.75,
        trades_per_minute=180,
        quote_volume_per_minute=500_000,
    ),
    SymbolMarket(
        rules=binance_rules("BNB", tick="0.01", step="0.001", quantity_max="9000"),
        price=Decimal(600),
        daily_volatility=0.029,
        market_share=0.60,
        trades_per_minute=60,
        quote_volume_per_minute=90_000,
    ),
    SymbolMarket(
        rules=binance_rules("SOL", tick="0.01", step="0.001", quantity_max="90000"),
        price=Decimal(150),
        daily_volatility=0.044,
        market_share=0.60,
        trades_per_minute=120,
        quote_volume_per_minute=200_000,
    ),
)


def as_lively(symbols: tuple[SymbolMarket, ...], fraction: Decimal) -> tuple[SymbolMarket, ...]:
    """Return symbols whose prices move so many times as far."""
    return tuple(
        msgspec.structs.replace(market, daily_volatility=market.daily_volatility * float(fraction))
        for market in symbols
    )
