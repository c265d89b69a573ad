"""A link to a server that says what a test wants: the other market, what no venue says, and what is too much."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from aiohttp import web

from services.feed_handler.link.client import venue_client
from services.feed_handler.link.pace import Pace
from services.feed_handler.venues.catalog import VENUES
from services.feed_handler.vocabulary import Came, Resubscribe, StreamKind, StreamLost, StreamOpened, Unreadable
from shared.market.observations import BookChange, Candle, Quote, Trade
from shared.mesh.clock import SystemClock
from tests.services.feed_handler.link.linked import BRISK, KINDS, SYMBOL, linked
from tests.services.feed_handler.link.stand_in import standing_in
from tests.services.feed_handler.venues.test_binance import AGGREGATE, KLINE, USDM_DEPTH, USDM_QUOTE

HERE = "http://127.0.0.1:9080"


def addresses(tree: Mapping[str, object]) -> list[str]:
    """Return every address in ccxt's tree of them."""
    return [
        address
        for branch in tree.values()
        for address in (addresses(branch) if isinstance(branch, Mapping) else [str(branch)])
    ]


@pytest.mark.parametrize("name", VENUES)
async def test_every_address_is_ours(name: str) -> None:
    """With an address of ours no request of any kind can go anywhere else."""
    own, client = (venue_client(VENUES[name], url=url, pace=Pace()) for url in ("", HERE))
    ours = addresses(client.urls)
    assert len(ours) == len(addresses(own.urls["api"]))
    assert all(address.startswith((f"{HERE}/", "ws://127.0.0.1:9080/")) for address in ours)
    assert own.urls["api"]["public"] == "https://api.binance.com/api/v3"
    assert client.urls["api"]["public"] == f"{HERE}/api/v3"
    assert client.urls["api"]["fapiPublic"] == f"{HERE}/fapi/v1"
    assert client.urls["api"]["ws"][VENUES[name].market_type] == f"ws://127.0.0.1:9080{VENUES[name].stream_path}"
    for exchange in (own, client):
        assert (exchange.streaming["keepAlive"], exchange.streaming["connectionTimeout"]) == (1_000, 10_000)
        assert exchange.rateLimiterAlgorithm == "rollingWindow"
        await exchange.close()


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("binance", dict.fromkeys(KINDS, "wss://stream.binance.com:9443/ws")),
        (
            "binanceusdm",
            {
                "trades": "wss://fstream.binance.com/market/ws",
                "quotes": "wss://fstream.binance.com/public/ws",
                "book": "wss://fstream.binance.com/public/ws",
                "candles": "wss://fstream.binance.com/market/ws",
            },
        ),
    ],
)
async def test_streams_are_where_the_venue_has_them(name: str, places: dict[StreamKind, str]) -> None:
    """Without an address of ours, each kind of stream is where ccxt knows it to be."""
    venue = VENUES[name]
    exchange = venue_client(venue, url="", pace=Pace())
    for kind, place in places.items():
        category = exchange.get_future_ws_category(venue.channels[kind].route)
        assert exchange.get_ws_url(venue.market_type, category) == place
    await exchange.close()


async def test_other_market_flows() -> None:
    """The USD-M market is read by the same functions, at its own addresses and under its own symbols."""
    frames = {"aggTrade": AGGREGATE, "bookTicker": USDM_QUOTE, "depth@100ms": USDM_DEPTH, "kline_1m": KLINE}
    symbol = "BTC/USDT:USDT"
    async with standing_in() as venue:
        venue.frames.update({f"btcusdt@{name}": [frame] for name, frame in frames.items()})
        async with linked(venue.url, venue="binanceusdm", symbols=(symbol,), book_symbols=(symbol,)) as opened:
            brought = opened.brought
            await brought.flows(*KINDS)
            await brought.until(lambda: all(brought.told(kind) for kind in (Trade, Quote, BookChange, Candle)))
            assert {one.symbol for one in brought.told(Trade)} == {symbol}
    places = {path.rpartition("/")[0]: streams for path, streams in sorted(venue.subscribed.items())}
    assert set(places) == {"/fut/public/ws", "/fut/market/ws"}
    assert {path for path in venue.asked if "/ws/" not in path} == {"/fapi/v1/exchangeInfo", "/fapi/v1/time"}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "[1,2]",
        "{",
        "null",
        "hello",
        '{"e":"trade"}',
        '{"s":"BTCUSDT"}',
        "[" * 50_000,
        '{"a":' * 50_000,
        b"\xff",
    ],
    ids=lambda frame: repr(frame[:12]),
)
async def test_nonsense_is_brought_as_unreadable(frame: str | bytes) -> None:
    """A frame that is nothing ends nothing: it is said to be unreadable, and what comes after it is read."""
    async with standing_in() as venue:
        venue.frames["btcusdt@aggTrade"] = [frame, AGGREGATE]
        async with linked(venue.url) as opened:
            await opened.brought.until(lambda: opened.brought.told(Trade))
            assert len(opened.brought.told(Unreadable)) == 1
            assert not opened.brought.of(StreamLost)


async def test_frame_beyond_all_bounds_ends_the_connection() -> None:
    """Ten megabytes are more than any message has: whoever sends that is left, and asked anew."""
    async with standing_in() as venue:
        venue.frames["btcusdt@aggTrade"] = ["x" * 11_000_000]
        async with linked(venue.url) as opened:
            lost = await opened.brought.next(StreamLost)
            assert lost.kind == "trades"
            await opened.brought.flows(*KINDS)


