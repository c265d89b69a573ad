"""The limits that the rules hold an entry to. The settings' profiles give them their values."""

from decimal import Decimal

import msgspec

from shared.risk.tiers import Tier


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Each is a cap, all hold, the strictest wins. Fractions are of equity, amounts of the quote asset."""

    risk_per_trade_fraction: Decimal
    order_fraction: Decimal
    order_quote_max: Decimal  # the greater of this and `order_fraction` is the cap
    position_fraction: Decimal
    position_quote_max: Decimal
    exposure_fraction: Decimal
    reserve_cash_fraction: Decimal
    positions_max: int
    entries_per_day_max: int
    daily_loss_breaker_fraction: Decimal
    daily_loss_is_by_size: bool

    def daily_loss_fraction(self, tier: Tier) -> Decimal:
        """Return which part of its day's start an account of this tier may lose before entries wait for another day."""
        most = self.daily_loss_breaker_fraction
        return min(most, tier.daily_loss_fraction) if self.daily_loss_is_by_size else most
