"""What goes wrong around an order, one thing at a time: at the venue, in the processes, on the disk."""

import resource
import signal
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import pytest

from proto.orders import EntryOpened, ExitEnded, OrderFilled, PositionChanged, SendMarked
from proto.verdicts import IntentRefused
from shared.mesh.journal import journal_directory
from tests.services.supervision.harness import eventually
from tests.shared.mesh.journal.journals import durable_bytes
from tests.trading.mesh import ACCOUNT, PATIENCE_S, TradingMesh
from tests.trading.trader import NAME, SECOND_NS, Trader, passes

NEAR: Final = Decimal("0.0005")  # a stop that a large sale reaches
HELD_MS: Final = 2_000
SKEW_MS: Final = 4_000
ROOM_BYTES: Final = 100  # less than any record has
FROZEN_NS: Final = 5 * SECOND_NS // 2  # more than a lease; risk ends an executor that is silent for 4 s
HEARD_NS: Final = SECOND_NS  # of two heartbeats


@pytest.fixture(autouse=True)
def _sold_in_the_end(mesh: TradingMesh, trader: Trader) -> Iterator[None]:
    mesh.forget_deaths()
    yield
    mesh.heal()
    trader.settle()


def exits_ended(mesh: TradingMesh) -> int:
    """Return how many exits have ended."""
    return len(mesh.written.by_executor(ExitEnded))


def why_refused(trader: Trader, symbol: str) -> str:
    """Ask for an entry, and return why there is none."""
    answer = trader.ask(trader.wish(symbol))
    return answer.reason if isinstance(answer, IntentRefused) else ""


def venue_is_behind_by_ns(mesh: TradingMesh) -> int:
    """Return how long before it was written down the last trade happened, by the venue's own clock."""
    told = [one for one in mesh.written.records() if isinstance(one.body, OrderFilled)][-1]
    assert isinstance(told.body, OrderFilled)
    return told.sent_wall_ns - told.body.venue_time_ns


def test_black_hole(mesh: TradingMesh, trader: Trader) -> None:
    """While every answer is swallowed an order is in doubt; once the venue speaks again it is found."""
    trader.enter_and_fill("ETH/USDT")
    hole = mesh.admin.fault(kind="drop_reply", hold_ms=HELD_MS, when={"account": ACCOUNT})
    approval = trader.enter("BTC/USDT")
    eventually(lambda: mesh.admin.fired(hole) > 3)
    mesh.admin.end_faults()
    eventually(lambda: mesh.written.is_covered((NAME, "BTC/USDT")))
    assert len(mesh.written.marks_of(approval.approval_id)) == 1


def test_risk_stands_still(mesh: TradingMesh, trader: Trader) -> None:
    """Without a lease nothing is entered, exits go on; what was asked meanwhile is not approved afterwards."""
    trader.enter_and_fill("ETH/USDT")
    exits, opened = exits_ended(mesh), len(mesh.written.by_executor(EntryOpened))
    mesh.freeze("risk")
    wish = trader.wish("BTC/USDT")
    assert trader.ask(wish) is None
    passes(FROZEN_NS)
    trader.leave((NAME, "ETH/USDT"))
    eventually(lambda: exits_ended(mesh) > exits)
    mesh.thaw("risk")
    trader.enter("SOL/USDT")
    assert trader.approvals_of(wish) == []
    assert len(mesh.written.by_executor(EntryOpened)) == opened + 1


def test_executor_stands_still_with_an_order_on_its_way(mesh: TradingMesh, trader: Trader) -> None:
    """When it wakes up it looks how everything stands before it enters again; what was filled is covered."""
    when = {"account": ACCOUNT, "endpoint": "POST /api/v3/order", "symbol": "BNBUSDT", "nth": [1]}
    late = mesh.admin.fault(kind="drop_reply", hold_ms=HELD_MS, when=when)
    trader.enter("BNB/USDT")
    eventually(lambda: mesh.admin.fired(late))
    mesh.freeze("executor")
    passes(FROZEN_NS)
    mesh.thaw("executor")

    def is_covered() -> bool:
        mesh.revive()  # on a busy machine risk has ended it before it was heard again
        return mesh.written.is_covered((NAME, "BNB/USDT"))

    eventually(is_covered)
    trader.enter("SOL/USDT")


