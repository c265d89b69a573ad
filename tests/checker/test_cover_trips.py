"""Positions that risk had closed for want of a stop: a trip that the records lead to, and each that they do not.

What the executor left undone is another promise's: only those of the guard are looked at here.
"""

from typing import Final

import pytest

from tests.checker.killed_life import Break
from tests.checker.story import SYMBOL, Story
from tests.checker.wire import START_WALL_NS

NS_PER_MS: Final = 1_000_000
TRIP: Final = "trip-cover-5-2-3"
OF_THE_GUARD: Final = frozenset({"I13", "I16"})


def read(story: Story, number: int, **changes: object) -> None:
    """Let risk write down what a reading shows of the position, two seconds behind the one before."""
    at_ms = 16_000 + 2_000 * number
    shown = {
        "reader_epoch": 5,
        "read_number": number,
        "venue_time_ns": START_WALL_NS + at_ms * NS_PER_MS,
        "strategy": "trend",
        "symbol": SYMBOL,
        "report_sequence": 3,
        "uncovered_ns": (at_ms - 1_000) * NS_PER_MS,
        "quantity": "0.5",
        "covered_quantity": "0",
        "elsewhere_quantity": "0",
        "free_quantity": "0.5",
        "locked_quantity": "0",
    }
    story.risk_says(at_ms, "cover_read.1", **shown | changes)


def trips(story: Story, at_ms: int, trip_id: str = TRIP) -> None:
    """Let risk trip, and pause the symbol."""
    told = {"strategy": "trend", "symbol": SYMBOL, "quantity": "0.5", "reason": "it has no stop"}
    story.risk_says(at_ms, "cover_tripped.1", trip_id=trip_id, **told)
    story.risk_says(at_ms, "entries_paused.1", scope=["symbol", SYMBOL], actor="risk", reason="it has no stop")
    story.risk[-1].cause = trip_id


def a_bare_story() -> Story:
    """Return a life in which the executor leaves a position without a stop, and risk has it closed."""
    story = Story()
    story.venue.begin()
    story.risk_says(10, "day_begun.1", day_start_ns=START_WALL_NS, equity_quote="10000")
    story.reconcile(50)
    story.position(1_000, "0.2")
    story.position(1_100, "0.5")
    read(story, 1)
    read(story, 2)
    trips(story, 20_001)
    return story


def broken(story: Story) -> list[str]:
    """Return which promises of the guard are broken, and how."""
    found = story.verdict().violations
    return [f"{one.invariant} {one.what}" for one in found if one.invariant in OF_THE_GUARD]


def _resumed_and_tripped_again(story: Story) -> None:
    """Let somebody resume the symbol, and it trip by two further readings."""
    story.risk_says(20_500, "entries_resumed.1", scope=["symbol", SYMBOL], actor="ada", reason="seen to")
    read(story, 3)
    read(story, 4)
    trips(story, 24_001, "trip-cover-5-4-3")


def _tripped_again(story: Story) -> None:
    """Let it trip by two further readings though nobody has resumed it."""
    read(story, 3)
    read(story, 4)
    trips(story, 24_001, "trip-cover-5-4-3")


def _covered_later(story: Story) -> None:
    """Let the executor have told of a stop long before the second reading."""
    story.position(15_000, "0.5", "0.5")


def _brought_down(story: Story) -> None:
    """Let an exit be open since long before the second reading, which has taken the place of another."""
    for at_ms, name in ((13_000, "exit-1"), (14_000, "exit-2")):
        told = {
            "strategy": "trend",
            "symbol": SYMBOL,
            "target_quantity": "0",
            "asked_by": "trend",
            "reason": "it is time",
        }
        story.says(at_ms, "exit_opened.1", exit_id=name, **told)
    ended = {"strategy": "trend", "symbol": SYMBOL, "quantity_left": "0.5", "reason": "a lower one took its place"}
    story.says(14_001, "exit_ended.1", exit_id="exit-1", **ended)


def _resumed_between(story: Story) -> None:
    """Let somebody resume the symbol between the two readings."""
    story.risk_says(19_000, "entries_resumed.1", scope=["symbol", SYMBOL], actor="ada", reason="seen to")
    story.risk.insert(2, story.risk.pop())


def _approved_afterwards(story: Story) -> None:
    """Let an entry of the symbol be approved behind the trip."""
    story.approve(21_000, 1)


