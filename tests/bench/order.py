"""What the mesh takes from the message that decides to the hand-over to the venue client, hop by hop.

Real strategy hosts, risk and executor, with their sockets, encryption and journals, decide a hundred times a second.
In turn with them, at the same pace and on the same disk, runs the floor: four bare hops of blocking sockets, encrypted,
and two bare writes of as many bytes, each made durable. Held against each other are the medians, round by round, and
the 99th percentiles over all rounds. All stamps are of the one clock that the processes of a host share.
"""

import asyncio
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Final, get_args

import msgspec
import uvloop

from proto.codec import EnvelopeCodec
from proto.fields import Role
from proto.orders import EntryOpened, SendMarked
from proto.verdicts import IntentJudged
from shared.mesh.bus.keys import create_keys
from shared.mesh.clock import boot_ns_now
from shared.mesh.journal import Gap, RealDisk, journal_directory
from shared.mesh.journal.reader import JournalReader
from shared.mesh.journal.record import FRAME_BYTES_MIN
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.bench.order_feed import A_SECOND, HOSTS, SYMBOLS, Flow
from tests.bench.order_floor import PLACES, WORD, Passed, hop
from tests.bench.order_peer import STAMPS
from tests.house.tree import CHECKOUT

GOAL_RATIO: Final = 2.0
ROUNDS: Final = 3
SECONDS: Final = 2  # of each way in a round
FIRST_SECONDS: Final = 8  # until the account has been read twice, which risk waits for
WARMING: Final = 20  # payloads of the floor in each round
PAUSE_SECONDS: Final = 0.5  # between two ways, for what is still under way
PATIENCE_SECONDS: Final = 90.0
STEPS: Final = ("told", "intent sent", "verdict journaled", "approval sent", "mark durable", "handed over")
WHOLE: Final = "the whole way"
FLOOR: Final = "floor: four hops, two writes"
FLOOR_OF_THREE: Final = "floor: three hops, two writes"
MISSING: Final = "missing"


class OrderRow(msgspec.Struct, frozen=True):
    """One hop, in microseconds over all rounds; the whole way also as a ratio to the floor."""

    what: str
    count: int
    p50_us: float
    p99_us: float
    ratio_p50: float | None = None
    ratio_p99: float | None = None


class _Round(msgspec.Struct, frozen=True):
    """What one round took, in nanoseconds: each hop of each entry, and the floor's both ways."""

    hops_ns: Mapping[str, Sequence[int]]
    floor_ns: Sequence[int]
    floor_of_three_ns: Sequence[int]
    missing: int


