"""The TCP ports that programs open on this host for others than the mesh, each with the setting that says it."""

import os
import socket
from dataclasses import dataclass
from typing import Final

HOST: Final = "127.0.0.1"  # nobody else's business: what passes there is not encrypted


@dataclass(frozen=True, slots=True)
class Door:
    """One port, and the key it is chosen with."""

    key: str
    port: int

    @property
    def address(self) -> str:
        """Where it is, once it is open."""
        return f"http://{HOST}:{self.port}"

    def fault(self, error: OSError) -> str:
        """Say that it cannot be opened, and what to do."""
        return (
            f"port {self.port} of {HOST} cannot be had ({os.strerror(error.errno or 0)}): end whoever has it, "
            f"which `ss -ltnp` names, or choose another in {self.key}"
        )

    def trouble(self) -> str:
        """Try to open it as its program will, and say why that cannot be; empty where it can."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was shut a moment ago is free
            try:
                probe.bind((HOST, self.port))
                probe.listen()
            except OSError as error:
                return self.fault(error)
        return ""
