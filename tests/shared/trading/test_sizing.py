"""How large an entry is: the worked examples, and that floats and Decimals choose the same size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trading.profit_gate import Prospect, gate_terms
from shared.trading.sizing import ladder, risk_quote, viable_notional
from tests.shared.trading.terms import literal_terms, the_prospect, the_terms

FRACTIONS = st.decimals(min_value="0.001", max_value="0.2", places=4)


def test_the_reported_risk_is_that_of_the_size() -> None:
    """A position that a cap cut to 200 risks its 4.00 and the costs of 0.42, not the budget of 10."""
    assert risk_quote(Decimal(200), Decimal("0.02"), the_terms(Decimal)) == Decimal("4.42")


@pytest.mark.parametrize(
    ("equity", "prices", "size"),
    [
        (2000, ("100", "103", "98"), 25),
        (2000, ("100", "100.5", "99"), 100),
        (2000, ("100", "100.37", "99.5"), 200),
        (2000, ("100", "100.4", "99.5"), 100),
        (1000, ("100", "100.8", "99.2"), 50),
        (1000, ("100", "101", "90"), 25),
        (5000, ("100", "100.36", "99.5"), None),
    ],
)
def test_the_smallest_viable_size(equity: int, prices: tuple[str, str, str], size: int | None) -> None:
    """The worked examples of the ladder: at 12 bps after costs 200 is the least, below them no size is."""
    chosen = viable_notional(
        ladder(Decimal),
        prospect=the_prospect(*prices),
        costs=literal_terms(),
        gate=gate_terms(Decimal),
        risk_quote_max=equity * Decimal("0.01"),
    )
    assert chosen == size


def test_the_first_viable_size_is_taken() -> None:
    """Who prefers the largest that risk allows hands the largest in first, and gets it."""
    chosen = viable_notional(
        [Decimal(1000), Decimal(452), *reversed(ladder(Decimal))],
        prospect=the_prospect("100", "103", "98"),
        costs=the_terms(Decimal),
        gate=gate_terms(Decimal),
        risk_quote_max=Decimal(10),
    )
    assert chosen == 452


def test_a_smaller_order_may_be_worth_it_where_a_larger_is_not() -> None:
    """Slippage grows with size: of 34 bps 200 leave enough, and 1,000 do not."""
    chosen = viable_notional(
        reversed(ladder(Decimal)),
        prospect=the_prospect("100", "100.34", "99"),
        costs=the_terms(Decimal),
        gate=gate_terms(Decimal),
        risk_quote_max=Decimal(1000),
    )
    assert chosen == 200


@given(st.integers(min_value=10, max_value=100_000), FRACTIONS, FRACTIONS)
def test_floats_and_decimals_choose_the_same(equity: int, stop: Decimal, gain: Decimal) -> None:
    """Research and risk take the same rung for the same prospect."""
    exact = viable_notional(
        reversed(ladder(Decimal)),
        prospect=Prospect(stop, gain, Decimal(0)),
        costs=the_terms(Decimal),
        gate=gate_terms(Decimal),
        risk_quote_max=equity * Decimal("0.01"),
    )
    quick = viable_notional(
        reversed(ladder(float)),
        prospect=Prospect(float(stop), float(gain), 0.0),
        costs=the_terms(float),
        gate=gate_terms(float),
        risk_quote_max=equity * 0.01,
    )
    assert quick == exact
