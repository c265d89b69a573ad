"""When the bars of each of the venue's intervals open. All times are milliseconds since 1970, UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal, get_args

Interval = Literal[
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"
]  # fmt: skip  # one line of the venue's documentation
INTERVALS: Final[tuple[Interval, ...]] = get_args(Interval)

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
WEEK_MS: Final = 7 * DAY_MS
FIRST_MONDAY_MS: Final = 4 * DAY_MS  # 1970-01-05: weeks open on Mondays
MONTHS: Final = 12

# The month is not here: it has no length of its own.
LENGTHS_MS: Final[dict[Interval, int]] = {
    "1s": SECOND_MS,
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": WEEK_MS,
}


def opening_ms(interval: Interval, time_ms: int) -> int:
    """Return when the bar opened in which this time lies."""
    if interval == "1M":
        return _month_ms(_month_number(time_ms))
    offset_ms = FIRST_MONDAY_MS if interval == "1w" else 0
    return time_ms - (time_ms - offset_ms) % LENGTHS_MS[interval]


def next_opening_ms(interval: Interval, time_ms: int, bars: int = 1) -> int:
    """Return when the bar opens that comes so many bars after the one in which this time lies, or before it."""
    if interval == "1M":
        return _month_ms(_month_number(time_ms) + bars)
    return opening_ms(interval, time_ms) + bars * LENGTHS_MS[interval]


def openings_ms(interval: Interval, first_ms: int, end_ms: int) -> Iterator[int]:
    """Yield when each bar opens that opens at `first_ms` or later, and before `end_ms`."""
    opens_ms = opening_ms(interval, first_ms)
    while opens_ms < end_ms:
        if opens_ms >= first_ms:
            yield opens_ms
        opens_ms = next_opening_ms(interval, opens_ms)


def _month_number(time_ms: int) -> int:
    moment = datetime.fromtimestamp(time_ms // SECOND_MS, tz=UTC)
    return moment.year * MONTHS + moment.month - 1


def _month_ms(number: int) -> int:
    first = datetime(number // MONTHS, number % MONTHS + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * SECOND_MS
