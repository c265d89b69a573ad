"""A venue that contradicts itself or us: nothing is wedged for it, and nobody's exit waits."""

from dataclasses import replace
from decimal import Decimal

import pytest

from proto.intents import ExitTaken, StopCover
from proto.orders import ConditionSet, ExitEnded, OrderEnded, OrderFilled, PositionChanged
from shared.core.service import BeWary, Note, Recorded, RecordsLost, Restored, Stop, StopAsked
from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    CancelSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    Rejected,
    StreamOpened,
    TradesRead,
    Unproved,
    WeightTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, SECOND_NS, TREND, Desk, of


def conditions(desk: Desk) -> list[str]:
    """Return what waits for an operator."""
    return [one.condition.name for one in of(desk.reports, ConditionSet)]


def test_a_stop_that_was_taken_and_then_refused_is_placed_anew() -> None:
    """The venue had it, so it is called ended, and the position gets another."""
    desk = Desk().open()
    stop = desk.entered()
    desk.take(OrderTold(desk.shown(stop, "rejected"), None))
    assert of(desk.reports, OrderEnded)[-1].ending == "expired"
    another = desk.sent()[-1]
    assert (another.stop_price, another.client_order_id != stop.client_order_id) == (stop.stop_price, True)


def test_an_order_that_vanished_is_called_ended_and_said() -> None:
    """Acknowledged, then shown by no reading for longer than the venue lags: no exit waits for it."""
    desk = Desk().open()
    stop = desk.entered()
    assert isinstance(desk.leave(), ExitTaken)
    desk.take(CancelSent(stop.client_order_id, Rejected("-2011", "Unknown order sent.")))
    for _ in range(8):
        for read in of(desk.wait(1), ReadOrder):
            desk.take(OrderRead(read.client_order_id, None, desk.now_ns + AHEAD_NS, None))
    assert "order_vanished" in conditions(desk)
    sale = desk.sent()[-1]
    assert (sale.side, sale.order_type) == ("sell", "market")
    desk.fill(sale, then="filled")
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0


def test_more_than_was_ordered_does_not_hold_the_exit() -> None:
    """0.6 and 0.6 of an order for one: the second trade is set apart, and the position goes its way."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, "0.6", then="open")
    desk.fill(entry, "0.6", then="open")
    desk.take(OrderTold(desk.shown(entry, "filled", executed=Decimal("1.2")), None))
    assert "order_overfilled" in conditions(desk)
    assert of(desk.reports, OrderEnded)[-1].ending == "filled"
    assert [fill.quantity for fill in of(desk.reports, OrderFilled)] == [Decimal("0.6")]
    stop = desk.sent()[-1]
    desk.acknowledge(stop)
    desk.leave()
    assert of(desk.effects, CancelOrder)[-1].client_order_id == stop.client_order_id


def test_a_trade_after_the_word_filled_is_counted() -> None:
    """The venue said filled with less than was ordered: what is written down can be read again by the next life."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, "0.6", then="filled")
    desk.fill(entry, "0.2", then="filled")
    assert desk.core.books.positions.of(TREND, BTC).quantity == Decimal("0.8")
    assert of(desk.reports, OrderFilled)[-1].cumulative_quantity == Decimal("0.8")


@pytest.mark.parametrize("outcome", [Rejected("-2010", "Account has insufficient balance"), Unproved(503, "", "busy")])
def test_an_order_that_comes_to_life_is_adopted(outcome: Rejected | Unproved) -> None:
    """Held to be refused or absent, and yet filled: it is ours, and what it bought does not stay without a way out."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.take(OrderSent(entry.client_order_id, outcome, desk.now_ns + AHEAD_NS))
    for _ in range(10):
        for read in of(desk.wait(1), ReadOrder):
            desk.take(OrderRead(read.client_order_id, None, desk.now_ns + AHEAD_NS, None))
    assert of(desk.reports, OrderEnded)[-1].ending in {"rejected", "absent"}
    desk.fill(entry, then="filled")
    assert "order_came_back" in conditions(desk)
    assert of(desk.reports, PositionChanged)[-1].quantity == 1
    assert desk.sent()[-1].side == "sell"


def test_a_purchase_in_doubt_holds_neither_stop_nor_exit() -> None:
    """What is known to be there is brought down; the exit stays open until it is known what the purchase became."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(desk.approval("two"))
    second = desk.sent()[-1]
    assert second.side == "buy"
    desk.take(OrderSent(second.client_order_id, Unproved(504, "", "gateway"), desk.now_ns + AHEAD_NS))
    desk.leave()
    assert of(desk.effects, CancelOrder)[-1].client_order_id == stop.client_order_id
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    sale = desk.sent()[-1]
    assert (sale.side, sale.quantity) == ("sell", Decimal(1))
    desk.fill(sale, then="filled")
    assert not of(desk.reports, ExitEnded)
    desk.fill(second, then="filled")
    assert desk.sent()[-1].side == "sell"
    assert desk.sent()[-1] != sale


def test_a_low_bid_makes_no_position_dust() -> None:
    """An empty book shows a bid of 1 for what was bought at 100: the venue has the word, and not the price."""
    desk = Desk().open()
    stop = desk.entered()
    desk.quote("1", "100.01")
    desk.leave()
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    assert desk.sent()[-1].order_type == "market"
    assert not of(desk.reports, ExitEnded)


