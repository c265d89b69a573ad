"""The kill latch in the executor: who sets it, who lifts it, and that nothing else does."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import pytest

from proto.control import ControlDone, ControlRefused, Kill, LiftKill, PauseEntries, ResumeEntries
from proto.orders import ConditionCleared, ConditionSet, ExitOpened, FlattenBegun
from proto.risk import Everything, Latch
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.core.service import BeWary, HaltSeen, HaltUnwritable, MakeHalt
from shared.execution.vocabulary import Acknowledged, CancelOrder, CancelSent
from tests.shared.execution.desk import BTC, TREND, Desk, of
from tests.shared.execution.lives import DiedError, Life, SmallVenue, judged

BY_HAND: Final = Latch("halt-7-8", "unknown", "the file was made by hand", 5)
TRIP: Final = Latch("trip-1", "risk", "the day's loss", 6)
KILL: Final = Kill("ada", "it looks wrong")


def by_request(desk: Desk) -> None:
    """Let an operator kill on the executor's own socket."""
    assert isinstance(desk.ask(KILL, instance="operator"), ControlDone)


def by_file(desk: Desk) -> None:
    """Let somebody make the file."""
    desk.take(HaltSeen(BY_HAND))


def by_lease(desk: Desk) -> None:
    """Let risk tell it with the lease."""
    desk.lease(permission="HALTED", latch=TRIP)


WAYS: Final = (by_request, by_file, by_lease)


def lifted(desk: Desk, latch_id: str, instance: str = "risk") -> object:
    """Let somebody lift a latch."""
    return desk.ask(LiftKill("ben", "looked at it", latch_id), instance=instance)


def standing(desk: Desk) -> str:
    """Return the latch that stands by the journal."""
    return of(desk.reports, FlattenBegun)[-1].flatten_id


def is_refused(desk: Desk) -> bool:
    """Say whether an entry is declined for the latch or its file."""
    answer = desk.ask(desk.approval(f"probe-{desk.now_ns}"))
    return isinstance(answer, ApprovalDeclined) and answer.rule == "no_kill_latch"


@pytest.mark.parametrize("way", WAYS)
def test_each_way_sets_it_for_good(way: Callable[[Desk], None]) -> None:
    """It is written down with its name, its actor and its reason; no entry passes, whatever the lease says later."""
    desk = Desk().open()
    way(desk)
    assert [type(body) for body in desk.reports[-2:]] == [ConditionSet, FlattenBegun]
    begun = of(desk.reports, FlattenBegun)[-1]
    assert begun.symbol is None
    assert all((begun.actor, begun.reason))
    desk.lease()
    assert is_refused(desk)
    assert any("kill_latch" in trouble for trouble in of(desk.wait(0.1), BeWary)[-1].troubles)


@pytest.mark.parametrize("way", WAYS)
def test_it_outlives_any_restart(way: Callable[[Desk], None]) -> None:
    """The next life is latched by the journal alone, from its records as from a state of them."""
    for of_state in (False, True):
        life = Life(SmallVenue()).run()
        way(life)
        life.venue.halt = None
        following = Life(life.venue, life, of_state=of_state).run()
        assert is_refused(following)
        assert standing(following) == standing(life)


def test_the_file_is_made_where_it_is_missing() -> None:
    """Told by request or lease, the executor makes it; a file that is there stays, and its latch is the newest."""
    life = Life(SmallVenue()).run()
    by_lease(life)
    assert life.venue.halt == Latch(TRIP.latch_id, TRIP.actor, TRIP.reason, life.recorded[-1].sent_wall_ns)
    life.file(None)
    assert life.venue.halt is not None, "who removes it by hand has cleared nothing"
    life.file(BY_HAND)
    assert standing(life) == BY_HAND.latch_id
    assert lifted(life, TRIP.latch_id) == ControlRefused("latch_is_this_one", "another latch stands: halt-7-8")


def test_the_file_is_made_by_the_next_life_too() -> None:
    """A process that dies between the record and the file leaves it to the one that follows."""
    life = Life(SmallVenue()).run()
    dying = Life(life.venue, life, dies_at=len(life.recorded) + 4).run()
    with pytest.raises(DiedError):
        by_request(dying)
    assert life.venue.halt is None
    assert standing(dying)
    Life(life.venue, dying).run()
    assert life.venue.halt is not None


def test_a_disk_that_takes_no_file_is_told_of_and_tried_again() -> None:
    """The latch stands without it, and the file is made once it can be."""
    desk = Desk().open()
    desk.take(HaltSeen(None))
    by_request(desk)
    desk.wait(0.1)
    assert len(of(desk.effects, MakeHalt)) == 1
    assert not of(desk.take(HaltUnwritable("no room")), MakeHalt)
    assert not of(desk.wait(5), MakeHalt)
    assert of(desk.wait(6), MakeHalt)


def test_each_press_is_written_down() -> None:
    """Who pressed later, and why, is the latch then, in the place of the first; the same press told again is none."""
    desk = Desk().open()
    by_request(desk)
    first = standing(desk)
    desk.wait(1)
    again = desk.ask(Kill("ben", "me too"), instance="operator")
    assert isinstance(again, ControlDone)
    assert standing(desk) in again.summary
    begun = of(desk.reports, FlattenBegun)
    assert [(one.flatten_id, one.actor) for one in begun] == [(first, "ada"), (standing(desk), "ben")]
    desk.wait(1)
    assert desk.ask(Kill("ben", "me too"), instance="operator") == again
    assert of(desk.reports, FlattenBegun) == begun
    for latch_id in (standing(desk), first):
        assert isinstance(lifted(desk, latch_id), ControlDone)


