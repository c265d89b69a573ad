"""What an answer proves: a table of answers of the venue, of those in between, and of nobody."""

import json
from decimal import Decimal
from typing import Any, Final, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    NotSent,
    ReadOrder,
    ReadTrades,
    Rejected,
    Unproved,
    VenueOrder,
)
from shared.mesh.gateway.classification import (
    Failure,
    NoSuchOrder,
    answer_read,
    canceling_outcome,
    order_found,
    sending_outcome,
    trades_found,
)
from shared.mesh.gateway.reply import Heard, Reply, Silence
from shared.mesh.gateway.venues.catalog import VENUES
from tests.shared.mesh.gateway.opened import CLIENT_ID, SYMBOL, an_order

VENUE: Final = VENUES["binance"]
SYMBOLS: Final = {"BTCUSDT": SYMBOL, "ETHUSDT": "ETH/USDT"}
SENT: Final = an_order()
PAGE: Final = "<html><head><title>502 Bad Gateway</title></head><body>cloudfront</body></html>"
ORDER: Final[dict[str, Any]] = {
    "symbol": "BTCUSDT",
    "orderId": 28,
    "orderListId": -1,
    "clientOrderId": CLIENT_ID,
    "transactTime": 1_507_725_176_595,
    "price": "59000.00000000",
    "origQty": "0.10000000",
    "executedQty": "0.00000000",
    "status": "NEW",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "BUY",
}
CANCELED: Final = {**ORDER, "origClientOrderId": CLIENT_ID, "clientOrderId": "cancelMyOrder1", "status": "CANCELED"}

Kind = Literal["acknowledged", "rejected", "unproved"]
KINDS: Final = {"acknowledged": Acknowledged, "rejected": Rejected, "unproved": Unproved}


def said(code: int, text: str) -> str:
    """Return a complaint as the venue writes it."""
    return json.dumps({"code": code, "msg": text})


def changed(**fields: object) -> str:
    """Return the acknowledgement of our order with something else in it; None takes a field out."""
    return json.dumps({name: value for name, value in {**ORDER, **fields}.items() if value is not None})


