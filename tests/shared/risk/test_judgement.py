"""The verdict on an entry: how large it may be, what bound it, and by which one rule it is refused."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.intents import Target, WatchCover
from proto.verdicts import IntentRefused
from shared.risk.book import Book, Candidate, Refusal, Sized
from shared.risk.caps import CAPS
from shared.risk.judgement import judged
from shared.risk.limits import Limits
from shared.risk.rules import RULES
from shared.trading.costs import Impact, cost_terms, fee_rates, round_trip_fraction, tier_of
from tests.shared.risk.asked import SMALL, a_book, a_candidate, an_intent
from tests.shared.trading.terms import DAY, WITHOUT_BNB, the_terms

GATE_RULE = "profit_worth_its_costs"
WIDE = msgspec.structs.replace(
    SMALL,
    position_fraction=Decimal(1),
    position_quote_max=Decimal(1_000_000),
    order_quote_max=Decimal(1_000_000),
    exposure_fraction=Decimal(1),
    reserve_cash_fraction=Decimal(0),
)


def sized(verdict: Sized | Refusal) -> Sized:
    """Return what was approved."""
    assert isinstance(verdict, Sized), verdict
    return verdict


def refused(verdict: Sized | Refusal) -> Refusal:
    """Return a refusal; what it says fits the message that carries it."""
    assert isinstance(verdict, Refusal), verdict
    message = IntentRefused("an-intent", verdict.rule, verdict.value, verdict.limit, verdict.reason)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=IntentRefused) == message
    return verdict


def test_the_stop_decides_the_size() -> None:
    """Of 2,000 half a percent at a stop 2 % away with 21 bps of costs: 452.48 in whole steps."""
    verdict = sized(judged(a_candidate(), a_book(), WIDE))
    assert (verdict.quantity, verdict.notional_quote) == (Decimal("4.52"), Decimal(452))
    assert verdict.risk_quote == pytest.approx(Decimal("9.9892"))
    assert verdict.bound_by == "risk_per_trade_within_limit"


def test_the_position_limit_caps_the_size() -> None:
    """The same under the small profile is 200, and what it reports as risk is that of the 200."""
    verdict = sized(judged(a_candidate(), a_book(), SMALL))
    assert verdict.notional_quote == 200
    assert verdict.risk_quote == Decimal("4.42")
    assert verdict.net_quote == Decimal("5.58")
    assert verdict.reserved_quote == Decimal("200.42")
    assert verdict.bound_by == "position_size_within_limit"


def test_recovery_halves_the_risk_before_the_caps() -> None:
    """Half of the budget is 226 where nothing else binds; a position limit of 200 binds as before."""
    assert sized(judged(a_candidate(), a_book(is_recovering=True), WIDE)).notional_quote == 226
    assert sized(judged(a_candidate(), a_book(is_recovering=True), SMALL)).notional_quote == 200


def test_all_is_judged_at_the_worst_price() -> None:
    """An approval allows the worst price, so the limits hold there."""
    verdict = sized(judged(a_candidate(an_intent(worst="101")), a_book(), SMALL))
    assert verdict.quantity == Decimal("1.98")
    assert verdict.notional_quote == Decimal("199.98")


def test_quantities_are_whole_steps() -> None:
    """What does not fill a step is left out, never rounded up."""
    assert sized(judged(a_candidate(step="0.3"), a_book(), SMALL)).quantity == Decimal("1.8")


def test_too_dear_at_the_full_size_is_tried_smaller() -> None:
    """With slippage of 5 bps a fill the full size earns too little, just below 1,000 it earns enough."""
    candidate = a_candidate(an_intent(stop="99", target="100.36"))
    verdict = sized(judged(candidate, a_book("1000000"), WIDE))
    assert verdict.notional_quote == 999
    assert verdict.bound_by == GATE_RULE


@pytest.mark.parametrize(("position_max", "notional"), [("98", "98"), ("105", "99"), ("111", "99"), ("112", "112")])
def test_a_higher_limit_does_not_refuse_what_a_lower_one_let_through(position_max: str, notional: str) -> None:
    """Between 100 and 111 slippage makes this trade too dear, so there it is made just below 100."""
    held_to = msgspec.structs.replace(WIDE, position_quote_max=Decimal(position_max))
    verdict = sized(judged(a_candidate(an_intent(stop="99", target="100.345")), a_book("100000"), held_to))
    assert verdict.notional_quote == Decimal(notional)


def test_an_edge_below_its_costs_is_refused() -> None:
    """A target that no size makes worth it is refused by the gate, with what it would earn and what it has to."""
    refusal = refused(judged(a_candidate(an_intent(stop="99", target="100.3")), a_book(), SMALL))
    assert (refusal.rule, refusal.value, refusal.limit) == (GATE_RULE, "0.18", "0.24")


def test_no_target_and_no_expected_gain_earn_nothing() -> None:
    """Without a target the expected gain stands in for it; without either nothing is earned."""
    assert sized(judged(a_candidate(an_intent(target=None, gain="0.03")), a_book(), SMALL)).net_quote == Decimal("5.58")
    assert refused(judged(a_candidate(an_intent(target=None)), a_book(), SMALL)).rule == GATE_RULE


def test_fees_without_bnb_are_dearer() -> None:
    """The same trade nets half a dollar less in 26 bps than in 21."""
    verdict = sized(judged(a_candidate(costs=the_terms(Decimal, WITHOUT_BNB)), a_book(), SMALL))
    assert verdict.net_quote == Decimal("5.48")


@pytest.mark.parametrize(
    ("candidate", "book", "rule", "value", "limit"),
    [
        (a_candidate(), a_book("0"), "equity_positive", "0", "above 0"),
        (
            a_candidate(msgspec.structs.replace(an_intent(), cover=WatchCover(Decimal(98)))),
            a_book(),
            "cover_is_a_stop",
            "watch",
            "stop",
        ),
        (
            a_candidate(msgspec.structs.replace(an_intent(), trail_distance=Decimal("2.5"))),
            a_book(),
            "stop_stays_where_it_is",
            "2.5",
            "none",
        ),
        (a_candidate(an_intent(stop="101")), a_book(), "bracket_in_order", "101/100/100/103", None),
        (a_candidate(an_intent(stop="100")), a_book(), "bracket_in_order", "100/100/100/103", None),
        (a_candidate(an_intent(target="99")), a_book(), "bracket_in_order", "98/100/100/99", None),
        (a_candidate(an_intent(worst="99")), a_book(), "bracket_in_order", "98/100/99/103", None),
        (a_candidate(an_intent(worst="104")), a_book(), "bracket_in_order", "98/100/104/103", None),
        (a_candidate(market="105.3"), a_book(), "price_near_market", "100", "105.3"),
        (a_candidate(an_intent(worst="102"), market="97.1"), a_book(), "price_near_market", "102", "97.1"),
        (a_candidate(an_intent(side="sell", stop="102", target="97")), a_book(), "position_long", "sell", "buy"),
        (a_candidate(), a_book(held=(("grid", "ADA/USDT", "5"),)), "symbol_not_taken", "grid", "trend"),
        (
            a_candidate(),
            a_book("1000", held=(("trend", "BTC/USDT", "50"), ("trend", "ETH/USDT", "50"))),
            "positions_open_within_limit",
            "3",
            "2",
        ),
        (a_candidate(), a_book(entries=10), "entries_today_within_limit", "11", "10"),
        (a_candidate(), a_book("1980", day_start="2000"), "daily_loss_within_limit", "20", "20"),
        (a_candidate(), a_book("50"), "position_size_within_limit", "11", "5"),
        (
            a_candidate(),
            a_book(held=(("trend", "ADA/USDT", "195"),)),
            "position_size_within_limit",
            "206",
            "200",
        ),
        (
            a_candidate(),
            a_book(held=(("trend", "BTC/USDT", "595"),)),
            "exposure_total_within_limit",
            "606.0209",
            "600",
        ),
        (a_candidate(), a_book(free="409"), "reserve_cash_kept", "11.0209", "9"),
        (a_candidate(), a_book(free="100"), "reserve_cash_kept", "11.0209", "-300"),
        (
            a_candidate(an_intent(stop="50", target="200", risk="0.001")),
            a_book(),
            "risk_per_trade_within_limit",
            "10.038",
            "2",
        ),
        (a_candidate(notional_min="300"), a_book(), "position_size_within_limit", "307", "200"),
    ],
)
def test_a_refusal_names_its_rule(candidate: Candidate, book: Book, rule: str, value: str, limit: str | None) -> None:
    """One rule, the number it saw and the limit; an order is refused for its size only when the least there is is."""
    refusal = refused(judged(candidate, book, SMALL))
    assert (refusal.rule, refusal.value) == (rule, value)
    assert limit is None or refusal.limit == limit


def test_targets_leave_with_no_more_than_there_is() -> None:
    """Two targets for the whole position each are refused."""
    half = (Target(Decimal(103), Decimal(1)), Target(Decimal(104), Decimal("0.1")))
    refusal = refused(judged(a_candidate(msgspec.structs.replace(an_intent(), targets=half)), a_book(), SMALL))
    assert (refusal.rule, refusal.value, refusal.limit) == ("bracket_in_order", "1.1", "1")


def test_the_owner_of_a_symbol_may_enter_again() -> None:
    """What a strategy holds counts towards its position, and is no second one."""
    held = (("trend", "ADA/USDT", "50"), ("trend", "BTC/USDT", "50"), ("trend", "ETH/USDT", "50"))
    verdict = sized(judged(a_candidate(), a_book(held=held), SMALL))
    assert verdict.notional_quote == 150


def test_every_rule_has_a_name_of_its_own() -> None:
    """The name in a refusal leads to one function."""
    names = [rule.__name__ for rule in (*RULES, *CAPS)]
    allowances = [cap(a_candidate(), a_book(), SMALL, Decimal(0)).rule for cap in CAPS]
    assert len({*names, GATE_RULE}) == len(names) + 1
    assert allowances == [cap.__name__ for cap in CAPS]


def hundredths(least: int, most: int) -> st.SearchStrategy[Decimal]:
    """Draw amounts with two places."""
    return st.integers(min_value=least * 100, max_value=most * 100).map(lambda count: Decimal(count) / 100)


def bps(least: int, most: int) -> st.SearchStrategy[Decimal]:
    """Draw fractions in whole basis points."""
    return st.integers(min_value=least, max_value=most).map(lambda count: Decimal(count) / 10_000)


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """Draw an entry whose prices are in order; often one that is worth its costs at some sizes only."""
    entry, stop = draw(hundredths(1, 1_000)), draw(bps(1, 300))
    gain = draw(bps(30, 45) | bps(1, 500))
    step = draw(st.sampled_from(["0.00001", "0.001", "0.1", "1", "0.3"]))
    prices = [f"{price:f}" for price in (entry, entry * (1 - stop), entry * (1 + gain))]
    intent = an_intent(entry=prices[0], stop=prices[1], target=prices[2], risk=f"{draw(bps(10, 200)):f}")
    return a_candidate(intent, step=step, quantity_min=step)


@st.composite
def books(draw: st.DrawFn) -> Book:
    """Draw an account that may well enter something."""
    equity = draw(hundredths(100, 30_000))
    worth = st.tuples(st.sampled_from(["trend"] * 9 + ["grid"]), st.sampled_from(["ADA/USDT", "BTC/USDT", "ETH/USDT"]))
    held = [(*owned, str(draw(hundredths(0, 100)))) for owned in draw(st.lists(worth, max_size=2))]
    return a_book(
        str(equity),
        free=str(equity * draw(bps(3_000, 10_000))),
        held=tuple(held),
        entries=draw(st.integers(min_value=0, max_value=3)),
        is_recovering=draw(st.booleans()),
        day_start=str(equity * draw(bps(9_900, 10_150))),
    )


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Draw limits."""
    return Limits(
        risk_per_trade_fraction=draw(bps(10, 500)),
        order_fraction=draw(bps(50, 2_500)),
        order_quote_max=draw(hundredths(5, 2_000)),
        position_fraction=draw(bps(50, 2_500)),
        position_quote_max=draw(hundredths(10, 10_000)),
        exposure_fraction=draw(bps(200, 10_000)),
        reserve_cash_fraction=draw(bps(100, 9_000)),
        positions_max=draw(st.integers(min_value=1, max_value=5)),
        entries_per_day_max=draw(st.integers(min_value=2, max_value=12)),
        daily_loss_breaker_fraction=draw(bps(50, 2_000)),
        daily_loss_is_by_size=draw(st.booleans()),
    )


