"""What the bus costs between two real processes, against the least that ZeroMQ costs from Python.

The floor is pyzmq's blocking sockets with a payload of the same size, bare and encrypted; ours is always encrypted but
for one row, which shows a hop of ours without.
The ways take turns in short rounds, each with a new pair of processes, so that a machine that slows down slows all of
them, and a goal is held against the median of the rounds' ratios. A floor's hop starts from the same timer of the same
loop as ours, because what a sleeping core takes to wake is no cost of the bus; its reader blocks, as a lean one would.
"""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

import msgspec
import uvloop
import zmq

from proto.codec import EnvelopeCodec
from proto.control import AskLimits
from proto.fields import Role
from proto.market import TradeSeen
from shared.mesh.bus.keys import create_keys
from shared.mesh.bus.requests import Requester
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import Publisher
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from tests.bench.bus_peer import TOPIC, a_hub, floor_socket, in_short

HOP_GOAL_RATIO: Final = 1.6
THROUGHPUT_GOAL: Final = 300_000
RATE_HZ: Final = 1_000
ROUNDS: Final = 3
WARMING_MESSAGES: Final = 1_000  # until the reader is connected, and warm
HOPS: Final = 500
ROUND_TRIPS: Final = 500
FLOOD_BATCH: Final = 64
FLOOD_NS: Final = 500_000_000  # shorter than the second after which a reader sheds its queue
FLOOD_MESSAGES_MAX: Final = 10_000_000
PAYLOAD_BYTES: Final = 120  # a trade in its packet
OURS: Final = "bowline"
OURS_BARE: Final = "bowline without CURVE"
_TRADE: Final = TradeSeen(symbol="BTC/USDT", price=64000.12, quantity=0.0123, taker_side="buy", trade_id="4711")


Measured = dict[str, float]


class BusRow(msgspec.Struct, frozen=True):
    """One way of carrying messages: medians over the rounds, in microseconds, or messages a second.

    `to_bare` compares the median of each round with the bare floor's in the same round, `to_floor` with that of the
    floor that is encrypted, or not, as this way is.
    """

    what: str
    way: str
    p50_us: float
    p99_us: float
    per_second: float
    to_bare: float | None
    to_floor: float | None


def _floor(*, secured: bool) -> str:
    return "blocking pyzmq, CURVE" if secured else "blocking pyzmq"


def _peer(role: str, run_directory: Path, count: int) -> subprocess.Popen[str]:
    arguments = [role, str(run_directory), str(count)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bus_peer", *arguments], stdout=subprocess.PIPE, text=True
    )


def _result(peer: subprocess.Popen[str]) -> Measured:
    said, _ = peer.communicate(timeout=120)
    measured: Measured = json.loads(said)
    return measured


class _Feed:
    def __init__(self, run_directory: Path, *, secured: bool = True) -> None:
        self.hub = a_hub("feed", run_directory, secured=secured)
        self._clock = SystemClock()
        self.publisher = Publisher(
            hub=self.hub,
            sender=Sender(instance="feed", epoch=1, clock=self._clock),
            clock=self._clock,
            codec=EnvelopeCodec(),
            on_request=lambda _: None,
        )

    def publish(self, sent_ns: int) -> None:
        self.publisher.publish(TOPIC, _TRADE, exchange_time_ns=sent_ns, received_wall_ns=sent_ns)


async def _paced(publish: Callable[[int], None], peer: subprocess.Popen[str]) -> None:
    for _ in range(WARMING_MESSAGES):
        publish(0)
        await asyncio.sleep(1 / RATE_HZ)
    while peer.poll() is None:
        publish(time.perf_counter_ns())
        await asyncio.sleep(1 / RATE_HZ)


async def _hops(run_directory: Path, *, secured: bool) -> Measured:
    feed = _Feed(run_directory, secured=secured)
    peer = _peer("stream" + ("-secured" if secured else ""), run_directory, HOPS)
    await _paced(feed.publish, peer)
    feed.hub.close()
    return _result(peer)


async def _floor_hops(run_directory: Path, *, secured: bool) -> Measured:
    socket = floor_socket(zmq.PUB, run_directory, binds=True, secured=secured)
    peer = _peer("floor-stream" + ("-secured" if secured else ""), run_directory, HOPS)
    filling = bytes(PAYLOAD_BYTES - 8)
    await _paced(lambda sent_ns: socket.send(sent_ns.to_bytes(8, "big") + filling), peer)
    socket.close(linger=0)
    return _result(peer)


