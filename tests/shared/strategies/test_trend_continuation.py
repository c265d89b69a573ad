"""Trend continuation fires where it should, and nowhere else."""

from typing import Final

import numpy as np
import pytest

from shared.market.columns import Floats
from shared.strategies.strategy import NOTHING, BracketWish, ParameterRefusedError, parameter_row
from shared.strategies.trend_continuation import TREND_CONTINUATION, initial_state, on_bar, on_fill
from tests.shared.market.walks import walked_bars
from tests.shared.strategies.test_decider import a_decider
from tests.shared.strategies.trading import decisions

PARAMS: Final = parameter_row(TREND_CONTINUATION, {})
# ATR 2, ADX 30, average 95, the high before 99.5, average volume 10.
ROW: Final = np.array([2.0, 30.0, 95.0, 99.5, 10.0])
BAR: Final = np.array([99.0, 100.5, 98.5, 100.0, 11.0])


def changed(row: Floats, place: int, value: float) -> Floats:
    """Return a row with one number changed."""
    other = row.copy()
    other[place] = value
    return other


def wish(row: Floats = ROW, bar: Floats = BAR, held: float = 0.0) -> BracketWish:
    """Return what one that never traded wishes for."""
    return on_bar(initial_state(PARAMS), row, bar, PARAMS, held)


def test_it_buys_a_breakout_of_a_trend() -> None:
    """At a close of 100 with an ATR of 2: stop 96, target 106, one and a half times the risk."""
    assert wish() == BracketWish(1.0, 100.0, 100.2, 96.0, 106.0, 0.005)


@pytest.mark.parametrize(
    ("row", "bar"),
    [
        (changed(ROW, 1, 25.0), BAR),
        (changed(ROW, 2, 100.0), BAR),
        (changed(ROW, 3, 100.0), BAR),
        (ROW, changed(BAR, 4, 10.0)),
        (changed(ROW, 0, 0.0), BAR),
        (changed(ROW, 0, 60.0), BAR),
        (np.full(5, np.nan), BAR),
    ],
    ids=["no trend", "at the average", "at the high before", "usual volume", "no range", "stop below zero", "cold"],
)
def test_it_buys_nothing_else(row: Floats, bar: Floats) -> None:
    """Each condition is needed, and to reach a bound is not to pass it."""
    assert wish(row, bar) == NOTHING


def test_it_holds_one_position_at_a_time() -> None:
    """While anything is held, or being entered, it asks for nothing."""
    assert wish(held=0.5) == NOTHING


def test_it_rests_in_the_bar_of_a_fill() -> None:
    """Stopped out within a bar it does not buy at the close of the same bar, at the next it may."""
    state = initial_state(PARAMS)
    on_fill(state, PARAMS, -1.0, 96.0)
    assert on_bar(state, ROW, BAR, PARAMS, 0.0) == NOTHING
    assert on_bar(state, ROW, BAR, PARAMS, 0.0) != NOTHING


def test_it_lives() -> None:
    """In a year of hours that trend and turn it enters many times, and exits each time before it enters again."""
    made = [decision for decision in decisions(a_decider(), walked_bars(8_760, seed=11)) if decision]
    assert 20 < len(made) < 400


def test_the_quick_parameters_pay_for_their_costs() -> None:
    """On bars of seconds, whose ATR is some hundredths of a percent, the target is beyond fees and slippage."""
    quick = parameter_row(TREND_CONTINUATION, TREND_CONTINUATION.parameter_sets["quick"])
    calm = 0.0003 * 100  # the ATR of 5 seconds in an average hour, at a price of 100
    answer = on_bar(initial_state(quick), changed(ROW, 0, calm), BAR, quick, 0.0)
    assert (answer.target_price - answer.price_worst) / answer.price_worst > 0.0028 + 0.0012


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"ma_bar": 50}, "has no parameter 'ma_bar': it has atr_bars, adx_bars, ma_bars"),
        ({"ma_bars": 1}, "ma_bars is 1, and may be 2 to 400"),
        ({"ma_bars": float("nan")}, "ma_bars is nan, and may be 2 to 400"),
        ({"ma_bars": 50.5}, "ma_bars is 50.5, and has to be a whole number"),
        ({"stop_atr": 3.0}, "stop_atr is 3, and has to be below target_atr, which is 3"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(chosen: dict[str, float], words: str) -> None:
    """The answer says what the strategy takes."""
    with pytest.raises(ParameterRefusedError, match=words):
        parameter_row(TREND_CONTINUATION, chosen)
