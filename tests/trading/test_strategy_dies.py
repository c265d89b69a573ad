"""A real strategy, killed around what it asks: one entry for each wish, whoever forgets it."""

from collections.abc import Iterator
from typing import Final

import pytest

from proto.verdicts import IntentJudged
from tests.services.supervision.harness import eventually
from tests.trading.mesh import TradingMesh
from tests.trading.project import SYMBOLS
from tests.trading.trader import Trader

EAGER: Final = "quick adx_least=0 ma_bars=2 lookback_bars=2 volume_bars=2 rest_bars=0"  # wishes every few bars
STRATEGY: Final = f"strategy=trend_continuation 1s {' '.join(SYMBOLS)} {EAGER}"


@pytest.fixture(scope="module")
def mesh() -> Iterator[TradingMesh]:
    """Run a mesh in which a strategy may run as well; in the end all is sold, and the checker wants all ended."""
    with TradingMesh(strategy=STRATEGY) as running:
        yield running
        running.stop("strategy")
        Trader(running).settle()
        running.judge("--settled")


def intents(mesh: TradingMesh) -> list[str]:
    """Return every intent that risk has judged, as often as it did."""
    return [judged.intent.intent_id for judged in mesh.written.by_risk(IntentJudged)]


def test_strategy_dies_before_it_asks(mesh: TradingMesh) -> None:
    """One: nobody heard of the wish, and the next life decides anew."""
    mesh.begin("strategy")
    mesh.die_at("strategy", "asks EnterBracket")
    mesh.died("strategy")
    assert intents(mesh) == []


def test_strategy_dies_before_it_hears_the_verdict(mesh: TradingMesh) -> None:
    """Two: whatever the next life asks for, no wish is judged twice."""
    mesh.die_at("strategy", "answered IntentApproved|IntentRefused")
    mesh.died("strategy")
    before = len(intents(mesh))
    assert before
    mesh.start("strategy")
    eventually(lambda: len(intents(mesh)) > before)
    assert len(set(intents(mesh))) == len(intents(mesh))
