"""The limits of a configuration as the rules of `shared.risk` take them."""

from shared.mesh.settings.model import RiskSettings
from shared.risk.guards import GuardLimits
from shared.risk.limits import Limits


def risk_limits(risk: RiskSettings) -> Limits:
    """Return the limits in force: each of the rules' limits is a setting of the same name."""
    return Limits(**{name: getattr(risk, name) for name in Limits.__struct_fields__})


def guard_limits(risk: RiskSettings) -> GuardLimits:
    """Return at which losses the guards of the account trip."""
    return GuardLimits(**{name: getattr(risk, name) for name in GuardLimits.__struct_fields__})
