"""The process of Redis: `python -m services.redis_server`, started by supervisord. It becomes the server.

It is no process of the mesh: no key, no seat, no heartbeat, and whoever writes into it can do without. Its only door is
a socket in the run directory. Where the settings name another Redis, or none, it rests until it is stopped.
"""

import argparse
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from services.redis_server.program import NoServerError, arguments_for, server_program
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.private_directory import PrivateFileError
from shared.mesh.redis_place import OwnRedis, RedisPlaceError, redis_place, resting_words
from shared.mesh.run_directory import RunDirectory, SocketPathError
from shared.mesh.settings import SettingsError, load_configuration

PROJECT: Final = Path(__file__).parents[2]
_PR_SET_PDEATHSIG: Final = 1
# An interpreter with next to nothing in it, which waits for the signal that ends it.
_REST: Final = ("-I", "-S", "-c", "import signal; signal.pause()")


class AnotherServerError(Exception):
    """Somebody listens where the server shall: the text says where."""


def main() -> int:
    """Become the server, or what rests in its place; return only when neither can be."""
    parser = argparse.ArgumentParser(prog="redis_server", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    root: Path = parser.parse_args().root
    try:
        configuration = load_configuration(root=root, environment=os.environ)
        place = redis_place(configuration, os.environ)
        if not isinstance(place, OwnRedis):
            words = resting_words(place)
            sys.stderr.write(f"redis: the mesh's own server {' '.join(words)}\n")
            _become(sys.executable, [*_REST, *words])
        with RunDirectory(configuration.run_directory) as run_directory:
            refuse_a_second_server(run_directory.socket_path(place.socket.name))
        _become(str(server_program()), arguments_for(place.socket))
    except (
        AnotherServerError,
        NoServerError,
        PrivateFileError,
        RedisPlaceError,
        SettingsError,
        SocketPathError,
    ) as error:
        sys.stderr.write(f"redis: {error}\n")
    return UNUSABLE


def refuse_a_second_server(path: Path) -> None:
    """Raise if somebody listens there: the server would take the place of the socket, and leave its owner unheard."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise AnotherServerError(f"another server listens at {path}: end it, `ss -xlp` names it")


def _become(program: str, arguments: Sequence[str]) -> NoReturn:
    """Go on as another program, which ends when our parent does: a server without supervisord is nobody's."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(UNUSABLE)
    sys.stderr.flush()
    os.execv(program, [program, *arguments])  # noqa: S606  # the server of the environment, or this interpreter


if __name__ == "__main__":
    sys.exit(main())
