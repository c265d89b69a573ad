"""The HALT file as a core sees it through its shell, and the end of a holder that a core wants out of the way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from proto.health import Heartbeat
from proto.risk import Latch
from shared.core.service import (
    HaltSeen,
    HaltUnwritable,
    Listen,
    MakeHalt,
    RemoveHalt,
    RenameHalt,
    Retire,
    RetireEnded,
    ShowFlattenStep,
    Stalled,
    Started,
)
from shared.mesh.exit_codes import OUR_DEFECT
from shared.mesh.halt_file import HaltFile
from shared.mesh.service.pulse import STALL_NS
from tests.shared.mesh.crew import Crew, Sailor
from tests.shared.mesh.service.conftest import Actor, Hands, Stage, Told, at_start, standing_clock

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

LATCH = Latch("kill-1", "operator", "a test", 1)
OTHER = Latch("kill-2", "risk", "the drawdown limit", 2)


@pytest.fixture(scope="module")
def helper() -> Iterator[Crew]:
    """Return a helper that forks processes."""
    with Crew() as crew:
        yield crew


@pytest.fixture
def holder(helper: Crew, stage: Stage) -> Iterator[Sailor]:
    """Return a real process that holds the executor's seat."""
    sailor = helper.start("hold", stage.directory / "seats")
    assert "epoch" in sailor.hear()
    yield sailor
    helper.dismiss()


def seen(actor: Actor) -> list[Latch | None]:
    """Return what the core was told of the file, in order."""
    return [happening.latch for happening in actor.core.of(HaltSeen)]


async def test_it_is_told_right_after_the_first_word(stage: Stage, eventually: Eventually) -> None:
    """A core hears how it stands with the file before anything else that comes, whether there is one or not."""
    hands = Hands(lambda _effect: None)
    HaltFile(stage.directory).make(LATCH)
    actor = stage.service(heeds_halt=True, outside=hands)
    await eventually(lambda: len(actor.core.seen) > 1)
    hands.bring(Told())
    assert [type(happening) for happening in actor.core.seen] == [Started, HaltSeen, Told]
    assert seen(actor) == [LATCH]


async def test_each_change_is_told_once(stage: Stage, eventually: Eventually) -> None:
    """Made, touched anew and removed by others it is told anew; as long as nothing changes, nothing is told."""
    actor, file = stage.service(heeds_halt=True), HaltFile(stage.directory)
    await eventually(lambda: seen(actor) == [None])
    file.make(LATCH)
    await eventually(lambda: len(seen(actor)) == 2)
    file.path.unlink()
    await eventually(lambda: len(seen(actor)) == 3)
    file.path.touch()
    await eventually(lambda: len(seen(actor)) == 4)
    by_hand = file.latch()
    assert seen(actor) == [None, LATCH, None, by_hand]
    assert by_hand is not None


async def test_who_does_not_heed_it_is_not_told(stage: Stage, eventually: Eventually) -> None:
    """A service that does not heed the file hears nothing of it."""
    HaltFile(stage.directory).make(LATCH)
    hands = Hands(lambda _effect: None)
    actor = stage.service(outside=hands)
    await eventually(lambda: actor.core.of(Started))
    hands.bring(Told())
    assert [type(happening) for happening in actor.core.seen] == [Started, Told]


async def test_made_and_removed_by_the_core(stage: Stage, eventually: Eventually) -> None:
    """Whatever a core wants made or removed, it is told how it stands then, also where nothing has changed."""
    wanted = (MakeHalt(LATCH), MakeHalt(OTHER), RemoveHalt("kill-1"), MakeHalt(LATCH), MakeHalt(OTHER, is_pressed=True))
    actor = stage.service(at_start(*wanted), heeds_halt=True)
    await eventually(lambda: len(seen(actor)) == 6)
    assert seen(actor) == [None, LATCH, LATCH, None, LATCH, OTHER]
    assert HaltFile(stage.directory).latch() == OTHER


