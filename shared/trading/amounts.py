"""Exact arithmetic with money: sums and products are never rounded by accident, what must be rounded says which way.

Books are kept inside `with localcontext(EXACT)`, where a result that would have to be rounded raises instead.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

ZERO: Final = Decimal(0)

# Two numbers as messages carry them multiply without rounding, and as many of them add up as a life of trading has.
EXACT: Final = Context(prec=250, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
ROUNDING: Final = Context(prec=250, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])


def rounded_down(number: Decimal, step: Decimal) -> Decimal:
    """Return the greatest multiple of the step that is not above the number."""
    # By the remainder, which is exact; a quotient could be rounded across a step.
    beyond = EXACT.remainder(number, step)
    return EXACT.subtract(number, beyond if beyond >= 0 else EXACT.add(beyond, step))


def rounded_up(number: Decimal, step: Decimal) -> Decimal:
    """Return the least multiple of the step that is not below the number."""
    return EXACT.minus(rounded_down(EXACT.minus(number), step))


def is_multiple(number: Decimal, step: Decimal) -> bool:
    """Say whether the number is made of whole steps."""
    return not EXACT.remainder(number, step)
