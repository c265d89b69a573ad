"""How large an entry is: what its stop may lose, and of the sizes that are worth their costs, which.

Written for floats and Decimals alike, as `costs.py` says. What an account may hold at most is risk's business.
"""

from collections.abc import Callable, Iterable
from typing import Final

from shared.trading.costs import CostTerms, Number, round_trip_cost
from shared.trading.profit_gate import GateTerms, Prospect, judged_profit

# Sizes that are tried below the largest one allowed: slippage grows with size, so a smaller order may be worth it.
LADDER: Final = ("25", "50", "100", "200", "500", "1000")


def ladder(read: Callable[[str], Number]) -> tuple[Number, ...]:
    """Return the rungs of the house in the caller's numbers, the smallest first."""
    return tuple(map(read, LADDER))


def risk_quote(notional: Number, stop_fraction: Number, costs: CostTerms[Number]) -> Number:
    """Return what a position of this size really loses at its stop: the distance and the costs of both fills."""
    return notional * stop_fraction + round_trip_cost(notional, costs)


def viable_notional(
    sizes: Iterable[Number],
    *,
    prospect: Prospect[Number],
    costs: CostTerms[Number],
    gate: GateTerms[Number],
    risk_quote_max: Number,
) -> Number | None:
    """Return the first of the sizes that is both allowed and worth its costs, None when none is.

    They are handed in as they are preferred: from the largest down, or from the smallest up.
    """
    for size in sizes:
        loses_too_much = risk_quote(size, prospect.stop_fraction, costs) > risk_quote_max + gate.tolerance_quote
        if not loses_too_much and judged_profit(size, prospect, costs, gate).passes:
            return size
    return None
