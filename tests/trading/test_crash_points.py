"""Executor and risk killed between any two steps of an order: what the venue has then, and what the next life does.

The numbers are those of the catalogue of faults in docs/chaos.md.
"""

from dataclasses import dataclass
from typing import Final, Literal

import pytest

from proto.orders import ConditionCleared, ExitEnded, OrderAcknowledged, OrderFilled, SendMarked
from proto.verdicts import Approval, EntriesResumed, IntentApproved, IntentRefused
from tests.services.supervision.harness import eventually
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.trader import NAME, Trader

SYMBOL: Final = "BTC/USDT"
PLACE: Final = (NAME, SYMBOL)
HELD_MS: Final = 20_000


@dataclass(frozen=True)
class AtEntry:
    """A place to die at while an entry is worked."""

    number: str
    dies_at: str
    written: Literal["nothing", "a mark", "an acknowledgement", "a trade"]  # of the entry's order, by then
    is_at_venue: bool
    symbol: str


ENTRIES: Final = (
    AtEntry("5", "reports EntryOpened", "nothing", is_at_venue=False, symbol="BNB/USDT"),
    AtEntry("6", "performs SendOrder side=buy", "a mark", is_at_venue=False, symbol="SOL/USDT"),
    AtEntry("8", "brings OrderSent|OrderTold", "a mark", is_at_venue=True, symbol="BTC/USDT"),
    AtEntry(
        "9", "recorded OrderAcknowledged order.purpose=entry", "an acknowledgement", is_at_venue=True, symbol="ETH/USDT"
    ),
    AtEntry("10", "recorded OrderFilled order.purpose=entry", "a trade", is_at_venue=True, symbol="BNB/USDT"),
    AtEntry("11", "reports SendMarked order.purpose=cover", "a trade", is_at_venue=True, symbol="SOL/USDT"),
    AtEntry("11, a moment later", "performs SendOrder side=sell", "a trade", is_at_venue=True, symbol="ETH/USDT"),
)


@pytest.fixture(autouse=True)
def _few_deaths(mesh: TradingMesh) -> None:
    mesh.forget_deaths()


def test_ordinary_crash_needs_nobody(mesh: TradingMesh) -> None:
    """Killed and started again, executor and risk go on to enter, and no operator has lifted anything."""
    alone = Trader(mesh, is_alone=True)
    alone.enter_and_fill("SOL/USDT")
    for instance, symbol in (("executor", "ETH/USDT"), ("risk", SYMBOL)):
        mesh.kill(instance)
        mesh.start(instance)
        alone.enter_and_fill(symbol)
    assert not mesh.written.by_risk(EntriesResumed)
    assert not mesh.written.by_executor(ConditionCleared)


@pytest.mark.parametrize("point", ENTRIES, ids=lambda point: f"{point.number}: {point.dies_at}")
def test_executor_dies_at_an_entry(mesh: TradingMesh, trader: Trader, point: AtEntry) -> None:
    """Whatever it was about to do, the order is there once or not at all, the entry ends, what it bought is covered."""
    if (NAME, point.symbol) in mesh.written.to_leave():
        trader.settle()
    approval = trader.dies_entering(point.symbol, point.dies_at)
    assert written_of(mesh, approval) == point.written
    assert at_venue(mesh, approval) == point.is_at_venue
    mesh.start("executor")
    if point.written == "nothing":
        eventually(lambda: trader.is_free(approval))
        return
    eventually(lambda: mesh.written.entry_ended(approval.approval_id))
    (mark,) = mesh.written.marks_of(approval.approval_id)
    ended = mesh.written.ending_of(mark.order.client_order_id)
    assert ended is not None
    assert ended.ending == ("filled" if point.is_at_venue else "absent")
    if point.is_at_venue:
        eventually(lambda: mesh.written.is_covered((NAME, point.symbol)))


