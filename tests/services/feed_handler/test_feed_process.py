"""One tick, from the exchange to a subscriber: real processes, killed and stopped, and nothing is lost in silence."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from proto.bars import Bar
from proto.market import BarClosed
from shared.market.bars import BarBuilder
from shared.market.observations import Trade
from shared.market.timeframe import timeframe
from tests.services.feed_handler.feed_project import FeedProject, Reader

SECOND_NS = 1_000_000_000


def folded(rows: list[dict[str, Any]], name: str) -> dict[int, Bar]:
    """Return the bars that the exchange's own trades make, by when they open."""
    frame = timeframe(name)
    builder = BarBuilder(frame)
    trades = [
        Trade(
            symbol="BTC/USDT",
            trade_id=row["a"],
            price=Decimal(row["p"]),
            quantity=Decimal(row["q"]),
            taker_side="sell" if row["m"] else "buy",
            trade_count=row["l"] - row["f"] + 1,
            exchange_time_ns=row["T"] * 1_000_000,
        )
        for row in rows
    ]
    builder.begin(frame.open_time_ns(trades[0].exchange_time_ns), gapless=True)
    return {bar.open_time_ns: bar for trade in trades for bar in builder.trade(trade)}


def shape(bar: Bar | BarClosed) -> tuple[float, ...]:
    """Return what has to agree."""
    prices = (bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.base_volume)
    return (*(float(price) for price in prices), bar.trade_count)


def assert_true(bars: list[BarClosed], truth: dict[int, Bar]) -> None:
    """Every bar is as the exchange's own trades make it, if it says that it is whole; and each was told once."""
    opens = [bar.open_time_ns for bar in bars]
    assert opens == sorted(set(opens))
    for bar in bars:
        if bar.gapless and bar.open_time_ns in truth:
            assert shape(bar) == shape(truth[bar.open_time_ns])


def is_a_row(ids: list[int]) -> bool:
    """Say whether numbers run on without a jump or a repetition."""
    return all(later == earlier + 1 for earlier, later in pairwise(ids))


async def test_ticks_reach_a_subscriber() -> None:
    """Trades, quotes and bars of every symbol arrive, the trades in their row, the bars as the trades make them."""
    with FeedProject() as project:
        project.start()
        project.start_feed()
        async with Reader(project) as reader:
            await reader.until(lambda: len(reader.bars()) >= 4 and len(reader.bars(symbol="ETH/USDT")) >= 2)
            await reader.until(lambda: reader.doubts() == ())
            assert is_a_row(reader.trade_ids())
            assert reader.link() == ["opened"]
            assert all(bar.gapless for bar in reader.bars()[1:])
            assert_true(reader.bars(), folded(project.aggregates("BTCUSDT"), "1s"))
