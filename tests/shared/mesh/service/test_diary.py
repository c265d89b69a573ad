"""The journal of a service in terms of messages: pages, epochs, and what is wrong with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from proto.codec import EnvelopeCodec
from proto.orders import ReconcileFinished
from proto.risk import Anchor
from shared.core.service import Recorded, RecordsLost, Report
from shared.mesh.anchors import AnchorKeeper, Witnessed
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock
from shared.mesh.journal import SNAPSHOT_BYTES_MAX, Gap
from shared.mesh.service.diary import SEGMENT_BYTES_MAX, Diary, date_of, open_diary
from shared.mesh.settings import Configuration
from tests.shared.mesh.settings.projects import a_configuration

DAY_NS: Final = 86_400_000_000_000
NOON_NS: Final = 1_800_014_400_000_000_000
EMPTY: Final = b"nothing"
CLOCK: Final = VirtualClock(boot_ns=1)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Return the configuration of an empty project."""
    return a_configuration(tmp_path)


@contextmanager
def opened(configuration: Configuration) -> Iterator[Diary]:
    """Open the executor's journal for a while."""
    diary = open_diary(configuration, "executor", codec=EnvelopeCodec(), wall_ns=NOON_NS, empty_state=EMPTY)
    try:
        yield diary
    finally:
        diary.close()


def write(diary: Diary, count: int, *, epoch: int) -> None:
    """Write so many records under an epoch."""
    sender = Sender(instance="executor", epoch=epoch, clock=CLOCK)
    for _ in range(count):
        body = ReconcileFinished(pass_number=1, clean=True, differences=(), trades_read=())
        diary.record([Report(body)], sender)


def test_page_is_turned_with_the_day(configuration: Configuration) -> None:
    """A segment is begun once the date is a later one, headed by the state, and folding begins there."""
    with opened(configuration) as diary:
        write(diary, 2, epoch=1)
        for wall_ns, state in (
            (NOON_NS, b"too early"),
            (NOON_NS - DAY_NS, b"the clock was set back"),
            (NOON_NS + DAY_NS, b"two records"),
            (NOON_NS + DAY_NS, b"the same day"),
        ):
            assert diary.turn_page(wall_ns=wall_ns, state=partial(bytes, state)) is None
        write(diary, 1, epoch=1)
    with opened(configuration) as diary:
        assert (diary.journal.snapshot.date, diary.journal.snapshot.state) == (
            date_of(NOON_NS + DAY_NS),
            b"two records",
        )
        assert [past.envelope.sequence for past in diary.past() if isinstance(past, Recorded)] == [3]
        assert diary.troubles == ()


def test_page_is_turned_when_it_is_full(configuration: Configuration) -> None:
    """Whoever starts has no more than that to fold; a large state it begins with is no reason to turn it again."""
    large, sender = bytes(SEGMENT_BYTES_MAX), Sender(instance="executor", epoch=1, clock=CLOCK)
    report = Report(ReconcileFinished(pass_number=1, clean=False, differences=("x" * 500,) * 16, trades_read=()))
    with opened(configuration) as diary:
        write(diary, 1, epoch=1)
        diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: large)
        while diary.journal.segment_bytes < 2 * SEGMENT_BYTES_MAX - 1_000_000:
            assert diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: b"too early") is None
            diary.record([report] * 100, sender)
        assert diary.journal.snapshot.state == large
        diary.record([report] * 200, sender)
        assert diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: b"the page is full") is None
        assert diary.journal.snapshot.state == b"the page is full"


def test_state_is_asked_for_only_when_the_page_is_turned(configuration: Configuration) -> None:
    """To put the state into bytes is work, which is not done with every beat."""

    def state() -> bytes:
        raise AssertionError("nobody needs it yet")

    with opened(configuration) as diary:
        assert not diary.turn_page(wall_ns=NOON_NS + 1, state=state)


def test_state_that_heads_no_segment_is_said(configuration: Configuration) -> None:
    """A state over the bound of a segment's head is refused in words, and the old segment goes on."""
    with opened(configuration) as diary:
        write(diary, 1, epoch=1)
        refusal = diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: bytes(SNAPSHOT_BYTES_MAX + 1))
        assert refusal is not None
        assert str(SNAPSHOT_BYTES_MAX) in refusal
        write(diary, 1, epoch=1)
        assert diary.journal.snapshot.date == date_of(NOON_NS)


def test_new_journal_begins_with_the_empty_state(configuration: Configuration) -> None:
    """Where there is no journal one is begun, with no past and no epoch."""
    with opened(configuration) as diary:
        assert diary.journal.snapshot.state == EMPTY
        assert list(diary.past()) == []
        assert diary.known_epoch() == 0


def test_last_epoch_is_that_of_the_newest_record(configuration: Configuration) -> None:
    """The newest record counts, in whichever segment it stands."""
    with opened(configuration) as diary:
        write(diary, 3, epoch=4)
        write(diary, 1, epoch=7)
        assert diary.known_epoch() == 7
        diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: b"four records")
        assert diary.known_epoch() == 7


@pytest.mark.parametrize("lost", [2, 5_000])
@pytest.mark.parametrize("turned", [False, True])
def test_last_epoch_is_found_before_a_gap(configuration: Configuration, lost: int, *, turned: bool) -> None:
    """A hole behind the newest record, however long, is a trouble and does not hide the epoch."""
    with opened(configuration) as diary:
        write(diary, 20, epoch=9)
        if turned:
            diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=lambda: b"twenty records")
    keeper = AnchorKeeper(configuration.anchors_directory, "metrics")
    keeper.keep("executor", Witnessed(Anchor(sequence=20 + lost, digest="0" * 64), 9))
    keeper.close()
    with opened(configuration) as diary:
        (trouble,) = diary.troubles
        assert trouble.startswith("the journal of executor lost its tail")
        assert list(diary.past())[-1] == RecordsLost(
            20 + lost + 2, trouble.removeprefix("the journal of executor lost its tail: ")
        )
        assert diary.known_epoch() == 9
        (newest,) = diary.journal.records(diary.journal.anchor.sequence)
        assert isinstance(newest, Gap)
        assert newest.sequence == 20 + lost + 1
    with opened(configuration) as diary:
        assert diary.troubles == ()


def test_damaged_anchor_is_a_trouble(configuration: Configuration) -> None:
    """A keeper's file that is damaged costs a sentence, and what the others keep counts on."""
    with opened(configuration) as diary:
        write(diary, 2, epoch=1)
        anchor = diary.journal.anchor
    for name, epoch in (("metrics", 4), ("risk", 5)):
        keeper = AnchorKeeper(configuration.anchors_directory, name)
        keeper.keep("executor", Witnessed(anchor, epoch))
        keeper.close()
    (configuration.anchors_directory / "risk/executor").write_bytes(b"")
    with opened(configuration) as diary:
        assert diary.troubles == ("the anchor that risk keeps of executor is empty",)
        assert diary.journal.anchor == anchor
        assert diary.known_epoch() == 4
