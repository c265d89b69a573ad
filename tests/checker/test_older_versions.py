"""What is judged of a journal that an older version wrote: all but what that version did not do."""

from collections.abc import Callable
from typing import Final

import pytest

from tests.checker.changes import mark, served_late
from tests.checker.life import a_story
from tests.checker.story import Story

OLD_PAGE: Final = b'{"positions": []}'  # which does not say of which account it is
ENTRIES: Final = ("e1", "e2", "e3", "e4", "e5")


def an_old_story(*at_market: str) -> Story:
    """Return the life with these entries sent at the market."""
    story = a_story()
    story.state = OLD_PAGE
    for name in at_market:
        mark(story, name).set(order_type="market", limit_price=None)
    return story


def broken(story: Story) -> set[str]:
    """Return what is said to be broken of its entries."""
    return {f"{one.place.client_id}: {one.what}" for one in story.verdict().violations if one.invariant == "I1"}


def test_entries_of_an_older_version_are_no_violations() -> None:
    """They had no limit: what was approved bounds no price of theirs, and the answer says that it did not judge it."""
    story = an_old_story(*ENTRIES)
    verdict = story.verdict()
    assert verdict.violations == ()
    number = max(place for place, said in enumerate(story.executor, start=1) if said.tag == "send_marked.1")
    (skipped,) = [what for what in verdict.unchecked if "limit" in what]
    assert skipped.startswith(f"5 entries up to record {number} are from before entries had a limit")


def on_a_page_of_today(story: Story) -> None:
    """Let the journal's page say of which account it is, as those of versions do that enter at a limit."""
    story.state = Story().state


def behind_one_at_a_limit(story: Story) -> None:
    """Let the first of them have a limit: the version is one that does so."""
    mark(story, "e1").set(order_type="limit_ioc", limit_price="100")


@pytest.mark.parametrize("told_by", [on_a_page_of_today, behind_one_at_a_limit])
def test_entry_at_the_market_of_this_version_is_a_violation(told_by: Callable[[Story], None]) -> None:
    """Whoever enters at a limit never enters without one."""
    story = an_old_story(*ENTRIES)
    told_by(story)
    assert "bw-main-e2: its price None is not within 99 and 101" in broken(story)
    assert not [what for what in story.verdict().unchecked if "limit" in what]


def test_fill_above_the_approval_is_a_violation_where_there_is_a_limit() -> None:
    """Each trade of an entry is held to it, whatever was sent."""
    story = an_old_story()
    story.of_order("e1", "order_filled.1").set(price="101.5")
    assert any("it was filled at 101.5" in what for what in broken(story))
    old = an_old_story(*ENTRIES)
    old.of_order("e1", "order_filled.1").set(price="101.5")
    assert not broken(old)


def test_exits_of_an_older_version_have_no_time() -> None:
    """It did not say what held one up: that it waited is no violation, and the answer says that it was not judged."""
    story = an_old_story(*ENTRIES)
    served_late(story, by_ms=20_000)
    verdict = story.verdict()
    assert verdict.violations == ()
    assert any(what.startswith("1 exits up to record 23 are of a version") for what in verdict.unchecked)
    on_a_page_of_today(story)
    assert "I15" in {violation.invariant for violation in story.verdict().violations}
