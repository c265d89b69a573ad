"""What the unmodified ccxt says when placing an order goes wrong, and whether there is an order at the venue."""

import asyncio
from typing import Any, Final

import ccxt
import pytest

from services.sim_exchange.faults.reading import read_fault
from tests.services.sim_exchange.face.venue import Binance, until, within
from tests.services.sim_exchange.faults.sabotaged import CLIENT_ID, OTHER_CLIENT_ID, SYMBOL, Sabotaged, buy

NOTHING: Final = (None, None)  # no exception, and an order without an id: the most treacherous answer of all
PLACED: Final = True
NOT_PLACED: Final = False


def gateway(status: int, said: object, *, body: str = "html") -> list[object]:
    """Return both cases of a gateway's error: the order is there, and it is not."""
    return [
        pytest.param(
            "http_status",
            {"status": status, "executed": there, "body": body},
            said,
            there,
            id=f"{status}-{body}-{there}",
        )
        for there in (PLACED, NOT_PLACED)
    ]


def error(code: int, said: object, there: bool, **fields: object) -> object:  # noqa: FBT001  # a row of a table
    """Return a case of an error of the venue's."""
    name = f"{code}-{there}{'-words' if fields else ''}"
    return pytest.param("venue_error", {"code": code, "executed": there, **fields}, said, there, id=name)


CASES: Final = [
    pytest.param("drop_request", {}, "ExchangeNotAvailable", NOT_PLACED, id="drop_request"),
    pytest.param("drop_reply", {}, "ExchangeNotAvailable", PLACED, id="drop_reply"),
    *gateway(500, "ExchangeNotAvailable"),
    *gateway(502, "ExchangeNotAvailable"),
    *gateway(503, "ExchangeNotAvailable"),
    *gateway(504, "RequestTimeout", body="text"),
    *gateway(520, "ExchangeNotAvailable"),
    *gateway(523, NOTHING),
    *gateway(524, NOTHING, body="empty"),
    error(-1000, "OperationFailed", PLACED),
    error(-1001, "OperationFailed", NOT_PLACED),
    error(-1006, "OperationFailed", PLACED),
    error(-1006, "OperationFailed", NOT_PLACED),
    error(-1007, "RequestTimeout", PLACED),
    error(-1007, "RequestTimeout", NOT_PLACED),
    error(-1008, "OperationFailed", NOT_PLACED),
    error(-1015, "DDoSProtection", NOT_PLACED),
    error(-1021, "InvalidNonce", NOT_PLACED),
    error(-2010, "InsufficientFunds", NOT_PLACED),
    error(-2010, "InvalidOrder", PLACED, message="Duplicate order sent."),
    error(-2011, "OrderNotFound", NOT_PLACED),
    error(-2013, "OrderNotFound", NOT_PLACED),
    error(-2015, "AuthenticationError", NOT_PLACED),
    pytest.param("empty_body", {"executed": True}, NOTHING, PLACED, id="empty_body"),
    pytest.param("empty_body", {"executed": False}, NOTHING, NOT_PLACED, id="empty_body-not"),
    pytest.param("empty_object", {"executed": True}, NOTHING, PLACED, id="empty_object"),
    pytest.param("garbage_body", {"executed": True}, NOTHING, PLACED, id="garbage_body"),
    pytest.param("garbage_body", {"executed": False}, NOTHING, NOT_PLACED, id="garbage_body-not"),
    pytest.param("truncated_body", {}, NOTHING, PLACED, id="truncated_body"),
    pytest.param("foreign_body", {}, (OTHER_CLIENT_ID, "closed"), PLACED, id="foreign_body"),
    pytest.param("foreign_ack", {}, (OTHER_CLIENT_ID, "open"), PLACED, id="foreign_ack"),
    pytest.param("rate_limited", {}, "DDoSProtection", NOT_PLACED, id="rate_limited"),
    pytest.param("rate_limited", {"retry_after_seconds": 5}, "DDoSProtection", NOT_PLACED, id="rate_limited-5"),
    pytest.param("banned", {"when": {"until": "+2m"}}, "DDoSProtection", NOT_PLACED, id="banned"),
    pytest.param("maintenance", {}, "ExchangeNotAvailable", NOT_PLACED, id="maintenance"),
    pytest.param("key_revoked", {}, "AuthenticationError", NOT_PLACED, id="key_revoked"),
]


