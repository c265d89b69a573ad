"""Streams of the real venue, as they were recorded, through the real normalisers."""

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from services.feed_handler.venues.binance import book_change, book_fetched, quote, trade
from services.feed_handler.vocabulary import Told, Unreadable
from shared.market.observations import BookChange, BookWhole, Candle, Quote, Trade
from tests.recordings import recording

RECORDED_NS: Final = range(1_723_161_000_000_000_000, 1_723_162_000_000_000_000)  # about midnight of 2024-08-08

# A recording, the symbol it is about, and how many messages of each kind are in it.
SPOT: Final = (
    "rawws_binance_spot_BTCUSDT_20240808.txt.gz",
    "BTC/USDT",
    {Trade: 9_757, Quote: 28_040, BookChange: 3_451, BookWhole: 1},
)
USDM: Final = (
    "rawws_binance_usdm_BTCUSDT_20240808.txt.gz",
    "BTC/USDT:USDT",
    {Trade: 21_313, Quote: 66_089, BookChange: 6_551, BookWhole: 1},
)
READERS: Final = {"trade": trade, "bookTicker": quote, "depth@100ms": book_change, "depth@0ms": book_change}


class _Combined(msgspec.Struct):
    stream: str = ""  # what came over none is an answer: the book as it was fetched
    data: msgspec.Raw = msgspec.Raw(b"")


COMBINED: Final = msgspec.json.Decoder(_Combined)


def told(path: Path, symbol: str) -> Iterator[Told | BookWhole]:
    """Read a recording: lines of the local time and a combined message."""
    symbols = {"BTCUSDT": symbol}
    with gzip.open(path, "rb") as lines:
        for line in filter(bytes.strip, lines):
            text = line.partition(b" ")[2]
            message = COMBINED.decode(text)
            if message.stream:
                yield READERS[message.stream.partition("@")[2]](bytes(message.data), symbols)
            else:
                yield book_fetched(msgspec.json.decode(text), symbol)


@pytest.mark.parametrize(("name", "symbol", "counts"), [SPOT, USDM], ids=["spot", "usdm"])
def test_recorded_streams_are_read_whole(name: str, symbol: str, counts: dict[type, int]) -> None:
    """Every recorded message is read: trades without a gap, quotes never crossed, the book's changes in a row."""
    path = recording(name)
    seen: Counter[type] = Counter()
    last_trade_id: int | None = None
    last_sequence: int | None = None
    last_quote = 0
    for one in told(path, symbol):
        seen[type(one)] += 1
        assert not isinstance(one, Unreadable), one
        assert one.symbol == symbol
        match one:
            case Trade():
                assert last_trade_id is None or one.trade_id == last_trade_id + 1
                assert one.trade_count == 1
                assert one.exchange_time_ns in RECORDED_NS
                assert one.price > 0
                assert one.quantity > 0
                last_trade_id = one.trade_id
            case Quote():
                assert 0 < one.bid_price < one.ask_price
                assert one.sequence > last_quote
                last_quote = one.sequence
            case BookChange():
                follows = one.first_sequence - 1 if one.follows_sequence is None else one.follows_sequence
                assert last_sequence in {None, follows}
                last_sequence = one.last_sequence
            case Candle():
                raise AssertionError("none were recorded")
            case BookWhole():
                assert len(one.bids) == len(one.asks) == 1_000
                assert one.bids[0][0] < one.asks[0][0]
    assert seen == Counter(counts)
