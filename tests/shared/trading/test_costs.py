"""What a trade costs: fees by level and day, spread and slippage per fill, and the same in floats as in Decimals."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trading.costs import (
    CostTerms,
    FeeAccount,
    FeeUnknownError,
    Impact,
    cost_terms,
    fee_rates,
    fill_cost,
    round_trip_cost,
    round_trip_fraction,
    tier_of,
)
from shared.trading.fee_tables import FEE_TABLES
from tests.shared.trading.terms import DAY, WITH_BNB, WITHOUT_BNB, the_terms

NOTIONALS = st.decimals(min_value="0.01", max_value="1000000", places=2)
RANKS = st.decimals(min_value=0, max_value=1, places=3)


def of_level(level: int, *, pays_in_bnb: bool = False) -> FeeAccount:
    """Return an account of a VIP level on the spot market."""
    return FeeAccount("binance", "spot", level, pays_in_bnb)


@pytest.mark.parametrize(
    ("account", "maker", "taker"),
    [
        (WITHOUT_BNB, "0.001", "0.001"),
        (WITH_BNB, "0.00075", "0.00075"),
        (of_level(1), "0.0009", "0.001"),
        (of_level(2, pays_in_bnb=True), "0.0006", "0.00075"),
        (of_level(3), "0.00042", "0.0006"),
        (of_level(9), "0.00012", "0.00024"),
        (FeeAccount("binance", "usdm", 0, pays_in_bnb=False), "0.0002", "0.0005"),
        (FeeAccount("binance", "usdm", 0, pays_in_bnb=True), "0.00018", "0.00045"),
    ],
)
def test_a_fee_is_what_the_account_pays(account: FeeAccount, maker: str, taker: str) -> None:
    """Market, level and BNB decide what a maker and a taker pay."""
    rates = fee_rates(account, DAY, Decimal)
    assert rates == (Decimal(maker), Decimal(taker))


@pytest.mark.parametrize(
    ("day", "taker"), [(date(2022, 5, 31), "0.0009"), (date(2022, 6, 1), "0.0004"), (date(2025, 1, 1), "0.00054")]
)
def test_a_fee_is_that_of_its_day(day: date, taker: str) -> None:
    """A table holds from its day on, until the next one does."""
    assert fee_rates(of_level(4), day, Decimal).taker_fraction == Decimal(taker)


@pytest.mark.parametrize("level", [-1, 1, 10])
def test_a_level_that_no_table_has_is_refused(level: int) -> None:
    """What is missing, and where to add it, is said; nothing is guessed."""
    with pytest.raises(FeeUnknownError, match=rf"VIP level {level} of binance usdm .* only those of 0: add the level"):
        fee_rates(FeeAccount("binance", "usdm", level, pays_in_bnb=True), DAY, Decimal)


@pytest.mark.parametrize(("venue", "day"), [("binance", date(2017, 7, 13)), ("kraken", DAY)])
def test_a_venue_or_day_that_no_table_has_is_refused(venue: str, day: date) -> None:
    """A venue nobody wrote down, or a day before its first table, has no fees."""
    with pytest.raises(FeeUnknownError, match="add a table"):
        fee_rates(FeeAccount(venue, "spot", 0, pays_in_bnb=False), day, Decimal)


def test_the_tables_follow_each_other() -> None:
    """No two tables of a market begin on one day, or which of them holds would be chance."""
    beginnings = [(table.venue, table.market, table.since) for table in FEE_TABLES]
    assert len(set(beginnings)) == len(beginnings)


@pytest.mark.parametrize(
    ("notional", "bps"), [("99.99", "1"), ("100", "2"), ("499.99", "2"), ("500", "3"), ("999.99", "3"), ("1000", "5")]
)
def test_slippage_grows_with_size(notional: str, bps: str) -> None:
    """Each tier ends just below its bound."""
    size = Decimal(notional)
    assert fill_cost(size, the_terms(Decimal), is_maker=False).slippage == size * Decimal(bps) / 10_000


@pytest.mark.parametrize(("rank", "bps"), [("0", "1"), ("0.5", "2"), ("1", "3")])
def test_slippage_grows_with_volatility(rank: str, bps: str) -> None:
    """From half of what the tier says in the calmest of times to one and a half of it in the wildest."""
    terms = cost_terms(fee_rates(WITH_BNB, DAY, Decimal), Decimal, volatility_rank=Decimal(rank))
    assert fill_cost(Decimal(200), terms, is_maker=False).slippage == 200 * Decimal(bps) / 10_000


def test_impact_counts_where_it_is_more() -> None:
    """With 3 % a day and 500 millions traded 500 move the market by 0.3 bps: the tier counts; in a thin one they do."""
    fees = fee_rates(WITH_BNB, DAY, Decimal)

    def slippage(daily_volume: int) -> Decimal:
        impact = Impact(Decimal("0.03"), Decimal(daily_volume), Decimal("0.5"))
        return fill_cost(Decimal(500), cost_terms(fees, Decimal, impact=impact), is_maker=False).slippage

    assert slippage(500_000_000) == Decimal("0.15")
    assert slippage(50_000) == Decimal("1.5")


def test_the_round_trip_of_an_ordinary_trade_costs_21_bps() -> None:
    """Of 200: 15 bps of fees with BNB, 2 of spread, half of it a fill, and 4 of slippage."""
    terms, size = the_terms(Decimal), Decimal(200)
    assert fill_cost(size, terms, is_maker=False) == (Decimal("0.15"), Decimal("0.02"), Decimal("0.04"))
    assert round_trip_cost(size, terms) == Decimal("0.42")
    assert round_trip_fraction(size, tier_of(size, terms), terms) == Decimal("0.0021")


def test_a_maker_pays_the_fee_alone() -> None:
    """Who waits at its price crosses no spread."""
    assert fill_cost(Decimal(200), the_terms(Decimal), is_maker=True) == (Decimal("0.15"), Decimal(0), Decimal(0))


def wild_terms(rank: Decimal) -> tuple[CostTerms[float], CostTerms[Decimal]]:
    """Return the same terms in floats and in Decimals."""
    floats = cost_terms(
        fee_rates(WITH_BNB, DAY, float),
        float,
        volatility_rank=float(rank),
        impact=Impact(0.03, 1e6, 0.5),
    )
    decimals = cost_terms(
        fee_rates(WITH_BNB, DAY, Decimal),
        Decimal,
        volatility_rank=rank,
        impact=Impact(Decimal("0.03"), Decimal(1_000_000), Decimal("0.5")),
    )
    return floats, decimals


@given(NOTIONALS, RANKS)
def test_floats_and_decimals_cost_the_same(notional: Decimal, rank: Decimal) -> None:
    """Research and the mesh differ by no more than the last digits of a float."""
    floats, decimals = wild_terms(rank)
    assert round_trip_cost(float(notional), floats) == pytest.approx(float(round_trip_cost(notional, decimals)))


@given(NOTIONALS, NOTIONALS, RANKS)
def test_a_larger_order_costs_more(one: Decimal, other: Decimal, rank: Decimal) -> None:
    """Neither the cost nor its fraction ever falls with the size."""
    _, terms = wild_terms(rank)
    small, large = sorted((one, other))
    assert round_trip_cost(small, terms) <= round_trip_cost(large, terms)
    fractions = [round_trip_fraction(size, tier_of(size, terms), terms) for size in (small, large)]
    assert fractions == sorted(fractions)
