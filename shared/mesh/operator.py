"""How a verb speaks on the bus: as the operator, from a hub of its own for as long as it needs one."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from shared.mesh.settings import Configuration

OPERATOR: Final = "operator"


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
