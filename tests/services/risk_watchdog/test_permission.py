"""What the lease says: the strictest of all conditions, each with its reason."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.control import (
    AskLimits,
    ControlDone,
    ControlRefused,
    LimitsAnswered,
    PauseEntries,
    ResumeEntries,
)
from proto.envelope import Body
from proto.orders import ConditionCleared, ConditionSet
from proto.risk import CONDITIONS_MAX, Condition, Everything, LimitUse, OfStrategy, OfSymbol, Scope
from proto.verdicts import EntriesPaused, EntriesResumed
from services.risk_watchdog.core.control import PAUSES_MAX
from services.risk_watchdog.core.standing import COUNTS_FROM_NOTHING
from shared.core.service import JournalRoom, Recorded, RecordsLost, Restored, Stalled, Started, ToldOfLoss
from tests.services.risk_watchdog.bench import NOON_NS, SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import BEAT, GREETING, Scene, a_reading

ADA = OfSymbol("ADA/USDT")


def pause(scene: Scene, scope: Scope, actor: str = "ada") -> ControlDone | ControlRefused:
    """Tell risk to pause."""
    return told(scene, PauseEntries(actor, "it rains", scope))


def resume(scene: Scene, scope: Scope) -> ControlDone | ControlRefused:
    """Tell risk to resume."""
    return told(scene, ResumeEntries("ben", "the sun shines", scope))


def told(scene: Scene, act: PauseEntries | ResumeEntries) -> ControlDone | ControlRefused:
    """Tell risk something, and return its answer."""
    answer = scene.bench.ask(act, instance="operator")
    assert isinstance(answer, ControlDone | ControlRefused)
    return answer


def test_lease_says_run_when_nothing_stands_against_it(scene: Scene) -> None:
    """It answers the number that was asked, in our epoch."""
    lease = scene.bench.lease()
    assert (lease.number, lease.risk_epoch, lease.permission, lease.conditions) == (1, 1, "RUN", ())


def test_nothing_is_allowed_before_the_account_is_known() -> None:
    """Two readings, of which one may have begun before we did, and a day: until then entries are refused."""
    scene = Scene(Bench())
    scene.bench.start()
    assert scene.bench.against() == {"equity_unknown": "the executor has not read the account twice yet"}
    scene.executor.reads()
    assert scene.bench.lease().permission == "REDUCE_ONLY"
    scene.executor.reads()
    assert scene.bench.lease().permission == "RUN"


def test_account_that_is_read_no_more_is_unknown(scene: Scene) -> None:
    """Fifteen seconds after it was last read nobody knows the equity."""
    scene.bench.wait(15)
    assert "equity_unknown" not in scene.bench.against()
    scene.bench.wait(1)
    assert scene.bench.against()["equity_unknown"] == "the account was last told 16 s ago: not read, or unpriced"


def test_account_in_another_money_is_unknown() -> None:
    """A reading that counts in another asset than the limits do is none."""
    scene = Scene(Bench())
    scene.bench.start()
    for number in (1, 2, 3):
        scene.executor.says(a_reading(number, quote_asset="EUR", venue_time_ns=NOON_NS))
    assert "equity_unknown" in scene.bench.against()


@pytest.mark.parametrize(
    ("scope", "strategy", "symbol"),
    [(Everything(), "trend", "ADA/USDT"), (ADA, "trend", "ADA/USDT"), (OfStrategy("trend"), "trend", "ADA/USDT")],
)
def test_pause_refuses_entries_of_its_scope(scene: Scene, scope: Scope, strategy: str, symbol: str) -> None:
    """A pause is written down and survives a restart; what lies outside it goes on; resuming lifts it."""
    bench = scene.bench
    assert isinstance(pause(scene, scope), ControlDone)
    assert bench.written(EntriesPaused) == [EntriesPaused(scope, "ada", "it rains")]
    bench.start()
    scene.speak()
    refusal = bench.refusal(a_wish(1, symbol, strategy=strategy))
    assert (refusal.rule, refusal.value, refusal.reason) == (
        "permission_is_run",
        "REDUCE_ONLY",
        "paused: ada: it rains",
    )
    is_everything = isinstance(scope, Everything)
    assert bench.lease().permission == ("REDUCE_ONLY" if is_everything else "RUN")
    if not is_everything:
        bench.approved(a_wish(2, "BTC/USDT", strategy="other"))
    assert isinstance(resume(scene, scope), ControlDone)
    assert bench.written(EntriesResumed) == [EntriesResumed(scope, "ben", "the sun shines")]
    bench.approved(a_wish(3, symbol, strategy=strategy))


def test_resuming_lifts_its_own_scope_alone(scene: Scene) -> None:
    """Who resumes a symbol does not resume everything, and one resumption lifts the pauses of all who paused there."""
    for actor, scope in (("ada", Everything()), ("ben", Everything()), ("ada", ADA)):
        pause(scene, scope, actor)
    resume(scene, ADA)
    assert [condition.reason for condition in scene.bench.lease().conditions] == ["ada: it rains", "ben: it rains"]
    resume(scene, Everything())
    assert scene.bench.lease().permission == "RUN"


def test_nothing_is_resumed_that_is_not_paused(scene: Scene) -> None:
    """The refusal says what is paused."""
    pause(scene, ADA)
    refusal = resume(scene, Everything())
    assert isinstance(refusal, ControlRefused)
    assert (refusal.rule, refusal.reason) == ("scope_is_paused", "everything is not paused; paused is: ADA/USDT")


def test_a_strategy_that_is_none_is_not_paused(scene: Scene) -> None:
    """A name that was mistyped would stop nothing: the refusal says which there are."""
    refusal = pause(scene, OfStrategy("tend"))
    assert isinstance(refusal, ControlRefused)
    assert (refusal.rule, refusal.reason) == ("strategy_runs", "there is no strategy tend here; there are trend")
    assert not scene.bench.written(EntriesPaused)


def test_pauses_are_bounded(scene: Scene) -> None:
    """Where hundreds have paused scopes one by one, the next is told to pause everything, which is always possible."""
    for number in range(PAUSES_MAX):
        pause(scene, OfStrategy("trend"), f"actor {number}")
    refusal = pause(scene, ADA)
    assert isinstance(refusal, ControlRefused)
    assert refusal.rule == "pauses_within_limit"
    assert isinstance(pause(scene, OfStrategy("trend"), "actor 7"), ControlDone)
    assert isinstance(pause(scene, Everything()), ControlDone)


def test_act_without_room_was_not_done(scene: Scene) -> None:
    """The operator is told so, and what to do."""
    scene.bench.has_room = False
    refusal = pause(scene, ADA)
    assert isinstance(refusal, ControlRefused)
    assert (refusal.rule, "make room" in refusal.reason) == ("journal_has_room", True)
    assert not scene.bench.written(EntriesPaused)


def test_full_journal_lets_entries_wait(scene: Scene) -> None:
    """While only what reduces risk can be written down, nothing is entered; with room again it is."""
    scene.bench.handle(JournalRoom(for_everything=False))
    assert list(scene.bench.against()) == ["journal_full"]
    scene.bench.handle(JournalRoom(for_everything=True))
    assert scene.bench.lease().permission == "RUN"


def test_trouble_of_the_start_waits_for_an_operator() -> None:
    """What the start found wrong pauses all entries, at once and in every further life, until somebody resumes them."""
    scene = Scene(Bench())
    scene.bench.start("crash loop")
    scene.speak()
    assert scene.bench.against() == {"paused": "crash loop"}
    scene.bench.tick()
    assert scene.bench.written(EntriesPaused) == [EntriesPaused(Everything(), "risk", "crash loop")]
    scene.begin()
    assert scene.bench.against() == {"paused": "risk: crash loop"}
    resume(scene, Everything())
    scene.begin()
    assert scene.bench.lease().permission == "RUN"


def test_hole_in_our_journal_waits_for_an_operator(scene: Scene) -> None:
    """It is said at every start until the state is beyond it, and pauses entries once."""
    bench = scene.bench
    for paused in (True, False):
        bench.core = bench.another()
        bench.core.handle(Restored(bench.core.state()), bench.now)
        bench.core.handle(RecordsLost(5, "a lost tail"), bench.now)
        for envelope in bench.records:
            bench.core.handle(Recorded(envelope), bench.now)
        bench.handle(Started("risk", 3, 2, ()))
        scene.speak()
        bench.tick()
        assert bool(bench.against()) is paused
        if paused:
            resume(scene, Everything())
    assert [one.actor for one in bench.written(EntriesPaused)] == ["risk"]


def test_hole_in_the_executor_s_journal_waits_for_an_operator(scene: Scene) -> None:
    """The executor's reports are read anew in every life, and a hole that somebody has looked at pauses no more."""
    bench = scene.bench
    bench.handle(ToldOfLoss("executor", 9))
    bench.tick()
    assert bench.against() == {"paused": "risk: the executor's journal has a hole: look at its positions"}
    resume(scene, Everything())
    scene.begin()
    bench.handle(ToldOfLoss("executor", 9))
    assert bench.lease().permission == "RUN"


