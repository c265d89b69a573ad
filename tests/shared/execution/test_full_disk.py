"""What the core does while nothing can be written down."""

import msgspec
import pytest

from proto.control import ControlDone, ControlRefused, Flatten, Kill, LiftKill, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.orders import ConditionCleared, FlattenBegun
from proto.risk import Everything
from proto.verdicts import ApprovalDeclined
from shared.core.room import HAS_ROOM
from shared.core.service import Asked, HaltSeen, MakeHalt, Stalled
from shared.execution.vocabulary import NotSent, OrderSent, ReadOpenOrders
from tests.shared.execution.desk import LIMITS, Desk, of

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


def test_stop_that_found_no_room_is_not_counted_as_sent() -> None:
    """However often it was tried meanwhile, it leaves as soon as there is room again, and not a minute later."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, then="filled")
    desk.take(OrderSent(desk.sent()[-1].client_order_id, NotSent("it was signed too late"), None))
    desk.has_room = False
    for _ in range(2 * LIMITS.orders_max):
        desk.wait(0.1)
    assert len(desk.sent()) == 2
    desk.has_room = True
    desk.wait(0.1)
    assert [order.order_type for order in desk.sent()[2:]] == ["stop_market"]


def test_entry_that_found_no_room_is_not_counted_as_sent() -> None:
    """Where one entry a minute may be sent, another is taken once there is room, for the first one never left."""
    desk = Desk(limits=msgspec.structs.replace(LIMITS, symbol_entries_max=1)).open()
    desk.has_room = False
    desk.take(Asked("risk", desk.envelope("risk", desk.approval("lost"))))
    assert not desk.sent()
    desk.has_room = True
    desk.reconcile(desk.wait(8), usdt="10000")
    desk.lease()
    desk.quote("99.99", "100.01")
    desk.entered()
    refused = desk.ask(desk.approval("two"))
    assert isinstance(refused, ApprovalDeclined)
    assert refused.rule == "egress_is_governed", "and this one is counted"
