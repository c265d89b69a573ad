"""The floor of the order path: four bare hops of blocking sockets, encrypted, and two bare writes, each made durable.

`python -m tests.bench.order_floor RUN_DIRECTORY PLACE PAYLOAD_BYTES RECORD_BYTES`, once for each place from 1 to 4: it
takes a payload from the place before it, writes a record where there is one, and hands a payload on. The first eight
bytes say when the first was sent. The third place adds when its record was durable, and the last one answers with all
of it. An empty payload ends them.
"""

import os
import sys
from pathlib import Path
from typing import Final

import msgspec
import zmq

from shared.mesh.bus.hub import Socket
from shared.mesh.clock import boot_ns_now
from tests.bench.bus_peer import floor_socket
from tests.bench.lines import answer

PLACES: Final = 4
AFTER_WRITES: Final = 3  # the place at which both records are durable
WORD: Final = 8


class Passed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When a payload was sent, when both records were durable, and when it came to the end."""

    sent_ns: int
    durable_ns: int
    came_ns: int


def hop(run_directory: Path, place: int, *, binds: bool) -> Socket:
    """Open one end of the hop to a place."""
    return floor_socket(
        zmq.PULL if binds else zmq.PUSH, run_directory, binds=binds, secured=True, address=f"floor-{place}"
    )


def relay(run_directory: Path, place: int, *, payload_bytes: int, record_bytes: int) -> list[Passed]:
    """Take, write, hand on, until there comes an empty payload."""
    before = hop(run_directory, place, binds=True)
    behind = hop(run_directory, place + 1, binds=False) if place < PLACES else None
    file = os.open(run_directory / f"floor-record-{place}", os.O_RDWR | os.O_CREAT, 0o600)
    record, filling, written, passed = bytes(record_bytes), bytes(payload_bytes - 2 * WORD), 0, []
    while payload := before.recv():
        if record_bytes:
            os.pwrite(file, record, written)
            os.fdatasync(file)
            written += record_bytes
        head = payload[:WORD] + boot_ns_now().to_bytes(WORD, "big") if place == AFTER_WRITES else payload[: 2 * WORD]
        if behind is not None:
            behind.send(head + filling)
        else:
            sent_ns, durable_ns = (int.from_bytes(head[at : at + WORD], "big") for at in (0, WORD))
            passed.append(Passed(sent_ns, durable_ns, boot_ns_now()))
    if behind is not None:
        behind.send(b"")
    os.close(file)
    return passed


if __name__ == "__main__":
    answer(relay(Path(sys.argv[1]), int(sys.argv[2]), payload_bytes=int(sys.argv[3]), record_bytes=int(sys.argv[4])))
