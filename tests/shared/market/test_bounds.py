"""A number that has no fault fits every message that carries it."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proto.bars import Level
from proto.market import BookLevel
from shared.market.bounds import PRICE_LARGEST, QUANTITY_LARGEST, SMALLEST, price_fault, quantity_fault

EDGES = [SMALLEST, PRICE_LARGEST, QUANTITY_LARGEST, Decimal(0), Decimal("-0"), Decimal("NaN"), Decimal("-Infinity")]
NUMBERS = st.one_of(st.decimals(), st.decimals(0, QUANTITY_LARGEST), st.sampled_from(EDGES))


@given(NUMBERS, NUMBERS)
def test_what_has_no_fault_fits_the_messages(price: Decimal, quantity: Decimal) -> None:
    """It is carried as a Decimal, and as a float that the decoder of market data takes."""
    if price_fault(price) is None and quantity_fault(quantity) is None:
        Level(price=price, quantity=quantity)
        msgspec.convert([float(price), float(quantity)], BookLevel)


def test_the_largest_and_the_smallest_fit() -> None:
    """The bounds are those of the messages, and belong to them."""
    for price in (SMALLEST, PRICE_LARGEST):
        assert price_fault(price) is None
        msgspec.convert([float(price), float(QUANTITY_LARGEST)], BookLevel)
    assert price_fault(PRICE_LARGEST + 1) == quantity_fault(QUANTITY_LARGEST * 10) == "out of range"
    assert price_fault(SMALLEST / 10) == quantity_fault(SMALLEST / 10) == "out of range"
    assert quantity_fault(Decimal(0)) is None
