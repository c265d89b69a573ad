"""What a person is told of the executor and of strategies: each occurrence once, in whichever life of risk."""

import pytest

from proto.orders import ConditionCleared, ConditionSet, FlatnessTold
from proto.risk import Condition, Everything, OfSymbol
from proto.verdicts import Alerted, KillLatched
from services.risk_watchdog.core.notices import KNOWN
from services.risk_watchdog.core.silence import SILENT_NS_MAX
from services.risk_watchdog.core.strategy_watch import SILENT_NS_MAX as STRATEGY_SILENT_NS_MAX
from shared.core.service import JournalRoom
from shared.execution.belonging import why_not_ours
from shared.execution.control import PAUSED
from tests.services.risk_watchdog.bench import SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene
from tests.services.risk_watchdog.test_latch import kill

ACTIVITY = Condition("outside_activity", Everything(), "REDUCE_ONLY", "10 USDT came or went")


def told(scene: Scene, name: str) -> list[tuple[str, str]]:
    """Return what a person was told under a name, and how loudly."""
    return [(alerted.level, alerted.text) for alerted in scene.bench.written(Alerted) if alerted.name == name]


def levels(scene: Scene, name: str) -> list[str]:
    """Return how loudly."""
    return [level for level, _ in told(scene, name)]


def lives_on(scene: Scene, *, state_after: int = 0) -> None:
    """Begin another life of risk, which reads everything again."""
    scene.bench.start(state_after=state_after)
    scene.executor.tells_all_again()
    scene.speak()
    scene.pass_time(1)


def dies_every(scene: Scene, seconds: float, *, times: int) -> None:
    """Have the executor die and come back so many times, and live for so long each time."""
    for _ in range(times):
        scene.executor.epoch += 1
        scene.executor.beats()
        scene.pass_time(seconds)


def test_condition_that_waits_for_somebody_wakes_him_once(scene: Scene) -> None:
    """Also over restarts of risk; set anew after it was resumed it is told anew."""
    bench, executor = scene.bench, scene.executor
    executor.tells(ConditionSet(ACTIVITY))
    scene.pass_time(5)
    words = "outside_activity of everything: 10 USDT came or went"
    assert told(scene, "executor-wary") == [("critical", words)]
    lives_on(scene)
    lives_on(scene, state_after=len(bench.records))
    assert levels(scene, "executor-wary") == ["critical"]
    executor.tells(ConditionCleared("outside_activity", Everything(), "ada", "it was me"))
    executor.tells(ConditionSet(ACTIVITY))
    scene.pass_time(1)
    assert levels(scene, "executor-wary") == ["critical"] * 2


def test_every_condition_is_told_by_itself(scene: Scene) -> None:
    """And of a symbol with the symbol."""
    scene.executor.tells(ConditionSet(ACTIVITY))
    scene.executor.tells(ConditionSet(Condition("troubled_start", OfSymbol("ADA/USDT"), "REDUCE_ONLY", "loops")))
    scene.pass_time(1)
    assert {text.partition(":")[0] for _, text in told(scene, "executor-wary")} == {
        "outside_activity of everything",
        "troubled_start of ADA/USDT",
    }


def test_condition_that_was_lifted_before_it_was_read_is_not_told(scene: Scene) -> None:
    """Risk reads the executor's journal from its first record: what is over there wakes nobody."""
    bench, executor = scene.bench, scene.executor
    bench.start()
    executor.tells(ConditionSet(ACTIVITY))
    bench.tick()
    executor.tells(ConditionCleared("outside_activity", Everything(), "ada", "it was me"))
    scene.speak()
    scene.pass_time(1)
    assert not told(scene, "executor-wary")


def test_books_of_another_account_stop_entries_until_the_executor_has_its_own(scene: Scene) -> None:
    """As the executor's heartbeat says it; each of its lives is told once, over restarts of risk. It ends by itself."""
    bench, executor = scene.bench, scene.executor
    trouble = why_not_ours("sim/simulated/main", "sim/official/main")
    assert trouble is not None
    troubles = "crash loop: three deaths within a minute", trouble

    def beats_on() -> None:
        for _ in range(3):
            executor.beats(troubles=troubles)
            bench.tick()

    beats_on()
    assert bench.lease().permission == "REDUCE_ONLY"
    assert bench.against()["books_of_another_account"].startswith("the journals in var are of sim/simulated/main")
    assert bench.refusal(a_wish()).rule == "permission_is_run"
    ((level, text),) = told(scene, "executor-wary")
    assert level == "critical"
    assert "Set paths.var_directory to a new directory" in text
    lives_on(scene, state_after=len(bench.records))
    beats_on()
    assert levels(scene, "executor-wary") == ["critical"]
    executor.epoch += 1
    beats_on()
    assert levels(scene, "executor-wary") == ["critical"] * 2
    executor.epoch += 1
    executor.beats(troubles=troubles[:1])
    assert "books_of_another_account" not in bench.against()
    scene.pass_time(1)
    assert levels(scene, "executor-wary") == ["critical"] * 2