def looser(one: Limits, other: Limits) -> Limits:
    """Return limits of which each is the looser of two."""
    looked_at = {
        name: (min if name in {"reserve_cash_fraction", "daily_loss_is_by_size"} else max)(
            getattr(one, name), getattr(other, name)
        )
        for name in Limits.__struct_fields__
    }
    return Limits(**looked_at)


@given(candidates(), books(), limits(), limits())
def test_a_looser_limit_refuses_nothing_more(candidate: Candidate, book: Book, one: Limits, other: Limits) -> None:
    """What stricter limits allowed, looser ones allow as well."""
    if isinstance(judged(candidate, book, one), Sized):
        sized(judged(candidate, book, looser(one, other)))


@given(candidates(), books(), limits())
def test_no_cap_is_exceeded(candidate: Candidate, book: Book, held_to: Limits) -> None:
    """Rounded to whole steps an order keeps every cap, at the costs of its own size, and is worth them."""
    verdict = judged(candidate, book, held_to)
    if not isinstance(verdict, Sized):
        assert refused(verdict).rule in {*(rule.__name__ for rule in (*RULES, *CAPS)), GATE_RULE}
        return
    size, costs = verdict.notional_quote, candidate.costs
    assert verdict.quantity % candidate.lot.step == 0
    assert size == verdict.quantity * candidate.entry_price
    assert verdict.quantity * candidate.stop_price >= 10
    cost = round_trip_fraction(size, tier_of(size, costs), costs)
    for cap in CAPS:
        assert size <= cap(candidate, book, held_to, cost).room_quote + Decimal("1e-20")
    assert verdict.net_quote >= max(Decimal("0.15"), size * Decimal("0.0012")) - Decimal("1e-9")
    assert verdict.risk_quote <= book.equity_quote * held_to.risk_per_trade_fraction + Decimal("1e-20")


@given(candidates(), books(), limits(), hundredths(1, 50_000))
def test_the_impact_on_a_thin_market_is_counted(
    candidate: Candidate, book: Book, held_to: Limits, volume: Decimal
) -> None:
    """With a measured impact the risk of a trade is kept as well."""
    impact = Impact(Decimal("0.05"), volume, Decimal("0.5"))
    costs = cost_terms(fee_rates(WITHOUT_BNB, DAY, Decimal), Decimal, impact=impact)
    verdict = judged(msgspec.structs.replace(candidate, costs=costs), book, held_to)
    if isinstance(verdict, Sized):
        assert verdict.risk_quote <= book.equity_quote * held_to.risk_per_trade_fraction + Decimal("1e-20")
