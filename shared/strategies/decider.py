"""A strategy at work on one symbol and timeframe: keeps the bars that features need, and calls the kernel bar by bar.

The mesh hands it each bar as it closes, after those of the past. Whatever it was started with, it decides the same for
the same bars and fills: the features of a bar depend on its own window alone, and the kernel's state is handed over.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from proto.market import BarClosed
from shared.market.columns import BarWindow
from shared.market.features import latest_row, window_bars_max
from shared.market.timeframe import timeframe
from shared.strategies.strategy import NOTHING, BracketWish, Strategy, parameter_row


class StoredState(msgspec.Struct, frozen=True):
    """The kernel's numbers after a bar, and which bar it was: what is kept over a restart."""

    bar_open_time_ns: int
    numbers: tuple[float, ...]


class Decision(msgspec.Struct, frozen=True):
    """A wish, the bar at whose close it was made, and what it rests on by name."""

    bar_close_time_ns: int
    wish: BracketWish
    evidence: tuple[tuple[str, float], ...]


class Decider:
    """One strategy on one symbol and timeframe. A bar that does not follow the last one begins the past anew."""

    def __init__(
        self,
        strategy: Strategy,
        *,
        bar_length: str,
        chosen: Mapping[str, float],
        stored: StoredState | None = None,
    ) -> None:
        self._strategy: Final = strategy
        self._timeframe: Final = timeframe(bar_length)
        self._params: Final = parameter_row(strategy, chosen)
        self._features: Final = strategy.features(self._params)
        self._bars: Final = BarWindow(window_bars_max(self._features))
        self._state: Final = strategy.initial_state(self._params)
        self._decided_ns = -1
        if stored is not None:
            assert len(stored.numbers) == len(self._state), f"this is no state of {strategy.name}"
            self._state[:] = stored.numbers
            self._decided_ns = stored.bar_open_time_ns

    @property
    def bars_wanted(self) -> int:
        """How many bars of the past it needs to decide on the next one."""
        return window_bars_max(self._features)

    @property
    def bars_in_a_row(self) -> int:
        """How many bars it remembers, behind the last that was missing."""
        return len(self._bars.columns.close)

    @property
    def stored(self) -> StoredState:
        """What has to be kept, together with the fills told, to go on after a restart as if there had been none."""
        return StoredState(self._decided_ns, tuple(map(float, self._state)))

    def bar(self, bar: BarClosed, *, held: float) -> Decision | None:
        """Decide on a bar; `held` is how much of the symbol is held or being entered at its close.

        A bar of the past, up to the one that the state was stored after, is only remembered. While bars are missing
        nothing is decided.
        """
        assert bar.timeframe == self._timeframe.name, f"a bar of {bar.timeframe}, not of {self._timeframe.name}"
        newest_ns = self._bars.newest_open_time_ns
        if newest_ns is not None and bar.open_time_ns <= newest_ns:
            return None
        if newest_ns is not None and bar.open_time_ns != self._timeframe.close_time_ns(newest_ns):
            self._bars.clear()
        self._bars.add(bar)
        if bar.open_time_ns <= self._decided_ns:
            return None
        row = latest_row(self._features, self._bars.columns, self._timeframe)
        if row is None:
            return None
        self._decided_ns = bar.open_time_ns
        values = np.array([bar.open_price, bar.high_price, bar.low_price, bar.close_price, bar.base_volume])
        wish = self._strategy.on_bar(self._state, row, values, self._params, held)
        if wish.direction == NOTHING.direction:
            return None
        evidence = [(feature.name, float(value)) for feature, value in zip(self._features, row, strict=True)]
        return Decision(bar.close_time_ns, BracketWish(*map(float, wish)), tuple(evidence))

    def fill(self, quantity: float, price: float) -> None:
        """Take in a fill: what was bought, or sold as a negative quantity."""
        self._strategy.on_fill(self._state, self._params, quantity, price)
