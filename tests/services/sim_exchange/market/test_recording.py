"""Recordings: bars that were, replayed as a path with a book around it."""

from decimal import Decimal

import numpy as np
import pytest

from services.sim_exchange.market.bars import CLOSE, HIGH, LOW, OPEN, TRADES, VOLUME, in_lengths_of
from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.market.recording import RecordedBars, Recording, RecordingRefusedError, read_csv
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS
from services.sim_exchange.market.source import History
from tests.services.sim_exchange.market.builders import NOON_MS, a_market, some_settings
from tests.services.sim_exchange.market.small_book import SmallBook, play

MINUTE_MS, DAY_MS = 60_000, 86_400_000
HEADER = "timestamp_ms,open,high,low,close,volume"
BITCOIN = DEFAULT_SYMBOLS[0]
SETTINGS = some_settings(symbols=1)


def some_lines(interval_ms: int, count: int, first_ms: int = NOON_MS) -> list[str]:
    """Return bars that wander, one line each."""
    draws = np.random.default_rng(11)
    lines, price = [HEADER], 6_000_000
    for number in range(count):
        close = price + int(draws.integers(-20_000, 20_000))
        high, low = max(price, close) + int(draws.integers(0, 9_000)), min(price, close) - int(draws.integers(0, 9_000))
        ticks = [Decimal(value) / 100 for value in (price, high, low, close)]
        lines.append(",".join(map(str, (first_ms + number * interval_ms, *ticks, Decimal(12_345) / 1_000))))
        price = close
    return lines


def some_bars(interval: Interval = "1m", interval_ms: int = MINUTE_MS, count: int = 200) -> RecordedBars:
    """Return the same, read."""
    return read_csv(some_lines(interval_ms, count), name="bars.csv", interval=interval, market=BITCOIN)


def a_recording(bars: RecordedBars, shift_days: int = 0) -> Recording:
    """Return bars as a price source."""
    return Recording(settings=SETTINGS, bars={"BTCUSDT": bars}, shift_days=shift_days)


@pytest.mark.parametrize(
    ("interval", "minutes"), [("1m", 1), ("3m", 3), ("5m", 5), ("15m", 15), ("1h", 60), ("4h", 240), ("1d", 1440)]
)
def test_minutes_add_up_to_the_bars_that_were_recorded(interval: Interval, minutes: int) -> None:
    """Taken apart into minutes and added up again, every bar is the one it was."""
    length_ms = minutes * MINUTE_MS
    first_ms = NOON_MS - NOON_MS % DAY_MS
    lines = some_lines(length_ms, 40, first_ms)
    bars = read_csv(lines, name="bars.csv", interval=interval, market=BITCOIN)
    history = History(a_recording(bars))
    found = history.minutes("BTCUSDT", first_ms, first_ms + 40 * length_ms)
    assert np.array_equal(in_lengths_of(found, length_ms).columns[: VOLUME + 1], bars.columns)
    assert (found.columns[LOW] <= np.minimum(found.columns[OPEN], found.columns[CLOSE])).all()
    assert (found.columns[HIGH] >= np.maximum(found.columns[OPEN], found.columns[CLOSE])).all()
    assert (found.columns[VOLUME] >= 0).all()


def test_a_recording_can_be_played_later_than_it_was_made() -> None:
    """Shifted by days, the same minutes come so much later."""
    bars = some_bars()
    then = History(a_recording(bars)).minutes("BTCUSDT", NOON_MS, NOON_MS + 200 * MINUTE_MS)
    later_ms = NOON_MS + 1_000 * DAY_MS
    later = History(a_recording(bars, 1_000)).minutes("BTCUSDT", later_ms, later_ms + 200 * MINUTE_MS)
    assert np.array_equal(then.columns[: VOLUME + 1], later.columns[: VOLUME + 1])


def test_where_nothing_was_recorded_nobody_trades() -> None:
    """Before, between and after the bars the price is the last that was known, or the first that will be."""
    lines = some_lines(MINUTE_MS, 10)
    del lines[5:7]  # minutes 4 and 5
    bars = read_csv(lines, name="bars.csv", interval="1m", market=BITCOIN)
    found = History(a_recording(bars)).minutes("BTCUSDT", NOON_MS - 5 * MINUTE_MS, NOON_MS + 15 * MINUTE_MS).columns
    silent = [*range(5), 9, 10, *range(15, 20)]
    assert [minute for minute in range(20) if found[TRADES, minute] == 0] == silent
    assert found[: CLOSE + 1, :5].tolist() == [[6_000_000] * 5] * 4
    assert (found[: CLOSE + 1, 9:11] == found[CLOSE, 8]).all()
    assert (found[: CLOSE + 1, 15:] == found[CLOSE, 14]).all()


def test_a_recording_is_traded_like_any_market() -> None:
    """With a book around it a recorded bar comes out of real trades about as it was."""
    recording = a_recording(some_bars())
    trades = play(a_market(SETTINGS, recording), SmallBook(), NOON_MS, NOON_MS + 3 * MINUTE_MS)
    bars = some_bars().columns[:, :3]
    assert float(max(trade.price for trade in trades)) == pytest.approx(bars[HIGH].max() / 100, rel=5e-4)
    assert float(min(trade.price for trade in trades)) == pytest.approx(bars[LOW].min() / 100, rel=5e-4)
    assert float(sum(trade.quantity for trade in trades)) == pytest.approx(3 * 12.345, rel=0.05)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([], "no column timestamp_ms"),
        (["timestamp_ms,open,high,low,close", "0,1,1,1,1"], "no column volume"),
        ([HEADER], "no bars"),
        ([HEADER, "0,1,1,1,one,1"], "line 2: not six numbers"),
        ([HEADER, "0,1,1,1"], "line 2: not six numbers"),
        ([HEADER, "0,1,NaN,1,1,1"], "line 2: an amount is no finite number"),
        ([HEADER, "0,1,1,2,1,1"], "line 2: not a bar"),
        ([HEADER, "0,0,0,0,0,1"], "line 2: not a bar"),
        ([HEADER, "0,1,1,1,1,-1"], "line 2: not a bar"),
        ([HEADER, "1,1,1,1,1,1"], "line 2: 1 is not when a bar of 1m opens"),
        ([HEADER, "60000,1,1,1,1,1", "60000,1,1,1,1,1"], "line 3: the bar is not later"),
    ],
)
def test_what_is_no_recording_is_refused(lines: list[str], complaint: str) -> None:
    """A file that is not what it should be is refused with its name, the line, and what is wrong."""
    with pytest.raises(RecordingRefusedError, match=f"^bars.csv.*{complaint}"):
        read_csv(lines, name="bars.csv", interval="1m", market=BITCOIN)


@pytest.mark.parametrize("interval", ["1s", "3d", "1w", "1M"])
def test_bars_that_do_not_divide_a_day_into_minutes_are_refused(interval: Interval) -> None:
    """What is shorter than a minute or longer than a day cannot be replayed, and that is said."""
    with pytest.raises(RecordingRefusedError, match="cannot be replayed; use 1m to 1d"):
        read_csv([HEADER], name="bars.csv", interval=interval, market=BITCOIN)
