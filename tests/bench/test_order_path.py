"""The programs of the benches of the order path work, however fast."""

from tests.bench import leg, order
from tests.bench.order_feed import A_SECOND


def test_every_hop_of_an_order_is_measured() -> None:
    """One short round gives each hop a figure, and the whole way and the floor as well."""
    rows = order.measured(rounds=1, seconds=1)
    by_name = {row.what: row for row in rows}
    assert by_name[order.WHOLE].count + by_name[order.MISSING].count == A_SECOND
    assert by_name[order.FLOOR].count == A_SECOND
    assert all(row.p99_us >= row.p50_us > 0 for row in rows if row.what != order.MISSING)


def test_the_leg_of_the_venue_client_is_measured() -> None:
    """A few orders are stamped at both of its ends, and the answer comes behind the order."""
    to_exchange, to_answer = leg.measured(orders=5)
    assert 0 < to_exchange.p50_us < to_answer.p50_us
