"""Refusals arrive at the product as the classes it knows from production."""

from collections.abc import AsyncIterator

import ccxt
import msgspec
import pytest
import pytest_asyncio

from services.sim_exchange.face.weights import REFUSED_BEFORE_BAN, Limits
from services.sim_exchange.venue.vocabulary import SetRules
from tests.services.sim_exchange.face.venue import ALICE, BTC, READER, SETTINGS, Binance, Venue, ccxt_client, serving

SYMBOL = "BTC/USDT"
ORDER = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "58000"}


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[Venue]:
    """Return an exchange that serves."""
    async with serving() as served:
        yield served


@pytest_asyncio.fixture
async def client(venue: Venue) -> AsyncIterator[Binance]:
    """Return a client that trades there as alice."""
    async with ccxt_client(venue) as connected:
        yield connected


REFUSED = (
    ({"quantity": "100"}, ccxt.InsufficientFunds, -2010),
    ({"type": "LIMIT_MAKER", "price": "61000", "timeInForce": None}, ccxt.OrderImmediatelyFillable, -2010),
    ({"quantity": "0.000011"}, ccxt.InvalidOrder, -1013),
    ({"price": "58000.001"}, ccxt.InvalidOrder, -1013),
    ({"price": "58000.000000001"}, ccxt.BadRequest, -1111),
    ({"quantity": "0.00001"}, ccxt.BadRequest, -1013),
    ({"price": "400000"}, ccxt.InvalidOrder, -1013),
    ({"quantity": "NaN"}, ccxt.BadRequest, -1100),
    ({"quantity": "0"}, ccxt.BadRequest, -1013),
    ({"stopLoss": "{}"}, ccxt.BadRequest, -1104),
    ({"side": "HOLD"}, ccxt.BadRequest, -1117),
    ({"type": "ICEBERG"}, ccxt.BadRequest, -1116),
    ({"timeInForce": "GTX"}, ccxt.BadRequest, -1115),
    ({"timeInForce": None}, ccxt.BadRequest, -1102),
    ({"quoteOrderQty": "5"}, ccxt.BadRequest, -1106),
    ({"symbol": "NOUSDT"}, ccxt.BadSymbol, -1121),
    ({"newClientOrderId": "with space"}, ccxt.BadRequest, -1100),
)


async def test_order_that_cannot_be_placed(venue: Venue, client: Binance) -> None:
    """Every refusal has its code, and its class at ccxt; nothing is placed."""
    venue.order("BUY", "0.01")  # so that there is an average price to be far away from
    for changes, error, code in REFUSED:
        sent = {name: value for name, value in {**ORDER, **changes}.items() if value is not None}
        with pytest.raises(ccxt.BaseError) as raised:
            await client.privatePostOrder(sent)
        assert (type(raised.value), client.parse_json(client.last_http_response)["code"]) == (error, code), changes
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_order_that_is_not_there(client: Binance) -> None:
    """Unknown orders are not found, whether they are asked for, canceled, replaced or all."""
    for step in (
        client.fetch_order("999", SYMBOL),
        client.cancel_order("999", SYMBOL),
        client.cancel_all_orders(SYMBOL),
    ):
        with pytest.raises(ccxt.OrderNotFound):
            await step
    with pytest.raises(ccxt.BadResponse, match="NOT_ATTEMPTED"):
        await client.edit_order("999", SYMBOL, "limit", "buy", 0.01, 58_000)


async def test_same_client_id_twice(client: Binance) -> None:
    """A second order under the id of an open one is refused."""
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000, {"clientOrderId": "mine"})
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000, {"clientOrderId": "mine"})


async def test_market_that_is_closed(venue: Venue, client: Binance) -> None:
    """A symbol that is halted takes no orders, and says so in its rules."""
    venue.desk.carry_out(SetRules(rules=msgspec.structs.replace(SETTINGS.rules()[BTC], status="HALT")))
    with pytest.raises(ccxt.MarketClosed):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
    markets = await client.load_markets(reload=True)
    assert not markets[SYMBOL]["active"]


@pytest.mark.parametrize("offset_ms", [20_000, -20_000])
async def test_clocks_that_disagree(venue: Venue, client: Binance, offset_ms: int) -> None:
    """A request from the past or the future is refused by its nonce."""
    venue.clock.offset_ms = offset_ms
    with pytest.raises(ccxt.InvalidNonce):
        await client.fetch_balance()


async def test_caller_who_may_not(venue: Venue) -> None:
    """A wrong secret, an unknown key, no key at all, and one that may only read."""
    wrong = msgspec.structs.replace(ALICE, secret="wrong")  # noqa: S106  # of a test
    for key in (wrong, msgspec.structs.replace(ALICE, key="u" * 64), msgspec.structs.replace(ALICE, key="short")):
        async with ccxt_client(venue, key) as client:
            with pytest.raises(ccxt.AuthenticationError):
                await client.fetch_balance()
    async with ccxt_client(venue, READER) as client:
        await client.fetch_balance()
        with pytest.raises(ccxt.DDoSProtection):  # which is how ccxt reads -2015 from a key that was let in before
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)


async def test_asking_too_much() -> None:
    """Beyond the weight of a minute the answer is 429, then 418, and both say when to come back."""
    async with serving(limits=Limits(weight_per_minute=30)) as venue, ccxt_client(venue) as client:
        statuses = []
        for _ in range(10 + REFUSED_BEFORE_BAN + 2):
            try:
                await client.fetch_time()
            except ccxt.DDoSProtection as error:
                statuses.append(str(error).split()[1])
                assert int(client.last_response_headers["Retry-After"]) > 0
        assert statuses == ["429"] * REFUSED_BEFORE_BAN + ["418"] * 2


async def test_placing_too_much() -> None:
    """Beyond the count of orders the answer is 429, and the order is not placed."""
    async with serving(limits=Limits(orders_per_10_seconds=1)) as venue, ccxt_client(venue) as client:
        await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
        with pytest.raises(ccxt.DDoSProtection, match="-1015"):
            await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
        assert len(await client.fetch_open_orders(SYMBOL)) == 1
