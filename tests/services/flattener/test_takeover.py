"""The role is taken, everything is closed, the role is given back: whatever dies in between, at whichever record."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec
import pytest

from proto.control import ControlDone, ControlRefused, Flatten
from proto.envelope import SCHEMA, Body, Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.orders import FlatnessTold, SendMarked
from proto.risk import Latch, RiskSnapshot
from services.flattener.core.flattener import FlattenerCore
from services.flattener.vocabulary import (
    GiveRoleBack,
    Past,
    ReadRecords,
    RecordsRead,
    RoleHeld,
    RoleIsFree,
    RoleNotHeld,
    TakeRole,
)
from shared.core.service import (
    Answer,
    Ask,
    Asked,
    Effect,
    HaltSeen,
    Happening,
    Heard,
    Inherited,
    MakeHalt,
    Moment,
    NotRecorded,
    Outward,
    Publish,
    Recorded,
    Report,
    Started,
    Stop,
    StopAsked,
    Watch,
    Woken,
)
from shared.execution.adopting import AdoptingCore
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import InstrumentsKnown, SendOrder, StreamOpened, VenueClock
from tests.proto.examples import BODIES
from tests.services.flattener.stand_in import StandIn
from tests.shared.execution.desk import A_DAY_NS, ACCOUNT, AHEAD_NS, BTC, LIMITS, SECOND_NS, Desk, an_instrument

LATCH: Final = Latch("kill-1", "ada", "it looks wrong", 1)
STEP_NS: Final = 100_000_000
WITHIN_STEPS: Final = 1_000
ROLE_EPOCH: Final = 7
PLACES_MIN, PLACES_MAX = 10, 100  # at which a life may die


class Killed(Exception):  # noqa: N818  # which is no error here
    """The process is no more."""


class Life:
    """The flattener's lives beside one venue and one dead executor: records and effects are counted, to die at any."""

    def __init__(self, *, is_covered: bool = True) -> None:
        executor = Desk().open()
        stop = executor.entered()
        records = [Recorded(envelope) for envelope in executor.recorded]
        self.venue: Final = StandIn(usdt="9900", btc="1")
        if is_covered:
            self.venue.rest(stop)
        else:  # it died before it had marked the stop
            marks = [place for place, one in enumerate(records) if isinstance(one.envelope.body, SendMarked)]
            records = records[: marks[-1]]
        self.executor: Final = tuple(records)
        self.own: Final[list[Envelope]] = []
        self.answers: Final[list[Body]] = []
        self.effects: Final[list[Effect]] = []
        self.now_ns = executor.now_ns + 10 * SECOND_NS
        self.dies_in: int | None = None  # as many records or effects from here
        self.is_fenced = True  # what comes of taking the role
        self.is_lifted = False  # the latch, while the role is being taken
        self.has_room = True
        self._epoch = 0
        self.holds = False
        self._core: FlattenerCore | None = None
        self._queue: list[Happening] = []

    def begin(self) -> None:
        """Let another life begin: the executor's role is free again."""
        self._epoch, self.holds, self._queue = self._epoch + 1, False, []
        self._core = FlattenerCore(ACCOUNT, LIMITS)
        for envelope in self.own:
            assert not self._core.handle(Recorded(envelope), self._moment())
        for told in (
            Started("flattener", self._epoch, 0, ()),
            HaltSeen(None),
            InstrumentsKnown({BTC: an_instrument()}),
            VenueClock(AHEAD_NS, 1_000_000),
            StreamOpened(),
        ):
            self.take(told)

    def take(self, happening: Happening) -> None:
        """Hand something in, and do whatever it leads to."""
        self._queue.append(happening)
        while self._queue:
            assert self._core is not None, "somebody lives"
            self._do(self._core.handle(self._queue.pop(0), self._moment()))

    def run(self, seconds: float) -> None:
        """Let time pass, with both clocks ringing."""
        for _ in range(int(seconds * SECOND_NS / STEP_NS)):
            self.now_ns += STEP_NS
            self.take(Woken("clock"))
            self.take(Woken("look"))

    def run_until(self, kind: type[Body]) -> None:
        """Let time pass until something is written down in this life."""
        for _ in range(WITHIN_STEPS):
            if any(isinstance(one.body, kind) and one.epoch == self._epoch for one in self.own):
                return
            self.run(STEP_NS / SECOND_NS)
        raise AssertionError(f"no {kind.__name__} came: {self.bodies()}")

    def ask(self, symbol: str | None) -> None:
        """Ask for a symbol to be closed."""
        body = Flatten("bob", "enough", symbol)
        name = f"ask-{self.now_ns}"
        envelope = Envelope(SCHEMA, "operator", 1, 1, name, name, self.now_ns, "boot", self.now_ns, None, body)
        self.take(Asked("operator", envelope))

    def bodies(self) -> list[Body]:
        """Return everything that was written down, in all lives."""
        return [envelope.body for envelope in self.own]

    def _do(self, effects: Sequence[Effect]) -> None:
        reports = [effect for effect in effects if isinstance(effect, Report)]
        if reports and not self.has_room:
            self._queue.append(NotRecorded(tuple(report.body for report in reports), "the disk is full"))
            return
        for report in reports:
            self._dies_here()
            self.own.append(self._envelope(report))
        for envelope in self.own[len(self.own) - len(reports) :]:
            assert self._core is not None, "somebody lives"
            self._do(self._core.handle(Recorded(envelope), self._moment()))
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        self.effects.append(effect)
        match effect:
            case Answer(body=body):
                self.answers.append(body)
            case ReadRecords():
                self._queue.append(RecordsRead(self._past(), ""))
            case TakeRole() if self.is_fenced:
                self.holds = True
                self._queue += [HaltSeen(None)] if self.is_lifted else []
                self._queue.append(RoleHeld(ROLE_EPOCH + self._epoch, self._past()))
            case TakeRole():
                self._queue.append(RoleNotHeld("the gate is held"))
            case GiveRoleBack():
                self.holds = False
                self._queue.append(RoleIsFree())
            case Outward():
                assert self.holds or not isinstance(effect, SendOrder), "nobody sends without the role"
                self.venue.now_ns = self.now_ns
                told = self.venue.perform(effect)
                if isinstance(effect, SendOrder):
                    self._dies_here()  # it is done at the venue, and nobody hears of it
                self._queue += told
            case _:
                pass

    def _dies_here(self) -> None:
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in < 0:
                self.dies_in = None
                raise Killed

    def _past(self) -> Past:
        return Past(None, self.executor, tuple(Recorded(envelope) for envelope in self.own))

    def _envelope(self, report: Report) -> Envelope:
        number = len(self.own) + 1
        name = f"flattener-{self._epoch}-reports-{number}"
        cause, wall_ns = report.cause_id or name, self.now_ns + A_DAY_NS
        return Envelope(
            SCHEMA, "flattener", self._epoch, number, name, cause, wall_ns, "boot", self.now_ns, None, report.body
        )

    def _moment(self) -> Moment:
        return Moment(self.now_ns + A_DAY_NS, self.now_ns, "boot")


