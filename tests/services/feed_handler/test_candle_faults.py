"""Candles that are missing, told twice or told differently: a minute is published once, as it was traded."""

from tests.services.feed_handler.feed_project import FeedProject
from tests.services.feed_handler.reader import Reader
from tests.services.feed_handler.truth import assert_true, folded

SYMBOLS = "[BTC/USDT, ETH/USDT, SOL/USDT]"
CLOSES_WITHIN_S = 90


async def test_faults_of_candles_change_no_bar() -> None:
    """One minute, three symbols: a missing candle is made good, a double one is one bar, a revised one is reported."""
    with FeedProject(symbols=SYMBOLS, feed="timeframes: [1m, 5s]") as project:
        project.start()
        project.start_feed()
        async with Reader(project.root) as reader:
            await reader.until(lambda: all(reader.trade_ids(symbol) for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT")))
            project.fault(kind="candle_missing", when={"stream": "btcusdt@kline_1m"})
            project.fault(kind="candle_duplicate", when={"stream": "ethusdt@kline_1m"})
            revised = project.fault(kind="candle_revised", by_fraction=0.005, when={"stream": "solusdt@kline_1m"})
            before = {symbol: reader.refused("revised bar", symbol) for symbol in ("ETH/USDT", "SOL/USDT")}
            async with reader.patience(CLOSES_WITHIN_S):
                while not all(reader.bars("1m", symbol) for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT")):
                    await reader.pause()
            await reader.until(lambda: project.fired(revised))
            await reader.until(lambda: reader.refused("revised bar", "SOL/USDT") > before["SOL/USDT"])
            for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
                bars = reader.bars("1m", symbol)
                assert len({bar.open_time_ns for bar in bars}) == len(bars)
                assert all(bar.gapless for bar in bars)
            seconds = [bar for bar in reader.bars("5s") if bar.gapless]
            assert_true(seconds, folded(project.aggregates("BTCUSDT"), "5s"))
