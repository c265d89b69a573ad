"""A journal that a test writes, of somebody who is not running."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from proto.codec import EnvelopeCodec
from proto.envelope import Body
from shared.mesh.journal import Opening, RealDisk, create_journal, journal_directory
from shared.mesh.journal.segment import segment_names
from tests.proto.examples import an_envelope

DAY: Final = "2026-09-21"


class JournalOf:
    """The journal of an instance: what is written is committed at once. It ends as a context."""

    _newest_wall_ns = 1  # whatever is written later, in whichever journal, was said later

    def __init__(self, root: Path, instance: str) -> None:
        self._instance: Final = instance
        self._directory: Final = journal_directory(root / "var", instance)
        self._directory.mkdir(parents=True)
        self._codec: Final = EnvelopeCodec()
        opening = Opening(disk=RealDisk(self._directory), prove=self._codec.decode_stored)
        self._journal: Final = create_journal(opening, date=DAY, state=b"")
        self._sequence = 0

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give it back."""
        self._journal.close()

    def write(self, *bodies: Body, cause_id: str = "") -> None:
        """Write these, and commit them."""
        for body in bodies:
            self._sequence += 1
            JournalOf._newest_wall_ns += 1
            envelope = msgspec.structs.replace(
                an_envelope(body),
                id=f"{self._instance}-7-{self._sequence}",
                sender=self._instance,
                sequence=self._sequence,
                sent_wall_ns=JournalOf._newest_wall_ns,
            )
            self._journal.append(
                self._codec.encode(msgspec.structs.replace(envelope, cause_id=cause_id or envelope.id))
            )
        self._journal.commit()

    @property
    def newest_wall_ns(self) -> int:
        """When the newest record of all these journals was said."""
        return JournalOf._newest_wall_ns

    def damage(self) -> None:
        """Turn a byte in the middle of what was written."""
        [segment] = [self._directory / name.text for name in segment_names(RealDisk(self._directory).names())]
        content = bytearray(segment.read_bytes())
        content[len(content.rstrip(b"\0")) // 2] ^= 0xFF
        segment.write_bytes(content)
