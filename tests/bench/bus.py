"""What the bus costs between two real processes, against the least that ZeroMQ costs from Python.

The floor is pyzmq's blocking sockets with a payload of the same size, bare and encrypted; ours is always encrypted.
Goals are ratios of medians in one run.
"""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
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
HOPS: Final = 2_000
ROUND_TRIPS: Final = 1_500
FLOOD_BATCH: Final = 64
FLOOD_NS: Final = 500_000_000  # shorter than the second after which a reader sheds its queue
FLOOD_MESSAGES_MAX: Final = 10_000_000
PAYLOAD_BYTES: Final = 120


class BusRow(msgspec.Struct, frozen=True):
    """One way of carrying messages: medians and 99th percentiles in microseconds, or messages a second."""

    what: str
    way: str
    p50_us: float
    p99_us: float
    per_second: float


def _row(what: str, way: str, measured: dict[str, float]) -> BusRow:
    rounded = {name: round(value, 1) for name, value in measured.items()}
    return BusRow(what, way, rounded["p50_us"], rounded["p99_us"], rounded.get("per_second", 0.0))


def _floor(*, secured: bool) -> str:
    return "blocking pyzmq, CURVE" if secured else "blocking pyzmq"


def _peer(role: str, run_directory: Path, count: int) -> subprocess.Popen[str]:
    arguments = [role, str(run_directory), str(count)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bus_peer", *arguments], stdout=subprocess.PIPE, text=True
    )


def _result(peer: subprocess.Popen[str]) -> dict[str, float]:
    said, _ = peer.communicate(timeout=120)
    measured: dict[str, float] = json.loads(said)
    return measured


class _Feed:
    def __init__(self, run_directory: Path) -> None:
        self.hub = a_hub("feed", run_directory)
        self._clock = SystemClock()
        self.publisher = Publisher(
            hub=self.hub,
            sender=Sender(instance="feed", epoch=1, clock=self._clock),
            clock=self._clock,
            codec=EnvelopeCodec(),
        )

    def publish(self, sent_ns: int) -> None:
        body = TradeSeen(symbol="BTC/USDT", price=64000.12, quantity=0.0123, taker_side="buy", trade_id=str(sent_ns))
        self.publisher.publish(TOPIC, body, exchange_time_ns=sent_ns, received_wall_ns=sent_ns)


async def _hops(run_directory: Path) -> BusRow:
    feed = _Feed(run_directory)
    peer = _peer("stream", run_directory, HOPS)
    for _ in range(1_000):  # until the reader is connected, and warm
        feed.publish(0)
        await asyncio.sleep(0.001)
    while peer.poll() is None:
        feed.publish(time.perf_counter_ns())
        await asyncio.sleep(1 / RATE_HZ)
    feed.hub.close()
    return _row("hop", "bowline", _result(peer))


def _floor_hops(run_directory: Path, *, secured: bool) -> BusRow:
    socket = floor_socket(zmq.PUB, run_directory, binds=True, secured=secured)
    peer = _peer("floor-stream" + ("-secured" if secured else ""), run_directory, HOPS)
    filling, never = bytes(PAYLOAD_BYTES - 8), threading.Event()
    next_ns = time.perf_counter_ns()
    warm_until_ns = next_ns + 1_000_000_000
    while peer.poll() is None:
        next_ns += 1_000_000_000 // RATE_HZ
        while (now_ns := time.perf_counter_ns()) < next_ns:
            never.wait((next_ns - now_ns) / 1e9)
        stamp = now_ns.to_bytes(8, "big") if now_ns > warm_until_ns else bytes(8)
        socket.send(stamp + filling)
    socket.close(linger=0)
    return _row("hop", _floor(secured=secured), _result(peer))


async def _round_trips(run_directory: Path) -> BusRow:
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
    return _row("round trip", "bowline", in_short(taken_ns[ROUND_TRIPS // 5 :]))


def _floor_round_trips(run_directory: Path, *, secured: bool) -> BusRow:
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
    return _row("round trip", _floor(secured=secured), in_short(taken_ns[ROUND_TRIPS // 5 :]))


async def _flood(run_directory: Path) -> BusRow:
    feed = _Feed(run_directory)
    peer = _peer("stream", run_directory, FLOOD_MESSAGES_MAX)
    for _ in range(1_500):  # until the reader is connected, and warm
        feed.publish(0)
        await asyncio.sleep(0.001)
    until_ns = time.perf_counter_ns() + FLOOD_NS
    while time.perf_counter_ns() < until_ns:
        for _ in range(FLOOD_BATCH):
            feed.publish(time.perf_counter_ns())
        await asyncio.sleep(0)
    await asyncio.to_thread(peer.wait)
    feed.hub.close()
    return _row("flood", "bowline", _result(peer))


def measured() -> list[BusRow]:
    """Measure one-way hops, round trips and the most one subscriber takes, floors and ours in turn."""
    run_directory = Path(tempfile.mkdtemp(prefix="bw-"))
    create_keys(PrivateDirectory(run_directory / "keys"), get_args(Role))
    try:
        return [
            _floor_hops(run_directory, secured=False),
            _floor_hops(run_directory, secured=True),
            uvloop.run(_hops(run_directory)),
            _floor_round_trips(run_directory, secured=False),
            _floor_round_trips(run_directory, secured=True),
            uvloop.run(_round_trips(run_directory)),
            uvloop.run(_flood(run_directory)),
        ]
    finally:
        shutil.rmtree(run_directory)


def table(rows: list[BusRow]) -> str:
    """Lay the figures out for a person."""
    lines = [f"{'what':12} {'way':24} {'p50 us':>10} {'p99 us':>10} {'per second':>12}"]
    lines += [
        f"{row.what:12} {row.way:24} {row.p50_us:10.1f} {row.p99_us:10.1f} {row.per_second or '':>12}" for row in rows
    ]
    return "\n".join(lines)


def verdicts(rows: list[BusRow]) -> list[str]:
    """Hold the figures to their goals, in words."""
    by_name = {(row.what, row.way): row for row in rows}
    ratio = by_name["hop", "bowline"].p50_us / by_name["hop", _floor(secured=False)].p50_us
    flood = by_name["flood", "bowline"].per_second
    return [
        f"a hop, encrypted, takes {ratio:.2f} times the bare floor, goal at most {HOP_GOAL_RATIO}: "
        + ("met" if ratio <= HOP_GOAL_RATIO else "MISSED"),
        f"one subscriber decodes {flood:,.0f} messages/s, encrypted, goal at least {THROUGHPUT_GOAL:,}: "
        + ("met" if flood >= THROUGHPUT_GOAL else "MISSED"),
    ]
