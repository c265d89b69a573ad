"""The order path under faults, and without: the second quarter of what `make test` has time for."""

import pytest

from tests.simulation.quarters import assert_every_promise_is_kept, quarter


@pytest.mark.parametrize("seed", quarter(1))
def test_every_promise_is_kept(seed: int) -> None:
    """Nothing is lost, doubled or unapproved while faults last; soon after, all is terminal, equal and covered."""
    assert_every_promise_is_kept(seed)
