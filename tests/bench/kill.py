"""What a kill takes: from the press to the last entry, the cancels, the sales; without risk; without the executor.

Each round starts a mesh with `bowline up`, and this benchmark asks for entries itself. The kill latch is set as
`bowline kill` does, while two positions are covered at the exchange and two more entries are asked for without end;
when it is FLAT, the latch is cleared. Then risk is frozen while entries are asked for, and later with it an executor
that comes back first. Then the executor is frozen, with nobody to restart it, and the latch set: the flattener closes
what it holds.

When an entry was signed is its stamp, and when a request was out is when the exchange read it, as its log says; the
rest is in the journals. All of them go by the clock of this host.
"""

import asyncio
import io
import os
import random
import signal
import statistics
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import msgspec
import uvloop

from proto.fencing import RoleTaken
from proto.orders import FlatnessTold, PositionChanged, SendMarked
from services.control import clear_kill, kill
from services.sim_exchange.process import FOLDER, LOG_FOLDER
from services.sim_exchange.record.book_of_record import lines_of, segment_numbers
from services.sim_exchange.record.lines import Received
from shared.mesh.clock import SystemClock
from shared.mesh.halt_file import HaltFile
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.supervisor import PID_FILE_NAME
from shared.mesh.verb import OK, Streams
from tests.bench.measure import resident_bytes
from tests.bench.mesh import SYMBOLS, BenchMesh, Desk, OwnersJournal

ROUNDS: Final = 1
KILLS: Final = 5
PRESS_SECONDS_MAX: Final = 0.05  # after entries were asked for: somewhere on their way
THAWED_SECONDS: Final = (None, 0.5, 1.5)  # after risk was frozen, for how long the executor is too
FROZEN_SECONDS: Final = 3.0
NAME: Final = "bench"
HELD, FREE = SYMBOLS[:2], SYMBOLS[2:]
NS_PER_MS: Final = 1_000_000
MEGABYTE: Final = 1_000_000
SIGNED, CANCELLED, SOLD = "kill to last entry signed", "kill to cancels out", "kill to flatten orders out"
LEG, FLAT = "of that, mark to exchange", "kill to FLAT"
LEASELESS, AGE = "risk frozen to last entry signed", "age of the lease, as entries are signed"
TAKEN, TAKEN_OVER, OVER_FLAT = (
    "executor silent to role taken",
    "executor silent to first order",
    "executor silent to FLAT",
)
GOALS_MS: Final = {SIGNED: 100, CANCELLED: 500, SOLD: 1_000, LEASELESS: 2_000, AGE: 2_000}
WATCHDOG, FLATTENER = "risk", "flattener"
GOALS_MB: Final = {WATCHDOG: 80}


class KillRow(msgspec.Struct, frozen=True):
    """One wait, in milliseconds; with few of them the 99th percentile is the longest."""

    what: str
    count: int
    p50_ms: float
    p99_ms: float


class MemoryRow(msgspec.Struct, frozen=True):
    """What a process holds in memory when all of this is over, in megabytes."""

    what: str
    megabytes: float


class _Exchange:
    """What has reached the exchange, by its log."""

    def __init__(self, mesh: BenchMesh) -> None:
        self._directory: Final = PrivateDirectory(mesh.root / "var" / FOLDER / LOG_FOLDER)

    def orders(self, since_ms: float, method: str = "POST", **sent: str) -> list[Received]:
        """Return the requests about an order with these parameters that came since then."""
        lines = (line for number in segment_numbers(self._directory) for line in lines_of(self._directory, number))
        return [
            line
            for line in lines
            if isinstance(line, Received) and line.endpoint == f"{method} /api/v3/order"
            if line.at_ms >= since_ms and sent.items() <= line.sent.items()
        ]

    def last_entry_ms(self, since_ms: float) -> float:
        """Return how long after that the last entry was signed, 0 where none was."""
        return max((stamp - since_ms for stamp in self.stamps_ms().values() if stamp > since_ms), default=0.0)

    def stamps_ms(self) -> dict[str, int]:
        """Return when each entry was signed."""
        return {line.sent["newClientOrderId"]: int(line.sent["timestamp"]) for line in self.orders(0, side="BUY")}


