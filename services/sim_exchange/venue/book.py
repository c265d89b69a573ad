"""The book of one symbol: price first, then time. It knows nothing of money, and matches nothing by itself."""

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.orders import Order
from services.sim_exchange.venue.vocabulary import Depth, LevelChanged, Side


class Level:
    """The orders at one price, first come first served."""

    __slots__ = ("price", "quantity", "queue")

    def __init__(self, price: Decimal) -> None:
        self.price = price
        self.quantity = ZERO
        # A plain dict is slow to find its first key once many before it were deleted.
        self.queue: OrderedDict[int, Order] = OrderedDict()

    def first(self) -> Order:
        """Return the order that came first."""
        return next(iter(self.queue.values()))


class BookSide:
    """The bids, or the asks. Prices are ranked so that the best is the last of a sorted list: asks are negated."""

    __slots__ = ("_changed", "_levels", "_ranks", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._levels: dict[Decimal, Level] = {}
        self._ranks: list[Decimal] = []
        self._changed: dict[Decimal, None] = {}

    def _rank(self, price: Decimal) -> Decimal:
        return price if self.side == "BUY" else price.copy_negate()

    def best(self) -> Level | None:
        """Return the level that is matched first."""
        return self._levels[self._ranks[-1]] if self._ranks else None

    def levels(self) -> Iterator[Level]:
        """Yield every level, the best first."""
        return (self._levels[rank] for rank in reversed(self._ranks))

    def add(self, order: Order) -> None:
        """Let an order wait at the end of the queue at its price."""
        rank = self._rank(order.price)
        level = self._levels.get(rank)
        if level is None:
            level = self._levels[rank] = Level(order.price)
            insort(self._ranks, rank)
        level.queue[order.order_id] = order
        level.quantity += order.remaining
        order.rests = True
        self._changed[rank] = None

    def add_in_turn(self, order: Order) -> None:
        """Let an order wait where it belongs by its priority, though it comes later than others behind it."""
        self.add(order)
        queue = self._levels[self._rank(order.price)].queue
        for waiting in [other for other in queue.values() if other.priority > order.priority]:
            queue.move_to_end(waiting.order_id)

    def reduce(self, order: Order, quantity: Decimal) -> None:
        """Take some of an order's remaining quantity, or all of it, out of the book; what is left keeps its place."""
        rank = self._rank(order.price)
        level = self._levels[rank]
        level.quantity -= quantity
        if quantity == order.remaining:
            del level.queue[order.order_id]
            order.rests = False
            if not level.queue:
                del self._levels[rank]
                del self._ranks[bisect_left(self._ranks, rank)]
        self._changed[rank] = None

    def changes(self, symbol: str, update_id: int) -> list[LevelChanged]:
        """Return each level that changed since this was last asked, numbered from the one after an update."""
        changes: list[LevelChanged] = []
        if not self._changed:
            return changes
        for rank in self._changed:
            level = self._levels.get(rank)
            update_id += 1
            changes.append(
                LevelChanged(
                    symbol=symbol,
                    side=self.side,
                    price=rank if self.side == "BUY" else rank.copy_negate(),
                    quantity=ZERO if level is None else level.quantity,
                    update_id=update_id,
                )
            )
        self._changed.clear()
        return changes


class Book:
    """Both sides, and the number of the last change to a level."""

    def __init__(self, symbol: str, update_id: int) -> None:
        self._symbol = symbol
        self._update_id = update_id
        self.bids = BookSide("BUY")
        self.asks = BookSide("SELL")

    def of(self, order: Order) -> BookSide:
        """Return the side on which an order rests."""
        return self.bids if order.is_buy else self.asks

    def against(self, *, is_buy: bool) -> BookSide:
        """Return the side that a buyer, or a seller, takes from."""
        return self.asks if is_buy else self.bids

    def changes(self) -> list[LevelChanged]:
        """Return what changed since this was last asked, once for each level, and give each change a number."""
        changes = self.bids.changes(self._symbol, self._update_id)
        changes += self.asks.changes(self._symbol, self._update_id + len(changes))
        self._update_id += len(changes)
        return changes

    def depth(self, levels: int) -> Depth:
        """Return the best levels."""
        return Depth(
            update_id=self._update_id,
            bids=tuple((level.price, level.quantity) for level in islice(self.bids.levels(), levels)),
            asks=tuple((level.price, level.quantity) for level in islice(self.asks.levels(), levels)),
        )
