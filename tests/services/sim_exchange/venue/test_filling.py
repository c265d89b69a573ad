"""Trades by force: one order in the book is filled past the queue, at its own price, and nothing else changes.

One that waits for a price is triggered, and takes what the book has.
"""

from decimal import Decimal

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.vocabulary import FillOrder, OrderView, TriggerOrder
from tests.services.sim_exchange.venue.builders import BTC, Desk, a_desk, buy, order, sell


def forced(order_id: int, quantity: str) -> FillOrder:
    """Return a trade of ann's order, with the market on the other side."""
    return FillOrder(account="ann", symbol=BTC, order_id=order_id, quantity=Decimal(quantity), against="mm")


def triggered(order_id: int) -> TriggerOrder:
    """Return the trigger of ann's stop."""
    return TriggerOrder(account="ann", symbol=BTC, order_id=order_id)


def placed(desk: Desk, account: str, quantity: str, price: str) -> OrderView:
    """Return a buyer's order that is in the book."""
    return desk.does(buy(account, quantity, price)).orders[0]


def test_an_order_is_filled_past_the_queue() -> None:
    """Better prices, and who came first at the price, stay as they are; the trade is at the order's own price."""
    desk = a_desk()
    placed(desk, "bob", "1", "102")
    placed(desk, "bob", "1", "100")
    order_id = placed(desk, "ann", "1", "100").order_id
    (filled,) = desk.does(forced(order_id, "0.4")).orders
    assert (filled.status, filled.filled, filled.filled_quote) == ("PARTIALLY_FILLED", Decimal("0.4"), Decimal(40))
    assert [(price, quantity) for price, quantity in desk.exchange.depth(BTC, 5).bids] == [
        (Decimal(102), Decimal(1)),
        (Decimal(100), Decimal("1.6")),
    ]
    assert {one.status for one in desk.exchange.orders("bob")} == {"NEW"}
    assert (desk.exchange.trades(BTC)[-1].price, desk.exchange.trades(BTC)[-1].buyer_order_id) == (
        Decimal(100),
        order_id,
    )


def test_no_more_is_filled_than_is_wanted() -> None:
    """A trade by force fills an order at most, and it pays its fee like any maker."""
    desk = a_desk()
    filled = desk.does(forced(placed(desk, "ann", "1", "100").order_id, "5"))
    assert (filled.orders[0].status, filled.orders[0].filled) == ("FILLED", Decimal(1))
    assert desk.exchange.balances("ann")["BTC"].free == Decimal("100.999")
    assert desk.exchange.balances("ann")["USDT"].locked == 0


def test_a_trade_by_force_triggers_what_any_trade_does() -> None:
    """A stop at the price of the trade goes off with it."""
    desk = a_desk()
    desk.does(sell("mm", "1", "101"))
    desk.does(buy("bob", "1", "101"))
    order_id = placed(desk, "ann", "1", "90").order_id
    stop = desk.does(order("bob", "SELL", "STOP_LOSS", "0.5", stop="95")).orders[0]
    desk.does(forced(order_id, "0.5"))
    after = desk.exchange.order("bob", BTC, order_id=stop.order_id)
    assert after is not None
    assert (after.status, after.filled_quote) == ("FILLED", Decimal(45))


def test_what_is_not_in_the_book_is_not_filled() -> None:
    """Orders that ended, and those that wait for their trigger, are as unknown as no order at all."""
    desk = a_desk()
    ended = placed(desk, "ann", "1", "100").order_id
    desk.does(forced(ended, "1"))
    waiting = desk.does(order("ann", "SELL", "STOP_LOSS", "1", stop="50")).orders[0].order_id
    for order_id in (ended, waiting, 4711):
        assert desk.refuses(forced(order_id, "1")) == refusals.UNKNOWN_ORDER


def test_the_other_side_has_to_pay() -> None:
    """An account that lacks what the trade takes is refused, and nothing is done."""
    desk = a_desk()
    order_id = placed(desk, "ann", "200", "100").order_id
    assert desk.refuses(forced(order_id, "101")) == refusals.INSUFFICIENT_BALANCE


def test_a_stop_is_triggered_whatever_the_price_is() -> None:
    """It sells at the best price there is, though that is far above its own; what it triggers goes off as well."""
    desk = a_desk()
    for price in ("100", "90"):
        desk.does(buy("mm", "1", price))
    stop = desk.does(order("ann", "SELL", "STOP_LOSS", "1.5", stop="50")).orders[0]
    other = desk.does(order("bob", "SELL", "STOP_LOSS", "0.5", stop="95")).orders[0]
    (filled,) = desk.does(triggered(stop.order_id)).orders
    assert (filled.status, filled.filled_quote) == ("FILLED", Decimal(145))
    assert desk.exchange.balances("ann")["BTC"].locked == 0
    after = desk.exchange.order("bob", BTC, order_id=other.order_id)
    assert after is not None
    assert (after.status, after.filled_quote) == ("FILLED", Decimal(45))


def test_what_waits_for_no_price_is_not_triggered() -> None:
    """An order in the book, one that ended, and none at all are as unknown as each other."""
    desk = a_desk()
    resting = placed(desk, "ann", "1", "100").order_id
    desk.does(buy("mm", "1", "100"))
    ended = desk.does(order("ann", "SELL", "STOP_LOSS", "0.5", stop="50")).orders[0].order_id
    desk.does(triggered(ended))
    for order_id in (resting, ended, 4711):
        assert desk.refuses(triggered(order_id)) == refusals.UNKNOWN_ORDER