def test_what_a_person_did_himself_wakes_nobody(scene: Scene) -> None:
    """Neither a pause that he asked of the executor, nor the latch, which has an alert of its own."""
    assert PAUSED in KNOWN
    scene.executor.tells(ConditionSet(Condition(PAUSED, Everything(), "REDUCE_ONLY", "ada: it rains")))
    kill(scene.bench)
    scene.executor.latches(scene.bench.written(KillLatched)[-1].latch)
    scene.pass_time(1)
    assert not told(scene, "executor-wary")


def test_executor_that_stays_away_wakes_somebody_long_before_the_latch(scene: Scene) -> None:
    """After a minute, once in however many lives of risk; that it works and stays is told too; the next time anew."""
    bench = scene.bench
    scene.pass_time(1)
    for _ in range(SILENT_NS_MAX // SECOND_NS):
        bench.wait(0.8)
        bench.tick()
    assert not told(scene, "executor-gone")
    bench.tick()
    words = "nothing is heard of the executor for over 60 s"
    assert told(scene, "executor-gone") == [("critical", words)]
    for state_after in (0, len(bench.records)):
        bench.start(state_after=state_after)
        for _ in range(90):
            bench.wait(0.8)
            bench.tick()
    assert levels(scene, "executor-gone") == ["critical"]
    lives_on(scene)
    scene.pass_time(58)
    assert levels(scene, "executor-gone") == ["critical"]
    scene.pass_time(2)
    assert levels(scene, "executor-gone") == ["critical", "info"]
    bench.wait(61)
    bench.tick()
    assert levels(scene, "executor-gone") == ["critical", "info", "critical"]


def test_executor_that_dies_again_and_again_wakes_somebody(scene: Scene) -> None:
    """Once, until it has lived for a minute in which nobody had to be told of it."""
    dies_every(scene, 5, times=5)
    scene.pass_time(35)
    assert told(scene, "executor-gone") == [("critical", "the executor has died three times within a minute")]
    scene.pass_time(70)
    assert levels(scene, "executor-gone") == ["critical", "info"]


@pytest.mark.parametrize("seconds", [22, 25, 28])
def test_executor_that_lives_for_half_a_minute_each_time_wakes_somebody_once(scene: Scene, seconds: float) -> None:
    """There are moments with two deaths within a minute between those with three: it has not come back in them."""
    dies_every(scene, seconds, times=6)
    assert levels(scene, "executor-gone") == ["critical"]
    dies_every(scene, 45, times=2)
    assert levels(scene, "executor-gone") == ["critical"]
    scene.pass_time(16)
    assert levels(scene, "executor-gone") == ["critical", "info"]


def test_executor_that_falls_silent_on_its_way_back_is_not_back(scene: Scene) -> None:
    """A minute with a silence in it, for which it is ended, is none that it worked."""
    dies_every(scene, 5, times=4)
    scene.pass_time(80)
    scene.bench.wait(10)
    scene.bench.tick()
    scene.pass_time(59)
    assert levels(scene, "executor-gone") == ["critical"]
    scene.pass_time(2)
    assert levels(scene, "executor-gone") == ["critical", "info"]


def test_mesh_that_never_had_an_executor_misses_none() -> None:
    """Whoever sets it up sits before it."""
    scene = Scene(Bench())
    scene.bench.start()
    for _ in range(90):
        scene.bench.wait(0.8)
        scene.bench.tick()
    assert not told(scene, "executor-gone")


def test_strategy_that_falls_silent_is_told_once(scene: Scene) -> None:
    """Over restarts of risk as well; that it works again is told, and the next time anew."""
    bench = scene.bench
    bench.wait(STRATEGY_SILENT_NS_MAX / SECOND_NS)
    bench.tick()
    words = "strategy makes no progress: trend enters nothing, and its stops stand"
    assert told(scene, "strategy-silent") == [("warning", words)]
    for state_after in (0, len(bench.records)):
        bench.start(state_after=state_after)
        bench.wait(30)
        bench.tick()
    assert levels(scene, "strategy-silent") == ["warning"]
    scene.strategy.beats()
    bench.tick()
    assert levels(scene, "strategy-silent") == ["warning", "info"]
    bench.wait(11)
    bench.tick()
    assert levels(scene, "strategy-silent") == ["warning", "info", "warning"]


@pytest.mark.parametrize(("reason", "words"), [("", ""), ("0.004 ADA is dust", "; 0.004 ADA is dust")])
def test_person_is_told_that_it_is_flat(scene: Scene, reason: str, words: str) -> None:
    """Once for each latch, in whichever life."""
    bench, executor = scene.bench, scene.executor
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    executor.latches(latch)
    scene.pass_time(1)
    assert not told(scene, "is-flat")
    executor.tells(FlatnessTold(latch.latch_id, is_flat=True, pass_number=1, reason=reason))
    scene.pass_time(1)
    flat = ("info", f"FLAT: everything is closed that {latch.latch_id} wants closed{words}")
    assert told(scene, "is-flat") == [flat]
    for state_after in (0, len(bench.records)):
        lives_on(scene, state_after=state_after)
    assert told(scene, "is-flat") == [flat]


def test_flat_is_told_again_where_it_was_told_meanwhile_that_it_is_not(scene: Scene) -> None:
    """Whoever was woken is told that it is over; a word between that nobody was told of changes nothing."""
    bench, executor = scene.bench, scene.executor
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    executor.latches(latch)
    executor.is_flat(latch.latch_id)
    scene.pass_time(1)
    for seconds, times in ((30, 1), (62, 2)):
        executor.is_flat(latch.latch_id, "ADA/USDT is halted")
        scene.pass_time(seconds)
        executor.is_flat(latch.latch_id)
        scene.pass_time(1)
        assert levels(scene, "is-flat") == ["info"] * times
    assert levels(scene, "not-flat") == ["critical"]


def test_flat_by_the_flattener_s_word_is_told_where_no_executor_lives(scene: Scene) -> None:
    """Also by a risk that began since: nobody is there then whose reports could be read up to the newest."""
    bench, flattener = scene.bench, scene.flattener
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    scene.executor.latches(latch)
    flattener.takes_over(2)
    bench.start()
    scene.executor.tells_all_again()
    flattener.tells_all_again()
    flattener.tells(FlatnessTold(latch.latch_id, is_flat=True, pass_number=1, reason=""))
    flattener.gives_back(2)
    for _ in range(100):
        bench.tick()
    assert levels(scene, "is-flat") == ["info"]


def test_older_flat_of_the_flattener_is_no_news_where_an_executor_lives(scene: Scene) -> None:
    """Its newer word is read after the flattener's, and says that it is not."""
    bench, executor, flattener = scene.bench, scene.executor, scene.flattener
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    executor.latches(latch)
    flattener.takes_over(2)
    flattener.tells(FlatnessTold(latch.latch_id, is_flat=True, pass_number=1, reason=""))
    flattener.gives_back(2)
    executor.epoch = 3
    scene.pass_time(1)
    executor.is_flat(latch.latch_id, "ADA/USDT is halted")
    scene.pass_time(62)
    assert (levels(scene, "is-flat"), levels(scene, "not-flat")) == (["info"], ["critical"])
    bench.start()
    flattener.tells_all_again()
    scene.pass_time(20)
    assert levels(scene, "is-flat") == ["info"]


def test_own_death_is_told_by_the_next_life(scene: Scene) -> None:
    """Once: nobody could while there was no risk. An orderly start is no news."""
    scene.bench.start(died=True)
    scene.pass_time(1)
    assert levels(scene, "risk-died") == ["warning"]
    scene.bench.start()
    scene.pass_time(1)
    assert levels(scene, "risk-died") == ["warning"]


def test_own_death_is_told_once_there_is_room_for_it(scene: Scene) -> None:
    """A full disk may be what risk died of."""
    bench = scene.bench
    bench.start(died=True)
    bench.has_room = False
    scene.pass_time(2)
    assert not told(scene, "risk-died")
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    scene.pass_time(3)
    assert levels(scene, "risk-died") == ["warning"]
