"""What a core with a journal may rely on: what it knows is the fold of its journal, while it runs and after a crash."""

from collections.abc import Awaitable, Callable, Sequence

from structlog.testing import capture_logs

from proto.orders import ReconcileFinished
from shared.core.service import (
    Effect,
    Happening,
    JournalRoom,
    Moment,
    NotRecorded,
    Recorded,
    Report,
    Started,
)
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import IN_ORDER, OUR_DEFECT
from shared.mesh.service.doing import REFUSALS_MAX
from shared.mesh.service.pulse import BEAT_NS
from shared.mesh.service.shell import FOLD_RECORDS, TEND_EVERY_BEATS
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Actor, Hands, Stage, Told, a_diary

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


def a_report(number: int) -> Report:
    """Return something to be recorded, with a number to tell it by."""
    return Report(ReconcileFinished(pass_number=number, clean=True, differences=(), trades_read=()))


def numbers(actor: Actor) -> list[int]:
    """Return the numbers of what the core was handed as recorded, in order."""
    bodies = [recorded.envelope.body for recorded in actor.core.of(Recorded)]
    return [body.pass_number for body in bodies if isinstance(body, ReconcileFinished)]


def with_a_past(disk: SimDisk, count: int) -> None:
    """Leave records behind as an earlier run does."""
    diary = a_diary(disk)
    sender = Sender(instance="executor", epoch=1, clock=SystemClock())
    for first in range(0, count, 1_000):
        diary.record([a_report(number) for number in range(first, min(count, first + 1_000))], sender)
    diary.close()


async def test_a_core_sees_its_records_in_the_order_of_the_journal(stage: Stage, eventually: Eventually) -> None:
    """What is recorded because of a record comes behind all that was recorded with that one."""
    disk = SimDisk()

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Started):
            return (a_report(1), a_report(2))
        first = isinstance(happening, Recorded) and happening.envelope.sequence == 1
        return (a_report(3),) if first else ()

    actor = stage.service(react, instance="executor", disk=disk)
    await eventually(lambda: len(numbers(actor)) == 3)
    assert numbers(actor) == [1, 2, 3]
    assert [recorded.envelope.sequence for recorded in actor.core.of(Recorded)] == [1, 2, 3]


async def test_a_process_that_is_told_to_end_folds_no_further(stage: Stage, eventually: Eventually) -> None:
    """However long its past, a process that boots ends when it is told to."""
    disk = SimDisk()
    with_a_past(disk, 4 * FOLD_RECORDS)
    actor = stage.service(instance="executor", disk=disk)
    await eventually(lambda: actor.core.seen)
    actor.service.stop()
    assert await actor.code() == IN_ORDER
    assert len(actor.core.seen) < 3 * FOLD_RECORDS


async def test_a_core_that_cannot_bear_its_past_never_starts(stage: Stage) -> None:
    """A core that raises on a record is a defect, and is handed nothing more."""
    disk = SimDisk()
    with_a_past(disk, 10)

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Recorded) and happening.envelope.sequence == 5:
            raise ValueError("what is that?")
        return ()

    actor = stage.service(react, instance="executor", disk=disk)
    assert await actor.code() == OUR_DEFECT
    assert not actor.core.of(Started)
    assert len(actor.core.of(Recorded)) == 5


async def test_a_core_that_acts_while_it_folds_is_a_defect(stage: Stage) -> None:
    """The past is folded and not done again: whatever a core wants then is not done."""
    disk = SimDisk()
    with_a_past(disk, 1)
    actor = stage.service(
        lambda happening, _now: (a_report(2),) if isinstance(happening, Recorded) else (),
        instance="executor",
        disk=disk,
    )
    assert await actor.code() == OUR_DEFECT
    assert a_diary(disk).journal.anchor.sequence == 1


async def test_core_that_reports_on_every_refusal_is_a_defect(stage: Stage, eventually: Eventually) -> None:
    """Where nothing finds room, a core may try something else a few times; then the log says what it does wrong."""
    disk = SimDisk()
    hands = Hands(lambda _effect: None)
    actor = stage.service(
        lambda happening, _now: (a_report(7),) if isinstance(happening, Told | NotRecorded) else (),
        instance="executor",
        disk=disk,
        outside=hands,
    )
    await eventually(lambda: actor.core.of(Started))
    disk.capacity = disk.used()
    with capture_logs() as lines:
        while not actor.core.of(NotRecorded):  # what the segment has taken ahead is used up first
            hands.bring(Told())
        assert await actor.code() == OUR_DEFECT
    assert len(actor.core.of(NotRecorded)) == REFUSALS_MAX
    (defect,) = [line for line in lines if line["event"] == "a defect of ours"]
    assert "nothing more if that has no room either" in str(defect["exc_info"])
    assert "ReconcileFinished" in str(defect["exc_info"])


async def test_core_may_answer_a_refusal_with_what_reduces_risk(stage: Stage, eventually: Eventually) -> None:
    """A reducing report in the place of one that found no room is recorded, as often as that happens."""
    disk = SimDisk()
    hands = Hands(lambda _effect: None)

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, NotRecorded):
            return (Report(a_report(1).body, reducing=True),)
        return (a_report(7),) if isinstance(happening, Told) else ()

    actor = stage.service(react, instance="executor", disk=disk, outside=hands)
    await eventually(lambda: actor.core.of(Started))
    disk.capacity = disk.used()
    while len(actor.core.of(NotRecorded)) < 2 * REFUSALS_MAX:
        hands.bring(Told())
    assert numbers(actor).count(1) == 2 * REFUSALS_MAX


async def test_a_core_is_told_whether_there_is_room(stage: Stage, eventually: Eventually) -> None:
    """When the journal comes to take reducing reports only, and when it takes all again, the core hears of it once."""
    disk = SimDisk()
    hands = Hands(lambda _effect: None)
    actor = stage.service(
        lambda happening, _now: (a_report(7),) if isinstance(happening, Told) else (),
        instance="executor",
        disk=disk,
        outside=hands,
    )
    await eventually(lambda: actor.core.of(Started))
    disk.capacity = disk.used()
    while not actor.core.of(NotRecorded):  # what the segment has taken ahead is used up first
        hands.bring(Told())
    hands.bring(Told())
    assert actor.core.of(JournalRoom) == [JournalRoom(for_everything=False)]
    disk.capacity = None
    assert TEND_EVERY_BEATS * BEAT_NS <= 10_000_000_000, "it takes no longer than this until it is noticed"
    await eventually(lambda: len(actor.core.of(JournalRoom)) == 2)
    assert actor.core.of(JournalRoom)[1] == JournalRoom(for_everything=True)
    recorded = len(actor.core.of(Recorded))
    hands.bring(Told())
    assert len(actor.core.of(Recorded)) == recorded + 1
