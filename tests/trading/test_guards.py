"""The guards of the account with real processes: money that is taken out is counted, and is no loss."""

from decimal import Decimal

from proto.verdicts import EquityRead, FlowCounted, GuardTripped
from tests.trading.mesh import ACCOUNT, TradingMesh

TAKEN_OUT = Decimal(-300_000)  # of some 400,000, far beyond what either guard lets an account lose


def test_money_taken_out_trips_nothing(mesh: TradingMesh) -> None:
    """By the flattener's readings and the executor's books: read, told, counted once, and the marks moved with it."""
    mesh.start("flattener")
    mesh.until(lambda: len(mesh.written.by_risk(EquityRead)) > 1)
    mesh.admin.transfer(ACCOUNT, "USDT", str(TAKEN_OUT))

    def is_settled() -> bool:
        reads = mesh.written.by_risk(EquityRead)[-2:]
        return all(read.equity_quote < -TAKEN_OUT and read.executor_equity_quote is not None for read in reads)

    mesh.until(is_settled)
    assert [flow.worth_quote for flow in mesh.written.by_risk(FlowCounted)] == [TAKEN_OUT]
    assert not mesh.written.by_risk(GuardTripped)
