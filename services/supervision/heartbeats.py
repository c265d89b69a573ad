"""Listens for heartbeats, at every health socket at once, as the operator."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.health import Heartbeat
from services.supervision.judgement import Beat
from services.supervision.mesh import Mesh
from shared.mesh.bus.latest import Listener
from shared.mesh.clock import Clock
from shared.mesh.operator import operator_hub

HEALTH: Final = "health"
# What counts as silence, and half a second for the connections.
LISTEN_S: Final = 2.0
_NS_PER_S: Final = 1_000_000_000


def beats_heard(mesh: Mesh, instances: Sequence[str]) -> Mapping[str, Beat]:
    """Return what is heard of each one.

    Ends when each was heard that has a socket, and else when those that are left are silent by any measure.
    """
    beating = [instance for instance in instances if _has_socket(mesh, instance)]
    heard = asyncio.run(_listen(mesh, beating)) if beating else {}
    return {instance: heard.get(instance, Beat(None, has_socket=False)) for instance in instances}


def _has_socket(mesh: Mesh, instance: str) -> bool:
    """Tell whether a process has, or should have, somewhere to be heard."""
    socket = f"{instance}.{HEALTH}"
    configuration = mesh.configuration
    return socket in configuration.settings.mesh.addresses or (configuration.run_directory / socket).is_socket()


async def _listen(mesh: Mesh, instances: Sequence[str]) -> Mapping[str, Beat]:
    with operator_hub(mesh.configuration) as hub:
        codec = EnvelopeCodec()
        ears = _Ears(mesh.clock, [instance for instance in instances if hub.knows(instance)])
        for instance in ears.awaited:
            Listener(hub=hub, instance=instance, name=HEALTH, codec=codec, on_envelope=ears.hear)
        try:
            async with asyncio.timeout(LISTEN_S):
                await ears.all_heard.wait()
        except TimeoutError:
            pass  # whoever was not heard is silent, which is an answer
        return ears.beats()


class _Ears:
    """Notes the latest heartbeat of each instance."""

    def __init__(self, clock: Clock, instances: Sequence[str]) -> None:
        self.awaited: Final = tuple(instances)
        self.all_heard: Final = asyncio.Event()
        self._clock: Final = clock
        self._latest: Final[dict[str, tuple[int, Heartbeat]]] = {}

    def hear(self, envelope: Envelope) -> None:
        """Take in what one of them said; the bus has made sure that it is the one it says it is."""
        if isinstance(envelope.body, Heartbeat) and envelope.boot_id == self._clock.boot_id:
            self._latest[envelope.sender] = (envelope.sent_boot_ns, envelope.body)
            if self._latest.keys() >= set(self.awaited):
                self.all_heard.set()

    def beats(self) -> Mapping[str, Beat]:
        """Return how old each one's latest heartbeat is, and whether it says that it is still coming up."""
        return {instance: self._beat(instance) for instance in self.awaited}

    def _beat(self, instance: str) -> Beat:
        if instance not in self._latest:
            return Beat(None)
        sent_boot_ns, heartbeat = self._latest[instance]
        age_s = (self._clock.boot_ns() - sent_boot_ns) / _NS_PER_S
        return Beat(age_s, boots=heartbeat.state == "booting", troubles=heartbeat.troubles)
