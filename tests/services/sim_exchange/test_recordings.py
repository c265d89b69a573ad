"""Recordings in files."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow.parquet import write_table

from services.sim_exchange.market.recording import RecordingRefusedError
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS
from services.sim_exchange.recordings import read_folder, read_recording

BITCOIN = DEFAULT_SYMBOLS[0]


def test_bars_are_read_from_a_file(tmp_path: Path) -> None:
    """A CSV file with more columns than are needed is read into ticks and steps."""
    path = tmp_path / "bars.csv"
    path.write_text("timestamp_ms,open,high,low,close,volume,note\n300000,10.5,11,10,10.75,2.5,x\n", encoding="utf-8")
    bars = read_recording(path, interval="5m", market=BITCOIN)
    assert (bars.length_ms, bars.openings_ms.tolist()) == (300_000, [300_000])
    assert bars.columns[:, 0].tolist() == [1_050, 1_100, 1_000, 1_075, 250_000]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("bars.parquet", b"PAR1", "is no Parquet file"),
        ("bars.parquet", None, "cannot be read"),
        ("bars.csv", b"\xff\xfe", "cannot be read"),
        ("bars.csv", None, "cannot be read"),
        ("bars.csv", b"", "no column timestamp_ms"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes | None, complaint: str) -> None:
    """Whatever is wrong with a file, the complaint names it and says what to do."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingRefusedError, match=f"{name}: .*{complaint}"):
        read_recording(path, interval="1m", market=BITCOIN)


def test_parquet_says_what_csv_says(tmp_path: Path) -> None:
    """The same bars in either form are the same bars, Decimals and floats alike."""
    rows = {"timestamp_ms": [0, 60_000], "open": [10.5, 11.0], "high": [11.0, 12.5], "low": [10.25, 11.0]}
    rows |= {"close": [11.0, 12.0], "volume": [Decimal("2.50000"), Decimal("0.00001")]}
    write_table(pa.table(rows), tmp_path / "BTCUSDT-1m.parquet")
    lines = [",".join(map(str, row)) for row in zip(*rows.values(), strict=True)]
    (tmp_path / "ETHUSDT-1m.csv").write_text("\n".join([",".join(rows), *lines]) + "\n")
    (tmp_path / "notes.txt").write_text("mine")
    read = read_folder(tmp_path, DEFAULT_SYMBOLS)
    assert list(read) == ["BTCUSDT", "ETHUSDT"]
    assert read["BTCUSDT"].columns[:4].tolist() == read["ETHUSDT"].columns[:4].tolist()
    assert read["BTCUSDT"].columns[4].tolist() == [250_000, 1]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no recording in it"),
        (["XYZUSDT-1m.csv"], "XYZUSDT is not listed here; there are BNBUSDT, BTCUSDT"),
        (["BTCUSDT-1m.csv", "BTCUSDT-5m.csv"], "BTCUSDT is there twice"),
        (["BTCUSDT-7m.csv"], "no recording in it; name the files"),
    ],
)
def test_folder_that_cannot_be_used_is_explained(tmp_path: Path, names: list[str], complaint: str) -> None:
    """A folder with nothing to replay, or with too much, is refused."""
    for name in names:
        (tmp_path / name).write_text("timestamp_ms,open,high,low,close,volume\n0,1,1,1,1,1\n")
    with pytest.raises(RecordingRefusedError, match=complaint):
        read_folder(tmp_path, DEFAULT_SYMBOLS)
