"""Where sockets stand that cannot stand in the run directory: a mesh over several hosts names an address for each.

One entry is `risk.control=tcp://10.0.0.2:5555`. Every process reads the same list: the owner binds there, the others
connect. So an address is one that can be bound: ZeroMQ binds to no host names.
"""

import ipaddress
import os
import re
from collections.abc import Sequence

from proto.topics import ANY_SOCKET, TOPICS
from shared.mesh.instances import EXPECTED, INSTANCE
from shared.mesh.run_directory import SOCKET_PATH_BYTES_MAX
from shared.mesh.settings.values import refusal

ENDPOINTS_MAX = 200
SOCKETS = tuple(sorted({topic.socket for topic in TOPICS} - {ANY_SOCKET}))
_TCP = re.compile(r"tcp://([0-9.]+):([1-9][0-9]{0,4})")
_IPC = re.compile(r"ipc://(/[\x21-\x2b\x2d-\x7e]+)")  # no space and no comma, which separates entries in a variable
_PORT_MAX = 65_535


def checked_endpoints(value: object) -> tuple[str, ...]:
    """Return the entries as they were written; refuse by its place what no socket or no address is, or comes twice."""
    if not isinstance(value, list | tuple) or len(value) > ENDPOINTS_MAX:
        raise refusal(f"must be a list of at most {ENDPOINTS_MAX} entries such as risk.control=tcp://10.0.0.2:5555")
    entries = tuple(str(entry).strip() for entry in value)
    for place, entry in enumerate(entries, start=1):
        if fault := _fault(entry):
            raise refusal(f"entry {place} {fault}")
    for what, half in (("socket", 0), ("address", 1)):
        halves = [entry.split("=", 1)[half] for entry in entries]
        again = next((place for place, found in enumerate(halves) if found in halves[:place]), None)
        if again is not None:
            first = halves.index(halves[again]) + 1
            raise refusal(f"entry {again + 1} has the {what} of entry {first}: each stands at an address of its own")
    return entries


def addresses(entries: Sequence[str]) -> dict[str, str]:
    """Return the address of each socket named."""
    return {socket: address for socket, _, address in (entry.partition("=") for entry in entries)}


def _fault(entry: str) -> str:
    """Say why an entry names no socket, or no address for it; empty when it does."""
    owned, equals, address = entry.partition("=")
    instance, dot, socket = owned.partition(".")
    if not equals or not dot:
        return "is not written instance.socket=address, such as risk.control=tcp://10.0.0.2:5555"
    if not INSTANCE.fullmatch(instance):
        return f"names no instance before its dot: {EXPECTED}"
    if socket not in SOCKETS:
        return f"names no socket behind its dot: there are {', '.join(SOCKETS)}"
    if match := _TCP.fullmatch(address):
        return _tcp_fault(match[1], int(match[2]))
    if match := _IPC.fullmatch(address):
        too_long = len(os.fsencode(match[1])) > SOCKET_PATH_BYTES_MAX
        return f"has a path of more than {SOCKET_PATH_BYTES_MAX} bytes: no socket can stand there" if too_long else ""
    return "has no address that can be used: write tcp://10.0.0.2:5555, or ipc:// and an absolute path without spaces"


def _tcp_fault(host: str, port: int) -> str:
    try:
        number = ipaddress.IPv4Address(host)
    except ValueError:
        return "has no IPv4 address behind tcp://: write the host's number, such as 10.0.0.2"
    if number.is_unspecified or number.is_multicast:
        return "has an IPv4 address that no host has: others must be able to connect to it"
    return "" if port <= _PORT_MAX else f"has a port above {_PORT_MAX}"