class _Mesh:
    """The processes between the bars and the hand-over."""

    def __init__(self, root: Path) -> None:
        self.root: Final = root
        self._processes: Final[dict[str, asyncio.subprocess.Process]] = {}

    async def start(self) -> None:
        """Start them, and wait until bars can flow."""
        (self.root / "config").mkdir()
        (self.root / STAMPS).mkdir()
        shutil.copy(CHECKOUT / "config/bowline.yaml", self.root / "config")
        symbols = ", ".join(SYMBOLS)
        settings = f"venue: {{symbols: [{symbols}]}}\nfeed: {{timeframes: [1s]}}\nlogs: {{level: error}}\n"
        (self.root / "config/local.yaml").write_text(settings)
        create_keys(PrivateDirectory(self.root / "var/keys"), [*get_args(Role), *HOSTS])
        RunDirectory(self.root / "var/run")
        pipe = asyncio.subprocess.PIPE
        for instance in ("feed", "risk", "executor", *HOSTS):
            command = [sys.executable, "-m", "tests.bench.order_peer", str(self.root), instance]
            self._processes[instance] = await asyncio.create_subprocess_exec(
                *command, cwd=CHECKOUT, stdin=pipe, stdout=pipe
            )
        await self._heard("ready")

    async def flow(self, seconds: int) -> None:
        """Have bars decided on for so long."""
        feed = self._processes["feed"]
        assert feed.stdin is not None
        feed.stdin.write(msgspec.json.encode(Flow(seconds)) + b"\n")
        await self._heard("ended")
        await asyncio.sleep(PAUSE_SECONDS)

    async def end(self) -> dict[str, dict[str, int]]:
        """End them, and return when what came by, by what it was."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        files = (self.root / STAMPS).iterdir()
        stamps = [msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, int]]) for file in files]
        return {what: taken for found in stamps for what, taken in found.items()}

    def record_bytes(self) -> tuple[int, int]:
        """Return how large a verdict is in the journal, and the group with an entry's mark."""
        verdict = self._largest("risk", [IntentJudged])
        return verdict, self._largest("executor", [EntryOpened]) + self._largest("executor", [SendMarked])

    async def _heard(self, word: str) -> None:
        feed = self._processes["feed"]
        assert feed.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while word.encode() not in (line := await feed.stdout.readline()):
                assert line, "the feed has ended"

    def _largest(self, role: str, kinds: Sequence[type]) -> int:
        reader = JournalReader(RealDisk(journal_directory(self.root / "var", role)))
        entries = [entry for found in iter(reader.poll, []) for entry in found if not isinstance(entry, Gap)]
        reader.close()
        codec = EnvelopeCodec()
        sizes = [len(entry.payload) for entry in entries if type(codec.decode_stored(entry.payload).body) in kinds]
        return max(sizes) + FRAME_BYTES_MIN


