"""A strategy at work in a test: fills at the next open, stop and target inside a bar, one position at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from proto.market import BarClosed
from shared.market.columns import bar_columns
from shared.market.features import feature_rows
from shared.market.timeframe import timeframe
from shared.strategies.decider import Decider, Decision
from shared.strategies.strategy import NOTHING, BracketWish, Strategy, parameter_row


@dataclass
class Trader:
    """Tells a decider of its fills, and keeps what it decided."""

    decider: Decider
    held: float = 0.0
    stop: float = 0.0
    target: float = 0.0
    wished: Decision | None = None

    def bar(self, bar: BarClosed) -> Decision | None:
        """Let a bar happen, and return what is decided at its close."""
        if self.wished is not None:
            wish, self.wished = self.wished.wish, None
            self.held, self.stop, self.target = 1.0, wish.stop_price, wish.target_price
            self.decider.fill(1.0, bar.open_price)
        if self.held and (bar.low_price <= self.stop or bar.high_price >= self.target):
            self.held = 0.0
            self.decider.fill(-1.0, self.stop)
        self.wished = self.decider.bar(bar, held=self.held)
        return self.wished


def decisions(decider: Decider, bars: Sequence[BarClosed]) -> list[Decision | None]:
    """Return what is decided at each bar."""
    trader = Trader(decider)
    return [trader.bar(bar) for bar in bars]


def researched(
    strategy: Strategy, chosen: Mapping[str, float], bars: Sequence[BarClosed]
) -> list[tuple[bytes, BracketWish]]:
    """Return the features of each bar and the wish on it, from the kernel in a loop, with nothing ever held."""
    params = parameter_row(strategy, chosen)
    columns = bar_columns(bars)
    rows = feature_rows(strategy.features(params), columns, timeframe(bars[0].timeframe))
    state = strategy.initial_state(params)
    return [
        (row.tobytes(), NOTHING if np.isnan(row).any() else strategy.on_bar(state, row, values, params, 0.0))
        for row, values in zip(rows, np.column_stack(columns.values), strict=True)
    ]