async def test_renamed_by_the_core(stage: Stage, eventually: Eventually) -> None:
    """The file has the newer name then; where it has another already, the core is told which."""
    HaltFile(stage.directory).make(LATCH)
    actor = stage.service(at_start(RenameHalt(OTHER, "kill-1"), RenameHalt(LATCH, "kill-1")), heeds_halt=True)
    await eventually(lambda: len(seen(actor)) == 3)
    assert seen(actor) == [LATCH, OTHER, OTHER]
    assert HaltFile(stage.directory).latch() == OTHER


async def test_the_latch_of_another_is_not_removed(stage: Stage, eventually: Eventually) -> None:
    """Whoever wants a latch removed that is not the one there is told which one stands, also when that was known."""
    HaltFile(stage.directory).make(OTHER)
    actor = stage.service(at_start(RemoveHalt("kill-1")), heeds_halt=True)
    await eventually(lambda: len(seen(actor)) == 2)
    assert seen(actor) == [OTHER, OTHER]
    assert HaltFile(stage.directory).latch() == OTHER


async def test_removed_when_there_is_none(stage: Stage, eventually: Eventually) -> None:
    """Whoever wants removed what is gone already is told that there is none."""
    actor = stage.service(at_start(RemoveHalt("kill-1")), heeds_halt=True)
    await eventually(lambda: seen(actor) == [None, None])


async def test_what_cannot_be_done_is_told(stage: Stage, eventually: Eventually) -> None:
    """Where the disk refuses the core is told why, and goes on."""
    (stage.directory / "HALT").mkdir()
    latch = HaltFile(stage.directory).latch()
    assert latch is not None
    actor = stage.service(at_start(RemoveHalt(latch.latch_id)), heeds_halt=True)
    await eventually(lambda: actor.core.of(HaltUnwritable))
    (refused,) = actor.core.of(HaltUnwritable)
    assert "HALT is a directory, which no program removes" in refused.reason
    assert seen(actor) == [latch]


async def test_what_cannot_be_made_is_told(stage: Stage, eventually: Eventually) -> None:
    """Where no file can be made the core is told why, and that it cannot be seen whether there is one."""
    halt_directory = stage.directory / "no directory"
    halt_directory.touch()
    actor = stage.service(at_start(MakeHalt(LATCH)), heeds_halt=True, halt_directory=halt_directory)
    await eventually(lambda: seen(actor))
    (refused,) = actor.core.of(HaltUnwritable)
    assert "Not a directory" in refused.reason
    assert [latch.latch_id for latch in seen(actor) if latch is not None] == ["halt-unseen"]


async def test_a_stall_comes_first(stage: Stage, eventually: Eventually) -> None:
    """A process that stood still hears that before it hears of a file that was made meanwhile."""
    clock = standing_clock()
    actor = stage.service(heeds_halt=True, clock=clock)
    await eventually(lambda: seen(actor) == [None])
    clock.advance(2 * STALL_NS)
    HaltFile(stage.directory).make(LATCH)
    await eventually(lambda: len(seen(actor)) == 2)
    kinds = [type(happening) for happening in actor.core.seen]
    assert kinds.index(Stalled) < len(kinds) - 1 - kinds[::-1].index(HaltSeen)


async def test_a_holder_is_retired(stage: Stage, holder: Sailor, eventually: Eventually) -> None:
    """Whoever holds the role is killed, even if it is frozen, and the core is told whom that was."""
    holder.freeze()
    actor = stage.service(at_start(Retire("executor", 1)))
    await eventually(lambda: actor.core.of(RetireEnded))
    assert actor.core.of(RetireEnded) == [RetireEnded("executor", holder.process_id, "it was killed")]
    assert holder.is_dead()


async def test_retired_twice_is_retired_once(stage: Stage, holder: Sailor, eventually: Eventually) -> None:
    """What is under way is not begun anew; when it has ended, it can be."""
    hands = Hands(lambda _effect: None)
    actor = stage.service(
        lambda happening, _now: [Retire("executor", 1)] * 2 if isinstance(happening, Started | Told) else (),
        outside=hands,
    )
    await eventually(lambda: actor.core.of(RetireEnded))
    assert [ended.process_id for ended in actor.core.of(RetireEnded)] == [holder.process_id]
    hands.bring(Told())
    await eventually(lambda: len(actor.core.of(RetireEnded)) == 2)
    assert actor.core.of(RetireEnded)[-1] == RetireEnded("executor", None, "nobody holds the role")


