"""An exit for which nothing can be sent says why: within two seconds, and again within half a minute."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from proto.orders import ExitHeldUp
from shared.core.service import FromOutside, JournalRoom
from shared.execution.vocabulary import (
    Acknowledged,
    CancelSent,
    InstrumentsKnown,
    OrderSent,
    Rejected,
    SendOrder,
    WeightTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, LIMITS, SECOND_NS, Desk, an_instrument, of


def leaving(desk: Desk, *news: FromOutside) -> Desk:
    """Let a position come down whose stop is cancelled, behind some news of the venue."""
    stop = desk.entered()
    for told_of in news:
        desk.take(told_of)
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    return desk


def refuse(desk: Desk, order: SendOrder) -> None:
    """Let the venue refuse an order."""
    refused = Rejected("-2010", "Account has insufficient balance for requested action.")
    desk.take(OrderSent(order.client_order_id, refused, desk.now_ns + AHEAD_NS))


def told(desk: Desk) -> list[str]:
    """Return why exits were said to be held up."""
    return [held.reason for held in of(desk.reports, ExitHeldUp)]


def ticks(desk: Desk, seconds: float) -> Desk:
    """Let so many seconds pass."""
    for _ in range(round(seconds * 10)):
        desk.wait(0.1)
    return desk


def banned() -> Desk:
    """Let the venue take no orders for an hour."""
    desk = Desk().open()
    return leaving(desk, WeightTold(0, None, desk.now_ns + 3_600 * SECOND_NS))


def governed() -> Desk:
    """Let no further order leave within the minute."""
    return leaving(Desk(limits=msgspec.structs.replace(LIMITS, orders_max=4)).open())


def too_little() -> Desk:
    """Let the venue raise its least order above what is held."""
    return leaving(Desk().open(), InstrumentsKnown({BTC: an_instrument(quantity_min=Decimal(2))}))


def not_listed() -> Desk:
    """Let the venue no longer list the symbol."""
    return leaving(Desk().open(), InstrumentsKnown({}))


@pytest.mark.parametrize(
    ("held_up", "why"),
    [
        (banned, "the venue takes no orders for a while"),
        (too_little, "cannot be sold, and is no dust"),
        (not_listed, "the venue does not list BTC/USDT"),
    ],
)
def test_why_an_exit_waits_is_told_again_and_again(held_up: Callable[[], Desk], why: str) -> None:
    """Once it has lasted a second, and then every 25."""
    desk = held_up()
    assert not told(ticks(desk, 0.8))
    assert len(told(ticks(desk, 1))) == 1
    assert len(told(ticks(desk, 24))) == 1
    assert len(told(ticks(desk, 2))) == 2
    assert all(why in reason for reason in told(desk))


def test_wait_for_the_governor_is_told() -> None:
    """As many orders as may leave in a minute have left: the next sale waits for the minute to pass."""
    desk = governed()
    refuse(desk, desk.sent()[-1])
    while len(desk.sent()) < 4:
        desk.wait(0.1)
    refuse(desk, desk.sent()[-1])
    ticks(desk, 5)
    assert any("orders were sent in the last minute" in reason for reason in told(desk))


def test_each_refused_sale_begins_another_wait() -> None:
    """What was told of the wait before says nothing of this one."""
    desk = leaving(Desk().open())
    for _ in range(4):  # the pauses grow to four seconds
        refuse(desk, desk.sent()[-1])
        ticks(desk, 4)
    assert told(desk) == ["the sale before came to nothing, and the next one waits"] * 2


def test_order_that_is_on_its_way_speaks_for_itself() -> None:
    """Its mark stands in the journal, and how it ended will."""
    desk = leaving(Desk().open())
    assert desk.sent()[-1].order_type == "market"
    assert not told(ticks(desk, 30))


def test_last_room_of_the_journal_is_for_orders() -> None:
    """While there is room for what reduces risk only, nothing is said; afterwards it is."""
    desk = banned()
    desk.take(JournalRoom(for_everything=False))
    assert not told(ticks(desk, 3))
    desk.take(JournalRoom(for_everything=True))
    assert told(ticks(desk, 3))
