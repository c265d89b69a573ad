"""What follows from an executor that makes no progress, and what is no silence."""

from collections.abc import Callable

import pytest

from proto.orders import FlatnessTold
from proto.verdicts import Alerted, HolderRetired, KillLatched
from services.risk_watchdog.core.silence import LATCH_NS
from shared.core.service import JournalRoom, Moment, Note, Retire, RetireEnded, Stalled, ToldOfLoss
from tests.services.risk_watchdog.bench import SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene
from tests.services.risk_watchdog.test_latch import kill

LATCH_S = LATCH_NS / SECOND_NS


def silent(scene: Scene, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let time pass in which the executor says nothing."""
    for _ in range(round(seconds / 0.2)):
        scene.bench.tick()
        meanwhile()


def alerts(scene: Scene) -> list[tuple[str, str]]:
    """Return what a person was told, and how loudly."""
    return [(alerted.level, alerted.name) for alerted in scene.bench.written(Alerted)]


def test_silence_of_four_seconds_ends_the_holder(scene: Scene) -> None:
    """Not before; and who was ended is written down, and told. Whoever was heard to run has started."""
    scene.pass_time(1)
    silent(scene, 4)
    assert not scene.bench.of(Retire)
    silent(scene, 0.2)
    assert scene.bench.of(Retire) == [Retire("executor", 1)]
    scene.bench.handle(RetireEnded("executor", 4_711, "it was killed"))
    (retired,) = scene.bench.written(HolderRetired)
    assert (retired.instance, retired.process_id) == ("executor", 4_711)
    assert alerts(scene) == [("critical", "holder-retired")]
    assert [note.level for note in scene.bench.of(Note) if note.event == "holder-retired"] == ["critical"]


def test_it_is_ended_again_after_ten_seconds_or_when_it_was_heard(scene: Scene) -> None:
    """Its supervisor has that long to start it; one that came and froze again is ended after four seconds again."""
    scene.pass_time(1)
    silent(scene, 14)
    assert len(scene.bench.of(Retire)) == 1
    silent(scene, 0.4)
    assert len(scene.bench.of(Retire)) == 2
    scene.executor.epoch = 2
    scene.executor.beats()
    silent(scene, 14.4)
    assert scene.bench.of(Retire) == [Retire("executor", epoch) for epoch in (1, 1, 2, 2)]


def test_one_that_only_risk_does_not_hear_is_left_time_to_close(scene: Scene) -> None:
    """Each end costs the seconds in which it finds its orders again: so there are few of them, and ever fewer."""
    scene.pass_time(1)
    silent(scene, 4 + 10 + 20 + 40 + 80 + 3 * 160)
    assert len(scene.bench.of(Retire)) == 5 + 2


def test_where_nobody_was_to_be_ended_nothing_is_written(scene: Scene) -> None:
    """It is dead already, and its supervisor at it."""
    scene.bench.handle(RetireEnded("executor", None, "nobody holds the role"))
    assert not scene.bench.written(HolderRetired)
    assert not alerts(scene)


def test_silence_of_three_minutes_latches(scene: Scene) -> None:
    """Once, under a name that says why; once cleared it is the next silence that latches again."""
    scene.pass_time(1)
    silent(scene, LATCH_S)
    assert not scene.bench.written(KillLatched)
    silent(scene, 5)
    (latched,) = scene.bench.written(KillLatched)
    assert latched.latch.latch_id.startswith("silence-")
    assert (latched.latch.actor, latched.latch.reason) == ("risk", "the executor has been silent for 180 s")
    assert scene.bench.halt == latched.latch
    assert ("critical", "kill-latched") in alerts(scene)


def test_silence_latches_without_room_as_well(scene: Scene) -> None:
    """In memory and by the file; it is written down when there is room."""
    scene.pass_time(1)
    scene.bench.has_room = False
    scene.bench.handle(JournalRoom(for_everything=False))
    silent(scene, LATCH_S + 5)
    assert scene.bench.halt is not None
    assert scene.bench.lease().permission == "HALTED"
    assert not scene.bench.written(KillLatched)
    scene.bench.has_room = True
    scene.bench.handle(JournalRoom(for_everything=True))
    silent(scene, 1)
    assert [latched.latch for latched in scene.bench.written(KillLatched)] == [scene.bench.halt]


def test_latch_that_stands_is_enough(scene: Scene) -> None:
    """A silence under a latch sets no second one."""
    scene.pass_time(1)
    kill(scene.bench)
    silent(scene, LATCH_S + 5)
    assert len(scene.bench.written(KillLatched)) == 1


def test_silence_from_the_start_latches_where_there_was_an_executor_once() -> None:
    """An executor that never came up again may have left a position; a mesh that never had one has none."""
    never = Scene(Bench())
    never.bench.start()
    silent(never, LATCH_S + 20)
    assert not never.bench.written(KillLatched)
    scene = Scene(Bench())
    scene.begin()
    scene.bench.approved(a_wish())
    scene.bench.start()
    silent(scene, LATCH_S + 20)
    assert len(scene.bench.written(KillLatched)) == 1


@pytest.mark.parametrize("state", ["booting", "draining"])
def test_who_starts_or_was_stopped_is_not_silent(scene: Scene, state: str) -> None:
    """Whoever starts has fifteen seconds from its last word on."""
    scene.pass_time(1)
    scene.executor.beats(state=state)
    silent(scene, 15 if state == "booting" else LATCH_S + 20)
    assert not scene.bench.of(Retire)
    assert not scene.bench.written(KillLatched)


def test_our_own_silence_is_not_its(scene: Scene) -> None:
    """Whoever stood still counts anew."""
    scene.pass_time(1)
    scene.bench.wait(LATCH_S + 20)
    scene.bench.handle(Stalled(200 * SECOND_NS))
    silent(scene, 3)
    assert not scene.bench.of(Retire)
    assert not scene.bench.written(KillLatched)


def test_one_tenure_after_the_other_wakes_nobody_each_time(scene: Scene) -> None:
    """Where nothing can be sold the role is taken again and again: that is critical once in ten minutes."""
    scene.pass_time(1)
    flattener = scene.flattener
    flattener.beats()
    for number in range(2, 12):
        flattener.takes_over(number)
        silent(scene, 60, flattener.beats)
        flattener.gives_back(number)
        silent(scene, 20, flattener.beats)
    levels = [level for level, name in alerts(scene) if name == "flattener-took-over"]
    assert levels == ["critical", *["warning"] * 7, "critical", "warning"]


def test_flattener_s_tenure_is_no_silence(scene: Scene) -> None:
    """While it holds the role nobody is ended, least of all itself; given back, the executor has to be heard."""
    scene.pass_time(1)
    flattener = scene.flattener
    flattener.beats()
    flattener.takes_over(2)
    assert alerts(scene) == [("critical", "flattener-took-over")]
    silent(scene, LATCH_S + 20, flattener.beats)
    assert not scene.bench.of(Retire)
    assert not scene.bench.written(KillLatched)
    flattener.gives_back(2)
    assert alerts(scene)[-1] == ("info", "flattener-gave-back")
    silent(scene, 3.8, flattener.beats)
    assert not scene.bench.of(Retire)
    silent(scene, 0.6, flattener.beats)
    assert len(scene.bench.of(Retire)) == 1
    assert not scene.bench.written(KillLatched)


@pytest.mark.parametrize("end", ["anew", "silent"])
def test_flattener_s_end_ends_its_tenure(scene: Scene, end: str) -> None:
    """The locks go with it, whether its next life is heard or nothing of it any more."""
    scene.pass_time(1)
    flattener = scene.flattener
    flattener.beats()
    flattener.takes_over(2)
    silent(scene, 5, flattener.beats)
    if end == "anew":
        flattener.begins_anew()
        flattener.beats()
        silent(scene, 4.4, flattener.beats)
    else:
        silent(scene, 13)
        assert not scene.bench.of(Retire)
        silent(scene, 1.4)
    assert len(scene.bench.of(Retire)) == 1


def test_flattener_s_past_is_no_news(scene: Scene) -> None:
    """Its journal is read from the first record at every start: what is long over is not told again."""
    scene.pass_time(1)
    scene.flattener.takes_over(2)
    scene.flattener.gives_back(2)
    told = alerts(scene)
    scene.bench.wait(61)
    scene.bench.start()
    scene.flattener.tells_all_again()
    assert alerts(scene) == told


def test_take_over_that_is_under_way_at_the_start_is_told(scene: Scene) -> None:
    """However long ago it began: once, when the flattener is heard to live in it, and in no later life of ours."""
    scene.pass_time(1)
    before = len(alerts(scene))
    scene.flattener.takes_over(2, is_heard=False)
    scene.bench.wait(600)
    for life in range(3):
        scene.bench.start(state_after=len(scene.bench.records) if life == 2 else 0)
        scene.flattener.tells_all_again()
        scene.bench.tick()
        assert len(alerts(scene)) == before + (life > 0)
        silent(scene, 20, scene.flattener.beats)
        assert alerts(scene)[before:] == [("critical", "flattener-took-over")]
    scene.flattener.gives_back(2)
    scene.flattener.takes_over(4)
    assert alerts(scene)[-1][1] == "flattener-took-over"
    assert len(alerts(scene)) == before + 3


def test_epochs_of_the_flattener_are_no_deaths_of_the_executor(scene: Scene) -> None:
    """A take-over raises the executor's epoch as well, also where we read of it later than of the executor."""
    executor, flattener = scene.executor, scene.flattener
    executor.epoch = 5
    executor.beats()  # four lives that were too short to be heard
    assert "executor_crash_loop" in scene.bench.against()
    for epoch in (2, 3, 4):
        flattener.takes_over(epoch)
        flattener.gives_back(epoch)
    assert "executor_crash_loop" not in scene.bench.against()


def test_hole_in_the_flattener_s_journal_waits_for_an_operator(scene: Scene) -> None:
    """And is none in the executor's: what is known of positions stays known."""
    scene.bench.handle(ToldOfLoss("flattener", 9))
    scene.bench.tick()
    assert scene.bench.against() == {"paused": "risk: the flattener's journal has a hole: look at its positions"}


def test_person_is_told_that_it_is_not_flat(scene: Scene) -> None:
    """A minute after the latch was set, with the reason, and every ten minutes as long as it lasts."""
    bench, executor = scene.bench, scene.executor
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    executor.latches(latch)
    executor.is_flat(latch.latch_id, "ADA/USDT is halted")
    scene.pass_time(59)
    assert ("critical", "not-flat") not in alerts(scene)
    scene.pass_time(2)
    (told,) = [alerted for alerted in bench.written(Alerted) if alerted.name == "not-flat"]
    assert told.text == "NOT FLAT: ADA/USDT is halted"
    scene.pass_time(590)
    assert alerts(scene).count(("critical", "not-flat")) == 1
    scene.pass_time(10)
    assert alerts(scene).count(("critical", "not-flat")) == 2
    executor.is_flat(latch.latch_id)
    scene.pass_time(700)
    assert alerts(scene).count(("critical", "not-flat")) == 2


def test_flattener_s_word_on_it_counts_as_well(scene: Scene) -> None:
    """Where it closed everything, nobody waits for the executor to say so."""
    kill(scene.bench)
    latch = scene.bench.written(KillLatched)[-1].latch
    scene.flattener.takes_over(2)
    scene.flattener.tells(FlatnessTold(latch.latch_id, is_flat=True, pass_number=1, reason=""))
    scene.pass_time(120)
    assert ("critical", "not-flat") not in alerts(scene)


def test_newer_word_on_it_counts_whatever_the_clocks_say(scene: Scene) -> None:
    """A clock that was set back between the two makes no older word of it; nor does it matter which is read first."""
    bench = scene.bench
    kill(bench)
    latch = bench.written(KillLatched)[-1].latch
    scene.executor.is_flat(latch.latch_id, "ADA/USDT is halted")
    bench.now = Moment(bench.now.wall_ns - 3_600 * SECOND_NS, bench.now.boot_ns, bench.now.boot_id)
    scene.flattener.takes_over(2)
    scene.flattener.tells(FlatnessTold(latch.latch_id, is_flat=True, pass_number=1, reason=""))
    bench.start()
    scene.flattener.tells_all_again()
    scene.executor.tells_all_again()
    scene.speak()
    scene.pass_time(120)
    assert ("critical", "not-flat") not in alerts(scene)


def test_nothing_said_is_not_flat(scene: Scene) -> None:
    """Neither a dead executor nor FLAT of an earlier flattening is an answer."""
    kill(scene.bench)
    scene.executor.is_flat("kill-1")
    scene.pass_time(61)
    assert ("critical", "not-flat") in alerts(scene)


def test_alert_without_room_is_in_the_log_at_least(scene: Scene) -> None:
    """And nothing is tried again that the disk has refused, until it has room."""
    scene.pass_time(1)
    scene.bench.has_room = False
    scene.bench.handle(JournalRoom(for_everything=False))
    scene.bench.handle(RetireEnded("executor", 4_711, "it was killed"))
    assert [note.level for note in scene.bench.of(Note) if note.event == "holder-retired"] == ["critical"]
    assert not alerts(scene)


def test_same_alert_is_not_told_twice_within_a_minute(scene: Scene) -> None:
    """Each end is written down; a person is told once."""
    for _ in range(3):
        scene.bench.handle(RetireEnded("executor", 4_711, "it was killed"))
        scene.bench.wait(10)
    assert len(scene.bench.written(HolderRetired)) == 3
    assert alerts(scene) == [("critical", "holder-retired")]
    scene.bench.wait(40)
    scene.bench.handle(RetireEnded("executor", 4_711, "it was killed"))
    assert len(alerts(scene)) == 2
