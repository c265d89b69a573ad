"""The guards of the account with real processes: what is no loss, and what comes of a fall that nobody explains."""

from decimal import Decimal

from proto.orders import FlatnessTold
from proto.verdicts import EquityRead, FlowCounted, GuardTripped, KillLatched
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import Trader

TAKEN_OUT = Decimal(-300_000)  # of some 400,000, far beyond what either guard lets an account lose
GONE = Decimal(-30_000)  # of the rest: more than a day may lose
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


def test_a_crash_of_prices_with_the_executor_dead_ends_flat(mesh: TradingMesh, trader: Trader) -> None:
    """Prices are a thousandfold, and then what they were: the guards trip by the flattener's word, and that one closes.

    No strategy runs either. By the exchange's log the stop ends, then all is sold, within 15 s of the latch.
    Money that is taken out meanwhile is counted once the executor is there to tell of it.
    """
    owner = Owner(mesh)
    trader.enter_and_fill(BTC)
    before = mesh.written.by_risk(EquityRead)[-1].equity_quote
    mesh.kill("feed")
    fault = mesh.admin.fault(kind="wrong_price", price="thousandfold")
    mesh.start("feed")
    mesh.until(lambda: all(read.equity_quote > 2 * before for read in mesh.written.by_risk(EquityRead)[-2:]))
    mesh.kill("executor")
    mesh.admin.transfer(ACCOUNT, "USDT", str(GONE))
    mesh.admin.end_fault(fault)
    mesh.until(lambda: mesh.written.by_risk(GuardTripped))
    mesh.until(lambda: [one for one in mesh.written.by_flattener(FlatnessTold) if one.is_flat])
    trips = {trip.trip_id for trip in mesh.written.by_risk(GuardTripped)}
    assert owner.latch_id in trips
    assert mesh.written.by_flattener(FlatnessTold)[-1].flatten_id in trips
    owner.is_flat()
    assert {one.latch.latch_id for one in mesh.written.by_risk(KillLatched)} <= trips
    latch = mesh.written.by_risk(KillLatched)[0].latch
    assert owner.sold_at_ms(BTC) - latch.set_wall_ns // NS_PER_MS <= FLAT_WITHIN_MS
    mesh.start("executor")
    mesh.until(lambda: [flow for flow in mesh.written.by_risk(FlowCounted) if flow.worth_quote == GONE])
    mesh.until(owner.told_flat)
    owner.unlocked_before_sold(BTC)
    owner.cleared()
    trader.resume()
    trader.enter(BTC)
