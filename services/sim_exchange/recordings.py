"""Reads recordings from files, for the market to replay. What is in them, `market.recording` judges."""

from pathlib import Path

from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.market.recording import RecordedBars, RecordingRefusedError, read_csv
from services.sim_exchange.market.settings import SymbolMarket


def read_recording(path: Path, *, interval: Interval, market: SymbolMarket) -> RecordedBars:
    """Read the bars of one symbol from a CSV file; every complaint names the file."""
    if path.suffix.lower() == ".parquet":
        # No lock holds a reader of Parquet, and the exchange would not load one for the sake of one start.
        raise RecordingRefusedError(
            f"{path}: Parquet is not read here. Write it as CSV first, where pandas and pyarrow are installed: "
            f"pandas.read_parquet({path.name!r}).to_csv({path.with_suffix('.csv').name!r}, index=False)"
        )
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return read_csv(lines, name=str(path), interval=interval, market=market)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingRefusedError(f"{path}: cannot be read ({error}); name a CSV file.") from error
