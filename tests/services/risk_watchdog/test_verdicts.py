"""What becomes of an intent: its verdict is written down, answered, and stays."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from proto.intents import StopCover, Target, WatchCover
from proto.market import SymbolDoubted
from proto.streams import RequestRefused
from proto.verdicts import IntentApproved, IntentJudged, IntentRefused
from services.risk_watchdog.core.judge import UNHEARD
from shared.core.continuity import Broken
from shared.core.service import Answer, Ask, Asked, JournalRoom, Stalled, Watched
from shared.risk.book import NOTHING
from tests.services.risk_watchdog.bench import SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene
from tests.shared.risk.asked import an_intent
from tests.shared.trading.terms import WITH_BNB


def test_verdict_is_written_down_before_anybody_hears_of_it(scene: Scene) -> None:
    """First stands the record, then the executor is asked, then the strategy is answered: all name one approval."""
    bench = scene.bench
    bench.done.clear()
    approval = bench.approved(a_wish())
    kinds = [type(getattr(one, "body", one)) for one in bench.done if not isinstance(one, Ask)]
    assert kinds[0] is IntentJudged
    (ask,) = bench.of(Ask)
    assert (ask.instance, ask.ask_id, ask.cause_id, ask.body) == (
        "executor",
        approval.approval_id,
        a_wish().intent_id,
        approval,
    )
    assert bench.done.index(ask) < bench.done.index(bench.of(Answer)[-1])
    assert bench.of(Answer)[-1].body == IntentApproved(a_wish().intent_id, approval.approval_id, approval.quantity_max)
    assert bench.records[-1].cause_id == a_wish().intent_id


def test_approval_is_bounded(scene: Scene) -> None:
    """It carries what was asked for, within a quantity, a band of prices, two deadlines and our epoch."""
    bench, wish = scene.bench, replace(a_wish(), work_for_ns=30 * SECOND_NS)
    approval = bench.approved(wish)
    assert (approval.strategy, approval.symbol, approval.side) == ("trend", "ADA/USDT", "buy")
    assert (approval.cover, approval.targets, approval.trail_distance) == (wish.cover, wish.targets, None)
    assert (approval.price_low, approval.decision_price, approval.price_high) == (
        Decimal(98),
        Decimal(100),
        Decimal(100),
    )
    assert approval.start_by_boot_ns == bench.now.boot_ns + 2 * SECOND_NS
    assert approval.work_until_boot_ns == bench.now.boot_ns + 30 * SECOND_NS
    assert approval.risk_epoch == 1
    assert 0 < approval.quantity_max * 100 < approval.reserved_quote < 502
    judged = bench.written(IntentJudged)[-1]
    assert (judged.equity_quote, judged.exposure_quote, judged.entries_today) == (Decimal(10_000), NOTHING, 0)


@pytest.mark.parametrize(("wanted_s", "given_s"), [(0, 2), (86_400, 600)])
def test_work_is_neither_shorter_than_the_beginning_nor_endless(scene: Scene, wanted_s: int, given_s: int) -> None:
    """Whatever is asked for, there is time to begin, and no entry is worked for hours."""
    approval = scene.bench.approved(replace(a_wish(), work_for_ns=wanted_s * SECOND_NS))
    assert approval.work_until_boot_ns == scene.bench.now.boot_ns + given_s * SECOND_NS


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"cover": WatchCover(Decimal(97))}, "cover_is_a_stop"),
        ({"trail_distance": Decimal(2)}, "stop_stays_where_it_is"),
    ],
)
def test_what_nobody_would_do_is_not_approved(scene: Scene, changes: dict[str, object], rule: str) -> None:
    """A watched level or a stop that trails is refused with its reason, and takes none of the day's entries."""
    assert scene.bench.refusal(replace(a_wish(), **changes)).rule == rule
    scene.bench.approved(a_wish(1))
    assert scene.bench.written(IntentJudged)[-1].entries_today == 0


def test_asked_twice_is_asked_once(scene: Scene) -> None:
    """The same intent has the same answer, one record, and one place among today's entries."""
    bench = scene.bench
    first = bench.enter(a_wish())
    assert bench.enter(a_wish()) == first
    assert bench.enter(replace(a_wish(), decision_price=Decimal("99.5"))) == first
    assert len(bench.written(IntentJudged)) == 1
    assert len(bench.asks()) == 1


def test_refusal_stays(scene: Scene) -> None:
    """What was refused once is refused with the same words, also when nothing stands against it any more."""
    bench = scene.bench
    bench.wait(3)
    refusal = bench.refusal(a_wish())
    assert (refusal.rule, len(bench.written(IntentJudged))) == ("executor_moves", 1)
    scene.speak()
    assert bench.refusal(a_wish()) == refusal
    bench.start()
    assert bench.refusal(a_wish()) == refusal
    assert not bench.asks()


