"""Bars are final once, in a row, never before their time; what the venue tells later is compared."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.bars import BARS_MAX, Bar
from services.feed_handler.closing_line import PATIENCE_NS, RETRY_NS, TRIES_MAX, ClosingLine, Wanted
from shared.market.timeframe import timeframe
from tests.services.feed_handler.builders import MINUTE_NS, NOON_NS, SECOND_NS, a_bar


def a_line(*, is_told_by_venue: bool = True) -> ClosingLine:
    """Return a row of minutes that began half a minute after noon."""
    line = ClosingLine(timeframe("1m"), is_told_by_venue=is_told_by_venue)
    line.begin(NOON_NS + MINUTE_NS // 2)
    if is_told_by_venue:
        line.warmed_up([a_bar(NOON_NS - MINUTE_NS, source="venue")])
    return line


def minute(number: int, **changes: object) -> Bar:
    """Return the bar of a minute after noon."""
    return msgspec.structs.replace(a_bar(NOON_NS + number * MINUTE_NS), **changes)


def test_the_first_that_can_be_relied_on_is_final() -> None:
    """Ours over no hole is final at once, before the venue's word."""
    assert a_line().offer(minute(0)).bars == [minute(0)]


def test_one_built_over_a_hole_waits_for_the_venues() -> None:
    """Ours with a hole is not final; the venue's is, when it comes, and that ours differs is no news."""
    line = a_line()
    assert line.offer(minute(0, gapless=False, trade_count=0)).bars == []
    told = line.offer(minute(0, source="venue"))
    assert told.bars == [minute(0, source="venue")]
    assert told.revised == []


def test_a_second_telling_that_differs_is_reported_and_changes_nothing() -> None:
    """What was published stays; where the venue's differs is said, field by field."""
    line = a_line()
    line.offer(minute(0))
    again = line.offer(minute(0, source="venue", trade_count=2))
    assert again.bars == []
    assert again.revised == [(minute(0), minute(0, source="venue", trade_count=2), ("trade_count",))]
    assert line.before(None, 1) == (minute(0),)


def test_the_same_told_twice_is_no_news() -> None:
    """A repetition is neither published nor reported."""
    line = a_line()
    line.offer(minute(0))
    again = line.offer(minute(0, source="venue"))
    assert (again.bars, again.revised) == ([], [])


def test_bars_come_in_their_row() -> None:
    """A bar whose predecessor is missing waits for it."""
    line = a_line()
    assert line.offer(minute(1)).bars == []
    assert line.offer(minute(0)).bars == [minute(0), minute(1)]


def test_what_the_venue_keeps_to_itself_is_fetched() -> None:
    """A bar that is not known a while after its close is asked for, with all that are missing by then."""
    line = a_line()
    closes_ns = NOON_NS + MINUTE_NS
    assert line.due(closes_ns + PATIENCE_NS - 1) is None
    assert line.due(closes_ns + 2 * MINUTE_NS + PATIENCE_NS) == Wanted(NOON_NS + 3 * MINUTE_NS, 3)
    assert line.due(closes_ns + 2 * MINUTE_NS + PATIENCE_NS) is None  # it is being fetched
    fetched = [minute(number, source="venue") for number in range(3)]
    assert line.fetched(fetched, closes_ns + 2 * MINUTE_NS + PATIENCE_NS).bars == fetched


def test_a_long_absence_is_fetched_page_by_page() -> None:
    """After days away the row goes on without a hole, a thousand bars at a time."""
    line = a_line()
    now_ns = NOON_NS + 2_500 * MINUTE_NS + MINUTE_NS // 2
    published: list[Bar] = []
    while (wanted := line.due(now_ns)) is not None:
        assert wanted.before_open_time_ns is not None
        assert wanted.candles_max <= BARS_MAX
        last = (wanted.before_open_time_ns - NOON_NS) // MINUTE_NS
        page = [minute(number, source="venue") for number in range(last - wanted.candles_max, last)]
        published += line.fetched(page, now_ns).bars
    assert [bar.open_time_ns for bar in published] == [NOON_NS + number * MINUTE_NS for number in range(2_500)]


@pytest.mark.parametrize("has_ours", [True, False], ids=["ours", "nothing"])
def test_without_the_venues_word_a_doubted_bar_stands_in(*, has_ours: bool) -> None:
    """After all tries ours with its hole is final, or the last price carried forward; never as gapless."""
    line = a_line()
    if has_ours:
        line.offer(minute(0, gapless=False, trade_count=3))
    now_ns = NOON_NS + MINUTE_NS + PATIENCE_NS
    published: list[Bar] = []
    for _ in range(TRIES_MAX):
        assert line.due(now_ns) is not None
        published += line.fetched([], now_ns).bars
        assert line.due(now_ns) is None
        now_ns += RETRY_NS * TRIES_MAX
    assert [(bar.open_time_ns, bar.gapless, bar.trade_count) for bar in published] == [
        (NOON_NS, False, 3 if has_ours else 0)
    ]


def test_what_nobody_else_tells_is_final_with_its_hole() -> None:
    """A timeframe that the venue has no candles of is published as it was built, holes said."""
    line = a_line(is_told_by_venue=False)
    assert line.offer(minute(0, gapless=False)).bars == [minute(0, gapless=False)]
    assert line.offer(minute(5)).bars == [minute(5)]
    assert line.due(NOON_NS + 100 * MINUTE_NS) is None


def test_memory_begins_with_what_was_before() -> None:
    """What was fetched at the beginning is remembered and not published."""
    assert a_line().before(None, 10) == (a_bar(NOON_NS - MINUTE_NS, source="venue"),)


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["ours", "hole", "venue", "time", "page"])), max_size=60))
def test_each_bar_is_published_once_in_a_row_and_not_before_its_close(life: list[tuple[int, str]]) -> None:
    """Whatever comes from wherever in whatever order, the published bars are a row without repetition or jump."""
    line, now_ns, published = a_line(), NOON_NS + MINUTE_NS // 2, list[Bar]()
    for number, kind in life:
        over = (now_ns - NOON_NS) // MINUTE_NS
        if kind == "time":
            now_ns += number * 20 * SECOND_NS
            line.due(now_ns)
        elif kind == "page":
            page = [minute(place, source="venue") for place in range(max(over - number, 0), over)]
            published += line.fetched(page, now_ns).bars
        elif number < over:
            changes: dict[str, object] = {"gapless": kind != "hole", "source": "venue" if kind == "venue" else "trades"}
            published += line.offer(minute(number, **changes)).bars
        for place, bar in enumerate(published):
            assert bar.open_time_ns == NOON_NS + place * MINUTE_NS
        assert len(published) <= max((now_ns - NOON_NS) // MINUTE_NS, 0)
