"""`make bench`: prints a table for a person and writes a JSON file for a machine, one of each for every benchmark.

With names (`python -m tests.bench journal`) it runs only those, and with `--rounds 10` those of the order path, the
whole mesh and the kill take as many. It never fails a build.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.bench import bus, codec, face, feed, history, journal, kill, leg, matching, mesh, order, service

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


def _order(rounds: int = order.ROUNDS) -> None:
    rows = order.measured(rounds)
    said = order.verdicts(rows)
    _say("Order: from the deciding message to the hand-over, in turn with its floor", order.table(rows), said)
    _write("order", rows, said)


def _leg() -> None:
    rows = leg.measured()
    said = leg.verdicts(rows)
    _say("Leg: the venue client's own, with ccxt, to the simulated exchange", leg.table(rows), said)
    _write("leg", rows, said)


def _mesh(rounds: int = mesh.ROUNDS) -> None:
    rows = mesh.measured(rounds)
    said = mesh.verdicts(rows)
    _say("Mesh: started, its executor killed, replies and orders lost", mesh.table(rows), said)
    _write("mesh", rows, said)


def _kill(rounds: int = kill.ROUNDS) -> None:
    rows = kill.measured(rounds)
    said = kill.verdicts(rows)
    _say("Kill: pressed, risk frozen, the executor frozen", kill.table(rows), said)
    _write("kill", rows, said)


BENCHMARKS: Final[dict[str, Callable[[], None]]] = {
    "codec": _codec,
    "journal": _journal,
    "bus": _bus,
    "service": _service,
    "matching": _matching,
    "history": _history,
    "face": _face,
    "feed": _feed,
    "order": _order,
    "leg": _leg,
    "mesh": _mesh,
    "kill": _kill,
}
BY_ROUNDS: Final[dict[str, Callable[[int], None]]] = {"order": _order, "mesh": _mesh, "kill": _kill}


def main(argv: Sequence[str]) -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all without any")
    parser.add_argument("--rounds", type=int, help=f"that {' and '.join(BY_ROUNDS)} take")
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        sys.stderr.write(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}\n")
        return 2
    for name in arguments.names or BENCHMARKS:
        if arguments.rounds is not None and name in BY_ROUNDS:
            BY_ROUNDS[name](arguments.rounds)
        else:
            BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
