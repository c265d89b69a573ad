"""Where a process keeps the anchors of others' journals: the last record it saw each of them vouch for.

Whoever follows an owner's events keeps the owner's anchor in a file of its own, about as old as a heartbeat. The owner
holds its journal against what all of them keep when it opens it, so that a lost tail, or an old copy put back, is
noticed. A keeper's file is not the owner's: what damages the one leaves the other alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import structlog

from proto.risk import Anchor
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory
from shared.mesh.sealed_record import RECORD_BYTES_MAX, Damaged, seal, unseal

ANCHOR_KIND: Final = "bowline-anchor-1"

log: Final = structlog.get_logger("anchors")


class KeptAnchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose journal, who keeps it, and what the owner said."""

    owner: str
    keeper: str
    sequence: int
    digest: str


class AnchorKeeper:
    """Keeps the anchors of those that one process follows."""

    def __init__(self, directory: Path, keeper: str) -> None:
        self._keeper: Final = keeper
        self._files: Final = PrivateDirectory(directory / keeper)
        self._kept: Final[dict[str, Anchor]] = {}
        self._failing: Final[set[str]] = set()

    def keep(self, owner: str, anchor: Anchor) -> None:
        """Write it down durably, unless it is what was written last.

        A disk that is full or broken is said once, and tried again with the next anchor: to keep it is a service to
        the owner, and no reason for the keeper to die.
        """
        if self._kept.get(owner) == anchor:
            return
        kept = KeptAnchor(owner=owner, keeper=self._keeper, sequence=anchor.sequence, digest=anchor.digest)
        try:
            self._files.replace_file(owner, seal(ANCHOR_KIND, kept))
        except FileUnusableError as error:
            if owner not in self._failing:
                self._failing.add(owner)
                log.critical("an anchor cannot be kept", owner=owner, reason=str(error))
            return
        self._kept[owner] = anchor
        self._failing.discard(owner)

    def close(self) -> None:
        """Give the directory back."""
        self._files.close()


def anchors_of(directory: Path, owner: str) -> Iterator[Anchor | Damaged]:
    """Yield what every keeper holds of an owner's journal; `Damaged` where it cannot be read any more."""
    keepers = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    for keeper in keepers:
        with PrivateDirectory(keeper) as files:
            content = files.read_file(owner, bytes_max=RECORD_BYTES_MAX)
        if content is None:
            continue
        kept = unseal(ANCHOR_KIND, content, KeptAnchor)
        if isinstance(kept, Damaged):
            yield Damaged(f"the anchor that {keeper.name} keeps of {owner} {kept.reason}")
        elif (kept.owner, kept.keeper) != (owner, keeper.name):
            yield Damaged(f"what {keeper.name} keeps as the anchor of {owner} was copied from elsewhere")
        else:
            yield Anchor(sequence=kept.sequence, digest=kept.digest)
