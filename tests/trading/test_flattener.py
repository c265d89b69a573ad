"""The executor is dead or stands still, nobody starts it, and the latch stands: the flattener closes what it holds."""

import io
from decimal import Decimal
from typing import Final

from proto.control import ControlDone, Kill
from proto.fencing import RoleReturned
from proto.orders import FlatnessTold
from proto.risk import Latch
from services.control import clear_kill, flatten
from shared.mesh.halt_file import HaltFile
from shared.mesh.verb import Streams
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.trader import Trader

BESIDE: Final = ("flattener",)
BTC: Final = "BTC/USDT"
ETH: Final = "ETH/USDT"
MARKET: Final = "BTCUSDT"
CRUMBS: Final = Decimal("0.001")  # of fees that were taken in coins: less than a step


def left(mesh: TradingMesh) -> Decimal:
    """Return how much more is bought than sold, by the exchange's own word, where nothing rests any more."""
    orders = mesh.admin.orders(ACCOUNT, MARKET)
    assert not [order for order in orders if order["status"] in {"NEW", "PARTIALLY_FILLED"}], orders
    signed = (Decimal(order["filled"]) * (-1 if order["side"] == "SELL" else 1) for order in orders)
    return sum(signed, Decimal(0))


def closed_by_flattener(mesh: TradingMesh) -> None:
    """Wait until the flattener has given the role back, and hold that nothing is left by the exchange's word."""
    returned = len(mesh.written.by_flattener(RoleReturned))
    mesh.until(lambda: len(mesh.written.by_flattener(RoleReturned)) > returned)
    assert mesh.written.by_flattener(FlatnessTold)[-1].is_flat
    assert Decimal(0) <= left(mesh) < CRUMBS


def clear(mesh: TradingMesh, latch_id: str) -> None:
    """Clear the latch as a person does, once the executor is there again."""
    output = io.StringIO()
    words = ["looked at it", "--yes", latch_id, "--root", str(mesh.root)]
    code = clear_kill.run(words, environment={}, streams=Streams(output, output), ask=lambda _: None)
    assert code == 0, output.getvalue()


def test_dead_executors_position_is_closed(mesh: TradingMesh, trader: Trader) -> None:
    """Killed as risk is, with nobody to start them: the file alone is enough. The executor's next life adopts all."""
    trader.enter_and_fill(BTC)
    mesh.kill("risk")
    mesh.kill("executor")
    latch = Latch("kill-by-hand", "ada", "a test", 1)
    HaltFile(mesh.root / "var").make(latch)
    closed_by_flattener(mesh)
    mesh.start("risk")
    mesh.start("executor")
    mesh.until(lambda: [one for one in mesh.written.by_executor(FlatnessTold) if one.flatten_id == latch.latch_id])
    clear(mesh, latch.latch_id)


def test_frozen_executors_position_is_closed(mesh: TradingMesh, trader: Trader) -> None:
    """It stands still, and is killed for it; the flattener dies of what it sent, and its next life finds out."""
    trader.enter_and_fill(BTC)
    mesh.freeze("executor")
    mesh.die_at("flattener", "brings OrderSent outcome=Acknowledged")
    answer = mesh.asker.answered("operator", "flattener", "control", Kill(actor="ada", reason="a test"))
    assert isinstance(answer, ControlDone)
    mesh.died("flattener")
    mesh.died("executor")
    mesh.start("flattener")
    closed_by_flattener(mesh)
    mesh.start("executor")
    latch = HaltFile(mesh.root / "var").latch()
    assert latch is not None
    clear(mesh, latch.latch_id)


def test_flatten_is_done_by_whoever_answers(mesh: TradingMesh, trader: Trader) -> None:
    """With the executor dead the verb asks the flattener, which closes the symbol and no other, and leaves no latch."""
    mesh.forget_deaths()
    trader.enter_and_fill(ETH)
    trader.enter_and_fill(BTC)
    mesh.kill("executor")
    output = io.StringIO()
    words = ["--root", str(mesh.root), "--wait", "60", BTC, "no executor"]
    code = flatten.run(words, environment={}, streams=Streams(output, output))
    silent, taken, *told = output.getvalue().splitlines()
    assert (code, silent.startswith("executor does not answer")) == (0, True), output.getvalue()
    assert taken.startswith("flattener: ")
    assert told[-1].startswith("FLAT, says flattener")
    assert Decimal(0) <= left(mesh) < CRUMBS
    assert not (mesh.root / "var/HALT").exists()
    (stop,) = [order for order in mesh.admin.orders(ACCOUNT, "ETHUSDT") if order["status"] == "NEW"]
    assert stop["side"] == "SELL"
    mesh.start("executor")
    trader.enter_and_fill(BTC)