def test_next_life_answers_from_the_journal(scene: Scene) -> None:
    """Killed behind its record, risk gives the same approval, and hands that one to the executor as well."""
    bench = scene.bench
    approval = bench.approved(a_wish())
    bench.start(lives_ns=0)
    answer = bench.enter(a_wish())
    assert answer == IntentApproved(a_wish().intent_id, approval.approval_id, approval.quantity_max)
    bench.tick()
    assert bench.asks() == [approval.approval_id, approval.approval_id]
    assert [ask.body for ask in bench.of(Ask)] == [approval, approval]


def test_approval_that_expired_unworked_is_a_refusal(scene: Scene) -> None:
    """Behind its time an approval of which nothing came is refused by a rule that says so, and never given again."""
    bench = scene.bench
    approval = bench.approved(a_wish())
    bench.wait(2.1)
    refusal = bench.refusal(a_wish())
    assert (refusal.rule, refusal.value) == ("approval_used_in_time", approval.approval_id)
    scene.pass_time(1)
    assert bench.refusal(a_wish()).reason.endswith("it expired before the executor began with it")
    bench.start()
    assert bench.refusal(a_wish()).rule == "approval_used_in_time"
    assert len(bench.written(IntentJudged)) == 1


def test_approval_that_is_worked_stands(scene: Scene) -> None:
    """Behind its time, and behind its end, an entry that came to something was approved."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    executor.opens(approval)
    bench.wait(5)
    assert isinstance(bench.enter(a_wish()), IntentApproved)
    executor.ends(approval, "2.5")
    assert isinstance(bench.enter(a_wish()), IntentApproved)
    bench.start()
    assert isinstance(bench.enter(a_wish()), IntentApproved)


def test_full_journal_refuses_and_remembers_nothing() -> None:
    """Without room there is no verdict: the request was not handled, and can be asked when there is room again."""
    scene = Scene(Bench())
    scene.begin()
    bench = scene.bench
    bench.has_room = False
    answer = bench.ask(a_wish())
    assert isinstance(answer, RequestRefused)
    assert answer.rule == "journal_has_room"
    assert (bench.written(IntentJudged), bench.asks()) == ([], [])
    bench.tick()
    assert bench.against() == {"journal_full": "the disk of risk's journal is nearly full"}
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    scene.speak()
    bench.approved(a_wish())


@pytest.mark.parametrize(
    ("rule", "symbol"), [("prices_are_good", "BTC/USDT"), ("prices_are_good", "XRP/USDT"), ("instrument_is_known", "")]
)
def test_what_is_not_known_is_not_entered(rule: str, symbol: str) -> None:
    """Without a price of the symbol, or its steps, or where it is doubted, an entry is refused."""
    scene = Scene(Bench())
    scene.begin()
    scene.feed.tells("BTC/USDT", "trust", SymbolDoubted("BTC/USDT", ("spike",)))
    if not symbol:
        symbol = "SOL/USDT"
        scene.feed.trusts(symbol)
    assert scene.bench.refusal(a_wish(symbol=symbol)).rule == rule


def test_nothing_is_refused_for_want_of_a_hearing_right_after_the_start() -> None:
    """For three seconds an intent goes unanswered that may yet be judged; asked again, it is."""
    bench = Bench()
    bench.start(lives_ns=0)
    bench.handle(Asked("strategy", bench.envelope(a_wish(), sender="strategy")))
    assert not bench.of(Answer)
    assert not bench.written(IntentJudged)
    bench.wait(2)
    Scene(bench).speak()
    assert isinstance(bench.enter(a_wish()), IntentApproved)
    bench.start(lives_ns=0)
    bench.wait(3)
    assert bench.refusal(a_wish(1)).rule in UNHEARD


def test_old_price_is_none(scene: Scene) -> None:
    """When the feed falls silent or its stream breaks, nothing is entered at its last price."""
    scene.feed.trusts("BTC/USDT")
    scene.bench.wait(2.1)
    scene.executor.beats()
    assert "is 2.1 s old" in scene.bench.refusal(a_wish(1)).reason
    scene.feed.trusts()
    scene.bench.handle(Watched("feed", [Broken(b"binance/ADA/USDT/quotes", "gap")]))
    assert "no quote of ADA/USDT" in scene.bench.refusal(a_wish(2)).reason


def test_executor_that_is_not_heard_is_handed_nothing(scene: Scene) -> None:
    """A second and a half without progress, or any state but running, and nothing is approved."""
    bench, executor = scene.bench, scene.executor
    scene.feed.trusts()
    bench.wait(1.4)
    bench.approved(a_wish(1))
    bench.wait(0.2)
    assert bench.refusal(a_wish(2)).rule == "executor_moves"
    executor.beats(state="booting")
    assert bench.refusal(a_wish(3)).rule == "executor_moves"
    executor.beats()
    bench.approved(a_wish(4, "BTC/USDT"))


def test_heartbeat_without_progress_is_silence(scene: Scene) -> None:
    """A loop that says again and again that it has handled as much as before does not move."""
    for _ in range(4):
        scene.bench.wait(0.5)
        scene.executor.beats(handled=1)
    assert scene.bench.refusal(a_wish()).rule == "executor_moves"


def test_positions_are_read_before_anything_is_approved(scene: Scene) -> None:
    """While reports are missing that a heartbeat has announced, nobody knows what is held."""
    bench, executor = scene.bench, scene.executor
    executor.beats()
    envelope = executor.skipped()
    for _ in range(5):
        bench.wait(0.5)
        executor.beats()
        scene.feed.trusts()
    assert bench.refusal(a_wish(1)).rule == "positions_are_known"
    bench.handle(envelope)
    executor.beats()
    bench.approved(a_wish(2))


def test_stall_forgets_what_was_heard_before(scene: Scene) -> None:
    """After we stood still everybody has to be heard again, twice where one word may be an old one."""
    bench = scene.bench
    bench.wait(1.2)
    bench.handle(Stalled(1_200_000_000))
    assert bench.refusal(a_wish(1)).rule == "permission_is_run"
    scene.executor.reads()
    scene.executor.reads()
    assert bench.refusal(a_wish(2)).rule == "executor_moves"
    scene.executor.beats()
    bench.approved(a_wish(3))


def test_rules_of_trading_are_asked(scene: Scene) -> None:
    """What the limits refuse is refused with the rule, the number it saw, and the limit."""
    refusal = scene.bench.refusal(replace(a_wish(), cover=StopCover(Decimal(101))))
    assert isinstance(refusal, IntentRefused)
    assert refusal.rule == "bracket_in_order"
    assert refusal.intent_id == a_wish().intent_id


def test_prices_of_another_market_are_refused(scene: Scene) -> None:
    """A wish at 1 where the market is at 100 takes neither money nor one of today's entries."""
    refusal = scene.bench.refusal(an_intent(entry="1", stop="0.98", target="1.03"))
    assert (refusal.rule, refusal.value, refusal.limit) == ("price_near_market", "1", "100.00")
    assert scene.bench.said().entries_today == 0