class _Round:
    """One mesh, and what was measured of it."""

    def __init__(self, mesh: BenchMesh, desk: Desk, taken: dict[str, list[float]]) -> None:
        self._mesh: Final = mesh
        self._desk: Final = desk
        self._taken: Final = taken
        self._exchange: Final = _Exchange(mesh)
        self._flattener: Final = OwnersJournal(mesh.root / "var", FLATTENER)
        self._dice: Final = random.Random(7)  # noqa: S311  # moments that can be repeated

    async def kills(self) -> None:
        """Press it, again and again, while positions are covered and entries are asked for."""
        for _ in range(KILLS):
            await asyncio.gather(*(self._desk.covered(symbol) for symbol in HELD))
            async with self._entering(FREE):
                await asyncio.sleep(self._dice.random() * PRESS_SECONDS_MAX)
                pressed_ms, latch_id = await self._press()
                flat_ms = await self._flat(self._mesh.journal, latch_id)
            self._note(FLAT, flat_ms - pressed_ms)
            self._note(SIGNED, self._exchange.last_entry_ms(pressed_ms))
            for symbol in HELD:
                self._held(symbol, pressed_ms)
            await self._clear(latch_id)

    async def losses(self) -> None:
        """Freeze risk while entries are asked for, and at last an executor too, which thaws earlier."""
        processes = self._mesh.process_ids()
        for thawed_seconds in THAWED_SECONDS:
            async with self._entering(SYMBOLS):
                await asyncio.sleep(self._dice.random() * PRESS_SECONDS_MAX)
                if thawed_seconds is not None:
                    os.kill(processes["executor"], signal.SIGSTOP)
                    await asyncio.sleep(PRESS_SECONDS_MAX)  # what is asked for now is approved, and waits
                frozen_ms = _now_ms()
                os.kill(processes[WATCHDOG], signal.SIGSTOP)
                await asyncio.sleep(thawed_seconds or 0)
                os.kill(processes["executor"], signal.SIGCONT)
                await asyncio.sleep(FROZEN_SECONDS - (thawed_seconds or 0))
                self._note(LEASELESS, self._exchange.last_entry_ms(frozen_ms))
                os.kill(processes[WATCHDOG], signal.SIGCONT)
            await self._leave_all()

    async def take_over(self) -> None:
        """Freeze the executor while it holds something, and who would restart it; the flattener closes what is held."""
        await asyncio.gather(*(self._desk.covered(symbol) for symbol in HELD))
        executor = self._mesh.process_ids()["executor"]
        supervisor = int((self._mesh.root / "var/run" / PID_FILE_NAME).read_text())
        os.kill(supervisor, signal.SIGSTOP)
        silent_ms = _now_ms()
        os.kill(executor, signal.SIGSTOP)
        _, latch_id = await self._press()
        taken, _ = await self._flattener.first(RoleTaken, lambda _: True)
        self._note(TAKEN, _written_ms(self._flattener, lambda body: body is taken) - silent_ms)
        self._note(OVER_FLAT, await self._flat(self._flattener, latch_id) - silent_ms)
        out = [*self._exchange.orders(silent_ms, "DELETE"), *self._exchange.orders(silent_ms)]
        self._note(TAKEN_OVER, min(line.at_ms for line in out) - silent_ms)
        os.kill(supervisor, signal.SIGCONT)
        await self._clear(latch_id)

    def ages(self) -> None:
        """Tell of each entry how old the lease was when it was signed, whatever was killed and frozen."""
        stamps_ms = self._exchange.stamps_ms()
        for envelope in self._mesh.journal.envelopes:
            mark = envelope.body
            if isinstance(mark, SendMarked) and mark.lease_age_ns is not None:
                marked_ms = envelope.sent_wall_ns / NS_PER_MS
                waited_ms = max(stamps_ms.get(mark.order.client_order_id, 0) - marked_ms, 0)
                self._note(AGE, mark.lease_age_ns / NS_PER_MS + waited_ms)

    def memory(self) -> dict[str, float]:
        """Return what watchdog and flattener hold."""
        processes = self._mesh.process_ids()
        return {name: resident_bytes(processes[name]) / MEGABYTE for name in (WATCHDOG, FLATTENER)}

    @asynccontextmanager
    async def _entering(self, symbols: Sequence[str]) -> AsyncIterator[None]:
        """Ask for entries without end."""
        wishes = [asyncio.create_task(self._desk.entered(symbol)) for symbol in symbols]
        try:
            yield
        finally:
            for wish in wishes:
                wish.cancel()
            await asyncio.gather(*wishes, return_exceptions=True)

    async def _press(self) -> tuple[float, str]:
        """Press it as `bowline kill` does, and return when, and which latch that made."""
        words = ["--actor", NAME, "--no-wait", "the benchmark presses it"]
        assert (
            await self._verb(lambda streams: kill.run(words, environment=self._mesh.environment, streams=streams)) == OK
        )
        latch = HaltFile(self._mesh.root / "var").latch()
        assert latch is not None
        return latch.set_wall_ns / NS_PER_MS, latch.latch_id

    async def _clear(self, latch_id: str) -> None:
        """Clear it as `bowline clear-kill` does."""
        words = ["--actor", NAME, "--yes", latch_id, "the benchmark has seen enough"]
        assert (
            await self._verb(
                lambda streams: clear_kill.run(
                    words, environment=self._mesh.environment, streams=streams, ask=lambda _: None
                )
            )
            == OK
        )

    async def _verb(self, run: Callable[[Streams], int]) -> int:
        said = io.StringIO()
        return await asyncio.to_thread(run, Streams(said, said))

    async def _flat(self, journal: OwnersJournal, latch_id: str) -> float:
        """Wait until it is told that all is closed, and return when that was written."""
        told, _ = await journal.first(FlatnessTold, lambda told: told.is_flat and told.flatten_id == latch_id)
        return _written_ms(journal, lambda body: body is told)

    def _held(self, symbol: str, pressed_ms: float) -> None:
        """Note when the cancel of a symbol's stop, and its sale, were out."""
        name = symbol.replace("/", "")
        cancels = self._exchange.orders(pressed_ms, "DELETE", symbol=name)
        sales = self._exchange.orders(pressed_ms, symbol=name, side="SELL", type="MARKET")
        self._note(CANCELLED, cancels[0].at_ms - pressed_ms)
        self._note(SOLD, sales[0].at_ms - pressed_ms)
        sold = sales[0].sent["newClientOrderId"]
        marked_ms = _written_ms(
            self._mesh.journal, lambda body: isinstance(body, SendMarked) and body.order.client_order_id == sold
        )
        self._note(LEG, sales[0].at_ms - marked_ms)

    async def _leave_all(self) -> None:
        """Sell what was bought."""
        held = {}
        for envelope in self._mesh.journal.envelopes:
            if isinstance(envelope.body, PositionChanged):
                held[envelope.body.symbol] = envelope.body.quantity
        await asyncio.gather(*(self._desk.left(symbol) for symbol, quantity in held.items() if quantity))

    def _note(self, what: str, taken_ms: float) -> None:
        self._taken[what].append(taken_ms)


