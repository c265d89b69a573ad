"""What the flattener did is adopted word for word, once, and before anything else; wherever that is interrupted."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.envelope import SCHEMA, Body, Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.intents import SetExit
from proto.orders import CancelMarked, ConditionSet, FlatnessTold, ReconcileFinished, SendMarked
from proto.topics import topic_of
from services.verify.checker.adoption import judge_adoption
from services.verify.checker.frames import MARK_NAME, mark_of
from services.verify.checker.journal import Journal, journal_of
from services.verify.checker.verdict import Judge
from shared.core.service import (
    Asked,
    Effect,
    Happening,
    InheritanceUnread,
    Inherited,
    JournalRoom,
    Moment,
    NotRecorded,
    Recorded,
    RecordsLost,
    Report,
    Restored,
    Started,
    Woken,
)
from shared.execution.adopting import CLOCK, AdoptingCore
from shared.execution.adoption import AT_ONCE, UNREAD, Holding
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import (
    Acknowledged,
    CancelSent,
    InstrumentsKnown,
    OpenOrdersRead,
    ReadOpenOrders,
    ReadTrades,
    SendOrder,
    StreamOpened,
    TradesRead,
    VenueClock,
)
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, BTC, LIMITS, SECOND_NS, TREND, Desk, an_instrument, of
from tests.shared.mesh.journal.journals import a_journal
from tests.shared.mesh.journal.sim_disk import SimDisk

CODEC: Final = EnvelopeCodec()
TAKEN_EPOCH: Final = 5
NEXT_EPOCH: Final = 6
FLATTENER_EPOCH: Final = 3
HOLE: Final = InheritanceUnread("flattener", "the tail is lost", next_sequence=9)
TIMES_NOT_FLAT: Final = AT_ONCE  # so that adopting takes more than one group


class Pen:
    """Writes envelopes as one process does, one after the other."""

    def __init__(self, instance: str, epoch: int, at_s: int) -> None:
        self.written: Final[list[Envelope]] = []
        self._start_ns: Final = at_s * SECOND_NS
        self.epoch = epoch
        self._instance: Final = instance

    @property
    def at_ns(self) -> int:
        """When the last record was written: it follows from its number."""
        return self._start_ns + len(self.written) * 1_000_000

    def write(self, body: Body, cause_id: str | None = None) -> Envelope:
        """Write the next record."""
        sequence = len(self.written) + 1
        name = f"{self._instance}-{self.epoch}-{topic_of(type(body)).socket}-{sequence}"
        at_ns = self.at_ns + 1_000_000
        times = at_ns, "boot", at_ns, None
        cause = cause_id or name
        self.written.append(Envelope(SCHEMA, self._instance, self.epoch, sequence, name, cause, *times, body))
        return self.written[-1]


class Life:
    """A life of the executor that adopts: its journal takes everything, or nothing."""

    def __init__(self, journal: Sequence[Envelope], inheritance: Sequence[Happening], *, state: bytes = b"") -> None:
        self.core: Final = AdoptingCore(ExecutorCore(ACCOUNT, LIMITS))
        self.pen: Final = Pen("executor", NEXT_EPOCH, 1_000)
        self.pen.written.extend(journal)
        self.has_room = True
        self.effects: list[Effect] = []
        past = [Recorded(envelope) for envelope in journal]
        for happening in (*((Restored(state),) if state else past), *inheritance):
            assert not self.core.handle(happening, self._moment()), "the past is only folded"

    @property
    def journal(self) -> list[Envelope]:
        """Everything that is durable."""
        return self.pen.written

    def begin(self) -> "Life":
        """Give it its first word."""
        return self.take(Started("executor", NEXT_EPOCH, 1, ()))

    def take(self, happening: Happening) -> "Life":
        """Hand something in, and let the journal take what is reported, if it has room."""
        self._do(self.core.handle(happening, self._moment()))
        return self

    def _do(self, effects: Sequence[Effect]) -> None:
        reports = of(effects, Report)
        if reports and not self.has_room:
            self.take(NotRecorded(tuple(report.body for report in reports), "the disk is full", is_reducing=True))
            return
        envelopes = [self.pen.write(report.body, report.cause_id) for report in reports]
        done = [self.core.handle(Recorded(envelope), self._moment()) for envelope in envelopes]
        for more in done:
            self._do(more)
        self.effects += [effect for effect in effects if not isinstance(effect, Report)]

    def _moment(self) -> Moment:
        return Moment(self.pen.at_ns, self.pen.at_ns, "boot")


@cache
def a_past() -> tuple[tuple[Envelope, ...], tuple[Envelope, ...]]:
    """Return what an executor wrote that bought and died, and what the flattener wrote that sold it.

    The flattener took the role twice: it died the first time before it had done anything but mark the cancellation.
    """
    desk = Desk().open()
    stop = desk.entered()
    executor = Pen("executor", 1, 100)
    for body in desk.reports:
        executor.write(body)
    exit_asked = flattened(desk, executor.written, stop)
    flattener = Pen("flattener", FLATTENER_EPOCH - 1, 500)
    flattener.write(RoleTaken("executor", TAKEN_EPOCH - 1, "it is silent"))
    for body in exit_asked[:2]:
        flattener.write(body)
    flattener.epoch += 1  # it died, and its hold with it
    flattener.write(RoleTaken("risk", 9, "it is silent"))
    flattener.write(RoleReturned("risk", 9, "it is back"))
    flattener.write(FlatnessTold("kill-1", is_flat=False, pass_number=0, reason="not ours to say"))
    flattener.write(RoleTaken("executor", TAKEN_EPOCH, "it is silent"))
    for body in exit_asked[2:]:
        flattener.write(body)
    for _ in range(TIMES_NOT_FLAT):
        flattener.write(FlatnessTold("kill-1", is_flat=False, pass_number=0, reason="something is left"))
    flattener.write(RoleReturned("executor", TAKEN_EPOCH, "it is flat"))
    return tuple(executor.written), tuple(flattener.written)


def flattened(desk: Desk, journal: Sequence[Envelope], stop: SendOrder) -> list[Body]:
    """Let a core that never was at that desk sell what the journal says is held, and return what it reports."""
    core = Desk()
    for envelope in journal:
        core.take(Recorded(envelope))
    core.now_ns = desk.now_ns + 10 * SECOND_NS
    core.begin()
    core.take(StreamOpened())
    number = core.core.books.passes + 1
    for read in of(core.take(OpenOrdersRead(number, (core.shown(stop, "open"),), None)), ReadTrades):
        core.take(TradesRead(number, read.symbol, (), None))
    core.account(number, usdt="9900", btc="1")
    core.leave()
    core.take(CancelSent(stop.client_order_id, Acknowledged(core.shown(stop, "canceled"))))
    sale = core.sent()[-1]
    core.acknowledge(sale)
    core.fill(sale, then="filled")
    return core.reports


def inherited(flattener: Sequence[Envelope]) -> list[Happening]:
    """Return what a shell hands in of a flattener's journal."""
    return [Inherited("flattener", envelope) for envelope in flattener]


def in_our_name() -> list[Envelope]:
    """Return what the flattener wrote while it held the role."""
    _, flattener = a_past()
    between = [*flattener[1:3], *flattener[7:-1]]
    assert {type(flattener[place].body) for place in (0, 3, 6, -1)} == {RoleTaken, RoleReturned}
    return between


def adopted(life: Life) -> list[tuple[str, Body]]:
    """Return what stands in its journal as the flattener's, by its cause."""
    return [(one.cause_id, one.body) for one in life.journal if one.cause_id.startswith("flattener-")]


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


def unread(life: Life) -> list[ConditionSet]:
    """Return what was set because the flattener's journal could not be read."""
    return [one for one in of([one.body for one in life.journal], ConditionSet) if one.condition.name == UNREAD]


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
