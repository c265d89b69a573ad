"""Exact arithmetic: sums and products are never rounded by accident, and what must be rounded says which way."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Final

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
UNIT: Final = Decimal("1E-8")  # what the venue counts balances and fees in
TRANSFER_MAX: Final = Decimal(10) ** 12  # less than that is brought in or taken out at once

# The digits of two amounts as the face admits them, multiplied, with room for sums. Rounding is a defect here.
EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
ROUNDING: Final = Context(prec=100, traps=[InvalidOperation, DivisionByZero, Overflow])


def rounded_down(amount: Decimal, unit: Decimal = UNIT) -> Decimal:
    """Return the amount without what is finer than the unit."""
    return amount.quantize(unit, ROUND_DOWN, ROUNDING)


def rounded_up(amount: Decimal, unit: Decimal = UNIT) -> Decimal:
    """Return the amount with what is finer than the unit made a whole one."""
    return amount.quantize(unit, ROUND_CEILING, ROUNDING)


def is_transferable(amount: Decimal) -> bool:
    """Say whether so much may be brought in or, below zero, taken out."""
    return amount.is_finite() and -TRANSFER_MAX < amount < TRANSFER_MAX and amount == rounded_down(amount)


def share_rounded_up(amount: Decimal, divisor: Decimal) -> Decimal:
    """Return amount / divisor, with what is finer than the unit made a whole one."""
    return ROUNDING.divide(amount, divisor).quantize(UNIT, ROUND_UP, ROUNDING)


def decimals(amount: Decimal) -> int:
    """Return how many digits the amount needs after the point."""
    exponent = amount.normalize(ROUNDING).as_tuple().exponent
    assert isinstance(exponent, int)  # rules are finite
    return max(-exponent, 0)


def unit_of(amount: Decimal) -> Decimal:
    """Return the last digit the amount needs, as an amount: 0.01 for 0.25, 1 for 50."""
    return ONE.scaleb(-decimals(amount), ROUNDING)
