"""Who makes no progress, in a mesh that the flattener watches: what is done about it, and what is left alone."""

from collections.abc import Iterator
from typing import Final

import pytest

from proto.fencing import RoleReturned, RoleTaken
from proto.intents import EnterBracket
from proto.orders import EntryOpened, ExitEnded, FlatnessTold
from proto.verdicts import Approval, EquityRead, IntentRefused
from tests.services.supervision.harness import eventually
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import NAME, SECOND_NS, TRIES_MAX, Trader, passes, pause

BTC, ETH, BNB, SOL = "BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT"
FROZEN_NS: Final = 10 * SECOND_NS  # the flattener acts for an executor that is silent for 15 s
HELD_MS: Final = 2_000
BARE_ORDERS_MAX: Final = 50


@pytest.fixture(scope="module")
def mesh() -> Iterator[TradingMesh]:
    """Run a mesh with a flattener; in the end the checker wants all to have ended."""
    with TradingMesh() as running:
        running.start("flattener")
        running.until(lambda: len(running.written.by_risk(EquityRead)) > 1)  # by then it has heard risk, too
        yield running
        running.judge("--settled")


@pytest.fixture(autouse=True)
def _sold_in_the_end(mesh: TradingMesh, trader: Trader) -> Iterator[None]:
    mesh.forget_deaths()
    yield
    mesh.heal()
    trader.settle()


def on_its_way(mesh: TradingMesh, trader: Trader, symbol: str) -> str:
    """Have an entry's order reach the exchange, whose answer does not come; return the order's parent."""
    when = {"account": ACCOUNT, "endpoint": "POST /api/v3/order", "symbol": symbol.replace("/", ""), "nth": [1]}
    late = mesh.admin.fault(kind="drop_reply", hold_ms=HELD_MS, when=when)
    approval = trader.enter(symbol)
    eventually(lambda: mesh.admin.fired(late))
    return approval.approval_id


def left_bare(mesh: TradingMesh, trader: Trader, symbol: str) -> str:
    """Have an entry filled, and freeze the executor whose stop was lost on its way; return the parent of the entry."""
    later = list(range(2, BARE_ORDERS_MAX))  # the first is the entry
    when = {"account": ACCOUNT, "endpoint": "POST /api/v3/order", "symbol": symbol.replace("/", ""), "nth": later}
    lost = mesh.admin.fault(kind="drop_request", when=when)
    approval = trader.enter(symbol)
    eventually(lambda: mesh.admin.fired(lost))
    mesh.freeze("executor")
    mesh.admin.end_fault(lost)
    return approval.approval_id


def approved_and_unheard(trader: Trader, symbol: str) -> tuple[EnterBracket, Approval]:
    """Ask for one entry after another until risk has written down that it approves one, and does not say so."""
    for _ in range(TRIES_MAX):
        wish = trader.wish(symbol)
        if trader.ask(wish) is None and (found := trader.approvals_of(wish)):
            return wish, found[0]
        pause()
    raise AssertionError(f"nothing was approved of {symbol}")


def test_risk_is_deadlocked(mesh: TradingMesh, trader: Trader) -> None:
    """Its core waits for ever while its connections stay open: the lease ends, exits work, and it is ended.

    It was about to hand out an approval. Nobody works that one later.
    """
    trader.enter_and_fill(ETH)
    exits, opened = len(mesh.written.by_executor(ExitEnded)), len(mesh.written.by_executor(EntryOpened))
    mesh.hang_at("risk", "recorded IntentJudged refusal=None")
    wish, approval = approved_and_unheard(trader, BTC)
    trader.leave((NAME, ETH))
    eventually(lambda: len(mesh.written.by_executor(ExitEnded)) > exits)
    mesh.died("risk")
    mesh.start("risk")
    answer = trader.ask_until_judged(wish)
    assert isinstance(answer, IntentRefused)
    assert (answer.rule, answer.value) == ("approval_used_in_time", approval.approval_id)
    assert len(mesh.written.by_executor(EntryOpened)) == opened
    trader.enter(BTC)
    assert not mesh.written.by_flattener(RoleTaken)


def test_executor_stands_still_for_ten_seconds_and_nobody_ends_it(mesh: TradingMesh, trader: Trader) -> None:
    """Risk is dead, the flattener has patience: it wakes up with an order in doubt, finds it, and covers it, once."""
    approval_id = on_its_way(mesh, trader, BNB)
    mesh.kill("risk")
    mesh.freeze("executor")
    passes(FROZEN_NS)
    mesh.thaw("executor")
    eventually(lambda: mesh.written.is_covered((NAME, BNB)))
    assert len(mesh.written.marks_of(approval_id)) == 1
    assert not mesh.written.by_flattener(RoleTaken)
    opened = len(mesh.written.by_executor(EntryOpened))
    assert trader.ask(trader.wish(SOL)) is None
    mesh.start("risk")
    trader.enter(SOL)
    assert len(mesh.written.by_executor(EntryOpened)) > opened


def test_executor_stands_still_with_something_bare(mesh: TradingMesh, trader: Trader) -> None:
    """Risk ends it, nobody starts it, and no stop rests: that symbol is closed, without a latch; the others stay."""
    trader.enter_and_fill(ETH)
    approval_id = left_bare(mesh, trader, SOL)
    mesh.died("executor")
    mesh.until(lambda: mesh.written.by_flattener(RoleReturned))
    (taken,) = mesh.written.by_flattener(RoleTaken)
    assert SOL in taken.reason
    assert mesh.written.by_flattener(FlatnessTold)[-1].is_flat
    assert Owner(mesh).latch_id is None
    mesh.start("executor")
    mesh.until(lambda: mesh.written.entry_ended(approval_id))
    assert len(mesh.written.marks_of(approval_id)) == 1
    assert mesh.written.is_covered((NAME, ETH))
    trader.enter(SOL)
