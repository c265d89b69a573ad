"""The next step of a position: covered after its fill, brought down when asked, never two orders for the same coins."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from proto.intents import ExitRefused, ExitTaken
from proto.orders import CancelMarked, ConditionSet, EntryEnded, ExitEnded, ExitOpened, OrderEnded, PositionChanged
from shared.core.service import BeWary
from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    CancelSent,
    InstrumentsKnown,
    NotSent,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadOrder,
    ReadTrades,
    Rejected,
    Unproved,
    VenueTrade,
    WeightTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, LIMITS, SECOND_NS, TREND, Desk, an_instrument, of


def test_fill_is_covered_by_a_stop() -> None:
    """Once the entry has filled, a stop for all of it leaves, at the approved price."""
    desk = Desk().open()
    stop = desk.entered()
    assert (stop.side, stop.order_type) == ("sell", "stop_market")
    assert stop.quantity == 1
    assert stop.stop_price == Decimal(95)
    assert [ended.ending for ended in of(desk.reports, OrderEnded)] == ["filled"]
    assert of(desk.reports, EntryEnded)[-1].filled_quantity == 1
    covered = [(int(changed.quantity), int(changed.covered_quantity)) for changed in of(desk.reports, PositionChanged)]
    assert covered == [(1, 0), (1, 1)], "a stop covers once the venue has it"


def test_exit_waits_until_the_stop_is_seen_to_have_ended() -> None:
    """The stop locks the coins: it is cancelled, and only the venue's word that it ended lets the sale leave."""
    desk = Desk().open()
    stop = desk.entered()
    assert isinstance(desk.leave(), ExitTaken)
    assert of(desk.effects, CancelOrder)[-1].client_order_id == stop.client_order_id
    desk.wait(3)
    assert desk.sent()[-1] == stop
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    sale = desk.sent()[-1]
    assert sale.order_type == "market"
    assert sale.quantity == 1
    desk.fill(sale, then="filled")
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0
    assert of(desk.reports, PositionChanged)[-1].quantity == 0


def test_sale_waits_while_the_venue_takes_no_orders() -> None:
    """One that is sent all the same would not be taken, and lengthen that; the stop is cancelled meanwhile."""
    desk = Desk().open()
    stop = desk.entered()
    desk.take(WeightTold(0, None, desk.now_ns + 2 * SECOND_NS))
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    desk.wait(1.9)
    assert desk.sent()[-1] == stop
    desk.wait(0.1)
    assert (desk.sent()[-1].side, desk.sent()[-1].order_type) == ("sell", "market")


def test_limits_of_entries_stand_in_no_exits_way() -> None:
    """Where no further entry may be sent within the minute, a position is covered and sold all the same."""
    desk = Desk(limits=msgspec.structs.replace(LIMITS, entries_max=1)).open()
    stop = desk.entered()
    assert stop.order_type == "stop_market"
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    assert (desk.sent()[-1].side, desk.sent()[-1].order_type) == ("sell", "market")


def test_market_order_that_is_said_to_rest_is_asked_about() -> None:
    """It fills or ends at once: where the venue says that it is open, a word of it is on its way, or was missed."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    sale = desk.sent()[-1]
    desk.acknowledge(sale)
    assert [read.client_order_id for read in of(desk.wait(2), ReadOrder)] == [sale.client_order_id]


def test_cancellation_that_proves_nothing_is_asked_about_and_sent_again() -> None:
    """While the venue shows the order open, it is cancelled again; the sale waits."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    read = of(desk.take(CancelSent(stop.client_order_id, Unproved(503, "", "busy"))), ReadOrder)[0]
    assert read.client_order_id == stop.client_order_id
    desk.take(OrderTold(desk.shown(stop, "open"), None))  # a late word of the stream ends no question
    desk.take(OrderRead(stop.client_order_id, desk.shown(stop, "open"), desk.now_ns + AHEAD_NS, None))
    assert len(of(desk.effects, CancelOrder)) == 2
    assert desk.sent()[-1] == stop


def test_stop_that_fills_while_it_is_cancelled_leaves_nothing_to_sell() -> None:
    """The exit is done without an order of its own."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.fill(stop, price="95", then="filled")
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0
    assert desk.sent()[-1] == stop


def test_entry_in_doubt_is_neither_sent_again_nor_followed() -> None:
    """It is asked about; proved absent beyond the fence, the entry ends, and nothing was bought."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    stamp_ns = desk.now_ns + AHEAD_NS
    desk.take(OrderSent(entry.client_order_id, Unproved(504, "", "no reply"), stamp_ns))
    for seconds in (0.5, 1, 2, 4):
        desk.wait(seconds)
        desk.take(OrderRead(entry.client_order_id, None, desk.now_ns + AHEAD_NS, None))
    assert of(desk.reports, OrderEnded)[-1].ending == "absent"
    assert of(desk.reports, EntryEnded)[-1].filled_quantity == 0
    assert desk.sent() == [entry]


