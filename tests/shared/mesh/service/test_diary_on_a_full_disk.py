"""What a service's journal does with the reports of one input, on a disk that is full."""

import pytest

from proto.codec import EnvelopeCodec
from proto.orders import OrderEnded, OrderFilled
from shared.core.service import Report
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock
from shared.mesh.journal import Journal, JournalFull
from shared.mesh.service.diary import Diary
from tests.proto.examples import BODIES
from tests.shared.mesh.journal.journals import a_journal, numbered
from tests.shared.mesh.journal.sim_disk import SimDisk

SENDER = Sender(instance="executor", epoch=1, clock=VirtualClock())
FILL = next(body for body in BODIES if isinstance(body, OrderFilled))
END = next(body for body in BODIES if isinstance(body, OrderEnded))


def a_full_journal() -> Journal:
    """Return a journal of three records whose disk is full, and which knows it."""
    disk = SimDisk()
    journal = a_journal(disk, numbered(3))
    disk.capacity = disk.used()
    journal.append(bytes(100))
    with pytest.raises(JournalFull):
        journal.commit()
    return journal


@pytest.mark.parametrize("reducing_first", [True, False])
def test_reports_of_one_input_are_recorded_together(*, reducing_first: bool) -> None:
    """With one reducing report among them all are recorded out of the reserve, each under the number it says."""
    diary = Diary(a_full_journal(), codec=EnvelopeCodec(), troubles=())
    reports = (Report(FILL, reducing=reducing_first), Report(END, reducing=not reducing_first))
    envelopes, _ = diary.record(reports, SENDER)
    assert [envelope.sequence for envelope in envelopes] == [4, 5]
    assert diary.journal.anchor.sequence == 5


def test_report_that_found_no_room_leaves_nothing_behind() -> None:
    """What was not recorded is not recorded later either: the next report has the number it says."""
    diary = Diary(a_full_journal(), codec=EnvelopeCodec(), troubles=())
    with pytest.raises(JournalFull):
        diary.record((Report(FILL), Report(END)), SENDER)
    envelopes, _ = diary.record((Report(END, reducing=True),), SENDER)
    assert [envelope.sequence for envelope in envelopes] == [diary.journal.anchor.sequence] == [4]
