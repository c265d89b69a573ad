"""What tests of the market are fed with: observations with sensible defaults, and time in words."""

from decimal import Decimal
from typing import Final

from proto.bars import Bar
from shared.market.observations import BookChange, BookWhole, Candle, Levels, Quote, Trade

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
# A Monday, 00:00 UTC: every bar of up to a week opens here.
MONDAY: Final = 1_714_953_600 * SECOND


def a_trade(
    at_ns: int, price: str | Decimal = "100", quantity: str | Decimal = "1", *, trade_id: int = 1, trade_count: int = 1
) -> Trade:
    """Make a trade that happened so long after that Monday began."""
    return Trade(
        symbol="BTC/USDT",
        trade_id=trade_id,
        price=Decimal(price),
        quantity=Decimal(quantity),
        taker_side="buy",
        trade_count=trade_count,
        exchange_time_ns=MONDAY + at_ns,
    )


def a_bar(at_ns: int, prices: str = "100 110 90 105", *, gapless: bool = True, of_venue: bool = False) -> Bar:
    """Make a bar that opened so long after that Monday began, from open, high, low and close."""
    opened, high, low, closed = map(Decimal, prices.split())
    return Bar(
        open_time_ns=MONDAY + at_ns,
        open_price=opened,
        high_price=high,
        low_price=low,
        close_price=closed,
        base_volume=Decimal("1.5"),
        quote_volume=Decimal("150.25"),
        trade_count=3,
        source="venue" if of_venue else "trades",
        gapless=gapless,
    )


def a_candle(
    at_ns: int = 0,
    prices: str = "100 110 90 105",
    *,
    volumes: str = "1.5 150.25",
    timeframe: str = "1m",
    trade_count: int = 3,
) -> Candle:
    """Make a finished candle that opened so long after that Monday began."""
    opened, high, low, closed = map(Decimal, prices.split())
    base, quote = map(Decimal, volumes.split())
    return Candle(
        symbol="BTC/USDT",
        timeframe=timeframe,
        open_time_ns=MONDAY + at_ns,
        open_price=opened,
        high_price=high,
        low_price=low,
        close_price=closed,
        base_volume=base,
        quote_volume=quote,
        trade_count=trade_count,
        is_closed=True,
    )


def a_quote(sequence: int, bid: str | Decimal = "99", ask: str | Decimal = "101", *, at_ns: int | None = None) -> Quote:
    """Make a quote, stamped so long after that Monday began, or not at all."""
    return Quote(
        symbol="BTC/USDT",
        sequence=sequence,
        bid_price=Decimal(bid),
        bid_quantity=Decimal(1),
        ask_price=Decimal(ask),
        ask_quantity=Decimal(1),
        exchange_time_ns=None if at_ns is None else MONDAY + at_ns,
    )


def some_levels(written: str) -> Levels:
    """Read levels such as `99:1 98:2.5`."""
    parts = (level.split(":") for level in written.split())
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in parts)


def a_whole(sequence: int, bids: str = "99:1", asks: str = "101:1") -> BookWhole:
    """Make a whole book."""
    return BookWhole(symbol="BTC/USDT", sequence=sequence, bids=some_levels(bids), asks=some_levels(asks))


def a_change(first: int, last: int, bids: str = "", asks: str = "", *, follows: int | None = None) -> BookChange:
    """Make a change of the book."""
    return BookChange(
        symbol="BTC/USDT",
        first_sequence=first,
        last_sequence=last,
        follows_sequence=follows,
        bids=some_levels(bids),
        asks=some_levels(asks),
        exchange_time_ns=None,
    )
