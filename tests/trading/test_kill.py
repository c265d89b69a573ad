"""The kill switch, with real processes: by each way to press it, with whoever dead, and the way back."""

from collections.abc import Iterator
from typing import Final

import pytest

from proto.orders import ConditionCleared, EntryOpened, FlatnessTold
from proto.verdicts import IntentRefused, KillCleared, KillLatched
from tests.services.supervision.harness import eventually
from tests.trading.mesh import TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import Trader

BTC, ETH, SOL = "BTC/USDT", "ETH/USDT", "SOL/USDT"
PERMISSION: Final = "permission_is_run"


@pytest.fixture
def owner(mesh: TradingMesh) -> Owner:
    """Return the owner of the money."""
    return Owner(mesh)


@pytest.fixture(autouse=True)
def _nothing_else_dies(mesh: TradingMesh) -> Iterator[None]:
    mesh.forget_deaths()
    yield
    assert not (mesh.root / "var/HALT").exists(), "each test ends as it began"


def refused_by(trader: Trader, symbol: str) -> str:
    """Ask for an entry, and return by which rule there is none."""
    answer = trader.ask_until_judged(trader.wish(symbol))
    return answer.rule if isinstance(answer, IntentRefused) else ""


def entries(mesh: TradingMesh) -> int:
    """Return how many entries were begun."""
    return len(mesh.written.by_executor(EntryOpened))


