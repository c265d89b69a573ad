"""Risk and executor run, and do not hear each other: in one direction, in the other, in both."""

from collections.abc import Iterator
from itertools import cycle
from typing import Final

import pytest
from msgspec.structs import replace

from proto.orders import EntryOpened, ExitEnded, SendMarked
from proto.verdicts import Approval, ApprovalDeclined, HolderRetired, IntentRefused
from shared.mesh.clock import SystemClock
from tests.services.supervision.harness import eventually
from tests.trading.line import ENDS, End, Line
from tests.trading.mesh import TradingMesh
from tests.trading.trader import NAME, SECOND_NS, Trader, pause

BTC, ETH, BNB, SOL = "BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT"
LEASE_NS: Final = 2 * SECOND_NS
TO_EXECUTOR: Final[tuple[End, End]] = ("risk", "executor")  # who speaks, and who does not hear it
TO_RISK: Final[tuple[End, End]] = ("executor", "risk")


@pytest.fixture(scope="module")
def wired() -> Iterator[tuple[TradingMesh, Line]]:
    """Run a mesh whose risk and executor speak over a line; in the end the checker wants all to have ended."""
    mesh = TradingMesh()
    with Line(mesh.root / "var/run") as line:
        for end in ENDS:
            mesh.project.set_endpoints(end, line.endpoints(end))
        with mesh:
            yield mesh, line
            Trader(mesh).settle()
            mesh.judge("--settled")


@pytest.fixture(scope="module")
def mesh(wired: tuple[TradingMesh, Line]) -> TradingMesh:
    """Return the mesh."""
    return wired[0]


@pytest.fixture(scope="module")
def line(wired: tuple[TradingMesh, Line]) -> Line:
    """Return the line between the two."""
    return wired[1]


@pytest.fixture(autouse=True)
def _whole_in_the_end(mesh: TradingMesh, line: Line) -> Iterator[None]:
    mesh.forget_deaths()
    yield
    line.mend()


def entered_in_time(mesh: TradingMesh, trader: Trader, cut_ns: int, before: Approval) -> None:
    """Ask for entries until any lease is over, and hold that none is sent after that.

    Risk approves none for an executor that it does not hear, and tells none to one that does not hear it. So that the
    executor has one to decline, it is handed one in risk's name, past the line: such as the one before.
    """
    clock, symbols = SystemClock(), cycle((BTC, BNB))
    while clock.boot_ns() < cut_ns + LEASE_NS:
        trader.try_to_enter(next(symbols))
        pause()
    names = {"approval_id": f"late {cut_ns}", "intent_id": f"late {cut_ns}"}
    late = replace(before, **names, start_by_boot_ns=clock.boot_ns() + LEASE_NS)
    answer = mesh.asker.ask("risk", "executor", "approvals", late)
    if mesh.is_alive("executor"):  # on a slow machine risk has ended it by now
        assert isinstance(answer, ApprovalDeclined), answer
        assert answer.rule == "lease_is_fresh", answer
    assert entries_since(mesh, cut_ns + LEASE_NS) == []


def entries_since(mesh: TradingMesh, boot_ns: int) -> list[str]:
    """Return the orders of entries that were written down, and so may have left, after a moment."""
    marks = ((one.sent_boot_ns, one.body) for one in mesh.written.records() if isinstance(one.body, SendMarked))
    return [mark.order.client_order_id for at, mark in marks if at > boot_ns and mark.order.purpose == "entry"]


def leaves(mesh: TradingMesh, trader: Trader, symbol: str) -> None:
    """Have a position sold."""
    exits = len(mesh.written.by_executor(ExitEnded))
    assert trader.leave((NAME, symbol))
    eventually(lambda: len(mesh.written.by_executor(ExitEnded)) > exits)


def test_risk_is_not_heard(mesh: TradingMesh, trader: Trader, line: Line) -> None:
    """Its answers are lost, so the lease is: no entry is sent after two seconds, and what is held is sold."""
    approval = trader.enter_and_fill(ETH)
    cut_ns = SystemClock().boot_ns()
    line.cut(TO_EXECUTOR)
    entered_in_time(mesh, trader, cut_ns, approval)
    leaves(mesh, trader, ETH)
    assert entries_since(mesh, cut_ns + LEASE_NS) == []
    line.mend()
    if not mesh.is_alive("executor"):  # on a slow machine it was silent to risk for long enough to be ended
        mesh.start("executor")
    trader.enter(ETH)


@pytest.mark.parametrize("directions", [(TO_RISK,), (TO_RISK, TO_EXECUTOR)], ids=["one way", "both ways"])
def test_executor_is_not_heard(
    mesh: TradingMesh, trader: Trader, line: Line, directions: tuple[tuple[End, End], ...]
) -> None:
    """Risk ends it, once; its next life never has a lease, sells what it is told to, and enters when it has one."""
    approval = trader.enter_and_fill(SOL)
    ended, cut_ns = len(mesh.written.by_risk(HolderRetired)), SystemClock().boot_ns()
    line.cut(*directions)
    entered_in_time(mesh, trader, cut_ns, approval)
    mesh.died("executor")
    assert entries_since(mesh, cut_ns + LEASE_NS) == []
    opened = len(mesh.written.by_executor(EntryOpened))
    mesh.start("executor")
    leaves(mesh, trader, SOL)
    answer = trader.ask(trader.wish(ETH))
    assert isinstance(answer, IntentRefused), answer
    assert opened == len(mesh.written.by_executor(EntryOpened))
    assert len(mesh.written.by_risk(HolderRetired)) == ended + 1
    line.mend()
    trader.enter(SOL)
