"""No strategy of the catalog looks ahead: cut off or spoiled, the future changes nothing that was decided before."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import pytest

from proto.market import BarClosed
from shared.strategies.catalog import STRATEGIES
from shared.strategies.strategy import NOTHING, Strategy
from tests.shared.market.walks import scaled, walked_bars
from tests.shared.strategies.trading import researched

BARS: Final = walked_bars(1_200, seed=3)
CUTS: Final = range(640, 1_200, 11)
Decided = Callable[[Sequence[BarClosed]], list[object]]


def looks_ahead(decided: Decided) -> bool:
    """Say whether anything decided before a cut depends on what comes behind it."""
    whole = decided(BARS)
    for cut in CUTS:
        before, behind = BARS[:cut], BARS[cut:]
        nothing = [scaled(bar, float("nan")) for bar in behind]
        tenfold = [scaled(bar, 10.0) for bar in behind]
        times = [(bar.open_time_ns, bar.close_time_ns) for bar in behind]
        backwards = [
            msgspec.structs.replace(bar, open_time_ns=opens, close_time_ns=closes)
            for bar, (opens, closes) in zip(reversed(behind), times, strict=True)
        ]
        for future in ([], nothing, tenfold, backwards):
            if decided([*before, *future])[:cut] != whole[:cut]:
                return True
    return False


@pytest.mark.parametrize("chosen", ["", "quick"])
@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_no_strategy_looks_ahead(strategy: Strategy, chosen: str) -> None:
    """Features and wishes are the same to the last bit, with the future cut off, blank, tenfold or backwards."""
    parameters = strategy.parameter_sets.get(chosen, {})
    assert sum(wish != NOTHING for _, wish in researched(strategy, parameters, BARS)) > 3
    assert not looks_ahead(lambda bars: [*researched(strategy, parameters, bars)])


def peeking(bars: Sequence[BarClosed]) -> list[object]:
    """Decide by the close of the next bar."""
    return [later.close_price > bar.close_price for bar, later in zip(bars, [*bars[1:], bars[-1]], strict=True)]


def centred(bars: Sequence[BarClosed]) -> list[object]:
    """Decide by a mean around each bar."""
    closes = np.array([bar.close_price for bar in bars])
    return list(np.convolve(closes, np.ones(5) / 5, mode="same"))


def scaled_by_all(bars: Sequence[BarClosed]) -> list[object]:
    """Decide by a close against the mean of all."""
    closes = np.array([bar.close_price for bar in bars])
    return list(closes > closes.mean())


@pytest.mark.parametrize("decided", [peeking, centred, scaled_by_all])
def test_who_looks_ahead_is_caught(decided: Decided) -> None:
    """The next close, a centred mean and a mean over everything do not get past this test."""
    assert looks_ahead(decided)
