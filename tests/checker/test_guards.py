"""The guards of the account: a trip that the records lead to is kept promise, and each that they do not is seen."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from tests.checker.killed_life import Break
from tests.checker.life import a_story
from tests.checker.story import Story
from tests.checker.wire import START_WALL_NS, word

NS_PER_MS: Final = 1_000_000
TRIP: Final = "trip-drawdown-5-4"


def read(story: Story, number: int, equity: str, books: str | None, *counted: object) -> None:
    """Let risk write a reading down, two seconds behind the one before."""
    at_ms = 18_000 + 2_000 * number
    story.risk_says(
        at_ms,
        "equity_read.1",
        reader_epoch=5,
        read_number=number,
        venue_time_ns=START_WALL_NS + at_ms * NS_PER_MS,
        equity_quote=equity,
        executor_equity_quote=books,
        account_fingerprint="5b" * 32,
        quote_asset="USDT",
        counted=counted or holding("0", "1", equity),
    )


def holding(money: str, coins: str, price: str) -> tuple[object, object]:
    """Return money, and coins at a price."""
    there = word("Counted", asset="ETH", quantity=coins, bid_quote=price)
    return word("Counted", asset="USDT", quantity=money, bid_quote="1"), there


def a_guarded_story() -> Story:
    """Return a life in which 100 came, and 15 % of what there was then is lost."""
    story = a_story()
    read(story, 1, "10000", "10000")
    read(story, 2, "10000", "10010")
    told = 1 + next(place for place, said in enumerate(story.executor) if said.tag == "outside_seen.1")
    flow = {"report_sequence": told, "asset": "USDT", "quantity": "100", "worth_quote": "100"}
    story.risk_says(22_100, "flow_counted.1", **flow)
    read(story, 3, "10100", "10100")
    read(story, 4, "10100", "10100")
    read(story, 5, "8500", "8500")
    read(story, 6, "8585", "8585")
    numbers = {"base_quote": "10100", "floor_quote": "8585", "equity_quote": "8585"}
    story.risk_says(30_001, "guard_tripped.1", trip_id=TRIP, guard="drawdown", **numbers, reason="15 % below the peak")
    latch = word("Latch", latch_id=TRIP, actor="risk", reason="a guard", set_wall_ns=START_WALL_NS)
    story.risk_says(30_002, "kill_latched.1", latch=latch)
    return story


def _approved_afterwards(story: Story) -> None:
    """Let an entry be approved behind the trip."""
    story.risk.append(story.of_risk("intent_judged.1"))


def _tripped_twice(story: Story) -> None:
    """Let the same guard trip again though nobody cleared it."""
    story.risk.append(story.of_risk("guard_tripped.1"))


def _approved_on_a_lost_day(story: Story) -> None:
    """Let a person be told that the day is over for entries, and one be approved behind it."""
    story.risk_says(30_003, "alerted.1", level="warning", name="daily-loss", text="it has lost 3 %")
    story.risk[-1].cause = "guard-daily_loss-entries"
    story.risk.append(story.of_risk("intent_judged.1"))


def _approved_below_what_money_left(story: Story) -> None:
    """Let an entry be approved above the floor of the day's beginning, and below that with the money that came."""
    _approved_after_money_came(story, "9790")


def _approved_after_money_came(story: Story, equity: str) -> None:
    """Let an entry be approved at this equity, where the day began, in the money that is there then, with 10100."""
    judged = story.of_risk("intent_judged.1")
    judged.set(equity_quote=equity)
    story.without(judged)
    place = next(place for place, said in enumerate(story.risk) if said is story.of_risk("equity_read.1", 4))
    story.risk.insert(place, judged)


