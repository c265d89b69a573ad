"""What a symbol's filters let through, and what the venue says when they do not."""

from decimal import Decimal
from typing import Final

import pytest

from services.sim_exchange.venue.vocabulary import CancelAll, PlaceOrder, SetRules, SymbolStatus
from tests.services.sim_exchange.venue.builders import BTC, a_desk, buy, leg, oco, order, rules, sell

TRADED_AT_100: Final = [sell("mm", "1", "100"), order("mm", "BUY", "MARKET", "1", stp="NONE")]


def stop(quantity: str, price: str) -> PlaceOrder:
    """Return a stop-loss to sell."""
    return order("ann", "SELL", "STOP_LOSS", quantity, stop=price)


# The tick is 0.01, prices go to 100000; the step is 0.001, quantities go to 9000, at the market to 50; an order is of
# 5 to 500000 USDT; its price is half to twice the average.
REFUSED: Final = [
    (buy("ann", "1", "100.005"), "-1013 Filter failure: PRICE_FILTER"),
    (buy("ann", "1", "100000.01"), "-1013 Filter failure: PRICE_FILTER"),
    (buy("ann", "1", "0.001"), "-1013 Filter failure: PRICE_FILTER"),
    (buy("ann", "1", "100.000000001"), "-1111 Parameter 'price' has too much precision."),
    (buy("ann", "1", "0"), "-1013 Invalid price."),
    (stop("1", "90.005"), "-1013 Filter failure: PRICE_FILTER"),
    (stop("1", "90.000000001"), "-1111 Parameter 'stopPrice' has too much precision."),
    (buy("ann", "1.0005", "100"), "-1013 Filter failure: LOT_SIZE"),
    (buy("ann", "9000.001", "10"), "-1013 Filter failure: LOT_SIZE"),
    (buy("ann", "0.0001", "100"), "-1013 Filter failure: LOT_SIZE"),
    (buy("ann", "1.000000001", "100"), "-1111 Parameter 'quantity' has too much precision."),
    (buy("ann", "0", "100"), "-1013 Invalid quantity."),
    (order("ann", "BUY", "MARKET", "50.001"), "-1013 Filter failure: MARKET_LOT_SIZE"),
    (stop("50.001", "90"), "-1013 Filter failure: MARKET_LOT_SIZE"),
    (order("ann", "BUY", "MARKET", None, quote="0"), "-1013 Invalid quantity."),
    (
        order("ann", "BUY", "MARKET", None, quote="10.000000001"),
        "-1111 Parameter 'quoteOrderQty' has too much precision.",
    ),
    (buy("ann", "0.049", "100"), "-1013 Filter failure: NOTIONAL"),
    (buy("ann", "5000.1", "100"), "-1013 Filter failure: NOTIONAL"),
    (order("ann", "BUY", "MARKET", "0.049"), "-1013 Filter failure: NOTIONAL"),
    (order("ann", "BUY", "MARKET", None, quote="4.99"), "-1013 Filter failure: NOTIONAL"),
    (stop("0.055", "90"), "-1013 Filter failure: NOTIONAL"),
    (buy("ann", "1", "49.99"), "-1013 Filter failure: PERCENT_PRICE_BY_SIDE"),
    (sell("ann", "1", "200.01"), "-1013 Filter failure: PERCENT_PRICE_BY_SIDE"),
]

LET_THROUGH: Final = [
    buy("ann", "1", "100.01000000000"),
    buy("ann", "1.00000000000", "50"),
    sell("ann", "1", "200"),
    buy("ann", "0.05", "100"),
    order("ann", "BUY", "MARKET", "0.05"),
    order("ann", "BUY", "MARKET", None, quote="5"),
    stop("50", "90"),
]


@pytest.mark.parametrize(("asked", "answer"), REFUSED, ids=lambda part: part if isinstance(part, str) else "")
def test_an_order_that_a_filter_stops_is_told_which(asked: PlaceOrder, answer: str) -> None:
    """An order outside a filter is refused in the venue's number and words, and changes nothing."""
    desk = a_desk()
    for command in TRADED_AT_100:
        desk.does(command)
    refused = desk.refuses(asked)
    assert f"{refused.code} {refused.message}" == answer


@pytest.mark.parametrize("asked", LET_THROUGH)
def test_an_order_at_the_edge_of_a_filter_passes(asked: PlaceOrder) -> None:
    """What a filter allows at most or at least is allowed, however many zeros it was written with."""
    desk = a_desk()
    for command in (*TRADED_AT_100, sell("mm", "10", "100")):
        desk.does(command)
    desk.does(asked)


