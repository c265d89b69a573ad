"""Orders whose answers prove nothing, on every symbol at once: what became of each in the end, and who knew it.

The stream tells nothing of an order that the venue executes, or it would often be faster than the doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from proto.orders import OrderDoubted
from proto.verdicts import Approval
from tests.services.supervision.harness import eventually
from tests.trading.doubts import DOUBTS, GHOSTS
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.project import SYMBOLS
from tests.trading.trader import NAME, Trader

ORDERS: Final = "POST /api/v3/order"


@dataclass(frozen=True)
class Case:
    """A fault that strikes one order, and whether the venue carries that out."""

    words: str
    fault: dict[str, Any]
    executed: bool

    @property
    def is_doubted(self) -> bool:
        """Whether the answer leaves a doubt: one that arrives late, and is executed, is answered as it should be."""
        return not (self.executed and self.fault["kind"] == "late_arrival")


EXECUTED: Final = [Case(doubt.words, doubt.fault(executed=True), executed=True) for doubt in DOUBTS]
UNTOLD: Final = [Case(str(fault["kind"]), fault, executed=True) for fault in GHOSTS]
ABSENT: Final = [Case(doubt.words, doubt.fault(executed=False), executed=False) for doubt in DOUBTS]


def cases_of_all() -> list[Case]:
    """Return every case there is: those the venue executes first, so that those it does not are waited for together."""
    return [*EXECUTED, *UNTOLD, *ABSENT]


def resolved(mesh: TradingMesh, trader: Trader, cases: Sequence[Case]) -> None:
    """Let each case strike an entry, as many at once as there are symbols, and see each end as it should."""
    for start in range(0, len(cases), len(SYMBOLS)):
        together = dict(zip(SYMBOLS, cases[start : start + len(SYMBOLS)], strict=False))
        unheard = [_unheard(mesh, symbol) for symbol, case in together.items() if case.executed]
        struck = {symbol: _struck(mesh, trader, symbol, case) for symbol, case in together.items()}
        for symbol, case in together.items():
            fault, approval = struck[symbol]
            _ended(mesh, case, approval)
            assert mesh.admin.fired(fault) == 1, case
        for fault in unheard:
            mesh.admin.end_fault(fault)
        trader.settle()


def _unheard(mesh: TradingMesh, symbol: str) -> str:
    """Let the stream lose what it has to tell of the orders of a symbol."""
    return mesh.admin.fault(kind="report_lost", when={"account": ACCOUNT, "symbol": symbol.replace("/", "")})


def _struck(mesh: TradingMesh, trader: Trader, symbol: str, case: Case) -> tuple[str, Approval]:
    """Enter under a fault that strikes the order of the entry and no other."""
    when = {"account": ACCOUNT, "endpoint": ORDERS, "symbol": symbol.replace("/", ""), "nth": [1]}
    fault = mesh.admin.fault(**case.fault, when=when)
    return fault, trader.enter(symbol)


def _ended(mesh: TradingMesh, case: Case, approval: Approval) -> None:
    """See the one order of an entry be found and covered, or proved absent, and the venue say the same."""
    eventually(lambda: mesh.written.entry_ended(approval.approval_id))
    (mark,) = mesh.written.marks_of(approval.approval_id)
    ended = mesh.written.ending_of(mark.order.client_order_id)
    assert ended is not None, case
    doubted = {one.order for one in mesh.written.by_executor(OrderDoubted)}
    assert (mark.order in doubted) == case.is_doubted, case
    orders = mesh.admin.orders(ACCOUNT, approval.symbol.replace("/", ""))
    there = [order for order in orders if order["client_id"] == mark.order.client_order_id]
    if case.executed:
        assert (ended.ending, ended.executed_quantity, len(there)) == ("filled", mark.quantity, 1), case
        eventually(lambda: mesh.written.is_covered((NAME, approval.symbol)))
    else:
        assert (ended.ending in {"absent", "rejected"}, there) == (True, []), (case, ended)
