"""Recordings in files."""

from pathlib import Path

import pytest

from services.sim_exchange.market.recording import RecordingRefusedError
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS
from services.sim_exchange.recordings import read_recording

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
        ("bars.parquet", b"PAR1", "Write it as CSV first"),
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
