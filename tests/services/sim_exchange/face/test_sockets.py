"""The sockets as raw clients see them: subscriptions, both forms, pings, the slow, the silent, and a day."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest_asyncio

from services.sim_exchange.face.connection import PING_EVERY_MS, PONG_WITHIN_MS, STAY_MS_MAX, WAITING_BYTES_MAX
from services.sim_exchange.face.signing import signature_of, sorted_text
from services.sim_exchange.venue.vocabulary import Transfer
from tests.services.sim_exchange.face.venue import ALICE, PRICE, Venue, serving, until, within

Socket = aiohttp.ClientWebSocketResponse


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[Venue]:
    """Return an exchange that serves."""
    async with serving() as served:
        yield served


@asynccontextmanager
async def connected(venue: Venue, path: str, *, answers_pings: bool = True) -> AsyncIterator[Socket]:
    """Connect a raw client."""
    url = f"ws://127.0.0.1:{venue.port}{path}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=answers_pings) as socket:
        yield socket


async def told(socket: Socket) -> Any:  # noqa: ANN401  # whatever JSON says
    """Return what a client is told next."""
    return await within(socket.receive_json())


async def asked(socket: Socket, method: str, *params: object) -> Any:  # noqa: ANN401  # whatever JSON says
    """Ask for something, and return the answer."""
    await socket.send_json({"method": method, "params": list(params), "id": 1})
    return await told(socket)


async def test_streams_are_followed_listed_and_left(venue: Venue) -> None:
    """What is subscribed is listed, told, and not told any more once it is left."""
    async with connected(venue, "/ws") as socket:
        assert await asked(socket, "SUBSCRIBE", "btcusdt@trade", "btcusdt@bookTicker") == {"result": None, "id": 1}
        assert (await asked(socket, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade", "btcusdt@bookTicker"]
        await asked(socket, "UNSUBSCRIBE", "btcusdt@bookTicker")
        venue.order("SELL", "0.1")
        assert (await told(socket))["e"] == "trade"
        assert (await asked(socket, "LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade"]
    await until(lambda: not venue.face.market_streams.wants("btcusdt@trade"))


async def test_streams_may_be_named_in_the_address(venue: Venue) -> None:
    """A path names plain streams, a query combined ones, which come with their names."""
    async with (
        connected(venue, "/ws/btcusdt@trade") as plain,
        connected(venue, "/stream?streams=btcusdt@trade") as named,
    ):
        venue.order("SELL", "0.1")
        trade = await told(plain)
        assert (trade["p"], trade["q"]) == ("59999.00000000", "0.10000000")
        assert await told(named) == {"stream": "btcusdt@trade", "data": trade}


async def test_connection_follows_only_so_many_streams(venue: Venue) -> None:
    """The stream beyond the bound is refused, and those before are still followed."""
    async with connected(venue, "/ws") as socket:
        await asked(socket, "SUBSCRIBE", *(f"a{number}@trade" for number in range(1_024)))
        assert "too many streams" in (await asked(socket, "SUBSCRIBE", "btcusdt@trade"))["error"]["msg"]
        assert len((await asked(socket, "LIST_SUBSCRIPTIONS"))["result"]) == 1_024


async def test_best_levels_and_all_tickers_are_told(venue: Venue) -> None:
    """The partial book has so many levels as its name says; the tickers of all symbols come in one list."""
    async with (
        connected(venue, "/ws/btcusdt@depth5@100ms") as depth,
        connected(venue, "/ws/!miniTicker@arr") as tickers,
    ):
        venue.order("SELL", "0.1")
        book = await told(depth)
        assert [len(book[side]) for side in ("bids", "asks")] == [5, 5]
        assert book["bids"][0] == ["59999.00000000", "0.90000000"]
        assert [row["s"] for row in await told(tickers)] == ["BTCUSDT"]


async def test_changes_of_the_book_follow_without_a_hole(venue: Venue) -> None:
    """At both speeds each event begins with the update after the last of the one before."""
    async with connected(venue, "/ws/btcusdt@depth@100ms") as fast, connected(venue, "/ws/btcusdt@depth") as slow:
        for step in range(30):
            venue.order("BUY", "0.1", str(PRICE - 10 - step))
            venue.face.tick()
        venue.clock.offset_ms += 1_000
        venue.face.tick()
        events = [await told(fast) for _ in range(30)]
        assert [event["U"] for event in events[1:]] == [event["u"] + 1 for event in events[:-1]]
        gathered = [await told(slow)]
        while gathered[-1]["u"] < events[-1]["u"]:
            gathered.append(await told(slow))
        assert [event["U"] for event in gathered[1:]] == [event["u"] + 1 for event in gathered[:-1]]
        assert len(gathered) < len(events)


async def test_bar_is_told_once_when_it_is_over(venue: Venue) -> None:
    """A closed bar says so."""
    async with connected(venue, "/ws/btcusdt@kline_1m") as socket:
        venue.order("SELL", "0.1")
        venue.clock.offset_ms += 60_000
        closed: list[dict[str, Any]] = []
        while not closed:
            bar = (await told(socket))["k"]
            closed += [bar] if bar["x"] else []
        assert (closed[0]["c"], closed[0]["T"] - closed[0]["t"]) == ("59999.00000000", 59_999)


async def test_client_that_answers_no_ping_is_let_go(venue: Venue) -> None:
    """The venue asks every twenty seconds, and waits a minute."""
    async with connected(venue, "/ws", answers_pings=False) as socket:
        venue.clock.offset_ms += PING_EVERY_MS
        assert (await within(socket.receive())).type is aiohttp.WSMsgType.PING
        venue.clock.offset_ms += PONG_WITHIN_MS
        venue.face.tick()
        while (message := await within(socket.receive())).type is aiohttp.WSMsgType.PING:
            pass
        assert message.type is aiohttp.WSMsgType.CLOSE


async def test_client_that_answers_stays_and_may_ask_itself(venue: Venue) -> None:
    """Whoever answers is still there after many minutes; a client's own ping is answered with its payload."""
    async with connected(venue, "/ws", answers_pings=False) as socket:
        for _ in range(10):
            venue.clock.offset_ms += PING_EVERY_MS
            venue.face.tick()
            ping = await within(socket.receive())
            assert ping.type is aiohttp.WSMsgType.PING
            await socket.pong(ping.data)
            await socket.ping(b"there?")
            pong = await within(socket.receive())
            assert (pong.type, bytes(pong.data)) == (aiohttp.WSMsgType.PONG, b"there?")


