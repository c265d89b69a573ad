"""What the overseer remembers of each instance: the highest epoch it heard, and when supervisord saw it die.

The seat's own files know only who had the seat, and are lost with their directory; this stands beside them, and
outlives the overseer. The overseer writes it; `bowline status` reads it, and so does every process at its start, which
begins above the epoch it finds here. Without it less is noticed.
"""

from pathlib import Path
from typing import Final

import msgspec

from shared.mesh.clock import BootTime
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.sealed_record import RECORD_BYTES_MAX, Damaged, seal, unseal

PAST_LIVES_KIND: Final = "bowline-past-lives-1"


class PastLives(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One instance: `epoch` is 0 while none was heard, `deaths` are the last few."""

    instance: str
    epoch: int
    deaths: tuple[BootTime, ...]


def remember(directory: PrivateDirectory, past: PastLives) -> None:
    """Write down what is known of an instance."""
    directory.replace_file(past.instance, seal(PAST_LIVES_KIND, past))


def remembered(directory: Path, instance: str) -> PastLives:
    """Return what was written down of an instance; what cannot be read, or be believed, is forgotten."""
    nothing = PastLives(instance, 0, ())
    if not directory.is_dir():
        return nothing
    try:
        with PrivateDirectory(directory) as files:
            content = files.read_file(instance, bytes_max=RECORD_BYTES_MAX)
    except PrivateFileError:
        return nothing
    past = nothing if content is None else unseal(PAST_LIVES_KIND, content, PastLives)
    return nothing if isinstance(past, Damaged) or past.instance != instance else past
