"""The kill latch is cleared in two steps by a person, then lifted by the executor, and its file goes last."""

from collections.abc import Callable

import pytest

from proto.control import (
    NONE_STANDS,
    AskClearKill,
    ClearKillOffered,
    ConfirmClearKill,
    ControlDone,
    ControlRefused,
    LiftKill,
)
from proto.envelope import Body
from proto.risk import Latch
from proto.verdicts import KillCleared, KillLatched
from services.risk_watchdog.core.clearing import OFFER_NS_MAX
from shared.core.service import Answered, Note, RemoveHalt, Unanswered
from tests.services.risk_watchdog.bench import SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene
from tests.services.risk_watchdog.test_latch import OTHER, TOUCHED, kill, latches


def killed(scene: Scene) -> Latch:
    """Press it, with an executor that comes under it."""
    kill(scene.bench)
    latch = scene.bench.written(KillLatched)[-1].latch
    scene.executor.latches(latch)
    return latch


def ask_clear(bench: Bench, latch_id: str, actor: str = "ada") -> Body:
    """Take the first step."""
    return bench.ask(AskClearKill(actor, "it was the feed", latch_id), instance="operator")


def offered(bench: Bench, latch_id: str) -> ClearKillOffered:
    """Take the first step, which is granted."""
    offer = ask_clear(bench, latch_id)
    assert isinstance(offer, ClearKillOffered), offer
    return offer


def confirm(bench: Bench, offer: ClearKillOffered, actor: str = "ada") -> ControlDone | ControlRefused:
    """Take the second step."""
    answer = bench.ask(ConfirmClearKill(actor, offer.latch_id, offer.offer_id), instance="operator")
    assert isinstance(answer, ControlDone | ControlRefused)
    return answer


def cleared(scene: Scene) -> Latch:
    """Press it and take both steps: all that is left to be done is the executor's and the file's."""
    latch = killed(scene)
    assert isinstance(confirm(scene.bench, offered(scene.bench, latch.latch_id)), ControlDone)
    return latch


def runs(bench: Bench) -> bool:
    """Say whether nothing is left of any latch."""
    return bench.halt is None and bench.lease().permission == "RUN"


def refused(answer: Body) -> str:
    """Return the rule of a refusal."""
    assert isinstance(answer, ControlRefused), answer
    return answer.rule


def test_clear_goes_its_way(scene: Scene) -> None:
    """Offered, confirmed, written down, lifted by the executor, and then the file goes; entries are approved again."""
    bench, executor = scene.bench, scene.executor
    latch = cleared(scene)
    assert bench.written(KillCleared) == [KillCleared(latch.latch_id, "ada", "it was the feed")]
    assert (bench.lease().permission, bench.lease().latch) == ("HALTED", None)
    scene.pass_time(1)
    assert [ask.body for ask in executor.asked_to_lift()] == [LiftKill("ada", "it was the feed", latch.latch_id)]
    assert bench.halt == latch
    executor.lifts()
    assert (bench.halt, bench.lease().permission) == (latch, "HALTED")
    scene.pass_time(0.4)
    assert bench.of(RemoveHalt) == [RemoveHalt(latch.latch_id)]
    assert runs(bench)
    assert bench.said().latch_id is None
    bench.approved(a_wish())
    scene.pass_time(5)
    assert len(executor.asked_to_lift()) == len(bench.of(RemoveHalt)) == 1


def test_offer_says_what_stands_in_the_way(scene: Scene) -> None:
    """What is not closed, what is held, who is silent, and what stands beside the latch."""
    bench, executor = scene.bench, scene.executor
    latch = killed(scene)
    assert offered(bench, latch.latch_id).summary == "nobody has told yet whether everything is closed"
    executor.is_flat(latch.latch_id)
    assert offered(bench, latch.latch_id).summary == "nothing else stands in the way"
    executor.is_flat(latch.latch_id, "ADA/USDT is halted")
    executor.holds("ADA/USDT", "2")
    bench.wait(20)
    summary = offered(bench, latch.latch_id).summary
    for words in (
        "the executor is not heard to work: the HALT file stays until it has lifted the latch",
        "NOT FLAT: ADA/USDT is halted",
        "held: ADA/USDT",
        "equity_unknown (REDUCE_ONLY)",
    ):
        assert words in summary


@pytest.mark.parametrize("program", ["risk", "executor", "flattener", "overseer", "metrics", "strategy"])
def test_only_a_person_clears(scene: Scene, program: str) -> None:
    """No program takes either step."""
    latch = killed(scene)
    assert refused(ask_clear(scene.bench, latch.latch_id, program)) == "person_clears"
    offer = offered(scene.bench, latch.latch_id)
    assert refused(confirm(scene.bench, offer, program)) == "person_clears"
    assert isinstance(confirm(scene.bench, offer), ControlDone)


