"""What the unmodified ccxt says of prices, bars and books while the venue misbehaves, and of the venue itself."""

import asyncio
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import pytest

from tests.services.sim_exchange.face.venue import BTC, Binance, until, within
from tests.services.sim_exchange.faults.sabotaged import SYMBOL, Sabotaged, buy

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("price", "told"),
    [
        ("zero", lambda bid, ask: (bid, ask) == (None, None)),
        ("negative", lambda bid, ask: (bid, ask) == (-59_999, -60_001)),
        ("nan", lambda bid, ask: math.isnan(bid) and math.isnan(ask)),
        ("crossed", lambda bid, ask: (bid, ask) == (60_001, 59_999)),
        ("thousandfold", lambda bid, ask: (bid, ask) == (59_999_000, 60_001_000)),
    ],
)
async def test_wrong_prices_reach_whoever_asks_and_whoever_watches(
    exchange: Sabotaged, client: Binance, price: str, told: Callable[[float, float], bool]
) -> None:
    """Ccxt hands on prices that are none, over REST and streams alike, while the book is as it was."""
    exchange.suffer("wrong_price", price=price)
    asked = (await client.fetch_bids_asks([SYMBOL]))[SYMBOL]
    assert told(asked["bid"], asked["ask"])
    watching: asyncio.Future[Any] = asyncio.ensure_future(client.watch_bids_asks([SYMBOL]))
    await until(lambda: exchange.venue.face.market_streams.wants("btcusdt@bookTicker"))
    exchange.venue.order("BUY", "0.5", "59999")
    watched = (await within(watching))[SYMBOL]
    assert told(watched["bid"], watched["ask"])
    depth = exchange.desk.core.depth(BTC, 1)
    assert (depth.bids[0][0], depth.asks[0][0]) == (Decimal(59_999), Decimal(60_001))


async def test_a_stale_price_stands_while_the_market_moves(exchange: Sabotaged, client: Binance) -> None:
    """A price that stands still is told with new times, so that only the market itself gives it away."""
    exchange.suffer("wrong_price", price="stale", when={"endpoint": "GET /api/v3/ticker/bookTicker"})
    first = (await client.fetch_bids_asks([SYMBOL]))[SYMBOL]
    exchange.venue.order("BUY", "1", "60000")
    second = (await client.fetch_bids_asks([SYMBOL]))[SYMBOL]
    assert first["bid"] == second["bid"] == 59_999
    assert exchange.desk.core.depth(BTC, 1).bids[0][0] == 60_000


@pytest.mark.parametrize(("kind", "rows"), [("candle_missing", 9), ("candle_duplicate", 10), ("candle_revised", 10)])
async def test_bars_are_wrong_in_answers(exchange: Sabotaged, client: Binance, kind: str, rows: int) -> None:
    """One bar of those asked for is missing, is there twice, or has another close than before."""
    since_ms = exchange.venue.clock() - 20 * MINUTE_MS  # none of them is the last: a minute may end in between
    right = await client.fetch_ohlcv(SYMBOL, "1m", since_ms, 10)
    exchange.suffer(kind)
    wrong = await client.fetch_ohlcv(SYMBOL, "1m", since_ms, 10)
    assert len(wrong) == rows
    differing = [row for row in wrong if row not in right]
    assert len(differing) == (kind == "candle_revised")
    assert len({row[0] for row in wrong}) == (10 if kind == "candle_revised" else 9)


@pytest.mark.parametrize(("kind", "told"), [("candle_missing", 0), ("candle_duplicate", 2), ("candle_revised", 2)])
async def test_bars_are_wrong_in_streams(exchange: Sabotaged, client: Binance, kind: str, told: int) -> None:
    """A bar that closes is not told, told twice, or told again with another close; ccxt says nothing of it."""
    url = f"ws://127.0.0.1:{exchange.venue.port}/ws/btcusdt@kline_1m"
    watching: asyncio.Future[Any] = asyncio.ensure_future(client.watch_ohlcv(SYMBOL, "1m"))
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.receive_json()
        exchange.suffer(kind)
        opened_ms = exchange.venue.clock() // MINUTE_MS * MINUTE_MS
        exchange.venue.clock.offset_ms += MINUTE_MS
        closed = 0
        while (bar := (await within(socket.receive_json()))["k"])["t"] <= opened_ms:
            closed += bar["x"]
    assert closed == told
    assert [fired.kind for fired in exchange.fired] == [kind]
    await within(until(lambda: any(bar[0] > opened_ms for bar in client.ohlcvs.get(SYMBOL, {}).get("1m", []))))
    await within(watching)
    assert len([bar for bar in client.ohlcvs[SYMBOL]["1m"] if bar[0] == opened_ms]) <= 1


async def test_a_sequence_gap_is_noticed_by_the_client(exchange: Sabotaged, client: Binance) -> None:
    """Changes of a book that were lost make ccxt give the book up, and build it anew when it is asked again."""
    await book(exchange, client)
    rule = exchange.suffer("sequence_gap", when={"most": 1, "symbol": BTC})
    exchange.venue.order("BUY", "1", "58000")
    await within(until(lambda: rule.fired == 1))
    watching = asyncio.ensure_future(client.watch_order_book(SYMBOL))
    exchange.venue.order("BUY", "1", "57000")
    with pytest.raises(ccxt.ChecksumError):
        await within(watching)
    rebuilt = await book(exchange, client)
    assert [57_000, 1] in [list(level) for level in rebuilt["bids"]]


