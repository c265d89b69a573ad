"""`make bench`: prints a table for a person and writes `var/bench/codec.json` for a machine. It never fails a build."""

import json
import platform
import sys
from pathlib import Path
from typing import Final

import msgspec

from tests.bench.codec import Row, measured, verdicts

RESULTS: Final = Path(__file__).parents[2] / "var" / "bench"


def _table(rows: list[Row]) -> str:
    lines = [f"{'message':8} {'contender':20} {'encode us':>10} {'decode us':>10} {'both us':>10} {'to bare':>8}"]
    lines += [
        f"{row.message:8} {row.contender:20} {row.encode_us:10.3f} {row.decode_us:10.3f} {row.both_us:10.3f}"
        f" {row.ratio_to_bare:7.2f}x"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, write."""
    rows = measured()
    said = verdicts(rows)
    sys.stdout.write("\n".join(("Codec: medians, contenders timed in turn", _table(rows), *said, "")))
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": msgspec.to_builtins(rows),
        "verdicts": said,
    }
    (RESULTS / "codec.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
