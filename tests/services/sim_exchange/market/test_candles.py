"""Candles: one row of bars over the source and real trades, the same whatever interval they are seen through."""

from decimal import Decimal
from functools import reduce
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sim_exchange.market.bars import Kline
from services.sim_exchange.market.candles import BARS_MAX, Candles, Closed
from services.sim_exchange.market.intervals import INTERVALS, Interval, next_opening_ms, opening_ms
from services.sim_exchange.venue.vocabulary import Traded
from tests.services.sim_exchange.market.builders import DAY_MS, NOON_MS, a_market, some_scripts, some_settings
from tests.services.sim_exchange.market.small_book import SmallBook, play

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
OPENED_MS = NOON_MS + 17 * MINUTE_MS + 23_456
SCRIPTS = some_scripts()


def some_candles(opened_ms: int = OPENED_MS) -> Candles:
    """Return the bars of a venue that opened then."""
    return Candles(scripts=SCRIPTS, opened_ms=opened_ms)


def a_trade(time_ms: int, price: str = "60000", quantity: str = "0.5", *, buyer_is_maker: bool = False) -> Traded:
    """Return a trade in BTCUSDT."""
    return Traded(
        symbol="BTCUSDT",
        trade_id=1,
        price=Decimal(price),
        quantity=Decimal(quantity),
        buyer_order_id=1,
        seller_order_id=2,
        buyer_is_maker=buyer_is_maker,
        time_ms=time_ms,
    )


def added(klines: list[Kline]) -> tuple[Decimal, ...]:
    """Return what bars are together: open to close, and all amounts."""
    one = reduce(Kline.then, klines)
    amounts = (one.volume, one.quote_volume, Decimal(one.trades), one.taker_buy_volume, one.taker_buy_quote_volume)
    return (one.open, one.high, one.low, one.close, *amounts)


@pytest.mark.parametrize("interval", INTERVALS)
def test_bars_follow_one_another(interval: Interval) -> None:
    """Bars open where the interval says, end where the next begins, and the last is the one of now."""
    klines = some_candles().latest("BTCUSDT", interval, limit=100)
    assert klines[-1].open_ms == opening_ms(interval, OPENED_MS)
    for kline in klines:
        assert kline.open_ms == opening_ms(interval, kline.open_ms)
        assert kline.close_ms == next_opening_ms(interval, kline.open_ms) - 1
        assert 0 < kline.low <= min(kline.open, kline.close)
        assert max(kline.open, kline.close) <= kline.high
    for kline, after in pairwise(klines):
        assert after.open_ms == kline.close_ms + 1
        assert abs(after.open - kline.close) <= kline.close / 10_000


@given(
    interval=st.sampled_from([interval for interval in INTERVALS if interval not in {"1s", "1m"}]),
    days=st.integers(70, 1_500),
)
@settings(max_examples=40, deadline=None)
def test_long_bars_are_the_sum_of_short_ones(interval: Interval, days: int) -> None:
    """Any bar of the past is what its minutes, or its hours, add up to."""
    candles = some_candles()
    [kline] = candles.since("ETHUSDT", interval, NOON_MS - days * DAY_MS, limit=1)
    part: Interval = "1m" if kline.close_ms - kline.open_ms < 12 * HOUR_MS else "1h"
    parts = candles.since("ETHUSDT", part, kline.open_ms, kline.close_ms)
    assert parts[-1].close_ms == kline.close_ms
    assert added(parts) == added([kline])


def test_seconds_lie_within_their_minute() -> None:
    """The seconds of a minute of the past have its open, high, low, close and all of its volume."""
    candles = some_candles()
    first_ms = NOON_MS - 30 * MINUTE_MS
    [minute] = candles.since("BTCUSDT", "1m", first_ms, limit=1)
    seconds = candles.since("BTCUSDT", "1s", first_ms, limit=60)
    assert added(seconds)[:5] == added([minute])[:5]
    assert sum(second.trades for second in seconds) == pytest.approx(minute.trades, rel=0.2)


def test_a_window_does_not_depend_on_its_size() -> None:
    """Asked from a beginning or up to an end, few or many, a bar is the same bar."""
    candles = some_candles()
    for interval in INTERVALS:
        many = candles.latest("SOLUSDT", interval, limit=200)
        assert candles.latest("SOLUSDT", interval, limit=7) == many[-7:]
        assert candles.since("SOLUSDT", interval, many[3].open_ms, limit=5) == many[3:8]
        assert candles.since("SOLUSDT", interval, many[3].open_ms + 1, many[9].open_ms) == many[4:9]
        assert candles.latest("SOLUSDT", interval, many[9].open_ms, limit=4) == many[5:9]


def test_there_is_nothing_before_the_listing_and_nothing_in_the_future() -> None:
    """Bars begin with the first day of the source, end with now, and come by the thousand at most."""
    candles, listed_ms = some_candles(), some_settings().first_ms
    assert candles.since("BTCUSDT", "1d", 0, limit=1)[0].open_ms == listed_ms
    assert candles.since("BTCUSDT", "1M", 0, limit=1)[0].open_ms == opening_ms("1M", listed_ms)
    assert candles.latest("BTCUSDT", "1d", listed_ms) == []
    assert candles.since("BTCUSDT", "1m", OPENED_MS + MINUTE_MS) == []
    assert candles.latest("BTCUSDT", "1m", OPENED_MS + DAY_MS)[-1].open_ms == opening_ms("1m", OPENED_MS)
    assert len(candles.latest("BTCUSDT", "1m", limit=5_000)) == BARS_MAX


