"""The unmodified ccxt.pro, over every stream the product uses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from random import Random
from typing import Any

import ccxt
import pytest
import pytest_asyncio

from services.sim_exchange.face.interference import NoInterference, Outgoing
from services.sim_exchange.face.order_requests import SIDES
from tests.services.sim_exchange.face.venue import (
    BTC,
    PATIENCE_S,
    PRICE,
    Binance,
    Venue,
    ccxt_client,
    serving,
    until,
    within,
)

SYMBOL = "BTC/USDT"


class LosesOneEvent(NoInterference):
    """An interference that swallows the next event of a stream when it is told to."""

    def __init__(self) -> None:
        self.loses_next_of = ""

    def told(self, outgoing: Outgoing) -> tuple[Outgoing, ...]:
        """Deliver everything but the one."""
        if outgoing.stream == self.loses_next_of:
            self.loses_next_of = ""
            return ()
        return (outgoing,)


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


async def watching(venue: Venue, watched: Awaitable[Any], *streams: str) -> "asyncio.Future[Any]":
    """Begin to watch something, and wait until the venue knows."""
    task = asyncio.ensure_future(watched)
    await until(lambda: all(map(venue.face.market_streams.wants, streams)))
    return task


async def subscribed(venue: Venue, watched: Awaitable[Any]) -> "asyncio.Future[Any]":
    """Begin to watch an account, and wait until the venue knows."""
    task = asyncio.ensure_future(watched)
    await until(lambda: venue.face.user_streams.is_followed("alice"))
    return task


async def test_trades_are_watched(venue: Venue, client: Binance) -> None:
    """A trade is told with its price, amount and side."""
    task = await watching(venue, client.watch_trades(SYMBOL), "btcusdt@trade")
    venue.order("SELL", "0.25")
    [trade] = await within(task)
    assert (trade["price"], trade["amount"], trade["side"]) == (59_999.0, 0.25, "sell")


async def test_aggregates_are_watched_and_fetched_alike(venue: Venue, client: Binance) -> None:
    """What one order took at one price is one trade there, under the same id over the stream and over REST."""
    task = await watching(venue, client.watch_trades(SYMBOL, params={"name": "aggTrade"}), "btcusdt@aggTrade")
    venue.order("SELL", "0.5", "60001")
    venue.order("BUY", "2", account="alice")  # from two at the first price, and one at the second
    first = (await within(task))[0]
    trades = await client.fetch_trades(SYMBOL)
    assert [(trade["price"], trade["amount"]) for trade in trades] == [(60_001.0, 1.5), (60_002.0, 0.5)]
    before = trades[0]["info"]["f"] - 1
    assert [(trade["info"]["f"] - before, trade["info"]["l"] - before) for trade in trades] == [(1, 2), (3, 3)]
    assert first["id"] == trades[0]["id"]
    assert await client.fetch_trades(SYMBOL, params={"fromId": trades[1]["id"]}) == trades[1:]


async def test_tickers_are_watched(venue: Venue, client: Binance) -> None:
    """The small ticker, and the full one, tell the last price."""
    small = await watching(venue, client.watch_ticker(SYMBOL), "btcusdt@miniTicker")
    venue.order("SELL", "0.25")
    assert (await within(small))["last"] == 59_999.0
    full = await watching(venue, client.watch_ticker(SYMBOL, {"name": "ticker"}), "btcusdt@ticker")
    venue.order("SELL", "0.25")
    ticker = await within(full)
    assert (ticker["last"], ticker["bid"], ticker["bidVolume"]) == (59_999.0, 59_999.0, 0.5)


async def test_best_prices_are_watched(venue: Venue, client: Binance) -> None:
    """A better price is told at once."""
    task = await watching(venue, client.watch_bids_asks([SYMBOL]), "btcusdt@bookTicker")
    venue.order("BUY", "0.5", "60000")
    best = (await within(task))[SYMBOL]
    assert (best["bid"], best["bidVolume"], best["ask"]) == (60_000.0, 0.5, 60_001.0)


async def test_bars_are_watched(venue: Venue, client: Binance) -> None:
    """A bar that grows is told with its last price."""
    task = await watching(venue, client.watch_ohlcv(SYMBOL, "1m"), "btcusdt@kline_1m")
    venue.order("SELL", "0.25")
    async with asyncio.timeout(PATIENCE_S):
        while (bars := await task)[-1][4] != 59_999.0:
            task = asyncio.ensure_future(client.watch_ohlcv(SYMBOL, "1m"))
    assert bars[-1][3] <= 59_999.0


async def test_own_orders_are_watched(venue: Venue, client: Binance) -> None:
    """An order is told when it is placed, when it is filled in part, and when it ends, with its fees."""
    told = await subscribed(venue, client.watch_orders(SYMBOL))
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.2, 60_000)
    [order] = await within(told)
    assert (order["id"], order["status"], order["filled"]) == (placed["id"], "open", 0)
    venue.order("SELL", "0.1", "60000")
    [order] = await within(client.watch_orders(SYMBOL))
    assert (order["id"], order["status"], order["filled"]) == (placed["id"], "open", 0.1)
    await client.cancel_order(placed["id"], SYMBOL)
    [order] = await within(client.watch_orders(SYMBOL))
    assert (order["id"], order["status"], order["fee"]["cost"]) == (placed["id"], "canceled", 0.0001)
    assert order["clientOrderId"] == placed["clientOrderId"]


async def test_own_balance_is_watched(venue: Venue, client: Binance) -> None:
    """A balance is told when an order locks some of it, and when somebody sends some."""
    told = await subscribed(venue, client.watch_balance())
    await client.create_order(SYMBOL, "limit", "buy", 0.01, 59_000)
    balance = await within(told)
    assert (balance["USDT"]["free"], balance["USDT"]["used"]) == (999_410.0, 590.0)


async def test_order_is_placed_over_the_websocket(venue: Venue, client: Binance) -> None:
    """An order over the WebSocket API is the same order, and refused in the same way."""
    placed = await within(client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_000))
    found = await within(client.fetch_order_ws(placed["id"], SYMBOL))
    assert (found["id"], found["status"]) == (placed["id"], "open")
    assert [order["id"] for order in await within(client.fetch_open_orders_ws(SYMBOL))] == [placed["id"]]
    canceled = await within(client.cancel_order_ws(placed["id"], SYMBOL))
    assert canceled["status"] == "canceled"
    with pytest.raises(ccxt.InsufficientFunds):
        await within(client.create_order_ws(SYMBOL, "limit", "buy", 100, 59_000))
    venue.clock.offset_ms = 60_000
    with pytest.raises(ccxt.InvalidNonce):
        await within(client.create_order_ws(SYMBOL, "limit", "buy", 0.01, 59_000))


def churned(venue: Venue, draws: Random, times: int) -> None:
    """Place and fill at random around the price."""
    for _ in range(times):
        cents = draws.randrange(1, 3_000)
        side = draws.choice(SIDES)
        price = PRICE - cents if side == "BUY" else PRICE + cents
        if draws.random() < 0.8:
            venue.order(side, f"0.{draws.randrange(1, 1_000):03d}", str(price))
        else:
            venue.order(side, "0.05")


def is_same_book(venue: Venue, book: dict[str, Any]) -> bool:
    """Say whether a client's book is the core's, to the last level."""
    depth = venue.desk.core.depth(BTC, 5_000)
    return all(
        [(float(price), float(quantity)) for price, quantity in mine] == [tuple(level[:2]) for level in theirs]
        for mine, theirs in ((depth.bids, book["bids"]), (depth.asks, book["asks"]))
    )


async def test_book_is_the_cores_book_after_ten_thousand_changes(venue: Venue, client: Binance) -> None:
    """A book that ccxt keeps from a snapshot and the changes after it is the core's."""
    draws = Random(11)  # noqa: S311  # a test that can be repeated
    book = await within(client.watch_order_book(SYMBOL))
    first_id = venue.desk.core.depth(BTC, 1).update_id
    while (last_id := venue.desk.core.depth(BTC, 1).update_id) < first_id + 10_000:
        churned(venue, draws, 1_500)
        while book["nonce"] < venue.desk.core.depth(BTC, 1).update_id:
            book = await within(client.watch_order_book(SYMBOL))
    assert book["nonce"] == last_id
    assert is_same_book(venue, book)


async def watched_for_ever(client: Binance) -> None:
    """Watch a book until that fails."""
    while True:
        await within(client.watch_order_book(SYMBOL))


async def test_book_with_a_hole_is_begun_anew() -> None:
    """A lost change is noticed, and the book is whole again with the next call."""
    lossy, draws = LosesOneEvent(), Random(12)  # noqa: S311  # a test that can be repeated
    async with serving(lossy) as venue, ccxt_client(venue) as client:
        await within(client.watch_order_book(SYMBOL))
        for _ in range(3):
            lossy.loses_next_of = "btcusdt@depth@100ms"
            churned(venue, draws, 20)
            venue.face.tick()
            churned(venue, draws, 20)
            with pytest.raises(ccxt.ChecksumError):
                await watched_for_ever(client)
            book = await within(client.watch_order_book(SYMBOL))
            assert book["nonce"] == venue.desk.core.depth(BTC, 1).update_id
            assert is_same_book(venue, book)
