"""A flattener's lives beside one venue and one dead executor, to die at any record or order."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from proto.control import Flatten, ResumeEntries
from proto.envelope import SCHEMA, Body, Envelope
from proto.orders import FlatnessTold, SendMarked
from proto.risk import Everything, Latch
from services.flattener.core.flattener import FlattenerCore
from services.flattener.core.past import Past, PastFold
from services.flattener.vocabulary import (
    GiveRoleBack,
    ReadRecords,
    RecordsRead,
    RoleHeld,
    RoleIsFree,
    RoleNotHeld,
    TakeRole,
)
from shared.core.service import (
    Answer,
    Asked,
    Effect,
    HaltSeen,
    Happening,
    Moment,
    NotRecorded,
    Outward,
    Recorded,
    Report,
    Started,
    WakeAt,
    Woken,
)
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import InstrumentsKnown, SendOrder, StreamOpened, VenueClock
from tests.services.flattener.stand_in import StandIn
from tests.shared.execution.desk import A_DAY_NS, ACCOUNT, AHEAD_NS, BTC, LIMITS, SECOND_NS, Desk, an_instrument

LATCH: Final = Latch("kill-1", "ada", "it looks wrong", 1)
STEP_NS: Final = 100_000_000
WITHIN_STEPS: Final = 1_000
ROLE_EPOCH: Final = 7
NOTHING: Final = ExecutorCore(ACCOUNT, LIMITS).state()
NOBODY: Final = FlattenerCore(ACCOUNT).state()  # has held the role


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
        self.looks_ns: int | None = None  # when the core wants to be woken to look
        self._core: FlattenerCore | None = None
        self._queue: list[Happening] = []

    def begin(self) -> None:
        """Let another life begin: the executor's role is free again."""
        self._epoch, self.holds, self.looks_ns, self._queue = self._epoch + 1, False, None, []
        self._core = FlattenerCore(ACCOUNT)
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
        """Let time pass, with the engine's clock ringing, and the other when it was asked for."""
        for _ in range(int(seconds * SECOND_NS / STEP_NS)):
            self.now_ns += STEP_NS
            self.take(Woken("clock"))
            if self.looks_ns is not None and self.looks_ns <= self.now_ns:
                self.looks_ns = None
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
        self.take(self.asked(symbol, f"ask-{self.now_ns}"))

    def resume(self) -> None:
        """Ask for entries to be resumed, of everything."""
        self.take(self._asked(ResumeEntries("bob", "it is to be kept", Everything()), f"resume-{self.now_ns}"))

    def queue(self, happening: Happening) -> None:
        """Let something happen before whatever is handed in next is worked off."""
        self._queue.append(happening)

    def asked(self, symbol: str | None, name: str) -> Asked:
        """Return how somebody asks for a symbol to be closed."""
        return self._asked(Flatten("bob", "enough", symbol), name)

    def _asked(self, body: Body, name: str) -> Asked:
        times = self.now_ns, "boot", self.now_ns, None
        return Asked("operator", Envelope(SCHEMA, "operator", 1, 1, name, name, *times, body))

    def bodies(self) -> list[Body]:
        """Return everything that was written down, in all lives."""
        return [envelope.body for envelope in self.own]

    def _do(self, effects: Sequence[Effect]) -> None:
        reports = [effect for effect in effects if isinstance(effect, Report)]
        if reports and not self.has_room:
            self._queue.append(
                NotRecorded(tuple(report.body for report in reports), "the disk is full", is_reducing=True)
            )
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
            case WakeAt(timer="look", boot_ns=at_ns):
                self.looks_ns = at_ns
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
        fold = PastFold(ACCOUNT, LIMITS)
        fold.executor(NOTHING, self.executor)
        fold.ours(NOBODY, [Recorded(envelope) for envelope in self.own])
        return Past(fold.engine, self.executor[-1].envelope)

    def _envelope(self, report: Report) -> Envelope:
        number = len(self.own) + 1
        name = f"flattener-{self._epoch}-reports-{number}"
        cause = report.cause_id or name
        return Envelope(
            SCHEMA,
            "flattener",
            self._epoch,
            number,
            name,
            cause,
            self.now_ns + A_DAY_NS,
            "boot",
            self.now_ns,
            None,
            report.body,
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