def test_a_quantity_that_no_message_carries_is_refused(scene: Scene) -> None:
    """Of a symbol whose price is next to nothing the size would have more digits than a quantity may."""
    scene.feed.trusts(bid=1e-20, ask=1e-20)
    refusal = scene.bench.refusal(an_intent(entry="1E-20", stop="9E-21", target="3E-20"))
    assert (refusal.rule, refusal.limit) == ("quantity_in_bounds", "1000000000000000000 in 36 digits")


@given(
    st.integers(min_value=1, max_value=9_999),
    st.integers(min_value=-24, max_value=10),
    st.integers(min_value=1, max_value=9_999),
    st.integers(min_value=0, max_value=600),
    st.integers(min_value=1, max_value=20_000),
)
def test_whatever_prices_an_intent_has_it_is_judged(
    digits: int, exponent: int, stop_bps: int, worst_bps: int, target_bps: int
) -> None:
    """No price ends risk, be it next to nothing or a whole treasury: there is a verdict, in writing."""
    scene = Scene(Bench())
    scene.begin()
    price = Decimal(f"{digits}E{exponent}")
    scene.feed.trusts(bid=float(price), ask=float(price))
    bps = Decimal("0.0001")
    stop, worst, target = (price * (1 + way * bps) for way in (-stop_bps, worst_bps, worst_bps + target_bps))
    wish = replace(
        an_intent(),
        decision_price=price,
        price_worst=worst,
        cover=StopCover(stop),
        targets=(Target(target, Decimal(1)),),
    )
    scene.bench.enter(wish)
    assert [judged.intent for judged in scene.bench.written(IntentJudged)] == [wish]


def test_costs_are_those_of_this_moment(scene: Scene) -> None:
    """The gate counts 10 bps a fill, with which no discount was ever configured, and the spread as it is now."""
    narrow = replace(an_intent(target="100.35"), intent_id="narrow")  # it would pay with fees in BNB
    assert scene.bench.refusal(narrow).rule == "profit_worth_its_costs"
    wide = an_intent(target="100.6")
    scene.feed.trusts(bid=99.8, ask=100.2)
    assert scene.bench.refusal(replace(wide, intent_id="wide")).rule == "profit_worth_its_costs"
    scene.feed.trusts()
    scene.bench.approved(replace(wide, intent_id="wide again"))


def test_fees_are_full_where_there_is_no_bnb_to_pay_them() -> None:
    """The discount is reckoned with only while the account has something to have it with."""
    scene = Scene(Bench(fees=WITH_BNB))
    scene.begin()
    narrow = an_intent(target="100.35")
    assert scene.bench.refusal(replace(narrow, intent_id="without")).rule == "profit_worth_its_costs"
    scene.executor.reads(bnb="0.01")
    scene.bench.approved(replace(narrow, intent_id="with"))


def test_approvals_are_never_named_alike(scene: Scene) -> None:
    """With every journal deleted, the same intent gets another approval, by which other orders are named."""
    first = scene.bench.approved(a_wish())
    afresh = Scene(Bench())
    afresh.bench.wait(0.001)
    afresh.begin()
    assert afresh.bench.approved(a_wish()).approval_id != first.approval_id
