"""Turns what happens at the exchange, and the passing of time, into the events of the market streams. Pure.

It listens at the desk, so that it is told everything in order; `tick` is to be called every tenth of a second.
"""

from collections.abc import Sequence
from typing import Final

from services.sim_exchange.face.day import Days, day_event, mini_day_event
from services.sim_exchange.face.depth_feed import DepthFeed
from services.sim_exchange.face.kline_feed import KlineFeed
from services.sim_exchange.face.layout import Payload, book_ticker_event, trade_event
from services.sim_exchange.face.market_streams import MarketStreams
from services.sim_exchange.face.records import Candles, Records
from services.sim_exchange.face.tape import Tape, aggregate_event
from services.sim_exchange.venue.vocabulary import Depth, Event, LevelChanged, Traded

SECOND_MS: Final = 1_000
MINI_OF_ALL: Final = "!miniTicker@arr"
DAY_OF_ALL: Final = "!ticker@arr"


class MarketFeed:
    """What the followers of the market have to be told."""

    def __init__(self, *, records: Records, candles: Candles, tape: Tape, days: Days, streams: MarketStreams) -> None:
        self._records: Final = records
        self._candles: Final = candles
        self._tape: Final = tape
        self._days: Final = days
        self._streams: Final = streams
        self._depths: Final = DepthFeed(records, streams)
        self._klines: Final = KlineFeed(candles, streams)
        self._best: Final[dict[str, Depth]] = {}
        self._traded: Final[dict[str, None]] = {}  # since the last second
        self._second = -1

    def take(self, events: Sequence[Event], now_ms: int) -> None:
        """Take up what a command did."""
        changed: dict[str, None] = {}
        for event in events:
            if isinstance(event, LevelChanged):
                self._depths.take(event)
                changed[event.symbol] = None
            elif isinstance(event, Traded):
                self._traded[event.symbol] = None
                self._candles.traded(event)
                if self._streams.wants(stream := f"{event.symbol.lower()}@trade"):
                    self._streams.tell(stream, trade_event(event, now_ms))
        for aggregate in self._tape.take(events):
            if self._streams.wants(stream := f"{aggregate.symbol.lower()}@aggTrade"):
                self._streams.tell(stream, aggregate_event(aggregate, now_ms))
        for symbol in changed:
            if self._streams.wants(stream := f"{symbol.lower()}@bookTicker"):
                self._tell_best(stream, symbol)

    def tick(self, now_ms: int) -> None:
        """Tell what was gathered since the last tick, and since the last second when another has begun."""
        self._klines.tell_closed(self._candles.advance(now_ms), now_ms)
        self._depths.tell("@100ms", now_ms)
        second = now_ms // SECOND_MS
        if second != self._second:
            self._second = second
            self._depths.tell("", now_ms)
            self._klines.tell_growing(self._records.rules(), now_ms)
            self._tell_days(now_ms)

    def _tell_best(self, stream: str, symbol: str) -> None:
        depth = self._records.depth(symbol, 1)
        before = self._best.get(symbol)
        if before is None or (before.bids, before.asks) != (depth.bids, depth.asks):
            self._streams.tell(stream, book_ticker_event(symbol, depth))
        self._best[symbol] = depth

    def _tell_days(self, now_ms: int) -> None:
        of_all: dict[str, list[Payload]] = {MINI_OF_ALL: [], DAY_OF_ALL: []}
        for symbol in self._traded:
            mini_stream, day_stream = f"{symbol.lower()}@miniTicker", f"{symbol.lower()}@ticker"
            if not any(map(self._streams.wants, (mini_stream, day_stream, *of_all))):
                continue
            day = self._days.day(symbol, now_ms)
            mini, full = mini_day_event(day, now_ms), day_event(day, self._records.depth(symbol, 1), now_ms)
            self._streams.tell(mini_stream, mini)
            self._streams.tell(day_stream, full)
            of_all[MINI_OF_ALL].append(mini)
            of_all[DAY_OF_ALL].append(full)
        for stream, rows in of_all.items():
            if rows and self._streams.wants(stream):
                self._streams.tell(stream, rows)
        self._traded.clear()
