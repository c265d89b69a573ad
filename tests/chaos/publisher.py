"""The core of the feed: publishes trades that carry their own number, steadily and now and then in a burst. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from proto.market import TradeSeen
from shared.core.service import Effect, Happening, Moment, Publish, WakeAt, Woken
from tests.chaos.duty import Duty
from tests.chaos.testimony import Line

SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
TOPICS: Final = tuple(f"binance/{symbol}/trade_seen" for symbol in SYMBOLS)
TICK_NS: Final = 10_000_000
BURST_EVERY_TICKS: Final = 100
BURST: Final = 300


class PublisherCore(Duty):
    """Counts per topic, as the stream does."""

    def __init__(self) -> None:
        super().__init__()
        self._counts: Final[Counter[str]] = Counter()
        self._ticks = 0

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Set the first timer."""
        del past
        return (WakeAt("tick", now.boot_ns + TICK_NS),)

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Publish when the timer rings."""
        if not isinstance(happening, Woken):
            return ()
        self._ticks += 1
        trades = [self._trade(symbol, now) for symbol in SYMBOLS]
        if self._ticks % BURST_EVERY_TICKS == 0:
            trades += [self._trade(SYMBOLS[0], now) for _ in range(BURST)]
        return (*trades, WakeAt("tick", now.boot_ns + TICK_NS))

    def _trade(self, symbol: str, now: Moment) -> Publish:
        self._counts[symbol] += 1
        text = f"{self.epoch}-{self._counts[symbol]}"
        return Publish(
            topic=f"binance/{symbol}/trade_seen".encode(),
            body=TradeSeen(symbol=symbol, price=64000.5, quantity=0.5, taker_side="buy", trade_id=text),
            exchange_time_ns=None,
            received_wall_ns=now.wall_ns,
        )
