"""How a verb speaks on the bus: as the operator, from a hub of its own for as long as it needs one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.risk import RiskSnapshot
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.latest import Listener
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from shared.mesh.settings import Configuration

OPERATOR: Final = "operator"
RISK: Final = "risk"
# It is said once a second; and half a second for the connection.
SNAPSHOT_SECONDS: Final = 2.5


@contextmanager
def operator_hub(configuration: Configuration) -> Iterator[Hub]:
    """Open the operator's hub on the running loop."""
    with (
        PrivateDirectory(configuration.keys_directory) as keys,
        RunDirectory(configuration.run_directory) as run_directory,
    ):
        hub = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(keys, OPERATOR),
            run_directory=run_directory,
            overrides=configuration.settings.mesh.addresses,
        )
        try:
            yield hub
        finally:
            hub.close()


def risk_heard(configuration: Configuration) -> RiskSnapshot | None:
    """Return what risk says of itself now; None if it says nothing, as where there is no socket or no key of it."""
    socket = f"{RISK}.{RISK}"
    addresses, run_directory = configuration.settings.mesh.addresses, configuration.run_directory
    if not configuration.keys_directory.is_dir() or not (socket in addresses or (run_directory / socket).is_socket()):
        return None
    return asyncio.run(_risk_heard(configuration))


async def _risk_heard(configuration: Configuration) -> RiskSnapshot | None:
    heard: asyncio.Future[RiskSnapshot] = asyncio.get_running_loop().create_future()

    def hear(envelope: Envelope) -> None:
        if isinstance(envelope.body, RiskSnapshot) and not heard.done():
            heard.set_result(envelope.body)

    with operator_hub(configuration) as hub:
        if not hub.knows(RISK):
            return None
        Listener(hub=hub, instance=RISK, name=RISK, codec=EnvelopeCodec(), on_envelope=hear)
        try:
            return await asyncio.wait_for(heard, SNAPSHOT_SECONDS)
        except TimeoutError:
            return None
