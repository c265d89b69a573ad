"""Nobody without a known key gets in, nobody reads along, and nobody poses as a dead service."""

import asyncio
import socket as plain_sockets
from collections.abc import Awaitable, Callable

import pytest
import zmq

from proto.control import ControlDone, Kill
from shared.mesh.bus.hub import AddressUnusableError
from shared.mesh.bus.requests import Request, RequestTimedOutError, Responder
from tests.loopback import OUR_HOST, free_port
from tests.shared.mesh.bus.conftest import Mesh, Process

KILL = Kill(actor="ada", reason="prices look wrong")

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


def serve(process: Process, seen: list[Request]) -> Responder:
    """Open risk's control socket."""

    def on_request(request: Request) -> None:
        seen.append(request)
        responder.answer(request, ControlDone(summary="latched"))

    responder = Responder(
        hub=process.hub,
        name="control",
        sender=process.sender,
        clock=process.clock,
        codec=process.codec,
        on_request=on_request,
    )
    return responder


def a_stranger(address: str, *, keys: tuple[bytes, bytes] | None, server_key: bytes) -> zmq.Socket[bytes]:
    """Connect with keys of our own making, or with none."""
    socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    if keys is not None:
        socket.curve_serverkey = server_key
        socket.curve_publickey, socket.curve_secretkey = keys
    socket.connect(address)
    return socket


async def test_an_unknown_key_is_refused_and_counted(mesh: Mesh, eventually: Eventually) -> None:
    """A well-formed key that is on no list gets no message through."""
    risk, seen = mesh.process("risk"), list[Request]()
    serve(risk, seen)
    operator = mesh.process("operator")
    stranger = a_stranger(
        risk.hub.address("risk", "control"),
        keys=zmq.curve_keypair(),
        server_key=risk.hub.public_key_of("risk"),
    )
    stranger.send_multipart([b"", operator.codec.encode(operator.sender.envelope(KILL))])
    await eventually(lambda: risk.hub.gatekeeper.refused["unknown key"] > 0)
    assert not seen
    stranger.close()


async def test_no_key_is_refused(mesh: Mesh) -> None:
    """A peer that speaks without encryption is not answered, and the next lawful request is."""
    risk, seen = mesh.process("risk"), list[Request]()
    serve(risk, seen)
    operator = mesh.process("operator")
    stranger = a_stranger(risk.hub.address("risk", "control"), keys=None, server_key=b"")
    stranger.send_multipart([b"", operator.codec.encode(operator.sender.envelope(KILL))])
    assert not await asyncio.to_thread(stranger.poll, 500)
    assert not seen
    await operator.asks("risk", "control").ask(KILL)
    assert len(seen) == 1
    stranger.close()


async def test_garbage_and_slow_greetings_harm_nobody(mesh: Mesh) -> None:
    """Peers that send noise, or a byte and then nothing, leave the service answering."""
    port = free_port()
    risk, seen = mesh.process("risk", risk__control=f"tcp://{OUR_HOST}:{port}"), list[Request]()
    serve(risk, seen)
    noise = [plain_sockets.create_connection((OUR_HOST, port)) for _ in range(50)]
    for number, connection in enumerate(noise):
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n" if number % 2 else b"\xff")
    operator = mesh.process("operator", risk__control=f"tcp://{OUR_HOST}:{port}")
    await operator.asks("risk", "control").ask(KILL)
    assert len(seen) == 1
    for connection in noise:
        connection.close()


async def test_an_imposter_on_a_dead_services_address_is_not_believed(mesh: Mesh) -> None:
    """Whoever takes a dead service's address, without its key, gets no request and gives no answer."""
    port = free_port()
    imposter: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
    imposter.curve_server = True
    imposter.curve_publickey, imposter.curve_secretkey = zmq.curve_keypair()
    imposter.linger = 0
    imposter.bind(f"tcp://{OUR_HOST}:{port}")
    operator = mesh.process("operator", risk__control=f"tcp://{OUR_HOST}:{port}")
    with pytest.raises(RequestTimedOutError):
        await operator.asks("risk", "control").ask(KILL)
    assert not imposter.poll(0)
    imposter.close()


async def test_an_eavesdropper_reads_nothing(mesh: Mesh) -> None:
    """What crosses the wire holds no word of the message."""
    behind = free_port()
    heard = bytearray()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(OUR_HOST, behind)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                heard.extend(data)
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    seen: list[Request] = []
    serve(mesh.process("risk", risk__control=f"tcp://{OUR_HOST}:{behind}"), seen)
    wire = await asyncio.start_server(forward, OUR_HOST, 0)
    port = wire.sockets[0].getsockname()[1]
    operator = mesh.process("operator", risk__control=f"tcp://{OUR_HOST}:{port}")
    await operator.asks("risk", "control").ask(KILL)
    mesh.end_all()
    wire.close()
    assert len(heard) > 500
    for word in (b"kill", b"ada", b"prices", b"latched", b"operator-1"):
        assert word not in heard


async def test_an_address_that_is_taken_is_said_plainly(mesh: Mesh) -> None:
    """A port that another program holds ends the start with the address and the reason."""
    with plain_sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressUnusableError, match=r"risk\.control cannot be bound at"):
            serve(mesh.process("risk", risk__control=address), [])