@pytest.mark.parametrize("bid", ["0.01", "0.0001"])
def test_an_empty_book_kills_nobody(bid: str) -> None:
    """Half a spread of more than the price: the entry is marked, its cost called all of it."""
    desk = Desk().open()
    desk.quote(bid, "100.01")
    desk.entered()
    assert desk.sent()[-1].side == "sell"


def test_a_refused_entry_moves_no_stop() -> None:
    """A second entry with a nearer stop counts from its first fill on; refused, it never counted."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(desk.approval("two", cover=StopCover(Decimal(98))))
    second = desk.sent()[-1]
    desk.take(OrderSent(second.client_order_id, Rejected("-2010", "no"), desk.now_ns + AHEAD_NS))
    for _ in range(3):
        desk.wait(1)
    assert desk.sent()[-1] == second
    assert not of(desk.effects, CancelOrder)
    assert stop.stop_price == 95


def test_a_stop_may_be_signed_late() -> None:
    """On a disk that takes half a second an entry is late, and the stop of what is held is not."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.disk_takes(0.5)
    desk.fill(entry, then="filled")
    stop = desk.sent()[-1]
    assert (stop.order_type, stop.sign_by_boot_ns > desk.now_ns) == ("stop_market", True)


def test_nobody_ends_with_a_position_bare() -> None:
    """Asked to stop while a stop is cancelled for an exit, the process sells first."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    assert not of(desk.take(StopAsked()), Stop)
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    sale = desk.sent()[-1]
    desk.acknowledge(sale)
    assert not of(desk.effects, Stop)
    desk.fill(sale, then="filled")
    assert of(desk.effects, Stop)


def test_a_process_that_ends_works_no_entry_on() -> None:
    """An entry that rests is cancelled; covered, and with nothing under way, it ends at once."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    assert not of(desk.take(StopAsked()), Stop)
    assert of(desk.effects, CancelOrder)[-1].client_order_id == entry.client_order_id
    desk.take(OrderTold(desk.shown(entry, "canceled"), None))
    assert of(desk.effects, Stop)
    covered = Desk().open()
    covered.entered()
    assert of(covered.take(StopAsked()), Stop)


def test_what_cannot_be_sold_is_said_to_be_not_flat() -> None:
    """From the second refusal on a person reads it, once, and it is gone on with."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    for _ in range(3):
        sale = desk.sent()[-1]
        desk.take(OrderSent(sale.client_order_id, Rejected("-2010", "Market is closed."), desk.now_ns + AHEAD_NS))
        desk.wait(31)
    worries = [note.event for note in of(desk.effects, Note) if "NOT FLAT" in note.event]
    assert worries == ["BTC/USDT of trend is NOT FLAT: orders that bring it down or cover it are refused"]
    assert any("NOT FLAT" in trouble for trouble in of(desk.effects, BeWary)[-1].troubles)


def test_lost_records_are_read_up_before_anything_is_done_and_no_name_comes_twice() -> None:
    """The records of a sale are lost: the next life sends nothing before it has read the venue, and under new names."""
    desk = Desk().open()
    stop = desk.entered()
    kept = list(desk.recorded)
    desk.leave()
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    lost = desk.sent()[-1]
    next_life = Desk()
    next_life.take(Restored(Desk().core.state()))
    for envelope in kept:
        next_life.take(Recorded(envelope))
    next_life.take(RecordsLost(len(kept) + 100, "the tail is lost"))
    next_life.begin()
    next_life.leave()
    assert not next_life.sent()
    assert not of(next_life.effects, CancelOrder)
    next_life.reconcile(next_life.take(StreamOpened()), usdt="9900", btc="1")
    assert lost.client_order_id not in {order.client_order_id for order in next_life.sent()}


def test_an_open_order_of_ours_that_nobody_knows_is_cancelled() -> None:
    """Its records are lost: it locks coins, and belongs to nothing."""
    desk = Desk().open()
    known = desk.entered()
    shown = desk.shown(known, "open")
    name = known.client_order_id.rpartition("-")[0] + "-77"
    desk.take(StreamOpened())
    number = of(desk.effects, ReadOpenOrders)[-1].read_number
    lost = replace(shown, client_order_id=name, venue_order_id="v-9")
    for read in of(desk.take(OpenOrdersRead(number, (shown, lost), None)), ReadTrades):
        desk.take(TradesRead(number, read.symbol, (), None))
    desk.account(number, usdt="9900", btc="1")
    assert of(desk.effects, CancelOrder)[-1].client_order_id == name


def test_a_ban_is_waited_for_and_no_longer() -> None:
    """While the venue takes no orders none is marked; once it does, the sale leaves at the next tick."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(WeightTold(0, desk.now_ns + 60 * SECOND_NS, None))
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    for _ in range(59):
        desk.wait(1)
    assert desk.sent()[-1] == stop
    assert any("takes no orders" in trouble for trouble in of(desk.effects, BeWary)[-1].troubles)
    desk.wait(1.1)
    assert desk.sent()[-1].order_type == "market"


def test_a_sale_that_nobody_takes_is_tried_again_after_longer_and_longer() -> None:
    """In an empty book a market order ends at once with nothing sold: the next ones do not follow in a rush."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    before = len(desk.sent())
    for _ in range(150):
        sale = desk.sent()[-1]
        told = desk.shown(sale, "expired")
        desk.take(OrderSent(sale.client_order_id, Acknowledged(told), desk.now_ns + AHEAD_NS))
        desk.wait(0.1)
    assert 3 <= len(desk.sent()) - before <= 6
