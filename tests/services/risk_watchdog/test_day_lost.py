"""A day (UTC) that has lost too much takes no more entries, and everything else goes on."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.control import AskLimits, LimitsAnswered
from proto.risk import Condition, Everything
from proto.verdicts import Alerted, GuardTripped, KillLatched
from tests.services.risk_watchdog.bench import DAY_NS, NOON_NS, SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene, a_flow
from tests.services.risk_watchdog.test_clear import confirm, offered
from tests.shared.risk.asked import SMALL

A_LITTLE = Decimal("0.001")  # so that no other limit binds
MIDNIGHT_NS = NOON_NS + DAY_NS // 2
LOST = Condition(
    "daily_loss", Everything(), "REDUCE_ONLY", "0.5 % of the day's start is lost: entries go on at 00:00 UTC"
)


def told(scene: Scene) -> list[str]:
    """Return what a person was told of the day."""
    return [alerted.text for alerted in scene.bench.written(Alerted) if alerted.name == "daily-loss"]


def comes_to(scene: Scene, wall_ns: int) -> None:
    """Let time pass until then."""
    scene.bench.wait((wall_ns - scene.bench.now.wall_ns) / SECOND_NS)


def test_lost_day_takes_no_entries_until_the_next_one(guarded: Scene) -> None:
    """A person is told once, a restart changes nothing, nothing is halted, and the next day begins anew."""
    bench = guarded.bench
    guarded.account("9951", "9951")
    bench.approved(a_wish(1))
    guarded.account("9950", "9950")
    assert bench.lease().conditions == (LOST,)
    assert (bench.lease().permission, bench.lease().latch) == ("REDUCE_ONLY", None)
    (text,) = told(guarded)
    assert text.startswith("equity is 9950, 0.5 % below the day's start of 10000: nothing more is entered")
    assert bench.refusal(a_wish(2)).rule == "permission_is_run"
    guarded.account("10100", "10100")
    assert bench.lease().conditions == (LOST,), "better readings do not give the day back"
    guarded.begin()
    guarded.account("10100", "10100")
    assert bench.lease().conditions == (LOST,)
    comes_to(guarded, MIDNIGHT_NS)
    guarded.speak()
    guarded.account("9900", "9900", "9900", "9900")
    assert bench.lease().conditions == ()
    bench.approved(a_wish(3))
    assert len(told(guarded)) == 1
    assert not bench.written(GuardTripped)


@pytest.mark.parametrize("fallen", [("9950",), ("9950", "9400"), ("9400",)])
def test_two_days_behind_it_risk_half_as_much(guarded: Scene, fallen: tuple[str, ...]) -> None:
    """Over restarts and segments too, and behind a fall straight to the kill; the third day is like any other."""
    bench = guarded.bench
    whole = bench.approved(replace(a_wish(1), risk_fraction=A_LITTLE)).quantity_max
    for equity in fallen:
        guarded.account(equity, equity)
    cleared(guarded)
    sizes = list[Decimal]()
    for day in range(3):
        comes_to(guarded, MIDNIGHT_NS + day * DAY_NS)
        bench.start(state_after=len(bench.records))
        guarded.executor.tells_all_again()
        guarded.speak()
        guarded.account("10000", "10000", "10000", "10000")
        sizes.append(bench.approved(replace(a_wish(day + 2), risk_fraction=A_LITTLE)).quantity_max)
    assert sizes == [whole / 2, whole / 2, whole]


def cleared(scene: Scene) -> None:
    """Let a person clear the latch that a guard has set, if one did."""
    scene.pass_time(1)
    for latched in scene.bench.written(KillLatched):
        scene.executor.latches(latched.latch)
        scene.executor.is_flat(latched.latch.latch_id)
        confirm(scene.bench, offered(scene.bench, latched.latch.latch_id))
        scene.pass_time(1)
        scene.executor.lifts()
        scene.pass_time(12)


def test_state_of_a_new_segment_knows_that_the_day_is_lost(guarded: Scene) -> None:
    """Also where the record of it is gone with an old segment."""
    guarded.account("9950", "9950")
    guarded.bench.start(state_after=len(guarded.bench.records))
    guarded.speak()
    assert LOST in guarded.bench.lease().conditions


def test_one_reading_refuses_an_entry_and_does_not_end_the_day(guarded: Scene) -> None:
    """A price may be wrong once: nothing is entered by it, and with the next reading entries go on."""
    guarded.account("9900")
    refusal = guarded.bench.refusal(a_wish(1))
    assert (refusal.rule, refusal.value, refusal.limit) == ("daily_loss_within_limit", "100", "50")
    assert "00:00 UTC" in refusal.reason
    guarded.account("10000")
    guarded.bench.approved(a_wish(2))
    assert not told(guarded)


def test_money_taken_out_is_no_loss_and_money_that_comes_hides_none(guarded: Scene) -> None:
    """The day's start moves with it, in what is judged and in what is shown."""
    bench = guarded.bench
    guarded.executor.tells(a_flow(1, "-5000"))
    bench.tick()
    guarded.account("5000", "5000")
    bench.approved(a_wish(1))
    guarded.account("4980", "4980")
    guarded.executor.tells(a_flow(2, "996"))
    bench.tick()
    guarded.account("5976", "5976")  # the day began, in this money, with 6000
    bench.approved(a_wish(2))
    guarded.account("5970", "5970")
    assert LOST in bench.lease().conditions
    answer = bench.ask(AskLimits("ada"), instance="operator")
    assert isinstance(answer, LimitsAnswered)
    (use,) = [use for use in answer.limits if use.name == "daily_loss_within_limit"]
    assert (use.used, use.limit) == (Decimal(30), Decimal(30))


@pytest.mark.parametrize(("left", "against"), [("9710", set()), ("9700", {"daily_loss"})])
def test_without_the_size_of_the_account_the_setting_alone_counts(left: str, against: set[str]) -> None:
    """An account of 10,000 may lose 3 % where nobody asks for its size."""
    scene = Scene(Bench(replace(SMALL, daily_loss_is_by_size=False)))
    scene.begin()
    scene.account("10000", "10000", left, left)
    assert scene.bench.against().keys() == against
    assert len(told(scene)) == len(against)
