"""What is remembered has a bound, and beyond it the oldest is forgotten."""

from decimal import Decimal

import pytest

from services.sim_exchange.venue import accounts, listing
from services.sim_exchange.venue.vocabulary import CancelOrder, Transfer
from tests.services.sim_exchange.venue.builders import BTC, FIRST_ID, a_desk, buy, leg, oco, sell

MORE = 25


def test_trades_and_ended_orders_are_remembered_up_to_a_number() -> None:
    """The newest of each are there; an order that was forgotten is not found by its id or its client id."""
    desk = a_desk()
    for account, asset in (("mm", "BTC"), ("ann", "USDT")):
        desk.does(Transfer(account=account, asset=asset, amount=Decimal(1_000_000)))
    count = max(accounts.ORDERS_REMEMBERED, accounts.TRADES_REMEMBERED, listing.TRADES_REMEMBERED) + MORE
    for number in range(count):
        desk.does(buy("ann", "0.1", "100", name=f"n{number}"))
        desk.does(sell("mm", "0.1", "100"))
        desk.told.clear()
    orders = desk.exchange.orders("ann")
    assert len(orders) == accounts.ORDERS_REMEMBERED
    assert orders[0].client_id == f"n{count - accounts.ORDERS_REMEMBERED}"
    assert desk.exchange.order("ann", BTC, client_id="n0") is None
    assert desk.exchange.order("ann", BTC, order_id=1) is None
    assert len(desk.exchange.own_trades("ann", BTC)) == accounts.TRADES_REMEMBERED
    public = desk.exchange.trades(BTC)
    assert (len(public), public[-1].trade_id) == (listing.TRADES_REMEMBERED, FIRST_ID + count - 1)


def test_an_open_order_is_never_forgotten() -> None:
    """Only what ended counts towards the bound."""
    desk = a_desk()
    desk.does(buy("ann", "1", "90", name="old"))
    for _ in range(accounts.ORDERS_REMEMBERED + MORE):
        desk.does(buy("ann", "1", "91", name="brief"))
        desk.does(CancelOrder(account="ann", symbol=BTC, client_id="brief"))
        desk.told.clear()
    assert [order.client_id for order in desk.exchange.orders("ann", only_open=True)] == ["old"]
    assert desk.exchange.order("ann", BTC, client_id="old") is not None


def test_lists_that_are_done_are_remembered_up_to_a_number() -> None:
    """The newest lists are there."""
    desk = a_desk()
    for _ in range(accounts.LISTS_REMEMBERED + MORE):
        desk.does(oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110", name="a"), leg("STOP_LOSS", stop="90", name="b")))
        desk.does(CancelOrder(account="ann", symbol=BTC, client_id="a"))
    lists = desk.exchange.lists("ann")
    assert (len(lists), lists[0].list_id) == (accounts.LISTS_REMEMBERED, FIRST_ID + MORE)


def test_nothing_is_remembered_of_the_market_s_own_that_ended() -> None:
    """An order of the market is known while it is open, and nobody is told of it or of its balances."""
    desk = a_desk()
    desk.told.clear()
    desk.does(sell("mm", "1", "100", name="ask"))
    desk.does(buy("ann", "0.5", "100"))
    assert [order.client_id for order in desk.exchange.orders("mm")] == ["ask"]
    desk.does(CancelOrder(account="mm", symbol=BTC, client_id="ask"))
    assert desk.exchange.orders("mm") == []
    assert desk.exchange.own_trades("mm", BTC) == []
    with pytest.raises(AssertionError):
        desk.does(CancelOrder(account="mm", symbol=BTC, client_id="ask"))
    assert not [event for event in desk.told if "mm" in str(event)]