def test_a_symbol_that_is_not_listed_is_invalid() -> None:
    """An order for an unknown symbol is refused."""
    assert a_desk().refuses(order("ann", "BUY", "MARKET", "1", symbol="XYZUSDT")).message == "Invalid symbol."


def test_only_so_many_orders_may_be_open() -> None:
    """The order after the last that is allowed is refused until one ends; a market order is not counted."""
    desk = a_desk()
    for price in range(90, 100):
        desk.does(buy("ann", "1", str(price)))
    assert desk.refuses(buy("ann", "1", "80")).message == "Filter failure: MAX_NUM_ORDERS"
    desk.does(order("ann", "BUY", "MARKET", "1"))
    desk.does(sell("bob", "1", "99"))
    desk.does(buy("ann", "1", "80"))


def test_only_so_many_stops_may_be_open() -> None:
    """Stops and take-profits are counted among themselves, too."""
    desk = a_desk()
    for price in ("90", "91", "92"):
        desk.does(stop("1", price))
    assert desk.refuses(stop("1", "93")).message == "Filter failure: MAX_NUM_ALGO_ORDERS"
    desk.does(sell("ann", "1", "100"))


def test_both_stops_of_an_oco_are_counted() -> None:
    """An OCO of a stop and a take-profit needs room for two of them, one beside a limit order for one."""
    desk = a_desk()
    for command in (*TRADED_AT_100, stop("1", "90"), stop("1", "91")):
        desk.does(command)
    loss = leg("STOP_LOSS", stop="92")
    refused = desk.refuses(oco("ann", "SELL", "1", leg("TAKE_PROFIT", stop="110"), loss))
    assert refused.message == "Filter failure: MAX_NUM_ALGO_ORDERS"
    desk.does(oco("ann", "SELL", "1", leg("LIMIT_MAKER", "110"), loss))


def test_the_market_s_own_orders_are_not_counted() -> None:
    """The synthetic market fills a book with as many orders as it likes."""
    desk = a_desk()
    for cents in range(100):
        desk.does(buy("mm", "1", f"90.{cents:02}"))


def test_prices_are_held_against_the_average_of_five_minutes() -> None:
    """The average weighs by quantity, forgets what is older than five minutes, and is then the last price."""
    desk = a_desk()
    for quantity, price in (("1", "100"), ("3", "140")):
        desk.does(sell("mm", quantity, price))
        desk.does(order("mm", "BUY", "MARKET", quantity, stp="NONE"))
    assert desk.exchange.average_price(BTC, desk.now_ms) == 130
    assert desk.refuses(buy("ann", "1", "64.99")).message == "Filter failure: PERCENT_PRICE_BY_SIDE"
    desk.does(buy("ann", "1", "65"))
    desk.now_ms += 302_000
    assert desk.exchange.average_price(BTC, desk.now_ms) == 140
    assert desk.refuses(buy("ann", "1", "69.99")).message == "Filter failure: PERCENT_PRICE_BY_SIDE"


@pytest.mark.parametrize("status", ["HALT", "BREAK"])
def test_a_halted_symbol_takes_cancels_but_no_orders(status: SymbolStatus) -> None:
    """In a halt new orders are refused, what is open stays, and can be cancelled."""
    desk = a_desk()
    desk.does(buy("ann", "1", "100", name="open"))
    desk.does(SetRules(rules=rules(status=status)))
    refused = desk.refuses(buy("ann", "1", "90"))
    assert (refused.code, refused.message) == (-1013, "Market is closed.")
    assert desk.exchange.depth(BTC, 5).bids == ((Decimal(100), Decimal(1)),)
    desk.does(CancelAll(account="ann", symbol=BTC))
    desk.does(SetRules(rules=rules()))
    desk.does(buy("ann", "1", "90"))


def test_filters_may_change_while_orders_are_open() -> None:
    """An open order keeps a price and a quantity that no new one may have, and is traded with."""
    desk = a_desk()
    desk.does(sell("ann", "1.001", "100.01"))
    desk.does(SetRules(rules=rules(tick_size=Decimal(1), step_size=Decimal("0.1"), quantity_min=Decimal("0.1"))))
    assert desk.refuses(buy("bob", "1", "100.01")).message == "Filter failure: PRICE_FILTER"
    assert desk.refuses(buy("bob", "1.001", "101")).message == "Filter failure: LOT_SIZE"
    answer = desk.does(buy("bob", "2", "101"))
    assert [(fill.price, fill.quantity) for fill in answer.fills[0]] == [(Decimal("100.01"), Decimal("1.001"))]
