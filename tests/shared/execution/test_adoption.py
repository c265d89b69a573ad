"""What the flattener did is adopted word for word, once, and before anything else; wherever that is interrupted."""

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from proto.envelope import Envelope
from proto.fencing import RoleTaken
from proto.orders import FlatnessTold, SendMarked
from services.verify.checker.adoption import judge_adoption
from services.verify.checker.frames import MARK_NAME, mark_of
from services.verify.checker.journal import Journal, journal_of
from services.verify.checker.verdict import Judge
from shared.core.service import (
    Asked,
    JournalRoom,
    Moment,
    Recorded,
    Woken,
)
from shared.execution.adopting import CLOCK
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import (
    ReadOpenOrders,
    SendOrder,
    StreamOpened,
    VenueClock,
)
from tests.shared.execution.adopters import (
    CODEC,
    FLATTENER_EPOCH,
    NEXT_EPOCH,
    Life,
    Pen,
    a_past,
    adopted,
    in_our_name,
    inherited,
)
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, LIMITS, of
from tests.shared.mesh.journal.journals import a_journal
from tests.shared.mesh.journal.sim_disk import SimDisk


def as_checked(name: str, records: Sequence[Envelope]) -> Journal:
    """Return a journal as the checker reads it from its bytes."""
    disk = SimDisk()
    a_journal(disk, *([CODEC.encode(envelope)] for envelope in records)).close()
    files = disk.copied()
    mark = mark_of(files.pop(MARK_NAME))
    segments = {file: content for file, content in files.items() if file.endswith(".journal")}
    return journal_of(name, segments, mark)


def test_everything_in_our_name_is_adopted_before_anything_else() -> None:
    """What it wrote under its holds stands in our journal word for word and in order, and what it sold is sold."""
    executor, flattener = a_past()
    life = Life(executor, inherited(flattener)).begin()
    originals = [(one.id, one.body) for one in in_our_name()]
    assert adopted(life) == originals
    assert [(one.cause_id, one.body) for one in life.journal[len(executor) :]][: len(originals)] == originals
    books = life.core.executor.books
    assert not books.positions.held()
    assert not books.working()
    assert not books.ledger.differences({"USDT": Decimal(10_000)})
    assert not of(life.effects, SendOrder), "what it had marked was sent already"


def test_the_checker_finds_nothing_against_it() -> None:
    """Judged from the bytes of both journals, by what shares no code with either."""
    executor, flattener = a_past()
    life = Life(executor, inherited(flattener)).begin()
    judge = Judge()
    judge_adoption(as_checked("executor", life.journal), as_checked("flattener", flattener), judge, settled=True)
    assert [str(one) for one in judge.violations] == []


@given(st.data())
def test_wherever_it_is_killed_nothing_is_adopted_twice(data: st.DataObject) -> None:
    """Killed at any record, and once more, each life goes on where the one before it was; so does one with a state."""
    executor, flattener = a_past()
    whole = Life(executor, inherited(flattener)).begin()
    journal: Sequence[Envelope] = executor
    for _ in range(2):
        grown = Life(journal, inherited(flattener)).begin().journal
        kept = data.draw(st.integers(len(journal), len(grown)))
        journal = grown[:kept]
    folded = ExecutorCore(ACCOUNT, LIMITS)
    for envelope in journal:
        folded.handle(Recorded(envelope), Moment(0, 0, ""))
    last = Life(journal, inherited(flattener), state=data.draw(st.sampled_from([b"", folded.state()]))).begin()
    assert adopted(last) == adopted(whole)
    assert last.core.state() == whole.core.state()


@given(st.integers(0, 40))
def test_a_hold_that_ended_with_the_flattener_is_adopted(kept: int) -> None:
    """Killed at any record, it says nowhere that it gave the role back: what it did until then was done."""
    executor, flattener = a_past()
    life = Life(executor, inherited(flattener[:kept])).begin()
    known = {one.id for one in flattener[:kept]}
    assert [cause for cause, _ in adopted(life)] == [one.id for one in in_our_name() if one.id in known]


def test_nothing_is_done_before_all_of_it_is_durable() -> None:
    """Without room nothing is sent, asked or watched; what came meanwhile is not lost."""
    executor, flattener = a_past()
    life = Life(executor, inherited(flattener))
    life.has_room = False
    life.begin()
    life.take(JournalRoom(for_everything=False))
    life.take(VenueClock(AHEAD_NS, 1_000_000))
    life.take(StreamOpened())
    life.take(Asked("risk", life.pen.written[0]))
    life.take(Woken(CLOCK))
    assert {type(effect).__name__ for effect in life.effects} == {"Note", "WakeAt"}
    assert not adopted(life)
    life.has_room = True
    for _ in range(5):
        life.take(Woken(CLOCK))
    assert len(adopted(life)) == len(in_our_name())
    assert of(life.effects, ReadOpenOrders), "the stream that opened meanwhile asks for a pass"


def test_names_go_on_where_the_flattener_stopped() -> None:
    """The next order of a parent has a number that no order of it had, whoever sent those before."""
    executor, flattener = a_past()
    sale = next(place for place, one in enumerate(flattener) if isinstance(one.body, SendMarked))
    life = Life(executor, inherited(flattener[: sale + 1])).begin()
    books = life.core.executor.books
    (parent_id,) = [found.parent_id for found in books.exits.values()]
    marks = of([one.body for one in life.journal], SendMarked)
    assert [mark.child_number for mark in marks if mark.order.parent_id == parent_id] == [1]
    assert books.next_child(parent_id) == 2


def test_a_journal_that_was_begun_anew_is_adopted() -> None:
    """Its numbers begin again at one, its epochs do not: what it writes now is new."""
    executor, flattener = a_past()
    journal = Life(executor, inherited(flattener)).begin().journal
    anew = Pen("flattener", FLATTENER_EPOCH + 4, 2_000)
    anew.write(RoleTaken("executor", NEXT_EPOCH + 1, "it is silent"))
    told = anew.write(FlatnessTold("kill-2", is_flat=False, pass_number=0, reason="something is left"))
    life = Life(journal, inherited(anew.written)).begin()
    assert adopted(life)[-1] == (told.id, told.body)


def test_what_is_said_of_an_order_whose_mark_is_lost_ends_nobody() -> None:
    """Our journal lost its tail, which the flattener had read: what is not known of is found at the venue."""
    executor, flattener = a_past()
    first_mark = next(place for place, one in enumerate(executor) if isinstance(one.body, SendMarked))
    life = Life(executor[:first_mark], inherited(flattener)).begin()
    assert len(adopted(life)) == len(in_our_name())
