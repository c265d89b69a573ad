"""Observations of a market, with sensible defaults: the builders of the tests of the feed-handler."""

from decimal import Decimal
from typing import Final

from proto.bars import Bar
from shared.market.observations import Candle, Quote, Trade

SYMBOL: Final = "BTC/USDT"
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
NOON_NS: Final = 1_790_000_040_000_000_000 // MINUTE_NS * MINUTE_NS  # a whole minute


def a_trade(
    trade_id: int, *, at_ns: int = NOON_NS, price: str = "64000.10", quantity: str = "0.01", symbol: str = SYMBOL
) -> Trade:
    """Return a trade."""
    return Trade(
        symbol=symbol,
        trade_id=trade_id,
        price=Decimal(price),
        quantity=Decimal(quantity),
        taker_side="buy",
        trade_count=1,
        exchange_time_ns=at_ns,
    )


def a_quote(sequence: int, *, bid: str = "64000.10", ask: str = "64000.11", symbol: str = SYMBOL) -> Quote:
    """Return a quote."""
    return Quote(
        symbol=symbol,
        sequence=sequence,
        bid_price=Decimal(bid),
        bid_quantity=Decimal(1),
        ask_price=Decimal(ask),
        ask_quantity=Decimal(2),
        exchange_time_ns=None,
    )


def a_candle(open_time_ns: int, *, close: str = "64000.10", is_closed: bool = True, timeframe: str = "1m") -> Candle:
    """Return a candle of one trade."""
    return Candle(
        symbol=SYMBOL,
        timeframe=timeframe,
        open_time_ns=open_time_ns,
        open_price=Decimal(close),
        high_price=Decimal(close),
        low_price=Decimal(close),
        close_price=Decimal(close),
        base_volume=Decimal("0.01"),
        quote_volume=Decimal(close) * Decimal("0.01"),
        trade_count=1,
        is_closed=is_closed,
    )


def a_bar(open_time_ns: int, *, close: str = "64000.10", source: str = "trades", gapless: bool = True) -> Bar:
    """Return a bar of one trade."""
    assert source in {"trades", "venue"}
    return Bar(
        open_time_ns=open_time_ns,
        open_price=Decimal(close),
        high_price=Decimal(close),
        low_price=Decimal(close),
        close_price=Decimal(close),
        base_volume=Decimal("0.01"),
        quote_volume=Decimal(close) * Decimal("0.01"),
        trade_count=1,
        source="trades" if source == "trades" else "venue",
        gapless=gapless,
    )
