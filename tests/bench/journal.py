"""What a journal costs: one durable record against a bare write and fdatasync of the same bytes, groups, and opening.

The bare floor is measured in turn with the journal, on the same disk, so that a slow disk slows both.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from proto.codec import EnvelopeCodec
from proto.orders import SendMarked
from shared.mesh.journal import Journal, Opening, RealDisk, create_journal, open_journal
from shared.mesh.journal.record import FRAME_BYTES_MIN
from tests.proto.examples import BODIES, an_envelope

DURABLE_ROUNDS: Final = 2000
GROUPS: Final = 40
GROUP_RECORDS: Final = 500
DURABLE_GOAL_RATIO: Final = 1.5
GROUP_GOAL_PER_S: Final = 20_000
DAY: Final = "2026-03-01"


class Row(msgspec.Struct, frozen=True):
    """One thing measured: microseconds a record, and how that compares with the floor, where there is one."""

    what: str
    p50_us: float
    p99_us: float
    ratio_p50: float | None
    records_per_s: int


def _a_frame() -> bytes:
    mark = next(body for body in BODIES if isinstance(body, SendMarked))
    return EnvelopeCodec().encode(an_envelope(mark))


def _a_journal(directory: Path, prove: Callable[[bytes], object]) -> Journal:
    return create_journal(Opening(disk=RealDisk(directory), prove=prove), date=DAY, state=b"")


def _durable(proved: Journal, directory: Path, frame: bytes) -> list[Row]:
    """Time one record at a time, with and without the proof that it can be read back, in turn with the floor."""
    alone = _a_journal(directory / "unproved", len)
    bare = os.open(directory / "bare", os.O_RDWR | os.O_CREAT, 0o600)
    content = bytes(FRAME_BYTES_MIN) + frame
    taken_ns: dict[str, list[int]] = {"durable record": [], "... without its proof": [], "bare write + fdatasync": []}
    for place in range(DURABLE_ROUNDS):
        started = time.perf_counter_ns()
        proved.append(frame)
        proved.commit()
        first = time.perf_counter_ns()
        alone.append(frame)
        alone.commit()
        second = time.perf_counter_ns()
        os.pwrite(bare, content, place * len(content))
        os.fdatasync(bare)
        ends = (first - started, second - first, time.perf_counter_ns() - second)
        for rounds, taken in zip(taken_ns.values(), ends, strict=True):
            rounds.append(taken)
    os.close(bare)
    alone.close()
    floor = statistics.median(taken_ns["bare write + fdatasync"])
    return [_row(what, rounds, floor) for what, rounds in taken_ns.items()]


def _grouped(journal: Journal, frame: bytes) -> Row:
    """Time groups, proof and sync included."""
    taken_ns = []
    for _ in range(GROUPS):
        started = time.perf_counter_ns()
        for _ in range(GROUP_RECORDS):
            journal.append(frame)
        journal.commit()
        taken_ns.append((time.perf_counter_ns() - started) // GROUP_RECORDS)
    return _row(f"in groups of {GROUP_RECORDS}", taken_ns, None)


def _opened(directory: Path) -> list[Row]:
    """Time opening a journal, which proves its newest segment, and reading it back, as a boot does."""
    started = time.perf_counter_ns()
    journal = open_journal(Opening(disk=RealDisk(directory), prove=EnvelopeCodec().decode_stored))
    opened = time.perf_counter_ns()
    count = sum(1 for _ in journal.records(1))
    read = time.perf_counter_ns()
    journal.close()
    return [_row("opening", [(opened - started) // count], None), _row("reading", [(read - opened) // count], None)]


def _row(what: str, taken_ns: list[int], floor_ns: float | None) -> Row:
    p50, p99 = statistics.median(taken_ns), sorted(taken_ns)[len(taken_ns) * 99 // 100]
    ratio = round(p50 / floor_ns, 2) if floor_ns else None
    return Row(what, round(p50 / 1000, 2), round(p99 / 1000, 2), ratio, round(1e9 / p50))


def measured() -> list[Row]:
    """Measure on the disk that temporary files are on."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        frame = _a_frame()
        journal = _a_journal(directory / "journal", EnvelopeCodec().decode_stored)
        rows = [*_durable(journal, directory, frame), _grouped(journal, frame)]
        journal.close()
        return [*rows, *_opened(directory / "journal")]


def table(rows: list[Row]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'what':24} {'p50 us':>10} {'p99 us':>10} {'to bare':>8} {'records/s':>10}"]
    for row in rows:
        ratio = "" if row.ratio_p50 is None else f"{row.ratio_p50:.2f}x"
        lines.append(f"{row.what:24} {row.p50_us:10.2f} {row.p99_us:10.2f} {ratio:>8} {row.records_per_s:10}")
    return "\n".join(lines)


def verdicts(rows: list[Row]) -> list[str]:
    """Hold the figures to their goals, in words; a goal that is missed is said to be missed."""
    proved, alone, _, grouped = rows[:4]
    return [
        *(
            f"{row.what}: {row.ratio_p50} times a bare write and fdatasync, goal at most {DURABLE_GOAL_RATIO}: "
            + ("met" if (row.ratio_p50 or 0.0) <= DURABLE_GOAL_RATIO else "MISSED")
            for row in (proved, alone)
        ),
        f"groups: {grouped.records_per_s} records a second, goal at least {GROUP_GOAL_PER_S}: "
        + ("met" if grouped.records_per_s >= GROUP_GOAL_PER_S else "MISSED"),
    ]
