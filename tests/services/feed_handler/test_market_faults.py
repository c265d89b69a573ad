"""What the exchange injects is what the feed counts, and nothing of it reaches a subscriber as good."""

from collections.abc import Iterator

import pytest

from proto.market import BookChanged, BookSnapshot, QuoteSeen, TradeSeen
from tests.services.feed_handler.feed_project import FeedProject
from tests.services.feed_handler.reader import Reader
from tests.services.feed_handler.truth import assert_true, folded, is_a_row

TRADES, QUOTES, BOOK = "btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth*"
TIMES = 3


@pytest.fixture(scope="module")
def project() -> Iterator[FeedProject]:
    """Run an exchange and a feed that all tests of this file read."""
    with FeedProject(symbols="[BTC/USDT]", feed="timeframes: [1s], books: [BTC/USDT]") as running:
        running.start()
        running.start_feed()
        yield running


@pytest.fixture(autouse=True)
def _no_fault_outlives_its_test(project: FeedProject) -> Iterator[None]:
    yield
    project.end_faults()


def assert_sensible(reader: Reader) -> None:
    """No price that a subscriber was told is senseless, or far from the others."""
    trades = [body.price for body in reader.bodies["binance/BTC/USDT/trades"] if isinstance(body, TradeSeen)]
    quotes = [body for body in reader.bodies["binance/BTC/USDT/quotes"] if isinstance(body, QuoteSeen)]
    middle = sorted(trades)[len(trades) // 2]
    assert all(abs(price / middle - 1) < 0.1 for price in trades)
    assert all(abs(quote.bid_price / middle - 1) < 0.1 and quote.bid_price < quote.ask_price for quote in quotes)


@pytest.mark.parametrize(
    ("price", "stream", "reason"),
    [
        ("zero", TRADES, "zero"),
        ("negative", TRADES, "negative"),
        ("nan", TRADES, "not finite"),
        ("thousandfold", TRADES, "spike"),
        ("zero", QUOTES, "empty"),
        ("negative", QUOTES, "negative"),
        ("nan", QUOTES, "not finite"),
        ("crossed", QUOTES, "crossed"),
        ("thousandfold", QUOTES, "spike"),
    ],
)
async def test_a_poisoned_price_is_counted_and_goes_no_further(
    project: FeedProject, price: str, stream: str, reason: str
) -> None:
    """Each wrong price is refused for its reason, as often as it was sent, and the symbol is trusted again after."""
    async with Reader(project.root) as reader:
        await reader.until(lambda: reader.counts.get("BTC/USDT") and reader.trade_ids())
        before = reader.refused(reason)
        # Not every one: two wrong ones in a row that agree with each other are a move.
        poison = project.fault(kind="wrong_price", price=price, when={"stream": stream, "every": 3, "most": TIMES})
        await reader.until(lambda: reader.refused(reason) - before >= TIMES)
        assert project.fired(poison) == TIMES
        project.end_fault(poison)
        await reader.until(lambda: reader.doubts() == ())
        assert reader.refused(reason) - before == TIMES
        assert_sensible(reader)


async def test_many_faults_make_a_symbol_doubted(project: FeedProject) -> None:
    """Five wrong prices within ten seconds and the symbol is not to be relied on; quiet again, it is."""
    async with Reader(project.root) as reader:
        await reader.until(lambda: reader.doubts() == ())
        poison = project.fault(kind="wrong_price", price="zero", when={"stream": QUOTES, "every": 2, "most": 12})
        await reader.until(lambda: "many faults" in (reader.doubts() or ()))
        project.end_fault(poison)
        await reader.until(lambda: reader.doubts() == ())


async def test_a_trade_that_the_stream_swallows_is_fetched(project: FeedProject) -> None:
    """Trades lost with their connections are fetched by their ids: the row has no hole, and neither has a bar."""
    async with Reader(project.root) as reader:
        await reader.until(lambda: reader.counts.get(None) and reader.trade_ids())
        lost, filled = reader.counted("streams lost"), reader.counted("trades fetched", "BTC/USDT")
        when = {"stream": TRADES, "every": 7, "most": TIMES}
        cut = project.fault(kind="stream_cut", at="event", code=1008, when=when)
        await reader.until(lambda: reader.counted("streams lost") - lost >= TIMES)
        assert project.fired(cut) == TIMES
        seen = len(reader.bars())
        await reader.until(lambda: len(reader.bars()) >= seen + 2 and reader.link()[-1] == "opened")
        assert reader.counted("trades fetched", "BTC/USDT") - filled >= TIMES
        assert reader.refused("lost trade") == 0
        assert is_a_row(reader.trade_ids())
        assert_true(reader.bars(), folded(project.aggregates("BTCUSDT"), "1s"))
        assert all(bar.gapless for bar in reader.bars()[1:])


async def test_a_stream_that_falls_silent_is_asked_for_anew(project: FeedProject) -> None:
    """A connection that stands and says nothing is noticed by the silence, and doubted until it speaks."""
    async with Reader(project.root) as reader:
        await reader.until(lambda: reader.doubts() == ())
        silence = project.fault(kind="stream_silent", when={"stream": QUOTES})
        await reader.until(lambda: "stale quotes" in (reader.doubts() or ()))
        project.end_fault(silence)
        await reader.until(lambda: reader.doubts() == ())


async def test_trades_that_fall_silent_are_looked_for(project: FeedProject) -> None:
    """When the stream of trades says nothing, the venue is asked whether there were any, and nothing is missed."""
    async with Reader(project.root) as reader:
        await reader.until(reader.trade_ids)
        filled = reader.counted("trades fetched", "BTC/USDT")
        silence = project.fault(kind="stream_silent", when={"stream": TRADES})
        await reader.until(lambda: reader.counted("trades fetched", "BTC/USDT") > filled)
        project.end_fault(silence)
        assert is_a_row(reader.trade_ids())


async def test_a_hole_in_the_book_has_it_fetched(project: FeedProject) -> None:
    """A missing change of the book is noticed at the next one; readers get a whole book, and changes in a row."""
    async with Reader(project.root) as reader:
        book = reader.bodies["binance/BTC/USDT/book"]
        await reader.until(lambda: len(book) > 3)
        before = reader.refused("book gap")
        gap = project.fault(kind="sequence_gap", when={"symbol": "BTCUSDT", "every": 5, "most": TIMES})
        await reader.until(lambda: reader.refused("book gap") - before >= TIMES)
        assert project.fired(gap) == TIMES
        await reader.until(lambda: reader.doubts() == ())
        assert sum(isinstance(body, BookSnapshot) for body in book) >= TIMES
        last = None
        for body in book:
            if isinstance(body, BookSnapshot):
                last = body.book_sequence
            elif isinstance(body, BookChanged):
                assert last is None or body.first_sequence == last + 1
                last = body.last_sequence


async def test_an_exchange_that_answers_nothing_but_streams_is_lived_with(project: FeedProject) -> None:
    """While every request is refused, ticks flow; what could not be fetched is fetched afterwards."""
    async with Reader(project.root) as reader:
        await reader.until(reader.trade_ids)
        project.fault(kind="maintenance", when={"until": "+5s"})
        project.fault(kind="stream_cut", at="event", when={"stream": TRADES, "most": 1})
        seen = len(reader.trade_ids())
        await reader.until(lambda: len(reader.trade_ids()) > seen + 3 and reader.link()[-1] == "opened")
        assert is_a_row(reader.trade_ids())
        assert reader.refused("lost trade") == 0


async def test_a_venue_whose_clock_runs_ahead_is_not_believed_at_once(project: FeedProject) -> None:
    """Trades from the future are refused and counted; when the clock is right again, trades flow."""
    async with Reader(project.root) as reader:
        await reader.until(reader.trade_ids)
        before = reader.refused("from the future")
        project.fault(kind="clock_skew", skew_ms=30_000, when={"until": "+2s"})
        await reader.until(lambda: reader.refused("from the future") > before)
        seen = len(reader.trade_ids())
        await reader.until(lambda: len(reader.trade_ids()) > seen and reader.doubts() == ())