@pytest.mark.parametrize(("kind", "fields", "said", "there"), CASES)
async def test_an_order_goes_wrong(
    exchange: Sabotaged, client: Binance, kind: str, fields: dict[str, Any], said: object, *, there: bool
) -> None:
    """What ccxt says of an order does not tell whether it is there; the client id does."""
    scope = {"endpoint": "POST /api/v3/order", **fields.get("when", {})}
    rule = exchange.suffer(kind, **{**fields, "when": scope})
    try:
        order = await buy(client)
        answered: object = (order["clientOrderId"], order["status"])
    except ccxt.BaseError as refused:
        answered = type(refused).__name__
    assert answered == said
    assert [order.client_id for order in exchange.orders()] == ([CLIENT_ID] if there else [])
    assert [(fired.fault_id, fired.kind, fired.occasion.client_id) for fired in exchange.fired] == [
        (rule.fault_id, kind, CLIENT_ID)
    ]


async def test_retry_after_is_said_only_when_asked_for(exchange: Sabotaged, client: Binance) -> None:
    """The header that says how long to wait is there for a ban, and for a 429 that is to have it."""
    said = []
    for written in (
        {"kind": "rate_limited"},
        {"kind": "rate_limited", "retry_after_seconds": 5},
        {"kind": "banned", "when": {"until": "+2m"}},
    ):
        rule = exchange.saboteur.add(read_fault(written))
        with pytest.raises(ccxt.DDoSProtection):
            await client.fetch_time()
        headers = client.last_response_headers
        said.append(headers.get("Retry-After"))
        assert exchange.saboteur.remove(rule.fault_id) is rule
    assert said == [None, "5", "120"]
    assert await client.fetch_time()


@pytest.mark.parametrize("order_id", ["9" * 5_000, "٣", "²", "-1"])
async def test_an_id_that_is_none_is_refused_under_a_fault(exchange: Sabotaged, client: Binance, order_id: str) -> None:
    """Where a fault looks at the order that a cancellation names, an id of no order is refused as ever."""
    exchange.suffer("drop_request", when={"endpoint": "DELETE *", "nth": [2]})
    with pytest.raises(ccxt.BaseError, match="-1100"):
        await client.private_delete_order({"symbol": "BTCUSDT", "orderId": order_id})


async def test_a_request_that_hangs_ends_by_the_client_first(exchange: Sabotaged, client: Binance) -> None:
    """A request that is held before it is lost makes ccxt give up by its own timeout."""
    exchange.suffer("drop_request", when={"endpoint": "POST *"}, hold_ms=60_000)
    client.timeout = 200
    with pytest.raises(ccxt.RequestTimeout):
        await buy(client)
    assert exchange.orders() == []


async def test_a_late_order_is_matched_within_its_window(exchange: Sabotaged, client: Binance) -> None:
    """An order that arrives after its client gave up is placed all the same."""
    exchange.suffer("late_arrival", when={"endpoint": "POST *"}, delay_ms=5_000)
    client.timeout = 1_000  # by then it has arrived, on a busy machine too
    with pytest.raises(ccxt.RequestTimeout):
        await buy(client)
    assert exchange.orders() == []
    exchange.venue.clock.offset_ms += 5_000
    await within(until(lambda: [order.client_id for order in exchange.orders()] == [CLIENT_ID]))


async def test_a_late_order_is_refused_after_its_window(exchange: Sabotaged, client: Binance) -> None:
    """The window of a request is looked at again when it arrives late, and then the order is not placed."""
    exchange.suffer("late_arrival", when={"endpoint": "POST *", "most": 1}, delay_ms=5_001)
    placing = asyncio.ensure_future(buy(client, recvWindow=5_000))
    await until(lambda: bool(exchange.fired))
    exchange.venue.clock.offset_ms += 5_500
    with pytest.raises(ccxt.InvalidNonce):
        await within(placing)
    assert exchange.orders() == []


async def test_faults_strike_the_websocket_api_by_its_own_names(exchange: Sabotaged, client: Binance) -> None:
    """A scope may name the method of the WebSocket API, and then REST goes on."""
    exchange.suffer("venue_error", when={"endpoint": "order.place"}, code=-1007, executed=True)
    with pytest.raises(ccxt.RequestTimeout):
        await within(client.create_order_ws(SYMBOL, "limit", "buy", 0.1, 59_000, {"newClientOrderId": "by-socket"}))
    assert (await buy(client))["clientOrderId"] == CLIENT_ID
    assert [order.client_id for order in exchange.orders()] == ["by-socket", CLIENT_ID]


async def test_a_lost_cancel_is_sent_again_by_the_client_itself(exchange: Sabotaged, client: Binance) -> None:
    """Over a connection that was kept open, aiohttp repeats a cancel whose answer was lost: the second is refused."""
    order = await buy(client)
    exchange.suffer("drop_reply", when={"endpoint": "DELETE *", "most": 1})
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(order["id"], SYMBOL)
    assert [order.status for order in exchange.orders()] == ["CANCELED"]
