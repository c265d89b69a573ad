"""Orders that we sent and the books do not know: whether they are cancelled, or left because they are all there is."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from proto.control import Kill, ResumeEntries
from proto.fields import Side
from proto.orders import ConditionCleared, ConditionSet, FlatnessTold, OutsideSeen
from proto.risk import Everything
from shared.core.service import Note, Restored
from shared.execution.outside import ACTIVITY, UNCLAIMED, Outcome, Outside
from shared.execution.vocabulary import (
    AccountRead,
    CancelOrder,
    OpenOrdersRead,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    StreamOpened,
    TradesRead,
    TransferTold,
    VenueBalance,
    VenueOrder,
)
from shared.trading.client_ids import ClientIds
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, BTC, Desk, of

NAME: Final = ClientIds(ACCOUNT.tag).of("cover-7-123", child_number=1)


def resting(quantity: str = "1", *, side: Side = "sell", name: str = NAME) -> VenueOrder:
    """Return an order of a life that the journal has no record of."""
    return VenueOrder(
        symbol=BTC,
        client_order_id=name,
        venue_order_id=f"v-{name}",
        side=side,
        status="open",
        quantity=Decimal(quantity),
        executed_quantity=Decimal(0),
        venue_time_ns=AHEAD_NS,
    )


def reads(desk: Desk, *orders: VenueOrder, btc: str, usdt: str = "9900") -> Desk:
    """Let a whole pass begin, and show it these orders and this much money."""
    seen = len(desk.effects)
    desk.take(StreamOpened())
    number = of(desk.effects[seen:], ReadOpenOrders)[-1].read_number
    for read in of(desk.take(OpenOrdersRead(number, orders, None)), ReadTrades):
        desk.take(TradesRead(number, read.symbol, (), None))
    locked = sum((order.quantity for order in orders if order.side == "sell"), Decimal(0))
    balances = VenueBalance("USDT", Decimal(usdt), Decimal(0)), VenueBalance("BTC", Decimal(btc) - locked, locked)
    assert of(desk.effects[seen:], ReadAccount), "the balances are read last"
    desk.take(AccountRead(number, balances, desk.now_ns + AHEAD_NS, None))
    return desk


def fresh(*orders: VenueOrder, btc: str = "1") -> Desk:
    """Return a desk without a past, whose first pass has found these orders."""
    desk = Desk()
    desk.begin()
    return reads(desk, *orders, btc=btc)


def cancelled(desk: Desk) -> list[str]:
    """Return what was cancelled."""
    return [effect.client_order_id for effect in of(desk.effects, CancelOrder)]


def conditions(desk: Desk) -> list[str]:
    """Return what waits for an operator, as often as it was written down."""
    return [one.condition.name for one in of(desk.reports, ConditionSet)]


def test_a_stop_of_a_life_whose_journal_is_gone_is_left() -> None:
    """As where var was deleted: the coin is nobody's to these books, and nothing else covers it. It is said once."""
    desk = fresh(resting())
    for _ in range(3):
        reads(desk, resting(), btc="1")
    assert cancelled(desk) == []
    assert conditions(desk) == [UNCLAIMED]
    assert [seen.kind for seen in of(desk.reports, OutsideSeen)] == ["opening", "opening", "order"]
    (note,) = of(desk.effects, Note)
    assert note.level == "critical"
    for word in (NAME, "1 BTC/USDT", "cancel it at the exchange", "resume"):
        assert word in str(note.details["reason"])


def test_several_by_another_hand_are_one_condition() -> None:
    """Each is written down; the person who looks is woken once."""
    others = [replace(resting("0.5", name=f"web_{number}"), venue_order_id=str(number)) for number in (1, 2)]
    desk = fresh(*others)
    assert [seen.reference for seen in of(desk.reports, OutsideSeen)][-2:] == [f"order-{BTC}-1", f"order-{BTC}-2"]
    assert conditions(desk) == [ACTIVITY]
    assert len(of(desk.effects, Note)) == 1


def test_several_are_named_together() -> None:
    """There is one condition for all of them."""
    second = resting("0.5", name=NAME[:-1] + "2")
    (note,) = of(fresh(resting("0.5"), second, btc="1").effects, Note)
    assert NAME in str(note.details["reason"])
    assert second.client_order_id in str(note.details["reason"])


def test_the_next_life_leaves_it_too() -> None:
    """What was left stands in the journal, and an operator who has looked is not asked again."""
    desk = fresh(resting())
    desk.ask(ResumeEntries("ada", "that is my stop", Everything()), instance="operator")
    assert of(desk.reports, ConditionCleared)
    after = Desk()
    after.take(Restored(desk.core.state()))
    after.begin()
    reads(after, resting(), btc="1")
    assert cancelled(after) == conditions(after) == []


