"""What the whole mesh takes to begin, to begin again, and to find out what became of an order.

Each round starts a mesh with `bowline up`: supervisord, the simulated exchange and all processes, but no strategy: this
benchmark asks for entries and exits itself. Then the executor is killed with -9, twice, while it holds a position whose
stop rests at the exchange. From the kill on an exit of it is asked for, and entries of another symbol are, until one is
on its way. At last replies to orders are lost, with all that the private stream says of them, and then orders are. When
something happened is read from the executor's journal, by the one clock that all processes of a host share.
"""

import asyncio
import os
import signal
import statistics
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
import msgspec
import uvloop

from proto.codec import EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.intents import EnterBracket, SetExit, StopCover, Target
from proto.orders import OrderAcknowledged, OrderDoubted, OrderEnded, PositionChanged, ReconcileFinished, SendMarked
from proto.streams import StreamPosition
from services.sim_exchange.process import FOLDER
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import create_keys, load_key_ring
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock, boot_ns_now
from shared.mesh.journal import Gap, RealDisk, journal_directory
from shared.mesh.journal.reader import JournalReader
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port
from tests.services.market_mesh.whole_mesh import BOWLINE, WholeMesh

ROUNDS: Final = 1  # half a minute each
KILLS: Final = 2  # of an executor: the third death within a minute would be a crash loop, and forbid entries
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT")
OURSELVES: Final = "strategy-bench"
PATIENCE_SECONDS: Final = 90.0
LOOK_SECONDS: Final = 0.005
ASK_SECONDS: Final = 0.1  # between two wishes for an entry
COLD, WELL = "cold start to reconciled", "cold start to all well"
EXIT_TAKEN, EXIT_SENT, ENTRY_SENT = "kill -9 to exit taken", "kill -9 to exit sent", "kill -9 to entry sent"
FOUND, ABSENT = "reply lost, to found", "order lost, to proved absent"
GOALS_SECONDS: Final = {COLD: 10.0, EXIT_SENT: 4.0, ENTRY_SENT: 6.0, FOUND: 2.0, ABSENT: 8.0}

_Body = TypeVar("_Body", bound=Body)
_OfOrder = TypeVar("_OfOrder", bound=SendMarked | OrderAcknowledged | OrderDoubted | OrderEnded)


class MeshRow(msgspec.Struct, frozen=True):
    """One wait, in seconds; with few rounds its 99th percentile is the longest of them."""

    what: str
    count: int
    p50_s: float
    p99_s: float


class OwnersJournal:
    """What an owner has written down, as far as it has."""

    def __init__(self, var_directory: Path, role: str = "executor") -> None:
        self.envelopes: Final[list[Envelope]] = []
        self._directory: Final = journal_directory(var_directory, role)
        self._codec: Final = EnvelopeCodec()
        self._reader: JournalReader | None = None

    async def first(self, kind: type[_Body], holds: Callable[[_Body], object], *, since: int = 0) -> tuple[_Body, int]:
        """Wait for a record among all there are behind so many, and return it, and when it was written."""
        seen = since
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                self._read()
                for envelope in self.envelopes[seen:]:
                    if isinstance(envelope.body, kind) and holds(envelope.body):
                        return envelope.body, envelope.sent_boot_ns
                seen = max(seen, len(self.envelopes))
                await asyncio.sleep(LOOK_SECONDS)

    async def of_order(self, kind: type[_OfOrder], symbol: str, purpose: str, *, since: int) -> int:
        """Wait for a record of an order behind so many, and return when it was written."""
        _, at_ns = await self.first(
            kind, lambda told: (told.order.symbol, told.order.purpose) == (symbol, purpose), since=since
        )
        return at_ns

    def _read(self) -> None:
        if self._reader is None:
            if not self._directory.exists():
                return
            self._reader = JournalReader(RealDisk(self._directory))
        while entries := self._reader.poll():
            found = (entry for entry in entries if not isinstance(entry, Gap))
            self.envelopes.extend(self._codec.decode_stored(entry.payload) for entry in found)


