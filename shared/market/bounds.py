"""Which numbers a price or a quantity can be: those that fit the messages, as Decimals and as floats.

Bars and the gate ask here before they rely on a number of a venue.
"""

from decimal import Clamped, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Rounded, Subnormal
from typing import Final, Literal

from proto.fields import DECIMAL_DIGITS_MAX, DECIMAL_EXPONENT_MAX, DECIMAL_EXPONENT_MIN

NumberFault = Literal["not finite", "negative", "zero", "out of range"]

SMALLEST: Final = Decimal(f"1E{DECIMAL_EXPONENT_MIN}")
PRICE_LARGEST: Final = Decimal("1E15")  # of MarketPrice; a Price could be larger
QUANTITY_LARGEST: Final = Decimal(f"1E{DECIMAL_EXPONENT_MAX}")

# Raises instead of rounding: what passes through it fits the Decimal fields of messages.
_exact: Final = Context(
    prec=DECIMAL_DIGITS_MAX,
    Emin=DECIMAL_EXPONENT_MIN,
    Emax=DECIMAL_EXPONENT_MAX,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Subnormal],
).plus


def price_fault(price: Decimal) -> NumberFault | None:
    """Return what is senseless about a price, None when nothing is."""
    try:
        if SMALLEST <= _exact(price) <= PRICE_LARGEST:
            return None
    except DecimalException:  # not a number, or one that would have to be rounded
        pass
    if price.is_finite() and not price:
        return "zero"
    return _fault(price)


def quantity_fault(quantity: Decimal) -> NumberFault | None:
    """Return what is senseless about a quantity, None when nothing is. It may be zero, which has no sign here."""
    try:
        if 0 <= _exact(quantity) <= QUANTITY_LARGEST and not quantity.is_signed():
            return None
    except DecimalException:  # as above
        pass
    return _fault(quantity)


def _fault(number: Decimal) -> NumberFault:
    if not number.is_finite():
        return "not finite"
    return "negative" if number.is_signed() else "out of range"