async def test_a_successor_that_starts_is_not_retired(stage: Stage, holder: Sailor, eventually: Eventually) -> None:
    """It took the role after the one that fell silent, and has not been heard only because it is so young."""
    actor = stage.service(at_start(Retire("executor", 0)))
    await eventually(lambda: actor.core.of(RetireEnded))
    (ended,) = actor.core.of(RetireEnded)
    assert ended.process_id is None
    assert "the holder came after the one that fell silent, and has the time to start (executor" in ended.words
    assert not holder.is_dead()


async def test_nobody_is_there_to_retire(stage: Stage, eventually: Eventually) -> None:
    """Where nobody holds the role nobody is killed, and the core is told so."""
    actor = stage.service(at_start(Retire("executor", 1)))
    await eventually(lambda: actor.core.of(RetireEnded))
    assert actor.core.of(RetireEnded) == [RetireEnded("executor", None, "nobody holds the role")]


async def test_a_stranger_is_not_retired(stage: Stage, helper: Crew, eventually: Eventually) -> None:
    """A process of another role that holds the lock is left alone, and the core is told in words why."""
    fencer = helper.start("fencer", stage.directory / "seats")
    fencer.hear()
    fencer.ask("fence")
    actor = stage.service(at_start(Retire("executor", 1)))
    await eventually(lambda: actor.core.of(RetireEnded))
    (ended,) = actor.core.of(RetireEnded)
    assert ended.process_id is None
    assert "executor.gate: the gate is held by somebody who is not of this role (flattener" in ended.words
    assert not fencer.is_dead()
    helper.dismiss()


async def test_the_loop_goes_on_while_somebody_dies(stage: Stage, helper: Crew, eventually: Eventually) -> None:
    """A holder that stands in the gate is waited for, beside the loop."""
    gatekeeper = helper.start("impostor", stage.directory / "seats", file="executor.gate")
    gatekeeper.hear()
    actor = stage.service(at_start(Retire("executor", 1)), heeds_halt=True)
    await eventually(lambda: seen(actor) == [None])
    HaltFile(stage.directory).make(LATCH)
    await eventually(lambda: len(seen(actor)) == 2)
    assert not actor.core.of(RetireEnded)
    await eventually(lambda: actor.core.of(RetireEnded))
    helper.dismiss()


async def test_nobody_retires_itself(stage: Stage) -> None:
    """A core that wants its own role's holder killed is defective."""
    actor = stage.service(at_start(Retire("risk", 1)))
    assert await actor.code() == OUR_DEFECT


async def test_steps_are_shown(stage: Stage, eventually: Eventually) -> None:
    """How far a flattening has come stands in each heartbeat from then on."""
    stage.service(at_start(ShowFlattenStep(7)), instance="executor")
    listener = stage.service(at_start(Listen("executor", "health")), instance="risk")

    def steps() -> list[int]:
        bodies = (heard.envelope.body for heard in list(listener.core.seen) if hasattr(heard, "envelope"))
        return [body.flatten_step for body in bodies if isinstance(body, Heartbeat)]

    await eventually(lambda: steps().count(7) >= 2)


async def test_it_looks_no_more_at_its_end(stage: Stage, eventually: Eventually) -> None:
    """A service that has ended is told nothing that another sees."""
    actor = stage.service(heeds_halt=True)
    await eventually(lambda: seen(actor) == [None])
    actor.exit.cancel()
    await asyncio.gather(actor.exit, return_exceptions=True)
    other = stage.service(instance="executor", heeds_halt=True)
    await eventually(lambda: seen(other) == [None])
    HaltFile(stage.directory).make(LATCH)
    await eventually(lambda: seen(other) == [None, LATCH])
    assert seen(actor) == [None]
