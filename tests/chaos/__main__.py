"""`make chaos`: real processes, real signals, for as many rounds as you like: `python -m tests.chaos ROUNDS [SEED]`."""

import secrets
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Final

from tests.chaos.mesh import ChaosMesh
from tests.chaos.rounds import Chaos

FROZEN_MS_MAX: Final = 3_000
ROUNDS: Final = 100


def main() -> int:
    """Go through the rounds, and say what is wrong."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbelow(1_000_000)
    _say(f"chaos: {rounds} rounds, seed {seed}")
    signal.signal(signal.SIGTERM, _end)
    mesh = ChaosMesh(Path(tempfile.mkdtemp(prefix="bw-")))
    try:
        wrong = Chaos(mesh, seed=seed, frozen_ms_max=FROZEN_MS_MAX, say=_say).go_through(rounds)
    finally:
        mesh.leave()
    for words in wrong[:50]:
        _say(words)
    _say(f"{len(wrong)} promises broken" if wrong else "every promise was kept")
    return 1 if wrong else 0


def _end(number: int, _frame: FrameType | None) -> None:
    """End so that nothing is left behind, however often it is asked for."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