def test_pause_of_our_own_is_written_when_there_is_room(scene: Scene) -> None:
    """Not even the reserve has room for it: it stands all the same, and is written down later."""
    bench = scene.bench
    bench.has_room = False
    bench.handle(ToldOfLoss("executor", 9))
    scene.pass_time(2)
    assert (set(bench.against()), bench.written(EntriesPaused)) == ({"paused", "journal_full"}, [])
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    bench.tick()
    assert len(bench.written(EntriesPaused)) == 1


def test_silent_executor_is_a_condition_after_a_minute(scene: Scene) -> None:
    """For a minute it may come back by itself; what it says then ends its silence."""
    bench = scene.bench
    bench.start(lives_ns=0)
    bench.wait(75)
    assert "executor_silent" not in bench.against()  # it had fifteen seconds to start
    bench.wait(1)
    assert "executor_silent" in bench.against()
    scene.speak()
    assert bench.lease().permission == "RUN"


@pytest.mark.parametrize("seconds", [86_410, 90_000])
def test_silence_of_more_than_a_day_is_one(scene: Scene, seconds: int) -> None:
    """A day and ten seconds are no ten seconds, which they are to whoever forgets the days of a difference."""
    scene.bench.wait(seconds)
    assert "executor_silent" in scene.bench.against()


