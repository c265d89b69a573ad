"""The other process of the bus benchmark: it answers, or reads what is published and says how long that took.

`python -m tests.bench.bus_peer ROLE RUN_DIRECTORY COUNT`; what it measured goes to standard output as JSON.
"""

import asyncio
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvloop
import zmq

from proto.codec import EnvelopeCodec
from proto.control import ControlDone
from shared.core.continuity import Event, Seen
from shared.mesh.bus.hub import Hub, Socket
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.requests import Request, Requester, Responder
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import Subscriber
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory

TOPIC: Final = b"binance/BTC/USDT/trade_seen"
FLOOR_ADDRESS: Final = "floor"
QUIET_SECONDS: Final = 0.5


class HubOfBareStreams(Hub):
    """Leaves streams unencrypted, which no service can: only so is it seen what encryption costs and what the bus."""

    def _secure(self, socket: Socket, *, server_key: bytes | None) -> None:
        if socket.socket_type not in {zmq.PUB, zmq.SUB}:
            super()._secure(socket, server_key=server_key)


def a_hub(instance: str, run_directory: Path, *, secured: bool = True) -> Hub:
    """Open the hub of one of the two processes."""
    return (Hub if secured else HubOfBareStreams)(
        loop=asyncio.get_running_loop(),
        keys=load_key_ring(PrivateDirectory(run_directory / "keys"), instance),
        run_directory=RunDirectory(run_directory),
        overrides={},
    )


def floor_socket(kind: int, run_directory: Path, *, binds: bool, secured: bool, address: str = FLOOR_ADDRESS) -> Socket:
    """Open a bare blocking socket, with or without encryption."""
    socket: Socket = zmq.Context.instance().socket(kind)
    socket.linger = 500
    if secured:
        ours, theirs = ("risk", "operator") if binds else ("operator", "risk")
        ring = load_key_ring(PrivateDirectory(run_directory / "keys"), ours)
        socket.curve_publickey, socket.curve_secretkey = ring.own.public, ring.own.secret
        if binds:
            socket.curve_server = True
        else:
            socket.curve_serverkey = ring.public_keys[theirs]
    endpoint = f"ipc://{run_directory / address}"
    socket.bind(endpoint) if binds else socket.connect(endpoint)
    return socket


def in_short(taken_ns: list[int]) -> dict[str, float]:
    """Say how long something took at the median and for the slowest hundredth, in microseconds."""
    ordered = sorted(taken_ns)
    return {"p50_us": statistics.median(ordered) / 1_000, "p99_us": ordered[len(ordered) * 99 // 100] / 1_000}


class StreamPeer:
    """Reads what the feed publishes and notes how old each message is."""

    def __init__(self, hub: Hub, count: int, finished: Callable[[], None]) -> None:
        clock, codec = SystemClock(), EnvelopeCodec()
        sender = Sender(instance=hub.instance, epoch=1, clock=clock)
        self.ages_ns: list[int] = []
        self.first_ns = self.last_ns = 0
        self._count = count
        self._finished = finished
        self.subscriber = Subscriber(
            hub=hub,
            instance="feed",
            topic_prefix=TOPIC,
            requester=Requester(hub=hub, instance="feed", name="history", sender=sender, clock=clock, codec=codec),
            clock=clock,
            on_events=self._on_events,
        )

    def _on_events(self, events: Sequence[Event]) -> None:
        now_ns = time.perf_counter_ns()
        for event in events:
            if isinstance(event, Seen) and event.envelope.exchange_time_ns:
                self.ages_ns.append(now_ns - event.envelope.exchange_time_ns)
                self.first_ns = self.first_ns or now_ns
        if self.first_ns:
            self.last_ns = now_ns
        if len(self.ages_ns) >= self._count:
            self._finished()


async def read_stream(run_directory: Path, *, secured: bool, count: int) -> dict[str, float]:
    """Read that many messages over our bus, or, where a flood was shorter than that, all there are."""
    done = asyncio.Event()
    peer = StreamPeer(a_hub("metrics", run_directory, secured=secured), count, done.set)
    seen = 0
    while not done.is_set() and not (seen and seen == len(peer.ages_ns)):
        seen = len(peer.ages_ns)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), QUIET_SECONDS)
    elapsed_seconds = (peer.last_ns - peer.first_ns) / 1e9
    return in_short(peer.ages_ns) | {"per_second": len(peer.ages_ns) / elapsed_seconds}


async def answer(run_directory: Path, *, count: int) -> dict[str, float]:
    """Answer that many requests over our bus."""
    done = asyncio.Event()
    hub, clock, codec = a_hub("risk", run_directory), SystemClock(), EnvelopeCodec()
    answered = 0

    def on_request(request: Request) -> None:
        nonlocal answered
        responder.answer(request, ControlDone(summary="done"))
        answered += 1
        if answered >= count:
            hub.loop.call_later(0.2, done.set)

    responder = Responder(
        hub=hub,
        name="control",
        sender=Sender(instance="risk", epoch=1, clock=clock),
        clock=clock,
        codec=codec,
        on_request=on_request,
    )
    await done.wait()
    return {}


def floor_read(run_directory: Path, *, secured: bool, count: int) -> dict[str, float]:
    """Read that many messages with nothing but a blocking socket."""
    socket = floor_socket(zmq.SUB, run_directory, binds=False, secured=secured)
    socket.subscribe(b"")
    ages_ns: list[int] = []
    while len(ages_ns) < count:
        frame = socket.recv()
        sent_ns = int.from_bytes(frame[:8], "big")
        if sent_ns:
            ages_ns.append(time.perf_counter_ns() - sent_ns)
    return in_short(ages_ns)


def floor_answer(run_directory: Path, *, secured: bool, count: int) -> dict[str, float]:
    """Answer that many requests with nothing but a blocking socket."""
    socket = floor_socket(zmq.REP, run_directory, binds=True, secured=secured)
    for _ in range(count):
        socket.send(socket.recv())
    socket.close()
    return {}


def main(role: str, run_directory: Path, count: int) -> None:
    """Play one role to its end and print what was measured."""
    secured = role.endswith("secured")
    match role.removesuffix("-secured"):
        case "stream":
            measured = uvloop.run(read_stream(run_directory, secured=secured, count=count))
        case "answer":
            measured = uvloop.run(answer(run_directory, count=count))
        case "floor-stream":
            measured = floor_read(run_directory, secured=secured, count=count)
        case _:
            measured = floor_answer(run_directory, secured=secured, count=count)
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
