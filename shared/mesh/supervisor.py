"""How we speak to supervisord: its XML-RPC over the socket in the run directory, with a time-out on every call.

supervisord brings a client, but that one waits for ever on a supervisord that hangs, and imports its server (decision
0007). Called by the `bowline` verbs and by the overseer; decides nothing.
"""

import http.client
import socket
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self, TypeVar
from xml.parsers.expat import ExpatError

import msgspec
from typing_extensions import override

SOCKET_NAME: Final = "supervisor.sock"
PID_FILE_NAME: Final = "supervisord.pid"
# supervisord binds a name with its process number behind it first, so this is what must fit into a socket's address.
LONGEST_SOCKET_NAME: Final = f"{SOCKET_NAME}.{2**22}"
TIMEOUT_S: Final = 5.0
_SHUTDOWN_STATE: Final = 6
_WAIT: Final = False

Answer = TypeVar("Answer")


class SupervisorError(Exception):
    """supervisord does not do as asked; the text says why."""


class SupervisorAbsentError(SupervisorError):
    """Nobody listens on the socket."""


class SupervisorMuteError(SupervisorError):
    """Somebody listens and does not answer: it hangs, or is stopped."""


class SupervisorStrangerError(SupervisorError):
    """Whoever listens is no supervisord."""


class SupervisorStoppingError(SupervisorError):
    """It is on its way out, and answers nothing any more."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What supervisord says about one program. Times are seconds of its wall clock."""

    name: str
    state: str = msgspec.field(name="statename")
    process_id: int = msgspec.field(name="pid")
    start: int
    now: int
    spawn_error: str = msgspec.field(name="spawnerr")


class _ProgramSettings(msgspec.Struct, frozen=True):
    """What supervisord was told about one program, as far as we ask."""

    stop_wait_s: float = msgspec.field(name="stopwaitsecs")


class Supervisor:
    """One connection to supervisord."""

    def __init__(self, socket_path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._path: Final = socket_path
        self._transport: Final = _UnixTransport(socket_path, timeout_s)
        self._proxy: Final = xmlrpc.client.ServerProxy("http://localhost", transport=self._transport)

    def process_id(self) -> int:
        """Return supervisord's process number."""
        return self._call(self._proxy.supervisor.getPID, int)

    def programs(self) -> list[Program]:
        """Return what it says about every program, by name."""
        return sorted(self._call(self._proxy.supervisor.getAllProcessInfo, list[Program]), key=lambda one: one.name)

    def stop_wait_s_max(self) -> float:
        """Return how long the slowest of its programs may take to stop, in the file that it was started with."""
        settings = self._call(self._proxy.supervisor.getAllConfigInfo, list[_ProgramSettings])
        return max((program.stop_wait_s for program in settings), default=0)

    def start(self, name: str) -> None:
        """Start a program; does not wait for it."""
        self._call(lambda: self._proxy.supervisor.startProcess(name, _WAIT), bool)

    def stop(self, name: str) -> None:
        """Ask a program to end; does not wait for it."""
        self._call(lambda: self._proxy.supervisor.stopProcess(name, _WAIT), bool)

    def shutdown(self) -> None:
        """Ask supervisord to stop everything in order, and to end."""
        self._call(self._proxy.supervisor.shutdown, bool)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(self, call: Callable[[], object], answer: type[Answer]) -> Answer:
        with self._understood():
            return msgspec.convert(call(), answer)

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == _SHUTDOWN_STATE:
                raise SupervisorStoppingError("supervisord is stopping") from fault
            raise SupervisorError(f"supervisord refuses: {fault.faultString}") from fault
        except TimeoutError as error:
            raise SupervisorMuteError(
                f"supervisord at {self._path} does not answer: it hangs, or is stopped"
            ) from error
        except OSError as error:
            raise SupervisorAbsentError(f"nobody listens at {self._path}: supervisord does not run") from error
        except (http.client.HTTPException, xmlrpc.client.Error, ExpatError, msgspec.ValidationError) as error:
            raise SupervisorStrangerError(f"who listens at {self._path} is no supervisord: {error}") from error


class _UnixTransport(xmlrpc.client.Transport):
    """Carries the calls over one connection, kept open."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path: Final = path
        self._timeout_s: Final = timeout_s

    @override
    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        """Return the connection, made at the first call; it opens when something is sent, and again after an error."""
        known = self._connection[1] or _UnixConnection(self._path, self._timeout_s)
        self._connection = (host, known)
        return known


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path: Final = path

    @override
    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
