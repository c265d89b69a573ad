"""What the feed costs on the way of a tick, how much it carries, and what it takes of the machine.

A paced venue tells the real feed, whose messages a subscriber reads over the encrypted bus; in turn with it the same
venue tells ccxt alone, which is the floor: a `watch_trades` in a process of its own. From the venue's send to the hands
of whoever reads, both are measured by the clock that all processes of a host share. Then the venue floods the feed,
and at last it tells fifty symbols at a pace that a market has.
"""

import asyncio
import math
import shutil
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self, TypeVar

import msgspec
import uvloop

from services.redis_server.program import server_program
from tests.bench.feed_peer import Came, Wanted
from tests.bench.feed_venue import Flow, Kind
from tests.bench.lines import Row
from tests.bench.measure import cpu_seconds, resident_bytes
from tests.house.tree import CHECKOUT
from tests.loopback import THIS_HOST, free_port
from tests.services.feed_handler.feed_project import FeedProject
from tests.services.metrics.redis_server import RedisServer

ADDED_GOAL_MS: Final = 0.3
THROUGHPUT_GOAL: Final = 5_000
RATES: Final = (1_000, 3_000)
FLOW_SECONDS: Final = 1.0
ROUNDS: Final = 3
FLOOD_MESSAGES: Final = 25_000
FLOODS: Final = 3
PER_SYMBOL: Final = 10  # messages a second: what a busy symbol has
FEW: Final = tuple(f"{coin}/USDT" for coin in ("BTC", "ETH", "SOL", "BNB", "XRP"))
MANY: Final = (*FEW, *(f"COIN{number}/USDT" for number in range(5, 50)))
BOTH: Final[tuple[Kind, ...]] = ("aggTrade", "bookTicker")
LOAD_SECONDS: Final = 5.0
LOAD: Final = f"{len(MANY)} symbols at {PER_SYMBOL}/s"
FEED, CCXT, VENUE, BUS = "the feed", "ccxt alone", "the venue", "the subscriber"
ADDED: Final = "added at p50, ms"
MISSING: Final = "missing"
TO_FEW, TO_CCXT, TO_MANY = range(3)  # the stands of the venue

_T = TypeVar("_T")


class FeedRow(msgspec.Struct, frozen=True):
    """One figure: the median of the rounds, the least and the most of them."""

    what: str
    figure: str
    median: float
    least: float
    most: float


class _Peer:
    """A process of ours that answers lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process_id: Final = process.pid
        self._process: Final = process

    @classmethod
    async def started(cls, module: str, *words: str) -> Self:
        """Start a module of ours."""
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", f"tests.bench.{module}", *words]
        return cls(await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, limit=2**26))

    def say(self, what: object) -> None:
        """Say a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")

    async def heard(self, kind: type[_T]) -> _T:
        """Return what is answered."""
        assert self._process.stdout is not None
        return msgspec.json.decode(await self._process.stdout.readline(), type=kind)

    async def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class _Way:
    """From the venue to one reader."""

    def __init__(self, *, venue: _Peer, stand: int, reader: _Peer, symbols: Sequence[str]) -> None:
        self._venue: Final = venue
        self._stand: Final = stand
        self._reader: Final = reader
        self._market_ids: Final = tuple(symbol.replace("/", "") for symbol in symbols)

    async def flowed(self, *, count: int, per_second: int | None, kinds: tuple[Kind, ...] = ("aggTrade",)) -> "_Flowed":
        """Let messages flow, and return what came of them."""
        flow = Flow(self._stand, count, per_second, self._market_ids, kinds)
        self._venue.say(flow)
        sent = await self._venue.heard(list[Row])
        self._reader.say(Wanted(count))
        return _Flowed(count, sent, await self._reader.heard(Came))


