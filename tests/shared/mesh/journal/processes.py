"""Writers as real processes, to be killed, followed, or run on a disk that is really full.

Run as a program (`python -m tests.shared.mesh.journal.processes DIRECTORY`) it fills the disk the directory is on, and
prints what it was told on the way.
"""

import json
import sys
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from shared.mesh.journal import (
    Journal,
    JournalAbsent,
    JournalFull,
    Opening,
    RealDisk,
    create_journal,
    examine,
    open_journal,
)
from tests.shared.mesh.journal.journals import DAY, anything, payloads

SEGMENT_RECORDS = 300
RESERVE_BYTES = 32 * 1024


def payload_of(sequence: int) -> bytes:
    """Return what record number `sequence` must hold; its length differs from number to number."""
    return sha256(str(sequence).encode()).digest() * (1 + sequence % 7)


def start(directory: Path) -> Journal:
    """Open the journal, or create it."""
    opening = Opening(disk=RealDisk(directory), prove=anything, reserve_bytes=RESERVE_BYTES)
    try:
        return open_journal(opening)
    except JournalAbsent:
        return create_journal(opening, date=DAY, state=b"")


def write(directory: Path, seed: int, last: int, said: Connection) -> None:
    """Commit groups of one to five records up to number `last`, and say each anchor after it was acknowledged."""
    dice = Random(seed)  # noqa: S311 -- a seed
    journal = start(directory)
    while journal.anchor.sequence < last:
        if journal.anchor.sequence - journal.snapshot.sequence > SEGMENT_RECORDS:
            journal.begin_segment(date=DAY, state=b"state")
        sequence = journal.anchor.sequence
        for number in range(dice.randint(1, min(5, last - sequence))):
            journal.append(payload_of(sequence + number + 1))
        anchor = journal.commit().anchor
        said.send((anchor.sequence, anchor.digest))
    journal.close()


def fill(directory: Path) -> dict[str, object]:
    """Append until the disk is full, then commit what reduces risk, and say how it went."""
    journal = start(directory)
    entries = exits = 0
    refused = ""
    try:
        while entries < 100_000:
            journal.append(payload_of(entries + 1))
            journal.commit()
            entries += 1
    except JournalFull as error:
        refused = str(error)
    try:
        journal.append(b"entry")
        entry_taken = True
    except JournalFull:
        entry_taken = False
    while exits < 10:
        journal.append_reducing(payload_of(entries + exits + 1))
        journal.commit()
        exits += 1
    anchor = journal.anchor
    journal.close()
    journal = open_journal(Opening(disk=RealDisk(directory), prove=anything, anchors=(anchor,)))
    there = payloads(journal.records(1))
    return {
        "refused": refused,
        "entry_taken": entry_taken,
        "entries": entries,
        "exits": exits,
        "intact": there == [payload_of(number + 1) for number in range(entries + exits)],
        "findings": [str(finding) for finding in examine(RealDisk(directory), [anchor]).findings],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fill(Path(sys.argv[1]) / "journal")))
