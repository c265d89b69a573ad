"""A symbol is doubted while there is a reason, and trusted again when there is none."""

import pytest

from shared.market.quality import GateSettings
from tests.shared.market.judged_market import TICK, Market, calm, decimals
from tests.shared.market.observed import MINUTE, MONDAY, SECOND, a_quote


def test_the_first_price_passes_and_is_suspect_until_it_is_confirmed() -> None:
    """Nothing can be said against the first price, and nothing for it before two more like it."""
    market = Market()
    assert market.quote("99", "101") == [1]
    assert market.doubts() == ("suspect price",)
    assert market.trades("100") == decimals("100")
    assert market.doubts() == ("suspect price",)
    assert market.trades("101") == decimals("101")
    assert market.doubts() == ()


def test_a_first_price_that_was_a_spike_is_left_behind() -> None:
    """Had the first one been the spike, the next ones move the band away from it, and it was suspect all along."""
    market = Market()
    assert market.trades("100000", "100", "100") == decimals("100000")
    assert market.doubts() == ("never seen", "suspect price")
    assert market.trades("100", "100", "100") == decimals("100", "100", "100", "100", "100")
    assert market.doubts() == ("never seen",)


def test_quotes_grow_stale() -> None:
    """Two seconds without a quote that passed are a doubt, and the next quote ends it."""
    market = calm()
    look_ns = market.gate.next_look_ns(market.at_ns)
    assert look_ns == market.at_ns + 2 * SECOND
    assert market.gate.doubts(MONDAY, look_ns - 1) == ()
    assert market.gate.doubts(MONDAY, look_ns) == ("stale quotes",)
    assert market.gate.next_look_ns(look_ns) is None
    market.at_ns = look_ns
    market.quote("99", "101")
    assert market.doubts() == ()


def test_quotes_that_come_late_are_old() -> None:
    """Quotes that go on coming with an old stamp are a doubt by the venue's clock."""
    market = calm()
    frozen_ns = market.at_ns
    for number in range(30):
        market.step()
        assert market.judge_quote(a_quote(market.number, at_ns=frozen_ns)).passed
        assert market.doubts() == (("old quotes",) if number >= 19 else ())
        if number < 19:
            assert market.gate.next_look_ns(market.at_ns) == frozen_ns + 2 * SECOND
    market.step()
    market.judge_quote(a_quote(market.number, at_ns=market.at_ns))
    assert market.doubts() == ()


def test_many_faults_are_a_doubt_for_a_while() -> None:
    """Five refusals within ten seconds are a doubt, until the first of them is ten seconds old."""
    market = calm()
    first_ns = market.at_ns + TICK
    for number in range(5):
        assert market.doubts() == ()
        market.trade("0")
        market.quote("99", "101")
        assert number < 4 or market.doubts() == ("many faults",)
    end_ns = first_ns + 10 * SECOND
    market.at_ns = end_ns - TICK - 1
    market.quote("99", "101")
    assert market.doubts() == ("many faults",)
    market.at_ns -= TICK
    assert market.gate.next_look_ns(market.at_ns) in {end_ns, market.at_ns + 2 * SECOND}
    market.at_ns = end_ns
    market.quote("99", "101")
    assert market.doubts() == ()


def test_faults_far_apart_are_none() -> None:
    """Five refusals in a minute are no doubt."""
    market = calm()
    for _ in range(5):
        market.trade("0")
        market.step(12 * SECOND)
    market.quote("99", "101")
    assert market.doubts() == ()


@pytest.mark.parametrize(("bid", "ask"), [("101", "99"), ("100", "100"), ("0", "100")])
def test_sides_at_odds_are_a_doubt_after_three_seconds(bid: str, ask: str) -> None:
    """Crossed, locked or empty for three seconds is a doubt, which a sensible quote ends."""
    market = calm(GateSettings(faults_for_doubt=1_000, stale_after_ns=MINUTE))
    market.quote(bid, ask)
    since_ns = market.at_ns
    assert market.gate.next_look_ns(since_ns) == since_ns + 3 * SECOND
    market.at_ns = since_ns + 3 * SECOND - TICK - 1
    market.quote(bid, ask)
    assert market.doubts() == ()
    market.quote(bid, ask)
    assert market.gate.doubts(MONDAY, since_ns + 3 * SECOND) == ("crossed",)
    market.quote("99", "101")
    assert market.doubts() == ()


def test_a_lost_link_forgets_what_was_fresh_and_held() -> None:
    """After a lost link nothing counts as seen, nothing is held, numbers may begin anew, and the band still stands."""
    market = calm()
    market.trades("200", "200")
    market.gate.trades_lost()
    market.gate.quotes_lost()
    assert market.doubts() == ("never seen",)
    assert market.gate.next_look_ns(market.at_ns) is None
    assert market.trades("200", "200") == []
    assert market.judge_quote(a_quote(1)).passed
    assert "never seen" not in market.doubts()
