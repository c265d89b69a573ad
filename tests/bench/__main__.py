"""`make bench`: prints a table for a person and writes a JSON file for a machine, one of each for every benchmark.

With names (`python -m tests.bench journal`) it runs only those. It never fails a build.
"""

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.bench import bus, codec, face, feed, history, journal, matching, service

RESULTS: Final = Path(__file__).parents[2] / "var" / "bench"


def _write(name: str, rows: Sequence[msgspec.Struct], said: Sequence[str]) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": msgspec.to_builtins(rows),
        "verdicts": said,
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _say(title: str, table: str, said: Sequence[str]) -> None:
    sys.stdout.write("\n".join((title, table, *said, "", "")))


def _codec() -> None:
    rows = codec.measured()
    said = codec.verdicts(rows)
    _say("Codec: medians, contenders timed in turn", codec.table(rows), said)
    _write("codec", rows, said)


def _journal() -> None:
    rows = journal.measured()
    said = journal.verdicts(rows)
    _say("Journal: one record at a time in turn with the floor, then groups, then a boot", journal.table(rows), said)
    _write("journal", rows, said)


def _bus() -> None:
    rows = bus.measured()
    said = bus.verdicts(rows)
    _say("Bus: two processes, floors and ours in turn; medians of rounds", bus.table(rows), said)
    _write("bus", rows, said)


def _service() -> None:
    rows = service.measured()
    said = service.verdicts(rows)
    _say("Service: starts in turn with the floors, then one that idles", service.table(rows), said)
    _write("service", rows, said)


def _matching() -> None:
    rows, memory = matching.measured(), matching.remembered()
    said = matching.verdicts(rows, memory)
    _say("Matching: a busy flow in process, medians of rounds", matching.table(rows, memory), said)
    _write("matching", [*rows, memory], said)


def _history() -> None:
    rows = history.measured()
    said = history.verdicts(rows)
    _say("Market: history made from its seed, asked as the exchange is, then traded on", history.table(rows), said)
    _write("history", rows, said)


def _face() -> None:
    rows = face.measured()
    said = face.verdicts(rows)
    _say(
        "Exchange: orders through ccxt in turn with a bare echo, then streams; medians of rounds",
        face.table(rows),
        said,
    )
    _write("face", rows, said)


def _feed() -> None:
    rows = feed.measured()
    said = feed.verdicts(rows)
    _say("Feed: from the venue to a reader, in turn with ccxt alone; medians of rounds", feed.table(rows), said)
    _write("feed", rows, said)


BENCHMARKS: Final = {
    "codec": _codec,
    "journal": _journal,
    "bus": _bus,
    "service": _service,
    "matching": _matching,
    "history": _history,
    "face": _face,
    "feed": _feed,
}


def main(names: Sequence[str]) -> int:
    """Measure, print, write."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
