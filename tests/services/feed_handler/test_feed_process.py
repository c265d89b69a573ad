"""One tick, from the exchange to a subscriber: real processes, killed and stopped, and nothing is lost in silence."""

import asyncio
import signal

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
            truth = folded(project.aggregates("BTCUSDT"), "1s")
            assert_true(reader.bars(), truth)
            remembered = {bar.open_time_ns: shape(bar) for bar in asked}
            assert remembered.items() <= {opening: shape(bar) for opening, bar in truth.items()}.items()
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
            stopped_at, waited = reader.bars()[-1].open_time_ns, len(project.aggregates("BTCUSDT"))
            await reader.until(lambda: len(project.aggregates("BTCUSDT")) >= waited + 10)
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
    """A connection that stands but is dead is not believed for long, and made anew once the venue answers."""
    with FeedProject() as project:
        exchange = project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(reader.bars)
            exchange.send_signal(signal.SIGSTOP)
            await reader.until(lambda: "stale quotes" in (reader.doubts() or ()))
            await reader.until(lambda: reader.link()[-1] == "lost")
            exchange.send_signal(signal.SIGCONT)
            await reader.until(lambda: reader.link()[-1] == "opened" and reader.doubts() == ())
            assert reader.refused("lost trade") == 0
