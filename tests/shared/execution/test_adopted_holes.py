"""What is lost of the flattener's journal, or of our own: somebody is told, once, and the venue is read first."""

from decimal import Decimal

import msgspec
import pytest

from proto.fencing import RoleTaken
from proto.intents import SetExit
from proto.orders import CancelMarked, FlatnessTold, ReconcileFinished
from shared.core.service import (
    Asked,
    InheritanceUnread,
    Moment,
    Recorded,
    RecordsLost,
    Woken,
)
from shared.execution.adoption import Holding
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import (
    InstrumentsKnown,
    VenueClock,
)
from tests.shared.execution.adopters import FLATTENER_EPOCH, HOLE, TAKEN_EPOCH, Life, Pen, a_past, inherited, unread
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, BTC, LIMITS, SECOND_NS, TREND, Desk, an_instrument, of


def test_a_journal_that_cannot_be_read_keeps_entries_waiting() -> None:
    """A person has to look; the executor goes on with what it knows, under names that nobody can have used."""
    executor, _ = a_past()
    life = Life(executor, [InheritanceUnread("flattener", "segment 3 is damaged")]).begin()
    (condition,) = unread(life)
    assert condition.condition.permission == "REDUCE_ONLY"
    assert "Watch" in {type(effect).__name__ for effect in life.effects}
    assert life.core.executor.books.next_child("any parent") > 1


def test_the_same_hole_is_said_once() -> None:
    """Lifted by a person, it does not come back with every start; another one does."""
    executor, _ = a_past()
    hole = InheritanceUnread("flattener", "segment 3 is damaged")
    life = Life(executor, [hole]).begin()
    state = life.core.state()
    assert len(unread(Life(life.journal, [hole]).begin())) == 1
    assert not unread(Life((), [hole], state=state).begin())
    assert len(unread(Life(life.journal, [InheritanceUnread("flattener", "segment 4 is damaged")]).begin())) == 2


def test_a_hole_behind_what_is_adopted_is_not_passed_over() -> None:
    """A page that begins behind a hole is enough only once the hole is known: names and sales may be in it."""
    executor, flattener = a_past()
    known = Life(executor, inherited(flattener)).begin()
    page = Holding((FLATTENER_EPOCH, len(flattener) - 1), None)
    behind = page.without(len(flattener) + 10)
    assert known.core.has_adopted(msgspec.json.encode(page))
    assert not known.core.has_adopted(msgspec.json.encode(behind))
    hole = InheritanceUnread("flattener", "the tail is lost", next_sequence=len(flattener) + 10)
    life = Life(known.journal, [*inherited(flattener), hole]).begin()
    assert len(unread(life)) == 1
    assert life.core.executor.books.next_child("any parent") > 1
    for again in (life.journal, known.journal + life.journal[len(known.journal) :]):
        later = Life(again, [hole]).begin()
        assert len(unread(later)) == 1, "it is said once, and not by every start"
        assert later.core.has_adopted(msgspec.json.encode(behind)), "nor is everything read again for ever"
    another = InheritanceUnread("flattener", "the tail is lost", next_sequence=len(flattener) + 20)
    assert len(unread(Life(life.journal, [hole, another]).begin())) == 2, "in the same words it is another hole"


def test_a_hole_in_a_journal_that_was_begun_anew_is_another_one() -> None:
    """Its numbers begin again at one: what is known of the lost journal's holes says nothing about them."""
    executor, _ = a_past()
    known = Life(executor, [InheritanceUnread("flattener", "the tail is lost", next_sequence=500)]).begin()
    anew = Pen("flattener", FLATTENER_EPOCH + 4, 900)
    anew.write(RoleTaken("executor", TAKEN_EPOCH + 4, "it is silent"))
    anew.write(FlatnessTold("kill-2", is_flat=False, pass_number=0, reason="something is left"))
    adopted_anew = Life(known.journal, inherited(anew.written)).begin()
    hole = InheritanceUnread("flattener", "the tail is lost", next_sequence=9)
    assert len(unread(Life(adopted_anew.journal, [*inherited(anew.written), hole]).begin())) == 2


def acts(life: Life) -> bool:
    """Say whether it begins an exit that is asked for, by taking away the stop that rests."""
    life.take(InstrumentsKnown({BTC: an_instrument()}))
    life.take(VenueClock(AHEAD_NS, 1_000_000))
    life.take(Asked(TREND, Desk().envelope(TREND, SetExit("exit-1", TREND, BTC, Decimal(0), "enough"))))
    for _ in range(3):
        life.take(Woken("clock"))
    return bool(of([one.body for one in life.journal], CancelMarked))


@pytest.mark.parametrize("next_life", ["the same", "of its records", "of its state"])
def test_nothing_is_done_behind_a_hole_before_the_venue_was_read(next_life: str) -> None:
    """What is lost may have sold already what the books still hold. Wherever it is killed, the next life waits too."""
    executor, _ = a_past()
    life = Life(executor, [HOLE]).begin()
    match next_life:
        case "of its records":
            life = Life(life.journal, [HOLE]).begin()
        case "of its state":
            life = Life((), [HOLE], state=life.core.state()).begin()
        case _:
            pass
    assert not acts(life)


def test_an_exit_begins_at_once_where_there_is_no_hole_or_the_venue_was_read_since() -> None:
    """An old hole, dealt with long ago, holds up nobody."""
    executor, _ = a_past()
    assert acts(Life(executor, []).begin())
    behind = Life(executor, [HOLE]).begin()
    behind.pen.write(ReconcileFinished(7, clean=True, differences=(), trades_read=()))
    assert acts(Life(behind.journal, [HOLE]).begin())


def test_a_tail_of_our_own_that_is_lost_is_not_forgotten_with_the_page() -> None:
    """Killed after the page was turned, and before the venue was read, it waits as it would have."""
    executor, _ = a_past()
    core = ExecutorCore(ACCOUNT, LIMITS)
    now = Moment(0, 1_000 * SECOND_NS, "boot")
    for envelope in executor:
        core.handle(Recorded(envelope), now)
    core.handle(RecordsLost(99, "the tail is lost"), now)
    assert not acts(Life((), [], state=core.state()).begin())


@pytest.mark.parametrize("is_held_before", [True, False])
def test_a_hole_of_a_journal_that_was_begun_anew_is_another_one(*, is_held_before: bool) -> None:
    """Its numbers are smaller than those of holes that are known: it is told of all the same, in whatever start."""
    executor, _ = a_past()
    known = Life(executor, [msgspec.structs.replace(HOLE, next_sequence=500)]).begin()
    assert not known.core.has_adopted(msgspec.json.encode(Holding((0, 0), None, HOLE.next_sequence)))
    anew = Pen("flattener", FLATTENER_EPOCH + 4, 900)
    anew.write(RoleTaken("executor", TAKEN_EPOCH + 4, "it is silent"))
    anew.write(FlatnessTold("kill-2", is_flat=False, pass_number=0, reason="something is left"))
    life = Life(known.journal, [*(inherited(anew.written) if is_held_before else ()), HOLE]).begin()
    assert len(unread(life)) == 2
    assert len(unread(Life(life.journal, [HOLE]).begin())) == 2
