"""Sets the kill latch on a disk that is full, and on one that is read-only. Run by a test in a mount of its own."""

import os
import sys
from pathlib import Path

from proto.risk import Latch
from shared.mesh.halt_file import HaltFile
from shared.mesh.private_directory import FileUnusableError


def main() -> None:
    """Say what each attempt came to."""
    disk = Path(sys.argv[1])
    halt = HaltFile(disk)
    (disk / "filling").write_bytes(b"")
    descriptor = os.open(disk / "filling", os.O_WRONLY)
    try:
        while os.write(descriptor, b"x" * 4_096):
            pass
    except OSError as error:
        sys.stdout.write(f"{error.strerror}\n")
    os.close(descriptor)
    halt.make(Latch("kill-1", "operator", "a test", 1))
    latch = halt.latch()
    assert latch is not None
    sys.stdout.write(f"full: {(disk / 'HALT').stat().st_size} bytes, {latch.reason}\n")
    sys.stdout.write(f"full: taken away {halt.take_away(latch.latch_id)}\n")
    try:
        HaltFile(Path(sys.argv[2])).make(Latch("kill-1", "operator", "a test", 1))
    except FileUnusableError as error:
        sys.stdout.write(f"read-only: {str(error).rpartition(': ')[2]}\n")


if __name__ == "__main__":
    main()
