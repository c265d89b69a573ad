"""What the unmodified ccxt reads and is told of orders while the venue misbehaves, and what is true meanwhile."""

import asyncio
from decimal import Decimal

import ccxt
import pytest

from tests.services.sim_exchange.face.venue import Binance, until, within
from tests.services.sim_exchange.faults.sabotaged import CLIENT_ID, SYMBOL, Sabotaged, buy, following

MINE = {"origClientOrderId": CLIENT_ID}
SOON_MS = 4_000  # long for what comes before, on a busy machine too, and short for the stamps of what comes after


async def test_read_lag_hides_an_order_that_is_there(exchange: Sabotaged, client: Binance) -> None:
    """A replica that lags knows no order that was just placed, nor its trade, nor what it cost."""
    exchange.suffer("read_lag", lag_ms=SOON_MS)
    await buy(client, 60_010)
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order(None, SYMBOL, MINE)
    assert await client.fetch_my_trades(SYMBOL) == []
    assert (await client.fetch_balance())["USDT"]["total"] == 1_000_000
    assert [order.status for order in exchange.orders()] == ["FILLED"]
    exchange.venue.clock.offset_ms += SOON_MS
    assert (await client.fetch_order(None, SYMBOL, MINE))["status"] == "closed"
    assert [trade["amount"] for trade in await client.fetch_my_trades(SYMBOL)] == [0.1]
    assert (await client.fetch_balance())["USDT"]["total"] < 1_000_000


async def test_read_lag_shows_an_order_as_it_was(exchange: Sabotaged, client: Binance) -> None:
    """An order that was filled a moment ago is still open to whoever reads late, and one from before is known."""
    order = await buy(client)
    rule = exchange.suffer("read_lag", lag_ms=60_000)
    await client.cancel_order(order["id"], SYMBOL)
    assert [one["id"] for one in await client.fetch_open_orders(SYMBOL)] == [order["id"]]
    exchange.saboteur.remove(rule.fault_id)
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_a_fill_comes_after_the_cancel_was_acknowledged(exchange: Sabotaged, client: Binance) -> None:
    """A cancel is acknowledged and reported, and the order is filled in truth, with money and trades that say so."""
    watched = await following(exchange, client)
    order = await buy(client)
    await within(watched)
    exchange.suffer("fill_after_cancel", delay_ms=SOON_MS)
    cancelled = await client.cancel_order(order["id"], SYMBOL)
    assert cancelled["status"] == "canceled"
    reports = await within(client.watch_orders(SYMBOL))
    assert [report["status"] for report in reports] == ["canceled"]
    assert [one.status for one in exchange.orders()] == ["NEW"]
    late = asyncio.ensure_future(client.watch_orders(SYMBOL))
    exchange.venue.clock.offset_ms += SOON_MS
    reports = await within(late)
    assert [(report["status"], report["filled"]) for report in reports] == [("closed", 0.1)]
    assert [(one.status, one.filled) for one in exchange.orders()] == [("FILLED", Decimal("0.1"))]
    assert [trade["price"] for trade in await client.fetch_my_trades(SYMBOL)] == [59_000]
    assert exchange.desk.core.balances("alice")["BTC"].free == Decimal("100.0999")


async def test_a_stop_is_filled_after_its_cancel_was_acknowledged(exchange: Sabotaged, client: Binance) -> None:
    """Its coins stay locked meanwhile; then it is triggered, and sells at what the book has."""
    stop = await client.create_order(
        SYMBOL, "STOP_LOSS", "sell", 0.1, None, {"stopPrice": 50_000, "newClientOrderId": CLIENT_ID}
    )
    rule = exchange.suffer("fill_after_cancel", delay_ms=SOON_MS)
    assert (await client.cancel_order(stop["id"], SYMBOL))["status"] == "canceled"
    assert rule.fired == 1
    assert (await client.fetch_balance())["BTC"]["used"] == 0.1
    exchange.venue.clock.offset_ms += SOON_MS
    await within(until(lambda: exchange.orders()[0].status == "FILLED"))
    balance = exchange.desk.core.balances("alice")["BTC"]
    assert (balance.free, balance.locked) == (Decimal("99.9"), Decimal(0))
    assert [trade["amount"] for trade in await client.fetch_my_trades(SYMBOL)] == [0.1]


async def test_a_cancel_of_what_is_not_in_the_book_is_let_through(exchange: Sabotaged, client: Binance) -> None:
    """Only an order that works or waits can be filled after its cancel: other cancels are as they should be."""
    rule = exchange.suffer("fill_after_cancel")
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order("4711", SYMBOL)
    assert rule.seen == 0


