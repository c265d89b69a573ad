"""What the link to a venue brings to the core, and what the core wants of the link. No venue's own words are here.

The link judges nothing: whether a number makes sense is the core's business, so that a refusal is counted in one place.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from shared.core.service import FromOutside, Outward
from shared.market.observations import BookChange, BookWhole, Candle, Quote, Trade

StreamKind = Literal["trades", "quotes", "book", "candles"]


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A message that is not what its venue promises; the symbol is None where even that cannot be told."""

    symbol: str | None
    reason: str


Told = Trade | Quote | BookChange | Candle | Unreadable


# What the link brings.


class Came(msgspec.Struct, FromOutside, frozen=True, gc=False):
    """Messages of a stream, in the order in which the venue told them."""

    received_wall_ns: int
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class StreamOpened(FromOutside):
    """These symbols' messages of a kind flow (again). What the venue told meanwhile was missed."""

    kind: StreamKind
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamLost(FromOutside):
    """These symbols' messages of a kind flow no longer; the link tries to have them back, and says when it has."""

    kind: StreamKind
    symbols: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class VenueClock(FromOutside):
    """How far the venue's clock is ahead of our wall clock, measured anew."""

    ahead_ns: int


@dataclass(frozen=True, slots=True)
class TradesFetched(FromOutside):
    """What came of a `FetchTrades`: trades in a row, as many as were there; or why there are none."""

    symbol: str
    trades: tuple[Trade, ...]
    failure: str | None


@dataclass(frozen=True, slots=True)
class BookFetched(FromOutside):
    """What came of a `FetchBook`."""

    symbol: str
    book: BookWhole | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class CandlesFetched(FromOutside):
    """What came of a `FetchCandles`: closed candles in a row, the oldest first; or why there are none."""

    fetch_id: int
    symbol: str
    timeframe: str
    candles: tuple[Candle, ...]
    failure: str | None


# What the core wants of the link.


@dataclass(frozen=True, slots=True)
class FetchTrades(Outward):
    """Fetch trades from an id on (at most 1,000), or, with a time in its place, those from that time on."""

    symbol: str
    from_id: int | None
    from_time_ns: int | None


@dataclass(frozen=True, slots=True)
class FetchBook(Outward):
    """Fetch the whole order book."""

    symbol: str


@dataclass(frozen=True, slots=True)
class FetchCandles(Outward):
    """Fetch the newest closed candles that opened before a time; at most 1,000."""

    fetch_id: int
    symbol: str
    timeframe: str
    before_open_time_ns: int
    candles_max: int


@dataclass(frozen=True, slots=True)
class Resubscribe(Outward):
    """This symbol's messages of a kind have fallen silent though the connection stands: ask for them anew."""

    kind: StreamKind
    symbol: str


@dataclass(frozen=True, slots=True)
class Reconnect(Outward):
    """To ask anew did not help: give up the connections of a kind of stream, and make new ones."""

    kind: StreamKind
