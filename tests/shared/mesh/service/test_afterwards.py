"""Answers and notes beside a record leave behind what comes of it, and none of them is lost."""

from collections.abc import Awaitable, Callable, Sequence

from structlog.testing import capture_logs

from proto.orders import ReconcileFinished
from shared.core.service import Effect, Happening, Moment, Note, Recorded, Report
from shared.mesh.service.afterwards import Afterwards
from tests.shared.mesh.bus.conftest import Mesh
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Do, Hands, Stage, Told

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

BESIDE = Note("info", "beside the report")
REPORT = Report(ReconcileFinished(pass_number=1, clean=True, differences=(), trades_read=()))


async def test_a_note_beside_a_report_waits_for_what_comes_of_it(stage: Stage, eventually: Eventually) -> None:
    """What is done about the record is done when the input is handled; the log follows."""
    done: list[object] = []

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Told):
            return (REPORT, BESIDE)
        return (Do(),) if isinstance(happening, Recorded) else ()

    hands = Hands(done.append)
    actor = stage.service(react, instance="executor", disk=SimDisk(), outside=hands)
    await eventually(lambda: len(actor.core.seen) == 2)
    with capture_logs() as lines:
        hands.bring(Told())
        assert (len(done), lines) == (1, [])
        await eventually(lambda: lines)
    assert [line["event"] for line in lines] == [BESIDE.event]


async def test_only_answers_and_notes_wait(mesh: Mesh, eventually: Eventually) -> None:
    """The rest is handed back at once and in order; what waits is performed once, and in order too."""
    performed: list[Effect] = []
    afterwards = Afterwards(mesh.process("risk").hub, performed.append)
    first, second, other = Do(), Do(), Note("info", "another")
    assert afterwards.leave([first, BESIDE, second]) == [first, second]
    assert afterwards.leave([other]) == []
    assert performed == []
    await eventually(lambda: len(performed) == 2)
    assert performed == [BESIDE, other]


async def test_what_waits_is_performed_before_the_sockets_close(mesh: Mesh) -> None:
    """Whoever ends has answered."""
    performed: list[Effect] = []
    process = mesh.process("risk")
    Afterwards(process.hub, performed.append).leave([BESIDE])
    mesh.end(process)
    assert performed == [BESIDE]
