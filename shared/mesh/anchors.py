"""Where a process keeps the anchors of others' journals: the last record it saw each of them vouch for.

Whoever follows an owner's events keeps the owner's anchor in a file of its own, about as old as a heartbeat, with the
epoch the owner had then. The owner holds its journal and its epoch against what all of them keep when it opens the
journal, so that a lost tail, or an old copy put back, is noticed. A keeper's file is not the owner's: what damages the
one leaves the other alone.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta

from proto.risk import Anchor
from shared.mesh.epoch import EPOCH_MAX
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.sealed_record import RECORD_BYTES_MAX, Damaged, seal, unseal

ANCHOR_KIND: Final = "bowline-anchor-2"
CLOSING_SECONDS_MAX: Final = 1.0

log: Final = structlog.get_logger("service")


class KeptAnchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose journal, who keeps it, and what the owner said."""

    owner: str
    keeper: str
    epoch: Annotated[int, Meta(ge=0, lt=EPOCH_MAX)]
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What one heartbeat of an owner said: the end of its journal, and the epoch it had."""

    anchor: Anchor
    epoch: int


class AnchorKeeper:
    """Keeps the anchors of those that one process follows: the newest of each, written in a thread of its own.

    A disk takes its time for what is durable, and nobody who follows may wait for it. What a newer anchor overtakes is
    never written. A disk that takes none weakens a proof, which is said once, and stops nothing.
    """

    def __init__(
        self, directory: Path, keeper: str, *, opened: Callable[[Path], PrivateDirectory] = PrivateDirectory
    ) -> None:
        self._keeper: Final = keeper
        self._files: Final = opened(directory / keeper)
        self._changed: Final = threading.Condition()
        self._pending: Final[dict[str, Witnessed]] = {}
        self._closing = False
        self._kept: Final[dict[str, Witnessed]] = {}
        self._keeps = True
        # A daemon: a disk that hangs must not keep the process from ending.
        self._thread: Final = threading.Thread(target=self._write_all, name="anchor keeper", daemon=True)
        self._thread.start()

    def keep(self, owner: str, witnessed: Witnessed) -> None:
        """Have it written down durably, unless it is what was written last; one that still waits is replaced."""
        with self._changed:
            self._pending[owner] = witnessed
            self._changed.notify()

    def close(self) -> None:
        """Write what waits and give the directory back; a disk that takes longer than a moment is left behind."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSING_SECONDS_MAX)
        if not self._thread.is_alive():  # or its descriptor could come to mean another directory while it is in use
            self._files.close()

    def _write_all(self) -> None:
        while (found := self._next()) is not None:
            owner, witnessed = found
            if self._kept.get(owner) != witnessed:
                self._write(owner, witnessed)

    def _next(self) -> tuple[str, Witnessed] | None:
        """Wait for an anchor, the longest-waiting owner's first; None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closing)
            if not self._pending:
                return None
            owner = next(iter(self._pending))
            return owner, self._pending.pop(owner)

    def _write(self, owner: str, witnessed: Witnessed) -> None:
        kept = KeptAnchor(
            owner=owner,
            keeper=self._keeper,
            epoch=witnessed.epoch,
            sequence=witnessed.anchor.sequence,
            digest=witnessed.anchor.digest,
        )
        try:
            self._files.replace_file(owner, seal(ANCHOR_KIND, kept))
        except PrivateFileError as error:
            if self._keeps:
                log.critical("an anchor cannot be kept", owner=owner, reason=str(error))
            self._keeps = False
        else:
            self._kept[owner] = witnessed
            self._keeps = True


def anchors_of(directory: Path, owner: str) -> Iterator[Witnessed | Damaged]:
    """Yield what every keeper holds of an owner's journal; `Damaged` where it cannot be read, or not be believed."""
    keepers = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    for keeper in keepers:
        found = _kept_by(keeper, owner)
        if found is not None:
            yield found


def _kept_by(keeper: Path, owner: str) -> Witnessed | Damaged | None:
    try:
        with PrivateDirectory(keeper) as files:
            content = files.read_file(owner, bytes_max=RECORD_BYTES_MAX)
    except PrivateFileError as error:  # what is wrong with a keeper's files must not keep the owner from starting
        return Damaged(f"the anchor that {keeper.name} keeps of {owner} cannot be believed: {error}")
    if content is None:
        return None
    kept = unseal(ANCHOR_KIND, content, KeptAnchor)
    if isinstance(kept, Damaged):
        return Damaged(f"the anchor that {keeper.name} keeps of {owner} {kept.reason}")
    if (kept.owner, kept.keeper) != (owner, keeper.name):
        return Damaged(f"what {keeper.name} keeps as the anchor of {owner} was copied from elsewhere")
    return Witnessed(Anchor(sequence=kept.sequence, digest=kept.digest), kept.epoch)