def test_what_does_not_stand_is_not_cleared(scene: Scene) -> None:
    """Nothing, or another latch: the refusal names the one that stands."""
    assert refused(ask_clear(scene.bench, "kill-1")) == NONE_STANDS
    latch = killed(scene)
    refusal = ask_clear(scene.bench, "kill-1")
    assert isinstance(refusal, ControlRefused)
    assert refusal.reason == f"another latch stands: {latch.latch_id}, set by ada: it burns"


def test_latch_that_changed_between_the_steps_is_not_cleared(scene: Scene) -> None:
    """Who confirms has seen another one."""
    offer = offered(scene.bench, killed(scene).latch_id)
    scene.bench.touch(TOUCHED)
    assert refused(confirm(scene.bench, offer)) == "latch_stands"
    assert scene.bench.lease().permission == "HALTED"


def test_kill_between_the_steps_wins(scene: Scene) -> None:
    """Pressed again it is another latch, or the same that is told again: who confirms has not seen that it was."""
    offer = offered(scene.bench, killed(scene).latch_id)
    kill(scene.bench)
    assert refused(confirm(scene.bench, offer)) == "offer_stands"
    offer = offered(scene.bench, offer.latch_id)
    scene.bench.wait(1)
    kill(scene.bench, "ben")
    assert refused(confirm(scene.bench, offer)) == "latch_stands"
    assert not scene.bench.written(KillCleared)


def test_offer_holds_ten_minutes_and_one_life(scene: Scene) -> None:
    """After that it has to be asked for again; a newer one takes the place of the older."""
    bench = scene.bench
    latch = killed(scene)
    first = offered(bench, latch.latch_id)
    bench.wait(1)
    second = offered(bench, latch.latch_id)
    assert refused(confirm(bench, first)) == "offer_stands"
    bench.wait(OFFER_NS_MAX / SECOND_NS + 1)
    assert refused(confirm(bench, second)) == "offer_stands"
    third = offered(bench, latch.latch_id)
    scene.begin()
    assert refused(confirm(bench, third)) == "offer_stands"
    assert isinstance(confirm(bench, offered(bench, latch.latch_id)), ControlDone)


def test_confirming_again_changes_nothing(scene: Scene) -> None:
    """Who had no answer asks again, of the next life as well."""
    latch = killed(scene)
    offer = offered(scene.bench, latch.latch_id)
    confirm(scene.bench, offer)
    scene.begin()
    again = confirm(scene.bench, offer)
    assert again == ControlDone(f"{latch.latch_id} is cleared already")
    assert len(scene.bench.written(KillCleared)) == 1


def test_all_names_of_a_latch_are_cleared_with_it(scene: Scene) -> None:
    """File, executor and risk may each know it by another name: clearing the newest clears what stood."""
    bench, executor = scene.bench, scene.executor
    bench.touch(TOUCHED)
    executor.latches(OTHER)
    scene.pass_time(0.4)
    assert latches(bench) == [TOUCHED.latch_id, OTHER.latch_id]
    confirm(bench, offered(bench, OTHER.latch_id))
    scene.pass_time(0.4)
    executor.lifts()
    scene.pass_time(2)
    assert runs(bench)


def test_dead_executor_is_asked_until_it_lives(scene: Scene) -> None:
    """The file stays meanwhile: it is what the executor's next life reads first."""
    bench, executor = scene.bench, scene.executor
    latch = cleared(scene)
    for _ in range(10):
        bench.wait(1)
        scene.strategy.beats()
        bench.tick()
        bench.handle(Unanswered(executor.asked_to_lift()[-1].ask_id))
    asked = executor.asked_to_lift()
    assert len({ask.ask_id for ask in asked}) == len(asked) == 10
    assert bench.halt == latch
    bench.wait(1)
    bench.tick()
    executor.lifts()
    scene.pass_time(0.4)
    assert bench.halt is None


def test_refusal_of_the_executor_is_asked_again(scene: Scene) -> None:
    """Its journal may have no room for the moment."""
    bench, executor = scene.bench, scene.executor
    cleared(scene)
    bench.tick()
    refusal = bench.envelope(ControlRefused("journal_has_room", "full"), sender="executor")
    bench.handle(Answered(executor.asked_to_lift()[-1].ask_id, refusal))
    scene.pass_time(0.8)
    assert len(executor.asked_to_lift()) == 1
    scene.pass_time(1)
    assert len(executor.asked_to_lift()) == 2
    assert bench.halt is not None


def test_executor_that_never_latched_says_so_as_well(scene: Scene) -> None:
    """Whether it has it in its journal only it knows: it is asked, whatever its reports say."""
    kill(scene.bench)
    latch = scene.bench.written(KillLatched)[-1].latch
    confirm(scene.bench, offered(scene.bench, latch.latch_id))
    scene.pass_time(1)
    assert scene.bench.halt == latch
    scene.executor.lifts()
    scene.pass_time(0.4)
    assert scene.bench.halt is None


