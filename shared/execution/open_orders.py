"""How many orders are open on a symbol, ours and those of other hands: a venue takes only so many of both. Pure.

Those of other hands are as the venue showed them last, and as its stream has told since. None of it is durable: before
the first reading no entry is taken.
"""

from typing import Final, NamedTuple

from shared.core.service import FromOutside
from shared.execution.books import Books, Place
from shared.execution.vocabulary import OpenOrdersRead, OrderTold, VenueOrder


class Count(NamedTuple):
    """So many orders, and so many of them that wait for their trigger."""

    orders: int
    stops: int


class OpenOrders:
    """Those that the venue shows, held against our books."""

    def __init__(self, books: Books) -> None:
        self._books: Final = books
        self._shown: Final[dict[tuple[str, str], VenueOrder]] = {}

    def take(self, told: FromOutside) -> None:
        """Take in a reading of all of them, or a word about one."""
        match told:
            case OpenOrdersRead(orders=orders, failure=None):
                self._shown.clear()
                for order in orders:
                    self._word(order)
            case OrderTold(order=order):
                self._word(order)
            case _:
                pass

    def beside(self, place: Place) -> Count:
        """Return how many there are on its symbol besides those of a place, once every other place has its stop."""
        symbol = place[1]
        others = [
            order
            for order in self._shown.values()
            if order.symbol == symbol and order.client_order_id not in self._books.orders
        ]
        ours = sum(other[1] == symbol and other != place for other in self._books.places())
        return Count(len(others) + ours, sum(order.is_stop for order in others) + ours)

    def _word(self, order: VenueOrder) -> None:
        if order.status == "open":
            self._shown[order.symbol, order.venue_order_id] = order
        else:
            self._shown.pop((order.symbol, order.venue_order_id), None)
