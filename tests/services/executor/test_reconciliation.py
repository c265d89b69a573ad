"""When the books are held against the venue's, and what counts as a difference."""

from decimal import Decimal
from typing import Final

from proto.orders import ReconcileFinished
from services.executor.enquiries import READ_LAG_NS
from services.executor.vocabulary import (
    AccountRead,
    OpenOrdersRead,
    ReadOpenOrders,
    ReadTrades,
    TradesRead,
    VenueBalance,
    VenueOrder,
)
from shared.core.service import Effect, Stalled
from tests.services.executor.desk import AHEAD_NS, SECOND_NS, Desk, of

STALLED: Final = Stalled(2 * SECOND_NS)


def begun(desk: Desk, effects: list[Effect]) -> int:
    """Return the number of the pass that begins."""
    del desk
    (read,) = of(effects, ReadOpenOrders)
    return read.read_number


def ended(desk: Desk, number: int, *orders: VenueOrder, usdt: str = "10000", btc: str = "0") -> ReconcileFinished:
    """Answer every question of a pass, and return what it found."""
    for read in of(desk.take(OpenOrdersRead(number, orders, None)), ReadTrades):
        desk.take(TradesRead(number, read.symbol, (), None))
    nothing = Decimal(0)
    balances = (VenueBalance("USDT", Decimal(usdt), nothing), VenueBalance("BTC", Decimal(btc), nothing))
    desk.take(AccountRead(number, balances, desk.now_ns + AHEAD_NS, None))
    return of(desk.reports, ReconcileFinished)[-1]


def test_stop_that_came_while_a_pass_read_is_no_difference() -> None:
    """What was acknowledged after the open orders were read cannot be among them: the pass is clean."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    number = begun(desk, desk.take(STALLED))
    desk.fill(entry, then="filled")
    desk.acknowledge(desk.sent()[-1])
    assert ended(desk, number, usdt="9900", btc="1").clean


def test_order_that_a_venue_may_not_show_yet_is_no_difference() -> None:
    """A reading may be as old as the venue lags: what was sent within that time need not be in it."""
    desk = Desk().open()
    desk.entered()
    assert ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1").clean


def test_order_whose_cancellation_is_under_way_is_no_difference() -> None:
    """It may be gone at the venue already; its end is told by what came of the cancellation."""
    desk = Desk().open()
    desk.entered()
    desk.wait(READ_LAG_NS / SECOND_NS)
    desk.leave()
    assert ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1").clean


def test_order_that_rested_and_is_not_shown_is_a_difference() -> None:
    """What the venue acknowledged long before the reading has to be in it."""
    desk = Desk().open()
    stop = desk.entered()
    desk.wait(READ_LAG_NS / SECOND_NS)
    found = ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1")
    assert not found.clean
    assert found.differences == (f"{stop.client_order_id} is not open at the venue",)
