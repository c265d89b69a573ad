"""Stops and take-profits that wait, and which of them the last trades have reached, the nearest first."""

from bisect import bisect_left, insort
from decimal import Decimal

from services.sim_exchange.venue.orders import STOP_TYPES, Order
from services.sim_exchange.venue.vocabulary import OrderType, Side


def fires_above(side: Side, order_type: OrderType) -> bool:
    """Say whether a price at or above its stop price triggers an order, not one at or below it."""
    return (side == "BUY") == (order_type in STOP_TYPES)


def would_fire(side: Side, order_type: OrderType, stop_price: Decimal, last_price: Decimal | None) -> bool:
    """Say whether the last trade already triggers an order."""
    if last_price is None:
        return False
    return last_price >= stop_price if fires_above(side, order_type) else last_price <= stop_price


class Triggers:
    """The orders of one symbol that wait for a price. Each list is sorted so that the nearest is the last."""

    def __init__(self) -> None:
        self._above: list[tuple[Decimal, int]] = []
        self._below: list[tuple[Decimal, int]] = []
        self._orders: dict[int, Order] = {}
        self._high: Decimal | None = None
        self._low: Decimal | None = None

    def _place(self, order: Order) -> tuple[list[tuple[Decimal, int]], tuple[Decimal, int]]:
        if fires_above(order.side, order.type):
            return self._above, (order.stop_price.copy_negate(), -order.order_id)
        return self._below, (order.stop_price, -order.order_id)

    def add(self, order: Order) -> None:
        """Let an order wait."""
        waiting, place = self._place(order)
        insort(waiting, place)
        self._orders[order.order_id] = order
        order.waits = True

    def remove(self, order: Order) -> None:
        """Let an order that ended, or was triggered, wait no longer."""
        waiting, place = self._place(order)
        del waiting[bisect_left(waiting, place)]
        del self._orders[order.order_id]
        order.waits = False

    def saw(self, price: Decimal) -> None:
        """Take note of a trade."""
        if not self._orders:
            return
        if self._high is None or price > self._high:
            self._high = price
        if self._low is None or price < self._low:
            self._low = price

    def reached(self) -> Order | None:
        """Return the next order that the trades since the last None have reached."""
        if self._high is not None and self._above and -self._above[-1][0] <= self._high:
            return self._orders[-self._above[-1][1]]
        if self._low is not None and self._below and self._below[-1][0] >= self._low:
            return self._orders[-self._below[-1][1]]
        self._high = self._low = None
        return None
