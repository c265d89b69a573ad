"""What may be said about market data: timeframes, books, further feeds."""

from collections.abc import Callable

import pytest
from pydantic_core import PydanticCustomError

from shared.mesh.settings.feeds import Feed, checked_books, checked_feeds, checked_timeframes, feeds


def test_further_feeds_are_told_by_instance() -> None:
    """Each entry names an instance, its venue and its symbols, however many blanks stand between."""
    entries = checked_feeds(["feed-2=binance  SOL/USDT BNB/USDT", "feed-usdm=binanceusdm BTC/USDT:USDT"])
    assert feeds(entries) == (
        Feed("feed-2", "binance", ("SOL/USDT", "BNB/USDT")),
        Feed("feed-usdm", "binanceusdm", ("BTC/USDT:USDT",)),
    )


def test_books_are_written_in_capitals_and_once() -> None:
    """A symbol may be written in small letters, and a second time changes nothing."""
    assert checked_books(["btc/usdt", "BTC/USDT", "ETH/USDT"]) == ("BTC/USDT", "ETH/USDT")


@pytest.mark.parametrize(
    ("checked", "value", "words"),
    [
        (checked_timeframes, [], "a list of 1 to 12 timeframes"),
        (checked_timeframes, "1m", "a list of 1 to 12 timeframes"),
        (checked_timeframes, ["1m", "0s"], "entry 2: '0s' is no timeframe"),
        (checked_timeframes, ["2w"], "entry 1: '2w' is longer than a week"),
        (checked_timeframes, ["1m", "60s"], "entry 2 is as long as 1m"),
        (checked_books, ["BTCUSDT"], "entry 1 is not written BASE/QUOTE"),
        (checked_books, [f"A{number}/USDT" for number in range(101)], "at most 100"),
        (checked_feeds, ["feed-2"], "entry 1 is not written instance=venue symbols"),
        (checked_feeds, ["feed-2=binance"], "entry 1 is not written instance=venue symbols"),
        (checked_feeds, ["feed=binance BTC/USDT"], "entry 1 names no further feed"),
        (checked_feeds, ["feed-2=kraken BTC/USD"], "entry 1 names no venue behind its =: there are binance"),
        (checked_feeds, ["feed-2=binance BTCUSDT"], "entry 1 has a symbol that is not written"),
        (checked_feeds, ["feed-2=binance BTC/USDT BTC/USDT"], "entry 1 has a symbol twice"),
        (checked_feeds, ["feed-2=binance A1/USDT", "feed-2=binance B1/USDT"], "entry 2 has the instance of another"),
    ],
)
def test_what_is_no_feed_is_refused(checked: Callable[[object], object], value: object, words: str) -> None:
    """What cannot be meant is refused with its place and what to write instead."""
    with pytest.raises(PydanticCustomError, match=words):
        checked(value)
