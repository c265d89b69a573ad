"""What an account of some size may do at most."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.risk.tiers import TIERS, Tier, tier_after, tier_of_equity

EQUITIES = st.integers(min_value=0, max_value=20_000).map(Decimal)


@pytest.mark.parametrize(
    ("equity", "daily_loss", "positions"),
    [
        ("0", "0.01", 2),
        ("1999.99", "0.01", 2),
        ("2000", "0.0075", 3),
        ("5000", "0.005", 4),
        ("10000", "0.005", 5),
        ("1000000", "0.005", 5),
    ],
)
def test_an_account_begins_in_the_tier_of_its_size(equity: str, daily_loss: str, positions: int) -> None:
    """The table, with its lower bounds belonging to the tier above."""
    tier = tier_of_equity(Decimal(equity))
    assert (tier.daily_loss_fraction, tier.positions_max) == (Decimal(daily_loss), positions)


def test_a_debt_is_in_the_lowest_tier() -> None:
    """An account below nothing has a tier as well."""
    assert tier_of_equity(Decimal(-5)) == TIERS[0]


@pytest.mark.parametrize(
    ("before", "equity", "after"), [(0, 2000, 1), (1, 1950, 1), (1, 1900, 1), (1, 1899, 0), (3, 4800, 2), (3, 4000, 1)]
)
def test_a_tier_is_left_5_percent_below_its_bound(before: int, equity: int, after: int) -> None:
    """It rises at its bound, and falls below 95 % of it."""
    assert tier_after(TIERS[before], Decimal(equity)) == TIERS[after]


@given(st.sampled_from(TIERS), EQUITIES)
def test_the_same_equity_moves_nothing_twice(before: Tier, equity: Decimal) -> None:
    """Told the same equity again an account stays where it is, wherever it came from."""
    tier = tier_after(before, equity)
    assert tier_after(tier, equity) == tier
