"""A link to the simulated exchange on a good day: everything flows, and what is asked for is answered."""

import asyncio
from itertools import pairwise
from typing import Final

from services.feed_handler.vocabulary import (
    BookFetched,
    Came,
    CandlesFetched,
    FetchBook,
    FetchCandles,
    FetchTrades,
    StreamLost,
    StreamOpened,
    TradesFetched,
    VenueClock,
)
from shared.market.observations import BookChange, Candle, Quote, Trade
from shared.mesh.service.plan import OutsideUnusableError
from tests.services.feed_handler.link.linked import KINDS, SYMBOL, Linked, linked
from tests.services.sim_exchange.face.venue import BTC, serving
from tests.services.sim_exchange.faults.sabotaged import Sabotaged

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS


async def test_every_kind_flows(exchange: Sabotaged, open_link: Linked) -> None:
    """Trades, quotes, changes of the book and bars come as they are told, each stream opened once."""
    brought = open_link.brought
    for price in ("60001", "60002", "60003"):
        exchange.venue.order("BUY", "1", price)
        exchange.venue.order("SELL", "1", "59990")
    await brought.until(lambda: len(brought.told(Trade)) >= 6 and brought.told(BookChange) and brought.told(Candle))
    trades = brought.told(Trade)
    assert [trade.trade_id - trades[0].trade_id for trade in trades] == list(range(len(trades)))
    assert {trade.symbol for trade in trades} == {SYMBOL}
    assert len(brought.told(Quote)) >= 1
    assert [opened.kind for opened in brought.of(StreamOpened)] != []
    assert {opened.symbols for opened in brought.of(StreamOpened)} == {(SYMBOL,)}
    assert len(brought.of(StreamOpened)) == len(KINDS)
    assert all(len(came.told) == 1 for came in brought.of(Came))


async def test_trades_are_fetched_as_they_were_told(exchange: Sabotaged, open_link: Linked) -> None:
    """Trades fetched from an id on, or from a time on, are those that the stream told."""
    link, brought = open_link.link, open_link.brought
    for _ in range(5):
        exchange.venue.order("SELL", "0.1")
    await brought.until(lambda: len(brought.told(Trade)) == 5)
    told = brought.told(Trade)
    link.perform(FetchTrades(SYMBOL, told[2].trade_id, None))
    assert (await brought.next(TradesFetched)) == TradesFetched(SYMBOL, tuple(told[2:]), None)
    link.perform(FetchTrades(SYMBOL, None, told[0].exchange_time_ns))
    fetched = (await brought.next(TradesFetched)).trades
    assert fetched[-5:] == tuple(told)
    assert all(trade.exchange_time_ns >= told[0].exchange_time_ns for trade in fetched)


async def test_book_is_fetched_whole(exchange: Sabotaged, open_link: Linked) -> None:
    """The book that is fetched is the venue's, and the changes told later follow on it."""
    open_link.link.perform(FetchBook(SYMBOL))
    book = (await open_link.brought.next(BookFetched)).book
    assert book is not None
    depth = exchange.desk.core.depth(BTC, 1_000)
    assert [price for price, _ in book.bids] == [level[0] for level in depth.bids]
    assert book.sequence == depth.update_id
    exchange.venue.order("BUY", "0.5", "59000")

    def follows(change: BookChange) -> bool:
        return change.first_sequence <= book.sequence + 1 <= change.last_sequence

    await open_link.brought.until(lambda: any(map(follows, open_link.brought.told(BookChange))))


