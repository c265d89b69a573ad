"""What the exchange's face costs: an order through ccxt, held against a bare echo, and how many events it delivers.

Both servers live in a process of their own. The two take turns with orders from the same unmodified ccxt; then raw
clients follow one stream while trades are made, each of them matched, told and delivered to every client.
"""

import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, cast

import msgspec
import uvloop

from tests.services.sim_exchange.face.venue import Binance, ccxt_at

RATIO_GOAL: Final = 2.0
DELIVERIES_GOAL: Final = 15_000
ROUNDS: Final = 15
ORDERS: Final = 100  # per round and server
CLIENTS: Final = 20
TRADES: Final = 5_000
FLOODS: Final = 3
PROJECT: Final = Path(__file__).parents[2]
MARK: Final = b'"e":"trade"'


class FaceRow(msgspec.Struct, frozen=True):
    """One figure: the median of the rounds, the least and the most of them."""

    what: str
    unit: str
    median: float
    least: float
    most: float
    to_echo: float | None = None


class _Counter(asyncio.Protocol):
    """A raw client that counts the events it is sent, and understands nothing else of them."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tail = b""
        self._count = 0
        self._wanted = 0
        self.upgraded: Final = asyncio.get_running_loop().create_future()
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(
            f"GET {self._path} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.upgraded.done():
            self.upgraded.set_result(None)
        data = self._tail + data
        self._count += data.count(MARK)
        self._tail = data[-len(MARK) + 1 :]
        if self._count >= self._wanted and not self.done.done():
            self.done.set_result(None)

    def expect(self, count: int) -> None:
        """Count from now on, up to so many."""
        self._count, self._wanted = 0, count
        self.done = asyncio.get_running_loop().create_future()


async def _order_seconds(client: Binance) -> float:
    began_ns = time.perf_counter_ns()
    for _ in range(ORDERS):
        await client.create_order("BTC/USDT", "limit", "buy", 0.0001, 50_000)
    return (time.perf_counter_ns() - began_ns) / 1e9 / ORDERS


async def _round_trips(face_port: int, echo_port: int) -> list[FaceRow]:
    async with ccxt_at(face_port) as face, ccxt_at(echo_port) as echo:
        markets = await face.load_markets()
        echo.set_markets(markets)
        taken: list[tuple[float, float]] = []
        for number in range(-1, ROUNDS):
            pair = (await _order_seconds(face), await _order_seconds(echo))
            await face.cancel_all_orders("BTC/USDT")
            if number >= 0:  # the first only warms up
                taken.append(pair)
    ratio = statistics.median(mine / theirs for mine, theirs in taken)
    return [
        _row("an order through ccxt", "ms", [1_000 * mine for mine, _ in taken], round(ratio, 2)),
        _row("the same to a bare echo", "ms", [1_000 * theirs for _, theirs in taken]),
    ]


async def _deliveries(port: int, orders: asyncio.StreamWriter) -> FaceRow:
    loop = asyncio.get_running_loop()
    rates: list[float] = []
    async with AsyncExitStack() as stack:
        counters = []
        for _ in range(CLIENTS):
            transport, counter = await loop.create_connection(lambda: _Counter("/ws/btcusdt@trade"), "127.0.0.1", port)
            stack.callback(transport.close)
            await counter.upgraded
            counters.append(counter)
        for _ in range(FLOODS):
            for counter in counters:
                counter.expect(TRADES)
            began_ns = time.perf_counter_ns()
            orders.write(f"{TRADES}\n".encode())
            await asyncio.gather(*(counter.done for counter in counters))
            rates.append(CLIENTS * TRADES * 1e9 / (time.perf_counter_ns() - began_ns))
    return _row(f"events to {CLIENTS} raw clients", "1/s", rates)


async def _measured() -> list[FaceRow]:
    peer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.face_peer",
        cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert peer.stdin is not None
    assert peer.stdout is not None
    face_port, echo_port = map(int, (await peer.stdout.readline()).split())
    try:
        return [*await _round_trips(face_port, echo_port), await _deliveries(face_port, peer.stdin)]
    finally:
        peer.stdin.close()
        await peer.wait()


def _row(what: str, unit: str, figures: list[float], to_echo: float | None = None) -> FaceRow:
    median, least, most = (round(of(figures), 3) for of in (statistics.median, min, max))
    return FaceRow(what, unit, median, least, most, to_echo)


def measured() -> list[FaceRow]:
    """Measure orders, then streams."""
    return uvloop.run(_measured())


def table(rows: list[FaceRow]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':26} {'median':>11} {'least':>11} {'most':>11} {'to echo':>8}  unit"]
    for row in rows:
        ratio = "" if row.to_echo is None else f"{row.to_echo:.2f}x"
        lines.append(f"{row.what:26} {row.median:11.3f} {row.least:11.3f} {row.most:11.3f} {ratio:>8}  {row.unit}")
    return "\n".join(lines)


def verdicts(rows: list[FaceRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    ratio = next(row.to_echo for row in rows if row.to_echo is not None)
    deliveries = rows[-1].median
    return [
        f"an order takes {ratio:.2f} times the round trip to a bare echo, goal at most {RATIO_GOAL:.0f}: "
        + ("met" if ratio <= RATIO_GOAL else "MISSED"),
        f"{deliveries:,.0f} events a second are delivered, goal {DELIVERIES_GOAL:,}: "
        + ("met" if deliveries >= DELIVERIES_GOAL else "MISSED"),
    ]
