"""Cancels, and one order in exchange for another."""

from decimal import Decimal
from typing import Final

import pytest

from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelOrder,
    CancelReplace,
    Done,
    OrderChanged,
    ReplaceMode,
    ReplaceRefused,
)
from tests.services.sim_exchange.venue.builders import BTC, FIRST_ID, Desk, a_desk, buy, leg, oco, rules, sell
from tests.services.sim_exchange.venue.cases import shown_balance, shown_order

UNKNOWN: Final = "Unknown order sent."


def cancelled(client_id: str) -> CancelOrder:
    """Return the cancel of an order of ann's."""
    return CancelOrder(account="ann", symbol=BTC, client_id=client_id, cancel_client_id="the cancel")


def replaced(client_id: str, mode: ReplaceMode = "STOP_ON_FAILURE", quantity: str = "2") -> CancelReplace:
    """Return the exchange of an order of ann's for another bid."""
    return CancelReplace(
        cancel=cancelled(client_id), place=buy("ann", quantity, "101", name="new"), cancel_replace_mode=mode
    )


def a_desk_with_a_bid() -> Desk:
    """Return an exchange where ann bids for one, as `old`."""
    desk = a_desk()
    desk.does(buy("ann", "1", "100", name="old"))
    return desk


def test_a_cancelled_order_gives_back_what_it_had_locked() -> None:
    """A partly filled order is cancelled with what it got; its owner hears the name of the cancel."""
    desk = a_desk_with_a_bid()
    desk.does(sell("bob", "0.4", "100"))
    desk.does(cancelled("old"))
    assert shown_order(desk, "ann", "old") == "CANCELED 0.4"
    assert shown_balance(desk, "ann", "USDT") == "99960 + 0"
    assert desk.exchange.depth(BTC, 1).bids == ()
    told = [event for event in desk.told if isinstance(event, OrderChanged) and event.execution == "CANCELED"]
    assert [(event.order.client_id, event.cancel_client_id) for event in told] == [("old", "the cancel")]


@pytest.mark.parametrize(
    "asked",
    [
        cancelled("never placed"),
        CancelOrder(account="ann", symbol=BTC, order_id=99),
        CancelOrder(account="ann", symbol=BTC),
        CancelOrder(account="ann", symbol=BTC, order_id=FIRST_ID, client_id="another"),
        CancelOrder(account="bob", symbol=BTC, order_id=FIRST_ID),
        CancelOrder(account="ann", symbol="ETHUSDT", client_id="old"),
        CancelAll(account="bob", symbol=BTC),
    ],
)
def test_what_is_not_there_cannot_be_cancelled(asked: CancelOrder | CancelAll) -> None:
    """No cancel reaches an order by a wrong id, account or symbol."""
    desk = a_desk(rules(), rules("ETHUSDT"))
    desk.does(buy("ann", "1", "100", name="old"))
    refused = desk.refuses(asked)
    assert (refused.code, refused.message) == (-2011, UNKNOWN)


def test_an_order_is_cancelled_once() -> None:
    """An order that ended cannot be cancelled."""
    desk = a_desk_with_a_bid()
    desk.does(CancelOrder(account="ann", symbol=BTC, order_id=FIRST_ID))
    assert desk.refuses(CancelOrder(account="ann", symbol=BTC, order_id=FIRST_ID)).message == UNKNOWN


def test_all_orders_of_a_symbol_are_cancelled_at_once() -> None:
    """Cancel-all ends plain orders and lists of the account on that symbol, and nothing else."""
    desk = a_desk(rules(), rules("ETHUSDT"))
    desk.does(buy("ann", "1", "90"))
    desk.does(buy("bob", "1", "90", name="bob's"))
    desk.does(oco("ann", "SELL", "2", leg("LIMIT_MAKER", "110"), leg("STOP_LOSS", stop="80")))
    answer = desk.does(CancelAll(account="ann", symbol=BTC))
    assert [order.status for order in answer.orders] == ["CANCELED"] * 3
    assert desk.exchange.orders("ann", only_open=True) == []
    assert shown_order(desk, "bob", "bob's") == "NEW 0"


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
def test_one_order_is_exchanged_for_another(mode: ReplaceMode) -> None:
    """What the old one had locked is there for the new one; the answer has both."""
    desk = a_desk_with_a_bid()
    answer = desk.does(replaced("old", mode))
    assert [(order.client_id, order.status) for order in answer.orders] == [("old", "CANCELED"), ("new", "NEW")]
    assert shown_balance(desk, "ann", "USDT") == "99798 + 202"


@pytest.mark.parametrize(
    ("asked", "code", "halves", "still_open"),
    [
        (replaced("none"), -2022, (UNKNOWN, None), ["old"]),
        (replaced("none", "ALLOW_FAILURE"), -2021, (UNKNOWN, "done"), ["old", "new"]),
        (replaced("old", quantity="1001"), -2021, ("done", "insufficient"), []),
        (replaced("none", "ALLOW_FAILURE", quantity="1001"), -2022, (UNKNOWN, "insufficient"), ["old"]),
    ],
)
def test_an_exchange_of_orders_says_which_half_failed(
    asked: CancelReplace, code: int, halves: tuple[str, str | None], still_open: list[str]
) -> None:
    """The new order is tried after a failed cancel only where that was asked for."""
    desk = a_desk_with_a_bid()
    answer = desk.send(asked).answer
    assert isinstance(answer, ReplaceRefused)
    assert answer.code == code
    for half, expected in zip((answer.cancelled, answer.placed), halves, strict=True):
        shown = None if half is None else "done" if isinstance(half, Done) else half.message
        assert expected == shown or (expected == "insufficient" and "insufficient" in str(shown))
    assert [order.client_id for order in desk.exchange.orders("ann", only_open=True)] == still_open


def test_an_exchange_whose_new_order_a_filter_stops_cancels_nothing() -> None:
    """Filters are looked at before the cancel."""
    desk = a_desk_with_a_bid()
    refused = desk.refuses(replaced("old", quantity="1.0001"))
    assert refused.message == "Filter failure: LOT_SIZE"
    assert desk.exchange.depth(BTC, 1).bids == ((Decimal(100), Decimal(1)),)
