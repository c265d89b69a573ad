"""What an account of some size may do at most, whatever its profile says: a table by the equity of the day's start."""

from decimal import Decimal
from typing import Final

import msgspec

HYSTERESIS: Final = Decimal("0.95")


class Tier(msgspec.Struct, frozen=True):
    """From this equity on: how many positions are open, and the loss that ends a day's entries, where it counts."""

    equity_quote_min: Decimal
    daily_loss_fraction: Decimal
    positions_max: int


TIERS: Final = (
    Tier(Decimal(0), Decimal("0.01"), 2),
    Tier(Decimal(2_000), Decimal("0.0075"), 3),
    Tier(Decimal(5_000), Decimal("0.005"), 4),
    Tier(Decimal(10_000), Decimal("0.005"), 5),
)


def tier_of_equity(day_start_quote: Decimal) -> Tier:
    """Return the tier that an account begins in."""
    return max((tier for tier in TIERS if tier.equity_quote_min <= day_start_quote), key=_floor, default=TIERS[0])


def tier_after(before: Tier, day_start_quote: Decimal) -> Tier:
    """Return the tier of another day. It rises at once, and falls when equity is 5 % below where the tier begins.

    So an account around a bound is not given other limits every day.
    """
    by_equity = tier_of_equity(day_start_quote)
    if by_equity.equity_quote_min > before.equity_quote_min:
        return by_equity
    return max(by_equity, min(before, tier_of_equity(day_start_quote / HYSTERESIS), key=_floor), key=_floor)


def _floor(tier: Tier) -> Decimal:
    return tier.equity_quote_min
