"""Journals on the disk for the verbs that read them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from proto.codec import EnvelopeCodec
from proto.envelope import Body
from shared.mesh.journal import Opening, RealDisk, create_journal, journal_directory
from tests.proto.examples import an_envelope

DAY: Final = "2026-09-21"


def written(
    root: Path, role: str, bodies: Sequence[Body], *, after: bytes | None = None, causes: Sequence[str] = ()
) -> None:
    """Write a journal; where there is to be something else before the messages, first that; the last have causes."""
    directory = journal_directory(root / "var", role)
    directory.mkdir(parents=True)
    codec = EnvelopeCodec()
    journal = create_journal(Opening(disk=RealDisk(directory), prove=lambda _: None), date=DAY, state=b"")
    if after is not None:
        journal.append(after)
    for number, body in enumerate(bodies, 1):
        place = number - 1 - len(bodies) + len(causes)
        cause_id = causes[place] if place >= 0 else "cause"
        name = f"{role}-7-{number}"
        envelope = msgspec.structs.replace(an_envelope(body), id=name, sequence=number, cause_id=cause_id)
        journal.append(codec.encode(envelope))
    journal.commit()
    journal.close()
