"""How large an entry is: what its stop may lose, and of the sizes that are worth their costs, which.

Written for floats and Decimals alike, as `costs.py` says. What an account may hold at most is risk's business.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal

from shared.trading.costs import CostTerms, Number, round_trip_cost
from shared.trading.profit_gate import GateTerms, Prospect, judged_profit

# Sizes that are tried below the largest one allowed: slippage grows with size, so a smaller order may be worth it.
LADDER: Final = ("25", "50", "100", "200", "500", "1000")

Policy = Literal["risk_budget", "smallest_viable"]


def ladder(read: Callable[[str], Number]) -> tuple[Number, ...]:
    """Return the rungs of the house in the caller's numbers, the smallest first."""
    return tuple(map(read, LADDER))


def risk_notional(budget_quote: Number, stop_fraction: Number, cost_fraction: Number) -> Number:
    """Return the size that loses the budget at its stop, costs included."""
    assert stop_fraction > 0, "a stop at the entry is refused before anything is sized"
    return budget_quote / (stop_fraction + cost_fraction)


def risk_quote(notional: Number, stop_fraction: Number, costs: CostTerms[Number]) -> Number:
    """Return what a position of this size really loses at its stop: the distance and the costs of both fills."""
    return notional * stop_fraction + round_trip_cost(notional, costs)


def viable_notional(
    sizes: Iterable[Number],
    *,
    prospect: Prospect[Number],
    costs: CostTerms[Number],
    gate: GateTerms[Number],
    notional_max: Number,
    risk_quote_max: Number,
    policy: Policy = "risk_budget",
) -> Number | None:
    """Return the size to trade among those handed in, None when none is both allowed and worth its costs.

    `risk_budget` takes the largest, `smallest_viable` the smallest.
    """
    chosen: Number | None = None
    for size in sizes:
        if size > notional_max:
            continue
        if risk_quote(size, prospect.stop_fraction, costs) > risk_quote_max + gate.tolerance_quote:
            continue
        if not judged_profit(size, prospect, costs, gate).passes:
            continue
        if chosen is None or (size > chosen if policy == "risk_budget" else size < chosen):
            chosen = size
    return chosen
