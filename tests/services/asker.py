"""Somebody who asks a process of the mesh over its real sockets, and waits for the answer."""

import asyncio
from pathlib import Path
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Body
from proto.fields import Role
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory

TRIES_MAX: Final = 60  # of one and a half seconds each; only a test that fails asks so often


class Asker:
    """Asks in the mesh of one project, each time as another life of whoever it asks as."""

    def __init__(self, root: Path) -> None:
        self._root: Final = root
        self._lives = 0

    def ask(self, role: Role, instance: str, socket: str, body: Body, *, ask_id: str | None = None) -> Body | None:
        """Ask an instance, as somebody of a role, under an id of its own if none is given; None is no answer."""
        self._lives += 1
        return asyncio.run(self._asked(role, (instance, socket), body, ask_id))

    def answered(self, role: Role, instance: str, socket: str, body: Body) -> Body:
        """Ask, again under the same id while nobody answers, as on a busy machine: that is one request."""
        ask_id = f"{role}-{SystemClock().boot_ns()}"
        for _ in range(TRIES_MAX):
            if (answer := self.ask(role, instance, socket, body, ask_id=ask_id)) is not None:
                return answer
        raise AssertionError(f"{instance} does not answer {body}")

    async def _asked(self, role: Role, place: tuple[str, str], body: Body, ask_id: str | None) -> Body | None:
        clock, (instance, socket) = SystemClock(), place
        with (
            PrivateDirectory(self._root / "var/keys") as keys,
            RunDirectory(self._root / "var/run") as run_directory,
        ):
            ring = load_key_ring(keys, role)
            hub = Hub(loop=asyncio.get_running_loop(), keys=ring, run_directory=run_directory, overrides={})
            try:
                sender = Sender(instance=role, epoch=self._lives, clock=clock)
                requester = Requester(
                    hub=hub, instance=instance, name=socket, sender=sender, clock=clock, codec=EnvelopeCodec()
                )
                return (await requester.ask(body, message_id=ask_id)).envelope.body
            except RequestTimedOutError:
                return None
            finally:
                hub.close()
