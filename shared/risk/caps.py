"""The rules that a smaller order keeps: each a pure function from an entry to what it leaves of its limit.

They shrink an order, and refuse it only when not even the least that the venue takes fits. To add one, write the
function and list it in `CAPS`; its limit is a field of `Limits` and a setting.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from shared.risk.book import NOTHING, Book, Candidate, Refusal
from shared.risk.limits import Limits

ONE: Final = Decimal(1)
RECOVERY_FACTOR: Final = Decimal("0.5")


class Allowance(msgspec.Struct, frozen=True):
    """What a rule leaves: `limit` less what is `used`, of which each quote of the order takes `per_quote`.

    Of the many that a verdict weighs one at most is said, so the words are made when they are asked for.
    """

    rule: str
    used: Decimal
    limit: Decimal
    per_quote: Decimal
    reason: Callable[[], str]

    @property
    def room_quote(self) -> Decimal:
        """The largest order that keeps the rule."""
        return (self.limit - self.used) / self.per_quote

    def refusal(self, least_quote: Decimal) -> Refusal:
        """Return the refusal of the least order there is."""
        value = written(self.used + least_quote * self.per_quote)
        reason = f"{self.reason()}; the least order here is {written(least_quote)}"
        return Refusal(self.rule, value, written(self.limit), reason)


# The last argument is what a round trip costs, as a fraction of the order.
Cap = Callable[[Candidate, Book, Limits, Decimal], Allowance]


def risk_per_trade_within_limit(candidate: Candidate, book: Book, limits: Limits, cost: Decimal) -> Allowance:
    """Cap what a trade loses at its stop, costs included, at a fraction of equity; at half of it in recovery."""
    fraction = min(candidate.intent.risk_fraction, limits.risk_per_trade_fraction)
    budget = book.equity_quote * fraction * (RECOVERY_FACTOR if book.is_recovering else ONE)
    per_quote = candidate.stop_fraction + cost
    why = ", halved in recovery" if book.is_recovering else ""
    return Allowance(
        "risk_per_trade_within_limit",
        NOTHING,
        budget,
        per_quote,
        lambda: f"a stop may lose {percent(fraction)} of equity with its costs{why}",
    )


def order_size_within_limit(_candidate: Candidate, book: Book, limits: Limits, _cost: Decimal) -> Allowance:
    """Cap one order at an amount or a fraction of equity, whichever is more."""
    most = max(limits.order_quote_max, book.equity_quote * limits.order_fraction)
    return Allowance(
        "order_size_within_limit",
        NOTHING,
        most,
        ONE,
        lambda: f"one order is at most {written(limits.order_quote_max)} or {percent(limits.order_fraction)} of equity",
    )


def position_size_within_limit(candidate: Candidate, book: Book, limits: Limits, _cost: Decimal) -> Allowance:
    """Cap one position, with what is being entered, at an amount or a fraction of equity, whichever is less."""
    most = min(limits.position_quote_max, book.equity_quote * limits.position_fraction)
    held = book.exposure_quote(candidate.intent.symbol)
    return Allowance(
        "position_size_within_limit",
        held,
        most,
        ONE,
        lambda: (
            f"of {candidate.intent.symbol} {written(held)} is held or being entered, and {written(most)} is allowed"
        ),
    )


def exposure_total_within_limit(_candidate: Candidate, book: Book, limits: Limits, cost: Decimal) -> Allowance:
    """Cap all positions and entries together at a fraction of equity; an entry counts with its costs until it ends."""
    most, held = book.equity_quote * limits.exposure_fraction, book.exposure_quote()
    return Allowance(
        "exposure_total_within_limit",
        held,
        most,
        ONE + cost,
        lambda: (
            f"{written(held)} is held or being entered, and {percent(limits.exposure_fraction)} of equity is allowed"
        ),
    )


def reserve_cash_kept(_candidate: Candidate, book: Book, limits: Limits, cost: Decimal) -> Allowance:
    """Cap the order at what leaves, after it and its costs, a fraction of equity in the quote asset."""
    spendable = book.free_quote - book.equity_quote * limits.reserve_cash_fraction
    return Allowance(
        "reserve_cash_kept",
        NOTHING,
        spendable,
        ONE + cost,
        lambda: f"{written(book.free_quote)} is free, of which {percent(limits.reserve_cash_fraction)} of equity stays",
    )


CAPS: Final[tuple[Cap, ...]] = (
    risk_per_trade_within_limit,
    order_size_within_limit,
    position_size_within_limit,
    exposure_total_within_limit,
    reserve_cash_kept,
)


def written(amount: Decimal) -> str:
    """Write an amount with eight places at most, and no trailing zeros."""
    text = f"{amount:.8f}"
    return text.rstrip("0").rstrip(".")


def percent(fraction: Decimal) -> str:
    """Write a fraction as percent."""
    return f"{written(fraction * 100)} %"
