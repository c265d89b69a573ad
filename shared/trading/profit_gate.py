"""Whether a trade is worth its costs, asked at the size it would really have.

Written for floats and Decimals alike, as `costs.py` says. Never asked about an exit.
"""

from collections.abc import Callable, Sequence
from typing import Final, Generic, NamedTuple

from proto.fields import Side
from shared.trading.costs import CostTerms, Number, round_trip_cost

MINIMUM_QUOTE: Final = "0.15"
MINIMUM_FRACTION: Final = "0.0012"
TOLERANCE: Final = "1e-9"  # in the quote asset: a float that should meet a limit exactly may miss it by its last digits


class GateTerms(NamedTuple, Generic[Number]):
    """What a trade has to earn at least: an amount, and a fraction of its notional."""

    minimum_quote: Number
    minimum_fraction: Number
    tolerance_quote: Number


class Prospect(NamedTuple, Generic[Number]):
    """What may become of a position, as fractions of its notional: lost at the stop, gained at the target, carried.

    The carry is what holding it costs: funding or swap, negative where one is paid for it, zero on spot.
    """

    stop_fraction: Number
    gain_fraction: Number
    carry_fraction: Number


class GateAnswer(NamedTuple, Generic[Number]):
    """The expected net gain of a trade at its target, and what it has to be."""

    net_quote: Number
    minimum_quote: Number
    passes: bool


def gate_terms(read: Callable[[str], Number]) -> GateTerms[Number]:
    """Return the terms of the house in the caller's numbers."""
    return GateTerms(read(MINIMUM_QUOTE), read(MINIMUM_FRACTION), read(TOLERANCE))


def distance_fraction(entry: Number, level: Number) -> Number:
    """Return how far a level is from the entry, as a fraction of the entry."""
    return (level - entry if level > entry else entry - level) / entry


def prices_in_order(side: Side, entry: Number, stop: Number, targets: Sequence[Number]) -> bool:
    """Say whether the stop lies behind the entry and every target ahead of it. A level at the entry is neither."""
    if side == "buy":
        return 0 < stop < entry and all(entry < target for target in targets)
    return 0 < entry < stop and all(0 < target < entry for target in targets)


def minimum_profit(notional: Number, gate: GateTerms[Number]) -> Number:
    """Return what a trade of this size has to earn: below 125 the amount counts, above it the fraction."""
    part = notional * gate.minimum_fraction
    return max(gate.minimum_quote, part)


def judged_profit(
    notional: Number, prospect: Prospect[Number], costs: CostTerms[Number], gate: GateTerms[Number]
) -> GateAnswer[Number]:
    """Return what a trade earns at its target after all costs, and whether that is enough."""
    gross = notional * prospect.gain_fraction
    net = gross - round_trip_cost(notional, costs) - notional * prospect.carry_fraction
    minimum = minimum_profit(notional, gate)
    return GateAnswer(net, minimum, net >= minimum - gate.tolerance_quote)
