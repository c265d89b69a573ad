"""One tick, from the exchange to a subscriber: real processes, killed and stopped, and nothing is lost in silence."""

import asyncio
import signal

from proto.bars import AskBars, AskBook, BarsGiven
from proto.envelope import Body
from proto.streams import RequestRefused
from shared.market.timeframe import timeframe
from tests.services.feed_handler.feed_project import FeedProject, kill
from tests.services.feed_handler.reader import Reader
from tests.services.feed_handler.truth import assert_true, folded, is_a_row, shape

SECOND_NS = 1_000_000_000
STANDS_STILL_S = 2


async def test_ticks_reach_a_subscriber() -> None:
    """Trades, quotes and bars of every symbol arrive, the trades in their row, the bars as the trades make them."""
    with FeedProject() as project:
        project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(lambda: len(reader.bars()) >= 4 and len(reader.bars(symbol="ETH/USDT")) >= 2)
            await reader.until(lambda: reader.doubts() == ())
            assert is_a_row(reader.trade_ids())
            assert reader.link() == ["opened"]
            assert all(bar.gapless for bar in reader.bars()[1:])
            assert_true(reader.bars(), folded(project.aggregates("BTCUSDT"), "1s"))


async def test_a_killed_feed_comes_back_and_nothing_is_missing_from_what_it_remembers() -> None:
    """After kill -9 the next feed is read from its beginning, and the bars of the minute under way are whole."""
    with FeedProject() as project:
        project.start()
        first = project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(lambda: len(reader.bars()) >= 2)
            kill(first)
            project.start_feed()
            await reader.until(lambda: {event.reason for event in reader.broken} >= {"new epoch"})
            seen = len(reader.bars())
            await reader.until(lambda: len(reader.bars()) >= seen + 3)
            asked = await reader.ask_bars("1s", 1_000)
            # The feed closes a bar by the venue's word that there is nothing more in it, the fold by a later trade.
            newest_ns = asked[-1].open_time_ns
            await reader.until(lambda: any(bar.trade_count and bar.open_time_ns > newest_ns for bar in reader.bars()))
            truth = folded(project.aggregates("BTCUSDT"), "1s")
            assert_true(reader.bars(), truth)
            # What was before the exchange opened it tells as well, though nobody traded there.
            remembered = {bar.open_time_ns: bar for bar in asked if bar.open_time_ns >= min(truth)}
            pairs = [(bar, truth.get(opening)) for opening, bar in remembered.items()]
            assert [(ours, true) for ours, true in pairs if true is None or shape(ours) != shape(true)] == []
            minute_ns = timeframe("1m").open_time_ns(asked[-1].open_time_ns)
            begin_ns = max(minute_ns, min(truth))
            assert remembered.keys() >= {at for at in truth if begin_ns <= at <= asked[-1].open_time_ns}


