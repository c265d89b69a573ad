"""`make chaos`: the mesh that trades, under fire: `python -m tests.trading ROUNDS [SEED]`.

First every answer that proves nothing, executed or not, under each rule on client ids; then starts of the executor that
are cut short at random; then the storm.
"""

import secrets
import signal
import sys
from types import FrameType
from typing import Final

from tests.trading.ambiguity import cases_of_all, resolved
from tests.trading.doubts import CLIENT_IDS
from tests.trading.mesh import TradingMesh
from tests.trading.recovery import cut_short
from tests.trading.storm import Storm
from tests.trading.trader import Trader

ROUNDS: Final = 100


def main() -> int:
    """Go through all of it, and say what is wrong."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else secrets.randbelow(1_000_000)
    signal.signal(signal.SIGTERM, _end)
    with TradingMesh() as mesh:
        trader = Trader(mesh)
        for rule in CLIENT_IDS:
            mesh.project.set_client_ids(rule)
            mesh.kill("exchange")
            mesh.start("exchange")
            cases = cases_of_all()
            resolved(mesh, trader, cases)
            mesh.judge("--settled")
            _say(f"trading: {len(cases)} answers that prove nothing, client ids unique: {rule}")
        kills = cut_short(mesh, trader, seed=seed)
        _say(f"trading: {kills} starts of the executor cut short, seed {seed}")
    _say(f"trading storm: {rounds} rounds, seed {seed}")
    with TradingMesh() as mesh:
        weathered = Storm(mesh, seed=seed, say=_say).go_through(rounds)
    for words, count in sorted(weathered.acts.items()):
        _say(f"{count:>5}  {words}")
    _say(f"{weathered.entries} entries, {weathered.fills} trades, {weathered.bare} times no stop in time")
    _say(f"{weathered.latches} kill latches, {weathered.tenures} times the flattener had the executor's role")
    _say("every other promise was kept")
    return 0


def _end(number: int, _frame: FrameType | None) -> None:
    """End so that nothing is left behind."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
