"""Which code a process runs: a digest of the sources it was started from, for its peers to compare."""

import hashlib
from pathlib import Path
from typing import Final

PACKAGES: Final = ("proto", "shared", "services")
DIGITS: Final = 16


def build_id(root: Path) -> str:
    """Digest the names and contents of our packages below `root`, as they are on the disk now.

    A version number would not do: the process to be found out is the one that an upgrade forgot, or somebody edited.
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        for file in sorted((root / package).rglob("*.py")):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(root)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:DIGITS]
