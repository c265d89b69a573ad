"""Keeps the order book of a symbol whole: fetched, then changed in a row; after a hole it is fetched anew. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from services.feed_handler.vocabulary import FetchBook
from shared.market.observations import BookChange, BookWhole
from shared.market.order_book import OrderBook

HELD_MAX: Final = 5_000
RETRY_NS: Final = 500_000_000
RETRY_NS_MAX: Final = 30_000_000_000
FAILURES_MAX: Final = 10  # from there on the pauses grow no more


@dataclass(slots=True)
class BookProgress:
    """What came of an input: the book is whole anew, or changed so; and whether it has to be fetched."""

    is_new: bool = False
    changes: list[BookChange] = field(default_factory=list)
    refused: str | None = None
    ask: FetchBook | None = None


class BookLine:
    """One symbol's book, from the first fetch on."""

    def __init__(self, symbol: str) -> None:
        self._symbol: Final = symbol
        self.book = OrderBook()
        self._held: Final[deque[BookChange]] = deque(maxlen=HELD_MAX)
        self._is_open = False
        self._is_whole = False
        self._is_asked = False
        self._retry_at_ns: int | None = None
        self._failures = 0  # since a change was last applied
        self._is_broken = False

    @property
    def is_whole(self) -> bool:
        """Say whether the book can be relied on."""
        return self._is_whole

    def opened(self) -> BookProgress:
        """Begin anew: changes flow (again), and what was missed meanwhile nobody knows."""
        self._is_open = True
        self._forget()
        return self._ask()

    def lost(self) -> None:
        """Forget the book: changes flow no longer."""
        self._is_open = False
        self._forget()

    def came(self, change: BookChange) -> BookProgress:
        """Take a change off the stream."""
        if not self._is_whole:
            self._held.append(change)
            return BookProgress()
        progress = BookProgress()
        self._apply(change, progress)
        return progress

    def fetched(self, whole: BookWhole | None) -> BookProgress:
        """Take the book as it was fetched, or that it could not be; and what changed since."""
        self._is_asked = False
        if not self._is_open:
            return BookProgress()
        if whole is None:
            self._is_broken = True
            return BookProgress()
        self.book.whole(whole)
        self._is_whole = True
        progress = BookProgress(is_new=True)
        if self.book.sequence is None or self.book.is_crossed:
            self._break(progress, "senseless book")
        while self._held and self._is_whole:
            self._apply(self._held.popleft(), progress)
        return progress

    def due(self, now_ns: int) -> BookProgress:
        """Ask again if it is time to: at once after the first failure, then with growing pauses."""
        if self._is_broken:
            self._is_broken = False
            pause_ns = min(RETRY_NS * 2**self._failures, RETRY_NS_MAX) if self._failures else 0
            self._failures = min(self._failures + 1, FAILURES_MAX)
            self._retry_at_ns = now_ns + pause_ns
        if self._retry_at_ns is None or now_ns < self._retry_at_ns:
            return BookProgress()
        self._retry_at_ns = None
        return self._ask()

    def _apply(self, change: BookChange, progress: BookProgress) -> None:
        before = self.book.sequence
        assert before is not None, "it was fetched"
        match self.book.change(change):
            case "applied":
                if self.book.is_crossed:
                    self._break(progress, "crossed book")
                else:
                    self._failures = 0
                    progress.changes.append(_following(change, before))
            case "gap" | "unknown":
                self._break(progress, "book gap")
                self._held.append(change)
            case "old":
                pass

    def _break(self, progress: BookProgress, reason: str) -> None:
        self._forget()
        progress.refused = reason
        progress.is_new = False
        progress.changes.clear()
        self._is_broken = True

    def _ask(self) -> BookProgress:
        if self._is_asked:
            return BookProgress()
        self._is_asked = True
        return BookProgress(ask=FetchBook(self._symbol))

    def _forget(self) -> None:
        self._is_whole = False
        self._held.clear()
        self._retry_at_ns, self._is_broken = None, False


def _following(change: BookChange, before: int) -> BookChange:
    """Return a change numbered by the book it follows on: our readers need no venue's own rule."""
    return BookChange(
        symbol=change.symbol,
        first_sequence=before + 1,
        last_sequence=change.last_sequence,
        follows_sequence=None,
        bids=change.bids,
        asks=change.asks,
        exchange_time_ns=change.exchange_time_ns,
    )
