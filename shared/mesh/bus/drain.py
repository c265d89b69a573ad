"""Reads a ZeroMQ socket on an asyncio loop through its file descriptor, in capped batches.

zmq.asyncio makes a future per message, twelve times the cost. The descriptor only tells of a *change*: whoever sends on
the socket, or stops before it is empty, has to look again, or messages lie there unread.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import zmq

from shared.mesh.clock import boot_ns_now

BATCH_MESSAGES_MAX: Final = 256
BATCH_NS_MAX: Final = 50_000_000


def nothing() -> None:
    """Do nothing, where nobody wants to know that a turn begins."""


def _frames(socket: zmq.Socket[bytes], flags: int) -> list[zmq.Frame]:
    """Read a message. A frame knows whether another follows: asking the socket for that costs as much as reading."""
    frame = socket.recv(flags, copy=False)
    frames = [frame]
    while frame.more:
        frame = socket.recv(flags, copy=False)
        frames.append(frame)
    return frames


def _parts(socket: zmq.Socket[bytes], flags: int) -> list[bytes]:
    return [frame.bytes for frame in _frames(socket, flags)]


class Drain:
    """Hands every message of a socket to `on_parts`, at most a batch before others get their turn.

    `on_turn` is called before each batch: who watches whether the process stood still knows it before it reads on. So a
    batch ends with the message that made it long, and what was queued meanwhile waits for the next turn. A message is
    the list of its parts, or with `one_part` the part itself.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        socket: zmq.Socket[bytes],
        on_parts: Callable[[Any], None],
        on_turn: Callable[[], None] = nothing,
        whole_frames: bool = True,
        one_part: bool = False,
        on_empty: Callable[[], None] | None = None,
    ) -> None:
        self._loop: Final = loop
        self._socket: Final = socket
        self._on_parts: Final = on_parts
        self._on_turn: Final = on_turn
        self._on_empty: Final = on_empty
        # Frames tell who sent them; bytes are simpler where only one peer can have.
        self._next: Final[Callable[[int], Any]] = (
            socket.recv if one_part else partial(_frames if whole_frames else _parts, socket)
        )
        self._scheduled: asyncio.Handle | None = None
        self._closed = False
        self.turn_began_ns = 0  # boot time, for whoever is called in the turn and wants to know it
        loop.add_reader(socket.fileno(), self._read)
        self.look_again()

    def look_again(self) -> None:
        """Read soon, whatever the descriptor says. Call it after sending on the same socket."""
        if self._scheduled is None and not self._closed:
            self._scheduled = self._loop.call_soon(self._read)

    def close(self, *, linger_ms: int = 0) -> None:
        """Stop reading and close the socket."""
        self._closed = True
        if self._scheduled is not None:
            self._scheduled.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close(linger=linger_ms)

    def _read(self) -> None:
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None
        self._on_turn()
        self.turn_began_ns = boot_ns_now()
        ends_ns = self.turn_began_ns + BATCH_NS_MAX
        for _ in range(BATCH_MESSAGES_MAX):
            if self._closed:
                return
            try:
                parts = self._next(zmq.NOBLOCK)
            except zmq.Again:
                if self._on_empty is not None:
                    self._on_empty()
                return
            self._on_parts(parts)
            if boot_ns_now() > ends_ns:
                break
        self.look_again()
