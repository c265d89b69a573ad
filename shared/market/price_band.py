"""The band of prices that are believed at once, and what is held back outside of it until others confirm it."""

from collections import deque
from decimal import Context, Decimal, InvalidOperation
from typing import Final, Generic, TypeVar

SAMPLE_MAX: Final = 64
HALF_WIDTH_MAX: Final = Decimal("0.5")  # of the middle, however wild the last minute was: a crash to nothing is held
HELD_MAX: Final = 64
_rounding: Final = Context(prec=36, traps=[InvalidOperation])

T = TypeVar("T")


class PriceBand:
    """A band around the median of the prices believed within a time, at least a fraction of it wide to either side.

    The median is that of a sample, evenly spread over the time, and is worked out only when the sample changes: at most
    64 times in the whole of it. The newest price stays however old it is, so a price is never compared with none.
    """

    def __init__(self, *, fraction: Decimal, deviations: Decimal, window_ns: int) -> None:
        self._fraction: Final = fraction
        self._deviations: Final = deviations
        self._window_ns: Final = window_ns
        self._spacing_ns: Final = window_ns // SAMPLE_MAX
        self._sample: Final[deque[tuple[int, Decimal]]] = deque(maxlen=SAMPLE_MAX)
        self._low, self._high = Decimal(0), Decimal("Infinity")
        self._half_width = fraction  # of the middle

    @property
    def newest_ns(self) -> int | None:
        """Return of when the newest price is in the sample, None before the first."""
        return self._sample[-1][0] if self._sample else None

    def holds(self, price: Decimal) -> bool:
        """Say whether a price lies in the band. Before the first price every one does."""
        return self._low <= price <= self._high

    def leads_to(self, price: Decimal, low: Decimal, high: Decimal) -> bool:
        """Say whether a price lies in these limits, in the band, or between the two."""
        return min(self._low, low) <= price <= max(self._high, high)

    def around(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """Return the lowest and the highest price of a band that is as wide as this one, around another price."""
        reach = _rounding.multiply(price, self._half_width)
        return _rounding.subtract(price, reach), _rounding.add(price, reach)

    def believe(self, price: Decimal, time_ns: int) -> None:
        """Take a price in that the band holds."""
        if self._sample and time_ns - self._sample[-1][0] < self._spacing_ns:
            return
        self._sample.append((time_ns, price))
        while self._sample[0][0] < time_ns - self._window_ns:
            self._sample.popleft()
        ordered = sorted(price for _, price in self._sample)
        middle = ordered[len(ordered) // 2]
        deviation = sorted(_rounding.abs(_rounding.subtract(price, middle)) for price in ordered)[len(ordered) // 2]
        by_deviation = _rounding.divide(_rounding.multiply(self._deviations, deviation), middle)
        self._half_width = min(max(self._fraction, by_deviation), HALF_WIDTH_MAX)
        self._low, self._high = self.around(middle)

    def begin_anew(self, price: Decimal, time_ns: int) -> None:
        """Forget the prices before a move, and stand around the price that it led to."""
        self._sample.clear()
        self.believe(price, time_ns)


class Suspicion(Generic[T]):
    """What was seen outside the band, in order, until prices around it confirm a move or one inside refutes it."""

    def __init__(self, *, confirmations: int) -> None:
        self._confirmations: Final = confirmations
        self._confirmed = 0
        self._low = self._high = Decimal(0)
        self.held: Final[deque[tuple[Decimal, T]]] = deque()

    def hold(self, price: Decimal, observed: T, band: PriceBand) -> int:
        """Hold one back more. It confirms those around the same price; returns how many there was no room for."""
        if self.held and self._low <= price <= self._high:
            self._confirmed += 1
        else:
            self._confirmed = 0
            self._low, self._high = band.around(price)
        self.held.append((price, observed))
        if len(self.held) <= HELD_MAX:
            return 0
        self.held.popleft()
        return 1

    def confirm(self, price: Decimal) -> None:
        """Count a price seen elsewhere as a confirmation, if it is one."""
        if self.held and self._low <= price <= self._high:
            self._confirmed += 1

    @property
    def is_move(self) -> bool:
        """Say whether what is held is a move: enough prices came around it."""
        return self._confirmed >= self._confirmations

    def moved(self, band: PriceBand) -> tuple[list[T], int]:
        """Return, in order, what was held and belongs to the move, and how many were spikes apart from it.

        What lies between the band and where the move led belongs to it.
        """
        passed = [observed for price, observed in self.held if band.leads_to(price, self._low, self._high)]
        return self._let_go(passed)

    def settled(self, band: PriceBand) -> tuple[list[T], int]:
        """Return, after a price inside the band, what was held and lies inside by now, and how many were spikes."""
        return self._let_go([observed for price, observed in self.held if band.holds(price)])

    def forget(self) -> None:
        """Hold nothing more."""
        self._let_go([])

    def _let_go(self, passed: list[T]) -> tuple[list[T], int]:
        spikes = len(self.held) - len(passed)
        self.held.clear()
        self._confirmed = 0
        return passed, spikes
