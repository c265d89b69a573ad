"""Kill, flatten and the hand-over between executor and flattener: kept promises pass, each broken one is seen."""

from typing import Final

import pytest

from tests.checker.changes import mark
from tests.checker.killed_life import EVERYTHING, FIRST, SECOND, Break, a_killed_story, adopted, told_flat
from tests.checker.life import a_story
from tests.checker.story import SYMBOL, Story
from tests.checker.wire import Said


def _entry_under_the_latch(story: Story) -> None:
    """Let the latch be set in the executor before the second purchase leaves."""
    latched = story.nth("condition_set.1", -1)
    story.move(latched, mark(story, "e8"))


def _entry_past_the_latch(story: Story) -> None:
    """Let risk have latched three seconds before the second purchase leaves, and the executor never know of it."""
    story.of_risk("kill_latched.1", 1).at_ms = mark(story, "e8").at_ms - 3_000
    story.without(story.of_risk("kill_latched.1"))
    story.without(story.of_risk("kill_cleared.1"))
    for tag in ("condition_set.1", "condition_cleared.1"):
        story.without(story.nth(tag, -1))


def _lifted_by_itself(story: Story) -> None:
    """Let the executor lift the second latch, which nobody has cleared."""
    story.says(17_200, "condition_cleared.1", name="kill_latch", scope=EVERYTHING, actor="ada", reason="it is well")
    story.executor[-1].cause = SECOND


def _another_lifted(story: Story) -> None:
    """Let the executor lift the first latch by a name that never stood."""
    story.nth("condition_cleared.1", -1).cause = "kill-9"


def _two_write(story: Story) -> None:
    """Let the executor live on while the flattener holds its role."""
    last = adopted(story, 0)
    story.says(16_100, "reconcile_finished.1", pass_number=2, clean=True, differences=[], trades_read=[])
    story.move(story.executor[-1], last)


def _sent_after_it_was_returned(story: Story) -> None:
    """Let the flattener give the role back before it sends."""
    returned = story.flattener.pop()
    returned.at_ms = story.flattener[3].at_ms
    story.flattener.insert(4, returned)


def _flat_before_the_pass(story: Story) -> None:
    """Let FLAT be said before the books were held against the venue's."""
    said = told_flat(story, FIRST)
    place = story.executor.index(said)
    story.executor[place - 1], story.executor[place] = said, story.executor[place - 1]


def _flat_with_something_held(story: Story) -> None:
    """Let the last sale be of a part."""
    position = next(said for said in story.executor if said.tag == "position_changed.1" and said.at_ms == 12_587)
    position.set(quantity="0.3")


def _told_otherwise(story: Story) -> None:
    """Let the executor adopt another price than the flattener wrote down."""
    copy = next(said for said in story.executor if "flattener" in said.cause and said.tag == "order_filled.1")
    copy.set(price="102", quote_quantity="51.0")


def _adopted_twice(story: Story) -> None:
    """Let a record be adopted a second time."""
    first = adopted(story, 0)
    place = story.executor.index(first)
    story.executor.insert(place + 1, Said(first.at_ms, list(first.body), epoch=first.epoch, cause=first.cause))


CASES: Final[tuple[tuple[str, str, Break, str], ...]] = (
    ("I13", "approved", lambda s: s.without(s.of_risk("kill_cleared.1")), "is approved under the kill latch kill-1"),
    ("I13", "marked", _entry_under_the_latch, "it is marked for an entry under the kill latch"),
    ("I13", "cleared by a program", lambda s: s.of_risk("kill_cleared.1").set(actor="risk"), "is cleared by risk"),
    ("I13", "another cleared", lambda s: s.of_risk("kill_cleared.1").set(latch_id="kill-9"), "and kill-1 stands"),
    ("I13", "marked past it", _entry_past_the_latch, "2000000000 ns and more after risk set the kill latch"),
    ("I13", "lifted uncleared", _lifted_by_itself, "kill-2 is lifted where kill-2 stands"),
    ("I13", "another lifted", _another_lifted, "kill-9 is lifted"),
    ("I21", "two write", _two_write, "writes while the flattener holds its role"),
    ("I21", "no higher epoch", lambda s: s.flattener[0].set(epoch=8), "is taken in epoch 8"),
    ("I21", "without the role", _sent_after_it_was_returned, "does not hold the executor's role"),
    ("I26", "adopted otherwise", _told_otherwise, "which the flattener never wrote so"),
    ("I26", "adopted twice", _adopted_twice, "is adopted after"),
    ("I28", "flat before the pass", _flat_before_the_pass, "did not show it after the last order"),
    ("I28", "another pass", lambda s: told_flat(s, FIRST).set(pass_number=7), "pass 7 did not show it"),
    ("I28", "dust worth money", lambda s: s.nth("exit_ended.1", 0).set(quantity_left="0.2"), "is called dust, and is"),
    ("I28", "with something held", _flat_with_something_held, "and held are"),
    ("I30", "never adopted", lambda s: s.without(adopted(s, -1)), "was never adopted"),
)


def test_two_kills_that_end_flat_break_nothing() -> None:
    """Whoever flattened, the history of both journals keeps every promise, and is judged as one."""
    verdict = a_killed_story().verdict()
    assert verdict.violations == ()
    assert verdict.read["records of the flattener"] == len(a_killed_story().flattener)
    assert verdict.checked["I28"] > a_story().verdict().checked["I28"]


def test_what_is_not_adopted_yet_is_judged_all_the_same() -> None:
    """While the executor has not come back, the flattener's orders stand behind the executor's own."""
    story = a_killed_story()
    story.executor = [said for said in story.executor if said.epoch < 10]
    story.settled = False
    assert story.verdict().violations == ()
    mark_of_sale = next(said for said in story.flattener if said.tag == "send_marked.1")
    mark_of_sale.set(quantity="0.3")
    assert {violation.invariant for violation in story.verdict().violations} >= {"I8"}
    assert mark_of_sale.get("order.symbol") == SYMBOL


@pytest.mark.parametrize(("invariant", "how", "break_it", "says"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_broken_promise_of_a_kill_is_seen(invariant: str, how: str, break_it: Break, says: str) -> None:
    """The promise that was broken is named, in words that fit."""
    story = a_killed_story()
    break_it(story)
    found = [violation for violation in story.verdict().violations if violation.invariant == invariant]
    assert any(says in violation.what for violation in found), (how, "\n".join(map(str, story.verdict().violations)))
