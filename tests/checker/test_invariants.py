"""A life in which every promise is kept passes; each way to break one is seen, and said where it is."""

from dataclasses import replace

import pytest

from services.verify.checker.checking import judged
from services.verify.checker.evidence import NO_LIMITS
from services.verify.checker.verdict import INVARIANTS
from tests.checker.broken import CASES, Broken
from tests.checker.changes import log_line_of
from tests.checker.life import a_story


def test_kept_promises_are_no_violation() -> None:
    """Nothing is found in a life that keeps every promise, and every promise was looked at."""
    verdict = a_story().verdict()
    assert verdict.violations == ()
    assert verdict.unchecked == ()
    assert set(verdict.checked) == set(INVARIANTS)
    assert min(verdict.checked.values()) > 0, verdict.checked


@pytest.mark.parametrize("case", CASES, ids=str)
def test_broken_promise_is_seen(case: Broken) -> None:
    """The promise that was broken is named, in words that fit, with the place where that shows."""
    story = a_story()
    case.break_it(story)
    found = [violation for violation in story.verdict().violations if violation.invariant == case.invariant]
    assert any(case.says in violation.what for violation in found), "\n".join(map(str, story.verdict().violations))
    assert all(violation.place.journal in {"executor", "risk", "exchange log"} for violation in found)


def test_each_promise_is_broken_once_at_least() -> None:
    """No promise is without a case, or nobody would know that the checker sees it; I26 has tests of its own."""
    assert {case.invariant for case in CASES} == set(INVARIANTS) - {"I26"}


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize(
    "given", [(True, False, False), (False, True, False), (False, False, True), (True, True, False)]
)
def test_less_evidence_is_no_violation(given: tuple[bool, bool, bool], *, settled: bool) -> None:
    """What is not there is not judged; nothing is made up for it. A log alone has orders that nobody marked."""
    story = a_story()
    story.settled = settled
    executor, risk, log = given
    verdict = judged(story.evidence(executor=executor, risk=risk, log=log))
    assert verdict.violations == ()
    assert verdict.read["records of the executor"] == (len(story.executor) if executor else 0)


def test_nothing_is_seen_over_nothing() -> None:
    """Without evidence no promise was looked at, and that shows."""
    verdict = judged(a_story().evidence(executor=False, risk=False, log=False))
    assert not any(verdict.checked.values())
    assert not any(verdict.read.values())


def test_missing_limits_are_said() -> None:
    """Where no limit is given, it is said what could not be judged."""
    story = a_story()
    story.limits = NO_LIMITS
    verdict = story.verdict()
    assert (verdict.violations, verdict.checked["I16"]) == ((), 0)
    assert len(verdict.unchecked) == 2


def test_what_is_under_way_is_no_violation() -> None:
    """While the mesh runs, an order that ended a moment ago may not be in the journal yet; later it must be."""
    story = a_story()
    story.settled = False
    del story.executor[story.executor.index(story.of_order("e4", "cancel_marked.1")) + 1 :]
    del story.venue.lines[log_line_of(story, "e4", "CANCELED") + 1 :]
    assert story.verdict().violations == ()
    story.executor.append(replace(story.executor[0], at_ms=story.executor[-1].at_ms + 120_000, epoch=8))
    assert {violation.invariant for violation in story.verdict().violations} == {"I5"}
    story.settled = True
    assert {violation.invariant for violation in story.verdict().violations} == {"I5", "I30"}


def test_what_came_after_the_journals_were_read_is_no_violation() -> None:
    """An order that reached the exchange while the journals were being read is not called unmarked."""
    story = a_story()
    story.settled = False
    began = log_line_of(story, "x1", "NEW") - 1
    del story.executor[story.executor.index(story.of_order("x1", "send_marked.1")) :]
    del story.venue.lines[began + 2 :]
    assert {violation.invariant for violation in story.verdict().violations} == {"I3"}
    story.log_number_before = began
    assert story.verdict().violations == ()


def test_what_is_sold_behind_a_confirmed_cancellation_is_the_venues_doing() -> None:
    """The stop that the venue had called cancelled sells what an exit has sold before."""
    story = a_story()
    story.fill(2_050, "c1", "0.199", "95", ("0.02", "USDT"))
    story.executor.sort(key=lambda said: said.at_ms)
    assert "I15" not in {violation.invariant for violation in story.verdict().violations}
    story.without(story.of_order("c1", "order_ended.1"))
    assert "I15" in {violation.invariant for violation in story.verdict().violations}


def test_sale_behind_one_that_came_after_a_confirmed_cancellation_is_the_venues_doing_too() -> None:
    """An exit was marked for all that was held, and then the cancelled stop sold a part: so much it sells too much."""
    story = a_story()
    story.fill(2_041, "c2", "0.1", "95", ("0.0095", "USDT"))
    marked, told = story.of_order("x1", "send_marked.1"), story.of_order("c2", "order_filled.1")
    story.executor.sort(key=lambda said: said.at_ms)
    assert marked.at_ms < told.at_ms
    assert "I15" not in {violation.invariant for violation in story.verdict().violations}
    marked.at_ms = told.at_ms + 1
    story.executor.sort(key=lambda said: said.at_ms)
    assert "I15" in {violation.invariant for violation in story.verdict().violations}
    marked.at_ms = told.at_ms - 1
    story.executor.sort(key=lambda said: said.at_ms)
    story.of_order("x1", "order_filled.1").set(quantity="0.5")
    assert "I15" in {violation.invariant for violation in story.verdict().violations}


def test_sale_on_its_way_while_others_take_the_coins_is_no_sale_too_much() -> None:
    """What was marked for all that was held sells more than is left, if somebody else sells some of it meanwhile."""
    story = a_story()
    story.position(2_042, "0.3995")
    story.executor.sort(key=lambda said: said.at_ms)
    assert "I15" not in {violation.invariant for violation in story.verdict().violations}
    story.of_order("x1", "send_marked.1").at_ms = 2_043
    story.executor.sort(key=lambda said: said.at_ms)
    assert "I15" in {violation.invariant for violation in story.verdict().violations}
