"""What a trade costs: fee, half the spread and slippage of each fill, and of the two fills of a round trip.

Research asks with floats, risk and the executor with Decimals, and both get the same answer from the same lines: the
constants are texts that `read` (`float` or `Decimal`) turns into the caller's numbers. Only what changes with the size
of an order is left to be counted per fill; all else is worked out once, into `CostTerms`.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final, Generic, NamedTuple, TypeVar

from shared.trading.fee_tables import FEE_TABLES

Number = TypeVar("Number", float, Decimal)

BPS: Final = 10_000
SPREAD_BPS: Final = "2"
VOLATILITY_RANK: Final = "0.5"  # of the last thirty days, 0 to 1; in the middle slippage is what the tier says
LEAST_FACTOR: Final = "0.5"
# Below this notional, this many basis points; the last one is for everything larger.
SLIPPAGE_TIERS: Final = (("100", "1"), ("500", "2"), ("1000", "3"), ("Infinity", "5"))
IMPACT_EXPONENT: Final = "0.5"  # the square-root law


class FeeUnknownError(ValueError):
    """Nobody has written down what this account pays."""


class FeeAccount(NamedTuple):
    """Whose fees: a venue, a market, the level there, and whether fees are paid in BNB at a discount."""

    venue: str
    market: str
    vip_level: int
    pays_in_bnb: bool


class FeeRates(NamedTuple, Generic[Number]):
    """The fee of a fill, as a fraction of its notional."""

    maker_fraction: Number
    taker_fraction: Number


class SlippageTier(NamedTuple, Generic[Number]):
    """What is lost to the book by a taker whose order is smaller than `below`, as a fraction of its notional."""

    below: Number
    fraction: Number


class Impact(NamedTuple, Generic[Number]):
    """By how much an order moves a market: `fraction * (notional / daily_volume) ** exponent`."""

    fraction: Number  # the daily volatility, times a factor that is published as 0.5 to 1
    daily_volume: Number
    exponent: Number


class CostTerms(NamedTuple, Generic[Number]):
    """What a fill of a symbol costs at some time, as fractions of its notional. Tiers are in order, the last endless.

    Without an `impact` nobody has measured how deep the market is, and the tiers alone count.
    """

    fees: FeeRates[Number]
    half_spread: Number
    tiers: tuple[SlippageTier[Number], ...]
    impact: Impact[Number] | None


class FillCost(NamedTuple, Generic[Number]):
    """The cost of one fill, in the quote asset."""

    fee: Number
    half_spread: Number
    slippage: Number


def fee_rates(account: FeeAccount, day: date, read: Callable[[str], Number]) -> FeeRates[Number]:
    """Return what an account pays for a fill on a day (UTC)."""
    maker, taker, factor = map(read, _fee_texts(account, day))
    return FeeRates(maker * factor / BPS, taker * factor / BPS)


@lru_cache(maxsize=64)
def _fee_texts(account: FeeAccount, day: date) -> tuple[str, str, str]:
    """Return the basis points of maker and taker, and what is left of them; whoever trades asks the same all day."""
    tables = [table for table in FEE_TABLES if (table.venue, table.market) == (account.venue, account.market)]
    in_force = max((table for table in tables if table.since <= day), key=lambda table: table.since, default=None)
    if in_force is None:
        raise FeeUnknownError(
            f"the fees of {account.venue} {account.market} on {day} are not known: "
            "add a table to shared/trading/fee_tables.py"
        )
    if account.vip_level not in in_force.levels:
        known = ", ".join(map(str, in_force.levels))
        raise FeeUnknownError(
            f"the fees of VIP level {account.vip_level} of {account.venue} {account.market} on {day} are not known, "
            f"only those of {known}: add the level to shared/trading/fee_tables.py"
        )
    return *in_force.levels[account.vip_level], in_force.bnb_factor if account.pays_in_bnb else "1"


def cost_terms(
    fees: FeeRates[Number],
    read: Callable[[str], Number],
    *,
    spread_fraction: Number | None = None,
    volatility_rank: Number | None = None,
    impact: Impact[Number] | None = None,
) -> CostTerms[Number]:
    """Return the terms of a symbol: its recorded spread, and how volatile it is among the last thirty days, if known.

    Slippage is half of what the tier says in the calmest of times, and one and a half of it in the wildest.
    """
    spread = read(SPREAD_BPS) / BPS if spread_fraction is None else spread_fraction
    tiers = _usual_tiers(read) if volatility_rank is None else _tiers(read, volatility_rank)
    return CostTerms(fees, spread / 2, tiers, impact)


@lru_cache(maxsize=16)
def _usual_tiers(read: Callable[[str], Number]) -> tuple[SlippageTier[Number], ...]:
    return _tiers(read, read(VOLATILITY_RANK))


def _tiers(read: Callable[[str], Number], rank: Number) -> tuple[SlippageTier[Number], ...]:
    factor = read(LEAST_FACTOR) + rank
    return tuple(SlippageTier(read(below), read(bps) * factor / BPS) for below, bps in SLIPPAGE_TIERS)


def tier_of(notional: Number, terms: CostTerms[Number]) -> SlippageTier[Number]:
    """Return the tier that an order of this size lies in."""
    for tier in terms.tiers:
        if notional < tier.below:
            return tier
    raise AssertionError("the last tier has no end")


def slippage_fraction(notional: Number, tier: SlippageTier[Number], terms: CostTerms[Number]) -> Number:
    """Return the slippage of a taker: what its tier says, or its impact on the market where that is more."""
    if terms.impact is None:
        return tier.fraction
    share = notional / terms.impact.daily_volume
    impact: Number = terms.impact.fraction * share**terms.impact.exponent
    return max(tier.fraction, impact)


def fill_cost(notional: Number, terms: CostTerms[Number], *, is_maker: bool) -> FillCost[Number]:
    """Return what one fill costs. A maker waits for its price, and pays neither spread nor slippage."""
    if is_maker:
        nothing = notional * 0
        return FillCost(notional * terms.fees.maker_fraction, nothing, nothing)
    slippage = slippage_fraction(notional, tier_of(notional, terms), terms)
    return FillCost(notional * terms.fees.taker_fraction, notional * terms.half_spread, notional * slippage)


def taker_fraction(notional: Number, terms: CostTerms[Number]) -> Number:
    """Return what one fill of a taker costs altogether, as a fraction of its notional."""
    return terms.fees.taker_fraction + terms.half_spread + slippage_fraction(notional, tier_of(notional, terms), terms)


def round_trip_fraction(notional: Number, tier: SlippageTier[Number], terms: CostTerms[Number]) -> Number:
    """Return what a round trip of a taker costs in a tier, as a fraction of its notional."""
    return 2 * (terms.fees.taker_fraction + terms.half_spread + slippage_fraction(notional, tier, terms))


def round_trip_cost(notional: Number, terms: CostTerms[Number]) -> Number:
    """Return what it costs to get in and out again as a taker: twice the cost of a fill."""
    fill = fill_cost(notional, terms, is_maker=False)
    return 2 * (fill.fee + fill.half_spread + fill.slippage)
