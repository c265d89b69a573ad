"""A timeframe is a grid in UTC, and says which grids it is made of."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.timeframe import TimeframeRefusedError, timeframe

COMMON = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "4h", "1d", "1w"]


@pytest.mark.parametrize(
    ("name", "seconds"), [("1s", 1), ("15s", 15), ("5m", 300), ("4h", 14_400), ("1d", 86_400), ("1w", 604_800)]
)
def test_a_name_says_how_long(name: str, seconds: int) -> None:
    """A number and a unit are a length."""
    assert timeframe(name).duration_ns == seconds * 1_000_000_000
    assert timeframe(name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "m",
        "1",
        "0m",
        "01m",
        "1M",
        "1 m",
        "1m ",
        "-1m",
        "1.5h",
        "1m\n",
        "\uff11m",
        "8d",
        "2w",
        "604801s",
        "9" * 40 + "s",
    ],
)
def test_what_is_no_timeframe_is_refused_with_what_is(name: str) -> None:
    """A wrong name is answered with what to write."""
    with pytest.raises(TimeframeRefusedError, match="whole number without leading zeros"):
        timeframe(name)


def test_two_names_of_one_length_have_one_grid() -> None:
    """Sixty seconds are a minute, and seven days a week, under a name of their own."""
    assert timeframe("60s") != timeframe("1m")
    assert timeframe("60s").holds(timeframe("1m"))
    assert timeframe("1m").holds(timeframe("60s"))
    assert timeframe("7d").holds(timeframe("1w"))


@pytest.mark.parametrize(
    ("name", "opened"),
    [("1m", "2024-05-08T13:37"), ("4h", "2024-05-08T12:00"), ("1d", "2024-05-08"), ("1w", "2024-05-06")],
)
def test_bars_open_on_the_calendar(name: str, opened: str) -> None:
    """Minutes, days and weeks open where the calendar of UTC has them, weeks on Monday."""
    time = datetime.fromisoformat("2024-05-08T13:37:59.999999").replace(tzinfo=UTC)
    open_time = datetime.fromisoformat(opened).replace(tzinfo=UTC)
    time_ns, open_ns = (int(moment.timestamp()) * 1_000_000_000 for moment in (time, open_time))
    assert timeframe(name).open_time_ns(time_ns + 999_999_999) == open_ns


@pytest.mark.parametrize(
    ("longer", "shorter", "held"),
    [
        ("5m", "1m", True),
        ("1m", "1m", True),
        ("1w", "1d", True),
        ("1w", "4h", True),
        ("1m", "5m", False),
        ("5m", "2m", False),
        ("1w", "7m", False),  # a whole multiple, but no bar of seven minutes opens on every Monday at 00:00
    ],
)
def test_a_timeframe_holds_what_it_is_made_of(longer: str, shorter: str, held: bool) -> None:  # noqa: FBT001  # the third column
    """A bar holds shorter ones where it is made of whole ones."""
    assert timeframe(longer).holds(timeframe(shorter)) is held


@given(st.sampled_from(COMMON), st.integers(0, 2**62))
def test_every_time_lies_in_one_bar(name: str, time_ns: int) -> None:
    """A time lies between the open of its bar and its close, and an open time is its own."""
    frame = timeframe(name)
    open_ns = frame.open_time_ns(time_ns)
    assert open_ns <= time_ns < frame.close_time_ns(open_ns)
    assert frame.open_time_ns(open_ns) == open_ns
    assert frame.open_time_ns(frame.close_time_ns(open_ns)) == frame.close_time_ns(open_ns)


@given(st.sampled_from(COMMON), st.sampled_from(COMMON), st.integers(0, 2**62))
def test_a_held_bar_never_crosses_the_edge_of_its_holder(longer: str, shorter: str, time_ns: int) -> None:
    """Where a timeframe holds another, each bar of the other lies in one bar of it."""
    frame, part = timeframe(longer), timeframe(shorter)
    if frame.holds(part):
        open_ns = part.open_time_ns(time_ns)
        last_ns = part.close_time_ns(open_ns) - 1
        assert frame.open_time_ns(open_ns) == frame.open_time_ns(last_ns)
