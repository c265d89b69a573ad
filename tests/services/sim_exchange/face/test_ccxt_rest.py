"""The unmodified ccxt, over every REST method the product uses."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
import pytest_asyncio

from tests.services.sim_exchange.face.venue import BTC, READER, Binance, Venue, ccxt_client, serving

SYMBOL = "BTC/USDT"


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


async def test_markets_are_loaded_with_their_filters(client: Binance) -> None:
    """Ticks, steps, the smallest notional and the state of a symbol arrive where the product looks for them."""
    market = client.market(SYMBOL)
    assert (market["id"], market["active"], market["spot"]) == (BTC, True, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert set(market["info"]["orderTypes"]) >= {"LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT"}


async def test_time_is_the_venues(venue: Venue, client: Binance) -> None:
    """A venue whose clock is behind says so, and a client that adjusts is let in."""
    venue.clock.offset_ms = -30_000
    assert await client.fetch_time() == pytest.approx(client.milliseconds() - 30_000, abs=10_000)
    await client.load_time_difference()
    await client.fetch_balance()


async def test_market_is_looked_at(client: Binance) -> None:
    """Book, tickers, best prices, trades and bars."""
    book = await client.fetch_order_book(SYMBOL)
    assert (book["bids"][0], book["asks"][0]) == ([59_999.0, 1.0], [60_001.0, 1.0])
    await client.create_order(SYMBOL, "market", "buy", 0.1)
    ticker = await client.fetch_ticker(SYMBOL)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (59_999.0, 60_001.0, 60_001.0)
    assert set(await client.fetch_tickers()) == {SYMBOL, "ETH/USDT", "BNB/USDT"}
    assert set(await client.fetch_tickers([SYMBOL])) == {SYMBOL}
    assert (await client.fetch_bids_asks([SYMBOL]))[SYMBOL]["askVolume"] == 0.9
    [trade] = await client.fetch_trades(SYMBOL)
    assert (trade["price"], trade["amount"], trade["side"]) == (60_001.0, 0.1, "buy")
    bars = await client.fetch_ohlcv(SYMBOL, "1m", limit=100)
    assert len(bars) == 100
    assert bars[-1][4] == 60_001.0
    assert [later[0] - bar[0] for bar, later in pairwise(bars)] == [60_000] * 99


async def test_bars_are_fetched_by_pages(client: Binance) -> None:
    """Bars from a time on are those of that time, and ccxt's own paging joins them without a hole."""
    since = client.milliseconds() - 3_000 * 3_600_000
    bars = await client.fetch_ohlcv(SYMBOL, "1h", since=since, limit=2_500, params={"paginate": True})
    assert len(bars) >= 2_500
    assert {later[0] - bar[0] for bar, later in pairwise(bars)} == {3_600_000}


async def test_balance_is_free_and_used(client: Binance) -> None:
    """An open order uses what it has locked, to the last digit."""
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 59_000)
    balance = await client.fetch_balance()
    assert balance["USDT"] == {"free": 999_410.0, "used": 590.0, "total": 1_000_000.0}


async def test_market_order_has_average_price_fee_and_trades(client: Binance) -> None:
    """The full answer of a market order holds its fills."""
    order = await client.create_order(SYMBOL, "market", "buy", 1.5)
    assert (order["status"], order["filled"]) == ("closed", 1.5)
    assert order["average"] == pytest.approx((60_001 + 60_002 / 2) / 1.5)
    assert [trade["amount"] for trade in order["trades"]] == [1.0, 0.5]
    assert order["fee"] == {"currency": "BTC", "cost": 0.0015}


async def test_market_order_by_cost_spends_what_it_says(client: Binance) -> None:
    """A market order by quote quantity."""
    order = await client.create_market_buy_order_with_cost(SYMBOL, 600.01)
    assert (order["filled"], order["cost"]) == (0.01, 600.01)


TYPES: tuple[tuple[str, float | None, dict[str, object], str], ...] = (
    ("limit", 58_000, {}, "LIMIT"),
    ("limit", 58_000, {"postOnly": True}, "LIMIT_MAKER"),
    ("market", None, {"stopLossPrice": 70_000}, "STOP_LOSS"),
    ("limit", 71_000, {"stopLossPrice": 70_000}, "STOP_LOSS_LIMIT"),
    ("limit", 71_000, {"triggerPrice": 70_000}, "STOP_LOSS_LIMIT"),
    ("market", None, {"takeProfitPrice": 50_000}, "TAKE_PROFIT"),
    ("limit", 50_000, {"takeProfitPrice": 50_000}, "TAKE_PROFIT_LIMIT"),
)