def test_stop_does_not_wait_for_an_entry_in_doubt() -> None:
    """What was bought before is covered, whatever becomes of the next entry."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(desk.approval("two", intent_id="two"))
    entry = desk.sent()[-1]
    assert entry.side == "buy"
    desk.take(OrderSent(entry.client_order_id, Unproved(None, "", "silence"), desk.now_ns + AHEAD_NS))
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    desk.wait(0.1)
    again = desk.sent()[-1]
    assert (again.side, again.stop_price, again.quantity) == ("sell", stop.stop_price, stop.quantity)


def test_position_that_is_too_little_for_a_stop_is_sold_for_that_reason() -> None:
    """What was bought of an entry is less than the venue takes of a stop: the exit names its filter."""
    desk = Desk().open()
    desk.ask(desk.approval())
    desk.fill(desk.sent()[-1], quantity="0.052", then="expired")
    reason = "the venue would not take its stop: notional 4.94000 is below the least notional 5"
    assert of(desk.reports, ExitOpened)[-1].reason == reason
    desk.wait(0.1)
    assert (desk.sent()[-1].order_type, desk.sent()[-1].quantity) == ("market", Decimal("0.052"))


def test_stop_refused_twice_lets_the_position_go() -> None:
    """The venue may have seen the price pass the stop: within a second the position is sold."""
    desk = Desk().open()
    desk.ask(desk.approval())
    desk.fill(desk.sent()[-1], then="filled")
    for _ in range(2):
        stop = desk.sent()[-1]
        assert stop.order_type == "stop_market"
        desk.take(OrderSent(stop.client_order_id, Rejected("-2010", "Stop price would trigger immediately."), None))
        desk.wait(0.5)
    assert (
        of(desk.reports, ExitOpened)[-1].reason == "the venue refuses the stop: Stop price would trigger immediately."
    )
    desk.wait(0.5)
    assert desk.sent()[-1].order_type == "market"


def test_stop_that_meets_a_halted_symbol_is_tried_until_it_trades_again() -> None:
    """No order is taken then, nor would a sale be: only a halt that lasts leads to one."""
    desk = Desk().open()
    desk.ask(desk.approval())
    desk.fill(desk.sent()[-1], then="filled")
    closed = Rejected("-1013", "Market is closed.", is_closed=True)
    tried = 1
    for _ in range(140):
        if len(desk.sent()) > tried:
            tried = len(desk.sent())
            desk.take(OrderSent(desk.sent()[-1].client_order_id, closed, None))
        desk.wait(0.1)
    assert not of(desk.reports, ExitOpened)
    assert 4 <= tried <= 6
    desk.wait(1.5)
    assert of(desk.reports, ExitOpened)[-1].reason == "no stop can be placed"


def test_refused_sale_is_tried_again_after_longer_and_longer() -> None:
    """An exit never gives up, and does not storm; one that the gateway could not sign waits as well."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    answered = 0
    for _ in range(80):
        if len(desk.sent()) > answered:
            answered = len(desk.sent())
            desk.take(OrderSent(desk.sent()[-1].client_order_id, NotSent("this address is banned"), None))
        desk.wait(0.1)
    assert 3 <= len(desk.sent()) - 2 <= 5
    assert len({order.client_order_id for order in desk.sent()}) == len(desk.sent())


