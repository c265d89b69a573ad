"""Answers that prove nothing: every one of them, executed or not; the venue's rules on client ids take turns.

`make chaos` goes through all of them under each rule.
"""

from typing import Final

import pytest

from tests.trading.ambiguity import ABSENT, EXECUTED, UNTOLD, resolved
from tests.trading.doubts import CLIENT_IDS, ClientIds
from tests.trading.mesh import TradingMesh
from tests.trading.trader import Trader

TURNS: Final = {rule: slice(turn * 4, turn * 4 + 4) for turn, rule in enumerate(CLIENT_IDS)}


@pytest.mark.parametrize("rule", CLIENT_IDS)
def test_order_ends_as_the_venue_knows_it(mesh: TradingMesh, trader: Trader, rule: ClientIds) -> None:
    """Whatever was answered, there is one order or none, and the executor knows which."""
    mesh.project.set_client_ids(rule)
    mesh.kill("exchange")
    mesh.start("exchange")
    resolved(mesh, trader, [*EXECUTED[TURNS[rule]], *ABSENT[TURNS[rule]]])


def test_order_that_was_acknowledged_as_another_is_found(mesh: TradingMesh, trader: Trader) -> None:
    """Ghost success: the order is there, and its answer breaks off, or is about another one."""
    resolved(mesh, trader, UNTOLD)
