"""Each message of Binance, as the real venue writes it, and as it should not be."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed_handler.venues.binance import (
    LEVELS_MAX,
    aggregate_trade,
    book_change,
    book_fetched,
    candle,
    closed_candles_fetched,
    quote,
    trade,
    trades_fetched,
    venue_time_fetched,
)
from services.feed_handler.vocabulary import Told, Unreadable
from shared.market.observations import BookChange, BookWhole, Candle, Quote, Trade

BTC: Final = {"BTCUSDT": "BTC/USDT"}
AGGREGATE: Final = (
    '{"e":"aggTrade","E":1723161254344,"s":"BTCUSDT","a":3092839541,"p":"61837.63000000","q":"0.02000000",'
    '"f":3735683259,"l":3735683261,"T":1723161254342,"m":true,"M":true}'
)
SINGLE: Final = (
    '{"e":"trade","E":1723161256322,"T":1723161256322,"s":"BTCUSDT","t":5266583935,"p":"61800.30","q":"0.006",'
    '"X":"MARKET","m":false}'
)
QUOTE: Final = (
    '{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}'
)
USDM_QUOTE: Final = (
    '{"e":"bookTicker","u":5123107839020,"s":"BTCUSDT","b":"61800.20","B":"2.507","a":"61800.30","A":"2.510",'
    '"T":1723161256313,"E":1723161256313}'
)
DEPTH: Final = (
    '{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,'
    '"b":[["61737.63000000","0.00000000"]],"a":[["61837.64000000","1.54698000"],["61839.85000000","0.00000000"]]}'
)
USDM_DEPTH: Final = (
    '{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,'
    '"pu":5123107831937,"b":[["58710.20","0.014"]],"a":[]}'
)
KLINE: Final = (
    '{"e":"kline","E":1579482921215,"s":"BTCUSDT","k":{"t":1579482900000,"T":1579482959999,"s":"BTCUSDT","i":"1m",'
    '"f":158411535,"L":158411550,"o":"0.01913200","c":"0.01913500","h":"0.01913700","l":"0.01913100",'
    '"v":"5.08400000","n":16,"x":false,"q":"0.09728060","V":"3.30200000","Q":"0.06318500","B":"0"}}'
)
AGGREGATE_ROW: Final = (
    '[{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true}]'
)
KLINE_ROW: Final = (
    '[[1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",1499644799999,'
    '"2434.19055334",308,"1756.87402397","28.46694368","0"]]'
)
BOOK: Final = '{"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}'
BOOK_LEVEL: Final = (Decimal("61737.63000000"), Decimal("0E-8"))

READERS: Final = (
    (aggregate_trade, AGGREGATE),
    (trade, SINGLE),
    (quote, QUOTE),
    (quote, USDM_QUOTE),
    (book_change, DEPTH),
    (book_change, USDM_DEPTH),
    (candle, KLINE),
)
IDS: Final = ("aggTrade", "trade", "bookTicker", "bookTicker of usdm", "depth", "depth of usdm", "kline")

Reader = Callable[[str | bytes, dict[str, str]], Told]


def test_trades_are_read() -> None:
    """Trades of one taker are one, with their number; whoever bought as the maker was sold to."""
    assert aggregate_trade(AGGREGATE, BTC) == Trade(
        "BTC/USDT",
        3_092_839_541,
        Decimal("61837.63000000"),
        Decimal("0.02000000"),
        "sell",
        3,
        1_723_161_254_342_000_000,
    )
    single = trade(SINGLE, {"BTCUSDT": "BTC/USDT:USDT"})
    assert isinstance(single, Trade)
    assert (single.symbol, single.trade_id, single.taker_side) == ("BTC/USDT:USDT", 5_266_583_935, "buy")
    assert single.trade_count == 1


def test_quotes_are_read() -> None:
    """The spot market stamps no time on its best prices; USD-M does."""
    spot, usdm = quote(QUOTE, BTC), quote(USDM_QUOTE, BTC)
    assert isinstance(spot, Quote)
    assert isinstance(usdm, Quote)
    assert (spot.sequence, spot.bid_price, spot.ask_quantity) == (
        50_093_239_212,
        Decimal("61837.63000000"),
        Decimal("1.54698000"),
    )
    assert (spot.exchange_time_ns, usdm.exchange_time_ns) == (None, 1_723_161_256_313_000_000)


def test_changes_of_the_book_are_read() -> None:
    """The spot market counts on; USD-M says what a change follows on."""
    spot, usdm = book_change(DEPTH, BTC), book_change(USDM_DEPTH, BTC)
    assert isinstance(spot, BookChange)
    assert isinstance(usdm, BookChange)
    assert (spot.first_sequence, spot.last_sequence, spot.follows_sequence) == (50_093_239_189, 50_093_239_202, None)
    assert (spot.bids, len(spot.asks), spot.exchange_time_ns) == ((BOOK_LEVEL,), 2, 1_723_161_255_208_000_000)
    assert (usdm.follows_sequence, usdm.exchange_time_ns) == (5_123_107_831_937, 1_723_161_256_298_000_000)


def test_candles_are_read() -> None:
    """A bar says whether it has closed; one that was fetched has closed when its last moment is over."""
    bar = candle(KLINE, BTC)
    assert isinstance(bar, Candle)
    assert (bar.timeframe, bar.open_time_ns, bar.is_closed) == ("1m", 1_579_482_900_000_000_000, False)
    prices = (bar.open_price, bar.high_price, bar.low_price, bar.close_price)
    assert prices == tuple(map(Decimal, ("0.01913200", "0.01913700", "0.01913100", "0.01913500")))
    assert (bar.base_volume, bar.quote_volume, bar.trade_count) == (Decimal("5.084"), Decimal("0.0972806"), 16)
    rows = msgspec.json.decode(KLINE_ROW)
    fetched = closed_candles_fetched(rows, "BTC/USDT", "1w", 1_499_644_800_000)
    assert isinstance(fetched, tuple)
    assert [(one.open_time_ns, one.close_price, one.trade_count, one.is_closed) for one in fetched] == [
        (1_499_040_000_000_000_000, Decimal("0.01577100"), 308, True)
    ]
    assert closed_candles_fetched(rows, "BTC/USDT", "1w", 1_499_644_799_999) == ()


def test_answers_are_read() -> None:
    """Trades, a book and the venue's time are read from what ccxt makes of an answer."""
    assert trades_fetched(msgspec.json.decode(AGGREGATE_ROW), "BNB/BTC") == (
        Trade("BNB/BTC", 26_129, Decimal("0.01633102"), Decimal("4.70443515"), "sell", 1, 1_498_793_709_153_000_000),
    )
    assert book_fetched(msgspec.json.decode(BOOK), "BNB/BTC") == BookWhole(
        "BNB/BTC",
        1_027_024,
        ((Decimal("4.00000000"), Decimal("431.00000000")),),
        ((Decimal("4.00000200"), Decimal("12.00000000")),),
    )
    assert venue_time_fetched({"serverTime": 1_499_827_319_559}) == 1_499_827_319_559_000_000


