"""What readers are told of whether a symbol can be relied on: its link, and what is doubted. Each when it changes.

Pure. A link is open when trades and quotes both flow.
"""

from collections.abc import Sequence
from typing import Final

from proto.market import LinkLost, LinkOpened, SymbolDoubted, SymbolTrusted
from services.feed_handler.vocabulary import StreamKind

REASONS_MAX: Final = 16
LINK: Final[frozenset[StreamKind]] = frozenset({"trades", "quotes"})


class Standing:
    """How one symbol stands."""

    def __init__(self, symbol: str) -> None:
        self._symbol: Final = symbol
        self._flowing: Final[set[StreamKind]] = set()
        self._is_open = False
        self._lost_reason: str | None = None
        self._doubts: tuple[str, ...] | None = None

    def opened(self, kind: StreamKind) -> LinkOpened | None:
        """Note that messages of a kind flow (again)."""
        self._flowing.add(kind)
        if self._is_open or not self._flowing >= LINK:
            return None
        self._is_open, self._lost_reason = True, None
        return LinkOpened(symbol=self._symbol)

    def lost(self, kind: StreamKind, reason: str) -> LinkLost | None:
        """Note that messages of a kind flow no longer, or cannot be had at all."""
        self._flowing.discard(kind)
        if kind not in LINK or reason == self._lost_reason:
            return None
        self._is_open, self._lost_reason = False, reason
        return LinkLost(symbol=self._symbol, reason=reason)

    def doubted(self, reasons: Sequence[str]) -> SymbolDoubted | SymbolTrusted | None:
        """Note the reasons to distrust the symbol, none when it can be relied on."""
        doubts = tuple(reasons[:REASONS_MAX])
        if doubts == self._doubts:
            return None
        self._doubts = doubts
        if doubts:
            return SymbolDoubted(symbol=self._symbol, reasons=doubts)
        return SymbolTrusted(symbol=self._symbol)
