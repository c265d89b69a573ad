"""What the flattener did in the executor's name, and lives of an executor that adopts it."""

from collections.abc import Sequence
from functools import cache
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import SCHEMA, Body, Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.orders import ConditionSet, FlatnessTold
from proto.topics import topic_of
from shared.core.service import (
    Effect,
    Happening,
    InheritanceUnread,
    Inherited,
    Moment,
    NotRecorded,
    Recorded,
    Report,
    Restored,
    Started,
)
from shared.execution.adopting import AdoptingCore
from shared.execution.adoption import AT_ONCE, UNREAD
from shared.execution.core import ExecutorCore, TradedAccount
from shared.execution.vocabulary import (
    Acknowledged,
    CancelSent,
    OpenOrdersRead,
    ReadTrades,
    SendOrder,
    StreamOpened,
    TradesRead,
)
from tests.shared.execution.desk import ACCOUNT, LIMITS, SECOND_NS, Desk, of

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

    def __init__(
        self,
        journal: Sequence[Envelope],
        inheritance: Sequence[Happening],
        *,
        state: bytes = b"",
        account: TradedAccount = ACCOUNT,
    ) -> None:
        self.core: Final = AdoptingCore(ExecutorCore(account, LIMITS))
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


def unread(life: Life) -> list[ConditionSet]:
    """Return what was set because the flattener's journal could not be read."""
    return [one for one in of([one.body for one in life.journal], ConditionSet) if one.condition.name == UNREAD]