def test_real_trades_make_the_bars_after_the_opening() -> None:
    """Since the venue opened a bar holds its trades to the last digit; what came before them the source tells."""
    candles, second_ms = some_candles(), OPENED_MS - OPENED_MS % 1_000
    before = {interval: candles.latest("BTCUSDT", interval, limit=1)[0] for interval in INTERVALS}
    candles.traded(a_trade(OPENED_MS, "90000.01", "0.5"))
    candles.traded(a_trade(OPENED_MS + 10, "20000.01", "0.25", buyer_is_maker=True))
    for interval in INTERVALS:
        [kline] = candles.latest("BTCUSDT", interval, limit=1)
        assert (kline.high, kline.low, kline.close) == (Decimal("90000.01"), Decimal("20000.01"), Decimal("20000.01"))
        assert kline.volume == before[interval].volume + Decimal("0.75")
        assert kline.quote_volume == before[interval].quote_volume + Decimal("50000.0075")
        assert kline.trades == before[interval].trades + 2
        assert kline.taker_buy_volume == before[interval].taker_buy_volume + Decimal("0.5")
        assert kline.open == (before[interval].open if before[interval].trades else Decimal("90000.01"))
    assert before["1s"].open_ms == second_ms
    assert {interval for interval in INTERVALS if not before[interval].trades} == {"1s", "1m"}


def test_the_minute_of_the_opening_is_that_of_its_real_trades() -> None:
    """Whoever adds up what was traded since the minute began finds the minute and its seconds."""
    candles = some_candles()
    candles.traded(a_trade(OPENED_MS, "61000"))
    [minute] = candles.latest("BTCUSDT", "1m", limit=1)
    seconds = candles.since("BTCUSDT", "1s", minute.open_ms)
    assert (minute.open_ms < OPENED_MS, minute.trades) == (True, 1)
    assert added(seconds)[4:] == added([minute])[4:]


def test_a_silent_time_has_flat_bars() -> None:
    """A bar in which nobody traded has the last price and no volume; the next trade opens its bar at its own price."""
    candles = some_candles()
    candles.traded(a_trade(OPENED_MS, "61000"))
    list(candles.advance(OPENED_MS + 3 * MINUTE_MS))
    for kline in candles.latest("BTCUSDT", "1m", limit=3):
        assert added([kline]) == (*[Decimal(61000)] * 4, *[0] * 5)
    candles.traded(a_trade(OPENED_MS + 3 * MINUTE_MS, "62000"))
    assert added(candles.latest("BTCUSDT", "1m", limit=1))[:4] == (Decimal(62000),) * 4
    assert candles.latest("BTCUSDT", "3m", limit=1)[0].high == Decimal(62000)


def test_every_bar_that_closes_is_told_once() -> None:
    """While time passes each bar of each interval is told when it is over, in order, as it will be found later."""
    candles = some_candles()
    told: list[Closed] = []
    for now_ms in range(OPENED_MS, OPENED_MS + 50 * MINUTE_MS, 7_777):
        told += candles.advance(now_ms)
        candles.traded(a_trade(now_ms, str(60_000 + now_ms % 100)))
    for interval in ("1m", "5m", "1h"):
        klines = [closed.kline for closed in told if (closed.symbol, closed.interval) == ("BTCUSDT", interval)]
        assert klines == candles.since("BTCUSDT", interval, opening_ms(interval, OPENED_MS))[:-1]
        assert klines
    assert not any(closed.interval == "1d" for closed in told)


def test_old_bars_of_trades_are_forgotten_for_those_of_the_source() -> None:
    """Minutes are kept for three days; after that the source tells them, and hours still tell what was traded."""
    candles = some_candles(NOON_MS)
    candles.traded(a_trade(NOON_MS, "99999"))
    list(candles.advance(NOON_MS + 5 * DAY_MS))
    assert candles.since("BTCUSDT", "1m", NOON_MS, limit=1)[0].high < 99999
    assert candles.since("BTCUSDT", "1h", NOON_MS, limit=1)[0].high == 99999
    assert candles.since("BTCUSDT", "1d", NOON_MS - DAY_MS // 2, limit=1)[0].high == 99999
    kept = candles.since("BTCUSDT", "5m", NOON_MS + 2 * DAY_MS, limit=3)
    assert [kline.volume for kline in kept] == [0, 0, 0]


def test_live_bars_go_on_where_the_source_left_off() -> None:
    """Across the opening of a venue with a market in it, one bar opens near where the last one closed."""
    candles = some_candles(NOON_MS)
    for trade in play(a_market(), SmallBook(), NOON_MS, NOON_MS + 3 * MINUTE_MS):
        candles.traded(trade)
    list(candles.advance(NOON_MS + 3 * MINUTE_MS))
    klines = candles.latest("BTCUSDT", "1m", limit=8)
    assert all(kline.trades > 20 for kline in klines[:-1])
    for kline, after in pairwise(klines):
        assert abs(after.open / kline.close - 1) < Decimal("0.0005")
