"""What a service costs before it does anything: its start, its memory, its idling.

A start is counted from the spawn to two moments: when the process says that it runs, and when the operator hears its
first heartbeat that says so, which tells the processor time it took as well. The floors take turns with it: a bare
interpreter, and one that imports what a service does.
"""

import asyncio
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import uvloop

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.health import Heartbeat
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import create_keys, load_key_ring
from shared.mesh.bus.latest import Listener
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.bench.measure import cpu_seconds, resident_bytes
from tests.bench.service_peer import INSTANCE

if TYPE_CHECKING:
    from collections.abc import Callable

START_GOAL_SECONDS: Final = 0.6
MEMORY_GOAL_BYTES: Final = 60 * 1_000_000
ROUNDS: Final = 5
SETTLING_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 3.0
PROJECT: Final = Path(__file__).parents[2]
BARE: Final = "bare interpreter"
IMPORTS: Final = "bare interpreter, imports"
SAID: Final = "service, running"
HEARD: Final = "service, heartbeat heard"
WORKED: Final = "service, processor time"
# structlog takes rich up where it happens to be, which it is not where the mesh runs: requirements/mesh.txt has none.
WITHOUT_RICH: Final = "import sys; sys.modules['rich'] = None"
IMPORTING: Final = f"{WITHOUT_RICH}; from tests.bench import service_peer"


class ServiceRow(msgspec.Struct, frozen=True):
    """One figure: the median of the rounds, and the least and the most of them.

    `to_imports` compares with the interpreter that only imports, round by round.
    """

    what: str
    way: str
    unit: str
    median: float
    least: float
    most: float
    to_imports: float | None = None


class _Ear:
    """The operator, who listens to the one service there is."""

    def __init__(self, root: Path) -> None:
        loop = asyncio.get_running_loop()
        ring = load_key_ring(PrivateDirectory(root / "var/keys"), "operator")
        self.hub: Final = Hub(loop=loop, keys=ring, run_directory=RunDirectory(root / "var/run"), overrides={})
        self.beat: Heartbeat | None = None
        self._running: Final = asyncio.Event()
        Listener(hub=self.hub, instance=INSTANCE, name="health", codec=EnvelopeCodec(), on_envelope=self._hear)

    def _hear(self, envelope: Envelope) -> None:
        if isinstance(envelope.body, Heartbeat) and envelope.body.state == "running":
            self.beat = envelope.body
            self._running.set()

    async def hears_next(self) -> Heartbeat:
        """Wait for a heartbeat that says running."""
        self._running.clear()
        await self._running.wait()
        assert self.beat is not None
        return self.beat


def _seconds_until_done(work: str) -> float:
    """Count up to the moment when a process says that it did the work; what it takes to end is nobody's start."""
    command = [sys.executable, "-c", f"{work}; sys.stdout.write('done\\n'); sys.stdout.flush()"]
    began_ns = time.perf_counter_ns()
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        return (time.perf_counter_ns() - began_ns) / 1e9


async def _started(root: Path) -> tuple[asyncio.subprocess.Process, int]:
    began_ns = time.perf_counter_ns()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{IMPORTING}; service_peer.main()",
        str(root),
        cwd=PROJECT,
        stderr=asyncio.subprocess.PIPE,
    )
    return process, began_ns


