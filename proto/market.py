"""What the market did: published by the feed-handler, carried by the thin `MarketEnvelope`, never relied on for money.

Prices and quantities are floats, because these messages feed statistics and features: docs/decisions/0002-wire-form.md.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from proto.fields import (
    Count,
    Id,
    MarketMessage,
    MarketPrice,
    MarketQuantity,
    Name,
    Side,
    Symbol,
    Text,
    Timeframe,
    TimeNs,
)

BOOK_LEVELS_MAX = 5000


class TradeSeen(MarketMessage, frozen=True, tag="trade_seen.1"):
    """A public trade. `taker_side` is the side that crossed the spread."""

    symbol: Symbol
    price: MarketPrice
    quantity: MarketQuantity
    taker_side: Side
    trade_id: Id


class QuoteSeen(MarketMessage, frozen=True, tag="quote_seen.1"):
    """The best bid and ask. Both are always there: a feed without them derives them from the book or stays silent."""

    symbol: Symbol
    bid_price: MarketPrice
    bid_quantity: MarketQuantity
    ask_price: MarketPrice
    ask_quantity: MarketQuantity


class BookLevel(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One price of the order book and what rests there; in a `BookChanged`, quantity 0 removes the level."""

    price: MarketPrice
    quantity: MarketQuantity


BookSide = Annotated[tuple[BookLevel, ...], Meta(max_length=BOOK_LEVELS_MAX)]


class BookSnapshot(MarketMessage, frozen=True, tag="book_snapshot.1"):
    """The whole order book as of `book_sequence`, best level first on each side."""

    symbol: Symbol
    book_sequence: Count
    bids: BookSide
    asks: BookSide


class BookChanged(MarketMessage, frozen=True, tag="book_changed.1"):
    """Levels that changed. It applies to a book that stands at `first_sequence` - 1; anything else is a gap."""

    symbol: Symbol
    first_sequence: Count
    last_sequence: Count
    bids: BookSide
    asks: BookSide


class BarClosed(MarketMessage, frozen=True, tag="bar_closed.1"):
    """A finished bar, published once, never before its close. `open_time_ns` names it, by the exchange's clock.

    `source` says what it was built from; `gapless` is false when a trade may be missing from it.
    """

    symbol: Symbol
    timeframe: Timeframe
    open_time_ns: TimeNs
    close_time_ns: TimeNs
    open_price: MarketPrice
    high_price: MarketPrice
    low_price: MarketPrice
    close_price: MarketPrice
    base_volume: MarketQuantity
    quote_volume: MarketQuantity
    trade_count: Count
    source: Literal["trades", "venue"]
    gapless: bool


class LinkOpened(MarketMessage, frozen=True, tag="link_opened.1"):
    """Market data of a symbol flows (again); `symbol` is None when it speaks of the whole venue."""

    symbol: Symbol | None


class LinkLost(MarketMessage, frozen=True, tag="link_lost.1"):
    """Market data of a symbol stopped: nothing seen before is fresh until `LinkOpened`. None is the whole venue."""

    symbol: Symbol | None
    reason: Text


class SymbolDoubted(MarketMessage, frozen=True, tag="symbol_doubted.1"):
    """The data of a symbol is not to be relied on, for these reasons, until `SymbolTrusted`: no entries on it."""

    symbol: Symbol
    reasons: Annotated[tuple[Name, ...], Meta(max_length=16)]


class SymbolTrusted(MarketMessage, frozen=True, tag="symbol_trusted.1"):
    """The data of a symbol can be relied on (again)."""

    symbol: Symbol


MarketBody = (
    TradeSeen
    | QuoteSeen
    | BookSnapshot
    | BookChanged
    | BarClosed
    | LinkOpened
    | LinkLost
    | SymbolDoubted
    | SymbolTrusted
)
