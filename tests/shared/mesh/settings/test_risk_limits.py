"""The limits of the rules are settings."""

from decimal import Decimal

import pytest

from shared.mesh.settings.model import RiskSettings
from shared.mesh.settings.profiles import PROFILES
from shared.mesh.settings.risk_limits import risk_limits


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_limit_of_the_rules_is_set(profile: str) -> None:
    """Each profile gives the rules all of their limits, percent as fractions."""
    limits = risk_limits(RiskSettings.model_validate({"profile": profile, **PROFILES[profile]}))
    assert limits.positions_max == PROFILES[profile]["positions_max"]
    assert limits.risk_per_trade_fraction * 100 == Decimal(str(PROFILES[profile]["risk_per_trade_pct"]))
