"""What the real processes of the lock tests do. Run as a program it is the helper that forks them; see `crew.py`."""

import fcntl
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from proto.risk import Latch
from shared.mesh import fencing, halt_file, private_directory, process_identity, role_lock
from shared.mesh import seat as seat_module
from shared.mesh.clock import SystemClock
from shared.mesh.fencing import Fence, FenceRefused, fence, retire
from shared.mesh.halt_file import HaltFile
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.process_identity import own_identity
from shared.mesh.role_lock import LockHolder, RoleLock
from shared.mesh.seat import Post, Seat, Standby, stand_by, take_seat

ORDER_BYTES_MAX = 65_536
POLL_NS = 20_000_000
# Where files, locks and processes are touched; to die in the pure code between is to die at the next line of these.
MODULES = (fencing, halt_file, private_directory, process_identity, role_lock, seat_module)
TOUCHING = {module.__file__ for module in MODULES}


class Duty:
    """A process's side of its conversation with the test."""

    def __init__(self, channel: socket.socket, order: dict[str, Any]) -> None:
        self._channel = channel
        self._lines = channel.makefile("rb")
        self.order = order
        self.post = Post("executor", PrivateDirectory(Path(order["directory"])), SystemClock())

    def say(self, **words: object) -> None:
        """Send one line to the test."""
        self._channel.sendall(json.dumps(words).encode() + b"\n")

    def hear(self) -> str:
        """Wait for a line from the test; when the test is gone, so are we."""
        line = self._lines.readline()
        if not line:
            raise SystemExit(0)
        return line.decode().strip()

    def channel_number(self) -> int:
        """Return the descriptor of the channel, for a child that keeps it open."""
        return self._channel.fileno()


def _described(result: Seat | Standby | Fence | FenceRefused) -> dict[str, object]:
    match result:
        case Seat():
            return {
                "epoch": result.epoch,
                "verdict": result.verdict.name,
                "crash_loop": result.crash_loop,
                "restarts": result.restarts,
            }
        case Standby():
            return {"standby": result.words, "file": result.file}
        case Fence():
            return {"epoch": result.seat.epoch, "verdict": result.seat.verdict.name}
        case FenceRefused():
            return {"refused": result.reason.name, "words": result.words}


def hold(duty: Duty) -> None:
    """Take the seat, waiting for it if need be, and do as told."""
    known_epoch = duty.order.get("known_epoch", 0)
    waited: list[str] = []

    def wait(standby: Standby) -> bool:
        if standby.words not in waited:
            waited.append(standby.words)
            duty.say(**_described(standby))
        standby.wait(timeout_ns=POLL_NS)
        return True

    seat = stand_by(lambda: take_seat(duty.post, known_epoch=known_epoch), wait)
    assert isinstance(seat, Seat)
    duty.say(**_described(seat))
    while True:
        _obey(duty, seat, duty.hear())


def _obey(duty: Duty, seat: Seat, word: str) -> None:
    match word:
        case "stop":
            seat.stop()
            duty.say(stopped=True)
        case "intact":
            duty.say(intact=seat.is_intact())
        case "fork":
            _fork(duty)
        case "fork unseen":
            # As a library would that forks in C, where no hook of ours runs.
            role_lock._held.clear()
            _fork(duty)
        case "spawn":
            # It ends when the test closes its end of the channel.
            child = subprocess.Popen(["cat"], stdin=duty.channel_number(), stdout=subprocess.DEVNULL)
            duty.say(child=child.pid)
        case _:
            raise ValueError(word)


def _fork(duty: Duty) -> None:
    """Fork a child that does nothing. It speaks for itself, so that the test knows it has left the fork behind."""
    if not os.fork():
        duty.say(child=os.getpid())
        signal.pause()


def impostor(duty: Duty) -> None:
    """Hold one of the files with a note that says something else than the truth, or nothing at all."""
    name = duty.order["file"]
    lock = RoleLock.try_take(duty.post.directory, name)
    assert lock is not None
    truth = LockHolder(duty.post.role, own_identity(boot_id=duty.post.clock.boot_id), 0)
    told = {**msgspec.to_builtins(truth), **duty.order.get("holder", {})}
    told["process"] = {**msgspec.to_builtins(truth.process), **duty.order.get("process", {})}
    if duty.order.get("signed", True):
        lock.write_note(holder=msgspec.convert(told, LockHolder), epoch=7)
    duty.say(holding=name)
    while True:
        duty.say(alive=duty.hear())


