"""What shall be flat, and the exchange refuses to sell it: who has it in hand goes on, says why, and keeps his role."""

from typing import Final

import pytest

from proto.control import ControlDone, Flatten
from proto.fencing import RoleReturned, RoleTaken
from proto.orders import EntryOpened, FlatnessTold
from tests.trading.mesh import TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import Trader

BESIDE: Final = ("flattener",)
BTC, ETH, SOL = "BTC/USDT", "ETH/USDT", "SOL/USDT"
TOO_SMALL: Final = {"kind": "venue_error", "code": -1013, "message": "Filter failure: NOTIONAL", "executed": False}
ORDERS_OF_ETH: Final = {"endpoint": "POST /api/v3/order", "symbol": "ETHUSDT"}
FOR_A_WHILE: Final = {"until": "+15s"}


@pytest.fixture
def owner(mesh: TradingMesh) -> Owner:
    """Return the owner of the money."""
    return Owner(mesh)


def why_not(mesh: TradingMesh, flatten_id: str) -> list[str]:
    """Return the reasons of each NOT FLAT that the executor has told of a flatten."""
    told = [one for one in mesh.written.by_executor(FlatnessTold) if one.flatten_id == flatten_id]
    return [one.reason for one in told if not one.is_flat]


def flatten(owner: Owner, symbol: str) -> str:
    """Ask the executor to close a symbol, and return the name of that."""
    answer = owner.ask("executor", Flatten("ada", "out of it", symbol))
    assert isinstance(answer, ControlDone), answer
    return answer.summary.split()[-1]


def test_executor_goes_on_and_is_let(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """A halted market, an order that is too small, a ban of our address: NOT FLAT, why, and again after half a minute.

    The flattener would act for an executor that takes no step and says nothing: this one does all that can be done.
    """
    for symbol in (BTC, ETH, SOL):
        trader.enter_and_fill(symbol)
    mesh.admin.fault(kind="halt", symbol="BTCUSDT")
    mesh.admin.fault(**TOO_SMALL, when=ORDERS_OF_ETH)
    halted, too_small = flatten(owner, BTC), flatten(owner, ETH)
    mesh.until(lambda: why_not(mesh, halted) and why_not(mesh, too_small))
    mesh.admin.fault(kind="banned", when=FOR_A_WHILE)
    banned = flatten(owner, SOL)
    mesh.until(lambda: why_not(mesh, banned))
    assert "BTC/USDT of trader: its order is rejected: Market is closed" in why_not(mesh, halted)[0]
    assert "ETH/USDT of trader: its order is rejected: Filter failure: NOTIONAL" in why_not(mesh, too_small)[0]
    assert "the venue takes no orders for a while" in why_not(mesh, banned)[0]
    owner.touch()
    latch_id = owner.latch_id
    mesh.until(lambda: len(why_not(mesh, str(latch_id))) > 1)
    mesh.admin.end_faults()
    mesh.until(owner.told_flat)
    owner.is_flat()
    assert latch_id == owner.latch_id
    assert not mesh.written.by_flattener(RoleTaken)
    owner.cleared()


def test_executor_comes_back_while_the_flattener_has_its_role(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """It stands by until the role is free, adopts what was done in its name, and trades on."""
    trader.enter_and_fill(BTC)
    halt = mesh.admin.fault(kind="halt", symbol="BTCUSDT")
    mesh.kill("executor")
    owner.touch()
    mesh.until(lambda: len(mesh.written.by_flattener(RoleTaken)) > len(mesh.written.by_flattener(RoleReturned)))
    mesh.begin("executor")
    mesh.said("executor", "standing by")
    mesh.until(lambda: not mesh.written.by_flattener(FlatnessTold)[-1].is_flat)
    code, said = owner.resume()
    assert (code, "flattener: nothing is done, the kill latch is cleared at risk" in said) == (1, True), said
    assert not mesh.has_said("executor", "running")
    assert not mesh.written.by_flattener(RoleReturned)
    begun = len(mesh.written.by_executor(EntryOpened))
    mesh.admin.end_fault(halt)
    mesh.until(lambda: mesh.written.by_flattener(RoleReturned))
    mesh.said("executor", "running")
    mesh.until(owner.told_flat)
    owner.is_flat()
    owner.unlocked_before_sold(BTC)
    assert begun == len(mesh.written.by_executor(EntryOpened))
    owner.cleared()
    trader.enter(BTC)