@pytest.mark.parametrize("of_state", [False, True])
def test_an_older_name_is_nothing_new(*, of_state: bool) -> None:
    """Executor, risk and file may each have a name for one kill: the newest one stands, and all are lifted with it."""
    life = Life(SmallVenue()).run()
    by_request(life)
    first = standing(life)
    by_lease(life)
    by_file(life)
    life.venue.halt = BY_HAND
    desk = Life(life.venue, life, of_state=of_state).run()
    by_lease(desk)
    assert [begun.flatten_id for begun in of(desk.reports, FlattenBegun)] == [first, TRIP.latch_id, BY_HAND.latch_id]
    assert isinstance(lifted(desk, TRIP.latch_id), ControlRefused)
    assert isinstance(lifted(desk, BY_HAND.latch_id), ControlDone)
    by_lease(desk)
    assert len(of(desk.reports, FlattenBegun)) == 3


def test_a_press_behind_a_file_without_words_has_them() -> None:
    """On a full disk the file says neither who nor why; what is asked on the socket is the latch then."""
    desk = Desk().open()
    by_file(desk)
    by_request(desk)
    assert of(desk.reports, FlattenBegun)[-1] == FlattenBegun(standing(desk), None, KILL.actor, KILL.reason)
    assert standing(desk) != BY_HAND.latch_id


def test_only_risk_lifts_it_and_only_by_its_name() -> None:
    """Resuming lifts everything but the latch; its lifting is bound to its id, and is done once."""
    desk = Desk().open()
    by_file(desk)
    desk.ask(PauseEntries("ada", "to look", Everything()), instance="operator")
    desk.ask(ResumeEntries("ada", "looked", Everything()), instance="operator")
    assert [cleared.name for cleared in of(desk.reports, ConditionCleared)] == ["operator_pause"]
    refused = desk.ask(ResumeEntries("ada", "looked", Everything()), instance="operator")
    assert isinstance(refused, ControlRefused)
    assert refused.rule == "no_kill_latch"
    assert isinstance(lifted(desk, BY_HAND.latch_id, instance="operator"), ControlRefused)
    assert isinstance(lifted(desk, "kill-1"), ControlRefused)
    assert is_refused(desk)
    assert isinstance(lifted(desk, BY_HAND.latch_id), ControlDone)
    cleared = of(desk.reports, ConditionCleared)[-1]
    assert (cleared.name, cleared.actor, desk.recorded[-1].cause_id) == ("kill_latch", "ben", BY_HAND.latch_id)
    written = len(desk.reports)
    assert isinstance(lifted(desk, BY_HAND.latch_id), ControlDone)
    assert len(desk.reports) == written


@pytest.mark.parametrize("of_state", [False, True])
def test_entries_wait_for_the_file_of_a_lifted_latch_and_no_longer(*, of_state: bool) -> None:
    """It is removed last: until then nothing passes, and the same latch does not come back, nor after a restart."""
    life = Life(SmallVenue()).run()
    life.file(BY_HAND)
    lifted(life, BY_HAND.latch_id)
    assert is_refused(life)
    following = Life(life.venue, life, of_state=of_state).run()
    following.lease(permission="HALTED", latch=BY_HAND)  # an answer that was under way
    following.lease()
    assert len(of(following.reports, FlattenBegun)) == 1
    assert is_refused(following)
    assert any("HALT" in words for words in of(following.effects, BeWary)[-1].troubles)
    following.file(None)
    following.pass_time(0.5)
    assert isinstance(following.ask(following.approval("after")), ApprovalTaken)
    assert not judged(following)


def test_a_full_disk_keeps_entries_out_until_it_is_written() -> None:
    """Nobody is told that it is done; no entry passes meanwhile, and it is written once there is room."""
    desk = Desk().open()
    desk.has_room = False
    by_lease(desk)
    desk.lease()
    assert is_refused(desk)
    desk.has_room = True
    desk.wait(0.1)
    assert standing(desk) == TRIP.latch_id


def test_a_latch_that_is_lifted_before_it_is_written_never_is() -> None:
    """Risk may have cleared it while there was no room here."""
    desk = Desk().open()
    desk.has_room = False
    by_lease(desk)
    desk.has_room = True
    assert isinstance(lifted(desk, TRIP.latch_id), ControlDone)
    desk.wait(0.1)
    assert not of(desk.reports, FlattenBegun)


def test_a_working_entry_ends_when_the_file_is_seen() -> None:
    """Also where it stands for a latch that was lifted, and nothing is closed."""
    desk = Desk().open()
    by_file(desk)
    lifted(desk, BY_HAND.latch_id)
    desk.reconcile(desk.take(HaltSeen(None)) or desk.effects, usdt="10000")
    desk.ask(desk.approval())
    desk.acknowledge(desk.sent()[-1])
    cancelled = of(desk.take(HaltSeen(BY_HAND)), CancelOrder)
    assert [one.client_order_id for one in cancelled] == [desk.sent()[-1].client_order_id]
    assert not of(desk.reports, ExitOpened)


def test_second_press_still_knows_what_was_too_little_to_sell() -> None:
    """FLAT of the latch that stands names it, whichever latch it was left by."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(KILL, instance="operator")
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    desk.fill(desk.sent()[-1], quantity="0.970", then="expired")
    desk.ask(Kill("bob", "still there"), instance="operator")
    (flatten,) = desk.core.books.flattens.going.values()
    left = {f"{BTC} of {TREND} (it is below the venue's least order)": Decimal("0.030")}
    assert (flatten.reason, flatten.dust) == ("still there", left)