def test_executor_that_latches_late_is_asked_late(scene: Scene) -> None:
    """It saw the file in its last moment: what was cleared is lifted there as well."""
    bench, executor = scene.bench, scene.executor
    latch = cleared(scene)
    bench.tick()
    executor.lifts()
    scene.pass_time(0.4)
    executor.latches(latch)
    assert bench.lease().permission == "HALTED"
    scene.pass_time(1.2)
    executor.lifts()
    scene.pass_time(0.4)
    assert (latches(bench), bench.lease().permission) == ([latch.latch_id], "RUN")


def test_file_that_cannot_be_removed_is_said_and_tried_again(scene: Scene) -> None:
    """Entries wait until it is gone, and the condition says why."""
    bench = scene.bench
    bench_latch = cleared(scene)
    bench.halt_trouble = "read-only"
    bench.tick()
    scene.executor.lifts()
    scene.pass_time(5)
    assert (bench.against()["kill_latch"], bench.said().latch_is_cleared) == ("cleared: read-only", True)
    assert len([note for note in bench.of(Note) if note.level == "critical"]) == 2  # the latch, and this
    assert 3 <= len(bench.of(RemoveHalt)) <= 6
    assert bench.halt == bench_latch
    bench.halt_trouble = None
    scene.pass_time(1.2)
    assert runs(bench)


def test_kill_while_clearing_is_a_new_latch(scene: Scene) -> None:
    """The old file gets the name of the new latch, which has to be cleared itself; then all of it goes."""
    bench, executor = scene.bench, scene.executor
    first = cleared(scene)
    bench.tick()
    bench.wait(1)
    kill(bench, "ben")
    second = bench.written(KillLatched)[-1].latch
    assert second.latch_id != first.latch_id
    executor.lifts()  # it was asked before
    scene.pass_time(2)
    assert bench.halt == second
    lease = bench.lease()
    assert (lease.permission, lease.latch) == ("HALTED", second)
    assert not bench.of(RemoveHalt)
    assert len(executor.asked_to_lift()) == 1
    executor.latches(second)
    confirm(bench, offered(bench, second.latch_id))
    scene.pass_time(0.4)
    executor.lifts()
    scene.pass_time(0.4)
    assert runs(bench)


def test_answer_to_an_earlier_clear_is_none_to_this_one(scene: Scene) -> None:
    """An executor that lifted the first latch has not lifted the second."""
    bench, executor = scene.bench, scene.executor
    cleared(scene)
    bench.tick()
    late = executor.asked_to_lift()[-1]
    bench.wait(1)
    second = killed(scene)
    confirm(bench, offered(bench, second.latch_id))
    bench.handle(Answered(late.ask_id, bench.envelope(ControlDone("it is lifted"), sender="executor")))
    scene.pass_time(2)
    assert bench.halt is not None
    assert not bench.of(RemoveHalt)


def test_clear_without_room_was_not_done(scene: Scene) -> None:
    """The latch stands; so it does while it is not even written down itself."""
    bench = scene.bench
    offer = offered(bench, killed(scene).latch_id)
    bench.has_room = False
    assert refused(confirm(bench, offer)) == "journal_has_room"
    assert bench.lease().permission == "HALTED"
    bench.touch(TOUCHED)
    assert refused(ask_clear(bench, offer.latch_id)) == "journal_has_room"


Step = Callable[[Scene], object]
STEPS: list[tuple[str, Step]] = [
    ("pressed", lambda scene: kill(scene.bench)),
    ("executor", lambda scene: scene.executor.latches(scene.bench.written(KillLatched)[-1].latch)),
    ("cleared", lambda scene: confirm(scene.bench, offered(scene.bench, latches(scene.bench)[-1]))),
    ("asked", lambda scene: scene.pass_time(0.4)),
    ("lifted", lambda scene: scene.executor.lifts()),
    ("gone", lambda scene: scene.pass_time(0.4)),
]


@pytest.mark.parametrize("file_is_lost", [False, True])
@pytest.mark.parametrize("died_after", range(len(STEPS)))
def test_risk_dies_at_every_step(scene: Scene, died_after: int, *, file_is_lost: bool) -> None:
    """Its next life goes on where this one ended: under the latch until it is cleared, and to the end after that."""
    for number, (_, step) in enumerate(STEPS):
        step(scene)
        if number == died_after:
            if file_is_lost:
                scene.bench.halt = None
            scene.bench.start()
            scene.executor.tells_all_again()
            scene.speak()
            if number < 2:
                assert scene.bench.lease().permission == "HALTED"
                scene.pass_time(1.2)
                assert scene.bench.halt is not None
    for _ in range(3):
        scene.pass_time(1.2)
        if scene.executor.asked_to_lift():
            scene.executor.lifts()
    scene.pass_time(1.2)
    assert runs(scene.bench)
    assert len(latches(scene.bench)) == len(scene.bench.written(KillCleared)) == 1
    scene.bench.approved(a_wish())
