"""Starts a role on a disk that is full, and on one that is read-only. Run by a test inside a mount of its own."""

import os
import subprocess
import sys
from pathlib import Path

from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.seat import Post, Standby, take_seat


def main() -> None:
    """Say what each start came to."""
    disk = Path(sys.argv[1])
    post = Post("executor", PrivateDirectory(disk), SystemClock())
    filling = disk / "filling"
    _fill(filling)
    _try(post, "full before the first start")
    filling.unlink()
    _try(post, "room again")
    _fill(filling)
    _try(post, "full")
    filling.unlink()
    _try(post, "room again")
    _remount(disk, "ro")
    _try(post, "read-only")
    _remount(disk, "rw")
    _try(post, "writable again")


def _try(post: Post, when: str) -> None:
    try:
        seat = take_seat(post)
    except PrivateFileError as error:
        reason = str(error).rpartition(": ")[2]
        sys.stdout.write(f"{when}: {type(error).__name__}, {reason}\n")
        return
    if isinstance(seat, Standby):
        sys.stdout.write(f"{when}: {seat.words}\n")
        return
    sys.stdout.write(f"{when}: epoch {seat.epoch}\n")
    seat.stop()


def _fill(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    for size in (4_096, 1):
        try:
            while os.write(descriptor, b"x" * size):
                pass
        except OSError:
            continue
    os.close(descriptor)


def _remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True)


if __name__ == "__main__":
    main()
