"""The bench of the venue client's leg works; that of the whole way takes a minute, and is run as a bench only."""

from tests.bench import leg


def test_the_leg_of_the_venue_client_is_measured() -> None:
    """A few orders are stamped at both of its ends, and the answer comes behind the order."""
    to_exchange, to_answer = leg.measured(orders=5)
    assert 0 < to_exchange.p50_us < to_answer.p50_us
