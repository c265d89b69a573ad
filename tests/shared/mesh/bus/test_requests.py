"""A request is answered once or cleanly times out, and only those who may ask are heard."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
import zmq

from proto.control import AskLimits, ControlDone, Kill
from proto.fields import TEXT_LENGTH_MAX
from proto.streams import RequestRefused
from shared.mesh.bus import requests
from shared.mesh.bus.offenders import IGNORED_FOR_NS
from shared.mesh.bus.requests import Request, Requester, RequestTimedOutError, Responder
from shared.mesh.clock import Clock, SystemClock, VirtualClock
from tests.shared.mesh.bus.conftest import PATIENCE_SECONDS, Mesh, Process

KILL = Kill(actor="ada", reason="prices look wrong")
DONE = ControlDone(summary="latched")

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


class Control:
    """Risk's control socket, which answers at once, or when it is told to."""

    def __init__(self, process: Process, *, at_once: bool = True, clock: Clock | None = None) -> None:
        self.asked: list[Request] = []
        self.at_once = at_once
        self.responder = Responder(
            hub=process.hub,
            name="control",
            sender=process.sender,
            clock=clock or process.clock,
            codec=process.codec,
            on_request=self._on_request,
        )

    def _on_request(self, request: Request) -> None:
        self.asked.append(request)
        if self.at_once:
            self.responder.answer(request, DONE)


def patient(process: Process) -> Requester:
    """Return who asks risk and does not give up: a busy machine may take longer than a request has."""
    return process.asks("risk", "control", clock=standing_clock())


async def test_a_request_is_answered(mesh: Mesh) -> None:
    """The answer names the request as its cause and comes from the role that was asked."""
    control = Control(mesh.process("risk"))
    answer = await mesh.process("operator").asks("risk", "control").ask(KILL, message_id="kill-1")
    assert answer.envelope.body == DONE
    assert (answer.envelope.sender, answer.envelope.cause_id) == ("risk", "kill-1")
    assert control.asked[0].instance == "operator"


async def test_nobody_there_is_a_clean_time_out(mesh: Mesh) -> None:
    """Without a server the request ends with an error that names who did not answer."""
    requester = mesh.process("operator").asks("risk", "control")
    with pytest.raises(RequestTimedOutError, match=r"risk\.control did not answer"):
        await requester.ask(KILL)