CASES: Final[tuple[tuple[str, str, Break, str], ...]] = (
    ("I13", "approved", _approved_afterwards, "is approved though risk has paused"),
    ("I13", "not paused", lambda s: s.without(s.of_risk("entries_paused.1")), "does not pause"),
    (
        "I13",
        "paused for another",
        lambda s: s.of_risk("entries_paused.1").set(scope=["symbol", "A/B"]),
        "does not pause",
    ),
    ("I16", "one reading", lambda s: s.without(s.of_risk("cover_read.1")), "two readings in a row"),
    ("I16", "not in a row", lambda s: s.of_risk("cover_read.1", 1).set(read_number=3), "two readings in a row"),
    ("I16", "two lives", lambda s: s.of_risk("cover_read.1").set(reader_epoch=4), "two readings in a row"),
    ("I16", "told twice", lambda s: s.of_risk("cover_read.1").set(venue_time_ns=START_WALL_NS * 2), "in a row"),
    ("I16", "too early", lambda s: s.of_risk("cover_read.1").set(uncovered_ns=15_000 * NS_PER_MS), "in a row"),
    ("I16", "another name", lambda s: s.of_risk("cover_tripped.1").set(trip_id="trip-cover-5-2-2"), "in a row"),
    ("I16", "known otherwise", _covered_later, "was not the newest"),
    ("I16", "brought down", _brought_down, "was being brought down"),
    ("I16", "resumed between", _resumed_between, "in a row"),
    ("I16", "locked, not elsewhere", lambda s: s.of_risk("cover_read.1").set(locked_quantity="0.3"), "in a row"),
    ("I16", "locked", lambda s: s.of_risk("cover_read.1", 1).set(locked_quantity="0.25"), "in a row"),
    ("I16", "gone", lambda s: s.of_risk("cover_read.1", 1).set(free_quantity="0.25"), "in a row"),
    ("I16", "another quantity", lambda s: s.of_risk("cover_tripped.1").set(quantity="0.4"), "in a row"),
    ("I16", "longer than it was", lambda s: s.of_risk("cover_read.1").set(uncovered_ns=17_001 * NS_PER_MS), "was for"),
    ("I16", "covered between", lambda s: s.nth("position_changed.1").set(covered_quantity="0.2"), "was for"),
    ("I16", "covered", lambda s: s.nth("position_changed.1", 1).set(covered_quantity="0.5"), "does not say"),
    ("I16", "another report", lambda s: s.of_risk("cover_read.1").set(report_sequence=2), "does not say"),
    ("I16", "not told so", lambda s: s.nth("position_changed.1", 1).set(quantity="0.6"), "does not say"),
    ("I16", "tripped twice", _tripped_again, "nobody has resumed"),
)


def test_trip_that_had_to_be_breaks_nothing() -> None:
    """By two readings in a row of what the executor told; resumed, it may trip again."""
    assert not broken(a_bare_story())
    story = a_bare_story()
    _resumed_and_tripped_again(story)
    assert not broken(story)
    assert story.verdict().checked["I16"] >= 10


def test_what_comes_just_before_a_reading_risk_need_not_know() -> None:
    """Nor what another boot's clock says, nor an exit that is over."""
    story = a_bare_story()
    story.position(19_500, "0.5", "0.5")
    assert not broken(story)
    story = a_bare_story()
    told = {"strategy": "trend", "symbol": SYMBOL, "target_quantity": "0", "asked_by": "trend", "reason": "it is time"}
    story.says(13_000, "exit_opened.1", exit_id="exit-1", **told)
    ended = {"strategy": "trend", "symbol": SYMBOL, "quantity_left": "0.5", "reason": "called off"}
    story.says(13_500, "exit_ended.1", exit_id="exit-1", **ended)
    assert not broken(story)
    story = a_bare_story()
    for said in story.executor:
        said.boot_id = "another boot"
    assert not broken(story)


def test_what_stops_of_others_lock_is_no_stop_of_its() -> None:
    """As much as they cover."""
    story = a_bare_story()
    for number in range(2):
        story.of_risk("cover_read.1", number).set(elsewhere_quantity="0.3", locked_quantity="0.5")
    assert not broken(story)


@pytest.mark.parametrize(("invariant", "how", "break_it", "says"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_broken_promise_is_seen(invariant: str, how: str, break_it: Break, says: str) -> None:
    """The promise that was broken is named, in words that fit."""
    story = a_bare_story()
    break_it(story)
    found = broken(story)
    assert any(one.startswith(invariant) and says in one for one in found), (how, found)