async def test_connection_ends_after_a_day(venue: Venue) -> None:
    """Everybody has to come again after twenty-four hours, over either kind of socket."""
    async with connected(venue, "/ws") as market, connected(venue, "/ws-api/v3") as user:
        await until(lambda: len(venue.face.market_sockets.connections + venue.face.user_sockets.connections) == 2)
        venue.clock.offset_ms += STAY_MS_MAX
        for socket in (market, user):
            assert (await within(socket.receive())).type is aiohttp.WSMsgType.CLOSE


async def test_shutdown_is_announced(venue: Venue) -> None:
    """Both kinds of sockets tell it, each in its form."""
    async with connected(venue, "/ws") as market, connected(venue, "/ws-api/v3") as user:
        await until(lambda: len(venue.face.market_sockets.connections + venue.face.user_sockets.connections) == 2)
        venue.face.announce_shutdown()
        assert (await told(market))["e"] == "serverShutdown"
        assert (await told(user))["event"]["e"] == "serverShutdown"


async def test_slow_client_is_cut_off_and_costs_nobody_else(venue: Venue) -> None:
    """A client that reads nothing is cut off at its bound and counted; another gets every event."""
    followed = "/ws/btcusdt@trade"
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.port, limit=1_024)
    writer.write(
        f"GET {followed} HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    async with connected(venue, "/ws/btcusdt@trade") as quick:
        sent = 0
        while not venue.face.market_sockets.too_slow_count:
            for _ in range(200):
                venue.face.market_streams.tell("btcusdt@trade", {"n": sent, "padding": "x" * 1_000})
                sent += 1
            assert [(await told(quick))["n"] for _ in range(200)] == list(range(sent - 200, sent))
            assert sent * 1_000 < 10 * WAITING_BYTES_MAX, "a client that reads nothing was not cut off"
    writer.close()


def request(venue: Venue, method: str, **params: object) -> dict[str, object]:
    """Return a signed request of the WebSocket API."""
    sent = {"apiKey": ALICE.key, "timestamp": venue.clock(), **params}
    signature = signature_of(ALICE.secret, sorted_text({name: str(value) for name, value in sent.items()}))
    return {"id": "mine", "method": method, "params": {**sent, "signature": signature}}


async def test_account_is_told_of_transfers_and_of_the_end(venue: Venue) -> None:
    """A subscription tells what comes in, and says when it is over; there is one of an account at a time."""
    subscribe = "userDataStream.subscribe.signature"
    async with connected(venue, "/ws-api/v3") as socket:
        await socket.send_json(request(venue, subscribe))
        answer = await told(socket)
        assert (answer["id"], answer["status"], answer["result"]) == ("mine", 200, {"subscriptionId": 0})
        assert answer["rateLimits"][0]["limit"] == 6_000
        await socket.send_json(request(venue, subscribe))
        assert (await told(socket))["error"]["code"] == -2035
        venue.desk.carry_out(Transfer(account="alice", asset="BTC", amount=PRICE))
        events = [(await told(socket))["event"] for _ in range(2)]
        assert [event["e"] for event in events] == ["balanceUpdate", "outboundAccountPosition"]
        assert events[0]["d"] == "60000.00000000"
        await socket.send_json(request(venue, "userDataStream.unsubscribe"))
        assert (await told(socket))["event"]["e"] == "eventStreamTerminated"
        assert (await told(socket))["result"] == {}
        await socket.send_json(request(venue, "userDataStream.unsubscribe"))
        assert (await told(socket))["error"]["code"] == -2036


async def test_unsigned_subscription_is_refused(venue: Venue) -> None:
    """Nobody follows an account without its key."""
    async with connected(venue, "/ws-api/v3") as socket:
        wrong = request(venue, "userDataStream.subscribe.signature", recvWindow=1_000)
        params = wrong["params"]
        assert isinstance(params, dict)
        await socket.send_json({**wrong, "params": {**params, "recvWindow": 1_001}})
        refused = await told(socket)
        assert (refused["status"], refused["error"]["code"]) == (400, -1022)
        await socket.send_json({"method": "no.such", "id": None})
        assert (await told(socket))["error"]["code"] == -1135
        await socket.send_json({"method": "time", "id": 3, "params": {"returnRateLimits": False}})
        assert (await told(socket)).keys() == {"id", "status", "result"}
