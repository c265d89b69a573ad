"""Who may connect: answers ZeroMQ's authentication requests from the list of known keys, and counts who was refused.

Without it, CURVE encrypts but lets any key in. The name it gives a connection is what the bus later holds against the
table of topics; nothing a message says about its sender is believed.
"""

import asyncio
from collections import Counter
from typing import Final

import zmq
from zmq.utils import z85

from shared.mesh.bus.drain import Drain
from shared.mesh.bus.keys import KeyRing

_ADDRESS: Final = "inproc://zeromq.zap.01"
_VERSION: Final = b"1.0"
_REQUEST_PARTS: Final = 7


class Gatekeeper:
    """Lives as long as its context; must be there before the first socket binds."""

    def __init__(
        self, *, context: zmq.Context[zmq.Socket[bytes]], loop: asyncio.AbstractEventLoop, keys: KeyRing
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self._keys: Final = keys
        self._socket: Final = context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind(_ADDRESS)
        self._drain: Final = Drain(loop=loop, socket=self._socket, on_parts=self._answer)

    def close(self) -> None:
        """Admit nobody any more."""
        self._drain.close()

    def _answer(self, parts: list[zmq.Frame]) -> None:
        request = [part.bytes for part in parts]
        instance = self._admitted(request)
        request_id = request[1] if len(request) > 1 else b""
        status = (b"200", b"OK", instance.encode()) if instance else (b"400", b"unknown key", b"")
        self._socket.send_multipart([_VERSION, request_id, *status, b""])
        self._drain.look_again()

    def _admitted(self, request: list[bytes]) -> str | None:
        if len(request) != _REQUEST_PARTS or request[5] != b"CURVE":
            self.refused["no key"] += 1
            return None
        instance = self._keys.instance_of(z85.encode(request[6]))
        if instance is None:
            self.refused["unknown key"] += 1
        return instance
