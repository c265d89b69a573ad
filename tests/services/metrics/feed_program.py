"""A feed that makes its market up: `python -m tests.services.metrics.feed_program ROOT`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from proto.market import LinkOpened, MarketBody, QuoteSeen, TradeSeen
from proto.measures import FeedCounted, Tally
from shared.core.service import Effect, Happening, Moment, Publish, Say, Started, Stop, StopAsked, WakeAt, Woken
from shared.mesh.service import Plan, run

TICK_NS: Final = 20_000_000
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT:USDT")


class MadeUpFeed:
    """Publishes a quote and a trade of each symbol with every tick, and counts them."""

    def __init__(self) -> None:
        self._ticks = 0

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Open the links, then tick."""
        match happening:
            case Started():
                opened = [_published(symbol, "link", LinkOpened(symbol=symbol), now) for symbol in SYMBOLS]
                return (*opened, WakeAt("tick", now.boot_ns + TICK_NS))
            case Woken():
                self._ticks += 1
                return (*self._told(now), WakeAt("tick", now.boot_ns + TICK_NS))
            case StopAsked():
                return (Stop(),)
            case _:
                return ()

    def _told(self, now: Moment) -> Sequence[Effect]:
        took = (Tally(what="quotes", count=self._ticks), Tally(what="trades", count=self._ticks))
        effects: list[Effect] = []
        for symbol in SYMBOLS:
            quote = QuoteSeen(symbol=symbol, bid_price=99.5, bid_quantity=1.0, ask_price=100.5, ask_quantity=1.0)
            trade = TradeSeen(
                symbol=symbol, price=100.25, quantity=1.0, taker_side="buy", trade_id=f"{symbol} {self._ticks}"
            )
            refused = (Tally(what="spike", count=1),)
            effects += [
                _published(symbol, "quotes", quote, now),
                _published(symbol, "trades", trade, now),
                Say(FeedCounted(venue="made_up", symbol=symbol, took=took, refused=refused)),
            ]
        return effects


def _published(symbol: str, kind: str, body: MarketBody, now: Moment) -> Publish:
    topic = f"made_up/{symbol}/{kind}".encode()
    return Publish(topic=topic, body=body, exchange_time_ns=now.wall_ns, received_wall_ns=now.wall_ns)


if __name__ == "__main__":
    sys.exit(
        run(
            Plan(instance="feed", core=MadeUpFeed(), publishes_market=True, says=("counts",)),
            root=Path(sys.argv[1]),
        )
    )
