"""What the feed-handler remembers, and gives on request: finished bars and the order book of this moment.

Bars travel here as Decimals, exactly as the venue wrote them; on the stream they are floats (`BarClosed`).
"""

from typing import Annotated, Literal

from msgspec import Meta

from proto.fields import Count, Message, Part, Price, Quantity, Symbol, Timeframe, TimeNs

BARS_MAX = 1_000
LEVELS_MAX = 1_000  # per side: a longer book is given as far as this


class Bar(Part, frozen=True):
    """A finished bar. `open_time_ns` names it, by the exchange's clock; `source` and `gapless` as in `BarClosed`."""

    open_time_ns: TimeNs
    open_price: Price
    high_price: Price
    low_price: Price
    close_price: Price
    base_volume: Quantity
    quote_volume: Quantity
    trade_count: Count
    source: Literal["trades", "venue"]
    gapless: bool


class AskBars(Message, frozen=True, tag="ask_bars.1"):
    """Ask for finished bars, the newest ones that opened before a time; None is: the newest there are.

    At most 1,000 are given at once; of bars below a minute that the venue tells in seconds, a thousand seconds.
    """

    symbol: Symbol
    timeframe: Timeframe
    before_open_time_ns: TimeNs | None
    bars_max: Count


class BarsGiven(Message, frozen=True, tag="bars_given.1"):
    """Bars in a row, the oldest first. None is missing between the first and the last.

    Fewer than were asked for: the venue has none before them, none without a hole, or did not answer in time.
    """

    symbol: Symbol
    timeframe: Timeframe
    bars: Annotated[tuple[Bar, ...], Meta(max_length=BARS_MAX)]


class Level(Part, frozen=True):
    """One price of the order book and what rests there."""

    price: Price
    quantity: Quantity


Levels = Annotated[tuple[Level, ...], Meta(max_length=LEVELS_MAX)]


class AskBook(Message, frozen=True, tag="ask_book.1"):
    """Ask for the order book as it is now: every `BookChanged` behind its number applies to it."""

    symbol: Symbol


class BookGiven(Message, frozen=True, tag="book_given.1"):
    """The order book as of `book_sequence`, best level first on each side."""

    symbol: Symbol
    book_sequence: Count
    bids: Levels
    asks: Levels
