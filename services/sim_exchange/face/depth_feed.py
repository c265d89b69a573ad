"""The book as its streams tell it: changes gathered over a tenth of a second or a second, and the best levels. Pure.

An event names the first and the last update it holds, without a hole to the one before, so that a client who begins
with a snapshot of the book can tell that it missed nothing.
"""

from decimal import Decimal
from typing import Final, Literal

from services.sim_exchange.face.layout import Payload, levels
from services.sim_exchange.face.market_streams import MarketStreams
from services.sim_exchange.face.records import Records
from services.sim_exchange.venue.vocabulary import LevelChanged

Speed = Literal["@100ms", ""]  # as it ends the name of a stream; without it, once a second
SPEEDS: Final[tuple[Speed, ...]] = ("@100ms", "")
PARTIAL: Final = (5, 10, 20)

_Levels = dict[Decimal, Decimal]


class _Gathered:
    """What changed in a book since it was last told."""

    __slots__ = ("asks", "bids", "first_id", "last_id")

    def __init__(self, first_id: int) -> None:
        self.first_id = first_id
        self.last_id = first_id
        self.bids: _Levels = {}
        self.asks: _Levels = {}

    def add(self, change: LevelChanged) -> None:
        (self.bids if change.side == "BUY" else self.asks)[change.price] = change.quantity
        self.last_id = change.update_id

    def laid_out(self, symbol: str, now_ms: int) -> Payload:
        return {
            "e": "depthUpdate",
            "E": now_ms,
            "s": symbol,
            "U": self.first_id,
            "u": self.last_id,
            "b": levels(self.bids.items()),
            "a": levels(self.asks.items()),
        }


class DepthFeed:
    """What changed in every book, for each speed."""

    def __init__(self, records: Records, streams: MarketStreams) -> None:
        self._records: Final = records
        self._streams: Final = streams
        self._gathered: Final[dict[Speed, dict[str, _Gathered]]] = {speed: {} for speed in SPEEDS}

    def take(self, change: LevelChanged) -> None:
        """Take up a change of a level."""
        for books in self._gathered.values():
            gathered = books.get(change.symbol)
            if gathered is None:
                gathered = books[change.symbol] = _Gathered(change.update_id)
            gathered.add(change)

    def tell(self, speed: Speed, now_ms: int) -> None:
        """Tell what was gathered."""
        books = self._gathered[speed]
        for symbol, gathered in books.items():
            name = symbol.lower()
            if self._streams.wants(stream := f"{name}@depth{speed}"):
                self._streams.tell(stream, gathered.laid_out(symbol, now_ms))
            for count in PARTIAL:
                if self._streams.wants(stream := f"{name}@depth{count}{speed}"):
                    self._streams.tell(stream, self._best(symbol, count))
        books.clear()

    def _best(self, symbol: str, count: int) -> Payload:
        depth = self._records.depth(symbol, count)
        return {"lastUpdateId": depth.update_id, "bids": levels(depth.bids), "asks": levels(depth.asks)}