def test_executor_dies_while_the_answer_is_on_its_way(mesh: TradingMesh, trader: Trader) -> None:
    """Seven: the bytes left, the venue filled the order, and nobody was there to hear it: the next life finds it."""
    symbol = SYMBOL.replace("/", "")
    when = {"account": ACCOUNT, "endpoint": "POST /api/v3/order", "symbol": symbol, "nth": [1]}
    fault = mesh.admin.fault(kind="drop_reply", hold_ms=HELD_MS, when=when)
    approval = trader.enter(SYMBOL)
    eventually(lambda: mesh.admin.fired(fault))
    mesh.kill("executor")
    mesh.admin.end_faults()
    assert written_of(mesh, approval) in {"a mark", "an acknowledgement", "a trade"}  # the stream may be faster
    mesh.start("executor")
    eventually(lambda: mesh.written.is_covered(PLACE))


CANCELS: Final = {
    "12, before the cancellation leaves": "performs CancelOrder",
    "12": "brings CancelSent",
    "13": "recorded OrderEnded order.purpose=cover",
}


@pytest.mark.parametrize("dies_at", CANCELS.values(), ids=CANCELS.keys())
def test_executor_dies_at_an_exit(mesh: TradingMesh, trader: Trader, dies_at: str) -> None:
    """The stop is seen to have ended before the rest is sold, in whichever life, and no more is sold than there is."""
    trader.enter_and_fill(SYMBOL)
    mesh.die_at("executor", dies_at)
    trader.leave(PLACE)
    mesh.died("executor")
    exits = len(mesh.written.by_executor(ExitEnded))
    mesh.start("executor")
    mesh.until(lambda: len(mesh.written.by_executor(ExitEnded)) > exits)


def test_risk_dies_before_its_approval_is_written_down(mesh: TradingMesh, trader: Trader) -> None:
    """Three: there is no approval then; asked again under the same id, the next life gives the one verdict there is."""
    trader.enter_and_fill(SYMBOL)
    wish = trader.wish(SYMBOL)
    mesh.die_at("risk", "reports IntentJudged refusal=None")
    assert trader.ask(wish) is None
    mesh.died("risk")
    assert trader.approvals_of(wish) == []
    mesh.start("risk")
    answer = trader.ask_until_judged(wish)
    assert len(trader.approvals_of(wish)) == isinstance(answer, IntentApproved)


def test_risk_dies_before_it_answers(mesh: TradingMesh, trader: Trader) -> None:
    """Four: the approval that was written down is the only one, however often it is asked for."""
    trader.enter_and_fill(SYMBOL)
    wish = trader.wish(SYMBOL)
    mesh.die_at("risk", "recorded IntentJudged refusal=None")
    assert trader.ask(wish) is None
    mesh.died("risk")
    approval = trader.approval_of(wish)
    mesh.start("risk")
    answer = trader.ask(wish)
    if isinstance(answer, IntentRefused):
        assert (answer.rule, answer.value) == ("approval_used_in_time", approval.approval_id)
    assert trader.approvals_of(wish) == [approval]
    eventually(lambda: trader.is_free(approval))


def written_of(mesh: TradingMesh, approval: Approval) -> str:
    """Return how far the order of an entry came in the journal."""
    known = "nothing"
    for record in mesh.written.records():
        match record.body:
            case SendMarked(order=order) if order.parent_id == approval.approval_id:
                known = "a mark"
            case OrderAcknowledged(order=order) if order.parent_id == approval.approval_id:
                known = "an acknowledgement"
            case OrderFilled(order=order) if order.parent_id == approval.approval_id:
                known = "a trade"
            case _:
                pass
    return known


def at_venue(mesh: TradingMesh, approval: Approval) -> bool:
    """Tell whether the venue has the order of an entry."""
    marks = mesh.written.marks_of(approval.approval_id)
    orders = mesh.admin.orders(ACCOUNT, approval.symbol.replace("/", ""))
    return any(order["client_id"] == mark.order.client_order_id for mark in marks for order in orders)
