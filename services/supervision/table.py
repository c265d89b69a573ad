"""The table of `bowline status`, for people and for programs. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from services.supervision.judgement import Row
from shared.core.durations import duration

HEADINGS: Final = ("process", "state", "pid", "uptime", "starts", "heartbeat", "epoch")
_TO_THE_RIGHT: Final = frozenset({"pid", "uptime", "starts", "heartbeat", "epoch"})


def as_text(rows: Sequence[Row]) -> str:
    """Return the table as lines; remarks stand behind the last column."""
    cells = [HEADINGS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    remarks = ["", *(row.remark for row in rows)]
    return "".join(
        f"{'  '.join(map(_aligned, HEADINGS, line, widths))}  {remark}".rstrip() + "\n"
        for line, remark in zip(cells, remarks, strict=True)
    )


def as_json(rows: Sequence[Row], beside: Mapping[str, object]) -> str:
    """Return the same as one JSON object, behind what is to be said beside the table."""
    return json.dumps({**beside, "processes": [asdict(row) for row in rows]}, indent=2)


def _aligned(heading: str, cell: str, width: int) -> str:
    return cell.rjust(width) if heading in _TO_THE_RIGHT else cell.ljust(width)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.instance,
        row.state,
        _or_dash(row.process_id),
        "-" if row.uptime_s is None else duration(row.uptime_s),
        _or_dash(row.starts),
        "-" if row.heartbeat_age_s is None else f"{row.heartbeat_age_s:.1f} s",
        _or_dash(row.epoch),
    )


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)