def test_it_is_left_beside_what_is_bought_later() -> None:
    """It locks nothing of that, which has a stop of its own."""
    desk = fresh(resting())
    desk.ask(ResumeEntries("ada", "that is my stop", Everything()), instance="operator")
    own = desk.entered()
    reads(desk, resting(), desk.shown(own, "open"), btc="2", usdt="9800")
    assert cancelled(desk) == []
    assert desk.sent()[-1] == own
    assert conditions(desk) == [UNCLAIMED]


@pytest.mark.parametrize("of_owner", ["0", "5"])
def test_beside_a_position_that_the_books_have_it_is_cancelled(of_owner: str) -> None:
    """The lost records may be of the stop of that very position: it gets another, and two would sell twice."""
    desk = Desk()
    desk.begin()
    reads(desk, btc=of_owner, usdt="10000")
    known = desk.entered()
    reads(desk, desk.shown(known, "open"), resting(), btc=str(int(of_owner) + 1))
    assert cancelled(desk) == [NAME]
    assert UNCLAIMED not in conditions(desk)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_purchase_is_cancelled(*, is_first: bool) -> None:
    """It covers nothing, whoever has forgotten it, and however many coins are there."""
    desk = fresh(*((resting(side="buy"),) if is_first else ()))
    reads(desk, resting(side="buy"), btc="1")
    assert set(cancelled(desk)) == {NAME}
    assert conditions(desk) == []


def test_kill_has_it_cancelled_where_it_locks_what_is_to_be_sold() -> None:
    """The coins it was for are gone: from then on it sells those that the books have."""
    desk = fresh(resting())
    desk.ask(ResumeEntries("ada", "that is my stop", Everything()), instance="operator")
    own = desk.entered()
    desk.take(TransferTold("BTC", Decimal(-1), "out-1", desk.now_ns + AHEAD_NS))
    desk.ask(Kill("ada", "enough"), instance="operator")
    reads(desk, resting(), desk.shown(own, "open"), btc="1", usdt="9800")
    assert set(cancelled(desk)) == {NAME, own.client_order_id}


def test_kill_leaves_it_where_it_locks_nothing() -> None:
    """What the books have is sold, and FLAT is said of that; the coins of nobody keep their stop."""
    desk = fresh(resting())
    desk.ask(Kill("ada", "enough"), instance="operator")
    reads(desk, resting(), btc="1")
    assert of(desk.reports, FlatnessTold)[-1].is_flat
    assert cancelled(desk) == []


def test_told_by_the_stream_it_waits_for_a_whole_pass() -> None:
    """Neither is it another's, nor is it known without trades and balances what it covers: that is read at once."""
    desk = reads(Desk().open(), btc="0", usdt="10000")
    asked = len(of(desk.effects, ReadOpenOrders))
    desk.wait(10)
    assert len(of(desk.effects, ReadOpenOrders)) == asked
    desk.take(OrderTold(resting(), None))
    assert cancelled(desk) == conditions(desk) == []
    assert len(of(desk.effects, ReadOpenOrders)) == asked + 1
    reads(desk, resting(), btc="1", usdt="10000")
    assert cancelled(desk) == [NAME], "it locks a coin that is not there to the books"


def test_a_look_at_the_orders_alone_decides_nothing_of_it() -> None:
    """A purchase whose records are lost is not read yet: the stop may be all that covers it. So all is read at once."""
    desk = Desk().open()
    shown = desk.shown(desk.entered(), "open")
    reads(desk, shown, btc="1")
    desk.wait(11)
    number = of(desk.effects, ReadOpenOrders)[-1].read_number
    (again,) = of(desk.take(OpenOrdersRead(number, (shown, resting()), None)), ReadOpenOrders)
    assert cancelled(desk) == conditions(desk) == []
    assert again.read_number == number + 1
    reads(desk, shown, resting(), btc="1")
    assert cancelled(desk) == [NAME]


def test_a_look_at_the_orders_alone_leaves_nothing() -> None:
    """Of a coin with which nothing is done by the records that are left: a purchase may be among those that are not."""
    outside = Outside(fresh().core.books, ClientIds(ACCOUNT.tag))
    alone, whole = Outcome(), Outcome()
    outside.strays((resting(),), alone, is_whole=False)
    outside.strays((resting(),), whole, is_whole=True)
    assert alone == Outcome()
    assert len(whole.reports) == 2


def test_by_another_hand_it_is_another_matter() -> None:
    """Nothing of that is cancelled, and it is said that it is not ours."""
    other = replace(resting(), client_order_id="web_7")
    desk = fresh(other)
    assert cancelled(desk) == []
    assert conditions(desk) == [ACTIVITY]