def test_two_executors(mesh: TradingMesh, trader: Trader) -> None:
    """A second one stands by and sends nothing; when the first is killed it takes over what that one held."""
    trader.enter_and_fill("ETH/USDT")
    first = mesh.begin_second("executor")
    mesh.said("executor", "standing by")
    trader.enter_and_fill("SOL/USDT")
    assert not mesh.has_said("executor", "running")
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=PATIENCE_S)
    mesh.said("executor", "running")
    trader.enter_and_fill("BTC/USDT")


def test_stop_is_filled_while_nobody_looks(mesh: TradingMesh, trader: Trader) -> None:
    """The market falls while the executor is dead: the next life hears of the sale, and holds nothing any more."""
    place = (NAME, "BTC/USDT")
    trader.enter_and_fill(place[1], stop_fraction=NEAR)
    (stop,) = [mark for mark in mesh.written.by_executor(SendMarked) if mark.order.purpose == "cover"][-1:]
    mesh.kill("executor")

    def is_sold() -> bool:
        mesh.project.other_hand.push_down(mesh.project.port)
        orders = mesh.admin.orders(ACCOUNT, "BTCUSDT")
        (ours,) = [order for order in orders if order["client_id"] == stop.order.client_order_id]
        return bool(ours["status"] not in {"NEW", "PARTIALLY_FILLED"})

    eventually(is_sold)
    mesh.start("executor")
    eventually(lambda: mesh.written.ending_of(stop.order.client_order_id))

    def is_nothing_left() -> bool:
        told = [one for one in mesh.written.by_executor(PositionChanged) if (one.strategy, one.symbol) == place]
        return told[-1].quantity < Decimal("0.00001")

    eventually(is_nothing_left)  # where nobody bought all of it, the rest is sold after that


def test_stop_is_filled_after_its_cancellation(mesh: TradingMesh, trader: Trader) -> None:
    """The venue confirms each cancellation and fills the stop all the same: that is counted, and no more is sold.

    Until then the venue keeps the coins for the stop, so that it refuses the sale.
    """
    place = (NAME, "SOL/USDT")
    trader.enter_and_fill(place[1])
    stop = mesh.written.by_executor(SendMarked)[-1]
    late = mesh.admin.fault(kind="fill_after_cancel", delay_ms=500, when={"account": ACCOUNT, "symbol": "SOLUSDT"})
    exits = exits_ended(mesh)
    trader.leave(place)
    eventually(lambda: exits_ended(mesh) > exits)
    assert mesh.admin.fired(late)
    ended = mesh.written.ending_of(stop.order.client_order_id)
    assert ended is not None
    assert ended.ending == "canceled"
    bodies = [record.body for record in mesh.written.records()]
    sold = [one for one in bodies[bodies.index(ended) :] if isinstance(one, OrderFilled)]
    assert {one.order for one in sold} == {stop.order}
    assert sum(one.quantity for one in sold) == stop.quantity


def test_clock_of_the_venue_is_behind(mesh: TradingMesh, trader: Trader) -> None:
    """A venue that lives in an earlier second is measured anew, traded with, and measured again when that ends."""
    skew = mesh.admin.fault(kind="clock_skew", skew_ms=-SKEW_MS)
    trader.enter_until_filled("BTC/USDT")
    assert venue_is_behind_by_ns(mesh) > SKEW_MS * 1_000_000 - SECOND_NS
    mesh.admin.end_fault(skew)
    trader.enter_until_filled("ETH/USDT")


