"""How to come by a journal for writing: create it where there never was one, or open an intact one.

A journal that is not intact is refused, with an error that says what was found; see resumption.py for what then.
Whoever calls holds the role's lock, so nobody else writes.
"""

import errno
from typing import Final

import msgspec

from proto.risk import Anchor
from shared.mesh.journal.disk import Disk, write_all
from shared.mesh.journal.examination import examine
from shared.mesh.journal.journal import Journal, Prove, Standing, write_segment
from shared.mesh.journal.mark import Mark, MarkWriter
from shared.mesh.journal.record import NOTHING, Head, Snapshot
from shared.mesh.journal.reserve import Reserve
from shared.mesh.journal.segment import Place, lawful_name
from shared.mesh.journal.verdict import JournalAbsent, JournalFailed

RESERVE_BYTES_DEFAULT: Final = 16 * 1024 * 1024
ROOM_AHEAD_BYTES_DEFAULT: Final = 1024 * 1024


class Opening(msgspec.Struct, frozen=True):
    """What every way needs: where, how a payload is proved readable, what peers hold, how much room to keep back.

    `prove` is called with each payload before it may be appended, and raises when it could not be read back; in
    practice it is `EnvelopeCodec().decode_stored`. `anchors` are the peers' last (sequence, digest) of this journal.
    `segments_walked` counts from the newest; see `examine` for what older ones are held to. `room_ahead_bytes` is how
    much more than is written a segment takes of the disk each time it grows.
    """

    disk: Disk
    prove: Prove
    anchors: tuple[Anchor, ...] = ()
    reserve_bytes: int = RESERVE_BYTES_DEFAULT
    segments_walked: int = 1
    room_ahead_bytes: int = ROOM_AHEAD_BYTES_DEFAULT


def open_journal(opening: Opening) -> Journal:
    """Open an intact journal, repairing what a crash leaves.

    JournalAbsent: create it. TailLost: resume above it. JournalDamaged: an operator must look. JournalFailed: the disk.
    """
    try:
        return _opened(opening)
    except OSError as error:
        raise failed("opening the journal", error) from error


def create_journal(opening: Opening, *, date: str, state: bytes) -> Journal:
    """Begin a journal, with the state to start from; refuses wherever there are traces of one."""
    try:
        opening.disk.establish()
        return _created(opening, date=date, state=state)
    except OSError as error:
        raise failed("creating the journal", error) from error


def failed(doing: str, error: OSError) -> JournalFailed:
    """Return the error that says what the disk did."""
    number = errno.errorcode.get(error.errno or 0, "no number")
    return JournalFailed(f"{doing} failed: {error.strerror or error} ({number}) {error.filename or ''}".rstrip())


def _opened(opening: Opening) -> Journal:
    disk = opening.disk
    examination = examine(disk, opening.anchors, segments_walked=opening.segments_walked)
    if examination.refusal is not None:
        raise examination.refusal
    if examination.end is None or examination.snapshot is None:
        raise JournalAbsent("there is no journal here, and no anchor says that there was one: create it")
    place, snapshot = examination.end, examination.snapshot
    for name in examination.unfinished:
        disk.remove(name)
    _settle(disk, place, snapshot, group_start=examination.group_start)
    mark = MarkWriter(disk)
    mark.publish(Mark(place.number, place.offset, place.sequence, place.record_digest))
    mark.sync()
    mark.close()
    journal = Journal(
        disk=disk,
        prove=opening.prove,
        standing=Standing(place, snapshot, examination.notes),
        reserve=Reserve(disk, size=opening.reserve_bytes),
        room_ahead_bytes=opening.room_ahead_bytes,
    )
    journal.refill_reserve()
    disk.sync()  # the names made here, and a rename that the last process may have died behind
    return journal


def _settle(disk: Disk, place: Place, snapshot: Snapshot, *, group_start: int) -> None:
    """Cut off what was never whole, and make sure that the rest is on the medium.

    The last group is written again where it stands: if the process died of a failed sync, the kernel holds its pages
    for clean although they never reached the disk, and syncing them once more would prove nothing.
    """
    file = disk.edit(lawful_name(place.number, snapshot.date).text)
    try:
        if file.size() > place.offset:
            file.truncate(place.offset)
        write_all(file, group_start, file.read(group_start, place.offset - group_start))
        file.sync()
    finally:
        file.close()


def _created(opening: Opening, *, date: str, state: bytes) -> Journal:
    examination = examine(opening.disk, opening.anchors, segments_walked=opening.segments_walked)
    if examination.refusal is not None:
        raise examination.refusal
    if examination.end is not None:
        raise ValueError("there is a journal here already: open it")
    for name in examination.unfinished:
        opening.disk.remove(name)
    head = Head(number=1, previous_bytes=0, link=NOTHING, record_digest=NOTHING, sequence=0, date=date)
    write_segment(opening.disk, head, state)
    return _opened(opening)
