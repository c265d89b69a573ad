"""The kill latch: whoever sets it, it stands in the journal and as a file, and nothing is entered."""

from collections.abc import Callable

import pytest

from proto.control import AskClearKill, ClearKillOffered, ControlDone, ControlRefused, Kill
from proto.risk import Latch
from proto.verdicts import Alerted, KillLatched
from shared.core.service import JournalRoom, MakeHalt, Note, RenameHalt
from tests.services.risk_watchdog.bench import Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene

TOUCHED = Latch("halt-7-1", "unknown", "the file was made by hand", 1)
OTHER = Latch("kill-2", "ben", "it smells", 2)


def kill(bench: Bench, actor: str = "ada") -> ControlDone | ControlRefused:
    """Press it."""
    answer = bench.ask(Kill(actor, "it burns"), instance="operator")
    assert isinstance(answer, ControlDone | ControlRefused)
    return answer


def latches(bench: Bench) -> list[str]:
    """Return the ids of the latches in the journal."""
    return [one.latch.latch_id for one in bench.written(KillLatched)]


def assert_halted(scene: Scene, latch_id: str, number: int = 0) -> None:
    """Nothing is entered, the lease says so with the latch's name, and so does risk to everybody."""
    lease, said = scene.bench.lease(), scene.bench.said()
    assert (lease.permission, lease.conditions[0].name) == ("HALTED", "kill_latch")
    assert lease.latch is not None
    assert (lease.latch.latch_id, said.latch_id, said.permission) == (latch_id, latch_id, "HALTED")
    refusal = scene.bench.refusal(a_wish(100 + number))
    assert (refusal.rule, refusal.value) == ("permission_is_run", "HALTED")


def test_operator_sets_it(scene: Scene) -> None:
    """It is written down, then the file is made of it; the next life knows it without the file as well."""
    bench = scene.bench
    answer = kill(bench)
    (latched,) = bench.written(KillLatched)
    assert isinstance(answer, ControlDone)
    assert (latched.latch.actor, latched.latch.reason) == ("ada", "it burns")
    assert latched.latch.latch_id in answer.summary
    assert bench.halt == latched.latch
    assert_halted(scene, latched.latch.latch_id)
    bench.halt = None
    scene.begin()
    assert_halted(scene, latched.latch.latch_id, 1)
    assert bench.halt == latched.latch


def test_record_comes_before_file_and_answer(scene: Scene) -> None:
    """Whoever hears that it stands can rely on the journal."""
    kill(scene.bench)
    order = [type(getattr(one, "body", one)).__name__ for one in scene.bench.done]
    assert order.index("KillLatched") < order.index("MakeHalt") < len(order) - 1 - order[::-1].index("ControlDone")


def test_each_press_is_written_down(scene: Scene) -> None:
    """Who pressed later, and why, is the latch then, in the place of the first: one that stands, and one to clear."""
    kill(scene.bench)
    scene.bench.wait(1)
    again = kill(scene.bench, "ben")
    pressed = [one.latch for one in scene.bench.written(KillLatched)]
    assert [latch.actor for latch in pressed] == ["ada", "ben"]
    assert isinstance(again, ControlDone)
    assert again.summary == (
        f"{pressed[1].latch_id} stands: nothing is entered, and everything is closed until nothing is left;"
        f" it takes the place of {pressed[0].latch_id}, set by ada: it burns"
    )
    assert scene.bench.halt == pressed[1]
    assert_halted(scene, pressed[1].latch_id)


def test_press_that_came_by_its_file_first_is_one(scene: Scene) -> None:
    """`bowline kill` makes the file before it asks: whoever has seen it says what came of it, as to any first press."""
    latch = Latch("kill-9", "ada", "it burns", scene.bench.now.wall_ns)
    scene.bench.touch(latch)
    scene.bench.wait(1)
    answer = kill(scene.bench)
    assert isinstance(answer, ControlDone)
    assert answer.summary == "kill-9 stands: nothing is entered, and everything is closed until nothing is left"
    assert latches(scene.bench) == ["kill-9"]
    scene.bench.wait(5)
    kill(scene.bench)
    assert len(latches(scene.bench)) == 2


def test_file_sets_it(scene: Scene) -> None:
    """Whoever made it: its latch is written down, and seeing it again is nothing new."""
    scene.bench.touch(TOUCHED)
    assert latches(scene.bench) == [TOUCHED.latch_id]
    assert_halted(scene, TOUCHED.latch_id)
    scene.bench.touch(TOUCHED)
    assert latches(scene.bench) == [TOUCHED.latch_id]
    assert not scene.bench.of(MakeHalt)


def test_press_behind_a_file_without_words_has_them(scene: Scene) -> None:
    """On a full disk the file says neither who nor why; who is told of the press on a socket knows both."""
    scene.bench.touch(TOUCHED)
    kill(scene.bench)
    assert [(one.latch.actor, one.latch.reason) for one in scene.bench.written(KillLatched)] == [
        (TOUCHED.actor, TOUCHED.reason),
        ("ada", "it burns"),
    ]


def test_file_that_is_there_at_the_start_sets_it() -> None:
    """So a touch while everything is down holds from the first moment on."""
    scene = Scene(Bench())
    scene.bench.halt = TOUCHED
    scene.begin()
    assert_halted(scene, TOUCHED.latch_id)


def test_executor_sets_it(scene: Scene) -> None:
    """What it latched while risk was dead is risk's latch as soon as that is read."""
    scene.executor.latches(OTHER)
    scene.pass_time(0.4)
    assert latches(scene.bench) == [OTHER.latch_id]
    assert scene.bench.halt is not None
    assert (scene.bench.halt.latch_id, scene.bench.halt.actor) == (OTHER.latch_id, OTHER.actor)
    assert_halted(scene, OTHER.latch_id)


