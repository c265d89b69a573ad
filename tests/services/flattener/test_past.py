"""What the flattener reads of the journals: the same wherever pages are turned, and how old the newest of it is."""

import dataclasses
from collections.abc import Collection, Sequence
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.orders import FlatnessTold
from services.flattener.core.flattener import FlattenerCore
from services.flattener.core.past import BEFORE_IT_BEGINS, Past, PastFold
from services.flattener.desk import past_in
from shared.core.service import HaltSeen, Journaling, Moment, Recorded, RecordsLost
from shared.execution.adoption import NOTHING_HELD, Adopted, Holding
from shared.execution.core import ExecutorCore
from shared.mesh.journal import create_journal
from shared.mesh.journal_tail import JournalTail, TailUnreadError, journal_tail
from tests.services.flattener.life import LATCH, Life
from tests.shared.execution.desk import ACCOUNT, LIMITS, SECOND_NS
from tests.shared.mesh.journal.journals import DAY, an_opening, commit
from tests.shared.mesh.journal.sim_disk import SimDisk

CODEC: Final = EnvelopeCodec()


def a_life() -> Life:
    """Return a flattener's life that took the role and sold all there was."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(FlatnessTold)
    return life


LIFE: Final = a_life()
WRITTEN: Final = tuple(record.envelope for record in LIFE.executor)
PAGES: Final = st.sets(st.integers(0, len(WRITTEN)))
OUR_PAGES: Final = st.sets(st.integers(0, len(LIFE.own)))


def tail_of(core: Journaling, records: Sequence[Envelope], *, pages: Collection[int] = ()) -> JournalTail:
    """Look at a journal whose owner turned the page before some of its records, or behind the last."""
    disk = SimDisk()
    journal = create_journal(an_opening(disk), date=DAY, state=core.state())
    for place, envelope in enumerate((*records, None)):
        if place in pages:
            journal.begin_segment(date=DAY, state=core.state())
        if envelope is not None:
            commit(journal, [CODEC.encode(envelope)])
            core.handle(Recorded(envelope), BEFORE_IT_BEGINS)
    tail = journal_tail(disk, codec=CODEC)
    assert tail is not None
    return tail


def past(*, pages: Collection[int] = (), adopted: int = 0, our_pages: Collection[int] = ()) -> Past:
    """Read what the executor wrote, and what was done in its name, of which it may have adopted some."""
    taken_over = [msgspec.structs.replace(one, cause_id=one.id) for one in LIFE.own if adopts(one)][:adopted]
    executor = tail_of(ExecutorCore(ACCOUNT, LIMITS), (*WRITTEN, *taken_over), pages=pages)
    ours = tail_of(FlattenerCore(ACCOUNT), LIFE.own, pages=our_pages)
    return past_in(executor, ours, ACCOUNT, LIMITS)


@given(pages=PAGES)
def test_it_is_the_same_wherever_pages_are_turned(pages: set[int]) -> None:
    """The state that a page begins with stands for all before it; the newest record is found before an empty page."""
    read, whole = past(pages=pages), past()
    assert read.engine.state() == whole.engine.state()
    assert read.newest == whole.newest == WRITTEN[-1]


@given(our_pages=OUR_PAGES, adopted=st.integers(0, len(LIFE.own)))
def test_ours_is_the_same_wherever_pages_are_turned(our_pages: set[int], adopted: int) -> None:
    """Within a tenure too, and however much of it the executor has adopted: nothing is missing, nothing comes twice."""
    read, whole = past(adopted=adopted, our_pages=our_pages), past(adopted=adopted)
    assert read.engine.state() == whole.engine.state()


def test_what_is_adopted_is_not_read_again() -> None:
    """Once the executor has all of it, the newest page is enough, one that is begun later too."""
    life = a_life()
    life.run_until(RoleReturned)
    core, adopted = FlattenerCore(ACCOUNT), Adopted()
    for envelope in life.own:
        core.handle(Recorded(envelope), BEFORE_IT_BEGINS)
        assert adopted.reaches(core.state()) == (not adopts(envelope))
        if adopts(envelope):
            adopted = adopted.and_then(msgspec.structs.replace(envelope, cause_id=envelope.id))
    assert adopted.reaches(core.state())


def adopts(envelope: Envelope) -> bool:
    """Say whether the executor takes a record over as its own."""
    return not isinstance(envelope.body, RoleTaken | RoleReturned)


def test_a_page_behind_a_hole_in_ours_says_so() -> None:
    """Who has adopted everything before the hole reads on from before it, and so do we: no name is used again."""
    core, adopted = FlattenerCore(ACCOUNT), Adopted()
    for envelope in LIFE.own:
        core.handle(Recorded(envelope), BEFORE_IT_BEGINS)
        adopted = adopted.and_then(msgspec.structs.replace(envelope, cause_id=envelope.id))
    before = core.state()
    core.handle(RecordsLost(len(LIFE.own) + 10, "a lost tail"), BEFORE_IT_BEGINS)
    assert adopted.reaches(before)
    assert not adopted.reaches(core.state())
    fold = PastFold(ACCOUNT, LIMITS)
    fold.executor(ExecutorCore(ACCOUNT, LIMITS).state(), [])
    fold.ours(before, [RecordsLost(len(LIFE.own) + 10, "a lost tail")])
    assert fold.engine.books.next_child("any parent") > 1


def test_a_page_of_another_day_is_not_believed() -> None:
    """What does not say how far back to read is read from the beginning, as is a journal that was begun anew."""
    assert not Adopted((9, 9)).reaches(b"{}")
    assert not Adopted((9, 9)).reaches(b"no state")
    assert not Adopted((9, 9)).reaches(msgspec.json.encode(Holding((10, 1), None)))
    assert Adopted((9, 9)).reaches(msgspec.json.encode(NOTHING_HELD))


def test_books_of_another_account_are_none_to_act_by() -> None:
    """As after a demo in the same directory: whatever stands there is sold at no other account."""
    read_by = dataclasses.replace(ACCOUNT, name="sim/official/main")
    executor = tail_of(ExecutorCore(ACCOUNT, LIMITS), WRITTEN)
    ours = tail_of(FlattenerCore(ACCOUNT), LIFE.own)
    assert past_in(executor, ours, ACCOUNT, LIMITS).engine.books.account == ACCOUNT.name
    with pytest.raises(TailUnreadError, match=read_by.name):
        past_in(executor, ours, read_by, LIMITS)


def test_a_new_page_is_no_silence() -> None:
    """An executor that has just turned the page, and written nothing since, is as quiet as its newest record is old."""
    read = past(pages={len(WRITTEN)})
    written_ns = WRITTEN[-1].sent_boot_ns
    assert read.quiet_ns(Moment(0, written_ns + SECOND_NS, "boot")) == SECOND_NS
    assert read.quiet_ns(Moment(0, SECOND_NS, "another boot")) == SECOND_NS


def test_who_wrote_nothing_is_quiet_since_ever() -> None:
    """Without a journal there is nothing to go on from, and nobody who was heard."""
    nothing = past_in(None, None, ACCOUNT, LIMITS)
    assert nothing.quiet_ns(Moment(0, 5, "boot")) == 5
    assert nothing.engine.state() == ExecutorCore(ACCOUNT, LIMITS).state()


def test_what_was_done_in_its_name_is_part_of_it() -> None:
    """What was sold by the flattener is sold, though the executor's journal does not have it yet."""
    assert past_in(tail_of(ExecutorCore(ACCOUNT, LIMITS), WRITTEN), None, ACCOUNT, LIMITS).engine.books.positions.held()
    assert not past().engine.books.positions.held()