async def _said(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    while b'"running"' not in await process.stderr.readline():
        pass


async def _start(root: Path) -> dict[str, float]:
    ear = _Ear(root)
    heard = asyncio.create_task(ear.hears_next())
    process, began_ns = await _started(root)
    await _said(process)
    said_ns = time.perf_counter_ns()
    beat = await heard
    heard_ns = time.perf_counter_ns()
    process.terminate()
    await process.communicate()
    ear.hub.close()
    return {SAID: (said_ns - began_ns) / 1e9, HEARD: (heard_ns - began_ns) / 1e9, WORKED: beat.cpu_time_ns / 1e9}


async def _idle(root: Path) -> list[ServiceRow]:
    ear = _Ear(root)
    process, _ = await _started(root)
    await _said(process)
    await asyncio.sleep(SETTLING_SECONDS)
    before, before_seconds = await ear.hears_next(), cpu_seconds(process.pid)
    held_bytes = resident_bytes(process.pid)
    began_ns = time.perf_counter_ns()
    await asyncio.sleep(IDLE_SECONDS)
    after, after_seconds = await ear.hears_next(), cpu_seconds(process.pid)
    elapsed_ns = time.perf_counter_ns() - began_ns
    process.terminate()
    await process.communicate()
    ear.hub.close()
    own_percent = 100 * (after.cpu_time_ns - before.cpu_time_ns) / elapsed_ns
    kernel_percent = 100e9 * (after_seconds - before_seconds) / elapsed_ns
    return [
        _row("memory", "its heartbeat", "MB", [before.memory_bytes / 1e6]),
        _row("memory", "the kernel", "MB", [held_bytes / 1e6]),
        _row("idle", "its heartbeat", "% of a core", [own_percent]),
        _row("idle", "the kernel", "% of a core", [kernel_percent]),
    ]


def _row(what: str, way: str, unit: str, figures: list[float], to_imports: float | None = None) -> ServiceRow:
    median, least, most = (round(of(figures), 3) for of in (statistics.median, min, max))
    return ServiceRow(what, way, unit, median, least, most, to_imports)


def _starts(root: Path) -> list[ServiceRow]:
    floors: dict[str, Callable[[], float]] = {
        BARE: lambda: _seconds_until_done("import sys"),
        IMPORTS: lambda: _seconds_until_done(IMPORTING),
    }
    rounds = [
        {way: measure() for way, measure in floors.items()} | uvloop.run(_start(root)) for _ in range(-1, ROUNDS)
    ][1:]  # the first only warms up
    return [
        _row(
            "start",
            way,
            "s",
            [taken[way] for taken in rounds],
            round(statistics.median(taken[way] / taken[IMPORTS] for taken in rounds), 2),
        )
        for way in rounds[0]
    ]


def measured() -> list[ServiceRow]:
    """Measure starts, then one service that idles."""
    root = Path(tempfile.mkdtemp(prefix="bw-"))
    (root / "config").mkdir()
    shutil.copy(PROJECT / "config/bowline.yaml", root / "config")
    create_keys(PrivateDirectory(root / "var/keys"), [INSTANCE, "operator"])
    try:
        return [*_starts(root), *uvloop.run(_idle(root))]
    finally:
        shutil.rmtree(root)


def table(rows: list[ServiceRow]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':8} {'way':28} {'median':>9} {'least':>9} {'most':>9} {'to imports':>10}  unit"]
    for row in rows:
        ratio = "" if row.to_imports is None else f"{row.to_imports:.2f}x"
        figures = f"{row.median:9.3f} {row.least:9.3f} {row.most:9.3f}"
        lines.append(f"{row.what:8} {row.way:28} {figures} {ratio:>10}  {row.unit}")
    return "\n".join(lines)


def verdicts(rows: list[ServiceRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    by_name = {(row.what, row.way): row for row in rows}
    heard = by_name["start", HEARD]
    memory_bytes = max(row.median for row in rows if row.what == "memory") * 1e6
    idle = by_name["idle", "its heartbeat"].median
    return [
        f"a service is heard running {heard.median:.2f} s after its spawn, {heard.to_imports:.2f} times what its "
        f"imports take, goal at most {START_GOAL_SECONDS} s: "
        + ("met" if heard.median <= START_GOAL_SECONDS else "MISSED"),
        f"an idle service holds {memory_bytes / 1e6:.0f} MB, goal at most {MEMORY_GOAL_BYTES / 1e6:.0f}: "
        + ("met" if memory_bytes <= MEMORY_GOAL_BYTES else "MISSED"),
        f"an idle service takes {idle:.1f} % of a core",
    ]
