"""A journal whose checksums and chain are right, but that no writer who keeps to the page could have written."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final

import pytest

from services.verify.checker.frames import mark_of
from services.verify.checker.journal import journal_of
from tests.checker.test_reading import payload, two_segments
from tests.checker.wire import HEAD, HEADER, Written

FIRST: Final = "00000001-2026-09-21.journal"
SECOND: Final = "00000002-2026-09-22.journal"


def forged(journal: Written, tag: bytes, content: bytes, *, sequence: int, place: tuple[int, int] = (0, 1)) -> None:
    """Append a frame that says whatever it is told to, with the right digest and checksum."""
    chained = HEADER.pack(tag, len(content), sequence, *place) + content
    link = HEAD.unpack_from(content)[2] if tag == b"BJh1" and len(content) >= HEAD.size else journal.link
    journal.link = sha256(link + chained).digest()
    covered = chained + journal.link
    journal.files[max(journal.files)] += covered + struct.pack("<I", zlib.crc32(covered))
    journal.sequence, journal.record_digest = sequence, journal.link


def a_head(journal: Written, **changes: object) -> bytes:
    """Return the head of a third segment of the journal; parts of it may be others."""
    before = journal.files[SECOND]
    said = {
        "number": 3,
        "bytes": len(before),
        "link": journal.link,
        "record": journal.record_digest,
        "date": b"2026-09-23",
        "snapshot": sha256(b"state").digest(),
        **changes,
    }
    return HEAD.pack(*said.values()) + b"state"


def third_segment(content: Callable[[Written], bytes], *, sequence: int = 6) -> Callable[[Written], None]:
    """Return what begins a third segment with a head made so."""

    def begin(journal: Written) -> None:
        head = content(journal)
        journal.files["00000003-2026-09-23.journal"] = b""
        digest = journal.record_digest
        forged(journal, b"BJh1", head, sequence=sequence)
        journal.sequence, journal.record_digest = 6, digest

    return begin


def _head_in_the_middle(journal: Written) -> None:
    digest = journal.record_digest
    forged(journal, b"BJh1", a_head(journal, link=journal.link), sequence=6)
    journal.record_digest = digest


def _record_first(journal: Written) -> None:
    journal.files["00000003-2026-09-23.journal"] = b""
    forged(journal, b"BJr1", payload(7), sequence=7)


def _group_not_whole(journal: Written) -> None:
    forged(journal, b"BJr1", payload(7), sequence=7, place=(0, 2))


def _group_of_another_size(journal: Written) -> None:
    forged(journal, b"BJr1", payload(7), sequence=7, place=(0, 2))
    forged(journal, b"BJr1", payload(8), sequence=8, place=(1, 3))


def _group_begins_late(journal: Written) -> None:
    forged(journal, b"BJr1", payload(7), sequence=7, place=(1, 2))


def _unknown_tag(journal: Written) -> None:
    forged(journal, b"BJx1", payload(7), sequence=7)


def _group_of_nothing(journal: Written) -> None:
    forged(journal, b"BJr1", payload(7), sequence=7, place=(0, 0))


def _same_number(journal: Written) -> None:
    forged(journal, b"BJr1", payload(6), sequence=6)


def _gap_back(journal: Written) -> None:
    forged(journal, b"BJg1", struct.pack("<QH", 6, 0), sequence=6)


def _not_chained(journal: Written) -> None:
    journal.link = bytes(32)
    forged(journal, b"BJr1", payload(7), sequence=7)


FORGERIES: Final = (
    (_head_in_the_middle, "a head is not its first frame"),
    (_record_first, "a head is not its first frame"),
    (_group_not_whole, "its last group is not whole"),
    (_group_of_another_size, "out of its group"),
    (_group_begins_late, "out of its group"),
    (_unknown_tag, "is no frame"),
    (_group_of_nothing, "is no frame"),
    (_same_number, "what is between is missing"),
    (_gap_back, "what is between is missing"),
    (_not_chained, "is not in the chain"),
    (third_segment(lambda _: b"short"), "its head is too short"),
    (third_segment(lambda journal: a_head(journal, number=4)), "its head says segment 4"),
    (third_segment(lambda journal: a_head(journal, date=b"2026-09-24")), "its head says segment 3"),
    (third_segment(lambda journal: a_head(journal, bytes=7)), "the segment before it is another"),
    (third_segment(lambda journal: a_head(journal, record=bytes(32))), "the segment before it is another"),
    (third_segment(lambda journal: a_head(journal, link=bytes(32))), "it does not follow"),
    (third_segment(lambda journal: a_head(journal, snapshot=bytes(32))), "its snapshot is another"),
    (third_segment(a_head, sequence=5), "begins behind 5"),
)


@pytest.mark.parametrize(("forge", "says"), FORGERIES)
def test_what_no_writer_writes_is_seen(forge: Callable[[Written], None], says: str) -> None:
    """Frames whose checksum and digest are right are still held to what the page says of their place."""
    journal = two_segments()
    forge(journal)
    read = journal_of("executor", journal.files, mark_of(journal.mark()))
    assert [trouble.invariant for trouble in read.troubles] == ["I26"]
    assert says in read.troubles[0].what


def test_third_segment_as_it_should_be_is_read() -> None:
    """What the forgeries begin with is whole, so that each is seen for its own sake."""
    journal = two_segments()
    third_segment(a_head)(journal)
    assert journal_of("executor", journal.files, mark_of(journal.mark())).troubles == []


def test_mark_is_held_to_the_journal() -> None:
    """A mark that is beyond the files, before their end, or of another record is seen; later segments are not read."""
    journal = two_segments()
    mark = mark_of(journal.mark())
    assert mark is not None
    for wrong, says in (
        (replace(mark, end=mark.end + 1), "are durable"),
        (replace(mark, sequence=7), "the tail is missing"),
        (replace(mark, digest=bytes(32)), "the tail is missing"),
        (replace(mark, segment=3), "the tail is missing"),
    ):
        troubles = journal_of("executor", journal.files, wrong).troubles
        assert says in troubles[0].what if wrong.segment == 2 else not troubles
    other = struct.pack("<4s", b"BJm2") + journal.mark()[4:-4]
    assert mark_of(other + struct.pack("<I", zlib.crc32(other))) is None
    begun = two_segments()
    begun.begin_segment()
    assert journal_of("executor", begun.files, mark).troubles == []
