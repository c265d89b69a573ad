"""What the frames of the private stream mean."""

import json
from decimal import Decimal
from typing import Any, Final

import pytest

from shared.execution.vocabulary import OrderTold, TransferTold, VenueStatus
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.gateway.venues.venue import (
    Frame,
    StreamEnding,
    Subscribed,
    SubscriptionRefused,
    UnreadableError,
)

# As the venue's documentation has it.
REPORT: Final[dict[str, Any]] = {
    "e": "executionReport",
    "E": 1_499_405_658_658,
    "s": "ETHBTC",
    "c": "mUvoqJxFIILMdfAW5iGSOW",
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "1.00000000",
    "p": "0.10264410",
    "P": "0.00000000",
    "F": "0.00000000",
    "g": -1,
    "C": "",
    "x": "NEW",
    "X": "NEW",
    "r": "NONE",
    "i": 4_293_153,
    "l": "0.00000000",
    "z": "0.00000000",
    "L": "0.00000000",
    "n": "0",
    "N": None,
    "T": 1_499_405_658_657,
    "t": -1,
    "v": 3,
    "I": 8_641_984,
    "w": True,
    "m": False,
    "M": False,
    "O": 1_499_405_658_657,
    "Z": "0.00000000",
    "Y": "0.00000000",
    "Q": "0.00000000",
    "W": 1_499_405_658_657,
    "V": "EXPIRE_MAKER",
}
TRADE: Final = {"x": "TRADE", "t": 77, "l": "0.4", "L": "0.1", "Y": "0.04", "n": "0.0004", "N": "ETH", "m": True}


def read(frame: object) -> Frame:
    """Read a frame."""
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return VENUES["binance"].frame_read(text, {"ETHBTC": "ETH/BTC"})


def event(**fields: object) -> dict[str, object]:
    """Return a frame with the report, and something else in it."""
    return {"subscriptionId": 0, "event": {**REPORT, **fields}}


def told(**fields: object) -> OrderTold:
    """Return what is told by the report with something else in it."""
    frame = read(event(**fields))
    assert isinstance(frame, OrderTold)
    return frame


def test_report_names_the_order() -> None:
    """A report tells of the order by both ids, when it happened, and how far it is."""
    order = told().order
    assert (order.symbol, order.client_order_id, order.venue_order_id) == (
        "ETH/BTC",
        "mUvoqJxFIILMdfAW5iGSOW",
        "4293153",
    )
    assert (order.side, order.status, order.venue_time_ns) == ("buy", "open", 1_499_405_658_657_000_000)
    assert (order.quantity, order.executed_quantity) == (Decimal(1), Decimal(0))


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("PENDING_NEW", "open"),
        ("PARTIALLY_FILLED", "open"),
        ("FILLED", "filled"),
        ("CANCELED", "canceled"),
        ("EXPIRED", "expired"),
        ("EXPIRED_IN_MATCH", "expired"),
        ("REJECTED", "rejected"),
    ],
)
def test_each_state_has_its_word(status: str, meant: VenueStatus) -> None:
    """Every state of the venue's is one of ours."""
    assert told(X=status, z="1.00000000").order.status == meant


@pytest.mark.parametrize("original", ["", "null", None])
def test_order_keeps_its_name_where_nothing_was_cancelled(original: str | None) -> None:
    """As long as no cancellation is told the order's name is in its usual place."""
    assert told(C=original).order.client_order_id == "mUvoqJxFIILMdfAW5iGSOW"


def test_cancelled_order_is_told_under_its_own_name() -> None:
    """Where a cancellation is told its own name is in that place, and the order's in another."""
    assert told(c="of-the-cancellation", C="mine", x="CANCELED", X="CANCELED").order.client_order_id == "mine"


def test_trade_comes_with_its_fee() -> None:
    """A report of a trade has the trade in it."""
    trade = told(**TRADE).trade
    assert trade is not None
    assert (trade.trade_id, trade.price, trade.quantity) == (77, Decimal("0.1"), Decimal("0.4"))
    assert (trade.quote_quantity, trade.fee, trade.fee_asset) == (Decimal("0.04"), Decimal("0.0004"), "ETH")
    assert (trade.liquidity, trade.symbol, trade.side, trade.venue_order_id) == ("maker", "ETH/BTC", "buy", "4293153")


def test_fee_of_nothing_is_in_the_quote_asset() -> None:
    """Where nothing is charged the venue names no asset."""
    trade = told(**{**TRADE, "n": "0", "N": None}).trade
    assert trade is not None
    assert (trade.fee, trade.fee_asset) == (Decimal(0), "BTC")


def test_transfer_told_twice_has_one_reference() -> None:
    """The same transfer has the same reference whenever and over whichever connection it is told."""
    transfer = {"e": "balanceUpdate", "E": 1_573_200_697_110, "a": "BTC", "d": "-100.00", "T": 1_573_200_697_068}
    frames = [read({"subscriptionId": number, "event": {**transfer, "E": number}}) for number in range(2)]
    assert frames[0] == frames[1]
    assert frames[0] == TransferTold(
        "BTC", Decimal(-100), "balanceUpdate/BTC/1573200697068/-100.00", 1_573_200_697_068_000_000
    )


@pytest.mark.parametrize(
    ("frame", "meant"),
    [
        ({"id": 1, "status": 200, "result": {"subscriptionId": 0}}, Subscribed()),
        (
            {"id": 1, "status": 401, "error": {"code": -2015, "msg": "Invalid API-key."}},
            SubscriptionRefused("Invalid API-key. (-2015)", is_final=True),
        ),
        (
            {"id": 1, "status": 400, "error": {"code": -1021, "msg": "Timestamp."}},
            SubscriptionRefused("Timestamp. (-1021)", is_final=False),
        ),
        ({"event": {"e": "eventStreamTerminated", "E": 1}}, StreamEnding("the venue says eventStreamTerminated")),
        ({"event": {"e": "serverShutdown", "E": 1}}, StreamEnding("the venue says serverShutdown")),
        ({"subscriptionId": 0, "event": {"e": "outboundAccountPosition", "E": 1, "B": []}}, None),
        ({"subscriptionId": 0, "event": {"e": "listStatus", "E": 1}}, None),
        ({"subscriptionId": 0, "event": {"e": "somethingToCome"}}, None),
        ({"somethingToCome": 1}, None),
    ],
)
def test_frame_that_is_no_report(frame: object, meant: Frame) -> None:
    """Answers and ends have their meaning, and what nobody needs has none."""
    assert read(frame) == meant


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "<html>",
        "[" * 100_000,
        event(X="A_STATE_TO_COME"),
        event(q="NaN"),
        event(z="-1"),
        event(i=None),
        event(**{**TRADE, "L": "Infinity"}),
        {"event": {"e": "executionReport"}},
        {"event": {"e": "balanceUpdate", "a": "BTC", "d": "NaN", "T": 1}},
        {"event": {}},
        {"event": 7},
    ],
    ids=lambda frame: str(frame)[-40:],
)
def test_frame_that_cannot_be_read_is_refused(frame: object) -> None:
    """A frame that might have told of a fill is not passed over."""
    with pytest.raises(UnreadableError):
        read(frame)


def test_stop_is_told_as_one() -> None:
    """A venue takes only a few of them on a symbol."""
    assert told(o="STOP_LOSS").order.is_stop
    assert not told().order.is_stop