ROWS: Final[list[tuple[Kind, int, str]]] = [
    # The venue has it.
    ("acknowledged", 200, changed()),
    ("acknowledged", 201, changed()),
    ("acknowledged", 200, changed(status="FILLED", executedQty="0.10000000")),
    ("acknowledged", 200, changed(status="PARTIALLY_FILLED", executedQty="0.05")),
    ("acknowledged", 200, changed(status="EXPIRED")),
    ("acknowledged", 200, changed(status="EXPIRED_IN_MATCH")),
    ("acknowledged", 200, changed(status="PENDING_NEW")),
    ("acknowledged", 200, changed(fills=[], workingTime=1, aFieldToCome={})),
    # Success that proves nothing: what ccxt takes for an order.
    ("unproved", 200, ""),
    ("unproved", 200, "{}"),
    ("unproved", 200, "[]"),
    ("unproved", 200, "null"),
    ("unproved", 200, changed()[:80]),
    ("unproved", 200, PAGE),
    ("unproved", 200, "[" * 100_000),
    ("unproved", 200, changed() + changed()),
    ("unproved", 200, changed(orderId=None)),
    ("unproved", 200, changed(orderId="")),
    ("unproved", 200, changed(orderId=-1)),
    ("unproved", 200, changed(clientOrderId=None)),
    ("unproved", 200, changed(clientOrderId="")),
    ("unproved", 200, changed(clientOrderId="somebody-elses")),
    ("unproved", 200, changed(clientOrderId=CLIENT_ID.upper())),
    ("unproved", 200, changed(symbol="ETHUSDT")),
    ("unproved", 200, changed(side="SELL")),
    ("unproved", 200, changed(origQty="1.00000000")),
    ("unproved", 200, changed(executedQty="NaN")),
    ("unproved", 200, changed(executedQty="-1")),
    ("unproved", 200, changed(executedQty="0.2")),
    ("unproved", 200, changed(status="FILLED", executedQty="0.06")),
    ("unproved", 200, changed(origQty="0.1000000000000000")),
    ("unproved", 200, changed(status=None)),
    ("unproved", 200, changed(status="A_STATE_TO_COME")),
    ("unproved", 200, changed(transactTime=None)),
    ("unproved", 200, said(-2010, "Account has insufficient balance for requested action.")),
    ("unproved", 204, ""),
    ("unproved", 302, PAGE),
    ("unproved", 500, changed()),
    # Definite refusals, each by its status, its code and its words.
    ("rejected", 400, said(-2010, "Account has insufficient balance for requested action.")),
    ("rejected", 400, said(-2010, "Order would immediately match and take.")),
    ("rejected", 400, said(-2010, "Stop price would trigger immediately.")),
    ("rejected", 400, said(-2010, "Market is closed.")),
    ("rejected", 400, said(-2010, "This action is disabled on this account.")),
    ("rejected", 400, said(-2010, "Stop loss orders are not supported for this symbol.")),
    ("rejected", 400, said(-1013, "Filter failure: LOT_SIZE")),
    ("rejected", 400, said(-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")),
    ("rejected", 400, said(-1013, "Market is closed.")),
    ("rejected", 400, said(-1021, "Timestamp for this request is outside of the recvWindow.")),
    ("rejected", 400, said(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")),
    ("rejected", 400, said(-1022, "Signature for this request is not valid.")),
    ("rejected", 400, said(-1100, "Illegal characters found in parameter 'quantity'; legal range is '^[0-9]+$'.")),
    ("rejected", 400, said(-1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed.")),
    ("rejected", 400, said(-1111, "Parameter 'quantity' has too much precision.")),
    ("rejected", 400, said(-1112, "No orders on book for symbol.")),
    ("rejected", 400, said(-1121, "Invalid symbol.")),
    ("rejected", 401, said(-2014, "API-key format invalid.")),
    ("rejected", 401, said(-2015, "Invalid API-key, IP, or permissions for action.")),
    ("rejected", 418, said(-1003, "Way too much request weight used; IP banned until 1573200697110.")),
    ("rejected", 429, said(-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.")),
    ("rejected", 429, said(-1015, "Too many new orders; current limit is 100 orders per 10 SECOND.")),
    # Codes that the venue itself does not know the end of, whatever the status.
    ("unproved", 400, said(-1000, "An unknown error occurred while processing the request.")),
    ("unproved", 500, said(-1001, "Internal error; unable to process your request. Please try again.")),
    ("unproved", 400, said(-1006, "An unexpected response was received from the message bus.")),
    ("unproved", 500, said(-1006, "An unexpected response was received from the message bus.")),
    ("unproved", 408, said(-1007, "Timeout waiting for response from backend server. Send status unknown.")),
    ("unproved", 503, said(-1007, "Timeout waiting for response from backend server. Send status unknown.")),
    ("unproved", 503, said(-1008, "Server is currently overloaded with other requests.")),
    ("unproved", 503, said(-1016, "This service is no longer available.")),
    # An open order of this id is most likely this one.
    ("unproved", 400, said(-2010, "Duplicate order sent.")),
    # The right code with words nobody knows, with the wrong status, or the right words with another code.
    ("unproved", 400, said(-2010, "Order was placed, but something else went wrong.")),
    ("unproved", 400, said(-2010, "Market is closed. Order accepted.")),
    ("unproved", 500, said(-2010, "Account has insufficient balance for requested action.")),
    ("unproved", 503, said(-1021, "Timestamp for this request is outside of the recvWindow.")),
    ("unproved", 504, said(-1013, "Filter failure: LOT_SIZE")),
    ("unproved", 400, said(-1003, "Too much request weight used.")),
    ("unproved", 400, said(-9999, "Account has insufficient balance for requested action.")),
    ("unproved", 400, said(-2011, "Unknown order sent.")),
    ("unproved", 400, said(-2013, "Order does not exist.")),
    ("unproved", 400, json.dumps({"code": "-2010", "msg": "Market is closed."})),
    ("unproved", 400, json.dumps({"code": -2010})),
    ("unproved", 400, ""),
    # Those who stand in between.
    ("unproved", 403, PAGE),
    ("unproved", 404, PAGE),
    ("unproved", 409, "{}"),
    ("unproved", 418, PAGE),
    ("unproved", 429, ""),
    ("unproved", 500, PAGE),
    ("unproved", 502, "upstream connect error or disconnect/reset before headers"),
    ("unproved", 503, ""),
    ("unproved", 504, PAGE),
    *[("unproved", status, PAGE) for status in (505, 511, 520, 521, 522, 523, 524, 525, 527, 529, 530, 598, 599)],
    *[("unproved", status, "") for status in (407, 408, 421, 425, 451, 499, 509, 523, 524)],
]


def reply(status: int, body: str) -> Reply:
    """Make an answer."""
    return Reply(status, {}, body)


@pytest.mark.parametrize(("kind", "status", "body"), ROWS, ids=[f"{row[1]} {row[2][:48]}" for row in ROWS])
def test_what_an_answer_proves_of_an_order(kind: Kind, status: int, body: str) -> None:
    """Each answer proves what its row says, and no more."""
    outcome = sending_outcome(reply(status, body), SENT, VENUE, SYMBOLS)
    assert isinstance(outcome, KINDS[kind]), outcome


@pytest.mark.parametrize("status", [400, 401, 403, 408, 418, 429, 500, 503])
@pytest.mark.parametrize("code", [None, -1000, -1003, -1006, -1007, -1008, -1013, -1021, -2010, -2011, -2013, -2015])
@pytest.mark.parametrize("text", ["", "Duplicate order sent.", "Unknown error."])
def test_refusals_need_the_venues_words_where_they_differ(status: int, code: int | None, text: str) -> None:
    """Of codes that mean several things, nothing but known words is a refusal."""
    body = PAGE if code is None else said(code, text)
    outcome = sending_outcome(reply(status, body), SENT, VENUE, SYMBOLS)
    is_told_by_code_alone = (status, code) in {(400, -1013), (401, -2015), (400, -2015)}
    assert isinstance(outcome, Rejected if is_told_by_code_alone else Unproved)


@given(status=st.integers(100, 999), body=st.text() | st.sampled_from([row[2] for row in ROWS]))
def test_whatever_comes_is_judged(status: int, body: str) -> None:
    """No answer raises, only 2xx acknowledges, and no 2xx and no 5xx refuses."""
    outcome = sending_outcome(reply(status, body), SENT, VENUE, SYMBOLS)
    assert not isinstance(outcome, Acknowledged) or 200 <= status < 300
    assert not isinstance(outcome, Rejected) or 400 <= status < 500
    assert not isinstance(outcome, NotSent)


def test_acknowledgement_says_what_the_venue_says() -> None:
    """What is acknowledged is the order as the venue has it, in our own words."""
    body = changed(status="PARTIALLY_FILLED", executedQty="0.05")
    outcome = sending_outcome(reply(200, body), SENT, VENUE, SYMBOLS)
    assert outcome == Acknowledged(
        VenueOrder(
            symbol=SYMBOL,
            client_order_id=CLIENT_ID,
            venue_order_id="28",
            side="buy",
            status="open",
            quantity=Decimal("0.1"),
            executed_quantity=Decimal("0.05"),
            venue_time_ns=1_507_725_176_595_000_000,
        )
    )


@pytest.mark.parametrize(
    ("heard", "outcome"),
    [
        (Silence("no answer within 3 s", may_have_left=True), Unproved(None, "", "no answer within 3 s")),
        (Silence("no connection", may_have_left=False), NotSent("no connection")),
        (reply(502, PAGE), Unproved(502, "", "HTTP 502: nothing of the venue's")),
        (reply(503, "busy\n <html>"), Unproved(503, "", "HTTP 503: busy")),
        (reply(500, said(-1001, "Internal error")), Unproved(500, "-1001", "HTTP 500: Internal error (-1001)")),
        (reply(400, said(-1121, "Invalid symbol.")), Rejected("-1121", "Invalid symbol.")),
        (reply(400, said(-1013, "Market is closed.")), Rejected("-1013", "Market is closed.", is_closed=True)),
        (reply(400, said(-2010, "Market is closed.")), Rejected("-2010", "Market is closed.", is_closed=True)),
        (reply(400, said(-1013, "Invalid price.")), Rejected("-1013", "Invalid price.")),
    ],
)
def test_outcome_gives_its_reason(heard: Heard, outcome: object) -> None:
    """What is not acknowledged says why, in the venue's words where there are any."""
    assert sending_outcome(heard, SENT, VENUE, SYMBOLS) == outcome


def test_reason_is_bounded() -> None:
    """However long an answer is, its reason is short."""
    for body in ("x" * 100_000, said(-1000, "x" * 100_000), said(-1121, "x" * 100_000)):
        outcome = sending_outcome(reply(400, body), SENT, VENUE, SYMBOLS)
        assert isinstance(outcome, Unproved | Rejected)
        assert len(outcome.reason) <= 200


CANCELS: Final[list[tuple[Kind, int, str]]] = [
    ("acknowledged", 200, json.dumps(CANCELED)),
    ("acknowledged", 200, json.dumps({**CANCELED, "status": "FILLED", "executedQty": "0.10000000"})),
    ("unproved", 200, json.dumps({**CANCELED, "status": "FILLED"})),
    ("unproved", 200, json.dumps({**CANCELED, "origClientOrderId": "somebody-elses"})),
    ("unproved", 200, changed()),
    ("unproved", 200, json.dumps({**CANCELED, "symbol": "ETHUSDT"})),
    ("unproved", 200, ""),
    ("unproved", 200, "{}"),
    ("unproved", 200, PAGE),
    ("unproved", 500, said(-1001, "Internal error")),
    ("unproved", 503, PAGE),
    ("rejected", 400, said(-2011, "Unknown order sent.")),
    ("rejected", 400, said(-1021, "Timestamp for this request is outside of the recvWindow.")),
    ("rejected", 429, said(-1003, "Too much request weight used; current limit is 6000 request weight per 1 MINUTE.")),
    ("unproved", 400, said(-2010, "Market is closed.")),
]


@pytest.mark.parametrize(("kind", "status", "body"), CANCELS, ids=[f"{row[1]} {row[2][-48:]}" for row in CANCELS])
def test_what_an_answer_proves_of_a_cancellation(kind: Kind, status: int, body: str) -> None:
    """A cancellation is acknowledged by the order's own id, not by that which the cancellation has itself."""
    outcome = canceling_outcome(reply(status, body), CancelOrder(CLIENT_ID, SYMBOL), VENUE, SYMBOLS)
    assert isinstance(outcome, KINDS[kind]), outcome


ASKED: Final = ReadOrder(CLIENT_ID, SYMBOL)
SHOWN: Final = {**ORDER, "transactTime": None, "updateTime": 1_507_725_176_595}


@pytest.mark.parametrize(
    ("kind", "heard"),
    [
        (VenueOrder, reply(200, json.dumps(SHOWN))),
        (NoSuchOrder, reply(400, said(-2013, "Order does not exist."))),
        (Failure, reply(200, json.dumps({**SHOWN, "clientOrderId": "somebody-elses"}))),
        (Failure, reply(200, json.dumps({**SHOWN, "symbol": "ETHUSDT"}))),
        (Failure, reply(200, "{}")),
        (Failure, reply(200, "")),
        (Failure, reply(200, said(-2013, "Order does not exist."))),
        (Failure, reply(500, said(-2013, "Order does not exist."))),
        (Failure, reply(404, PAGE)),
        (Failure, reply(400, said(-2013, "Something else."))),
        (Failure, reply(400, said(-2026, "Order was canceled or expired with no executed qty over 90 days ago."))),
        (Failure, reply(400, said(-2011, "Unknown order sent."))),
        (Failure, reply(400, said(-1121, "Invalid symbol."))),
        (Failure, reply(401, said(-2015, "Invalid API-key, IP, or permissions for action."))),
        (Failure, reply(429, "")),
        (Failure, Silence("no answer within 5 s", may_have_left=True)),
    ],
)
def test_what_a_question_for_an_order_learns(kind: type, heard: Heard) -> None:
    """Nothing but the venue's own word says that it has no such order."""
    assert isinstance(order_found(heard, ASKED, VENUE, SYMBOLS), kind)


def test_one_row_that_cannot_be_read_spoils_the_answer() -> None:
    """Half a list is no list: an order or a trade would be missing from it."""
    listed = json.dumps([SHOWN, {**SHOWN, "status": "A_STATE_TO_COME"}])
    assert isinstance(answer_read(reply(200, listed), VENUE, lambda body: VENUE.orders_read(body, SYMBOLS)), Failure)


def test_trades_of_another_symbol_are_a_failure() -> None:
    """Trades of another symbol are no answer to the question."""
    trade = {
        "symbol": "ETHUSDT",
        "id": 28_457,
        "orderId": 100_234,
        "price": "4.00000100",
        "qty": "12.00000000",
        "quoteQty": "48.000012",
        "commission": "10.10000000",
        "commissionAsset": "BNB",
        "time": 1_499_865_549_590,
        "isBuyer": True,
        "isMaker": False,
    }
    heard = reply(200, json.dumps([trade]))
    assert isinstance(trades_found(heard, ReadTrades(1, SYMBOL, None, None), VENUE, SYMBOLS), Failure)
    found = trades_found(heard, ReadTrades(1, "ETH/USDT", None, None), VENUE, SYMBOLS)
    assert isinstance(found, tuple)
    assert (found[0].trade_id, found[0].side, found[0].liquidity) == (28_457, "buy", "taker")


def test_order_of_a_symbol_that_is_not_listed_keeps_its_name() -> None:
    """An open order on a market that is not listed any more is told under the venue's own name of it."""
    listed = json.dumps([{**SHOWN, "symbol": "GONEUSDT"}])
    orders = answer_read(reply(200, listed), VENUE, lambda body: VENUE.orders_read(body, SYMBOLS))
    assert isinstance(orders, tuple)
    assert orders[0].symbol == "GONEUSDT"


def test_stops_among_the_open_orders_are_known() -> None:
    """A venue takes only a few orders that wait for a trigger, whoever placed them: they are counted by their type."""
    kinds = {"LIMIT": False, "LIMIT_MAKER": False, "STOP_LOSS": True, "STOP_LOSS_LIMIT": True, "TAKE_PROFIT": True}
    listed = json.dumps([{**SHOWN, "type": kind} for kind in kinds])
    orders = answer_read(reply(200, listed), VENUE, lambda body: VENUE.orders_read(body, SYMBOLS))
    assert isinstance(orders, tuple)
    assert [order.is_stop for order in orders] == list(kinds.values())
