"""What holds for every strategy of the catalog."""

import re

import numpy as np
import pytest

from proto.bars import BARS_MAX as BARS_REMEMBERED
from shared.market.features import window_bars_max
from shared.strategies.catalog import STRATEGIES
from shared.strategies.strategy import Strategy, parameter_row


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_a_strategy_is_declared_soundly(strategy: Strategy) -> None:
    """Its defaults and named sets fit its bounds, and its name fits ids and files."""
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,31}", strategy.name)
    names = [parameter.name for parameter in strategy.parameters]
    assert len(set(names)) == len(names)
    defaults = {parameter.name: parameter.default for parameter in strategy.parameters}
    for chosen in (defaults, *strategy.parameter_sets.values()):
        row = parameter_row(strategy, chosen)
        assert len(row) == len(names)
        assert strategy.initial_state(row).dtype == np.float64


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_a_strategy_becomes_warm(strategy: Strategy) -> None:
    """However its parameters are chosen, it looks back on no more bars than the feed-handler remembers."""
    longest = np.array([parameter.most for parameter in strategy.parameters])
    assert window_bars_max(strategy.features(longest)) <= BARS_REMEMBERED


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_a_quick_strategy_is_warm_soon(strategy: Strategy) -> None:
    """With its quick parameters it decides after 76 bars at most, which on bars of five seconds is six minutes."""
    quick = parameter_row(strategy, strategy.parameter_sets["quick"])
    assert window_bars_max(strategy.features(quick)) <= 76
