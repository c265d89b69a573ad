"""Numbers as people read them, each with its unit, short enough for a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, Self

from shared.core.durations import duration

NOT_KNOWN: Final = "-"
PLACES_MAX: Final = 8
BARS: Final = "▁▂▃▄▅▆▇█"
_EIGHT_PLACES: Final = Decimal("0.5e-8")  # what is less would be written as nothing
_TWO_PLACES: Final = Decimal("0.01")
_SPREAD_PLACES_MIN: Final = 2
_BPS: Final = Decimal(10_000)
_THOUSAND: Final = 1_000
_written: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)  # whoever calls may count in another one
_MICROSECOND, _MILLISECOND, _SECOND, _MINUTE = 1_000, 1_000_000, 1_000_000_000, 60_000_000_000
_MEBIBYTE: Final = 1024 * 1024
_TENTHS_BELOW: Final = 10


@dataclass(frozen=True, slots=True)
class Places:
    """How many decimals the prices and the spread of a symbol are written with."""

    price: int = 0
    spread: int = _SPREAD_PLACES_MIN

    def widened_by(self, other: Self) -> Self:
        """Return what suffices for both."""
        return type(self)(max(self.price, other.price), max(self.spread, other.spread))


def places_for(prices: Sequence[Decimal | None]) -> Places:
    """Return what these prices of one symbol need, eight at most; the least spread that they show has two digits."""
    known = [value for value in prices if value]
    if not known:
        return Places()
    price_places = min(max(0, *(-_exponent_of(value) for value in known)), PLACES_MAX)
    least_bps = _written.divide(_written.scaleb(_BPS, -price_places), max(known))
    return Places(price_places, 1 - least_bps.adjusted() if least_bps < _TWO_PLACES else _SPREAD_PLACES_MIN)


def price(value: Decimal | None, places: Places) -> str:
    """Return a price with thousands apart, and with all its zeros: its width is not to change with its last digit."""
    if value is None:
        return NOT_KNOWN
    if value < _EIGHT_PLACES:
        return f"{value:.3e}"
    return f"{_written.quantize(value, Decimal(1).scaleb(-places.price)):,f}"


def spread(value: Decimal | None, places: Places) -> str:
    """Return a spread in basis points."""
    return NOT_KNOWN if value is None else f"{value:,.{places.spread}f}"


def rounded(value: Decimal) -> str:
    """Return a rate or a share, rounded to tenths, or to ones where those are thousands: it is no wider then."""
    return f"{value:,.1f}" if value < _THOUSAND else f"{value:,.0f}"


def count(value: int) -> str:
    """Return a number with thousands apart."""
    return f"{value:,}"


def span(nanoseconds: int | None) -> str:
    """Return a time of any size with its unit: two digits or three, and from a minute on the two greatest units."""
    if nanoseconds is None:
        return NOT_KNOWN
    for unit_ns, name, end_ns in (
        (_MICROSECOND, "µs", _MILLISECOND),
        (_MILLISECOND, "ms", _SECOND),
        (_SECOND, "s", _MINUTE),
    ):
        if nanoseconds < end_ns:
            whole = nanoseconds // unit_ns
            return f"{whole} {name}" if whole >= _TENTHS_BELOW else f"{_tenths_of(nanoseconds, unit_ns)} {name}"
    return duration(nanoseconds / _SECOND)


def _exponent_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "a field of a message is a number"
    return exponent


def _tenths_of(nanoseconds: int, unit_ns: int) -> str:
    tenths_count = nanoseconds * 10 // unit_ns
    return f"{tenths_count // 10}.{tenths_count % 10}"


def uptime(nanoseconds: int) -> str:
    """Return how long something has been there."""
    return duration(nanoseconds / _SECOND)


def memory(size_bytes: int) -> str:
    """Return a size in mebibytes."""
    return f"{size_bytes / _MEBIBYTE:,.0f} MiB"


def clock_time(wall_ns: int) -> str:
    """Return a time of the wall clock, to the second."""
    return f"{datetime.fromtimestamp(wall_ns // _SECOND, UTC):%Y-%m-%d %H:%M:%S} UTC"


def stamp(wall_ns: int) -> str:
    """Return the same for programs, to the millisecond."""
    return (
        f"{datetime.fromtimestamp(wall_ns // _SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{wall_ns % _SECOND // _MILLISECOND:03}Z"
    )


def sparkline(trail: Sequence[Decimal]) -> str:
    """Return how a price went, a bar for each step, from the lowest of them to the highest.

    One that did not move is a line along the bottom: the same bar for no change and for half the way up would mislead.
    """
    low, high = min(trail, default=Decimal(0)), max(trail, default=Decimal(0))
    if low == high:
        return BARS[0] * len(trail)
    steps = len(BARS) - 1
    return "".join(BARS[round((value - low) / (high - low) * steps)] for value in trail)
