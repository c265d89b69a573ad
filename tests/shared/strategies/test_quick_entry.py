"""The quick parameters and the profile `demo` together: what the simulated exchange trades."""

from decimal import Decimal

import numpy as np
import pytest

from shared.mesh.settings.model import RiskSettings
from shared.mesh.settings.profiles import PROFILES
from shared.mesh.settings.risk_limits import risk_limits
from shared.risk.book import Candidate, Lot, Sized
from shared.risk.judgement import judged
from shared.strategies.brackets import enter_bracket
from shared.strategies.decider import Decision
from shared.strategies.strategy import parameter_row
from shared.strategies.trend_continuation import TREND_CONTINUATION, initial_state, on_bar
from tests.proto.examples import A_POSITION
from tests.shared.risk.asked import a_book
from tests.shared.trading.terms import WITHOUT_BNB, the_terms


@pytest.mark.parametrize("range_bps", [3, 5, 10])
def test_a_breakout_of_seconds_is_approved(range_bps: int) -> None:
    """With an ATR of 3 bps and more, fees without BNB and 10,000 on the account, an entry of 500 is allowed."""
    params = parameter_row(TREND_CONTINUATION, TREND_CONTINUATION.parameter_sets["quick"])
    row = np.array([60_000 * range_bps / 10_000, 80.0, 59_000.0, 59_900.0, 1.0])
    bar = np.array([59_950.0, 60_010.0, 59_940.0, 60_000.0, 2.0])
    wish = on_bar(initial_state(params), row, bar, params, 0.0)
    intent = enter_bracket(
        Decision(0, wish, ()),
        strategy="trend_continuation",
        symbol="BTC/USDT",
        bar_length="5s",
        market_seen=A_POSITION,
        tick=Decimal("0.01"),
        work_for_ns=1,
    )
    candidate = Candidate(
        intent=intent,
        market_price=intent.decision_price,
        lot=Lot(Decimal("0.00001"), Decimal("0.00001"), Decimal(5)),
        costs=the_terms(Decimal, WITHOUT_BNB),
    )
    limits = risk_limits(RiskSettings.model_validate({"profile": "demo", **PROFILES["demo"]}))
    verdict = judged(candidate, a_book("10000"), limits)
    assert isinstance(verdict, Sized), verdict
    assert 499 < verdict.notional_quote <= 500
