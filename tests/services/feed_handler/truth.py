"""What the exchange itself says was traded, and the bars that makes: what a feed's bars are held against."""

import json
import urllib.request
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from proto.bars import Bar
from proto.market import BarClosed
from shared.market.bars import BarBuilder
from shared.market.observations import Trade
from shared.market.timeframe import timeframe

PATIENCE_S: Final = 90  # only a test that fails waits so long


def aggregates(port: int, symbol: str) -> list[dict[str, Any]]:
    """Return every trade that the exchange remembers, as it tells them."""
    rows: list[dict[str, Any]] = []
    while True:
        first = rows[-1]["a"] + 1 if rows else 1
        url = f"http://127.0.0.1:{port}/api/v3/aggTrades?symbol={symbol}&limit=1000&fromId={first}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # our own exchange
            page = json.load(answer)
        if not page:
            return rows
        rows += page


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
    builder.begin(frame.open_time_ns(trades[0].exchange_time_ns))
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
