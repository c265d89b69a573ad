"""The strategies there are, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from shared.strategies.strategy import Strategy
from shared.strategies.trend_continuation import TREND_CONTINUATION

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {strategy.name: strategy for strategy in (TREND_CONTINUATION,)}
)
