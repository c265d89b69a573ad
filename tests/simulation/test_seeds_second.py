"""The order path under faults, and without: the second quarter of what `make test` has time for."""

from tests.simulation.quarters import assert_it_is_not_all_fair_weather, quarter


def test_every_promise_is_kept() -> None:
    """Nothing is lost, doubled or unapproved while faults last; soon after, all is terminal, equal and covered."""
    assert_it_is_not_all_fair_weather(quarter(1))
