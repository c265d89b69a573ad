"""In what order effects are done, and that records which come of each other may be many."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.orders import OrderEnded, OrderFilled, OutsideSeen, ReconcileFinished
from shared.core.service import Effect, Happening, Moment, NotRecorded, Outward, Recorded, Report, Stalled, Started
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import (
    OpenOrdersRead,
    ReadOpenOrders,
    ReadTrades,
    StreamOpened,
    TradesRead,
    VenueClock,
)
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.service.pulse import STALL_NS
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, BTC, LIMITS, Desk, of
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Hands, Stage, Told, a_diary, standing_clock

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

PAGE: Final = 1_000  # the most trades that the venue gives at once
SLOW_COMMIT_NS: Final = 5_000_000


@dataclass(frozen=True)
class Do(Outward):
    """Something is to be done outside, with a number to tell it by."""

    number: int


# What a core returns: things to do, and reports with what comes of their records.
Tree = list["Tree | None"]
TREES: Final[st.SearchStrategy[Tree]] = st.recursive(
    st.lists(st.none(), max_size=2), lambda trees: st.lists(st.none() | trees, max_size=4), max_leaves=12
)


def a_report(number: int, *, reducing: bool = False) -> Report:
    """Return something to be recorded, with a number to tell it by."""
    body = ReconcileFinished(pass_number=number, clean=True, differences=(), trades_read=())
    return Report(body, reducing=reducing)


def number_of(report: Report | Recorded) -> int:
    """Return the number of something that is recorded."""
    body = report.body if isinstance(report, Report) else report.envelope.body
    assert isinstance(body, ReconcileFinished), "nothing else is reported here"
    return body.pass_number


class Script:
    """What a core returns, as a tree says, and what happened of it: records below nothing, and what was done above."""

    def __init__(self, tree: Tree) -> None:
        self.happened: Final[list[int]] = []
        self._numbers: Final = count(1)
        self._led_to: Final[dict[int, Sequence[Effect]]] = {}
        self._first: Final = self._effects(tree)

    def react(self, happening: Happening, _now: Moment) -> Sequence[Effect]:
        """Return what comes of something."""
        match happening:
            case Told():
                return self._first
            case Recorded():
                self.happened.append(-number_of(happening))
                return self._led_to[number_of(happening)]
            case _:
                return ()

    def perform(self, effect: Outward) -> None:
        """Do it."""
        assert isinstance(effect, Do), "nothing else is to be done here"
        self.happened.append(effect.number)

    def promised(self) -> list[int]:
        """Return what shall happen, as one call within the other has it."""
        return list(self._nested(self._first))

    def _nested(self, effects: Sequence[Effect]) -> Iterator[int]:
        recorded = [number_of(report) for report in of(effects, Report)]
        yield from (-number for number in recorded)
        for number in recorded:
            yield from self._nested(self._led_to[number])
        yield from (effect.number for effect in of(effects, Do))

    def _effects(self, tree: Tree) -> Sequence[Effect]:
        effects: list[Effect] = []
        for below in tree:
            number = next(self._numbers)
            effects.append(Do(number) if below is None else a_report(number))
            if below is not None:
                self._led_to[number] = self._effects(below)
        return effects


async def test_what_comes_of_a_record_is_done_before_what_stood_beside_it(stage: Stage, eventually: Eventually) -> None:
    """Whatever a core returns, and returns for the records of it, is done in the order of calls within calls."""
    script = Script([])
    hands = Hands(lambda effect: script.perform(effect))  # noqa: PLW0108 -- of whichever script it is then

    def react(happening: Happening, now: Moment) -> Sequence[Effect]:
        return script.react(happening, now)

    actor = stage.service(react, instance="executor", disk=SimDisk(), outside=hands)
    await eventually(lambda: actor.core.of(Started))

    @given(TREES)
    def is_kept(tree: Tree) -> None:
        nonlocal script
        script = Script(tree)
        hands.bring(Told())
        assert script.happened == script.promised()

    is_kept()


async def test_what_comes_of_a_refusal_is_done_in_the_place_of_what_was_refused(
    stage: Stage, eventually: Eventually
) -> None:
    """Nothing that stood beside a report without room is done, and what stood beside the one before it follows."""
    disk, done = SimDisk(), list[Outward]()

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        match happening:
            case Told():
                return (Do(1), a_report(1, reducing=True), Do(2))
            case Recorded() if number_of(happening) == 1:
                return (Do(3), a_report(2))
            case NotRecorded():
                return (Do(4),)
            case _:
                return ()

    hands = Hands(done.append)
    actor = stage.service(react, instance="executor", disk=disk, outside=hands)
    await eventually(lambda: actor.core.of(Started))
    disk.capacity = disk.used()
    while not actor.core.of(NotRecorded):  # what the segment has taken ahead is used up first
        done.clear()
        hands.bring(Told())
    assert done == [Do(4), Do(1), Do(2)]


class Books:
    """An executor whose books hold an entry that rests at the venue, and its hands."""

    def __init__(self) -> None:
        self.desk: Final = Desk().open()
        self.desk.ask(self.desk.approval(quantity_max=Decimal(1)))
        self.entry: Final = self.desk.sent()[-1]
        self.desk.acknowledge(self.entry)
        self.wanted: Final[list[Outward]] = []
        self.hands: Final = Hands(self.wanted.append)
        self.disk: Final = SimDisk()
        diary = a_diary(self.disk, empty_state=ExecutorCore(ACCOUNT, LIMITS).state())
        reports = [Report(envelope.body, envelope.cause_id) for envelope in self.desk.recorded]
        diary.record(reports, Sender(instance="executor", epoch=1, clock=SystemClock()))
        diary.close()

    def traded(self, venue_order_id: str) -> None:
        """Let the executor hear that an order traded in a page full of small pieces, and that none is open now."""
        self.hands.bring(VenueClock(AHEAD_NS, 1_000_000))
        self.hands.bring(StreamOpened())
        self.hands.bring(OpenOrdersRead(of(self.wanted, ReadOpenOrders)[-1].read_number, (), None))
        shown = replace(self.desk.shown(self.entry, "filled"), venue_order_id=venue_order_id)
        piece = self.entry.quantity / PAGE
        trades = tuple(self.desk.trade(shown, piece, Decimal(100)) for _ in range(PAGE))
        self.hands.bring(TradesRead(of(self.wanted, ReadTrades)[-1].read_number, BTC, trades, None))


@pytest.mark.parametrize("is_own", [True, False])
async def test_a_full_page_of_trades_is_taken_in(stage: Stage, eventually: Eventually, *, is_own: bool) -> None:
    """An entry may have filled in a thousand pieces, or a bot or a hand traded, while the executor was down.

    Between its trades heartbeats leave, however slow the disk is: no turn lasts so long that the process stood still.
    """
    books, clock, core = Books(), standing_clock(), ExecutorCore(ACCOUNT, LIMITS)

    def react(happening: Happening, now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Recorded):
            clock.advance(SLOW_COMMIT_NS)
            now = msgspec.structs.replace(now, boot_ns=clock.boot_ns())
        return core.handle(happening, now)

    actor = stage.service(react, instance="executor", disk=books.disk, outside=books.hands, clock=clock)
    await eventually(lambda: actor.core.of(Started))
    known = len(actor.core.of(Recorded))
    books.traded(f"v-{books.entry.client_order_id}" if is_own else "another-hand")
    await eventually(lambda: of(books.wanted, ReadTrades)[-1].from_id)  # the next page: this one is in the books
    bodies = [recorded.envelope.body for recorded in actor.core.of(Recorded)[known:]]
    fills, outside = of(bodies, OrderFilled), [body for body in of(bodies, OutsideSeen) if body.asset == "BTC"]
    assert (len(fills), len(outside)) == ((PAGE, 0) if is_own else (0, PAGE))
    assert [body.ending for body in of(bodies, OrderEnded)] == (["filled"] if is_own else [])
    assert len(bodies) * SLOW_COMMIT_NS > 4 * STALL_NS
    books.hands.bring(VenueClock(AHEAD_NS, 1_000_000))  # whatever comes next shows how long the turn before it was
    assert not actor.core.of(Stalled)
    assert not actor.exit.done()
