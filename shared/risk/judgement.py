"""The verdict on an entry: size, halve in recovery, cap, floor to the step, profit gate; and the rules around it.

What no size can mend is asked first, so that a refusal names the plainest reason. The largest order that every cap and
the gate allow is approved. A looser limit never refuses what a stricter one allowed: an order that slippage makes too
dear is tried smaller, down to just below each tier of slippage.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_UP, Context, Decimal, InvalidOperation, localcontext
from itertools import chain
from typing import Final

from shared.risk.book import NOTHING, Book, Candidate, Lot, Refusal, Sized
from shared.risk.caps import CAPS, Allowance, written
from shared.risk.limits import Limits
from shared.risk.rules import RULES
from shared.trading.costs import SlippageTier, round_trip_cost, round_trip_fraction, tier_of
from shared.trading.instruments import ORDER_QUOTE_MIN
from shared.trading.profit_gate import gate_terms, judged_profit
from shared.trading.sizing import ladder, risk_quote, viable_notional

GATE_RULE: Final = "profit_worth_its_costs"
_GATE: Final = gate_terms(Decimal)
_RUNGS: Final = ladder(Decimal)[::-1]
_EIGHT_PLACES: Final = Decimal("1E-8")

# Wide enough that a whole number of steps, its notional and what is compared with limits come out without rounding.
_arithmetic: Final = Context(prec=80, traps=[InvalidOperation])


def judged(candidate: Candidate, book: Book, limits: Limits) -> Sized | Refusal:
    """Return how much may be entered, or by which one rule nothing may."""
    with localcontext(_arithmetic):
        for rule in RULES:
            refusal = rule(candidate, book, limits)
            if refusal is not None:
                return refusal
        return _sized(candidate, book, limits)


def _sized(candidate: Candidate, book: Book, limits: Limits) -> Sized | Refusal:
    entry, prospect = candidate.entry_price, candidate.prospect
    least = _least_quantity(candidate) * entry
    sizes = (size for size in _sizes(candidate, book, limits) if size >= least)
    largest = next(sizes, None)
    if largest is None:
        return _tightest(candidate, book, limits, tier_of(least, candidate.costs)).refusal(least)
    chosen = viable_notional(
        chain([largest], sizes),
        prospect=prospect,
        costs=candidate.costs,
        gate=_GATE,
        risk_quote_max=book.equity_quote * limits.risk_per_trade_fraction,
    )
    if chosen is None:
        return _not_worth_it(candidate, largest)
    tightest = _tightest(candidate, book, limits, tier_of(chosen, candidate.costs))
    cost = round_trip_cost(chosen, candidate.costs)
    return Sized(
        quantity=chosen / entry,
        notional_quote=chosen,
        reserved_quote=(chosen + cost).quantize(_EIGHT_PLACES, rounding=ROUND_UP),
        risk_quote=risk_quote(chosen, prospect.stop_fraction, candidate.costs),
        net_quote=judged_profit(chosen, prospect, candidate.costs, _GATE).net_quote,
        bound_by=tightest.rule if chosen == largest else GATE_RULE,
    )


def _sizes(candidate: Candidate, book: Book, limits: Limits) -> Iterator[Decimal]:
    """Yield, from the largest down and in whole steps, what the caps leave in each tier of slippage, and its rungs.

    Most often the first of them is taken, so nothing is worked out before it is asked for.
    """
    tiers = candidate.costs.tiers
    above_each = (*(tier.below for tier in tiers[-2::-1]), NOTHING)
    for tier, above in zip(reversed(tiers), above_each, strict=True):
        room = _tightest(candidate, book, limits, tier).room_quote
        for size in (room, *(rung for rung in _RUNGS if above <= rung < room)):
            floored = _floored(min(size, tier.below), candidate)
            if floored == tier.below:
                floored -= candidate.lot.step * candidate.entry_price
            if floored > 0 and floored >= above:
                yield floored


def _tightest(candidate: Candidate, book: Book, limits: Limits, tier: SlippageTier[Decimal]) -> Allowance:
    """Return the cap that leaves least room, at the costs of a tier. No order is ever larger than equity."""
    cost = round_trip_fraction(min(tier.below, book.equity_quote), tier, candidate.costs)
    return min((cap(candidate, book, limits, cost) for cap in CAPS), key=lambda allowance: allowance.room_quote)


def _least_quantity(candidate: Candidate) -> Decimal:
    """Return the least quantity that can be bought, and still be sold at the stop."""
    lot = candidate.lot
    price = min(candidate.entry_price, candidate.intent.decision_price, candidate.stop_price)
    for_notional = _steps(max(lot.notional_quote_min, ORDER_QUOTE_MIN) / price, lot, ROUND_CEILING)
    return max(for_notional, _steps(lot.quantity_min, lot, ROUND_CEILING))


def _floored(notional: Decimal, candidate: Candidate) -> Decimal:
    """Return the notional of the whole steps that fit."""
    return _steps(notional / candidate.entry_price, candidate.lot, ROUND_FLOOR) * candidate.entry_price


def _steps(quantity: Decimal, lot: Lot, rounding: str) -> Decimal:
    return (quantity / lot.step).to_integral_value(rounding) * lot.step


def _not_worth_it(candidate: Candidate, size: Decimal) -> Refusal:
    answer = judged_profit(size, candidate.prospect, candidate.costs, _GATE)
    cost = written(round_trip_cost(size, candidate.costs))
    reason = f"at {written(size)} its targets leave too little after costs of {cost}, and at smaller sizes as well"
    return Refusal(GATE_RULE, written(answer.net_quote), written(answer.minimum_quote), reason)
