"""The guards of the account with real processes: what is no loss, and what comes of a fall that nobody explains."""

from decimal import Decimal

from proto.orders import FlatnessTold
from proto.verdicts import EquityRead, FlowCounted, GuardTripped, KillLatched
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import Trader

TAKEN_OUT = Decimal(-300_000)  # of some 400,000, far beyond what either guard lets an account lose
GONE = Decimal(-30_000)  # of the rest: more than a day may lose, and less than the fall from the peak
BTC = "BTC/USDT"
NS_PER_MS = 1_000_000
FLAT_WITHIN_MS = 15_000


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


def test_a_fall_with_the_executor_dead_ends_flat(mesh: TradingMesh, trader: Trader) -> None:
    """Nobody says what became of the money, and no strategy runs: the guard trips by the flattener's readings alone.

    That one closes: by the exchange's log the stop ends, then all is sold, within 15 s of the latch.
    """
    owner = Owner(mesh)
    trader.enter_and_fill(BTC)
    mesh.kill("executor")
    mesh.admin.transfer(ACCOUNT, "USDT", str(GONE))
    mesh.until(lambda: mesh.written.by_risk(GuardTripped))
    trip = mesh.written.by_risk(GuardTripped)[-1]
    mesh.until(lambda: [one for one in mesh.written.by_flattener(FlatnessTold) if one.is_flat])
    assert mesh.written.by_flattener(FlatnessTold)[-1].flatten_id == trip.trip_id == owner.latch_id
    owner.is_flat()
    latch = mesh.written.by_risk(KillLatched)[-1].latch
    assert owner.sold_at_ms(BTC) - latch.set_wall_ns // NS_PER_MS <= FLAT_WITHIN_MS
    assert [one.latch.latch_id for one in mesh.written.by_risk(KillLatched)] == [trip.trip_id]
    mesh.start("executor")
    mesh.until(owner.told_flat)
    owner.unlocked_before_sold(BTC)
    owner.cleared()
    trader.enter(BTC)
