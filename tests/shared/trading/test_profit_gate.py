"""Whether a trade is worth its costs at its real size, and whether its prices are in order."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proto.fields import Side
from shared.trading.profit_gate import Prospect, gate_terms, judged_profit, minimum_profit, prices_in_order
from tests.shared.trading.terms import the_prospect, the_terms

SIZES = st.decimals(min_value="1", max_value="20000", places=2)
EDGES = st.decimals(min_value="0", max_value="0.05", places=5)
GATE: Final = gate_terms(Decimal)


@pytest.mark.parametrize(
    ("notional", "minimum"), [("50", "0.15"), ("100", "0.15"), ("125", "0.15"), ("200", "0.24"), ("500", "0.60")]
)
def test_the_minimum_grows_with_size(notional: str, minimum: str) -> None:
    """Fifteen cents, or twelve basis points from 125 up."""
    assert minimum_profit(Decimal(notional), GATE) == Decimal(minimum)


def test_the_price_of_one_unit_decides_nothing() -> None:
    """0.22 % of BTC do not pay for the round trip, 6 % of ADA do: asked at 200, not at the price of one coin."""
    terms = the_terms(Decimal)
    bitcoin = judged_profit(Decimal(200), the_prospect("45000", "45100", "44900"), terms, GATE)
    cardano = judged_profit(Decimal(200), the_prospect("0.50", "0.53", "0.49"), terms, GATE)
    assert not bitcoin.passes
    assert bitcoin.net_quote == pytest.approx(Decimal("0.024444"), abs=Decimal("1e-6"))
    assert cardano.passes
    assert cardano.net_quote == Decimal("11.58")


def test_carry_is_a_cost() -> None:
    """What holding costs is taken off, what it pays is added."""
    terms = the_terms(Decimal)
    nets = [
        judged_profit(Decimal(200), Prospect(Decimal("0.01"), Decimal("0.01"), Decimal(carry)), terms, GATE).net_quote
        for carry in ("0.001", "0", "-0.001")
    ]
    assert nets == [Decimal("1.38"), Decimal("1.58"), Decimal("1.78")]


def test_just_enough_passes() -> None:
    """What meets the minimum to the last digit passes, in floats as in Decimals."""
    assert judged_profit(
        Decimal(200), Prospect(Decimal("0.01"), Decimal("0.0033"), Decimal(0)), the_terms(Decimal), GATE
    ).passes
    assert judged_profit(200.0, Prospect(0.01, 0.0033, 0.0), the_terms(float), gate_terms(float)).passes


@given(SIZES, EDGES)
def test_floats_and_decimals_judge_the_same(notional: Decimal, edge: Decimal) -> None:
    """Research and risk pass and refuse the same trades, but for those that miss the minimum by a rounding."""
    exact = judged_profit(notional, Prospect(Decimal("0.01"), edge, Decimal(0)), the_terms(Decimal), GATE)
    quick = judged_profit(float(notional), Prospect(0.01, float(edge), 0.0), the_terms(float), gate_terms(float))
    assert quick.net_quote == pytest.approx(float(exact.net_quote))
    assume(abs(exact.net_quote - exact.minimum_quote + GATE.tolerance_quote) > Decimal("1e-10"))
    assert quick.passes == exact.passes


@pytest.mark.parametrize(
    ("side", "stop", "target", "in_order"),
    [
        ("buy", "98", "103", True),
        ("buy", "103", "98", False),
        ("buy", "100", "103", False),
        ("buy", "98", "100", False),
        ("buy", "0", "103", False),
        ("sell", "103", "98", True),
        ("sell", "98", "103", False),
        ("sell", "100", "98", False),
        ("sell", "103", "0", False),
    ],
)
def test_prices_stand_in_order(side: Side, stop: str, target: str, in_order: bool) -> None:  # noqa: FBT001 -- a column of the table
    """A long stops below its entry and leaves above it, a short the other way round; nothing is taken by its size."""
    assert prices_in_order(side, Decimal(100), Decimal(stop), [Decimal(target)]) == in_order


def test_a_mean_reversion_below_its_stop_is_out_of_order() -> None:
    """Entered at 98 the stop at 97 protects; at 96.9 it lies ahead of the price already."""
    assert prices_in_order("buy", Decimal(98), Decimal(97), [Decimal(100)])
    assert not prices_in_order("buy", Decimal("96.9"), Decimal(97), [Decimal(100)])


def test_every_target_counts() -> None:
    """One target behind the entry spoils the others."""
    assert not prices_in_order("buy", Decimal(100), Decimal(98), [Decimal(103), Decimal(99)])
