"""The bars as their streams tell them: once a second while they grow, and once more when they are over. Pure."""

from typing import Final

from services.sim_exchange.face.layout import kline_event
from services.sim_exchange.face.market_endpoints import INTERVALS
from services.sim_exchange.face.market_streams import MarketStreams
from services.sim_exchange.face.records import Candles, Kline

BARS_MAX: Final = 1_000  # told at once after the clock was set forth; those before are left out
MARK: Final = "@kline_"


class KlineFeed:
    """What was last told of each bar that somebody follows, and whether it was told to be over."""

    def __init__(self, candles: Candles, streams: MarketStreams) -> None:
        self._candles: Final = candles
        self._streams: Final = streams
        self._told: dict[str, tuple[Kline, bool]] = {}

    def tell(self, symbols: dict[str, str], now_ms: int) -> None:
        """Tell what is new; `symbols` has the names of those that are listed, by the names that streams use."""
        told: dict[str, tuple[Kline, bool]] = {}
        for stream in [stream for stream in self._streams.followed() if MARK in stream]:
            name, _, interval = stream.partition(MARK)
            if name in symbols and interval in INTERVALS:
                last = self._tell_one(stream, symbols[name], interval, now_ms)
                if last is not None:
                    told[stream] = last
        self._told = told  # what nobody follows any more is forgotten with it

    def _tell_one(self, stream: str, symbol: str, interval: str, now_ms: int) -> tuple[Kline, bool] | None:
        last = self._told.get(stream)
        since_ms, most = (None, 1) if last is None else (last[0].open_ms, BARS_MAX)
        for bar in self._candles.klines(symbol, interval, since_ms, now_ms, most):
            now = (bar, bar.close_ms < now_ms)
            if now != last:
                self._streams.tell(stream, kline_event(symbol, interval, bar, now_ms))
            last = now
        return last
