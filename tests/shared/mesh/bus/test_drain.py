"""A drain says that it is about to read, before it reads."""

from collections.abc import Awaitable, Callable

import zmq

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
