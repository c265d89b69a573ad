"""A drain says that it is about to read, before it reads."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
import zmq

from shared.mesh.bus.drain import BATCH_NS_MAX, Drain
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


@pytest.mark.parametrize("held_ns", [0, BATCH_NS_MAX + 1], ids=["quick", "long"])
async def test_a_message_that_took_long_ends_its_batch(eventually: Eventually, held_ns: int) -> None:
    """What was queued while a handler held the loop is not handed on before the next turn is announced."""
    happened: list[tuple[str, int]] = []

    def note(what: str) -> None:
        happened.append((what, time.perf_counter_ns()))

    def handle(parts: list[bytes]) -> None:
        note(parts[-1].decode())
        until_ns = time.perf_counter_ns() + held_ns
        while time.perf_counter_ns() < until_ns:
            pass

    with zmq.Context() as context, context.socket(zmq.PAIR) as reading, context.socket(zmq.PAIR) as writing:
        # Within a process what is sent can be read at once: all three wait before the first is read.
        reading.bind("inproc://drained")
        writing.connect("inproc://drained")
        for number in ("1", "2", "3"):
            writing.send(number.encode())
        drain = Drain(
            loop=asyncio.get_running_loop(),
            socket=reading,
            on_parts=handle,
            on_turn=lambda: note("a turn"),
            whole_frames=False,
        )
        await eventually(lambda: "3" in dict(happened))
        drain.close()
    read = happened[: [what for what, _ in happened].index("3") + 1]
    turns = [what for what, _ in read].count("a turn")
    # A machine that keeps us waiting in the middle of a batch makes it a long one, too.
    assert turns == (3 if held_ns else 1) or (not held_ns and read[-1][1] - read[0][1] > BATCH_NS_MAX)
