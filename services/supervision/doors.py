"""Whether the ports that programs open can be had, before anything is started that would end for want of one."""

from collections.abc import Iterator, Sequence

from services.supervision.mesh import Mesh
from shared.mesh.fencing import Incumbent, incumbent
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.settings import Settings
from shared.mesh.settings.doors import Door


def taken_doors(mesh: Mesh, seats: PrivateDirectory, instances: Sequence[str]) -> Iterator[str]:
    """Say which of these programs could not open its ports; one that runs has them itself."""
    for instance in instances:
        doors = doors_of(instance, mesh.configuration.settings)
        if doors and not _runs(mesh, seats, instance):
            yield from (f"{instance} cannot start: {trouble}" for door in doors if (trouble := door.trouble()))


def doors_of(instance: str, settings: Settings) -> Sequence[Door]:
    """Return what a program opens beside its sockets in the mesh."""
    match instance:
        case "exchange":
            doors = (settings.sim_exchange.door, settings.sim_exchange.admin_door)
            return [door for door in doors if door is not None]
        case "metrics":
            return [settings.metrics.door]
        case _:
            return []


def _runs(mesh: Mesh, seats: PrivateDirectory, instance: str) -> bool:
    found = incumbent(mesh.post(instance, seats))
    if isinstance(found, Incumbent):
        found.handle.close()
    return found is not None
