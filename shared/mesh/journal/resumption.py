"""How to go on when a journal was refused: above a lost tail, or anew above damage, always behind a gap that says so.

Each is an explicit call; nothing here happens because something was found. The owner may resume by itself, with
entries refused until an operator has looked; starting anew is an operator's act, with a state rebuilt from elsewhere.
"""

import re
from typing import Final

from shared.mesh.journal.disk import write_all
from shared.mesh.journal.examination import QUARANTINE, Examination, examine
from shared.mesh.journal.journal import Journal, write_segment
from shared.mesh.journal.mark import MARK_NAME
from shared.mesh.journal.opening import Opening, failed, open_journal
from shared.mesh.journal.record import FORGIVEN_MAX, GAP, NOTHING, Head, frame_bytes, gap_payload, head_bytes
from shared.mesh.journal.segment import lawful_name
from shared.mesh.journal.verdict import JournalAbsent, JournalDamaged

_QUARANTINED: Final = re.compile(re.escape(QUARANTINE) + "([0-9]+)")


def resume_above(opening: Opening, *, above: int, reason: str) -> Journal:
    """Go on after a TailLost: keep all that is there, and say in a gap record what is not.

    The gap takes number `above` + 1, so that no number is ever given twice; `above` below the highest number that the
    error tells, and so below any peer's, raises ValueError. Damage raises JournalDamaged. An intact journal is opened.
    """
    try:
        examination = examine(opening.disk, opening.anchors, segments_walked=opening.segments_walked)
        if examination.refusal is not None:
            _append_gap(opening, examination, above=above, reason=reason)
    except OSError as error:
        raise failed("resuming the journal", error) from error
    return open_journal(opening)


def start_anew_above(opening: Opening, *, above: int, date: str, state: bytes, reason: str) -> Journal:
    """Put a damaged journal into quarantine and begin again behind a gap, with the state given.

    Nothing is deleted: the old segments move to a directory `quarantine-N` beside the new one. An intact journal is
    left as it is, and opened.
    """
    try:
        opening.disk.establish()
        examination = examine(opening.disk, opening.anchors, segments_walked=opening.segments_walked)
        if examination.refusal is not None:
            head = _head_above(examination, above=above, date=date)
            _, digest = head_bytes(head, state)
            gap = _gap(examination, after=0, above=above, link=digest, reason=reason)
            for name in examination.unfinished:
                opening.disk.remove(name)
            # Until the others have moved, two beginnings stand here, and the journal is refused: a crash is harmless.
            write_segment(opening.disk, head, state, following=gap)
            _quarantine(opening, examination)
    except OSError as error:
        raise failed("starting the journal anew", error) from error
    return open_journal(opening)


def _append_gap(opening: Opening, examination: Examination, *, above: int, reason: str) -> None:
    place, snapshot = examination.end, examination.snapshot
    refusal = examination.refusal
    if place is None or snapshot is None or isinstance(refusal, JournalDamaged):
        raise refusal or JournalAbsent("there is no journal here")
    frame = _gap(examination, after=place.sequence, above=above, link=place.link, reason=reason)
    file = opening.disk.edit(lawful_name(place.number, snapshot.date).text)
    try:
        file.truncate(place.offset)
        file.sync()
        write_all(file, place.offset, frame)
        file.sync()
    finally:
        file.close()
    if examination.published is not None:
        opening.disk.remove(MARK_NAME)  # it speaks of what the gap has explained; opening writes another


def _head_above(examination: Examination, *, above: int, date: str) -> Head:
    published = examination.published
    numbers = [report.number for report in examination.segments]
    number = 1 + max([*numbers, published.number if published else 0])
    return Head(number=number, previous_bytes=0, link=NOTHING, record_digest=NOTHING, sequence=above, date=date)


def _quarantine(opening: Opening, examination: Examination) -> None:
    names = [report.name for report in examination.segments]
    if not names:
        return
    matches = (_QUARANTINED.fullmatch(name) for name in opening.disk.names())
    number = 1 + max((int(match[1]) for match in matches if match), default=0)
    directory = f"{QUARANTINE}{number:03}"
    opening.disk.make_directory(directory)
    for name in names:
        opening.disk.rename(name, f"{directory}/{name}")
    opening.disk.sync()


def _gap(examination: Examination, *, after: int, above: int, link: bytes, reason: str) -> bytes:
    highest = examination.sequence_highest
    if above < highest:
        raise ValueError(f"above {above}: somebody holds record {highest}, and no number may be given twice")
    payload = gap_payload(after=after, forgiven=examination.anchors[:FORGIVEN_MAX], reason=reason)
    return frame_bytes(GAP, above + 1, (0, 1), payload, link)[0]