async def test_the_venue_cancels_the_rest_of_an_order(exchange: Sabotaged, client: Binance) -> None:
    """An order is acknowledged as new, then filled in part, and the venue cancels what is left."""
    exchange.suffer("partial_then_cancel", fraction=0.3, delay_ms=200, when={"most": 1})
    order = await buy(client)
    assert (order["status"], order["filled"]) == ("open", 0)
    exchange.venue.clock.offset_ms += 200
    await within(until(lambda: exchange.orders()[0].status == "CANCELED"))
    now = await client.fetch_order(order["id"], SYMBOL)
    assert (now["status"], now["filled"]) == ("canceled", 0.03)
    assert exchange.desk.core.balances("alice")["USDT"].locked == 0


async def test_money_is_conserved_by_forced_trades(exchange: Sabotaged, client: Binance) -> None:
    """What a forced trade moves comes from the account on its other side, to the last digit."""
    await buy(client)
    exchange.suffer("fill_after_cancel", delay_ms=0)
    before = {asset: balance.free + balance.locked for asset, balance in exchange.desk.core.balances("alice").items()}
    await client.cancel_order(None, SYMBOL, {"origClientOrderId": CLIENT_ID})
    await within(until(lambda: exchange.orders()[0].status == "FILLED"))
    after = {asset: balance.free + balance.locked for asset, balance in exchange.desk.core.balances("alice").items()}
    other, fees = exchange.desk.core.balances("forced-trades"), exchange.desk.core.balances("fees")
    assert before["USDT"] - after["USDT"] == other["USDT"].free == 5_900
    assert after["BTC"] - before["BTC"] + fees["BTC"].free == Decimal("0.1")
    assert other["BTC"].free == 0


async def test_lost_reports_leave_an_order_open_to_its_owner(exchange: Sabotaged, client: Binance) -> None:
    """Whoever trusts the stream alone takes for open what was filled."""
    exchange.suffer("report_lost", when={"nth": [2]})
    watched = await following(exchange, client)
    await buy(client, 60_010)
    assert [report["status"] for report in await within(watched)] == ["open"]
    assert client.orders[0]["status"] == "open"
    assert [order.status for order in exchange.orders()] == ["FILLED"]


async def test_duplicated_reports_count_once_by_their_trade(exchange: Sabotaged, client: Binance) -> None:
    """A report that is told three times has the same trade in it each time."""
    exchange.suffer("report_duplicated", times=3)
    watched: asyncio.Future[list[object]] = asyncio.ensure_future(client.watch_my_trades(SYMBOL))
    await until(lambda: exchange.venue.face.user_streams.is_followed("alice"))
    await buy(client, 60_010)
    await within(watched)
    assert len({trade["id"] for trade in client.myTrades}) == 1
    assert [fired.kind for fired in exchange.fired] == ["report_duplicated"] * 2  # new, and filled
    assert exchange.bought() == Decimal("0.1")


async def test_reordered_reports_open_an_order_again(exchange: Sabotaged, client: Binance) -> None:
    """A report that comes after the one that followed it makes ccxt call an order open that was filled."""
    exchange.suffer("reports_reordered", when={"nth": [1]})
    watched = await following(exchange, client)
    await buy(client, 60_010)
    await within(watched)
    await within(until(lambda: client.orders[0]["status"] == "open"))
    assert [order.status for order in exchange.orders()] == ["FILLED"]


async def test_a_report_that_nothing_overtakes_is_told_in_the_end(exchange: Sabotaged, client: Binance) -> None:
    """A report is held only so long, whether or not another comes."""
    exchange.suffer("reports_reordered", behind=100, held_ms=SOON_MS)
    watched = await following(exchange, client)
    await buy(client)
    assert not watched.done()
    exchange.venue.clock.offset_ms += SOON_MS
    assert [report["status"] for report in await within(watched)] == ["open"]


async def test_a_contradictory_report_undoes_a_fill(exchange: Sabotaged, client: Binance) -> None:
    """After the truth ccxt is told that the order is new, and believes it."""
    exchange.suffer("report_contradictory", when={"nth": [2]})
    watched = await following(exchange, client)
    await buy(client, 60_010)
    await within(watched)
    await within(until(lambda: [fired.kind for fired in exchange.fired] == ["report_contradictory"]))
    await within(until(lambda: (client.orders[0]["status"], client.orders[0]["filled"]) == ("open", 0)))
    assert exchange.bought() == Decimal("0.1")


async def test_a_revoked_key_loses_its_stream(exchange: Sabotaged, client: Binance) -> None:
    """Whoever follows an account whose keys are revoked is cut off, and cannot come back until they are good again."""
    watched = await following(exchange, client)
    rule = exchange.suffer("key_revoked", when={"account": "alice"})
    with pytest.raises(ccxt.NetworkError):
        await within(watched)
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_balance()
    with pytest.raises(KeyError):  # ccxt stumbles over a refused subscription: the refusal itself does not come through
        await within(client.watch_orders(SYMBOL))
    exchange.saboteur.remove(rule.fault_id)
    assert await client.fetch_balance()