async def test_order_of_each_type_is_placed_found_and_canceled(venue: Venue, client: Binance) -> None:
    """What ccxt makes of a unified order works until it is canceled by its client id."""
    venue.order("BUY", "0.01")  # so that a stop has a last price to be measured against
    for kind, price, params, venue_type in TYPES:
        own_id = {"clientOrderId": "mine"}
        placed = await client.create_order(SYMBOL, kind, "buy", 0.01, price, {**params, **own_id})
        assert (placed["status"] or "open", placed["clientOrderId"]) == ("open", "mine")
        found = await client.fetch_order(None, SYMBOL, own_id)
        assert (found["id"], found["info"]["type"], found["status"]) == (placed["id"], venue_type, "open")
        assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]
        canceled = await client.cancel_order(None, SYMBOL, own_id)
        assert (canceled["id"], canceled["status"]) == (placed["id"], "canceled")
    assert {order["status"] for order in await client.fetch_orders(SYMBOL)} == {"canceled"}


async def test_order_is_replaced(client: Binance) -> None:
    """An edited order is a new one in the place of the old."""
    first = await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
    second = await client.edit_order(first["id"], SYMBOL, "limit", "buy", 0.02, 58_001)
    assert second["id"] != first["id"]
    [still_open] = await client.fetch_open_orders(SYMBOL)
    assert (still_open["id"], still_open["amount"], still_open["price"]) == (second["id"], 0.02, 58_001.0)


async def test_everything_is_canceled_at_once(client: Binance) -> None:
    """Orders and order lists of a symbol end together."""
    for price in (58_000, 58_001):
        await client.create_order(SYMBOL, "limit", "buy", 0.01, price)
    await client.privatePostOrderListOco(an_oco())
    canceled = await client.privateDeleteOpenOrders({"symbol": BTC})
    assert [row.get("contingencyType") for row in canceled] == [None, None, "OCO"]
    assert await client.fetch_open_orders(SYMBOL) == []


def an_oco() -> dict[str, str]:
    """Return a take-profit with a stop below, for what alice has."""
    return {
        "symbol": BTC,
        "side": "SELL",
        "quantity": "0.01",
        "aboveType": "LIMIT_MAKER",
        "abovePrice": "70000",
        "belowType": "STOP_LOSS_LIMIT",
        "belowPrice": "49000",
        "belowStopPrice": "50000",
        "belowTimeInForce": "GTC",
    }


async def test_one_cancels_the_other(client: Binance) -> None:
    """An OCO is placed, seen, and canceled as a whole by one of its orders."""
    placed = await client.privatePostOrderListOco(an_oco())
    assert (placed["listOrderStatus"], len(placed["orderReports"])) == ("EXECUTING", 2)
    [seen] = await client.privateGetOpenOrderList()
    assert seen["orderListId"] == placed["orderListId"]
    await client.cancel_order(placed["orders"][0]["orderId"], SYMBOL)
    ended = await client.privateGetOrderList({"orderListId": placed["orderListId"]})
    assert ended["listOrderStatus"] == "ALL_DONE"
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_own_trades_have_their_fees(client: Binance) -> None:
    """A trade of the account says what it cost, and whose order it was."""
    order = await client.create_order(SYMBOL, "market", "sell", 0.01)
    [trade] = await client.fetch_my_trades(SYMBOL)
    assert (trade["order"], trade["side"], trade["takerOrMaker"]) == (order["id"], "sell", "taker")
    assert trade["fee"] == {"currency": "USDT", "cost": 0.59999}


async def test_trading_costs_are_told(client: Binance) -> None:
    """Fees over both ways to ask for them."""
    fee = await client.fetch_trading_fee(SYMBOL)
    assert (fee["maker"], fee["taker"]) == (0.001, 0.001)
    commission = await client.privateGetAccountCommission({"symbol": BTC})
    assert commission["standardCommission"]["taker"] == "0.00100000"


async def test_order_in_test_is_not_placed(client: Binance) -> None:
    """A test is answered, and nothing is there afterwards."""
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000, {"test": True})
    assert await client.fetch_orders(SYMBOL) == []


async def test_counts_and_weights_are_told(client: Binance) -> None:
    """The headers of the last answer, and the count of orders."""
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 58_000)
    headers = client.last_response_headers
    assert (headers["X-MBX-ORDER-COUNT-10S"], headers["X-MBX-ORDER-COUNT-1D"]) == ("1", "1")
    assert int(headers["X-MBX-USED-WEIGHT-1M"]) == 21
    assert [row["count"] for row in await client.privateGetRateLimitOrder()] == [1, 1]


async def test_key_says_what_it_may_do(venue: Venue) -> None:
    """Whoever arms a key can ask what it could do, and from where."""
    async with ccxt_client(venue, READER) as client:
        told = await client.sapiGetAccountApiRestrictions()
    wanted = ("enableReading", "enableSpotAndMarginTrading", "enableWithdrawals", "ipRestrict")
    assert [told[name] for name in wanted] == [True, False, False, False]


async def test_everything_that_ccxt_asks_by_itself_is_answered(client: Binance) -> None:
    """The wallet and the state of the venue."""
    coins = await client.sapiGetCapitalConfigGetall()
    assert {coin["coin"] for coin in coins} == {"BNB", "BTC", "ETH", "USDT"}
    assert (await client.fetch_status())["status"] == "ok"
    assert (await client.sapiGetAccountStatus())["data"] == "Normal"
