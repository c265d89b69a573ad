"""Intervals: when bars open."""

import calendar
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sim_exchange.market.intervals import (
    INTERVALS,
    LENGTHS_MS,
    Interval,
    next_opening_ms,
    opening_ms,
    openings_ms,
)

TIMES_MS = st.integers(min_value=0, max_value=4_102_444_800_000)


def ms(*moment: int) -> int:
    """Return a moment of UTC in milliseconds since 1970."""
    return calendar.timegm((*moment, 0, 0, 0)[:6]) * 1_000


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("1s", ms(2025, 3, 12, 17, 44, 31)),
        ("1m", ms(2025, 3, 12, 17, 44)),
        ("3m", ms(2025, 3, 12, 17, 42)),
        ("15m", ms(2025, 3, 12, 17, 30)),
        ("2h", ms(2025, 3, 12, 16)),
        ("6h", ms(2025, 3, 12, 12)),
        ("8h", ms(2025, 3, 12, 16)),
        ("1d", ms(2025, 3, 12)),
        ("1w", ms(2025, 3, 10)),  # a Monday
        ("1M", ms(2025, 3, 1)),
    ],
)
def test_a_bar_opens_where_the_venue_opens_it(interval: Interval, expected: int) -> None:
    """A time in the middle of everything lies in the bar that a calendar says."""
    assert opening_ms(interval, ms(2025, 3, 12, 17, 44, 31) + 999) == expected


def test_three_days_are_counted_from_1970() -> None:
    """The first bar of three days in which BTCUSDT was traded opened on 2017-08-16."""
    assert opening_ms("3d", ms(2017, 8, 17, 4)) == ms(2017, 8, 16)


def test_months_have_the_length_of_the_calendar() -> None:
    """Months follow one another over a leap day and a turn of the year, in both directions."""
    february = ms(2024, 2, 1)
    assert (
        next_opening_ms("1M", february) == ms(2024, 3, 1) == february + timedelta(days=29) // timedelta(milliseconds=1)
    )
    assert next_opening_ms("1M", february, -2) == ms(2023, 12, 1)
    assert list(openings_ms("1M", ms(2023, 12, 2), ms(2024, 3, 1))) == [ms(2024, 1, 1), february]


@given(time_ms=TIMES_MS, interval=st.sampled_from(INTERVALS))
def test_every_time_lies_in_one_bar(time_ms: int, interval: Interval) -> None:
    """A time is not before its bar's opening, and before the next, which comes a bar later."""
    opened = opening_ms(interval, time_ms)
    after = next_opening_ms(interval, time_ms)
    assert opened <= time_ms < after
    assert opening_ms(interval, opened) == opening_ms(interval, after - 1) == opened
    assert opening_ms(interval, after) == after == opened + LENGTHS_MS.get(interval, after - opened)
