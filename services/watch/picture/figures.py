"""Numbers as people read them, each with its unit, short enough for a column."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from shared.core.durations import duration

NOT_KNOWN: Final = "-"
PLACES_MAX: Final = 8
BARS: Final = "▁▂▃▄▅▆▇█"
_EIGHT_PLACES: Final = Decimal("0.5e-8")  # what is less would be written as nothing
_TWO_PLACES: Final = Decimal("0.005")
_written: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)  # whoever calls may count in another one
_MICROSECOND, _MILLISECOND, _SECOND, _MINUTE = 1_000, 1_000_000, 1_000_000_000, 60_000_000_000
_MEBIBYTE: Final = 1024 * 1024
_TENTHS_BELOW: Final = 10


def price(value: Decimal | None) -> str:
    """Return a price with the places it has, eight at most, and thousands apart."""
    if value is None:
        return NOT_KNOWN
    if value < _EIGHT_PLACES:
        return f"{value:.3e}"
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int), "a field of a message is a number"
    places = min(max(-exponent, 0), PLACES_MAX)
    return f"{_written.quantize(value, Decimal(1).scaleb(-places)):,f}"


def spread(value: Decimal | None) -> str:
    """Return a spread in basis points with two places, or, where that would be nothing, with two digits."""
    if value is None:
        return NOT_KNOWN
    return f"{value:.2g}" if 0 < value < _TWO_PLACES else f"{value:,.2f}"


def rounded(value: Decimal) -> str:
    """Return a rate or a share, rounded to tenths."""
    return f"{value:,.1f}"


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
