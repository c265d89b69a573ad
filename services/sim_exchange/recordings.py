"""Reads recordings from files, for the market to replay. What is in them, `market.recording` judges.

A recording is a folder with a file per symbol, named by symbol and interval: `BTCUSDT-1m.csv`, `ETHUSDT-1h.parquet`.
"""

import importlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, get_args

from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.market.recording import RECORDED, RecordedBars, RecordingRefusedError, read_csv
from services.sim_exchange.market.settings import SymbolMarket

NAME: Final = re.compile(r"(?P<symbol>[A-Z0-9]+)-(?P<interval>[0-9]+[a-zA-Z])\.(?P<form>csv|parquet)")
INTERVALS: Final[Mapping[str, Interval]] = {interval: interval for interval in get_args(Interval)}
HOW_TO_NAME: Final = "name the files by symbol and interval, such as BTCUSDT-1m.csv or BTCUSDT-1m.parquet"
PARQUET_READER: Final = "services.sim_exchange.parquet"  # large, and loaded by those who need it


def read_folder(folder: Path, markets: Iterable[SymbolMarket]) -> Mapping[str, RecordedBars]:
    """Read the recordings of a folder by symbol, of those symbols that the exchange can list."""
    known = {market.rules.symbol: market for market in markets}
    found: dict[str, RecordedBars] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        named = NAME.fullmatch(path.name)
        interval = None if named is None else INTERVALS.get(named["interval"])
        if named is None or interval is None:
            continue
        symbol = named["symbol"]
        if symbol not in known:
            raise RecordingRefusedError(f"{path}: {symbol} is not listed here; there are {', '.join(sorted(known))}.")
        if symbol in found:
            raise RecordingRefusedError(f"{path}: {symbol} is there twice; keep one of the files.")
        found[symbol] = read_recording(path, interval=interval, market=known[symbol])
    if not found:
        raise RecordingRefusedError(f"{folder}: no recording in it; {HOW_TO_NAME}.")
    return found


def read_recording(path: Path, *, interval: Interval, market: SymbolMarket) -> RecordedBars:
    """Read the bars of one symbol from a CSV or Parquet file; every complaint names the file."""
    try:
        if path.suffix.lower() == ".parquet":
            lines = importlib.import_module(PARQUET_READER).csv_lines(path, RECORDED)
            return read_csv(lines, name=str(path), interval=interval, market=market)
        with path.open(encoding="utf-8", newline="") as opened:
            return read_csv(opened, name=str(path), interval=interval, market=market)
    except (OSError, UnicodeDecodeError) as error:
        raise RecordingRefusedError(f"{path}: cannot be read ({error}); {HOW_TO_NAME}.") from error
