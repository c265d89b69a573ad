"""One client's WebSocket: what goes out to it, how long it may stay, and how it is found dead or too slow.

A frame goes to the transport at once, and whole. What the client does not take waits there, up to a bound; a client
that lets it grow beyond that is cut off, as the venue does, so that it costs the others no memory.
"""

import asyncio
from typing import Final

from services.sim_exchange.face.frames import close_frame, ping_frame, pong_frame

WAITING_BYTES_MAX: Final = 4 * 1024 * 1024
PING_EVERY_MS: Final = 20_000
PONG_WITHIN_MS: Final = 60_000
STAY_MS_MAX: Final = 24 * 60 * 60 * 1_000
GOING_AWAY: Final = 1001
POLICY_VIOLATION: Final = 1008


class Connection:
    """The way out to one client."""

    def __init__(
        self, transport: asyncio.WriteTransport, *, now_ms: int, waiting_bytes_max: int = WAITING_BYTES_MAX
    ) -> None:
        self._transport: Final = transport
        self._waiting_bytes_max: Final = waiting_bytes_max
        self._opened_ms: Final = now_ms
        self._pinged_ms = now_ms
        self._unanswered_ms: int | None = None
        self.was_too_slow = False

    @property
    def is_closing(self) -> bool:
        """Say whether it is over: nothing is sent any more."""
        return self._transport.is_closing()

    def send(self, frame: bytes) -> None:
        """Send a frame, or cut off a client that left too many of them waiting."""
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > self._waiting_bytes_max:
            self.was_too_slow = True
            self._transport.abort()
            return
        self._transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Say goodbye, and end the connection when what waits is out."""
        self.send(close_frame(code, reason))
        self._transport.close()

    def cut(self) -> None:
        """End the connection without a word."""
        self._transport.abort()

    def hang_up(self, code: int | None) -> None:
        """End the connection, with or without a word."""
        if code is None:
            self.cut()
        else:
            self.close(code, "")

    def ping_came(self, payload: bytes) -> None:
        """Answer a client that asks whether the venue is there."""
        self.send(pong_frame(payload))

    def pong_came(self) -> None:
        """Note that the client is there."""
        self._unanswered_ms = None

    def tick(self, now_ms: int) -> None:
        """Ask whether the client is there, and end what is dead or has stayed a day."""
        if now_ms - self._opened_ms >= STAY_MS_MAX:
            self.close(GOING_AWAY, "connected for 24 hours")
        elif self._unanswered_ms is not None and now_ms - self._unanswered_ms >= PONG_WITHIN_MS:
            self.close(POLICY_VIOLATION, "Pong timeout")
        elif now_ms - self._pinged_ms >= PING_EVERY_MS:
            self._pinged_ms = now_ms
            if self._unanswered_ms is None:
                self._unanswered_ms = now_ms
            self.send(ping_frame(str(now_ms).encode()))
