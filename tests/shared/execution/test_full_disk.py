"""What the core does while nothing can be written down."""

import pytest

from proto.control import ControlDone, ControlRefused, Flatten, Kill, LiftKill, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.orders import ConditionCleared, FlattenBegun
from proto.risk import Everything
from shared.core.room import HAS_ROOM
from shared.core.service import HaltSeen, MakeHalt, Stalled
from shared.execution.vocabulary import ReadOpenOrders
from tests.shared.execution.desk import Desk, of

PASSES_A_MINUTE_MAX = 8


def test_venue_is_not_worn_out_while_nothing_can_be_recorded() -> None:
    """Books that cannot be brought up to date are compared again only now and then: every reading weighs."""
    desk = Desk().open()
    desk.has_room = False
    desk.reconcile(desk.take(Stalled(2_000_000_000)), usdt="10000")
    passes = 0
    for _ in range(600):
        effects = desk.wait(0.1)
        if of(effects, ReadOpenOrders):
            passes += 1
            desk.reconcile(effects, usdt="10000")
    assert 2 <= passes <= PASSES_A_MINUTE_MAX
    desk.has_room = True
    later = [effects for effects in (desk.wait(0.1) for _ in range(100)) if of(effects, ReadOpenOrders)]
    assert later, "with room again they are compared"


@pytest.mark.parametrize(
    "act",
    [
        ResumeEntries("ada", "it was looked at", Everything()),
        PauseEntries("ada", "to look", Everything()),
        Flatten("ada", "it is enough", None),
    ],
)
def test_act_without_room_was_not_done(act: Body) -> None:
    """Whoever asks is told so, and what to do; with room again it is done."""
    desk = Desk().open()
    desk.ask(PauseEntries("ben", "to look", Everything()), instance="operator")
    before = list(desk.reports)
    desk.has_room = False
    refusal = desk.ask(act, instance="operator")
    assert refusal == ControlRefused(
        HAS_ROOM, "nothing was done: the disk is full; make room on the disk, and do it again"
    )
    assert desk.reports == before
    desk.has_room = True
    assert isinstance(desk.ask(act, instance="operator"), ControlDone)
    assert len(desk.reports) > len(before)


def test_lift_without_room_is_refused_and_the_latch_stands() -> None:
    """Risk asks again."""
    desk = Desk().open()
    desk.ask(Kill("ada", "it looks wrong"), instance="operator")
    latch_id = of(desk.reports, FlattenBegun)[-1].flatten_id
    desk.has_room = False
    lift = LiftKill("ben", "looked at it", latch_id)
    assert isinstance(desk.ask(lift), ControlRefused)
    desk.has_room = True
    desk.wait(0.1)
    assert isinstance(desk.ask(lift), ControlDone)
    assert of(desk.reports, ConditionCleared)


def test_kill_without_room_holds_by_its_file() -> None:
    """Whoever presses is told so; the file is made though no record stands behind it, and is no latch of its own."""
    desk = Desk().open()
    desk.has_room = False
    refusal = desk.ask(Kill("ada", "it looks wrong"), instance="operator")
    assert isinstance(refusal, ControlRefused)
    assert (refusal.rule, refusal.reason.startswith("it holds, in memory and by the HALT file")) == (HAS_ROOM, True)
    (made,) = of(desk.effects, MakeHalt)
    desk.take(HaltSeen(made.latch))
    desk.wait(0.1)
    desk.has_room = True
    desk.wait(0.1)
    assert [one.flatten_id for one in of(desk.reports, FlattenBegun)] == [made.latch.latch_id]
