"""The average price of the last minutes' trades, weighted by quantity: what the price filter is measured against."""

from collections import deque
from decimal import Decimal
from typing import Final

from services.sim_exchange.venue.amounts import ONE, ROUNDING, ZERO, rounded_down

WINDOW_SECONDS: Final = 300


class Average:
    """Sums per second, so that there are never more of them than the window has seconds."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, Decimal, Decimal]] = deque()
        self._quote = ZERO
        self._quantity = ZERO
        self._last_price: Decimal | None = None

    @property
    def last_price(self) -> Decimal | None:
        """The price of the last trade, however old."""
        return self._last_price

    def add(self, now_ms: int, price: Decimal, quantity: Decimal) -> None:
        """Count a trade."""
        self._last_price = price
        self._forget(now_ms)
        second, quote = now_ms // 1000, price * quantity
        self._quote += quote
        self._quantity += quantity
        if self._seconds and self._seconds[-1][0] == second:
            _, quote_before, quantity_before = self._seconds.pop()
            self._seconds.append((second, quote_before + quote, quantity_before + quantity))
        else:
            self._seconds.append((second, quote, quantity))

    def _forget(self, now_ms: int) -> None:
        oldest = now_ms // 1000 - WINDOW_SECONDS
        while self._seconds and self._seconds[0][0] < oldest:
            _, quote, quantity = self._seconds.popleft()
            self._quote -= quote
            self._quantity -= quantity

    def fraction(self, now_ms: int) -> tuple[Decimal, Decimal] | None:
        """Return the average as money over quantity, undivided and so exact; None before the first trade ever."""
        self._forget(now_ms)
        if self._seconds:
            return self._quote, self._quantity
        return None if self._last_price is None else (self._last_price, ONE)

    def price(self, now_ms: int) -> Decimal | None:
        """Return the average to eight digits."""
        fraction = self.fraction(now_ms)
        return None if fraction is None else rounded_down(ROUNDING.divide(*fraction))