def test_latch_of_the_past_is_read_as_such(scene: Scene) -> None:
    """While the executor's journal is read from its first record, latches lifted long ago pass by: none is set."""
    bench, executor = scene.bench, scene.executor
    executor.latches(OTHER)
    scene.pass_time(0.4)
    bench.start()
    bench.records.clear()
    bench.touch(None)
    bench.start()
    executor.tells_all_again()
    bench.tick()
    assert not latches(bench)
    executor.beats()
    bench.tick()
    assert latches(bench) == [OTHER.latch_id]


def test_newest_latch_is_the_one_that_stands(scene: Scene) -> None:
    """Another one that is seen takes its place by name, once; an older name seen again is nothing new."""
    kill(scene.bench)
    (first,) = latches(scene.bench)
    scene.executor.latches(OTHER)
    scene.pass_time(0.4)
    scene.bench.touch(TOUCHED)
    scene.pass_time(0.4)
    assert latches(scene.bench) == [first, OTHER.latch_id, TOUCHED.latch_id]
    assert_halted(scene, TOUCHED.latch_id)


@pytest.mark.parametrize("names", [(OTHER, TOUCHED), (TOUCHED, OTHER)])
def test_what_the_file_names_can_be_cleared(scene: Scene, names: tuple[Latch, Latch]) -> None:
    """Whoever latched last, executor or file: all places name what has to be cleared, after a restart too."""
    bench = scene.bench
    kill(bench)
    for latch in names:
        if latch is TOUCHED:
            bench.touch(latch)
        else:
            scene.executor.latches(latch)
            scene.pass_time(0.4)
    for _ in range(2):
        scene.pass_time(1.2)
        assert bench.halt is not None
        assert bench.halt.latch_id == latches(bench)[-1] == names[-1].latch_id
        assert bench.said().latch_id == bench.halt.latch_id
        answer = bench.ask(AskClearKill("ada", "it is over", bench.halt.latch_id), instance="operator")
        assert isinstance(answer, ClearKillOffered)
        bench.halt = bench.written(KillLatched)[0].latch  # as a death leaves it before it was renamed
        scene.begin()


def test_file_that_cannot_be_renamed_is_tried_again(scene: Scene) -> None:
    """Once a second, and a person is told why."""
    bench = scene.bench
    kill(bench)
    bench.halt_trouble = "read-only"
    scene.executor.latches(OTHER)
    scene.pass_time(2.5)
    assert 2 <= len(bench.of(RenameHalt)) <= 4
    assert [alert.text for alert in bench.written(Alerted) if alert.name == "halt-file"] == ["read-only"]
    bench.halt_trouble = None
    scene.pass_time(1.2)
    assert bench.halt is not None
    assert bench.halt.latch_id == OTHER.latch_id


def test_file_removed_by_hand_comes_back(scene: Scene) -> None:
    """Only who clears the latch clears it."""
    kill(scene.bench)
    made = scene.bench.halt
    scene.bench.touch(None)
    assert scene.bench.lease().permission == "HALTED"
    scene.bench.wait(1)
    scene.bench.tick()
    assert scene.bench.halt == made


def test_file_that_cannot_be_made_is_tried_again(scene: Scene) -> None:
    """A person is told once, and the latch holds by the journal; with the disk in order the file is there."""
    bench = scene.bench
    bench.halt_trouble = "read-only"
    kill(bench)
    scene.pass_time(5)
    told = [alert for alert in bench.written(Alerted) if alert.name == "halt-file"]
    assert told == [Alerted("critical", "halt-file", "read-only")]
    assert [note.details for note in bench.of(Note) if note.event == "halt-file"] == [{"text": "read-only"}]
    assert bench.lease().permission == "HALTED"
    bench.halt_trouble = None
    scene.pass_time(1.2)
    assert bench.halt is not None


def press(scene: Scene) -> None:
    """Press it, in vain: it holds, and is not in the journal."""
    refusal = kill(scene.bench)
    assert isinstance(refusal, ControlRefused)
    assert refusal.reason.startswith("it holds, in memory and by the HALT file, but is not in the journal: full")


def test_press_behind_a_file_without_words_keeps_them_on_a_full_disk(scene: Scene) -> None:
    """With room again both are written down, in their order, and the file gets who and why."""
    bench = scene.bench
    bench.has_room = False
    bench.touch(TOUCHED)
    press(scene)
    scene.pass_time(1)
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    scene.pass_time(2)
    nameless, named = (one.latch for one in bench.written(KillLatched))
    assert (nameless, named.actor, named.reason) == (TOUCHED, "ada", "it burns")
    assert bench.halt == named
    assert_halted(scene, named.latch_id)


def by_file(scene: Scene) -> None:
    """Make the file."""
    scene.bench.touch(TOUCHED)


def by_executor(scene: Scene) -> None:
    """Let the executor latch."""
    scene.executor.latches(OTHER)


@pytest.mark.parametrize("sets", [press, by_file, by_executor])
def test_it_holds_without_room_in_the_journal(scene: Scene, sets: Callable[[Scene], None]) -> None:
    """In memory and as a file, and it is written down as soon as there is room; nobody asks the disk in between."""
    bench = scene.bench
    bench.has_room = False
    sets(scene)
    scene.pass_time(1)
    assert bench.lease().permission == "HALTED"
    assert bench.halt is not None
    assert not latches(bench)
    bench.has_room = True
    scene.pass_time(1)
    assert not latches(bench)
    bench.handle(JournalRoom(for_everything=True))
    scene.pass_time(1)
    assert latches(bench) == [bench.halt.latch_id]
    assert_halted(scene, bench.halt.latch_id)
