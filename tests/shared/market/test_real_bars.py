"""Minutes of a real market, folded, are the five minutes that its venue tells."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from pyarrow.parquet import ParquetFile

from proto.bars import Bar
from shared.market.bars import BarFolder, differences
from shared.market.timeframe import timeframe
from tests.recordings import recording
from tests.shared.market.recorded import MILLISECOND


def recorded_bars(name: str) -> Iterator[Bar]:
    """Yield the bars of a file, without what it does not tell: the quote volume and the number of trades.

    It holds floats. The shortest text of one is what the venue wrote, for it wrote fewer than sixteen digits.
    """
    with ParquetFile(recording(name)) as file:
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                yield Bar(
                    open_time_ns=row["timestamp_ms"] * MILLISECOND,
                    open_price=Decimal(repr(row["open"])),
                    high_price=Decimal(repr(row["high"])),
                    low_price=Decimal(repr(row["low"])),
                    close_price=Decimal(repr(row["close"])),
                    base_volume=Decimal(repr(row["volume"])),
                    quote_volume=Decimal(0),
                    trade_count=0,
                    source="venue",
                    gapless=True,
                )


@pytest.mark.parametrize(("symbol", "whole_bars"), [("BTCUSDT", 8_639), ("ETHUSDT", 12_037)])
def test_real_minutes_fold_into_the_venues_five_minutes(symbol: str, whole_bars: int) -> None:
    """Of a month of minutes every whole five-minute bar is the venue's own, price for price and to the last digit."""
    theirs = {bar.open_time_ns: bar for bar in recorded_bars(f"binance_usdm_{symbol}_5m_2025-2026.parquet")}
    folder = BarFolder(timeframe("5m"), part=timeframe("1m"))
    folded = [bar for part in recorded_bars(f"binance_usdm_{symbol}_1m_2025-05.parquet") for bar in folder.bar(part)]
    compared = [bar for bar in folded if bar.gapless]
    assert [bar.open_time_ns for bar in folded if not bar.gapless] == [folded[0].open_time_ns]  # begun in its middle
    assert len(compared) == whole_bars
    differing = {bar.open_time_ns: found for bar in compared if (found := differences(bar, theirs[bar.open_time_ns]))}
    assert differing == {}
