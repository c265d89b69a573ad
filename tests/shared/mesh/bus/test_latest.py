"""The latest is heard by whoever listens, from those who may say it."""

from collections.abc import Awaitable, Callable

import msgspec
import pytest
import zmq

from proto.control import Kill
from proto.envelope import Body, Envelope
from proto.health import Heartbeat, Hello
from shared.mesh.bus.latest import Announcer, Listener
from shared.mesh.bus.packet import as_written, packed
from tests.shared.mesh.bus.conftest import Mesh, Process

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

HELLO = Hello(
    process_id=1,
    restarts=0,
    build_id="a build",
    schema_digest="0" * 64,
    money_config_digest="0" * 64,
    account_fingerprint=None,
)
KILL = Kill(actor="ada", reason="prices look wrong")


def a_heartbeat(handled: int) -> Heartbeat:
    """Return a heartbeat that can be told from others."""
    return Heartbeat(
        state="running",
        handled=handled,
        queued=0,
        flatten_step=0,
        money_config_digest="0" * 64,
        loop_gap_max_ns=0,
        memory_bytes=0,
        cpu_time_ns=0,
        published=(),
        anchor=None,
        troubles=(),
    )


def announcer(process: Process, name: str = "health") -> Announcer:
    """Open a socket to say things on."""
    return Announcer(hub=process.hub, name=name, sender=process.sender, codec=process.codec)


class Ear:
    """A listener to risk that remembers what it heard."""

    def __init__(self, process: Process, name: str = "health") -> None:
        self.envelopes: list[Envelope] = []
        self.listener = Listener(
            hub=process.hub, instance="risk", name=name, codec=process.codec, on_envelope=self.envelopes.append
        )

    @property
    def bodies(self) -> list[Body]:
        """What was heard, without who said it."""
        return [envelope.body for envelope in self.envelopes]

    def beats(self) -> list[int]:
        """Return the numbers of the heartbeats heard."""
        return [body.handled for body in self.bodies if isinstance(body, Heartbeat)]

    def hears(self, speaking: Announcer, body: Body) -> bool:
        """Say something and tell whether anything of that kind has come over yet."""
        speaking.say(body)
        return any(isinstance(heard, type(body)) for heard in self.bodies)


async def test_every_kind_on_a_socket_is_heard(mesh: Mesh, eventually: Eventually) -> None:
    """A hello is not lost behind a heartbeat: several kinds share a socket, and each has a latest."""
    speaking = announcer(mesh.process("risk"))
    ear = Ear(mesh.process("executor"))
    await eventually(lambda: ear.hears(speaking, a_heartbeat(0)))
    speaking.say(HELLO, cause_id="the-cause")
    speaking.say(a_heartbeat(1))
    await eventually(lambda: 1 in ear.beats())
    assert HELLO in ear.bodies
    hello = next(envelope for envelope in ear.envelopes if envelope.body == HELLO)
    assert (hello.sender, hello.cause_id) == ("risk", "the-cause")
    assert not ear.listener.refused


@pytest.mark.parametrize(
    ("name", "body"), [("risk", a_heartbeat(0)), ("control", KILL)], ids=["another socket", "a request"]
)
async def test_what_does_not_belong_is_refused(mesh: Mesh, eventually: Eventually, name: str, body: Body) -> None:
    """A message of another socket, or of another way of travelling, is counted and not handed on."""
    speaking = announcer(mesh.process("risk"), name)
    ear = Ear(mesh.process("metrics"), name)

    def refused() -> bool:
        speaking.say(body)
        return ear.listener.refused["sender_may_say"] > 0

    await eventually(refused)
    assert not ear.envelopes


async def test_nobody_is_heard_in_anothers_name(mesh: Mesh, eventually: Eventually) -> None:
    """What came from the instance listened to but names another sender is counted and not handed on."""
    risk = mesh.process("risk")
    socket = risk.hub.bind(zmq.PUB, "health")
    ear = Ear(mesh.process("executor"))
    lie = msgspec.structs.replace(risk.sender.envelope(a_heartbeat(0)), sender="executor")

    def refused() -> bool:
        socket.send(packed(b"health", as_written([risk.codec.encode(lie)])))
        return ear.listener.refused["sender_may_say"] > 0

    await eventually(refused)
    assert not ear.envelopes


async def test_frames_that_are_no_messages_are_counted(mesh: Mesh, eventually: Eventually) -> None:
    """Garbage in a packet, and a packet that is garbage, change nothing; the next message is heard."""
    risk = mesh.process("risk")
    socket = risk.hub.bind(zmq.PUB, "health")
    ear = Ear(mesh.process("executor"))

    def refused() -> bool:
        socket.send(packed(b"health", as_written([b"\x01"])))
        socket.send(b"health\0\xff")
        return len(ear.listener.refused) == 2

    await eventually(refused)
    socket.send(packed(b"health", as_written([risk.codec.encode(risk.sender.envelope(HELLO))])))
    await eventually(lambda: ear.bodies == [HELLO])
    assert set(ear.listener.refused) == {"malformed", "damaged packet"}


async def test_a_listener_that_slept_drops_what_waited(mesh: Mesh, eventually: Eventually) -> None:
    """After standing still a listener hands on nothing that was queued, and then hears again."""
    speaking = announcer(mesh.process("risk"))
    ear = Ear(mesh.process("executor"))
    await eventually(lambda: ear.hears(speaking, a_heartbeat(0)))
    speaking.say(HELLO)
    await eventually(lambda: HELLO in ear.bodies)  # so nothing else is under way
    speaking.say(a_heartbeat(1))
    assert ear.listener._socket.poll(30_000)  # without a turn of the loop: it waits in the queue
    ear.listener.slept()

    def heard_again() -> bool:
        speaking.say(a_heartbeat(2))
        return 2 in ear.beats()

    await eventually(heard_again)
    assert 1 not in ear.beats()
