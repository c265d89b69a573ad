"""Orders whose answers prove nothing, on every symbol at once: what became of each in the end, and who knew it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

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


def cases_of_all() -> list[Case]:
    """Return every case there is: those the venue executes first, so that those it does not are waited for together."""
    executed = [Case(doubt.words, doubt.fault(executed=True), executed=True) for doubt in DOUBTS]
    ghosts = [Case(str(fault["kind"]), fault, executed=True) for fault in GHOSTS]
    absent = [Case(doubt.words, doubt.fault(executed=False), executed=False) for doubt in DOUBTS]
    return [*executed, *ghosts, *absent]


def resolved(mesh: TradingMesh, trader: Trader, cases: Sequence[Case]) -> None:
    """Let each case strike an entry, as many at once as there are symbols, and see each end as it should."""
    for start in range(0, len(cases), len(SYMBOLS)):
        together = dict(zip(SYMBOLS, cases[start : start + len(SYMBOLS)], strict=False))
        struck = {symbol: _struck(mesh, trader, symbol, case) for symbol, case in together.items()}
        for symbol, case in together.items():
            _ended(mesh, case, struck[symbol])
        trader.settle()


def _struck(mesh: TradingMesh, trader: Trader, symbol: str, case: Case) -> Approval:
    """Enter under a fault that strikes the order of the entry and no other."""
    when = {"account": ACCOUNT, "endpoint": ORDERS, "symbol": symbol.replace("/", ""), "nth": [1]}
    mesh.admin.fault(**case.fault, when=when)
    return trader.enter(symbol)


def _ended(mesh: TradingMesh, case: Case, approval: Approval) -> None:
    """See the one order of an entry be found and covered, or proved absent, and the venue say the same."""
    eventually(lambda: mesh.written.entry_ended(approval.approval_id))
    (mark,) = mesh.written.marks_of(approval.approval_id)
    ended = mesh.written.ending_of(mark.order.client_order_id)
    assert ended is not None, case
    orders = mesh.admin.orders(ACCOUNT, approval.symbol.replace("/", ""))
    there = [order for order in orders if order["client_id"] == mark.order.client_order_id]
    if case.executed:
        assert (ended.ending, ended.executed_quantity, len(there)) == ("filled", mark.quantity, 1), case
        eventually(lambda: mesh.written.is_covered((NAME, approval.symbol)))
    else:
        assert (ended.ending in {"absent", "rejected"}, there) == (True, []), (case, ended)