def assert_closed(life: Life) -> None:
    """Hold that the stop is gone, the coin sold once, FLAT said, and the role free."""
    assert life.venue.open_orders() == []
    assert life.venue.balances == {"USDT": Decimal(10_000), "BTC": Decimal(0)}
    told = [body for body in life.bodies() if isinstance(body, FlatnessTold)]
    assert told[-1].is_flat
    assert not life.holds
    marks = [body for body in life.bodies() if isinstance(body, SendMarked)]
    assert {mark.order.purpose for mark in marks} <= {"exit", "cover"}


def adopted(life: Life) -> ExecutorCore:
    """Let the executor's next life begin with what the flattener wrote, and return it."""
    executor, moment = ExecutorCore(ACCOUNT, LIMITS), Moment(life.now_ns + A_DAY_NS, life.now_ns, "boot")
    core = AdoptingCore(executor)
    for record in life.executor:
        core.handle(record, moment)
    for envelope in life.own:
        core.handle(Inherited("flattener", envelope), moment)
    effects = list(core.handle(Started("executor", 99, 0, ()), moment))
    number = len(life.executor)
    while reports := [effect for effect in effects if isinstance(effect, Report)]:
        effects = []
        for report in reports:
            number += 1
            name = f"executor-99-reports-{number}"
            envelope = Envelope(
                SCHEMA, "executor", 99, number, name, report.cause_id or name, 1, "boot", life.now_ns, None, report.body
            )
            effects += core.handle(Recorded(envelope), moment)
    return executor


@pytest.fixture
def a_risk_snapshot() -> RiskSnapshot:
    """Return what risk may say."""
    return next(example for example in BODIES if isinstance(example, RiskSnapshot))


def test_under_the_latch_everything_is_closed_in_a_silent_executors_place() -> None:
    """Three seconds of silence, a look, the role, FLAT, the role given back; and then it only watches."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    assert_closed(life)
    taken = [body for body in life.bodies() if isinstance(body, RoleTaken)]
    assert [(one.instance, one.epoch) for one in taken] == [("executor", ROLE_EPOCH + 1)]
    written = len(life.own)
    life.run(60)
    assert len(life.own) == written


def test_what_it_lets_the_engine_do() -> None:
    """It asks nobody for a lease, reads no feed, and publishes nothing in the executor's name."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    assert not [effect for effect in life.effects if isinstance(effect, Ask | Watch | Publish | MakeHalt)]


