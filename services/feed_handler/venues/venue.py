"""What a link has to know of a venue: where its data is, how it is asked for, and what reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from services.feed_handler.vocabulary import FetchBook, FetchCandles, FetchTrades, StreamKind, Told, Unreadable
from shared.market.observations import BookWhole, Candle, Trade

Parameters = Mapping[str, str | int]
_Wanted = TypeVar("_Wanted")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One kind of stream. `name` stands behind a symbol's id, `route` is the name by which ccxt finds the address."""

    name: str
    route: str
    read: Callable[[str | bytes, Mapping[str, str]], Told]


@dataclass(frozen=True, kw_only=True)
class Request(Generic[_Wanted]):
    """One kind of request: ccxt's raw method for it, and its parameters for a symbol's id."""

    method: str
    parameters: Callable[[_Wanted, str], Parameters]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue has done what was asked under this number."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue has not done what was asked; it may not say what that was."""

    request_id: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class ShutdownAnnounced:
    """The venue is about to close this connection."""


Control = Acknowledged | Refused | ShutdownAnnounced


@dataclass(frozen=True, kw_only=True)
class Venue:
    """One market of one exchange, read over public streams and requests."""

    ccxt_class: str
    market_type: Literal["spot", "linear"]
    stream_path: str  # where the streams are when an address of ours stands in for the venue's
    channels: Mapping[StreamKind, Channel]
    streams_per_connection_max: int
    looks_a_minute: int  # how often it may be asked for the trades of all symbols together, beside everything else
    candle_timeframes: frozenset[str]  # of which it tells bars; of a minute and up
    tells_seconds: bool  # whether it tells past bars of a second as well

    stream_name: Callable[[str, Channel], str]  # of a symbol's id
    asking: Callable[[Literal["SUBSCRIBE", "UNSUBSCRIBE"], tuple[str, ...], int], Mapping[str, object]]
    control: Callable[[str | bytes], Control | None]
    is_complaint: Callable[[str], bool]  # whether what answers a request in the place of an answer is its own

    trades: Request[FetchTrades]
    book: Request[FetchBook]
    candles: Request[FetchCandles]
    time_method: str
    trades_fetched: Callable[[object, str], tuple[Trade, ...] | Unreadable]
    book_fetched: Callable[[object, str], BookWhole | Unreadable]
    closed_candles_fetched: Callable[[object, str, str, int], tuple[Candle, ...] | Unreadable]
    venue_time_fetched: Callable[[object], int | Unreadable]
