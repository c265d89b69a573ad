"""The sockets of one process: where they are, how they are set, and that they are encrypted and guarded.

A socket belongs to an instance and has a name from the table of topics: `risk.intents`, `feed-2.market`. By default it
is a file in the run directory; `overrides` moves it to `tcp://` when the mesh spans hosts.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import zmq

from proto.codec import MARKET_BYTES_MAX
from proto.topics import ORDER_BYTES_MAX, ORDER_SOCKETS
from shared.mesh.bus.drain import Drain, nothing
from shared.mesh.bus.gatekeeper import Gatekeeper
from shared.mesh.bus.keys import KeyRing, KeysUnusableError
from shared.mesh.run_directory import RunDirectory

STREAM_MESSAGES_MAX: Final = 10_000
REQUEST_MESSAGES_MAX: Final = 1_000
BYTES_MAX: Final = MARKET_BYTES_MAX  # of a packet of a stream, and of a snapshot's or a tail's part
_HEARTBEAT_MS: Final = 500
_HANDSHAKE_MS: Final = 2_000
# libzmq waits for 100 to 200 ms before it tries again, most of what others wait for a process that starts. An attempt
# at a socket that is not there costs microseconds.
_RECONNECT_MS: Final = 20

Socket = zmq.Socket[bytes]


class AddressUnusableError(Exception):
    """A socket that cannot be had where it should be; the message says which and why."""


def _nobody_looks(_trouble: str) -> None:
    """Leave it at the counters."""


class Hub:
    """Opens every socket of a process with the same care, and closes them together.

    `on_turn` is called whenever a socket is about to be read, before anything is received. `on_trouble` is told in a
    sentence what a person may want to look at.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        keys: KeyRing,
        run_directory: RunDirectory,
        overrides: Mapping[str, str],
        on_turn: Callable[[], None] = nothing,
        on_trouble: Callable[[str], None] = _nobody_looks,
    ) -> None:
        self.loop: Final = loop
        self.instance: Final = keys.instance
        self._keys: Final = keys
        self._run_directory: Final = run_directory
        self._overrides: Final = overrides
        self.on_trouble: Final = on_trouble
        self._on_turn: Final = on_turn
        self._context: Final[zmq.Context[Socket]] = zmq.Context()
        self._context.blocky = False
        self.gatekeeper: Final = Gatekeeper(context=self._context, loop=loop, keys=keys)
        self._drains: Final[list[Drain]] = []
        self._sockets: Final[list[Socket]] = []
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._before_closing: Final[list[Callable[[], None]]] = []

    def address(self, instance: str, name: str) -> str:
        """Say where a socket of an instance is."""
        override = self._overrides.get(f"{instance}.{name}")
        if override is not None:
            return override
        return self._run_directory.endpoint(f"{instance}.{name}")

    def knows(self, instance: str) -> bool:
        """Tell whether there is a key by which an instance is known."""
        return instance in self._keys.public_keys

    def public_key_of(self, instance: str) -> bytes:
        """Say by which key an instance is known."""
        if not self.knows(instance):
            raise KeysUnusableError(f"no public key of {instance}: run `bowline keys create {instance}`")
        return self._keys.public_keys[instance]

    def bind(self, kind: int, name: str) -> Socket:
        """Open a socket of ours for others to connect to."""
        socket = self._open(kind, name)
        self._secure(socket, server_key=None)
        address = self.address(self.instance, name)
        try:
            socket.bind(address)
        except zmq.ZMQError as error:
            raise AddressUnusableError(f"{self.instance}.{name} cannot be bound at {address}: {error}") from error
        return socket

    def connect(self, kind: int, instance: str, name: str) -> Socket:
        """Open a socket to somebody else's, believing nobody there but the owner of that instance's key."""
        server_key = self.public_key_of(instance)
        socket = self._open(kind, name)
        self._secure(socket, server_key=server_key)
        socket.connect(self.address(instance, name))
        return socket

    def drain(
        self,
        socket: Socket,
        on_parts: Callable[[Any], None],
        *,
        whole_frames: bool = False,
        one_part: bool = False,
        on_empty: Callable[[], None] | None = None,
    ) -> Drain:
        """Read a socket until the hub closes."""
        drain = Drain(
            loop=self.loop,
            socket=socket,
            on_parts=on_parts,
            on_turn=self._on_turn,
            whole_frames=whole_frames,
            one_part=one_part,
            on_empty=on_empty,
        )
        self._drains.append(drain)
        return drain

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that goes on beside the reading of sockets, and ends with the hub at the latest."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tell the loop at once what a task raised: whoever keeps the task would keep the news as well."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.loop.call_exception_handler({"message": "a task failed", "exception": error, "task": task})

    def before_closing(self, finish: Callable[[], None]) -> None:
        """Have something done when the hub closes, while its sockets are still open."""
        self._before_closing.append(finish)

    def close(self, *, linger_ms: int = 0) -> None:
        """Close everything: what was started is cancelled, what was asked times out.

        What was said and not yet sent may take as long as `linger_ms`, and is dropped then.
        """
        for task in self._tasks:
            task.cancel()
        for finish in self._before_closing:
            finish()
        for drain in self._drains:
            drain.close(linger_ms=linger_ms)
        for socket in self._sockets:
            socket.close(linger=linger_ms)
        self.gatekeeper.close()
        self._context.term()

    def _secure(self, socket: Socket, *, server_key: bytes | None) -> None:
        """Encrypt what crosses a socket: as the server, for whom the gatekeeper lets in; else for that server alone."""
        socket.curve_secretkey = self._keys.own.secret
        socket.curve_publickey = self._keys.own.public
        if server_key is None:
            socket.curve_server = True
        else:
            socket.curve_serverkey = server_key

    def _open(self, kind: int, name: str) -> Socket:
        socket = self._context.socket(kind)
        self._sockets.append(socket)
        streams = kind in {zmq.PUB, zmq.SUB, zmq.XPUB}
        socket.linger = 0
        socket.sndhwm = socket.rcvhwm = STREAM_MESSAGES_MAX if streams else REQUEST_MESSAGES_MAX
        socket.maxmsgsize = ORDER_BYTES_MAX if name in ORDER_SOCKETS and not streams else BYTES_MAX
        socket.handshake_ivl = _HANDSHAKE_MS
        socket.reconnect_ivl = _RECONNECT_MS
        socket.heartbeat_ivl = _HEARTBEAT_MS
        socket.heartbeat_timeout = 4 * _HEARTBEAT_MS
        socket.immediate = not streams
        if kind == zmq.ROUTER:
            socket.router_mandatory = True
        return socket