async def test_refused_subscription_is_asked_for_again() -> None:
    """What the venue refuses is said with its words, and tried again."""
    async with standing_in() as venue:
        refusal = '{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":%d}'
        venue.answers.append(lambda request_id: refusal % request_id)
        async with linked(venue.url, book_symbols=()) as opened:
            lost = await opened.brought.next(StreamLost)
            assert lost.reason == "the venue refused: Invalid request: unknown variant (2)"
            await opened.brought.flows("trades", "quotes", "candles")


@pytest.mark.parametrize("answer", [None, '{"result":null,"id":99}', '{"result":null}'])
async def test_subscription_that_nobody_acknowledges_is_given_up(answer: str | None) -> None:
    """A connection over which nothing is answered is none: another is made."""
    async with standing_in() as venue:
        venue.answers.append(lambda _: answer)
        async with linked(venue.url, pace=replace(BRISK, answer_seconds=0.2)) as opened:
            lost = await opened.brought.next(StreamLost)
            assert lost.reason == "the venue did not answer within 0.2 s"
            await opened.brought.flows(*KINDS)


async def test_refused_dials_are_said_once() -> None:
    """A venue that takes nobody in is tried again and again, and that is said once for each reason."""
    async with standing_in() as venue:
        venue.refused_dials.extend(web.Response(status=503) for _ in range(12))
        async with linked(venue.url) as opened:
            await opened.brought.flows(*KINDS)
            lost = opened.brought.of(StreamLost)
            assert len({one.kind for one in lost}) == len(lost)
            assert lost[0].reason.startswith("503, message='Invalid response status', url=")
            assert len([path for path in venue.asked if "/ws/" in path]) == 12 + len(KINDS)


async def test_venue_that_asks_for_a_pause_has_it() -> None:
    """Who is turned away at the door with a time to wait comes back after it, and no sooner."""
    clock = SystemClock()
    async with standing_in() as venue:
        venue.refused_dials.append(web.Response(status=429, headers={"Retry-After": "1"}))
        began_ns = clock.boot_ns()
        async with linked(venue.url, book_symbols=()) as opened:
            lost = await opened.brought.next(StreamLost)
            await opened.brought.flows(lost.kind)
            assert clock.boot_ns() - began_ns > 990_000_000


async def test_who_talks_is_alive() -> None:
    """A venue that answers no ping is dead, unless it tells something: the answer may stand in line behind that."""
    async with standing_in() as venue:
        venue.answers_pings = False
        async with linked(venue.url, pace=replace(BRISK, keep_alive_ms=500)) as opened:
            await opened.brought.flows(*KINDS)
            lost = list[StreamKind]()
            while "quotes" not in lost:
                await venue.sockets["btcusdt@aggTrade"].send_str(AGGREGATE)
                await opened.brought.next(Came)
                lost = [one.kind for one in opened.brought.of(StreamLost)]
            assert "trades" not in lost


async def test_announcements_without_end_are_followed_with_patience() -> None:
    """A venue that announces its end on each new connection is not dialled without a pause."""
    pace = replace(BRISK, retry_seconds_first=0.3, retry_seconds_max=0.3)
    async with standing_in() as venue:
        venue.frames["btcusdt@aggTrade"] = ['{"e":"serverShutdown","E":1770123456789}']
        async with linked(venue.url, pace=pace) as opened:
            await opened.brought.flows(*KINDS)
            for _ in range(3):
                dials = len(venue.subscribed)
                venue.frames["btcusdt@aggTrade"] = [AGGREGATE, '{"e":"serverShutdown","E":1770123456789}']
                await opened.brought.next(Came)
                assert len(venue.subscribed) == dials + 1
            assert not opened.brought.of(StreamLost)


async def test_connection_has_a_bounded_number_of_streams() -> None:
    """Where there are more symbols than a connection takes, each kind has several."""
    ids = [f"A{number}USDT" for number in range(450)]
    symbols = [f"A{number}/USDT" for number in range(450)]
    async with standing_in(ids) as venue, linked(venue.url, symbols=symbols, book_symbols=symbols[:1]) as opened:
        await opened.brought.until(lambda: len(opened.brought.of(StreamOpened)) == 10)
        assert sorted(map(len, venue.subscribed.values())) == [1, *[50] * 3, *[200] * 6]
        trades = [one.symbols for one in opened.brought.of(StreamOpened) if one.kind == "trades"]
        assert sorted(symbol for share in trades for symbol in share) == sorted(symbols)
        assert SYMBOL not in symbols


async def test_many_silent_streams_are_asked_for_in_one_request() -> None:
    """The venue counts frames: what is wanted at once is asked for together."""
    symbols = [f"A{number}/USDT" for number in range(50)]
    async with (
        standing_in([f"A{number}USDT" for number in range(50)]) as venue,
        linked(venue.url, symbols=symbols, book_symbols=()) as opened,
    ):
        await opened.brought.flows("trades", "quotes", "candles")
        del venue.requests[:]
        for symbol in symbols[10:20]:
            opened.link.perform(Resubscribe("quotes", symbol))
        assert (await opened.brought.next(StreamOpened)).symbols == tuple(symbols[10:20])
        streams = [f"a{number}usdt@bookTicker" for number in range(10, 20)]
        assert venue.requests == [("UNSUBSCRIBE", streams), ("SUBSCRIBE", streams)]