def _now_ms() -> float:
    return SystemClock().wall_ns() / NS_PER_MS


def _written_ms(journal: OwnersJournal, holds: Callable[[object], bool]) -> float:
    return next(envelope.sent_wall_ns for envelope in journal.envelopes if holds(envelope.body)) / NS_PER_MS


async def _measured(rounds: int) -> list[KillRow | MemoryRow]:
    whats = (SIGNED, CANCELLED, SOLD, LEG, FLAT, LEASELESS, AGE, TAKEN, TAKEN_OVER, OVER_FLAT)
    taken: dict[str, list[float]] = {what: [] for what in whats}
    memory: dict[str, list[float]] = {WATCHDOG: [], FLATTENER: []}
    for _ in range(rounds):
        async with AsyncExitStack() as stack:
            mesh = BenchMesh()
            stack.push(mesh)
            await mesh.started()
            desk = Desk(mesh)
            stack.callback(desk.hub.close)
            one = _Round(mesh, desk, taken)
            await one.kills()
            await one.losses()
            await one.take_over()
            one.ages()
            for name, megabytes in one.memory().items():
                memory[name].append(megabytes)
    rows = [_row(what, times) for what, times in taken.items()]
    return [*rows, *(MemoryRow(f"memory of {name}", round(max(found), 1)) for name, found in memory.items())]


def _row(what: str, times: Sequence[float]) -> KillRow:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    return KillRow(what, len(ordered), round(statistics.median(ordered), 1), round(p99, 1))


def measured(rounds: int = ROUNDS) -> list[KillRow | MemoryRow]:
    """Measure kills, losses of the lease, and take-overs."""
    return uvloop.run(_measured(rounds))


def table(rows: Iterable[KillRow | MemoryRow]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'what':42} {'times':>6} {'p50 ms':>9} {'p99 ms':>9}"]
    for row in rows:
        if isinstance(row, KillRow):
            lines.append(f"{row.what:42} {row.count:6} {row.p50_ms:9.1f} {row.p99_ms:9.1f}")
        else:
            lines.append(f"{row.what:42} {row.megabytes:26.1f} MB")
    return "\n".join(lines)


def verdicts(rows: Iterable[KillRow | MemoryRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    said = []
    for row in rows:
        if isinstance(row, KillRow) and (goal := GOALS_MS.get(row.what)) is not None:
            words, is_met = f"{row.p99_ms:.0f} ms at p99 of {row.count}, goal at most {goal}", row.p99_ms <= goal
        elif isinstance(row, MemoryRow) and (goal := GOALS_MB.get(row.what.rpartition(" ")[2])) is not None:
            words, is_met = f"{row.megabytes:.0f} MB, goal at most {goal}", row.megabytes <= goal
        else:
            continue
        said.append(f"{row.what}: {words}: {'met' if is_met else 'MISSED'}")
    return said
