"""Trend continuation: buy a close above all of the last bars, in a market that trends, on more than usual volume.

The exit is fixed when it enters: a stop some ATR below and a target some ATR above. The high broken is that of the bars
before, for no close is above the high of its own bar.
"""

from types import MappingProxyType
from typing import Final

import numpy as np

from shared.market.columns import Floats
from shared.market.features import Feature
from shared.strategies.strategy import CLOSE, NOTHING, VOLUME, Below, BracketWish, Parameter, Strategy

PARAMETERS: Final = (
    Parameter("atr_bars", "int", 14, 2, 30, "bars of the average true range"),
    Parameter("adx_bars", "int", 14, 2, 20, "bars of the directional index"),
    Parameter("ma_bars", "int", 50, 2, 400, "bars of the moving average of closes"),
    Parameter("lookback_bars", "int", 20, 2, 400, "bars whose high is broken"),
    Parameter("volume_bars", "int", 20, 2, 400, "bars of the average volume, this one among them"),
    Parameter("adx_least", "float", 25, 0, 60, "a trend is a directional index above this"),
    Parameter("stop_atr", "float", 2, 0.5, 20, "the stop, in ATR below the close"),
    Parameter("target_atr", "float", 3, 0.5, 60, "the target, in ATR above the close"),
    Parameter("worst_atr", "float", 0.1, 0, 0.5, "how far above the close may be paid, in ATR"),
    Parameter("rest_bars", "int", 1, 0, 100, "bars without an entry from the bar of a fill on"),
    Parameter("risk_fraction", "float", 0.005, 0.0005, 0.02, "what the stop may lose, of equity"),
)
ATR_BARS, ADX_BARS, MA_BARS, LOOKBACK_BARS, VOLUME_BARS = range(5)
ADX_LEAST, STOP_ATR, TARGET_ATR, WORST_ATR, REST_BARS, RISK_FRACTION = range(5, 11)
ATR, ADX, MA, PRIOR_HIGH, VOLUME_MEAN = range(5)

QUIET_BARS: Final = 0  # the one place of the state: how many bars closed since the last fill, with the bar it lay in
LONG_AGO: Final = 1e9


def features(params: Floats) -> tuple[Feature, ...]:
    """Return what the kernel looks at."""
    return (
        Feature("atr", int(params[ATR_BARS])),
        Feature("adx", int(params[ADX_BARS])),
        Feature("sma_close", int(params[MA_BARS])),
        Feature("prior_high", int(params[LOOKBACK_BARS])),
        Feature("sma_volume", int(params[VOLUME_BARS])),
    )


def initial_state(_params: Floats) -> Floats:
    """Return the state of one that never traded."""
    return np.array([LONG_AGO])


def on_bar(state: Floats, row: Floats, bar: Floats, params: Floats, held: float) -> BracketWish:
    """Wish for an entry where a trend goes on, if nothing is held and the last fill was not in this bar."""
    state[QUIET_BARS] += 1.0
    if held != 0.0 or state[QUIET_BARS] <= params[REST_BARS]:
        return NOTHING
    close, atr = bar[CLOSE], row[ATR]
    trends = row[ADX] > params[ADX_LEAST] and close > row[MA]
    breaks_out = close > row[PRIOR_HIGH] and bar[VOLUME] > row[VOLUME_MEAN]
    stop = close - params[STOP_ATR] * atr
    if not (trends and breaks_out and 0.0 < stop < close):
        return NOTHING
    worst, target = close + params[WORST_ATR] * atr, close + params[TARGET_ATR] * atr
    return BracketWish(1.0, close, worst, stop, target, params[RISK_FRACTION])


def on_fill(state: Floats, _params: Floats, _quantity: float, _price: float) -> None:
    """Begin to rest: a bar in which the stop was hit is not bought at its close."""
    state[QUIET_BARS] = 0.0


TREND_CONTINUATION: Final = Strategy(
    name="trend_continuation",
    idea="buy a breakout of a trend on volume, with a stop and a target in ATR",
    parameters=PARAMETERS,
    constraints=(Below("stop_atr", "target_atr"), Below("worst_atr", "target_atr")),
    # For bars of some seconds, of which there is no past to ask for: it is warm after 76 of them at most. A few ATR of
    # such bars do not pay for the fees, so the target is far and the stop near.
    parameter_sets=MappingProxyType(
        {
            "quick": MappingProxyType(
                {
                    "atr_bars": 3,
                    "adx_bars": 2,
                    "ma_bars": 20,
                    "lookback_bars": 10,
                    "volume_bars": 10,
                    "adx_least": 20,
                    "stop_atr": 3,
                    "target_atr": 20,
                    "worst_atr": 0.5,
                }
            )
        }
    ),
    features=features,
    initial_state=initial_state,
    on_bar=on_bar,
    on_fill=on_fill,
)
