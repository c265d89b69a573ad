"""What a venue tells of its market, whatever the venue: the input of bars, of the order book and of the gate.

Numbers are Decimals exactly as the venue wrote them, and may be senseless: zero, negative, not a number, of tomorrow.
The gate (`quality.py`) judges them; behind it they can be relied on.
"""

from decimal import Decimal

import msgspec

from proto.fields import Side


class Trade(msgspec.Struct, frozen=True, gc=False):
    """A public trade, or several that a venue tells as one: `trade_count` of them at one price.

    `trade_id` counts up by one per symbol, so a missing one is seen.
    """

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    taker_side: Side
    trade_count: int
    exchange_time_ns: int


class Quote(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask. `sequence` only grows; the time is None where the venue stamps nothing."""

    symbol: str
    sequence: int
    bid_price: Decimal
    bid_quantity: Decimal
    ask_price: Decimal
    ask_quantity: Decimal
    exchange_time_ns: int | None


Levels = tuple[tuple[Decimal, Decimal], ...]  # price and quantity; as a change, quantity 0 removes the price


class BookChange(msgspec.Struct, frozen=True, gc=False):
    """Levels of the order book that changed.

    It follows on a book that stands at `first_sequence` - 1, or, where the venue says so, at `follows_sequence`.
    """

    symbol: str
    first_sequence: int
    last_sequence: int
    follows_sequence: int | None
    bids: Levels
    asks: Levels
    exchange_time_ns: int | None


class BookWhole(msgspec.Struct, frozen=True, gc=False):
    """The order book as of a number, as it was fetched."""

    symbol: str
    sequence: int
    bids: Levels
    asks: Levels


class Candle(msgspec.Struct, frozen=True, gc=False):
    """A bar as the venue tells it, `is_closed` when it says that nothing more comes."""

    symbol: str
    timeframe: str
    open_time_ns: int
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    close_price: Decimal
    base_volume: Decimal
    quote_volume: Decimal
    trade_count: int
    is_closed: bool