def test_the_verb_closes_everything_and_the_way_back(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """Two positions and their stops: cancelled, sold, read back. Pressed anew it is one more; cleared, all goes on."""
    trader.enter_and_fill(BTC)
    trader.enter_and_fill(ETH)
    code, said = owner.kill("too wild")
    assert (code, "\nFLAT, says executor" in said) == (0, True), said
    owner.is_flat()
    owner.unlocked_before_sold(BTC)
    owner.unlocked_before_sold(ETH)
    first = owner.latch_id
    code, said = owner.kill("again")
    second = owner.latch_id
    assert (code, second != first, "\none stood already, for " in said) == (0, True, True), said
    begun = entries(mesh)
    assert refused_by(trader, BTC) == PERMISSION
    assert [one.latch.latch_id for one in mesh.written.by_risk(KillLatched)] == [first, second]
    owner.cleared()
    trader.enter(BTC)
    assert entries(mesh) > begun


@pytest.mark.parametrize("channel", ["a hand", "risk"])
def test_every_other_way_to_press_it(mesh: TradingMesh, trader: Trader, owner: Owner, channel: str) -> None:
    """A touched file has no name; a socket has no file at first, and whoever hears of it makes one."""
    trader.enter_and_fill(SOL)
    if channel == "a hand":
        owner.touch()
    else:
        owner.press("risk", "by its socket")
    eventually(owner.told_flat)
    owner.is_flat()
    owner.unlocked_before_sold(SOL)
    eventually(lambda: mesh.written.by_risk(KillLatched)[-1].latch.latch_id == owner.latch_id)
    owner.cleared()


def test_with_risk_dead(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """The executor takes it at its own socket, makes the file, and is flat; only risk ends it, once it lives again."""
    trader.enter_and_fill(ETH)
    mesh.kill("risk")
    owner.press("executor", "nobody else is there")
    eventually(owner.told_flat)
    owner.is_flat()
    code, said = owner.clear()
    assert (code, "risk does not answer" in said) == (1, True), said
    mesh.start("risk")
    eventually(lambda: mesh.written.by_risk(KillLatched)[-1].latch.latch_id == owner.latch_id)
    owner.cleared()
    trader.enter(ETH)


def test_pressed_while_the_executor_is_dead(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """The file waits for its next life, which closes before it does anything else."""
    trader.enter_and_fill(BTC)
    mesh.kill("executor")
    code, said = owner.kill("it died", wait_s="0")
    assert (code, "executor does not answer" in said) == (1, True), said
    begun = entries(mesh)
    mesh.start("executor")
    eventually(owner.told_flat)
    owner.is_flat()
    assert entries(mesh) == begun
    owner.cleared()


def test_what_the_exchange_refuses_is_not_flat_over_all_deaths(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """A halted market: NOT FLAT, and why. Everything dies, and the latch stands; when it opens again all is sold."""
    trader.enter_and_fill(ETH)
    halt = mesh.admin.fault(kind="halt", symbol="ETHUSDT")
    code, said = owner.kill("get out", wait_s="3")
    assert code == 1, said
    eventually(lambda: _not_flat(mesh, owner))
    latch_id = owner.latch_id
    mesh.kill("executor")
    mesh.kill("risk")
    mesh.start("risk")
    mesh.start("executor")
    assert owner.latch_id == latch_id
    assert refused_by(trader, BTC) == PERMISSION
    assert not owner.told_flat()
    mesh.admin.end_fault(halt)
    eventually(owner.told_flat)
    owner.is_flat()
    owner.cleared()


def _not_flat(mesh: TradingMesh, owner: Owner) -> bool:
    told = [one for one in mesh.written.by_executor(FlatnessTold) if one.flatten_id == owner.latch_id]
    return bool(told) and not told[-1].is_flat


def test_pressed_while_everybody_boots(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """Neither can be asked yet: the file counts, and what they begin with is the end of what is held."""
    trader.enter_and_fill(SOL)
    for instance in ("executor", "risk"):
        mesh.kill(instance)
    begun = entries(mesh)
    for instance in ("executor", "risk"):
        mesh.begin(instance)
    owner.touch()
    assert not [instance for instance in ("executor", "risk") if mesh.has_said(instance, "running")]
    eventually(owner.told_flat)
    owner.is_flat()
    owner.unlocked_before_sold(SOL)
    eventually(lambda: owner.latch_id in {one.latch.latch_id for one in mesh.written.by_risk(KillLatched)})
    assert entries(mesh) == begun
    owner.cleared()


# Who dies at which step of a clear, in their order. All but the last find the file there.
STEPS_OF_A_CLEAR: Final = (
    ("risk", "recorded KillCleared"),
    ("executor", "reports ConditionCleared name=kill_latch"),
    ("executor", "recorded ConditionCleared name=kill_latch"),
    ("risk", "answered ControlDone"),
    ("risk", "wants RemoveHalt"),
    ("risk", "sees HaltSeen latch=None"),
)


def test_a_clear_goes_on_wherever_it_was_killed(mesh: TradingMesh, trader: Trader, owner: Owner) -> None:
    """Before it is written down it is none; from there on it needs nobody any more, and nothing passes before its end.

    Whoever is killed at a step, the next one to die is told so before that one is started again.
    """
    owner.touch()
    eventually(owner.told_flat)
    latch_id, begun = owner.latch_id, entries(mesh)
    mesh.die_at("risk", "reports KillCleared")
    owner.clear(wait_s="0")
    mesh.died("risk")
    mesh.start("risk")
    assert refused_by(trader, SOL) == PERMISSION
    assert latch_id not in {clear.latch_id for clear in mesh.written.by_risk(KillCleared)}
    dies, place = STEPS_OF_A_CLEAR[0]
    mesh.die_at(dies, place)
    owner.clear(wait_s="0")
    for after, next_place in STEPS_OF_A_CLEAR[1:]:
        mesh.died(dies)
        assert owner.latch_id == latch_id
        mesh.begin(dies)
        mesh.die_at(after, next_place)
        dies = after
    mesh.died("risk")
    assert owner.latch_id is None
    assert entries(mesh) == begun
    mesh.start("risk")
    (clear,) = [one for one in mesh.written.by_risk(KillCleared) if one.latch_id == latch_id]
    lifted = [one for one in mesh.written.by_executor(ConditionCleared) if one.name == "kill_latch"]
    assert (lifted[-1].actor, lifted[-1].reason) == (clear.actor, clear.reason) == ("ada", "looked at it")
    trader.enter(SOL)
