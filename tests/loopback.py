"""Where tests that need TCP are reached: at an address of this machine, or a port of it, that no other process uses."""

import os
import random
import socket
from pathlib import Path
from typing import Final

# All of 127.0.0.0/8 is this machine, and a process number has three bytes: so no two processes race for a port.
OUR_HOST: Final = ".".join(str(part) for part in (127, *os.getpid().to_bytes(3, "big")))

THIS_HOST: Final = "127.0.0.1"  # where processes of the mesh open theirs

PORT_LEAST: Final = 10_000
KERNELS_OWN: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
TRIES_MAX: Final = 1_000
_DRAWS: Final = random.Random(os.getpid())  # noqa: S311 -- so that each process begins elsewhere


def free_port(host: str = OUR_HOST) -> int:
    """Find a port of our address, or of another, that nobody listens on, and that no other test is given meanwhile.

    Those that the kernel gives to whoever wants any are left out: until a process of ours has opened its port, a test
    beside this one may have had it.
    """
    kernels_least = int(KERNELS_OWN.read_text(encoding="ascii").split()[0])
    ports = range(PORT_LEAST, kernels_least) or range(PORT_LEAST, 65_536)
    for port in (_DRAWS.choice(ports) for _ in range(TRIES_MAX)):
        with socket.socket(socket.AF_UNIX) as ours, socket.socket() as probe:
            try:
                ours.bind(f"\0port {port} of bowline's tests")
                probe.bind((host, port))
            except OSError:  # another test has it, or somebody else
                continue
            ours.detach()  # it stays open, and the port ours, until this process ends
            return port
    raise AssertionError(f"{TRIES_MAX} ports of {host} are not free")
