"""Killed, and everything dead for two days: the latch does not age, and nobody has to remember it but the journals."""

from collections.abc import Iterator
from typing import Final

import pytest
from redis import Redis

from proto.orders import EntryOpened, FlatnessTold
from proto.verdicts import IntentRefused
from shared.mesh.clock import SystemClock
from tests.services.supervision.harness import eventually
from tests.trading.earlier import NS_PER_HOUR
from tests.trading.mesh import INSTANCES, TradingMesh
from tests.trading.owner import Owner
from tests.trading.trader import Trader

BTC: Final = "BTC/USDT"
HOURS: Final = 48
EVERYBODY: Final = ("metrics", "flattener", *reversed(INSTANCES))  # the exchange is the last of them


@pytest.fixture
def mesh() -> Iterator[TradingMesh]:
    """Run a whole mesh two days ago; in the end the checker wants all to have ended."""
    before = TradingMesh()
    before.project.hours_behind = HOURS
    with before as running:
        running.begin("redis")
        running.start("metrics")
        running.start("flattener")
        yield running
        Trader(running).settle()
        running.judge("--settled")


def test_latch_stands_two_days_later(mesh: TradingMesh, trader: Trader) -> None:
    """What Redis knew is gone, a hand has removed the file, the records are old: no entry, and what is held is sold."""
    owner = Owner(mesh)
    trader.enter_and_fill(BTC)
    mesh.admin.fault(kind="halt", symbol="BTCUSDT")
    owner.press("risk", "enough")
    mesh.until(lambda: owner.latch_id is not None and mesh.written.by_executor(FlatnessTold))
    latch_id, begun = owner.latch_id, len(mesh.written.by_executor(EntryOpened))
    assert latch_id is not None
    for instance in EVERYBODY:
        mesh.kill(instance)
    with Redis(unix_socket_path=str(mesh.root / "var/run/redis.sock")) as store:
        eventually(store.dbsize)
        store.flushall()
    (mesh.root / "var/HALT").unlink()
    mesh.project.hours_behind = 0
    assert mesh.written.records()[-1].sent_wall_ns < SystemClock().wall_ns() - HOURS * NS_PER_HOUR
    mesh.start("exchange")
    for instance in EVERYBODY[:-1]:
        mesh.begin(instance)
    eventually(owner.told_flat)
    assert owner.latch_id == latch_id
    owner.is_flat()
    owner.unlocked_before_sold(BTC)
    answer = trader.ask_until_judged(trader.wish(BTC))
    assert isinstance(answer, IntentRefused)
    assert answer.rule == "permission_is_run"
    assert "kill_latch" in answer.reason
    assert len(mesh.written.by_executor(EntryOpened)) == begun
    owner.cleared()
    trader.enter(BTC)
