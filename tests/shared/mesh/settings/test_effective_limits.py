"""What the limits mean in money, held against the law that the strictest wins."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.settings import RiskSettings
from shared.mesh.settings.effective_limits import effective_limits, idle_limits, money, rounded
from shared.mesh.settings.model import risk_contradictions
from shared.mesh.settings.profiles import PROFILE_EQUITY_MAX, PROFILES

CENTS = st.integers(min_value=100, max_value=1_000_000).map(lambda cents: Decimal(cents) / 100)
TENTHS = st.integers(min_value=5, max_value=250).map(lambda tenths: Decimal(tenths) / 10)


def some_limits(profile: str = "small", **changed: Decimal) -> RiskSettings:
    """Return the limits of a profile with some of them changed, contradictions and all."""
    values = {**PROFILES[profile], **changed}
    return RiskSettings.model_construct(profile=profile, **values)  # type: ignore[arg-type]  # the values of the table


def the_binding_keys(risk: RiskSettings, equity: Decimal) -> dict[str, str]:
    """Return which key binds an order and a position."""
    return {limit.name: limit.key for limit in effective_limits(risk, equity=equity)}


@given(CENTS, TENTHS, TENTHS, CENTS, CENTS)
def test_a_limit_called_idle_never_binds(
    equity: Decimal, order_pct: Decimal, position_pct: Decimal, order: Decimal, position: Decimal
) -> None:
    """At no equity the profile is meant for is an order or a position bound by a limit said never to bind."""
    risk = some_limits(
        order_pct=order_pct, position_pct=position_pct, order_quote_max=order, position_quote_max=position
    )
    if not {key for key, _ in risk_contradictions(risk)} & {"order_pct", "order_quote_max"}:
        idle = {limit.key for limit in idle_limits(risk)}
        binding = the_binding_keys(risk, equity)
        assert not idle & {binding["order"], binding["position"]}


@given(CENTS, TENTHS, TENTHS)
def test_the_order_is_the_strictest_of_its_limits(equity: Decimal, order_pct: Decimal, position_pct: Decimal) -> None:
    """An order is capped by the position limits, and by the greater of the two order limits."""
    risk = some_limits(order_pct=order_pct, position_pct=position_pct)
    cap = min(
        equity * risk.position_fraction,
        risk.position_quote_max,
        max(equity * risk.order_fraction, risk.order_quote_max),
    )
    assert {limit.amount for limit in effective_limits(risk, equity=equity) if limit.name == "order"} == {rounded(cap)}


@pytest.mark.parametrize(("equity", "positions"), [(1_000, 2), (2_000, 3), (50_000, 3)])
def test_a_small_account_has_fewer_positions(equity: int, positions: int) -> None:
    """The size of an account and the profile each allow some positions, and the fewer hold."""
    limits = effective_limits(some_limits("small"), equity=Decimal(equity))
    assert {limit.count for limit in limits if limit.name == "positions"} == {positions}


def test_the_idle_limits_of_the_profiles_are_known() -> None:
    """The small profile carries three limits for accounts that outgrow it, the standard profile none."""
    assert [limit.key for limit in idle_limits(some_limits("small"))] == [
        "risk.daily_loss_breaker_pct",
        "risk.order_pct",
        "risk.position_quote_max",
    ]
    assert idle_limits(some_limits("standard")) == []
    assert set(PROFILE_EQUITY_MAX) == set(PROFILES)


def test_an_order_limit_above_every_position_is_idle() -> None:
    """Order limits that the position limit always undercuts are both named."""
    idle = {limit.key for limit in idle_limits(some_limits(order_quote_max=Decimal(1000)))}
    assert {"risk.order_pct", "risk.order_quote_max"} <= idle


def test_small_money_can_be_read() -> None:
    """Cents for what has them, eight places for less, rounded down."""
    amounts = ["1234.567", "100", "0.5", "0.000005", "0.0000000199"]
    assert [money(rounded(Decimal(text)), "USDT") for text in amounts] == [
        "1234.56 USDT",
        "100.00 USDT",
        "0.50 USDT",
        "0.000005 USDT",
        "0.00000001 USDT",
    ]
