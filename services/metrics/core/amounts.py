"""Decimals of what the market and the clocks say: exact where a number was said, rounded where it was reckoned."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, NamedTuple

NS_PER_SECOND: Final = 1_000_000_000
_TENTH: Final = Decimal("0.1")
_BPS_STEP: Final = Decimal("0.0001")
_BPS: Final = Decimal(10_000)
_PRICE_LEAST: Final = Decimal("1E-28")  # what a message can carry
_CONTEXT: Final = Context(prec=20, rounding=ROUND_HALF_EVEN)


def price_of(said: float) -> Decimal | None:
    """Return the number a float shows; None for one that is no price that a message could carry."""
    price = Decimal(repr(said))
    return price if price >= _PRICE_LEAST else None


class Quote(NamedTuple):
    """The best bid and ask."""

    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Return the middle of the two."""
        return _CONTEXT.divide(_CONTEXT.add(self.bid, self.ask), Decimal(2))

    @property
    def spread_bps(self) -> Decimal | None:
        """Return the spread in hundredths of a percent of the mid price; None where the two cross, which is none."""
        if self.ask < self.bid:
            return None
        spread = _CONTEXT.multiply(_CONTEXT.subtract(self.ask, self.bid), _BPS)
        return _CONTEXT.divide(spread, self.mid).quantize(_BPS_STEP, context=_CONTEXT)


def quote_of(bid: float, ask: float) -> Quote | None:
    """Return the numbers two floats show, None unless both are prices."""
    exact_bid, exact_ask = price_of(bid), price_of(ask)
    return Quote(exact_bid, exact_ask) if exact_bid is not None and exact_ask is not None else None


def per_second(count: int, during_ns: int) -> Decimal:
    """Return a rate, to a tenth."""
    return tenth_of(count * NS_PER_SECOND, during_ns)


def tenth_of(dividend: int, divisor: int) -> Decimal:
    """Return a quotient to a tenth; none below zero, and zero where there is nothing to divide by."""
    if dividend <= 0 or divisor <= 0:
        return Decimal("0.0")
    return _CONTEXT.divide(Decimal(dividend), Decimal(divisor)).quantize(_TENTH, context=_CONTEXT)
