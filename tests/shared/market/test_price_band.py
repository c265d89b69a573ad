"""The band is as wide as its prices scatter, within limits."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.market.price_band import PriceBand
from tests.shared.market.observed import SECOND

PRICES = st.lists(st.decimals("0.01", "1000", places=2), min_size=1, max_size=100)


def a_band(prices: list[Decimal]) -> PriceBand:
    """Make a band that took in these prices, one a second."""
    band = PriceBand(fraction=Decimal("0.03"), deviations=Decimal(20), window_ns=60 * SECOND)
    for number, price in enumerate(prices):
        band.believe(price, number * SECOND)
    return band


@given(PRICES)
def test_a_band_is_never_narrower_than_its_fraction_nor_wider_than_half(prices: list[Decimal]) -> None:
    """Whatever it took in, it holds three percent around the middle of the last minute, and not half as much again."""
    lately = sorted(prices[-61:])
    band, middle = a_band(prices), lately[len(lately) // 2]
    for factor in ("0.97", "1", "1.03"):
        assert band.holds(middle * Decimal(factor))
    for factor in ("0.4999", "1.5001", "1000", "0.001"):
        assert not band.holds(middle * Decimal(factor))


def test_a_band_forgets_what_is_older_than_its_window() -> None:
    """What counts is the last minute."""
    band = a_band([Decimal(100)] * 60 + [Decimal(102)] * 62)
    assert band.holds(Decimal(105))
    assert not band.holds(Decimal("98.9"))