@pytest.mark.parametrize("price", ["0.00000000", "-1", "NaN", "Infinity", "1e-300", "61837630.00"])
def test_senseless_numbers_pass(price: str) -> None:
    """What is a number is read as it is: to judge it is the gate's business."""
    told = aggregate_trade(AGGREGATE.replace("61837.63000000", price), BTC)
    assert isinstance(told, Trade)
    assert str(told.price) == str(Decimal(price))


@pytest.mark.parametrize("time_ms", [0, -1, 1_723_161_254, 1_723_161_254_342_000, 9_999_999_999_999])
def test_senseless_times_pass(time_ms: int) -> None:
    """A time of another unit, or of the future, is read as it is."""
    told = aggregate_trade(AGGREGATE.replace("1723161254342", str(time_ms)), BTC)
    assert isinstance(told, Trade)
    assert told.exchange_time_ns == time_ms * 1_000_000


@pytest.mark.parametrize(
    ("wrong", "symbol", "reason"),
    [
        (AGGREGATE.replace('"61837.63000000"', "null"), "BTC/USDT", "Expected `decimal`, got `null` - at `$.p`"),
        (AGGREGATE.replace('"61837.63000000"', '"a lot"'), "BTC/USDT", "Invalid decimal string - at `$.p`"),
        (AGGREGATE.replace('"61837.63000000"', '""'), "BTC/USDT", "Invalid decimal string - at `$.p`"),
        (AGGREGATE.replace('"p"', '"P"'), "BTC/USDT", "Object missing required field `p`"),
        (AGGREGATE.replace("3092839541", '"3092839541"'), "BTC/USDT", "Expected `int`, got `str` - at `$.a`"),
        (AGGREGATE.replace("aggTrade", "trade"), "BTC/USDT", "Invalid enum value 'trade' - at `$.e`"),
        (AGGREGATE.replace("3735683261", "3735683258"), "BTC/USDT", "trades from 3735683259 to 3735683258 are none"),
        (AGGREGATE.replace("BTCUSDT", "DOGEUSDT"), None, "of 'DOGEUSDT', which nobody asked for"),
        ("[]", None, "Expected `object`, got `array`"),
        (AGGREGATE[:40], None, "Input data was truncated"),
        ("<html>", None, "JSON is malformed: invalid character (byte 0)"),
        ("", None, "Input data was truncated"),
        ("[" * 100_000, None, "Expected `object`, got `array`"),
        ('{"s":' * 100_000, None, "Expected `str`, got `object` - at `$.s`"),
        (b"\xff\xfe", None, "JSON is malformed: invalid character (byte 0)"),
        ('{"s":"\ud800"}', None, "'utf-8' codec can't encode character"),
    ],
)
def test_what_cannot_be_read_says_why(wrong: str | bytes, symbol: str | None, reason: str) -> None:
    """A message that is not what the venue promises is told with the reason, and its symbol if that can be read."""
    told = aggregate_trade(wrong, BTC)
    assert isinstance(told, Unreadable)
    assert told.symbol == symbol
    assert told.reason.startswith(reason)


