"""Starts that are cut short: the executor is killed at any moment of its first seconds, again and again.

What a start does until it has found its feet is cut wherever a seed says, not where somebody thought of; in the end all
has to be as if it had begun once.
"""

import os
import random
import select
from pathlib import Path
from typing import Final

from tests.services.supervision.harness import eventually
from tests.trading.mesh import TradingMesh
from tests.trading.project import SYMBOLS
from tests.trading.trader import NAME, Trader

KILLS_A_POSITION: Final = 6
# From when it has its role: until it runs, or until it has read the venue and covered what it found bare.
WITHIN_MS: Final = (150, 2_000)
LOCKS: Final = Path("/proc/locks")
# Where the executor dies first, so that the lives after it have something to find out.
PLACES: Final = (
    "performs SendOrder side=buy",
    "brings OrderSent",
    "recorded OrderFilled order.purpose=entry",
    "performs SendOrder side=sell",
)


def cut_short(mesh: TradingMesh, trader: Trader, *, seed: int) -> int:
    """Kill one start after the other behind each of some deaths, see all be covered in the end, and count the kills."""
    drawn = random.Random(seed)  # noqa: S311 -- a seed has to bring the same moments again
    for place, symbol in zip(PLACES, SYMBOLS, strict=True):
        approval = trader.dies_entering(symbol, place)
        for _ in range(KILLS_A_POSITION):
            mesh.begin("executor")
            eventually(lambda: has_its_role(mesh))
            select.poll().poll(drawn.randrange(drawn.choice(WITHIN_MS)))
            mesh.kill("executor")
        mesh.start("executor")
        mesh.until(lambda: mesh.written.entry_ended(approval.approval_id))  # noqa: B023  # done within
        ended = mesh.written.entry_ended(approval.approval_id)
        if ended is not None and ended.filled_quantity:
            mesh.until(lambda: mesh.written.is_covered((NAME, symbol)))  # noqa: B023  # done within
        mesh.judge()
        mesh.forget_deaths()
    trader.settle()
    mesh.judge("--settled")
    return KILLS_A_POSITION * len(PLACES)


def has_its_role(mesh: TradingMesh) -> bool:
    """Tell whether the newest executor has come as far as to hold its role: before that it only loads its sources."""
    process_id, lock = mesh.process("executor").pid, (mesh.root / "var" / "seats" / "executor.lock").stat()
    return f" {process_id} {os.major(lock.st_dev):02x}:{os.minor(lock.st_dev):02x}:{lock.st_ino} " in LOCKS.read_text()
