"""Where tests that need TCP are reached: at an address of this machine that no other process uses."""

import os
import socket
from typing import Final

# All of 127.0.0.0/8 is this machine, and a process number has three bytes: so no two processes race for a port.
OUR_HOST: Final = ".".join(str(part) for part in (127, *os.getpid().to_bytes(3, "big")))

THIS_HOST: Final = "127.0.0.1"  # where processes of the mesh open theirs


def free_port(host: str = OUR_HOST) -> int:
    """Find a port of our address, or of another, that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
