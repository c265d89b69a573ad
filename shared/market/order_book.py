"""The order book of one symbol: a whole one, and the changes that follow on it without a hole.

Who keeps books hands in what the venue tells. A book that lost a change is unknown, and says so, until it is whole.
"""

from bisect import bisect_left, insort
from decimal import Decimal
from typing import Final, Literal

from proto.market import BOOK_LEVELS_MAX
from shared.market.bounds import price_fault, quantity_fault
from shared.market.observations import BookChange, BookWhole, Levels

Level = tuple[Decimal, Decimal]


class _Side:
    """The levels of one side: quantities by price, and the prices in order, for the best one and the farthest."""

    def __init__(self, *, best: Literal["lowest", "highest"]) -> None:
        self._best: Final = -1 if best == "highest" else 0
        self._farthest: Final = 0 if best == "highest" else -1
        self._quantities: Final[dict[Decimal, Decimal]] = {}
        self._prices: Final[list[Decimal]] = []

    def clear(self) -> None:
        """Forget every level."""
        self._quantities.clear()
        self._prices.clear()

    def change(self, levels: Levels) -> None:
        """Set these levels; a quantity of zero removes the price."""
        for price, quantity in levels:
            known = price in self._quantities
            if quantity:
                self._quantities[price] = quantity
                if not known:
                    insort(self._prices, price)
            elif known:
                del self._quantities[price]
                del self._prices[bisect_left(self._prices, price)]
        while len(self._prices) > BOOK_LEVELS_MAX:
            del self._quantities[self._prices.pop(self._farthest)]

    def best(self) -> Level | None:
        """Return the best level, None when there is none."""
        if not self._prices:
            return None
        price = self._prices[self._best]
        return price, self._quantities[price]

    def levels(self, count: int) -> Levels:
        """Return so many levels, or as many as there are, the best first."""
        prices = self._prices[:count] if self._best == 0 else self._prices[: -count - 1 : -1]
        return tuple((price, self._quantities[price]) for price in prices)


class OrderBook:
    """A book that applies changes in order. It keeps 5,000 levels a side, and drops the farthest ones beyond.

    So the far end of a book that was full may lack levels that the venue still has.
    """

    def __init__(self) -> None:
        self._bids: Final = _Side(best="highest")
        self._asks: Final = _Side(best="lowest")
        self._is_joined = False  # a change applied since the book was whole
        self.sequence: int | None = None  # None while the book is unknown

    def whole(self, book: BookWhole) -> None:
        """Begin anew with a whole book. A senseless one leaves the book unknown."""
        self._forget()
        if _is_sensible(book.bids) and _is_sensible(book.asks):
            self._bids.change(book.bids)
            self._asks.change(book.asks)
            self.sequence = book.sequence

    def change(self, change: BookChange) -> Literal["applied", "old", "gap", "unknown"]:
        """Apply a change if it follows. After a gap, or a senseless change, the book is unknown until it is whole."""
        if self.sequence is None:
            return "unknown"
        if not self._follows(change, self.sequence):
            if change.last_sequence <= self.sequence:
                return "old"
            self._forget()
            return "gap"
        if not (_is_sensible(change.bids) and _is_sensible(change.asks)):
            self._forget()
            return "gap"
        self._bids.change(change.bids)
        self._asks.change(change.asks)
        self.sequence, self._is_joined = change.last_sequence, True
        return "applied"

    def best(self) -> tuple[Level, Level] | None:
        """Return the best bid and ask, None when either side is empty or the book unknown."""
        bid, ask = self._bids.best(), self._asks.best()
        return None if bid is None or ask is None else (bid, ask)

    @property
    def is_crossed(self) -> bool:
        """Say whether the best bid is as high as the best ask, or higher."""
        best = self.best()
        return best is not None and best[0][0] >= best[1][0]

    def levels(self, count: int) -> tuple[Levels, Levels]:
        """Return bids and asks, as many as asked for and there are, the best first. An unknown book has none."""
        return self._bids.levels(count), self._asks.levels(count)

    def _follows(self, change: BookChange, sequence: int) -> bool:
        """Say whether the change leads on from here. The first after a whole book need only reach over its number."""
        if change.follows_sequence is None:
            reaches_over = change.first_sequence <= sequence + 1 <= change.last_sequence
            return reaches_over and (not self._is_joined or change.first_sequence == sequence + 1)
        reaches_over = change.first_sequence <= sequence <= change.last_sequence
        return (reaches_over and not self._is_joined) or change.follows_sequence == sequence <= change.last_sequence

    def _forget(self) -> None:
        self._bids.clear()
        self._asks.clear()
        self._is_joined, self.sequence = False, None


def _is_sensible(levels: Levels) -> bool:
    return not any(price_fault(price) or quantity_fault(quantity) for price, quantity in levels)