def fencer(duty: Duty) -> None:
    """Fence the role when told, and hand it back when told."""
    duty.say(ready=True)
    while True:
        duty.hear()
        result = fence(duty.post, by=duty.order.get("by", "flattener"))
        duty.say(**_described(result))
        if isinstance(result, Fence):
            duty.hear()
            result.hand_back()
            duty.say(handed_back=True)


def mortal(duty: Duty) -> None:
    """Start or fence, and die by SIGKILL before the line of our own code with the number ordered."""
    _at_lines({duty.order["line"]: die})
    action: Callable[[], Seat | Standby | Fence | FenceRefused] = {
        "start": lambda: take_seat(duty.post),
        "fence": lambda: fence(duty.post, by="flattener"),
    }[duty.order["act"]]
    result = action()
    sys.settrace(None)
    duty.say(**_described(result))
    duty.hear()


def assassin(duty: Duty) -> None:
    """Fence, or retire, a holder that dies of another cause before the line with the number ordered."""
    handle = os.pidfd_open(duty.order["victim"])

    def murder() -> None:
        try:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        except ProcessLookupError:
            return

    _at_lines({duty.order["line"]: murder})
    result = fence(duty.post, by="flattener")
    sys.settrace(None)
    duty.say(**_described(result))
    duty.hear()


def retirer(duty: Duty) -> None:
    """Retire the holder."""
    result = retire(duty.post, by="risk", silent_epoch=1)
    duty.say(**_described(result) if isinstance(result, FenceRefused) else {"retired": result.process is not None})
    duty.hear()


def racer(duty: Duty) -> None:
    """Stand by for the seat; with it, prove by a lock of another kind that nobody else has it, and bear witness."""
    witness = os.open(duty.order["witness"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def wait(standby: Standby) -> bool:
        standby.wait(timeout_ns=POLL_NS)
        return True

    while True:
        seat = stand_by(lambda: take_seat(duty.post), wait)
        assert isinstance(seat, Seat)
        try:
            fcntl.lockf(witness, fcntl.LOCK_EX | fcntl.LOCK_NB)
            word = "held"
        except BlockingIOError:
            word = "TWO HOLDERS"
        os.write(witness, f"{word} {seat.epoch}\n".encode())
        duty.say(epoch=seat.epoch)
        duty.hear()
        fcntl.lockf(witness, fcntl.LOCK_UN)
        seat.stop()
        duty.say(stopped=True)


def halter(duty: Duty) -> None:
    """Make, rename or remove the HALT file, and die before one line of that; before another it is replaced by hand."""
    directory = Path(duty.order["directory"])

    def replace() -> None:
        (directory / "somebody's").write_bytes(b"")
        (directory / "somebody's").replace(directory / halt_file.NAME)

    _at_lines({duty.order["line"]: die, duty.order["replaced_at"]: replace})
    halt = HaltFile(directory)
    if duty.order["act"] == "make":
        halt.make(Latch("kill-1", "operator", "a test", 1))
    elif duty.order["act"] == "rename":
        halt.rename(Latch("kill-2", "risk", "the drawdown limit", 2), "kill-1")
    else:
        halt.take_away("kill-1")
    sys.settrace(None)
    duty.say(done=True)
    duty.hear()


def die() -> None:
    """Die as kill -9 lets a process die."""
    os.kill(os.getpid(), signal.SIGKILL)


def _at_lines(acts: Mapping[int, Callable[[], None]]) -> None:
    """Arrange that each of these is called once, before so many lines of the code under test have run."""
    met = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:  # noqa: ANN401 - a trace function is typed by its caller
        nonlocal met
        if frame.f_code.co_filename not in TOUCHING:
            return None
        if event == "line":
            met += 1
            if met in acts:
                acts[met]()
        return trace

    sys.settrace(trace)


DUTIES = {duty.__name__: duty for duty in (hold, impostor, fencer, mortal, assassin, retirer, racer, halter)}


def main() -> None:
    """Fork a process for every order that comes, until no more can come."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()  # the forks would copy every page that a collection touches
    orders = socket.socket(fileno=int(sys.argv[1]))
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, ORDER_BYTES_MAX, 1)
        if not order:
            return
        if os.fork():
            os.close(descriptors[0])
            continue
        orders.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        duty = Duty(socket.socket(fileno=descriptors[0]), json.loads(order))
        duty.say(process_id=os.getpid())
        duty.hear()
        DUTIES[duty.order["duty"]](duty)
        return


if __name__ == "__main__":
    main()