class _Floor:
    """The bare processes."""

    def __init__(self, run_directory: Path, record_bytes: tuple[int, int]) -> None:
        # Payloads of about the size of what the mesh hands on: a bar, an intent, an approval, an order.
        payloads = (200, min(record_bytes[0], 1_000), min(record_bytes[1], 1_000), 200)
        records = (0, *record_bytes, 0)
        self._filling: Final = bytes(payloads[0] - WORD)
        self._relays: Final = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.bench.order_floor",
                    str(run_directory),
                    *map(str, (place, payloads[place - 1], records[place - 1])),
                ],
                cwd=CHECKOUT,
                stdout=subprocess.PIPE,
            )
            for place in range(1, PLACES + 1)
        ]
        self._socket: Final = hop(run_directory, 1, binds=False)

    async def flow(self, count: int) -> None:
        """Send payloads at the pace of the bars, from a timer of a loop like the feed's."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(count):
            await asyncio.sleep(max(began + number / A_SECOND - loop.time(), 0))
            self._socket.send(boot_ns_now().to_bytes(WORD, "big") + self._filling)
        await asyncio.sleep(PAUSE_SECONDS)

    def end(self) -> list[Passed]:
        """End them, and return what passed."""
        self._socket.send(b"")
        said = [relay.communicate(timeout=PATIENCE_SECONDS)[0] for relay in self._relays]
        self._socket.close(linger=0)
        return msgspec.json.decode(said[-1], type=list[Passed])


async def _measured(rounds: int, seconds: int) -> list[OrderRow]:
    async with AsyncExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="bw-"))
        stack.callback(shutil.rmtree, root)
        mesh = _Mesh(root)
        await mesh.start()
        await mesh.flow(FIRST_SECONDS)
        floor = _Floor(root / "var", mesh.record_bytes())
        await floor.flow(A_SECOND)  # only warms up
        began_ns = [boot_ns_now()]
        for _ in range(rounds):
            await mesh.flow(seconds)
            await floor.flow(WARMING + seconds * A_SECOND)
            began_ns.append(boot_ns_now())
        stamps, passed = await mesh.end(), floor.end()
        return _rows([_round(stamps, passed, first_ns, last_ns) for first_ns, last_ns in pairwise(began_ns)])


def _round(stamps: Mapping[str, Mapping[str, int]], passed: Iterable[Passed], first_ns: int, last_ns: int) -> _Round:
    """Return what one round took, by what was sent between two moments."""
    told = [intent for intent, at_ns in stamps["told"].items() if first_ns <= at_ns < last_ns]
    whole = [intent for intent in told if intent in stamps["handed over"]]
    hops = {WHOLE: [stamps["handed over"][intent] - stamps["told"][intent] for intent in whole]}
    for before, step in pairwise(STEPS):
        hops[f"{before} -> {step}"] = [stamps[step][intent] - stamps[before][intent] for intent in whole]
    bare = [one for one in passed if first_ns <= one.sent_ns < last_ns][WARMING:]
    return _Round(
        hops_ns=hops,
        floor_ns=[one.came_ns - one.sent_ns for one in bare],
        floor_of_three_ns=[one.durable_ns - one.sent_ns for one in bare],
        missing=len(told) - len(whole),
    )


def _rows(rounds: Sequence[_Round]) -> list[OrderRow]:
    hops = {what: [ns for one in rounds for ns in one.hops_ns[what]] for what in rounds[0].hops_ns}
    floors = {
        FLOOR: [ns for one in rounds for ns in one.floor_ns],
        FLOOR_OF_THREE: [ns for one in rounds for ns in one.floor_of_three_ns],
    }
    rows = [_row(what, taken_ns) for what, taken_ns in [*hops.items(), *floors.items()]]
    whole, floor = rows[0], next(row for row in rows if row.what == FLOOR)
    medians = [statistics.median(one.hops_ns[WHOLE]) / statistics.median(one.floor_ns) for one in rounds]
    rows[0] = msgspec.structs.replace(
        whole, ratio_p50=round(statistics.median(medians), 2), ratio_p99=round(whole.p99_us / floor.p99_us, 2)
    )
    return [*rows[1 : len(hops)], rows[0], *rows[len(hops) :], _missing(sum(one.missing for one in rounds))]


def _row(what: str, taken_ns: Iterable[int]) -> OrderRow:
    ordered = sorted(taken_ns)
    p50_us, p99_us = statistics.median(ordered) / 1_000, ordered[len(ordered) * 99 // 100] / 1_000
    return OrderRow(what, len(ordered), round(p50_us, 1), round(p99_us, 1))


def _missing(count: int) -> OrderRow:
    return OrderRow(MISSING, count, 0.0, 0.0)


def measured(rounds: int = ROUNDS, seconds: int = SECONDS) -> list[OrderRow]:
    """Measure the way of an order, in turn with the floor."""
    return uvloop.run(_measured(rounds, seconds))


def table(rows: Sequence[OrderRow]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'hop':36} {'entries':>8} {'p50 us':>10} {'p99 us':>10} {'to floor':>16}"]
    for row in rows:
        ratio = "" if row.ratio_p50 is None else f"{row.ratio_p50:.2f}x / {row.ratio_p99:.2f}x"
        lines.append(f"{row.what:36} {row.count:8} {row.p50_us:10.1f} {row.p99_us:10.1f} {ratio:>16}")
    return "\n".join(lines)


def verdicts(rows: Sequence[OrderRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    by_name = {row.what: row for row in rows}
    whole, of_three, missing = by_name[WHOLE], by_name[FLOOR_OF_THREE], by_name[MISSING].count
    ratios = (("at the median", whole.ratio_p50 or 0.0), ("at p99", whole.ratio_p99 or 0.0))
    return [
        *(
            f"from the deciding message to the hand-over it takes {ratio:.2f} times the bare four hops and two writes "
            f"{where}, goal at most {GOAL_RATIO}: " + ("met" if ratio <= GOAL_RATIO else "MISSED")
            for where, ratio in ratios
        ),
        (
            "the mesh has three of these four hops; of a floor of three it takes "
            f"{whole.p50_us / of_three.p50_us:.2f} times the median, and {whole.p99_us / of_three.p99_us:.2f} times p99"
        ),
        f"{missing} decisions of {missing + whole.count} were not handed over, goal none: "
        + ("MISSED" if missing else "met"),
    ]
