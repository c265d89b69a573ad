"""Somebody who hears what a process of the mesh says, over its real sockets."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.latest import Listener
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory

PATIENCE_S: Final = 90  # only a test that fails waits so long


def heard(root: Path, instance: str, socket: str, wanted: Callable[[Envelope], bool]) -> Envelope:
    """Return the first that an instance says on a socket and that is as wanted."""
    return asyncio.run(_heard(root, (instance, socket), wanted))


async def _heard(root: Path, place: tuple[str, str], wanted: Callable[[Envelope], bool]) -> Envelope:
    instance, socket = place
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Envelope] = loop.create_future()

    def take(envelope: Envelope) -> None:
        if not found.done() and wanted(envelope):
            found.set_result(envelope)

    with PrivateDirectory(root / "var/keys") as keys, RunDirectory(root / "var/run") as run_directory:
        hub = Hub(loop=loop, keys=load_key_ring(keys, "operator"), run_directory=run_directory, overrides={})
        try:
            Listener(hub=hub, instance=instance, name=socket, codec=EnvelopeCodec(), on_envelope=take)
            async with asyncio.timeout(PATIENCE_S):
                return await found
        finally:
            hub.close()
