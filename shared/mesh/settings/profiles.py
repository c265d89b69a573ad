"""The risk profiles: named sets of limits, each overridable key by key. Data, and nothing else.

`small` is for an account under 10,000 of its quote asset. `demo` is for the simulated exchange: the sizes of `small`,
and room for as many entries, and as much loss, as bars of some seconds make in a day; no real account should have it.
The limits are caps: all hold, the strictest wins.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

from shared.mesh.settings.yaml_text import Scalar

PROFILE_DEFAULT = "small"

# The equity, in the quote asset, that a profile is meant for at most.
PROFILE_EQUITY_MAX: Mapping[str, Decimal] = MappingProxyType(
    {"small": Decimal(10_000), "standard": Decimal("Infinity"), "demo": Decimal("Infinity")}
)

_SHARED: dict[str, Scalar] = {
    "reserve_cash_pct": Decimal(20),
    "daily_loss_breaker_pct": Decimal(3),
    "daily_loss_by_size": "off",
    "daily_loss_kill_pct": Decimal(5),
    "drawdown_kill_pct": Decimal(15),
    "order_pct": Decimal(5),
    "order_quote_max": Decimal(500),
}

_SMALL: dict[str, Scalar] = {
    **_SHARED,
    "risk_per_trade_pct": Decimal("0.5"),
    "position_pct": Decimal(10),
    "position_quote_max": Decimal(1_000),
    "exposure_pct": Decimal(30),
    "positions_max": 3,
    "entries_per_day_max": 10,
    "daily_loss_by_size": "on",
}

PROFILES: Mapping[str, Mapping[str, Scalar]] = MappingProxyType(
    {
        "small": _SMALL,
        "standard": {
            **_SHARED,
            "risk_per_trade_pct": Decimal(2),
            "position_pct": Decimal(20),
            "position_quote_max": Decimal(10_000),
            "exposure_pct": Decimal(60),
            "positions_max": 5,
            "entries_per_day_max": 20,
        },
        "demo": {
            **_SMALL,
            "entries_per_day_max": 5_000,  # it trades for as long as it is left running
            "daily_loss_breaker_pct": Decimal(15),
            "daily_loss_by_size": "off",
            "daily_loss_kill_pct": Decimal(20),
            "drawdown_kill_pct": Decimal(50),
        },
    }
)