CASES: Final[tuple[tuple[str, str, Break, str], ...]] = (
    ("I13", "approved", _approved_afterwards, "though a guard of the account has tripped"),
    ("I13", "lost day", _approved_on_a_lost_day, "too much was told to be lost"),
    ("I16", "loss of the day", _approved_below_what_money_left, "equity is 9790, and entries stop at 9797.0 today"),
    ("I16", "peak", lambda s: s.of_risk("guard_tripped.1").set(base_quote="10200"), "counts from 10200"),
    ("I16", "other floor", lambda s: s.of_risk("guard_tripped.1").set(floor_quote="8500"), "rests neither on two"),
    ("I16", "above the peak", lambda s: s.of_risk("guard_tripped.1").set(floor_quote="10100"), "counts from"),
    ("I16", "one reading", lambda s: s.without(s.of_risk("equity_read.1", 4)), "rests neither on two"),
    ("I16", "above", lambda s: s.of_risk("equity_read.1", 5).set(equity_quote="8586"), "rests neither on two"),
    ("I16", "no books", lambda s: s.of_risk("equity_read.1", 4).set(executor_equity_quote=None), "rests neither"),
    ("I16", "apart", lambda s: s.of_risk("equity_read.1", 5).set(venue_time_ns=START_WALL_NS * 2), "rests neither"),
    ("I16", "too near", lambda s: s.of_risk("equity_read.1", 4).set(reader_epoch=4), "rests neither on two"),
    ("I16", "other worth", lambda s: s.of_risk("flow_counted.1").set(worth_quote="300"), "counts from 10100"),
    ("I16", "no such flow", lambda s: s.of_risk("flow_counted.1").set(quantity="101"), "of which report"),
    ("I16", "twice counted", lambda s: s.again(s.of_risk("flow_counted.1")), "is counted after"),
    ("I16", "twice tripped", _tripped_twice, "was not cleared"),
)


def test_trip_that_had_to_be_breaks_nothing() -> None:
    """By two readings that agree with the books, with the money that came in the peak."""
    verdict = a_guarded_story().verdict()
    assert verdict.violations == ()
    assert verdict.checked["I16"] > a_story().verdict().checked["I16"]


def test_trade_by_hand_between_two_readings_parts_them_not() -> None:
    """It is worth nothing: no money came or went."""
    story = a_guarded_story()
    flow = story.of_risk("flow_counted.1")
    flow.set(worth_quote="0")
    story.risk.remove(flow)
    story.risk.insert(-3, flow)
    flow.at_ms = story.risk[-3].at_ms - 1
    assert story.verdict().violations == ()


def test_half_a_minute_of_readings_is_enough_without_books() -> None:
    """As long as all of them are down there."""
    story = a_guarded_story()
    trip, latch = story.risk[-2:]
    del story.risk[-4:]
    for number in range(5, 21):
        read(story, number, "8500", None)
    trip.at_ms, latch.at_ms = 60_001, 60_002
    story.risk += [trip, latch]
    assert story.verdict().violations == ()
    story.of_risk("equity_read.1", 10).set(equity_quote="9000")
    assert {violation.invariant for violation in story.verdict().violations} == {"I16"}


def test_coins_that_came_without_a_word_count_by_their_prices_and_not_before() -> None:
    """Two readings have shown them: their fall is one, and what went beside them is not."""
    cases = (
        ("3585", "651.5", 2, True),
        ("2985", "651.5", 2, True),
        ("3585", "651.5", 1, False),
        ("3585", "500", 2, False),
    )
    for money, shown_at, times, holds in cases:
        story = a_guarded_story()
        trip, latch = story.risk[-2:]
        del story.risk[-4:]
        for number in (5, 6):
            read(story, number, "10100", "10100", *holding("10100", "0", "651.5"))
        for number in range(7, 7 + times):
            read(story, number, f"{Decimal(money) + 10 * Decimal(shown_at)}", None, *holding(money, "10", shown_at))
        for number in range(7 + times, 26):
            read(story, number, f"{Decimal(money) + 5000}", None, *holding(money, "10", "500"))
        trip.at_ms, latch.at_ms = 70_001, 70_002
        story.risk += [trip, latch]
        found = {violation.invariant for violation in story.verdict().violations}
        assert found == (set() if holds else {"I16"})


@pytest.mark.parametrize(("invariant", "how", "break_it", "says"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_broken_promise_of_a_guard_is_seen(invariant: str, how: str, break_it: Break, says: str) -> None:
    """The promise that was broken is named, in words that fit."""
    story = a_guarded_story()
    break_it(story)
    found = [violation for violation in story.verdict().violations if violation.invariant == invariant]
    assert any(says in violation.what for violation in found), (how, "\n".join(map(str, story.verdict().violations)))


@pytest.mark.parametrize(("equity", "broken"), [("10049.51", set()), ("10049.50", {"I16"})])
def test_size_of_the_account_bounds_the_loss_of_a_day(equity: str, broken: set[str]) -> None:
    """Of 10,100 half a percent may be lost, where its size is asked for."""
    story = a_guarded_story()
    story.limits = replace(story.limits, daily_loss_is_by_size=True)
    _approved_after_money_came(story, equity)
    assert {violation.invariant for violation in story.verdict().violations} & {"I16"} == broken
