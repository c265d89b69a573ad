"""A strategy at work decides the same wherever it began, after a restart, and as research does."""

from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.strategies.catalog import STRATEGIES
from shared.strategies.decider import Decider, StoredState
from shared.strategies.strategy import Strategy
from tests.shared.market.walks import walked_bars, without
from tests.shared.strategies.trading import Trader, decisions, researched

BARS: Final = walked_bars(1_400, seed=5)
STRATEGY: Final = STRATEGIES["trend_continuation"]


def a_decider(stored: StoredState | None = None, strategy: Strategy = STRATEGY) -> Decider:
    """Return a strategy at work on hours."""
    return Decider(strategy, bar_length="1h", chosen={}, stored=stored)


WHOLE: Final = decisions(a_decider(), BARS)
WARMUP: Final = a_decider().bars_wanted
FIRST_WARM: Final = 640  # from here on every bar has its window, wherever in the bars before one begins
_FREE: Final = a_decider()
FREE: Final = [_FREE.bar(bar, held=0.0) for bar in BARS]


@examples(max_examples=25)
@given(st.integers(min_value=FIRST_WARM, max_value=1_390))
def test_a_restart_changes_nothing(cut: int) -> None:
    """Stopped after any bar and begun again, with the past and the stored state handed in, it decides the same."""
    before = Trader(a_decider())
    for bar in BARS[:cut]:
        before.bar(bar)
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(before.decider.stored), type=StoredState)
    after = Trader(a_decider(stored), before.held, before.stop, before.target, before.wished)
    for bar in BARS[max(0, cut - after.decider.bars_wanted) : cut]:
        assert after.decider.bar(bar, held=0.0) is None
    assert after.decider.stored == stored
    assert [after.bar(bar) for bar in BARS[cut:]] == WHOLE[cut:]


@examples(max_examples=15)
@given(st.integers(min_value=0, max_value=FIRST_WARM - WARMUP))
def test_where_it_began_changes_nothing(first: int) -> None:
    """As soon as it decides at all it decides the same, however much of the past it was handed."""
    decider = a_decider()
    made = [decider.bar(bar, held=0.0) for bar in BARS[first:]]
    assert made[FIRST_WARM - first :] == FREE[FIRST_WARM:]


def test_research_decides_the_same() -> None:
    """The kernel in a loop over rows of features, as research runs it, wishes for the same to the last bit."""
    wishes = [wish if wish.direction else None for _, wish in researched(STRATEGY, {}, BARS)]
    assert wishes == [decision and decision.wish for decision in FREE]
    assert sum(wish is not None for wish in wishes) > 10


def test_nothing_is_decided_while_cold() -> None:
    """Without its whole window it keeps its peace and its state."""
    decider = a_decider()
    for bar in BARS[:300]:
        assert decider.bar(bar, held=0.0) is None
    assert decider.stored == a_decider().stored


def test_a_hole_begins_the_past_anew() -> None:
    """Behind a bar that never came nothing is decided until the window is whole again."""
    made = decisions(a_decider(), without(BARS, 900))
    assert not any(made[900 : 900 + 420])


def test_a_bar_told_twice_is_one() -> None:
    """A bar that came before changes nothing."""
    decider = a_decider()
    for bar in BARS[:700]:
        decider.bar(bar, held=0.0)
    stored = decider.stored
    assert decider.bar(BARS[690], held=0.0) is None
    assert decider.bar(BARS[699], held=0.0) is None
    assert decider.stored == stored


def test_the_evidence_names_what_was_seen() -> None:
    """Every feature comes with a decision, by its name."""
    decision = next(decision for decision in WHOLE if decision)
    assert [name for name, _ in decision.evidence] == [
        "atr_14",
        "adx_14",
        "sma_close_50",
        "prior_high_20",
        "sma_volume_20",
    ]


def test_a_bar_of_another_timeframe_is_our_mistake() -> None:
    """Who hands in bars of minutes to a strategy on hours has wired it wrongly."""
    with pytest.raises(AssertionError, match="a bar of 1m, not of 1h"):
        a_decider().bar(walked_bars(1, bar_length="1m")[0], held=0.0)
