"""Reads bars from Parquet as the lines that a CSV file of them would have, so that both are judged alike."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from services.sim_exchange.market.recording import RecordingRefusedError


def csv_lines(path: Path, columns: Sequence[str]) -> Iterator[str]:
    """Yield the head line, then a line per bar. Decimals and integers come exactly, floats as they are written."""
    try:
        with ParquetFile(path) as file:
            there = [column for column in columns if column in file.schema_arrow.names]
            yield ",".join(there)
            for batch in file.iter_batches(columns=there):
                rows = zip(*(batch.column(name).to_pylist() for name in there), strict=True)
                yield from (",".join("" if value is None else str(value) for value in row) for row in rows)
    except pa.ArrowException as error:
        raise RecordingRefusedError(f"{path}: is no Parquet file that can be read ({error}).") from error
