"""A drain says that it is about to read, before it reads."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
import zmq

from shared.mesh.bus.drain import BATCH_NS_MAX
from tests.shared.mesh.bus.conftest import Mesh

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


async def test_a_turn_is_announced_before_anything_is_read(mesh: Mesh, eventually: Eventually) -> None:
    """Whoever wants to know is told of every turn of a socket before the messages that waited are handed on."""
    happened: list[str] = []
    risk = mesh.process("risk", on_turn=lambda: happened.append("waiting" if socket.poll(0) else "nothing waits"))
    socket = risk.hub.bind(zmq.ROUTER, "control")
    risk.hub.drain(socket, lambda parts: happened.append(parts[-1].decode()))
    asking = mesh.process("operator").hub.connect(zmq.DEALER, "risk", "control")
    await eventually(lambda: asking.poll(0, zmq.POLLOUT))
    asking.send(b"a message")
    await eventually(lambda: "a message" in happened)
    assert happened[happened.index("a message") - 1] == "waiting"


@pytest.mark.parametrize(("held_ns", "turns"), [(0, 1), (BATCH_NS_MAX + 1, 3)], ids=["quick", "long"])
async def test_a_message_that_took_long_ends_its_batch(
    mesh: Mesh, eventually: Eventually, held_ns: int, turns: int
) -> None:
    """What was queued while a handler held the loop is not handed on before the next turn is announced."""
    happened: list[str] = []
    risk = mesh.process("risk", on_turn=lambda: happened.append("a turn"))
    socket = risk.hub.bind(zmq.ROUTER, "control")

    def handle(parts: list[bytes]) -> None:
        happened.append(parts[-1].decode())
        until_ns = time.perf_counter_ns() + held_ns
        while time.perf_counter_ns() < until_ns:
            pass

    asking = mesh.process("operator").hub.connect(zmq.DEALER, "risk", "control")
    await eventually(lambda: asking.poll(0, zmq.POLLOUT))
    for number in ("1", "2", "3"):
        asking.send(number.encode())
    await asyncio.sleep(0.1)  # all three shall have arrived before the first is read
    risk.hub.drain(socket, handle)
    await eventually(lambda: "3" in happened)
    read = happened[happened.index("1") - 1 : happened.index("3")]
    assert read.count("a turn") == turns
