"""Features: what they are, how many bars they need, and that nobody's beginning changes them."""

from typing import Final

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.market.columns import bar_columns
from shared.market.features import (
    ANCHOR_BARS,
    Feature,
    Indicator,
    feature_rows,
    latest_row,
    warmup_bars,
    window_bars_max,
    window_open_ns,
)
from shared.market.timeframe import timeframe
from tests.shared.market.walks import walked_bars, without

FEATURES: Final = (
    Feature("atr", 14),
    Feature("adx", 14),
    Feature("sma_close", 50),
    Feature("prior_high", 20),
    Feature("sma_volume", 20),
)
HOUR: Final = timeframe("1h")
BARS: Final = walked_bars(1_500)
ROWS: Final = feature_rows(FEATURES, bar_columns(BARS), HOUR)
FIRST_WARM: Final = int(np.flatnonzero(~np.isnan(ROWS[:, 0]))[0])


def test_the_definitions() -> None:
    """Each is TA-Lib's over the window, whose beginning has faded; a mean and a high are what their names say."""
    columns, last = bar_columns(BARS), ROWS[-1]
    assert last[0] == pytest.approx(talib.ATR(columns.high, columns.low, columns.close, timeperiod=14)[-1], rel=1e-9)
    assert last[1] == pytest.approx(talib.ADX(columns.high, columns.low, columns.close, timeperiod=14)[-1], rel=1e-9)
    assert last[2] == pytest.approx(np.mean(columns.close[-50:]))
    assert last[3] == np.max(columns.high[-21:-1])
    assert last[4] == pytest.approx(np.mean(columns.volume[-20:]))


@pytest.mark.parametrize(
    ("indicator", "bars", "warmup"),
    [
        ("sma_close", 50, 49),
        ("sma_volume", 20, 19),
        ("prior_high", 20, 20),
        ("atr", 14, 14 + 311),
        ("adx", 14, 27 + 392),
    ],
)
def test_the_warmup(indicator: Indicator, bars: int, warmup: int) -> None:
    """As many bars as it takes to be valid, and until what was before has faded to a ten-billionth."""
    assert warmup_bars([Feature(indicator, bars)]) == warmup


@pytest.mark.parametrize("feature", FEATURES)
def test_what_was_before_has_faded(feature: Feature) -> None:
    """Behind its warm-up alone a feature is valid, and differs from one over all of the past by a billionth at most."""
    features, warmup = [feature], warmup_bars([feature])
    columns = bar_columns(BARS)
    rows = feature_rows(features, columns, HOUR)
    begins = [place for place, bar in enumerate(BARS) if bar.open_time_ns % (ANCHOR_BARS * HOUR.duration_ns) == 0]
    first = next(place for place in begins if place >= warmup)  # its window is as short as any
    everything = {
        "atr": talib.ATR(columns.high, columns.low, columns.close, timeperiod=feature.bars),
        "adx": talib.ADX(columns.high, columns.low, columns.close, timeperiod=feature.bars),
        "sma_close": talib.SMA(columns.close, timeperiod=feature.bars),
        "sma_volume": talib.SMA(columns.volume, timeperiod=feature.bars),
        "prior_high": np.roll(talib.MAX(columns.high, timeperiod=feature.bars), 1),
    }[feature.indicator]
    last = max(place for place in begins if place >= first)
    for place in (first, last):
        assert rows[place, 0] == pytest.approx(everything[place], rel=1e-9)
    assert np.isnan(rows[:warmup, 0]).all()


def test_no_close_is_above_the_high_of_its_own_bar() -> None:
    """A high that counted its own bar could never be broken; that of the bars before is, now and then."""
    columns = bar_columns(BARS)
    own = talib.MAX(columns.high, timeperiod=20)
    assert not (columns.close[20:] > own[20:]).any()
    assert (columns.close[FIRST_WARM:] > ROWS[FIRST_WARM:, 3]).sum() > 20


@given(st.integers(min_value=0, max_value=900))
def test_where_it_began_changes_nothing(first: int) -> None:
    """Whoever has the whole window of a bar has the same features of it, to the last bit."""
    rows = feature_rows(FEATURES, bar_columns(BARS[first:]), HOUR)
    warm = ~np.isnan(rows[:, 0])
    assert np.array_equal(rows[warm], ROWS[first:][warm])
    assert np.array_equal(rows[-1], ROWS[-1])


@given(st.integers(min_value=1, max_value=1_499))
def test_one_bar_alone_has_the_features_of_the_row(place: int) -> None:
    """The mesh, which asks for the last bar, and research, which asks for all, get the same bits."""
    first = max(0, place + 1 - window_bars_max(FEATURES))
    row = latest_row(FEATURES, bar_columns(BARS[first : place + 1]), HOUR)
    if row is None:
        assert np.isnan(ROWS[place]).all()
    else:
        assert np.array_equal(row, ROWS[place])


def test_a_window_begins_on_the_calendar() -> None:
    """All bars of a stretch of 16 have windows that begin together."""
    opens = [window_open_ns(bar.open_time_ns, HOUR, FEATURES) for bar in BARS]
    stretch_ns = ANCHOR_BARS * HOUR.duration_ns
    assert all((opened + warmup_bars(FEATURES) * HOUR.duration_ns) % stretch_ns == 0 for opened in opens)
    assert len(set(opens)) == 1 + (BARS[-1].open_time_ns // stretch_ns - BARS[0].open_time_ns // stretch_ns)


@examples(max_examples=10)
@given(st.integers(min_value=700, max_value=1_498))
def test_a_hole_makes_cold_until_it_has_left_the_window(place: int) -> None:
    """Nothing is known of a bar whose window lacks one; all else is as it was."""
    missing_ns = BARS[place].open_time_ns
    kept = without(BARS, place)
    rows = feature_rows(FEATURES, bar_columns(kept), HOUR)
    whole = np.delete(ROWS, place, axis=0)
    for at, bar in enumerate(kept):
        if window_open_ns(bar.open_time_ns, HOUR, FEATURES) <= missing_ns < bar.open_time_ns:
            assert np.isnan(rows[at]).all()
        else:
            assert np.array_equal(rows[at], whole[at], equal_nan=True)


@given(st.integers(min_value=700, max_value=1_499), st.integers(min_value=1, max_value=window_bars_max(FEATURES)))
def test_one_bar_alone_is_as_cold_as_its_row_while_a_bar_is_missing(place: int, back: int) -> None:
    """The mesh sees a hole in the window as research does, wherever it is."""
    kept = without(BARS, max(place - back, 0))[max(0, place - window_bars_max(FEATURES)) : place]
    row, rows = latest_row(FEATURES, bar_columns(kept), HOUR), feature_rows(FEATURES, bar_columns(kept), HOUR)
    assert np.isnan(rows[-1]).all() if row is None else np.array_equal(row, rows[-1])


def test_a_missing_beginning_is_cold() -> None:
    """Bars that do not reach back to the beginning of the window have no features."""
    bars = BARS[FIRST_WARM - 300 : FIRST_WARM + 1]
    assert latest_row(FEATURES, bar_columns(bars), HOUR) is None
    assert np.isnan(feature_rows(FEATURES, bar_columns(bars), HOUR)).all()
