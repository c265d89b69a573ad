"""The short private directory the sockets of a mesh stand in.

A unix socket's address has 107 bytes and no more; ours are checked before the bus binds one, since its own error names
no reason. Locks and epochs may lie here too, but better in a directory that survives a reboot.
"""

import os
import stat
from pathlib import Path
from typing import Final, Self

from shared.mesh.private_directory import NAME, NotPrivateError, PrivateDirectory

SOCKET_PATH_BYTES_MAX: Final = 107


class SocketPathError(Exception):
    """A socket cannot stand where it is wanted; the text says why and what to do."""


def length_fault(path: Path) -> str:
    """Say that a socket's path is too long, and by how much; empty when it is not."""
    length = len(os.fsencode(path))
    if length <= SOCKET_PATH_BYTES_MAX:
        return ""
    return (
        f"is {length} bytes long, and a unix socket's path has at most {SOCKET_PATH_BYTES_MAX}: "
        f"configure a run directory that is at least {length - SOCKET_PATH_BYTES_MAX} bytes shorter"
    )


class RunDirectory:
    """The run directory, opened and checked as every private directory is."""

    def __init__(self, path: Path) -> None:
        self.files: Final = PrivateDirectory(path)
        self.path: Final = self.files.path

    def socket_path(self, name: str) -> Path:
        """Return where the socket of this name stands, having looked that it may: short enough, and no stranger there.

        A socket file of ours is what a killed process leaves behind; whoever binds replaces it.
        """
        path = self.path / name
        if not NAME.fullmatch(name):
            raise SocketPathError(f"no socket can be called {name!r}: use small letters, digits, '.', '_' and '-'")
        if fault := length_fault(path):
            raise SocketPathError(f"{path} {fault}")
        try:
            status = path.lstat()
        except FileNotFoundError:
            return path
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            raise NotPrivateError(path, "stands where our socket belongs and is none of ours: remove it")
        return path

    def endpoint(self, name: str) -> str:
        """Return the address of a socket as the bus writes it."""
        return f"ipc://{self.socket_path(name)}"

    def close(self) -> None:
        """Let the directory go; sockets in it stay."""
        self.files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