def test_clock_of_the_venue_is_ahead(mesh: TradingMesh, trader: Trader) -> None:
    """Prices from a later second are not trusted, so nothing is entered; what is held is sold all the same."""
    trader.enter_until_filled("SOL/USDT")
    skew = mesh.admin.fault(kind="clock_skew", skew_ms=SKEW_MS)
    eventually(lambda: "doubted" in why_refused(trader, "BTC/USDT"))
    exits = exits_ended(mesh)
    trader.leave((NAME, "SOL/USDT"))
    eventually(lambda: exits_ended(mesh) > exits)
    mesh.admin.end_fault(skew)
    trader.enter_until_filled("ETH/USDT")


def test_address_is_banned(mesh: TradingMesh, trader: Trader) -> None:
    """While the venue wants to be left alone it is, and exits go out as soon as they may."""
    trader.enter_and_fill("ETH/USDT")
    exits = exits_ended(mesh)
    ban = mesh.admin.fault(kind="banned", when={"until": "+4s"})
    trader.leave((NAME, "ETH/USDT"))
    eventually(lambda: exits_ended(mesh) > exits)
    assert mesh.admin.fired(ban)
    trader.enter("ETH/USDT")


def test_journal_is_torn(mesh: TradingMesh, trader: Trader) -> None:
    """What a crash left half written at the end of the journal is no record, and nothing else is lost."""
    trader.enter_and_fill("SOL/USDT")
    mesh.kill("executor")
    directory = journal_directory(mesh.root / "var", "executor")
    segment = max(directory.glob("*.journal"))
    with segment.open("r+b") as torn:
        half = torn.read(100)[64:]
        torn.seek(durable_bytes(directory))
        torn.write(half)
    mesh.start("executor")
    trader.enter_and_fill("ETH/USDT")
    assert mesh.written.is_covered((NAME, "SOL/USDT"))


def test_disk_is_full(mesh: TradingMesh, trader: Trader) -> None:
    """What cannot be written down is not done; the stop rests at the venue, and with room again all goes on."""
    trader.enter_and_fill("SOL/USDT")
    process_id = mesh.process("executor").pid
    durable = durable_bytes(journal_directory(mesh.root / "var", "executor"))
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE, (durable + ROOM_BYTES, -1))
    opened = len(mesh.written.by_executor(EntryOpened))
    approval = trader.approved("BTC/USDT")
    eventually(lambda: mesh.has_said("executor", "not recorded"))
    trader.leave((NAME, "SOL/USDT"))
    eventually(lambda: trader.is_free(approval))
    assert len(mesh.written.by_executor(EntryOpened)) == opened
    assert mesh.written.is_covered((NAME, "SOL/USDT"))
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)
    trader.enter_and_fill("BTC/USDT")


def test_crash_loop(mesh: TradingMesh, trader: Trader) -> None:
    """Fourteen: of an executor that dies three times within a minute nobody asks an entry; exits work in each life."""
    trader.enter_and_fill("BTC/USDT")
    mesh.restart("risk")
    passes(HEARD_NS)
    for _ in range(3):
        mesh.kill("executor")
        mesh.start("executor")
        passes(HEARD_NS)
    eventually(lambda: "executor_crash_loop" in why_refused(trader, "ETH/USDT"))
    exits = exits_ended(mesh)
    trader.leave((NAME, "BTC/USDT"))
    eventually(lambda: exits_ended(mesh) > exits)
    mesh.restart("risk")


def test_crashes_while_it_recovers(mesh: TradingMesh, trader: Trader) -> None:
    """Fifteen: however often it dies before it has found its feet, in the end all is as if it had begun once."""
    place = (NAME, "BNB/USDT")
    trader.dies_entering(place[1], "performs SendOrder side=sell")
    for moment in ("performs ReadOrder", "brings OrderRead", "performs ReadAccount", "reports OrderEnded"):
        mesh.begin("executor")
        mesh.die_at("executor", moment)
        mesh.died("executor")
    mesh.start("executor")
    eventually(lambda: mesh.written.is_covered(place))
    mesh.restart("risk")