async def test_a_feed_that_stood_still_catches_up() -> None:
    """After a stop of two seconds the trades missed meanwhile are fetched, each once, and the bars are whole."""
    with FeedProject() as project:
        project.start()
        feed = project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(lambda: len(reader.bars()) >= 2)
            feed.send_signal(signal.SIGSTOP)
            stopped_at = reader.bars()[-1].open_time_ns
            await asyncio.sleep(STANDS_STILL_S)  # what is tested is that time passes
            feed.send_signal(signal.SIGCONT)
            await reader.until(lambda: reader.bars()[-1].open_time_ns > stopped_at + 5 * SECOND_NS)
            await reader.until(lambda: reader.counted("streams lost"))
            assert reader.refused("lost trade") == 0
            assert_true(reader.bars(), folded(project.aggregates("BTCUSDT"), "1s"))
            asked = await reader.ask_bars("1s", 10)
            assert all(bar.gapless for bar in asked)
            assert is_a_row([bar.open_time_ns // SECOND_NS for bar in asked])


async def test_an_exchange_that_dies_is_noticed_and_found_again() -> None:
    """While the exchange is dead the link is lost and the symbol doubted; when it is back, ticks flow."""
    with FeedProject() as project:
        exchange = project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(reader.bars)
            kill(exchange)
            await reader.until(lambda: reader.link()[-1] == "lost" and reader.doubts())
            project.start()
            await reader.until(lambda: reader.link()[-1] == "opened" and reader.doubts() == ())
            seen = len(reader.bars())
            await reader.until(lambda: len(reader.bars()) >= seen + 2)
            opens = [bar.open_time_ns for bar in reader.bars()]
            assert opens == sorted(set(opens))


async def test_an_exchange_that_freezes_is_noticed_within_seconds() -> None:
    """A connection that stands but is dead is not believed for long, and made anew once the venue answers.

    It is found dead two to three seconds after its last word: the doubt is to come before that.
    """
    with FeedProject(feed="timeframes: [1s], stale_after_seconds: 1") as project:
        exchange = project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(reader.bars)
            exchange.send_signal(signal.SIGSTOP)
            await reader.until(lambda: reader.was_doubted("stale quotes"))
            await reader.until(lambda: reader.link()[-1] == "lost")
            exchange.send_signal(signal.SIGCONT)
            await reader.until(lambda: reader.link()[-1] == "opened" and reader.doubts() == ())
            assert reader.refused("lost trade") == 0


async def test_bars_of_before_our_time_are_fetched_and_given() -> None:
    """Whoever asks for more than is in memory is given the venue's bars, in a row, up to the last that is closed."""
    with FeedProject(feed="timeframes: [1s, 1h]") as project:
        project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(reader.trade_ids)
            hours = await reader.ask_bars("1h", 900)
            days = await reader.ask_bars("1d", 30)
            assert (len(hours), len(days)) == (900, 30)
            for bars, name in ((hours, "1h"), (days, "1d")):
                duration_ns = timeframe(name).duration_ns
                assert is_a_row([bar.open_time_ns // duration_ns for bar in bars])
                assert all(bar.source == "venue" for bar in bars)
            earlier = await reader.ask(
                AskBars(symbol="BTC/USDT", timeframe="1h", before_open_time_ns=hours[0].open_time_ns, bars_max=10)
            )
            assert isinstance(earlier, BarsGiven)
            assert earlier.bars[-1].open_time_ns == hours[0].open_time_ns - timeframe("1h").duration_ns


async def test_bars_of_seconds_have_a_past_at_once() -> None:
    """Bars that the venue does not tell are made of its seconds: at the start there are as many as one asks."""
    with FeedProject(feed="timeframes: [5s]") as project:
        project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(lambda: reader.bars("5s"))
            asked = await reader.ask_bars("5s", 100)
            assert len(asked) == 100
            published = {bar.open_time_ns: bar.close_price for bar in reader.bars("5s")}
            assert published.items() <= {bar.open_time_ns: float(bar.close_price) for bar in asked}.items()


async def test_what_cannot_be_given_is_refused_in_words() -> None:
    """A symbol that is not read, a timeframe that nobody tells, a book that is not kept: each is refused with why."""
    with FeedProject() as project:
        project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(reader.trade_ids)
            asked = list[tuple[Body, str]](
                [
                    (
                        AskBars(symbol="DOGE/USDT", timeframe="1m", before_open_time_ns=None, bars_max=1),
                        "BTC/USDT, ETH/USDT",
                    ),
                    (
                        AskBars(symbol="BTC/USDT", timeframe="1x", before_open_time_ns=None, bars_max=1),
                        "is no timeframe",
                    ),
                    (
                        AskBars(symbol="BTC/USDT", timeframe="7s", before_open_time_ns=None, bars_max=1),
                        "feed.timeframes",
                    ),
                    (AskBook(symbol="BTC/USDT"), "feed.books"),
                ]
            )
            for question, words in asked:
                refusal = await reader.ask(question)
                assert isinstance(refusal, RequestRefused)
                assert words in refusal.reason


async def test_another_feed_reads_its_own_symbols() -> None:
    """A further feed reads what feed.others gives it, and the first one leaves that out."""
    with FeedProject(feed="timeframes: [1s], others: [feed-2=binance ETH/USDT]") as project:
        project.start()
        project.start_feed()
        project.start_feed("feed-2")
        async with Reader(project.root) as first, Reader(project.root, "feed-2") as second:
            await first.until(first.trade_ids)
            await second.until(lambda: second.trade_ids("ETH/USDT"))
            assert not first.trade_ids("ETH/USDT")
            assert not second.trade_ids()
