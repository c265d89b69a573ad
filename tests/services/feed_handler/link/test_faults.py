"""A link to an exchange that fails on command."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.feed_handler.vocabulary import (
    BookFetched,
    Came,
    CandlesFetched,
    FetchBook,
    FetchCandles,
    FetchTrades,
    Reconnect,
    Resubscribe,
    StreamKind,
    StreamLost,
    StreamOpened,
    TradesFetched,
)
from shared.market.observations import Quote, Trade
from tests.loopback import OUR_HOST, free_port
from tests.services.feed_handler.link.linked import BRISK, KINDS, PATIENCE_S, SYMBOL, Brought, Linked, linked
from tests.services.sim_exchange.face.venue import PRICE
from tests.services.sim_exchange.faults.sabotaged import Sabotaged

DEPTH = "GET /api/v3/depth"


# Streams.


@pytest.mark.parametrize("code", [None, 1008, 1011])
@pytest.mark.parametrize(
    ("kind", "stream"), [("trades", "aggTrade"), ("quotes", "bookTicker"), ("book", "depth"), ("candles", "kline")]
)
async def test_cut_connection_is_made_anew(
    exchange: Sabotaged, open_link: Linked, kind: StreamKind, stream: str, code: int | None
) -> None:
    """A connection that the venue ends is said to be lost, with the reason, and opened again; no other one is."""
    brought = open_link.brought
    exchange.suffer("stream_cut", code=code, when={"stream": stream})
    lost = await brought.next(StreamLost)
    assert (lost.kind, lost.symbols) == (kind, (SYMBOL,))
    assert lost.reason == f"Connection closed by remote server, closing code {code or 1006}"
    opened = await brought.next(StreamOpened)
    assert (opened.kind, opened.symbols) == (kind, (SYMBOL,))
    assert len(brought.of(StreamLost)) == 1


async def test_trades_that_were_missed_are_there_to_fetch(exchange: Sabotaged, open_link: Linked) -> None:
    """After a cut the trades from the last one told on are fetched by its id, and none is missing."""
    link, brought = open_link.link, open_link.brought
    exchange.venue.order("SELL", "0.1")
    await brought.until(lambda: brought.told(Trade))
    exchange.suffer("stream_cut", at="event", when={"stream": "aggTrade", "nth": [1]})
    for _ in range(3):
        exchange.venue.order("SELL", "0.1")
    await brought.next(StreamOpened)
    exchange.venue.order("SELL", "0.1")
    await brought.until(lambda: len(brought.told(Trade)) == 2)
    first, after = brought.told(Trade)
    link.perform(FetchTrades(SYMBOL, first.trade_id, None))
    fetched = await brought.next(TradesFetched)
    assert [trade.trade_id for trade in fetched.trades] == list(range(first.trade_id, after.trade_id + 1))
    assert len(fetched.trades) == 5
    assert (fetched.trades[0], fetched.trades[-1]) == (first, after)


async def trading_until_gone(exchange: Sabotaged, brought: Brought, connections: "set[Any]") -> None:
    """Trade on until the venue sees none of these connections any more."""
    async with asyncio.timeout(PATIENCE_S):
        while connections & set(exchange.venue.face.market_sockets.connections):
            # What is sold was bid for anew: a fast machine would have emptied the book before they are gone.
            exchange.venue.order("BUY", "0.001", str(PRICE - 1), account="max")
            exchange.venue.order("SELL", "0.001")
            await brought.next(Came, lambda came: isinstance(came.told[0], Trade))


async def test_announced_shutdown_is_left_in_time(exchange: Sabotaged, open_link: Linked) -> None:
    """Where the venue says that it will end its connections, others take their place before, and no trade is missed."""
    brought, face = open_link.brought, exchange.venue.face
    before = set(face.market_sockets.connections)
    face.announce_shutdown()
    await trading_until_gone(exchange, brought, before)
    assert len(face.market_sockets.connections) == len(KINDS)
    assert_no_trade_is_missing(brought)


async def test_connections_are_renewed_without_a_gap(exchange: Sabotaged) -> None:
    """Before the venue's day is over other connections take over, and no trade is missed; nothing is said of it."""
    pace = replace(BRISK, stay_seconds=0.3)
    async with linked(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as opened:
        await opened.brought.flows(*KINDS)
        for _ in range(3):
            before = set(exchange.venue.face.market_sockets.connections)
            await trading_until_gone(exchange, opened.brought, before)
        assert_no_trade_is_missing(opened.brought)


def assert_no_trade_is_missing(brought: Brought) -> None:
    """Trades may come twice while two connections stand, but each comes, and no stream was said to be lost."""
    ids = [trade.trade_id for trade in brought.told(Trade)]
    assert set(ids) == set(range(min(ids), max(ids) + 1))
    assert not brought.of(StreamLost)
    assert len(brought.of(StreamOpened)) == len(KINDS)


async def test_silent_stream_is_asked_for_anew(exchange: Sabotaged, open_link: Linked) -> None:
    """A stream that fell silent is asked for anew on the same connection, which is said when it is done."""
    brought, face = open_link.brought, exchange.venue.face
    before = set(face.market_sockets.connections)
    rule = exchange.suffer("stream_silent", when={"stream": "aggTrade"})
    exchange.venue.order("SELL", "0.1")
    exchange.saboteur.remove(rule.fault_id)
    open_link.link.perform(Resubscribe("trades", SYMBOL))
    opened = await brought.next(StreamOpened)
    assert (opened.kind, opened.symbols) == ("trades", (SYMBOL,))
    exchange.venue.order("SELL", "0.2")
    await brought.until(lambda: brought.told(Trade))
    assert [trade.quantity for trade in brought.told(Trade)] == [Decimal("0.2")]
    assert set(face.market_sockets.connections) == before
    assert not brought.of(StreamLost)


async def test_kind_is_connected_anew(exchange: Sabotaged, open_link: Linked) -> None:
    """Other connections for a kind are made when that is asked for."""
    before = set(exchange.venue.face.market_sockets.connections)
    open_link.link.perform(Reconnect("quotes"))
    lost = await open_link.brought.next(StreamLost)
    assert (lost.kind, lost.reason) == ("quotes", "another connection was asked for")
    assert (await open_link.brought.next(StreamOpened)).kind == "quotes"
    assert len(set(exchange.venue.face.market_sockets.connections) & before) == len(KINDS) - 1


@pytest.mark.parametrize(
    ("price", "bid"),
    [
        ("zero", Decimal(0)),
        ("negative", Decimal(-59_999)),
        ("nan", Decimal("NaN")),
        ("crossed", Decimal(60_001)),
        ("thousandfold", Decimal(59_999_000)),
    ],
)
async def test_wrong_prices_pass(exchange: Sabotaged, open_link: Linked, price: str, bid: Decimal) -> None:
    """What the venue tells is brought as it is: nobody but the gate says what is a price."""
    exchange.suffer("wrong_price", price=price)
    exchange.venue.order("BUY", "0.5", "59999")
    brought = open_link.brought
    await brought.until(lambda: brought.told(Quote))
    assert brought.told(Quote)[-1].bid_price.compare_total(bid.quantize(Decimal("1e-8"))) == 0


async def test_venue_that_is_down_is_waited_for() -> None:
    """While nobody listens that is said once, and the link goes on trying."""
    async with linked(f"http://{OUR_HOST}:{free_port()}") as opened:
        await opened.brought.until(lambda: len(opened.brought.of(StreamLost)) == len(KINDS))
        lost = opened.brought.of(StreamLost)
        assert [one.kind for one in lost] == list(KINDS)
        assert lost[0].reason.startswith("the venue does not say what it trades: ExchangeNotAvailable: binance GET")


@pytest.mark.parametrize("body", ["empty_body", "garbage_body", "empty_object", "truncated_body"])
async def test_venue_that_says_nonsense_at_the_start_is_waited_for(exchange: Sabotaged, body: str) -> None:
    """Markets that cannot be read are asked for again, and then everything flows."""
    executed = {} if body == "truncated_body" else {"executed": False}
    exchange.suffer(body, **executed, when={"endpoint": "GET /api/v3/exchangeInfo", "most": 3})
    async with linked(f"http://127.0.0.1:{exchange.venue.port}") as opened:
        await opened.brought.flows(*KINDS)
        reasons = {lost.reason for lost in opened.brought.of(StreamLost)}
        assert len(reasons) == 1
        assert reasons.pop().startswith("the venue does not say what it trades: ")


# Requests.


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http_status", "status": 503, "executed": False, "body": "html"},
        {"kind": "http_status", "status": 500, "executed": False, "body": "empty"},
        {"kind": "venue_error", "code": -1000, "executed": False},
        {"kind": "drop_reply"},
        {"kind": "empty_body", "executed": True},
        {"kind": "empty_object", "executed": True},
        {"kind": "garbage_body", "executed": True},
        {"kind": "truncated_body"},
        {"kind": "rate_limited"},
        {"kind": "rate_limited", "retry_after_seconds": 1},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_request_that_failed_is_made_again(exchange: Sabotaged, open_link: Linked, fault: dict[str, Any]) -> None:
    """What fails twice is there at the third attempt, in one answer."""
    fields = {name: value for name, value in fault.items() if name != "kind"}
    rule = exchange.suffer(fault["kind"], **fields, when={"endpoint": DEPTH, "most": 2})
    open_link.link.perform(FetchBook(SYMBOL))
    fetched = await open_link.brought.next(BookFetched)
    assert fetched.failure is None
    assert fetched.book is not None
    assert rule.fired >= 1
    assert len(open_link.brought.of(BookFetched)) == 1


async def test_request_that_fails_on_and_on_is_answered_with_the_failure(
    exchange: Sabotaged, open_link: Linked
) -> None:
    """After a few attempts whoever wanted it is told why there is nothing."""
    link, brought = open_link.link, open_link.brought
    rules = [
        exchange.suffer(
            "http_status", status=503, executed=False, body="html", when={"endpoint": f"GET /api/v3/{path}"}
        )
        for path in ("depth", "aggTrades", "klines")
    ]
    link.perform(FetchBook(SYMBOL))
    link.perform(FetchTrades(SYMBOL, 1, None))
    link.perform(FetchCandles(5, SYMBOL, "1m", 1_700_000_000_000_000_000, 10))
    await brought.until(lambda: brought.of(BookFetched) and brought.of(TradesFetched) and brought.of(CandlesFetched))
    [book], [trades], [candles] = brought.of(BookFetched), brought.of(TradesFetched), brought.of(CandlesFetched)
    assert (book.book, trades.trades, candles.candles, candles.fetch_id) == (None, (), (), 5)
    for failure in (book.failure, trades.failure, candles.failure):
        assert failure is not None
        assert failure.startswith("ExchangeNotAvailable: binance GET")
    assert [rule.fired for rule in rules] == [BRISK.fetch_attempts] * 3


async def test_ban_is_respected(exchange: Sabotaged, open_link: Linked) -> None:
    """While the venue wants to be left alone nothing is asked, and whoever wants something is told so at once."""
    rule = exchange.suffer("banned", when={"endpoint": DEPTH, "until": "+2m"})
    for _ in range(2):
        open_link.link.perform(FetchBook(SYMBOL))
        failure = (await open_link.brought.next(BookFetched)).failure or ""
        assert "418" in failure or failure.startswith("the venue wants to be left alone for 1")
    assert rule.fired == 1


async def test_line_of_those_who_wait_has_an_end(exchange: Sabotaged) -> None:
    """What finds no room is answered with a failure at once, and everything else with what was wanted."""
    pace = replace(BRISK, fetches_at_once=1, fetches_waiting_max=3)
    async with linked(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as opened:
        await opened.brought.flows(*KINDS)
        for _ in range(5):
            opened.link.perform(FetchBook(SYMBOL))
        await opened.brought.until(lambda: len(opened.brought.of(BookFetched)) == 5)
        failures = [fetched.failure for fetched in opened.brought.of(BookFetched)]
        assert failures == ["3 others like it are waiting"] * 2 + [None] * 3