async def test_only_closed_candles_are_fetched(exchange: Sabotaged, open_link: Linked) -> None:
    """Bars come in a row up to the last that has closed; before a time, up to the one before it."""
    link, brought = open_link.link, open_link.brought
    await brought.until(lambda: brought.of(VenueClock))
    link.perform(FetchCandles(1, SYMBOL, "1m", exchange.venue.clock() * 1_000_000 // MINUTE_NS * MINUTE_NS, 10))
    fetched = await brought.next(CandlesFetched)
    assert (fetched.fetch_id, fetched.timeframe, fetched.failure) == (1, "1m", None)
    opened_ns = [candle.open_time_ns for candle in fetched.candles]
    assert len(opened_ns) == 10
    assert {after - before for before, after in pairwise(opened_ns)} == {MINUTE_NS}
    assert all(candle.is_closed for candle in fetched.candles)
    now_ns = exchange.venue.clock() * 1_000_000
    assert now_ns - 2 * MINUTE_NS < opened_ns[-1] + MINUTE_NS <= now_ns
    link.perform(FetchCandles(2, SYMBOL, "1m", opened_ns[3], 3))
    earlier = await brought.next(CandlesFetched)
    assert earlier.candles == fetched.candles[:3]


async def test_clock_of_the_venue_is_measured(exchange: Sabotaged, open_link: Linked) -> None:
    """How far the venue's clock is ahead is said, and said again: a venue that is set is noticed."""
    brought = open_link.brought
    await brought.next(VenueClock, lambda clock: abs(clock.ahead_ns) < SECOND_NS)
    exchange.venue.clock.offset_ms = 5_000
    await brought.next(VenueClock, lambda clock: abs(clock.ahead_ns - 5 * SECOND_NS) < SECOND_NS)


async def test_markets_are_all_that_is_asked_for() -> None:
    """Beside its streams a link asks for the markets once, and for the time now and then."""
    asked: list[str] = []
    async with (
        serving(on_request=lambda request, _: asked.append(request.called)) as venue,
        linked(f"http://127.0.0.1:{venue.port}") as opened,
    ):
        await opened.brought.flows(*KINDS)
        await opened.brought.next(VenueClock)
    assert asked.count("GET /api/v3/exchangeInfo") == 1
    assert asked.count("SUBSCRIBE") == len(KINDS)
    assert set(asked) == {"GET /api/v3/exchangeInfo", "GET /api/v3/time", "SUBSCRIBE"}


async def test_many_symbols_share_a_connection(exchange: Sabotaged) -> None:
    """All symbols of a kind come over one connection, and a book only where it is wanted."""
    symbols = ("BTC/USDT", "ETH/USDT", "BNB/USDT")
    url = f"http://127.0.0.1:{exchange.venue.port}"
    async with linked(url, symbols=symbols, book_symbols=("ETH/USDT",)) as opened:
        await opened.brought.flows(*KINDS)
        said = {one.kind: one.symbols for one in opened.brought.of(StreamOpened)}
        assert said == {"trades": symbols, "quotes": symbols, "book": ("ETH/USDT",), "candles": symbols}
        assert len(exchange.venue.face.market_sockets.connections) == len(KINDS)


async def test_no_book_is_followed_where_none_is_wanted(exchange: Sabotaged) -> None:
    """Without a symbol whose book is wanted there is no connection for books."""
    async with linked(f"http://127.0.0.1:{exchange.venue.port}", book_symbols=()) as opened:
        await opened.brought.flows("trades", "quotes", "candles")
        assert len(exchange.venue.face.market_sockets.connections) == 3


async def test_a_symbol_that_is_not_traded_takes_no_other_with_it(exchange: Sabotaged) -> None:
    """It is lost, with names near it and the setting to change; the others are read."""
    symbols = ("BTC/USDC", SYMBOL)
    async with linked(f"http://127.0.0.1:{exchange.venue.port}", symbols=symbols, book_symbols=()) as opened:
        lost = await opened.brought.next(StreamLost)
        assert lost.symbols == ("BTC/USDC",)
        assert lost.reason.startswith("binance does not trade BTC/USDC (names near it: BTC/USDT")
        assert lost.reason.endswith("change venue.symbols")
        flowing = await opened.brought.next(StreamOpened, lambda stream: stream.kind == "trades")
        assert flowing.symbols == (SYMBOL,)
        opened.link.perform(FetchCandles(1, "BTC/USDC", "1m", MINUTE_NS, 10))
        assert (await opened.brought.next(CandlesFetched)).failure == "the venue does not trade this symbol"


async def test_a_link_without_a_symbol_that_is_traded_ends_the_process(exchange: Sabotaged) -> None:
    """There is nothing to read then, and nothing to wait for."""
    escaped: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: escaped.put_nowait(context))
    async with linked(f"http://127.0.0.1:{exchange.venue.port}", symbols=("BTC/USDC",), book_symbols=()):
        error = (await asyncio.wait_for(escaped.get(), 90))["exception"]
    assert isinstance(error, OutsideUnusableError)
    assert str(error).startswith("binance does not trade BTC/USDC")
