"""Wrong prices, in every form in which the venue tells prices: nothing but the prices is touched."""

from decimal import Decimal
from typing import Any, Final

import pytest

from services.sim_exchange.face.layout import (
    book_ticker_answer,
    book_ticker_event,
    depth_answer,
    fixed,
    kline_answer,
    kline_event,
    trade_answer,
    trade_event,
)
from services.sim_exchange.faults.prices import WrongPrices
from services.sim_exchange.faults.vocabulary import WrongPrice
from services.sim_exchange.market.bars import Kline
from services.sim_exchange.venue.vocabulary import Depth, Traded

BTC: Final = "BTCUSDT"
HUNDRED: Final = Decimal(100)
TRADE: Final = Traded(
    symbol=BTC,
    trade_id=7,
    price=HUNDRED,
    quantity=Decimal(3),
    buyer_order_id=1,
    seller_order_id=2,
    buyer_is_maker=True,
    time_ms=1_000,
)
BAR: Final = Kline(
    open_ms=0,
    close_ms=59_999,
    open=HUNDRED,
    high=HUNDRED,
    low=HUNDRED,
    close=HUNDRED,
    volume=Decimal(3),
    quote_volume=Decimal(301),
    trades=2,
    taker_buy_volume=Decimal(1),
    taker_buy_quote_volume=Decimal(101),
)
DEPTH: Final = Depth(update_id=9, bids=((HUNDRED, Decimal(3)),), asks=((HUNDRED, Decimal(4)),))

# Each with how often a price of 100 stands in it.
FORMS: Final[list[tuple[str, Any, int]]] = [
    ("trade", trade_event(TRADE, 1_000), 1),
    ("trades", [trade_answer(TRADE)], 1),
    ("bookTicker", book_ticker_event(BTC, DEPTH), 2),
    ("bookTicker answer", book_ticker_answer(BTC, DEPTH), 2),
    ("depth", depth_answer(DEPTH), 2),
    (
        "depthUpdate",
        {"e": "depthUpdate", "U": 1, "u": 2, "b": [(fixed(HUNDRED), "3")], "a": [(fixed(HUNDRED), "4")]},
        2,
    ),
    ("kline", kline_event(BTC, "1m", BAR, 1_000), 4),
    ("klines", [kline_answer(BAR), kline_answer(BAR)], 8),
    ("avgPrice", {"mins": 5, "price": fixed(HUNDRED), "closeTime": 1_000}, 1),
]


def leaves(value: object) -> list[object]:
    """Return everything that stands in an event or an answer, in its order."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


@pytest.mark.parametrize(
    ("price", "told"),
    [("zero", "0.00000000"), ("negative", "-100.00000000"), ("nan", "NaN"), ("thousandfold", "100000.00000000")],
)
@pytest.mark.parametrize(("form", "value", "count"), FORMS, ids=[form for form, _, _ in FORMS])
def test_every_price_is_wrong_and_nothing_else(form: str, value: object, count: int, price: str, told: str) -> None:
    """Each price becomes what the fault says; amounts, times and numbers stay."""
    fault = WrongPrice(price=price)  # type: ignore[arg-type]  # the words of the table are the words of the kind
    before, after = leaves(value), leaves(WrongPrices().told(fault, "f1", form, value))
    changed = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
    assert changed == [(fixed(HUNDRED), told)] * count


@pytest.mark.parametrize(("form", "value", "count"), FORMS, ids=[form for form, _, _ in FORMS])
def test_stale_prices_stand_and_all_else_goes_on(form: str, value: object, count: int) -> None:
    """The first prices of a place are told again and again, each place its own, until the fault is forgotten."""
    fault, prices = WrongPrice(price="stale"), WrongPrices()
    moved = WrongPrices().told(WrongPrice(price="thousandfold"), "f2", form, value)
    assert prices.told(fault, "f1", form, value) == value
    assert leaves(prices.told(fault, "f1", form, moved)) == leaves(value)
    assert leaves(prices.told(fault, "f1", "elsewhere", moved)) == leaves(moved)
    prices.forget("f1")
    assert leaves(prices.told(fault, "f1", form, moved)).count("100000.00000000") == count


def test_stale_prices_of_many_symbols_stay_with_their_symbols() -> None:
    """A list that holds other symbols the next time takes no price from another's."""
    fault, prices = WrongPrice(price="stale"), WrongPrices()
    bitcoin, ether = ({"s": symbol, "c": price} for symbol, price in (("BTCUSDT", "100"), ("ETHUSDT", "5")))
    prices.told(fault, "f1", "!miniTicker@arr", [bitcoin, ether])
    told = prices.told(fault, "f1", "!miniTicker@arr", [{"s": "ETHUSDT", "c": "6"}, {"s": "SOLUSDT", "c": "7"}])
    assert told == [{"s": "ETHUSDT", "c": "5"}, {"s": "SOLUSDT", "c": "7"}]


def test_crossed_books_have_their_sides_exchanged() -> None:
    """The bid is where the ask was, with its quantity where there is one beside it."""
    told: Any = WrongPrices().told(WrongPrice(price="crossed"), "f1", "depth", depth_answer(DEPTH))
    assert (told["bids"][0][1], told["asks"][0][1]) == ("4.00000000", "3.00000000")