async def test_a_cut_stream_ends_what_waits_for_it(exchange: Sabotaged, client: Binance) -> None:
    """Connections that are cut at once raise in every watcher of theirs, and the next call connects again."""
    watching = await trades(exchange, client)
    exchange.suffer("stream_cut", when={"symbol": BTC})
    with pytest.raises(ccxt.NetworkError):
        await within(watching)
    watching = await trades(exchange, client)
    exchange.venue.order("BUY", "0.1")
    assert (await within(watching))[0]["amount"] == 0.1


@pytest.mark.parametrize("code", [None, 1_008])
async def test_a_stream_is_cut_with_an_event(exchange: Sabotaged, client: Binance, code: int | None) -> None:
    """The event with which a connection ends is lost."""
    watching = await trades(exchange, client)
    exchange.suffer("stream_cut", at="event", code=code, when={"stream": "trade", "nth": [1]})
    exchange.venue.order("BUY", "0.1")
    with pytest.raises(ccxt.NetworkError):
        await within(watching)
    assert exchange.desk.core.trades(BTC)[-1].quantity == Decimal("0.1")


async def test_a_silent_stream_looks_alive(exchange: Sabotaged, client: Binance) -> None:
    """Nothing is told and nothing ends: only the absence of events says that something is wrong."""
    watching = await trades(exchange, client)
    rule = exchange.suffer("stream_silent", when={"stream": "trade"})
    exchange.venue.order("BUY", "0.1")
    await within(until(lambda: rule.fired == 1))
    connections = exchange.venue.face.market_sockets.connections
    assert not watching.done()
    assert [connection.is_closing for connection in connections] == [False]
    exchange.saboteur.remove(rule.fault_id)
    exchange.venue.order("BUY", "0.2")
    assert [trade["amount"] for trade in await within(watching)] == [0.2]


async def test_filters_change_while_a_client_runs(exchange: Sabotaged, client: Binance) -> None:
    """Ccxt goes on with the filters it loaded, and its orders are refused until it loads them again."""
    rule = exchange.suffer("rules_change", symbol=BTC, tick_size="100", notional_min="50")
    with pytest.raises(ccxt.InvalidOrder, match="PRICE_FILTER"):
        await buy(client, 59_050)
    await client.load_markets(reload=True)
    assert client.market(SYMBOL)["precision"]["price"] == 100
    exchange.saboteur.remove(rule.fault_id)
    assert (await buy(client, 59_050))["status"] == "open"


async def test_a_halted_symbol_takes_no_orders(exchange: Sabotaged, client: Binance) -> None:
    """Orders are refused while a symbol is halted, cancels are not, and when the halt is over all is as before."""
    order = await buy(client)
    halt = exchange.suffer("halt", symbol=BTC, when={"until": "+30s"})
    with pytest.raises(ccxt.MarketClosed):
        await buy(client, newClientOrderId="another")
    assert not (await client.load_markets(reload=True))[SYMBOL]["active"]
    assert (await client.cancel_order(order["id"], SYMBOL))["status"] == "canceled"
    exchange.venue.clock.offset_ms += 30_000
    await within(until(lambda: exchange.desk.core.rules()[BTC].status == "TRADING"))
    exchange.saboteur.remove(halt.fault_id)  # which is over, and does not end twice
    assert exchange.desk.core.rules()[BTC].status == "TRADING"


@pytest.mark.parametrize("skew_ms", [-5_000, 20_000])
async def test_a_skewed_clock_refuses_what_is_signed(exchange: Sabotaged, client: Binance, skew_ms: int) -> None:
    """Requests are from the future, or too late, until the client measures how far off the venue's clock is."""
    rule = exchange.suffer("clock_skew", skew_ms=skew_ms)
    with pytest.raises(ccxt.InvalidNonce):
        await buy(client)
    assert exchange.orders() == []
    await client.load_time_difference()
    assert (await buy(client))["status"] == "open"
    exchange.saboteur.remove(rule.fault_id)
    assert abs(await client.fetch_time() - exchange.venue.clock()) < 1_000


async def test_two_halts_end_when_both_are_over(exchange: Sabotaged) -> None:
    """A symbol trades again when no fault halts it any more, and clocks skewed twice are right again."""
    first, second = (exchange.suffer("halt", symbol=BTC) for _ in range(2))
    for rule, status in ((first, "HALT"), (second, "TRADING")):
        exchange.saboteur.remove(rule.fault_id)
        assert exchange.desk.core.rules()[BTC].status == status


async def book(exchange: Sabotaged, client: Binance) -> Any:  # noqa: ANN401  # ccxt's own
    """Watch a book until the first change arrives."""
    watching: asyncio.Future[Any] = asyncio.ensure_future(client.watch_order_book(SYMBOL))
    await until(lambda: exchange.venue.face.market_streams.wants("btcusdt@depth@100ms"))
    while not watching.done():
        exchange.venue.order("BUY", "0.1", "50000")
        await asyncio.wait([watching], timeout=0.2)
    return watching.result()


async def trades(exchange: Sabotaged, client: Binance) -> "asyncio.Future[Any]":
    """Begin to watch trades, and wait until the venue knows."""
    watching: asyncio.Future[Any] = asyncio.ensure_future(client.watch_trades(SYMBOL))
    await until(lambda: exchange.venue.face.market_streams.wants("btcusdt@trade"))
    return watching