async def _round_trips(run_directory: Path) -> Measured:
    peer = _peer("answer", run_directory, ROUND_TRIPS)
    clock = SystemClock()
    hub = a_hub("operator", run_directory)
    requester = Requester(
        hub=hub,
        instance="risk",
        name="control",
        sender=Sender(instance="operator", epoch=1, clock=clock),
        clock=clock,
        codec=EnvelopeCodec(),
    )
    taken_ns = []
    for _ in range(ROUND_TRIPS):
        asked_ns = time.perf_counter_ns()
        await requester.ask(AskLimits(actor="bench"))
        taken_ns.append(time.perf_counter_ns() - asked_ns)
    hub.close()
    _result(peer)
    return in_short(taken_ns[ROUND_TRIPS // 5 :])


def _floor_round_trips(run_directory: Path, *, secured: bool) -> Measured:
    peer = _peer("floor-answer" + ("-secured" if secured else ""), run_directory, ROUND_TRIPS)
    socket = floor_socket(zmq.REQ, run_directory, binds=False, secured=secured)
    payload, taken_ns = bytes(PAYLOAD_BYTES), []
    for _ in range(ROUND_TRIPS):
        asked_ns = time.perf_counter_ns()
        socket.send(payload)
        socket.recv()
        taken_ns.append(time.perf_counter_ns() - asked_ns)
    socket.close(linger=0)
    _result(peer)
    return in_short(taken_ns[ROUND_TRIPS // 5 :])


async def _flood(run_directory: Path) -> Measured:
    feed = _Feed(run_directory)
    peer = _peer("stream-secured", run_directory, FLOOD_MESSAGES_MAX)
    for _ in range(WARMING_MESSAGES):
        feed.publish(0)
        await asyncio.sleep(0.001)
    until_ns = time.perf_counter_ns() + FLOOD_NS
    while time.perf_counter_ns() < until_ns:
        for _ in range(FLOOD_BATCH):
            feed.publish(time.perf_counter_ns())
        await asyncio.sleep(0)
    await asyncio.to_thread(peer.wait)
    feed.hub.close()
    return _result(peer)


def _in_turn(what: str, ways: dict[str, Callable[[], Measured]]) -> list[BusRow]:
    rounds = [{way: measure() for way, measure in ways.items()} for _ in range(ROUNDS)]

    def median(way: str, name: str) -> float:
        return round(statistics.median(measured[way].get(name, 0.0) for measured in rounds), 1)

    def ratio(way: str, *, secured: bool) -> float | None:
        floor = _floor(secured=secured)
        if floor not in ways:
            return None
        return round(statistics.median(measured[way]["p50_us"] / measured[floor]["p50_us"] for measured in rounds), 2)

    return [
        BusRow(
            what=what,
            way=way,
            p50_us=median(way, "p50_us"),
            p99_us=median(way, "p99_us"),
            per_second=median(way, "per_second"),
            to_bare=ratio(way, secured=False),
            to_floor=ratio(way, secured=way in {OURS, _floor(secured=True)}),
        )
        for way in ways
    ]


def measured() -> list[BusRow]:
    """Measure one-way hops, round trips and the most one subscriber takes, floors and ours in turn."""
    run_directory = Path(tempfile.mkdtemp(prefix="bw-"))
    create_keys(PrivateDirectory(run_directory / "keys"), get_args(Role))
    bare, secured = _floor(secured=False), _floor(secured=True)
    hops: dict[str, Callable[[], Measured]] = {
        bare: lambda: uvloop.run(_floor_hops(run_directory, secured=False)),
        secured: lambda: uvloop.run(_floor_hops(run_directory, secured=True)),
        OURS_BARE: lambda: uvloop.run(_hops(run_directory, secured=False)),
        OURS: lambda: uvloop.run(_hops(run_directory, secured=True)),
    }
    round_trips: dict[str, Callable[[], Measured]] = {
        bare: lambda: _floor_round_trips(run_directory, secured=False),
        secured: lambda: _floor_round_trips(run_directory, secured=True),
        OURS: lambda: uvloop.run(_round_trips(run_directory)),
    }
    flood: dict[str, Callable[[], Measured]] = {OURS: lambda: uvloop.run(_flood(run_directory))}
    try:
        return [*_in_turn("hop", hops), *_in_turn("round trip", round_trips), *_in_turn("flood", flood)]
    finally:
        shutil.rmtree(run_directory)


def table(rows: list[BusRow]) -> str:
    """Lay the figures out for a person."""
    heads = f"{'p50 us':>10} {'p99 us':>10} {'to bare':>8} {'to floor':>8} {'per second':>12}"
    lines = [f"{'what':12} {'way':24} {heads}"]
    for row in rows:
        to_bare, to_floor = ("" if ratio is None else f"{ratio:.2f}x" for ratio in (row.to_bare, row.to_floor))
        figures = f"{row.p50_us:10.1f} {row.p99_us:10.1f} {to_bare:>8} {to_floor:>8} {row.per_second or '':>12}"
        lines.append(f"{row.what:12} {row.way:24} {figures}")
    return "\n".join(lines)


def verdicts(rows: list[BusRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    by_name = {(row.what, row.way): row for row in rows}
    flood = by_name["flood", OURS].per_second
    return [
        *(_hop_verdict(by_name["hop", way]) for way in (OURS_BARE, OURS)),
        f"one subscriber decodes {flood:,.0f} messages/s, encrypted, goal at least {THROUGHPUT_GOAL:,}: "
        + ("met" if flood >= THROUGHPUT_GOAL else "MISSED"),
    ]


def _hop_verdict(row: BusRow) -> str:
    ratio = row.to_floor or 0.0
    return (
        f"a hop of {row.way} takes {ratio:.2f} times blocking sockets encrypted, or not, as it is, "
        f"goal at most {HOP_GOAL_RATIO}: "
        + ("met" if ratio <= HOP_GOAL_RATIO else "MISSED")
        + f" ({row.to_bare:.2f} times the bare ones)"
    )