def test_our_own_standstill_is_nobody_s_silence(scene: Scene) -> None:
    """After we stood still the executor has its minute anew."""
    scene.bench.wait(80)
    scene.bench.handle(Stalled(80 * SECOND_NS))
    assert "executor_silent" not in scene.bench.against()


def test_booting_executor_has_time_and_an_orderly_end_is_no_silence(scene: Scene) -> None:
    """Who says that it boots has fifteen seconds more; who was told to stop is not missed."""
    bench, executor = scene.bench, scene.executor
    bench.wait(30)
    executor.beats(state="booting")
    bench.wait(75)
    assert "executor_silent" not in bench.against()
    executor.beats(state="draining")
    bench.wait(3_600)
    assert "executor_silent" not in bench.against()


def test_executor_that_dies_again_and_again_enters_nothing(scene: Scene) -> None:
    """Three lives that ended without an orderly stop within a minute; a minute later they are forgotten."""
    executor = scene.executor
    for _ in range(3):
        assert "executor_crash_loop" not in scene.bench.against()
        executor.epoch += 1
        executor.beats()
        scene.pass_time(5)
    assert "executor_crash_loop" in scene.bench.against()
    scene.pass_time(60)
    assert scene.bench.lease().permission == "RUN"


def test_lives_too_short_to_be_heard_of_are_deaths(scene: Scene) -> None:
    """Whoever dies faster than it can be heard shows in its epoch that it did."""
    scene.executor.epoch += 3
    scene.executor.beats()
    assert "executor_crash_loop" in scene.bench.against()


def test_orderly_restarts_are_no_crash_loop(scene: Scene) -> None:
    """Who said that it stops has not died."""
    executor = scene.executor
    for _ in range(4):
        executor.beats(state="draining")
        executor.epoch += 1
        executor.beats()
    assert scene.bench.lease().permission == "RUN"


def test_words_of_a_life_that_is_over_count_for_nothing(scene: Scene) -> None:
    """A heartbeat of an earlier epoch that comes late neither moves nor differs."""
    executor = scene.executor
    executor.epoch = 2
    executor.beats()
    executor.epoch = 1
    executor.beats(state="draining", money_config_digest="0" * 64)
    assert scene.bench.lease().permission == "RUN"
    scene.bench.approved(a_wish())


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (replace(GREETING, build_id="another"), "restart all: executor runs other sources than risk"),
        (replace(GREETING, schema_digest="0" * 64), "restart all: executor has other messages than risk"),
        (replace(BEAT, money_config_digest="0" * 64), "restart all: executor has other settings of money than risk"),
    ],
)
def test_peer_that_is_not_like_us_enters_nothing(scene: Scene, what: Body, reason: str) -> None:
    """Whoever was started from other sources, messages or settings may mean something else by the same words."""
    scene.executor.says(what)
    assert scene.bench.against() == {"unlike_peer": reason}
    scene.executor.says(GREETING)
    scene.executor.beats()
    assert scene.bench.lease().permission == "RUN"