async def test_too_many_questions_at_once_are_refused_to_whoever_asks_them(mesh: Mesh) -> None:
    """A process that asks without end is told so itself, and what it asked before is still answered or timed out."""
    requester = mesh.process("operator").asks("risk", "control")
    asking = [asyncio.ensure_future(requester.ask(KILL)) for _ in range(requests.ASKED_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(requests.TooManyRequestsError, match=r"risk\.control are unanswered"):
        await requester.ask(KILL)
    assert {type(result) for result in await asyncio.gather(*asking, return_exceptions=True)} == {RequestTimedOutError}


async def test_the_same_request_twice_is_handled_once(mesh: Mesh) -> None:
    """Said again under its id, a request gets the answer that was given and is not handled anew."""
    control = Control(mesh.process("risk"))
    requester = mesh.process("operator").asks("risk", "control")
    first = await requester.ask(KILL, message_id="kill-1")
    again = await requester.ask(KILL, message_id="kill-1")
    assert again.envelope == first.envelope
    assert len(control.asked) == 1


async def test_a_reading_asked_for_twice_is_read_twice(mesh: Mesh) -> None:
    """What is so at a moment is not kept for later: said again under its id, the request is handled anew."""
    control = Control(mesh.process("risk"))
    requester = mesh.process("operator").asks("risk", "control")
    for _ in range(2):
        await requester.ask(AskLimits(actor="ada"), message_id="limits-1")
    assert len(control.asked) == 2


async def test_anothers_id_is_no_way_to_anothers_answer(mesh: Mesh, eventually: Eventually) -> None:
    """Two askers that use the same id have two questions, and each gets the answer to its own."""
    control = Control(mesh.process("risk"), at_once=False)
    first = asyncio.ensure_future(patient(mesh.process("operator")).ask(KILL, message_id="kill-1"))
    await eventually(lambda: len(control.asked) == 1)
    second = asyncio.ensure_future(patient(mesh.process("dashboard")).ask(KILL, message_id="kill-1"))
    await eventually(lambda: len(control.asked) == 2)
    for request in control.asked:
        control.responder.answer(request, ControlDone(summary=request.instance))
    assert (await first).envelope.body == ControlDone(summary="operator")
    assert (await second).envelope.body == ControlDone(summary="dashboard")


async def test_an_attempt_repeated_while_it_is_handled_is_handled_once(mesh: Mesh, eventually: Eventually) -> None:
    """A slow handler sees one request however often the asker repeats it, and the asker gets one answer."""
    control = Control(mesh.process("risk"), at_once=False)
    requester = patient(mesh.process("operator"))
    asking = asyncio.ensure_future(requester.ask(KILL, message_id="kill-1"))
    await eventually(lambda: control.asked)
    await asyncio.sleep(requests.ATTEMPT_TIMEOUT_NS / 1e9 * 1.5)  # past the second attempt
    control.responder.answer(control.asked[0], DONE)
    assert (await asking).envelope.body == DONE
    assert len(control.asked) == 1


async def test_an_answer_that_could_not_be_read_does_not_leave(mesh: Mesh, eventually: Eventually) -> None:
    """Where it is made it is said why, and asked again the request is handled again."""
    risk = mesh.process("risk")
    control = Control(risk, at_once=False)
    asking = asyncio.ensure_future(patient(mesh.process("operator")).ask(KILL, message_id="kill-1"))
    for number, summary in enumerate(("s" * (TEXT_LENGTH_MAX + 1), "latched"), start=1):
        await eventually(lambda: len(control.asked) == number)  # noqa: B023 -- it is awaited here
        control.responder.answer(control.asked[-1], ControlDone(summary=summary))
    assert (await asking).envelope.body == DONE
    assert control.responder.refused == {"answer unreadable": 1}
    (trouble,) = risk.troubles
    assert trouble.startswith("the answer control_done.1 to operator does not leave control, for it could not be read")


async def test_a_request_survives_a_server_that_is_killed_and_comes_back(mesh: Mesh, eventually: Eventually) -> None:
    """A server that dies with the request in hand wedges nobody: its successor is asked under the same id."""
    process = mesh.process("risk")
    dying = Control(process, at_once=False)
    requester = patient(mesh.process("operator"))
    asking = asyncio.ensure_future(requester.ask(KILL, message_id="kill-1"))
    await eventually(lambda: dying.asked)
    mesh.end(process)
    successor = Control(mesh.process("risk"))
    assert (await asyncio.wait_for(asking, PATIENCE_SECONDS)).envelope.body == DONE
    assert [request.envelope.id for request in successor.asked] == ["kill-1"]


@pytest.mark.parametrize("instance", ["strategy", "executor", "metrics"])
async def test_a_role_without_the_right_to_ask_is_refused(mesh: Mesh, instance: str) -> None:
    """A right key in the wrong role is told so, counted, and never handled."""
    control = Control(mesh.process("risk"))
    answer = await mesh.process(instance).asks("risk", "control").ask(KILL)
    assert isinstance(answer.envelope.body, RequestRefused)
    assert answer.envelope.body.rule == "sender_may_ask"
    assert not control.asked
    assert control.responder.refused["sender_may_ask"] == 1


async def test_a_sender_cannot_pass_for_another(mesh: Mesh) -> None:
    """Who a message claims to be from counts for nothing; the key it came under does."""
    control = Control(mesh.process("risk"))
    liar = mesh.process("operator")
    socket = liar.hub.connect(zmq.DEALER, "risk", "control")
    lie = msgspec.structs.replace(liar.sender.envelope(KILL), sender="dashboard")
    await ask_raw(socket, liar.codec.encode(lie))
    assert not control.asked
    assert control.responder.refused["sender_may_ask"] == 1


async def test_a_message_of_another_socket_is_refused(mesh: Mesh) -> None:
    """An answer, or a request that belongs elsewhere, is no request here."""
    control = Control(mesh.process("risk"))
    requester = mesh.process("operator").asks("risk", "control")
    assert isinstance((await requester.ask(DONE)).envelope.body, RequestRefused)
    assert isinstance((await requester.ask(AskLimits(actor="ada"))).envelope.body, ControlDone)
    assert len(control.asked) == 1


@pytest.mark.parametrize("change", [{"expires_boot_ns": 1}, {"boot_id": "another-boot"}], ids=["late", "other boot"])
async def test_an_expired_request_is_never_handled(mesh: Mesh, change: dict[str, object]) -> None:
    """What waited in a queue past its time, or outlived a reboot, is refused and counted."""
    control = Control(mesh.process("risk"))
    operator = mesh.process("operator")
    envelope = msgspec.structs.replace(operator.sender.envelope(KILL, valid_for_ns=10**9), **change)
    answer = await ask_raw(operator.hub.connect(zmq.DEALER, "risk", "control"), operator.codec.encode(envelope))
    assert operator.codec.decode(answer[-1]).body.__class__ is RequestRefused
    assert not control.asked
    assert control.responder.refused["request_in_time"] == 1


@pytest.mark.parametrize("at_once", [True, False], ids=["handled", "waiting"])
async def test_a_repetition_is_never_too_late(mesh: Mesh, eventually: Eventually, at_once: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """What was taken in time gets its one answer, though it is asked for again after it expired."""
    clock = standing_clock()
    control = Control(mesh.process("risk"), at_once=at_once, clock=clock)
    operator = mesh.process("operator")
    socket = operator.hub.connect(zmq.DEALER, "risk", "control")
    frame = operator.codec.encode(operator.sender.envelope(KILL, valid_for_ns=10**10))
    await asyncio.to_thread(socket.send_multipart, [b"", frame])
    await eventually(lambda: control.asked)
    if at_once:
        assert await heard_by(socket, operator) == "latched"
    clock.advance(2 * 10**10)
    await asyncio.to_thread(socket.send_multipart, [b"", frame])
    if not at_once:
        assert not await asyncio.to_thread(socket.poll, 200)
        control.responder.answer(control.asked[0], DONE)
    assert await heard_by(socket, operator) == "latched"
    assert (len(control.asked), control.responder.refused.total()) == (1, 0)


async def test_what_was_never_answered_is_handled_anew_when_it_is_asked_anew(
    mesh: Mesh, eventually: Eventually
) -> None:
    """A handler may stay silent because it cannot answer yet: asked again under the same id, it is handed it again."""
    clock = standing_clock()
    control = Control(mesh.process("risk"), at_once=False, clock=clock)
    operator = mesh.process("operator")
    socket = operator.hub.connect(zmq.DEALER, "risk", "control")
    first, second = (
        operator.codec.encode(operator.sender.envelope(KILL, message_id="kill-1", valid_for_ns=valid_for_ns))
        for valid_for_ns in (10**9, 10**11)
    )
    await asyncio.to_thread(socket.send_multipart, [b"", first])
    await eventually(lambda: control.asked)
    clock.advance(10**10)
    await asyncio.to_thread(socket.send_multipart, [b"", second])
    await eventually(lambda: len(control.asked) > 1)
    control.responder.answer(control.asked[1], DONE)
    assert await heard_by(socket, operator) == "latched"


async def test_no_more_than_three_attempts_are_made(mesh: Mesh, eventually: Eventually) -> None:
    """Whoever gets no answer asks three times, and the end of the time is not the moment for a fourth."""
    risk = mesh.process("risk")
    socket, heard = risk.hub.bind(zmq.ROUTER, "control"), list[list[bytes]]()
    risk.hub.drain(socket, heard.append)
    requester = mesh.process("operator").asks("risk", "control")
    for asked in range(1, 4):
        with pytest.raises(RequestTimedOutError):
            await requester.ask(KILL)
        await asyncio.sleep(0.05)
        assert len(heard) <= asked * requests.ATTEMPTS_MAX
    await eventually(lambda: heard)


@pytest.mark.parametrize(
    "parts",
    [[b"", b"garbage"], [b"no empty part"], [b""], [b"", b"x", b"y"], [b"", b"\xc1" * 60_000]],
    ids=["no message", "no empty part", "nothing", "too many parts", "long"],
)
async def test_garbage_is_counted_and_dropped(mesh: Mesh, eventually: Eventually, parts: list[bytes]) -> None:
    """A frame that is no request changes nothing, and the next request is answered."""
    control = Control(mesh.process("risk"))
    operator = mesh.process("operator")
    socket = operator.hub.connect(zmq.DEALER, "risk", "control")
    await asyncio.to_thread(socket.send_multipart, parts)
    await eventually(lambda: control.responder.refused.total() == 1)
    if len(parts) == 2 and not parts[0]:  # whoever asks as clients do, and in words that are none, is told so
        assert await heard_by(socket, operator) == "request_can_be_read"
    assert (await operator.asks("risk", "control").ask(KILL)).envelope.body == DONE


async def test_a_plain_req_socket_can_ask(mesh: Mesh) -> None:
    """The empty part in front is kept, so that the simplest of clients is served."""
    control = Control(mesh.process("risk"))
    operator = mesh.process("operator")
    answer = await ask_raw(
        operator.hub.connect(zmq.REQ, "risk", "control"), operator.codec.encode(operator.sender.envelope(KILL))
    )
    assert operator.codec.decode(answer[0]).body == DONE
    assert len(control.asked) == 1


@pytest.mark.parametrize("valid_for_ns", [None, 10 * 10**9], ids=["without an end", "for ten seconds"])
async def test_what_is_never_answered_gives_its_place_up(
    mesh: Mesh, eventually: Eventually, valid_for_ns: int | None
) -> None:
    """Requests that nobody answers fill a socket until they expire, or for a minute where they name no end."""
    clock = standing_clock()
    control = Control(mesh.process("risk"), at_once=False, clock=clock)
    operator = mesh.process("operator")
    socket = operator.hub.connect(zmq.DEALER, "risk", "control")
    frames = [
        operator.codec.encode(operator.sender.envelope(KILL, valid_for_ns=valid_for_ns))
        for _ in range(requests.WAITING_MAX)
    ]
    for frame in frames:
        await asyncio.to_thread(socket.send_multipart, [b"", frame])
    await eventually(lambda: len(control.asked) == requests.WAITING_MAX)
    control.at_once = True
    await asyncio.to_thread(socket.send_multipart, [b"", frames[0]])  # it has its place already
    limit_ns = valid_for_ns or requests.WAITING_NS_MAX
    for passed_ns in 0, limit_ns - 10**9:
        clock.advance(passed_ns)
        assert await said_to(socket, operator) == "not_too_many_at_once"
    clock.advance(limit_ns)
    assert await said_to(socket, operator) == "latched"
    assert control.responder.refused == {"not_too_many_at_once": 2, "never answered": requests.WAITING_MAX}


async def test_a_peer_that_sends_nonsense_is_ignored_for_a_while(mesh: Mesh, eventually: Eventually) -> None:
    """After more than ten unlawful frames within a second an instance is heard again a minute later; others always."""
    clock = standing_clock()
    risk = mesh.process("risk")
    control = Control(risk, clock=clock)
    operator = mesh.process("operator")
    socket = operator.hub.connect(zmq.DEALER, "risk", "control")

    async def send(*parts: bytes) -> None:
        await asyncio.to_thread(socket.send_multipart, parts)

    answer = operator.codec.encode(operator.sender.envelope(DONE))
    for parts in ([b"no empty part"], [b"", b"garbage"], *[[b"", answer]] * 8):
        await send(*parts)
    assert await heard_by(socket, operator) == "request_can_be_read"
    for _ in range(8):
        assert await heard_by(socket, operator) == "sender_may_ask"
    assert await said_to(socket, operator) == "latched"
    assert not risk.troubles
    await send(b"", b"one too many")
    await send(b"", operator.codec.encode(operator.sender.envelope(KILL)))
    await eventually(lambda: risk.troubles)
    assert await heard_by(socket, operator) == "request_can_be_read"
    assert (await mesh.process("dashboard").asks("risk", "control").ask(KILL)).envelope.body == DONE
    assert not await asyncio.to_thread(socket.poll, 200)
    clock.advance(IGNORED_FOR_NS)
    assert await said_to(socket, operator) == "latched"
    assert [request.instance for request in control.asked] == ["operator", "dashboard", "operator"]
    assert control.responder.refused["ignored operator"] == 1
    assert risk.troubles == [
        "operator is ignored at control for a minute: it sends what is no lawful request",
    ]


async def ask_raw(socket: zmq.Socket[bytes], frame: bytes) -> list[bytes]:
    """Send a frame as a plain client would and wait for the answer."""
    await asyncio.to_thread(socket.send_multipart, [frame] if socket.type == zmq.REQ else [b"", frame])
    answered = await asyncio.to_thread(socket.poll, int(PATIENCE_SECONDS * 1_000))
    assert answered, "there is no answer"
    return socket.recv_multipart()


async def heard_by(socket: zmq.Socket[bytes], process: Process) -> str:
    """Wait for what comes back, and return its words: a summary, or the rule of a refusal."""
    answered = await asyncio.to_thread(socket.poll, int(PATIENCE_SECONDS * 1_000))
    assert answered, "there is no answer"
    body = process.codec.decode(socket.recv_multipart()[-1]).body
    assert isinstance(body, ControlDone | RequestRefused)
    return body.summary if isinstance(body, ControlDone) else body.rule


async def said_to(socket: zmq.Socket[bytes], process: Process) -> str:
    """Ask for something without an end, and return the words of what comes back."""
    frame = process.codec.encode(process.sender.envelope(KILL))
    await asyncio.to_thread(socket.send_multipart, [b"", frame])
    return await heard_by(socket, process)


def standing_clock() -> VirtualClock:
    """Return a clock that agrees with the machine's now, and stands until it is moved."""
    system = SystemClock()
    return VirtualClock(boot_ns=system.boot_ns(), boot_id=system.boot_id)
