"""Notices that a stream of one symbol says nothing though its connection stands, and what to do about it. Pure.

The connection itself is watched by the link. Here it is about a single stream that went silent: quotes and the book
change all the time, so their silence says enough. Trades may pause in earnest, so the venue is asked whether there were
any.
"""

from dataclasses import dataclass, field
from typing import Final

from services.feed_handler.vocabulary import Reconnect, Resubscribe, StreamKind
from shared.core.service import Effect

QUIET_NS: Final[dict[StreamKind, int]] = {
    "quotes": 5_000_000_000,
    "book": 5_000_000_000,
    "trades": 5_000_000_000,
    "candles": 130_000_000_000,  # two minutes that closed without a word
}
PAUSE_NS_MAX: Final = 120_000_000_000
TRIES_MAX: Final = 3


@dataclass(slots=True)
class Steps:
    """What to do about silence."""

    effects: list[Effect] = field(default_factory=list)
    look_for_trades: bool = False


@dataclass(slots=True)
class _Stream:
    heard_ns: int
    pause_ns: int
    tries: int = 0


class Silence:
    """The streams of one symbol, and when each was last heard."""

    def __init__(self, symbol: str, *, look_every_ns: int) -> None:
        self._symbol: Final = symbol
        self._look_every_ns: Final = look_every_ns
        self._streams: Final[dict[StreamKind, _Stream]] = {}
        self._paused: Final[dict[StreamKind, _Stream]] = {}  # while their connection is made anew
        self._is_looking = False
        self._looked_ns = 0

    def opened(self, kind: StreamKind, now_ns: int) -> None:
        """Begin to count, or go on where it was asked for anew: that alone is no sign of life."""
        stream = self._streams.get(kind) or self._paused.pop(kind, None) or _Stream(now_ns, QUIET_NS[kind])
        stream.heard_ns = now_ns
        self._streams[kind] = stream

    def lost(self, kind: StreamKind) -> None:
        """Wait for the connection instead."""
        if kind in self._streams:
            self._paused[kind] = self._streams.pop(kind)

    def heard(self, kind: StreamKind, now_ns: int) -> None:
        """Note a sign of life."""
        stream = self._streams.get(kind)
        if stream is not None:
            stream.heard_ns, stream.pause_ns, stream.tries = now_ns, QUIET_NS[kind], 0

    def is_heard(self, kind: StreamKind, now_ns: int) -> bool:
        """Say whether a stream spoke of late: then its connection is well."""
        stream = self._streams.get(kind)
        return stream is not None and stream.tries == 0 and now_ns - stream.heard_ns < QUIET_NS[kind]

    def looks(self) -> None:
        """Note that the venue is asked: what it has beyond the stream, the stream has kept from us."""
        self._is_looking = True

    def looked(self, *, found: bool, well: frozenset[StreamKind]) -> list[Effect]:
        """Take the answer to whether there were trades that the stream kept from us."""
        stream = self._streams.get("trades")
        if not self._is_looking or stream is None:
            return []
        self._is_looking = False
        return [self._step("trades", stream, well)] if found else []

    def due(self, now_ns: int, well: frozenset[StreamKind], *, trades_matter: bool) -> Steps:
        """Say what to do now. The kinds that are `well` speak of other symbols: their connection is not the matter.

        Where `trades_matter` somebody waits to hear whether there were any.
        """
        steps = Steps()
        for kind, stream in self._streams.items():
            is_silent = now_ns - stream.heard_ns >= stream.pause_ns
            if is_silent:
                stream.heard_ns = now_ns
                stream.pause_ns = min(stream.pause_ns * 2, PAUSE_NS_MAX)
            if kind == "trades":
                is_wanted = is_silent or trades_matter
                if is_wanted and now_ns - self._looked_ns >= self._look_every_ns:
                    self._looked_ns = now_ns
                    steps.look_for_trades = True
            elif is_silent:
                steps.effects.append(self._step(kind, stream, well))
        return steps

    def _step(self, kind: StreamKind, stream: _Stream, well: frozenset[StreamKind]) -> Effect:
        stream.tries += 1
        if stream.tries <= TRIES_MAX or kind in well:
            return Resubscribe(kind, self._symbol)
        stream.tries = 1
        return Reconnect(kind)