class BenchMesh(WholeMesh):
    """A mesh whose processes are asked for entries and exits from here."""

    def __init__(self) -> None:
        super().__init__()
        self._admin_port: Final = free_port(THIS_HOST)
        self.environment.update(
            {
                "BOWLINE_VENUE__SYMBOLS": ",".join(SYMBOLS),
                "BOWLINE_RISK__PROFILE": "demo",
                "BOWLINE_SIM_EXCHANGE__ADMIN": "on",
                "BOWLINE_SIM_EXCHANGE__ADMIN_PORT": str(self._admin_port),
                "BOWLINE_RISK__POSITIONS_MAX": "5",
                "BOWLINE_RISK__EXPOSURE_PCT": "80",
                "BOWLINE_EXECUTOR__ORDERS_A_MINUTE_MAX": "600",
                "BOWLINE_EXECUTOR__ENTRIES_A_MINUTE_MAX": "60",
                "BOWLINE_EXECUTOR__SYMBOL_ENTRIES_A_MINUTE_MAX": "60",
                "BOWLINE_EXECUTOR__ENTRIES_A_MINUTE_QUOTE_MAX": "100000",
            }
        )
        create_keys(PrivateDirectory(self.root / "var/keys"), [OURSELVES])
        self.journal: Final = OwnersJournal(self.root / "var")

    async def started(self) -> dict[str, float]:
        """Start everything, and return how long that took."""
        began_ns = boot_ns_now()
        process = await asyncio.create_subprocess_exec(
            *BOWLINE, "up", env=self.environment, cwd=CHECKOUT, stdout=subprocess.DEVNULL
        )
        code = await process.wait()
        well_ns = boot_ns_now()
        assert code == 0, "the mesh did not start"
        _, reconciled_ns = await self.journal.first(ReconcileFinished, lambda finished: finished.clean)
        return {COLD: (reconciled_ns - began_ns) / 1e9, WELL: (well_ns - began_ns) / 1e9}

    def kill_executor(self) -> int:
        """Kill it as kill -9 does, and return when."""
        process_id = self.process_ids()["executor"]
        killed_ns = boot_ns_now()
        os.kill(process_id, signal.SIGKILL)
        return killed_ns

    async def quote(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Return the best bid and ask at the exchange."""
        url = f"http://127.0.0.1:{self.port}/api/v3/ticker/bookTicker"
        async with (
            aiohttp.ClientSession() as session,
            session.get(url, params={"symbol": symbol.replace("/", "")}) as answer,
        ):
            said = await answer.json()
        return Decimal(said["bidPrice"]), Decimal(said["askPrice"])

    async def faults(self, method: str, body: object = None) -> None:
        """Have the exchange fail, or no more."""
        token = (self.root / "var" / FOLDER / "sim-exchange-admin.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self._admin_port}/faults"
        async with aiohttp.ClientSession(headers=headers) as session, session.request(method, url, json=body) as answer:
            assert answer.ok, await answer.text()


class Desk:
    """Asks for entries and exits, as a strategy does."""

    def __init__(self, mesh: BenchMesh) -> None:
        clock = SystemClock()
        self._mesh: Final = mesh
        self._wishes = 0
        self.hub: Final = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(PrivateDirectory(mesh.root / "var/keys"), OURSELVES),
            run_directory=RunDirectory(mesh.root / "var/run"),
            overrides={},
        )
        sender, codec = Sender(instance=OURSELVES, epoch=1, clock=clock), EnvelopeCodec()
        self._clock: Final = clock
        self._intents, self._exits = (
            Requester(hub=self.hub, instance=instance, name=name, sender=sender, clock=clock, codec=codec)
            for instance, name in (("risk", "intents"), ("executor", "exits"))
        )

    async def entered(self, symbol: str) -> int:
        """Wish for an entry until one is on its way, and return when it was marked to be sent."""
        since = len(self._mesh.journal.envelopes)
        marked = asyncio.create_task(self._mesh.journal.of_order(SendMarked, symbol, "entry", since=since))
        try:
            while not marked.done():
                self._wishes += 1
                with suppress(RequestTimedOutError):
                    intent = await self._intent(symbol)
                    await self._intents.ask(intent, message_id=intent.intent_id)
                await asyncio.wait({marked}, timeout=ASK_SECONDS)
            return await marked
        finally:
            marked.cancel()  # whoever does not want it any more waits for nothing

    async def covered(self, symbol: str) -> None:
        """Enter, and wait until the stop rests at the exchange."""
        since = len(self._mesh.journal.envelopes)
        await self.entered(symbol)
        await self.is_covered(symbol, since=since)

    async def is_covered(self, symbol: str, *, since: int) -> None:
        """Wait until a stop of a symbol rests at the exchange."""
        await self._mesh.journal.of_order(OrderAcknowledged, symbol, "cover", since=since)

    async def left(self, symbol: str) -> tuple[int, int]:
        """Ask for an exit until it is taken and on its way, and return when it was both."""
        since = len(self._mesh.journal.envelopes)
        self._wishes += 1
        wanted = SetExit(f"exit|{self._wishes}", OURSELVES, symbol, Decimal(0), "the benchmark is through with it")
        while True:
            with suppress(RequestTimedOutError):
                await self._exits.ask(wanted, message_id=f"{wanted.exit_id}|{self._clock.boot_ns()}")
                break
        taken_ns = boot_ns_now()
        sent_ns = await self._mesh.journal.of_order(SendMarked, symbol, "exit", since=since)
        await self._mesh.journal.first(
            PositionChanged, lambda position: position.symbol == symbol and not position.quantity, since=since
        )
        return taken_ns, sent_ns

    async def _intent(self, symbol: str) -> EnterBracket:
        bid, ask = await self._mesh.quote(symbol)
        tick = Decimal("0.01")
        return EnterBracket(
            intent_id=f"{OURSELVES}|{symbol}|{self._wishes}",
            strategy=OURSELVES,
            symbol=symbol,
            side="buy",
            timeframe="1s",
            bar_close_time_ns=self._clock.wall_ns(),
            market_seen=StreamPosition(f"binance/{symbol}/bars/1s", 1, 1),
            decision_price=ask,
            price_worst=(ask * Decimal("1.01")).quantize(tick),
            cover=StopCover((bid * Decimal("0.9")).quantize(tick)),
            targets=(Target((ask * Decimal("1.5")).quantize(tick), Decimal(1)),),
            trail_distance=None,
            risk_fraction=Decimal("0.01"),
            expected_gain_fraction=None,
            work_for_ns=5_000_000_000,
            evidence=(),
        )


class _Round:
    """One mesh, and what was measured of it."""

    def __init__(self, mesh: BenchMesh, desk: Desk, taken: dict[str, list[float]]) -> None:
        self._mesh: Final = mesh
        self._desk: Final = desk
        self._taken: Final = taken

    async def recoveries(self) -> None:
        """Kill the executor while it holds something, and see when it can do what again."""
        held, wanted = SYMBOLS[:2]
        await self._desk.covered(held)
        for _ in range(KILLS):
            since = len(self._mesh.journal.envelopes)
            killed_ns = await asyncio.to_thread(self._mesh.kill_executor)
            entering = asyncio.create_task(self._desk.entered(wanted))
            taken_ns, sent_ns = await self._desk.left(held)
            entered_ns = await entering
            for what, at_ns in ((EXIT_TAKEN, taken_ns), (EXIT_SENT, sent_ns), (ENTRY_SENT, entered_ns)):
                self._note(what, at_ns - killed_ns)
            await self._desk.is_covered(wanted, since=since)
            held, wanted = wanted, held
        await self._desk.left(held)

    async def doubts(self) -> None:
        """Lose replies, with all that the private stream says of them, and then orders."""
        order = {"endpoint": "POST /api/v3/order"}
        await self._mesh.faults("POST", {"kind": "report_lost"})
        await self._mesh.faults("POST", {"kind": "drop_reply", "when": order})
        await asyncio.gather(*(self._found(symbol) for symbol in SYMBOLS))
        await self._mesh.faults("DELETE")
        await asyncio.gather(*(self._desk.left(symbol) for symbol in SYMBOLS))
        await self._mesh.faults("POST", {"kind": "drop_request", "when": order})
        await asyncio.gather(*(self._absent(symbol) for symbol in SYMBOLS))
        await self._mesh.faults("DELETE")

    async def _found(self, symbol: str) -> None:
        since = len(self._mesh.journal.envelopes)
        sent_ns = await self._desk.entered(symbol)
        await self._mesh.journal.of_order(OrderDoubted, symbol, "entry", since=since)
        found_ns = await self._mesh.journal.of_order(OrderAcknowledged, symbol, "entry", since=since)
        self._note(FOUND, found_ns - sent_ns)

    async def _absent(self, symbol: str) -> None:
        since = len(self._mesh.journal.envelopes)
        sent_ns = await self._desk.entered(symbol)
        proved_ns = await self._mesh.journal.of_order(OrderEnded, symbol, "entry", since=since)
        self._note(ABSENT, proved_ns - sent_ns)

    def _note(self, what: str, taken_ns: int) -> None:
        self._taken[what].append(taken_ns / 1e9)


async def _measured(rounds: int) -> list[MeshRow]:
    taken: dict[str, list[float]] = {
        what: [] for what in (COLD, WELL, EXIT_TAKEN, EXIT_SENT, ENTRY_SENT, FOUND, ABSENT)
    }
    for _ in range(rounds):
        async with AsyncExitStack() as stack:
            mesh = BenchMesh()
            stack.push(mesh)
            for what, seconds in (await mesh.started()).items():
                taken[what].append(seconds)
            desk = Desk(mesh)
            stack.callback(desk.hub.close)
            one = _Round(mesh, desk, taken)
            await one.recoveries()
            await one.doubts()
    return [_row(what, seconds) for what, seconds in taken.items()]


def _row(what: str, seconds: Sequence[float]) -> MeshRow:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)]
    return MeshRow(what, len(ordered), round(statistics.median(ordered), 3), round(p99, 3))


def measured(rounds: int = ROUNDS) -> list[MeshRow]:
    """Measure starts, recoveries and doubts."""
    return uvloop.run(_measured(rounds))


def table(rows: Sequence[MeshRow]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'what':32} {'times':>6} {'p50 s':>8} {'p99 s':>8}"]
    return "\n".join([*lines, *(f"{row.what:32} {row.count:6} {row.p50_s:8.2f} {row.p99_s:8.2f}" for row in rows)])


def verdicts(rows: Sequence[MeshRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    return [
        f"{row.what} takes {row.p99_s:.2f} s at p99 of {row.count}, goal at most {goal:g}: "
        + ("met" if row.p99_s <= goal else "MISSED")
        for row in rows
        if (goal := GOALS_SECONDS.get(row.what)) is not None
    ]