def test_endless_book_is_not_read() -> None:
    """A message has a bound on its levels."""
    levels = ",".join(['["1","1"]'] * (LEVELS_MAX + 1))
    told = book_change(DEPTH.replace('["61737.63000000","0.00000000"]', levels), BTC)
    assert isinstance(told, Unreadable)
    assert told.reason == f"Expected `array` of length <= {LEVELS_MAX} - at `$.b`"


def test_wrong_answer_is_not_read() -> None:
    """An answer of another form, or with more rows than the venue gives, is none."""
    answers: tuple[object, ...] = (
        "",
        "<html>",
        {},
        None,
        [{}],
        [[1]],
        {"code": -1000, "msg": "An unknown error occurred."},
    )
    for answer in answers:
        for read in (trades_fetched(answer, "BTC/USDT"), book_fetched(answer, "BTC/USDT"), venue_time_fetched(answer)):
            assert isinstance(read, Unreadable)
        assert isinstance(closed_candles_fetched(answer, "BTC/USDT", "1m", 0), Unreadable)
    too_many = trades_fetched(msgspec.json.decode(AGGREGATE_ROW) * 1_501, "BTC/USDT")
    assert too_many == Unreadable("BTC/USDT", "1501 rows, where the venue gives 1500 at most")


@pytest.mark.parametrize(("read", "message"), READERS, ids=IDS)
@given(data=st.data())
def test_no_message_is_an_exception(read: Reader, message: str, data: st.DataObject) -> None:
    """Whatever is cut out of a message or put into it, it is read or unreadable, and has no field that is None."""
    begin = data.draw(st.integers(0, len(message)))
    end = data.draw(st.integers(begin, len(message)))
    put = data.draw(st.one_of(st.text(max_size=12), st.sampled_from(["null", '"', "[]", "{}", "1e999", "-0", "true"])))
    told = read(message[:begin] + put + message[end:], BTC)
    if isinstance(told, Trade | Candle | BookChange):
        kept = [value for name, value in msgspec.structs.asdict(told).items() if name != "follows_sequence"]
        assert None not in kept
