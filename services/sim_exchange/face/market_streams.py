"""Who follows which market stream. A payload is encoded once, and the same frame goes to everybody.

No clock and no socket of its own: the market feed hands in what happened, the sockets subscribe their connections.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from services.sim_exchange.face.connection import Connection
from services.sim_exchange.face.frames import text_frame
from services.sim_exchange.face.interference import Going, Interference, Outgoing
from services.sim_exchange.face.layout import Payload

STREAMS_MAX: Final = 1_024  # that one connection may follow


class Follower:
    """A client of the market streams. In the combined form each event comes with the name of its stream."""

    def __init__(self, connection: Connection, *, is_combined: bool) -> None:
        self.connection: Final = connection
        self.is_combined = is_combined
        self.streams: Final[dict[str, None]] = {}


class MarketStreams:
    """The followers of every stream."""

    def __init__(self, interference: Interference) -> None:
        self._interference: Final = interference
        self._followers: Final[dict[str, dict[Follower, None]]] = {}

    def subscribe(self, follower: Follower, streams: Iterable[str]) -> bool:
        """Let somebody follow streams; False, and nothing done, when these would be too many."""
        new = [stream for stream in streams if stream not in follower.streams]
        if len(follower.streams) + len(new) > STREAMS_MAX:
            return False
        for stream in new:
            follower.streams[stream] = None
            self._followers.setdefault(stream, {})[follower] = None
        return True

    def unsubscribe(self, follower: Follower, streams: Iterable[str]) -> None:
        """Let somebody follow streams no longer."""
        for stream in streams:
            if stream in follower.streams:
                del follower.streams[stream]
                del self._followers[stream][follower]
                if not self._followers[stream]:
                    del self._followers[stream]

    def wants(self, stream: str) -> bool:
        """Say whether anybody follows a stream: what nobody follows need not be laid out."""
        return stream in self._followers

    def tell(self, stream: str, payload: Payload | list[Payload]) -> None:
        """Tell the followers of a stream, if the interference lets it through."""
        for going in self._interference.told(Outgoing(stream=stream, payload=payload)):
            self.deliver(going)

    def deliver(self, going: Going) -> None:
        """Send an event to the followers of its stream, or hang up on those whom that concerns."""
        if isinstance(going, Outgoing):
            self._send(going)
            return
        for stream, followers in self._followers.items():
            if going.concerns(stream, ""):
                for follower in followers:
                    follower.connection.hang_up(going.code)

    def _send(self, outgoing: Outgoing) -> None:
        followers = self._followers.get(outgoing.stream)
        if not followers:
            return
        raw = msgspec.json.encode(outgoing.payload)
        plain: bytes | None = None
        combined: bytes | None = None
        for follower in followers:
            if follower.is_combined:
                if combined is None:
                    combined = text_frame(b'{"stream":"%b","data":%b}' % (outgoing.stream.encode(), raw))
                follower.connection.send(combined)
            else:
                if plain is None:
                    plain = text_frame(raw)
                follower.connection.send(plain)
