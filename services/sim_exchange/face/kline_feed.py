"""The bars as their streams tell them: once a second while they grow, and once more when they are over. Pure."""

from collections.abc import Iterable
from typing import Final

from services.sim_exchange.face.layout import kline_event
from services.sim_exchange.face.market_streams import MarketStreams
from services.sim_exchange.face.records import Candles
from services.sim_exchange.market.bars import Kline
from services.sim_exchange.market.candles import Closed
from services.sim_exchange.market.intervals import INTERVALS

MARK: Final = "@kline_"

_Told = dict[str, Kline]


class KlineFeed:
    """What was last told of each bar that somebody follows."""

    def __init__(self, candles: Candles, streams: MarketStreams) -> None:
        self._candles: Final = candles
        self._streams: Final = streams
        self._told: _Told = {}

    def tell_closed(self, closed: Iterable[Closed], now_ms: int) -> None:
        """Tell which bars are over."""
        for bar in closed:
            if self._streams.wants(stream := f"{bar.symbol.lower()}{MARK}{bar.interval}"):
                self._streams.tell(stream, kline_event(bar.symbol, bar.interval, bar.kline, now_ms))

    def tell_growing(self, symbols: Iterable[str], now_ms: int) -> None:
        """Tell which bars have grown since this was last asked."""
        told: _Told = {}
        for symbol in symbols:
            for interval in INTERVALS:
                if self._streams.wants(stream := f"{symbol.lower()}{MARK}{interval}"):
                    bar = self._candles.latest(symbol, interval, None, 1)[-1]
                    if bar != self._told.get(stream):
                        self._streams.tell(stream, kline_event(symbol, interval, bar, now_ms))
                    told[stream] = bar
        self._told = told  # what nobody follows any more is forgotten with it