def test_remainder_that_no_order_can_sell_is_dust() -> None:
    """What is worth less than the venue's least order leaves the books of the strategy, not those of the account."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    desk.fill(desk.sent()[-1], quantity="0.970", then="expired")
    assert of(desk.reports, ExitEnded)[-1].quantity_left == Decimal("0.030")
    assert of(desk.reports, PositionChanged)[-1].quantity == 0
    assert desk.core.books.ledger.balance("BTC") == Decimal("0.030")


def test_remainder_that_is_worth_money_is_no_dust() -> None:
    """The venue takes no order of it any more: the exit goes on, a person is told, and nobody else may have it."""
    desk = Desk().open()
    stop = desk.entered()
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    desk.take(InstrumentsKnown({BTC: an_instrument(notional_min=Decimal(60))}))
    desk.fill(desk.sent()[-1], quantity="0.5", then="expired")
    desk.wait(1)
    assert not of(desk.reports, ExitEnded)
    assert of(desk.reports, PositionChanged)[-1].quantity == Decimal("0.5")
    words = f"0.5000 {BTC} of {TREND} cannot be sold, and is no dust: notional_min is 60"
    assert words in of(desk.effects, BeWary)[-1].troubles
    desk.take(InstrumentsKnown({BTC: an_instrument()}))
    desk.wait(1)
    assert desk.sent()[-1].quantity == Decimal("0.5")


def test_sale_larger_than_an_order_may_be_goes_in_parts() -> None:
    """Nothing is taken for dust because it is too much."""
    desk = Desk(instrument=an_instrument(quantity_max=Decimal("0.6"), market_quantity_max=None)).open()
    for name in ("one", "two"):
        desk.ask(desk.approval(name, quantity_max=Decimal("0.5")))
        desk.fill(desk.sent()[-1], then="filled")
        desk.acknowledge(desk.sent()[-1])
        desk.wait(2)
        desk.lease()
        desk.quote("99.99", "100.01")
    assert desk.core.books.positions.of(TREND, BTC).owned == 1
    desk.leave()
    for order in desk.sent():
        if order.order_type == "stop_market":
            desk.take(CancelSent(order.client_order_id, Acknowledged(desk.shown(order, "canceled"))))
    assert desk.sent()[-1].quantity == Decimal("0.6")


def test_exit_only_ratchets() -> None:
    """A higher target is answered with the lower one that holds; a lower one takes its place."""
    desk = Desk().open()
    desk.entered()
    desk.leave("0.5")
    answer = desk.leave("0.8")
    assert isinstance(answer, ExitTaken)
    assert answer.target_quantity == Decimal("0.5")
    lower = desk.leave("0.2")
    assert isinstance(lower, ExitTaken)
    assert lower.target_quantity == Decimal("0.2")


def test_exit_of_nothing_is_refused() -> None:
    """There is nothing to sell, and it says so."""
    assert isinstance(Desk().open().leave(), ExitRefused)


def test_trades_that_a_reading_does_not_show_yet_are_asked_for_again() -> None:
    """The venue says that it filled the order: until its trades come they are asked for, once a second."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    done = Acknowledged(desk.shown(entry, "filled", executed=entry.quantity))
    desk.take(OrderSent(entry.client_order_id, done, desk.now_ns + AHEAD_NS))
    asked = [len(of(desk.wait(0.5), ReadTrades)) for _ in range(6)]
    assert asked == [1, 0, 1, 0, 1, 0]
    assert not of(desk.reports, EntryEnded)


def test_more_than_was_ordered_is_quarantined() -> None:
    """The trade counts as somebody else's, entries wait for an operator, and the books go on."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, quantity="0.7", then="open")
    too_much = VenueTrade(
        symbol=BTC,
        trade_id=77,
        venue_order_id=f"v-{entry.client_order_id}",
        side="buy",
        price=Decimal(100),
        quantity=Decimal("0.4"),
        quote_quantity=Decimal(40),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity="taker",
        venue_time_ns=desk.now_ns + AHEAD_NS,
    )
    desk.take(OrderTold(desk.shown(entry, "open", executed=Decimal("1.1")), too_much))
    assert "order_overfilled" in {told.condition.name for told in of(desk.reports, ConditionSet)}
    assert desk.core.books.positions.of(TREND, BTC).owned == Decimal("0.7")
    assert desk.core.books.ledger.balance("BTC") == Decimal("1.1")


def test_cover_without_a_position_is_cancelled() -> None:
    """Coins that an operator sold by hand need no stop any more: it would sell somebody else's."""
    desk = Desk().open()
    stop = desk.entered()
    sold = VenueTrade(
        symbol=BTC,
        trade_id=88,
        venue_order_id="hand",
        side="sell",
        price=Decimal(100),
        quantity=Decimal(1),
        quote_quantity=Decimal(100),
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity="taker",
        venue_time_ns=desk.now_ns + AHEAD_NS,
    )
    by_hand = replace(desk.shown(stop, "filled", executed=Decimal(1)), client_order_id="web-1", venue_order_id="hand")
    desk.take(OrderTold(by_hand, sold))
    assert desk.core.books.positions.of(TREND, BTC).owned == 0
    assert of(desk.reports, CancelMarked)[-1].order.client_order_id == stop.client_order_id