def test_latch_that_only_risk_tells_of_is_one(a_risk_snapshot: RiskSnapshot) -> None:
    """Where the file could not be made, risk's word is enough; and the file is made from the journal then."""
    life = Life()
    life.begin()
    told = msgspec.structs.replace(a_risk_snapshot, permission="HALTED", latch_id=LATCH.latch_id)
    envelope = Envelope(SCHEMA, "risk", 1, 1, "risk-1", "risk-1", life.now_ns, "boot", life.now_ns, None, told)
    life.take(Heard("risk", envelope))
    life.run_until(RoleReturned)
    assert_closed(life)
    made = [effect.latch.latch_id for effect in life.effects if isinstance(effect, MakeHalt)]
    assert made[0] == LATCH.latch_id


def test_without_a_latch_covered_positions_are_left_alone() -> None:
    """The executor is dead for minutes: its stop rests at the venue, and nobody is needed."""
    life = Life()
    life.begin()
    life.run(120)
    assert life.bodies() == []
    assert len(life.venue.open_orders()) == 1


def test_without_a_latch_a_position_without_a_stop_is_closed() -> None:
    """Nobody would place one: fifteen seconds after its time to start is over, and without setting a latch."""
    life = Life(is_covered=False)
    life.begin()
    life.run(29)
    assert life.bodies() == []
    life.run_until(RoleReturned)
    assert_closed(life)
    assert not any(isinstance(effect, MakeHalt) for effect in life.effects)


def test_what_somebody_wants_closed_is_closed_without_a_latch() -> None:
    """Asked for a symbol it takes the role at once, answers when that stands in its journal, and sets no latch."""
    life = Life()
    life.begin()
    life.ask(BTC)
    (answer,) = life.answers
    assert isinstance(answer, ControlDone)
    life.run_until(RoleReturned)
    assert_closed(life)
    assert not any(isinstance(effect, MakeHalt) for effect in life.effects)


def test_whoever_asks_is_told_that_the_role_could_not_be_taken() -> None:
    """Where somebody else stands in the gate it is tried again, and then said."""
    life = Life()
    life.begin()
    life.is_fenced = False
    life.ask(BTC)
    (answer,) = life.answers
    assert isinstance(answer, ControlRefused)
    assert "the gate is held" in answer.reason


def test_a_venue_that_refuses_is_not_flat_and_the_role_is_given_back() -> None:
    """Nothing is given up, and nobody holds the role for ever: it is tried again, by whoever is there then."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    told = [body for body in life.bodies() if isinstance(body, FlatnessTold)]
    assert told
    assert not any(one.is_flat for one in told)
    life.venue.refuses = False
    life.run(40)
    assert_closed(life)


def test_with_a_full_disk_the_role_is_given_back() -> None:
    """What cannot be written down is not done: nothing is sent, and it is tried again when there is room."""
    life = Life()
    life.begin()
    life.has_room = False
    life.take(HaltSeen(LATCH))
    life.run(10)
    assert life.bodies() == []
    assert life.venue.sent == []
    life.has_room = True
    life.run_until(RoleReturned)
    assert_closed(life)


def test_latch_that_is_lifted_while_the_role_is_taken_leaves_nothing_to_do() -> None:
    """It is cleared at that very moment: nothing is closed, and seconds later the executor has its role again."""
    life = Life()
    life.begin()
    life.is_lifted = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleTaken)
    life.run(6)
    assert not life.holds
    assert life.venue.sent == []
    assert isinstance(life.bodies()[-1], RoleReturned)


def test_told_to_end_it_gives_the_role_back_first() -> None:
    """Whatever is left is the executor's again."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleTaken)
    life.take(StopAsked())
    life.run_until(RoleReturned)
    assert isinstance(life.effects[-1], Stop)


def test_killed_at_every_record_and_order_it_goes_on() -> None:
    """Each of its lives may die before a record or behind an order: the next one closes the rest, and sells once."""
    for place in range(PLACES_MAX):
        life = Life()
        life.begin()
        life.dies_in = place
        try:
            life.take(HaltSeen(LATCH))
            life.run_until(RoleReturned)
        except Killed:
            life.begin()
            life.take(HaltSeen(LATCH))
            life.run(20)
        assert_closed(life)
        books = adopted(life).books
        assert books.positions.held() == []
        assert books.working() == []
        assert books.ledger.balance("USDT") == Decimal(10_000)
        assert books.flattens.going[LATCH.latch_id].is_flat
        if life.dies_in is not None:  # it came to its end before that
            assert place > PLACES_MIN
            return
    raise AssertionError("it never came to its end")