class _Flowed:
    """What was sent, and what came."""

    def __init__(self, count: int, sent: Sequence[Row], came: Came) -> None:
        came_ns = {(row.market_id, row.trade_id): row.at_ns for row in came.trades}
        taken_ns = [
            came_ns[row.market_id, row.trade_id] - row.at_ns for row in sent if (row.market_id, row.trade_id) in came_ns
        ]
        self.missing: Final = count - came.messages + len(sent) - len(taken_ns) + came.breaks
        self.taken_ms: Final = [taken / 1e6 for taken in sorted(taken_ns)]
        self.per_second: Final = came.messages * 1e9 / max(came.last_ns - came.first_ns, 1)

    @property
    def p50_ms(self) -> float:
        """Return what half of the trades took at most; without end where none came."""
        return statistics.median(self.taken_ms) if self.taken_ms else math.inf

    @property
    def p99_ms(self) -> float:
        """Return what all but the slowest hundredth took at most; without end where none came."""
        return self.taken_ms[len(self.taken_ms) * 99 // 100] if self.taken_ms else math.inf


async def _started(stack: AsyncExitStack, module: str, *words: str) -> _Peer:
    peer = await _Peer.started(module, *words)
    stack.push_async_callback(peer.end)
    return peer


def _project(stack: AsyncExitStack, url: str, symbols: Sequence[str], *, redis: str = "off") -> FeedProject:
    project = stack.enter_context(FeedProject())
    project.set(
        f"venue: {{url: '{url}', symbols: [{', '.join(symbols)}]}}\nmetrics: {{port: {free_port(THIS_HOST)}}}\n"
        f"redis: {{url: '{redis}'}}\nlogs: {{format: json}}\n"
    )
    return project


async def _with_few(venue: _Peer, urls: Sequence[str]) -> list[FeedRow]:
    """Measure the way of a tick, in turn with ccxt alone, and then a flood."""
    async with AsyncExitStack() as stack:
        project = _project(stack, urls[TO_FEW], FEW)
        project.start_feed()
        subscriber = await _started(stack, "feed_peer", "subscriber", str(project.root))
        ccxt = await _started(stack, "feed_peer", "ccxt", urls[TO_CCXT], *FEW)
        ways = {
            CCXT: _Way(venue=venue, stand=TO_CCXT, reader=ccxt, symbols=FEW),
            FEED: _Way(venue=venue, stand=TO_FEW, reader=subscriber, symbols=FEW),
        }
        for reader in (subscriber, ccxt):
            await reader.heard(str)
        rows: list[FeedRow] = []
        for rate in RATES:
            rounds = [
                {who: await way.flowed(count=int(rate * FLOW_SECONDS), per_second=rate) for who, way in ways.items()}
                for _ in range(-1, ROUNDS)
            ][1:]  # the first only warms up
            rows += _compared(f"{rate:,} trades/s", rounds)
        return [*rows, *await _floods(f"flood of trades of {len(FEW)} symbols", ways[FEED], ("aggTrade",))]


async def _with_many(venue: _Peer, url: str) -> list[FeedRow]:
    """Measure a flood of all there is to tell of many symbols, and what the processes take where it is no flood."""
    async with AsyncExitStack() as stack:
        redis = RedisServer(server_program())
        stack.callback(shutil.rmtree, redis.folder)
        redis.start()
        stack.callback(redis.kill)
        project = _project(stack, url, MANY, redis=f"unix://{redis.socket}")
        feed = project.start_feed()
        subscriber = await _started(stack, "feed_peer", "subscriber", str(project.root))
        await subscriber.heard(str)
        way = _Way(venue=venue, stand=TO_MANY, reader=subscriber, symbols=MANY)
        await way.flowed(count=THROUGHPUT_GOAL, per_second=THROUGHPUT_GOAL, kinds=BOTH)  # only warms up
        flood = await _floods(f"flood of trades and quotes of {len(MANY)} symbols", way, BOTH)
        held = [await way.flowed(count=THROUGHPUT_GOAL, per_second=THROUGHPUT_GOAL, kinds=BOTH) for _ in range(FLOODS)]
        metrics = project.start_metrics()
        rate = PER_SYMBOL * len(MANY)
        await way.flowed(count=rate, per_second=rate, kinds=BOTH)
        process_ids = {FEED: feed.pid, "metrics": metrics.pid, VENUE: venue.process_id, BUS: subscriber.process_id}
        before = {who: cpu_seconds(process_id) for who, process_id in process_ids.items()}
        began_ns = time.perf_counter_ns()
        await way.flowed(count=int(rate * LOAD_SECONDS), per_second=rate, kinds=BOTH)
        elapsed_seconds = (time.perf_counter_ns() - began_ns) / 1e9
        load = []
        for who, process_id in process_ids.items():
            used_percent = 100 * (cpu_seconds(process_id) - before[who]) / elapsed_seconds
            load += [_row(LOAD, f"{who}, % of a core", [used_percent])]
            load += [_row(LOAD, f"{who}, MB", [resident_bytes(process_id) / 1e6])]
        return [*flood, *_of(f"{THROUGHPUT_GOAL:,} trades and quotes/s", FEED, held), *load]


async def _floods(what: str, way: _Way, kinds: tuple[Kind, ...]) -> list[FeedRow]:
    floods = [await way.flowed(count=FLOOD_MESSAGES, per_second=None, kinds=kinds) for _ in range(FLOODS)]
    return [
        _row(what, "messages/s", [flowed.per_second for flowed in floods]),
        _row(what, MISSING, [flowed.missing for flowed in floods]),
    ]


def _compared(what: str, rounds: Sequence[Mapping[str, _Flowed]]) -> list[FeedRow]:
    """Hold the feed against ccxt alone, round by round."""
    feed, ccxt = ([flowed[who] for flowed in rounds] for who in (FEED, CCXT))
    pairs = list(zip(feed, ccxt, strict=True))
    return [
        *_of(what, CCXT, ccxt),
        *_of(what, FEED, feed),
        _row(what, ADDED, [ours.p50_ms - theirs.p50_ms for ours, theirs in pairs]),
        _row(what, "added at p99, ms", [ours.p99_ms - theirs.p99_ms for ours, theirs in pairs]),
    ]


def _of(what: str, who: str, flows: Sequence[_Flowed]) -> list[FeedRow]:
    return [
        _row(what, f"{who}, p50, ms", [flowed.p50_ms for flowed in flows]),
        _row(what, f"{who}, p99, ms", [flowed.p99_ms for flowed in flows]),
        _row(what, f"{who}, {MISSING}", [flowed.missing for flowed in flows]),
    ]


def _row(what: str, figure: str, figures: Sequence[float]) -> FeedRow:
    median, least, most = (round(of(figures), 3) for of in (statistics.median, min, max))
    return FeedRow(what, figure, median, least, most)


async def _measured() -> list[FeedRow]:
    market_ids = [symbol.replace("/", "") for symbol in MANY]
    async with AsyncExitStack() as stack:
        venue = await _started(stack, "feed_venue", *market_ids)
        urls = await venue.heard(list[str])
        return [*await _with_few(venue, urls), *await _with_many(venue, urls[TO_MANY])]


def measured() -> list[FeedRow]:
    """Measure the way of a tick, floods, and a load."""
    return uvloop.run(_measured())


def table(rows: Sequence[FeedRow]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':42} {'figure':32} {'median':>10} {'least':>10} {'most':>10}"]
    for row in rows:
        digits = 0 if row.median >= 1_000 else 3 if "ms" in row.figure else 1
        figures = " ".join(f"{figure:10,.{digits}f}" for figure in (row.median, row.least, row.most))
        lines.append(f"{row.what:42} {row.figure:32} {figures}")
    return "\n".join(lines)


def verdicts(rows: Sequence[FeedRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    added = [row for row in rows if row.figure == ADDED]
    floods = [row for row in rows if row.figure == "messages/s"]
    missing = sum(row.most for row in rows if row.figure.endswith(MISSING))
    return [
        *(
            f"at {row.what} the feed adds {row.median:.2f} ms to what ccxt alone takes at the median, goal at most "
            f"{ADDED_GOAL_MS} ms: " + ("met" if row.median <= ADDED_GOAL_MS else "MISSED")
            for row in added
        ),
        *(
            f"{row.what}: one feed carries {row.median:,.0f} messages/s, what {row.median / PER_SYMBOL:,.0f} symbols "
            f"tell at {PER_SYMBOL}/s, goal at least {THROUGHPUT_GOAL:,}: "
            + ("met" if row.median >= THROUGHPUT_GOAL else "MISSED")
            for row in floods
        ),
        f"{missing:.0f} messages are missing at their readers, goal none: " + ("MISSED" if missing else "met"),
    ]
