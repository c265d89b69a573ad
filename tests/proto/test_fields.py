"""A message that can be made can be sent: its Decimals are judged when it is made."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import (
    DECIMAL_DIGITS_MAX,
    TEXT_LENGTH_MAX,
    Amount,
    Fraction,
    Message,
    Price,
    Quantity,
    clipped,
)


class Bounds(Message, frozen=True, tag="bounds.1"):
    """One field of every Decimal kind, and one that may be empty."""

    price: Price
    quantity: Quantity
    amount: Amount
    fraction: Fraction
    maybe: Price | None


LAWFUL = {
    "price": Decimal(1),
    "quantity": Decimal(0),
    "amount": Decimal(-1),
    "fraction": Decimal(1),
    "maybe": None,
}


@pytest.mark.parametrize("field", LAWFUL)
@pytest.mark.parametrize(
    "value",
    [
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        Decimal("1E+19"),
        Decimal("-1E+19"),
        Decimal("1E-29"),
        Decimal("0E-999999"),
        Decimal("1." + "1" * DECIMAL_DIGITS_MAX),
        1,
        1.0,
        "1",
        True,
    ],
    ids=repr,
)
def test_no_field_takes_a_number_that_cannot_travel(field: str, value: object) -> None:
    """Not a number, endless, too large, too small, too long, or no Decimal at all: refused, naming the field."""
    with pytest.raises(ValueError, match=rf"^{field} is "):
        Bounds(**(LAWFUL | {field: value}))  # type: ignore[arg-type]  # the wrong type is what is tested


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "0"),
        ("price", "-1"),
        ("quantity", "-0.1"),
        ("quantity", "-0"),
        ("fraction", "0"),
        ("fraction", "1.01"),
        ("maybe", "0"),
    ],
)
def test_a_field_keeps_to_its_range(field: str, value: str) -> None:
    """A price is above zero, a quantity not below it, a fraction at most one."""
    with pytest.raises(ValueError, match=rf"^{field} is "):
        Bounds(**(LAWFUL | {field: Decimal(value)}))  # type: ignore[arg-type]  # the keys are those of Bounds


@pytest.mark.parametrize("value", ["-0", "-0.00", "0", "1E-28", "-9.99", "1E+18", "0E-20"])
def test_a_signed_amount_takes_what_arithmetic_makes(value: str) -> None:
    """Profit and loss may be a negative zero, which subtraction makes lawfully."""
    made = Bounds(price=Decimal(1), quantity=Decimal(0), amount=Decimal(value), fraction=Decimal(1), maybe=None)
    assert str(made.amount) == value


@given(st.text(max_size=8), st.integers(min_value=0, max_value=TEXT_LENGTH_MAX))
def test_a_clipped_text_fits_and_begins_as_it_was(syllable: str, times: int) -> None:
    """A text of any length fits a field after clipping, and a text that fitted is untouched."""
    text = syllable * times
    short = clipped(text)
    assert len(short) <= TEXT_LENGTH_MAX
    assert text.startswith(short.removesuffix("…"))
    assert short == text or len(text) > TEXT_LENGTH_MAX
