"""Which process, exactly: its number alone is used again, its number and start time are not.

Processes are named in lock files by this, and killed by `ProcessHandle`, which cannot hit anybody else.
"""

import os
import select
import signal
from pathlib import Path
from typing import Annotated, Final, Self

import msgspec
from msgspec import Meta

NS_PER_MS: Final = 1_000_000
_NS_PER_SECOND: Final = 1_000_000_000
# Of /proc/<pid>/stat: its manual page counts from one, and we from the state on, which is its third field.
_STATE_FIELD: Final = 3 - 3
_PARENT_FIELD: Final = 4 - 3
_START_TIME_FIELD: Final = 22 - 3


class ProcessIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One process of all that ever were: number, start (in kernel ticks since boot), boot, and whose numbers these are.

    Containers number their processes each for itself, and two that start together may agree in both number and tick.
    """

    process_id: Annotated[int, Meta(gt=0, lt=2**31)]
    start_ticks: int
    boot_id: str
    pid_namespace: str


def own_identity(*, boot_id: str) -> ProcessIdentity:
    """Return who we are."""
    process_id = os.getpid()
    start_ticks = start_ticks_of(process_id)
    if start_ticks is None:
        raise OSError("/proc does not show our own process: mount it, nothing can be locked or fenced without")
    return ProcessIdentity(process_id, start_ticks, boot_id, _pid_namespace())


def start_ticks_of(process_id: int) -> int | None:
    """Return when a process started, None when there is none of that number."""
    fields = _status_fields(process_id)
    return int(fields[_START_TIME_FIELD]) if fields else None


def started_boot_ns_of(process_id: int) -> int | None:
    """Return the same on the boot clock, to the hundredth of a second."""
    ticks = start_ticks_of(process_id)
    return None if ticks is None else ticks * _NS_PER_SECOND // os.sysconf("SC_CLK_TCK")


def parent_of(process_id: int) -> int | None:
    """Return the number of a process's parent, None when there is no such process."""
    fields = _status_fields(process_id)
    return int(fields[_PARENT_FIELD]) if fields else None


def is_stopped(process_id: int) -> bool:
    """Tell whether a process was stopped, as SIGSTOP and Ctrl-Z do, and waits for SIGCONT."""
    return _status_fields(process_id)[_STATE_FIELD : _STATE_FIELD + 1] == [b"T"]


def command_line_of(process_id: int) -> list[str]:
    """Return the words a process was started with, none when there is no such process."""
    try:
        line = Path(f"/proc/{process_id}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [os.fsdecode(word) for word in line.split(b"\0")[:-1]]


def environment_of(process_id: int) -> dict[str, str]:
    """Return the environment a process was started with, nothing when there is none, or it is another user's."""
    try:
        content = Path(f"/proc/{process_id}/environ").read_bytes()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return {}
    entries = [os.fsdecode(entry).partition("=") for entry in content.split(b"\0")]
    return {name: value for name, _, value in entries if name}


def working_directory_of(process_id: int) -> Path | None:
    """Return where a process works, None when there is no such process, or it is another user's."""
    try:
        return Path(f"/proc/{process_id}/cwd").readlink()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None


def _status_fields(process_id: int) -> list[bytes]:
    """Return what /proc/<pid>/stat says after the program's name, nothing when there is no such process."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The second field is the program's name in brackets, and may itself hold brackets and blanks.
    return status[status.rindex(b")") + 1 :].split()


def _pid_namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


class ProcessHandle:
    """A living process, held so that its number cannot come to mean another one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def of(cls, identity: ProcessIdentity) -> Self | None:
        """Return a handle on exactly this process, None when it is no more, be its number in use again or not.

        The descriptor is opened first and the start time read second. If both fit the identity, the descriptor cannot
        be another process's: that one would have had to die, and this one to start, after its identity was written.
        """
        handle = cls.on(identity.process_id)
        if handle is None:
            return None
        if start_ticks_of(identity.process_id) != identity.start_ticks:
            handle.close()
            return None
        return handle

    @classmethod
    def on(cls, process_id: int) -> Self | None:
        """Return a handle on whatever has this number now; look who that is with the handle in hand."""
        try:
            return cls(os.pidfd_open(process_id))
        except ProcessLookupError:
            return None

    def fileno(self) -> int:
        """Return the descriptor, which becomes readable when the process dies: for poll, or an event loop's reader."""
        return self._descriptor

    def kill(self) -> None:
        """Send SIGKILL; a process that is already dead needs none."""
        self._send(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM, on which a process ends in order; one that is already dead needs none."""
        self._send(signal.SIGTERM)

    def resume(self) -> None:
        """Send SIGCONT, without which a process that was stopped hears nothing but SIGKILL."""
        self._send(signal.SIGCONT)

    def wait_for_death(self, *, timeout_ns: int) -> bool:
        """Tell whether the process was dead within the time. No look at any clock: the kernel wakes us."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(timeout_ns / NS_PER_MS))

    def close(self) -> None:
        """Let the handle go."""
        os.close(self._descriptor)

    def _send(self, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
