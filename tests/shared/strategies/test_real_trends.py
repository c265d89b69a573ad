"""Trend continuation on years of real bars: it lives, and with the high of its own bar it never would."""

from itertools import pairwise

import numpy as np
import pyarrow.parquet as pq
import pytest
import talib

from proto.market import BarClosed
from shared.market.timeframe import timeframe
from shared.strategies.catalog import STRATEGIES
from shared.strategies.strategy import NOTHING
from tests.recordings import recording
from tests.shared.strategies.trading import researched

MILLISECOND = 1_000_000


def recorded_bars(name: str, bar_length: str) -> list[BarClosed]:
    """Return recorded bars, each once and in order."""
    length, table = timeframe(bar_length), pq.read_table(recording(name))
    columns = (table.column(at).to_numpy() for at in ("timestamp_ms", "open", "high", "low", "close", "volume"))
    return [
        BarClosed(
            symbol="BTC/USDT",
            timeframe=bar_length,
            open_time_ns=int(opens) * MILLISECOND,
            close_time_ns=length.close_time_ns(int(opens) * MILLISECOND),
            open_price=float(opened),
            high_price=float(high),
            low_price=float(low),
            close_price=float(close),
            base_volume=float(volume),
            quote_volume=0.0,
            trade_count=0,
            source="venue",
            gapless=True,
        )
        for opens, opened, high, low, close, volume in zip(*columns, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "bar_length"),
    [("binance_spot_BTCUSDT_1h_2017-2024.parquet", "1h"), ("binance_usdm_BTCUSDT_5m_2025-2026.parquet", "5m")],
)
def test_it_lives_on_real_bars(name: str, bar_length: str) -> None:
    """It wishes for an entry more than fifty times a year, and no close is ever above the high of its own bar."""
    bars = recorded_bars(name, bar_length)
    assert all(one.open_time_ns < other.open_time_ns for one, other in pairwise(bars))
    wishes = [wish for _, wish in researched(STRATEGIES["trend_continuation"], {}, bars)]
    days = (bars[-1].close_time_ns - bars[0].open_time_ns) / 86_400e9
    assert sum(wish != NOTHING for wish in wishes) / days * 365 > 50
    closes, highs = (np.array([getattr(bar, field) for bar in bars]) for field in ("close_price", "high_price"))
    assert not (closes > talib.MAX(highs, timeperiod=20)).any()
