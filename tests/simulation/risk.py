"""What the real risk core is run with: limits so tight that entries stand in each other's way."""

from decimal import Decimal
from typing import Final

from services.risk_watchdog.core.terms import Market, RiskTerms
from services.risk_watchdog.core.watchdog import RiskCore
from shared.risk.guards import GuardLimits
from shared.risk.limits import Limits
from shared.trading.costs import FeeAccount
from tests.simulation.feed import FEED
from tests.simulation.links import LIKENESS
from tests.simulation.strategy import OWNER, STRATEGY
from tests.simulation.venue import SYMBOLS, VENUE

RISK: Final = "risk"
FEES: Final = FeeAccount(VENUE, "spot", vip_level=0, pays_in_bnb=False)
LIMITS: Final = Limits(
    risk_per_trade_fraction=Decimal("0.005"),
    order_fraction=Decimal("0.03"),
    order_quote_max=Decimal(300),
    position_fraction=Decimal("0.06"),
    position_quote_max=Decimal(600),
    exposure_fraction=Decimal("0.08"),
    reserve_cash_fraction=Decimal("0.2"),
    positions_max=3,
    entries_per_day_max=500,
    daily_loss_breaker_fraction=Decimal("0.03"),
    daily_loss_is_by_size=False,
)
GUARDS: Final = GuardLimits(
    drawdown_kill_fraction=Decimal("0.045"),
    daily_loss_kill_fraction=Decimal("0.04"),
    daily_loss_breaker_fraction=LIMITS.daily_loss_breaker_fraction,
)


def risk_core() -> RiskCore:
    """Return risk as it is."""
    return RiskCore(
        RiskTerms(
            limits=LIMITS,
            guards=GUARDS,
            quote_asset="USDT",
            fees=FEES,
            markets={symbol: Market(FEED, f"{VENUE}/{symbol}") for symbol in SYMBOLS},
            strategies={STRATEGY: OWNER},
            likeness=LIKENESS,
        )
    )