def test_feed_is_a_peer_as_well(scene: Scene) -> None:
    """Prices of another configuration may be another venue's."""
    scene.feed.says(replace(BEAT, money_config_digest="0" * 64))
    assert scene.bench.against() == {"unlike_peer": "restart all: feed has other settings of money than risk"}


def test_executor_s_own_conditions_are_ours(scene: Scene) -> None:
    """What the executor has to be cleared of is no secret: a strategy is refused here already."""
    condition = Condition("outside_activity", ADA, "REDUCE_ONLY", "a trade by another hand")
    scene.executor.tells(ConditionSet(condition))
    assert scene.bench.lease().conditions == (condition,)
    assert scene.bench.refusal(a_wish(1)).reason == "outside_activity: a trade by another hand"
    scene.executor.tells(ConditionCleared("outside_activity", ADA, "ada", "it was me"))
    scene.bench.approved(a_wish(2))


def test_too_many_conditions_are_one_for_everything(scene: Scene) -> None:
    """Where they are more than a message carries, the last one stands for the rest, everywhere."""
    for number in range(CONDITIONS_MAX + 1):
        pause(scene, OfStrategy("trend"), f"actor {number}")
    lease = scene.bench.lease()
    assert len(lease.conditions) == CONDITIONS_MAX
    assert (lease.permission, lease.conditions[-1].reason) == ("REDUCE_ONLY", "2 further reasons")


def test_snapshot_says_how_everything_stands(scene: Scene) -> None:
    """Once a second: equity, its peak and the day's, what is held and reserved, and each limit with its use."""
    bench, executor = scene.bench, scene.executor
    executor.reads("10400")
    executor.holds("ADA/USDT", "2")
    approval = bench.approved(a_wish(symbol="BTC/USDT"))
    executor.reads("9880")
    said = bench.said()
    assert (said.permission, said.latch_id) == ("RUN", None)
    assert (said.equity_quote, said.equity_day_start_quote, said.day_pnl_quote) == (
        Decimal(9_880),
        Decimal(10_000),
        Decimal(-120),
    )
    assert (said.equity_peak_quote, said.drawdown_fraction) == (Decimal(10_400), Decimal("0.05"))
    assert (said.exposure_quote, said.entries_today) == (200 + approval.reserved_quote, 1)
    assert set(said.limits) == {
        LimitUse(
            "exposure_total_within_limit",
            Everything(),
            200 + approval.reserved_quote,
            Decimal("2964.00000000"),
            "USDT",
            None,
        ),
        LimitUse("positions_open_within_limit", Everything(), Decimal(2), Decimal(3), "positions", None),
        LimitUse("entries_today_within_limit", Everything(), Decimal(1), Decimal(10), "entries", None),
        *(
            LimitUse(name, Everything(), None, None, "USDT", COUNTS_FROM_NOTHING)
            for name in ("daily_loss_within_limit", "drawdown_kill", "daily_loss_kill")
        ),
        LimitUse("position_size_within_limit", ADA, Decimal(200), Decimal(988), "USDT", None),
        LimitUse(
            "position_size_within_limit", OfSymbol("BTC/USDT"), approval.reserved_quote, Decimal(988), "USDT", None
        ),
    }
    assert bench.ask(AskLimits("ada"), instance="operator") == LimitsAnswered(said.limits)


def test_limits_of_an_account_that_is_not_known_say_so(guarded: Scene) -> None:
    """No row is missing: what equity decides is unknown, and why is said; what does not rest on it is known."""
    guarded.executor.holds("ADA/USDT", "2")
    known = {use.name: use for use in guarded.bench.said().limits}
    assert all(use.unknown is None for use in known.values())
    guarded.bench.wait(20)
    guarded.bench.tick()
    unknown = {use.name: use for use in guarded.bench.said().limits}
    assert unknown.keys() == known.keys()
    of_equity = (
        "exposure_total_within_limit",
        "daily_loss_within_limit",
        "drawdown_kill",
        "position_size_within_limit",
    )
    for name in of_equity:
        assert "the account was last told" in (unknown[name].unknown or ""), name
        assert None in {unknown[name].used, unknown[name].limit}
    assert unknown["drawdown_kill"].limit == known["drawdown_kill"].limit
    assert unknown["positions_open_within_limit"] == known["positions_open_within_limit"]
