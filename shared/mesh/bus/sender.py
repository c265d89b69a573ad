"""Puts bodies into envelopes in the name of one process: its role, its epoch, its numbers, its clocks."""

from typing import Final

from proto.envelope import SCHEMA, Body, Envelope
from shared.mesh.bus.keys import role_of
from shared.mesh.clock import Clock


class Sender:
    """One per process and start. Every envelope it makes has the next number of its epoch."""

    def __init__(self, *, instance: str, epoch: int, clock: Clock) -> None:
        self.instance: Final = instance
        self.role: Final = role_of(instance)
        self.epoch: Final = epoch
        self._clock: Final = clock
        self._sequence = 0

    def envelope(
        self,
        body: Body,
        *,
        cause_id: str | None = None,
        message_id: str | None = None,
        sequence: int | None = None,
        valid_for_ns: int | None = None,
    ) -> Envelope:
        """Wrap a body. `message_id` is given where saying it twice is saying it once; without a cause it is its own.

        `sequence` is given where a journal numbers the message, and not this sender.
        """
        self._sequence += 1
        name = message_id or f"{self.instance}-{self.epoch}-{self._sequence}"
        now_ns = self._clock.boot_ns()
        return Envelope(
            schema=SCHEMA,
            sender=self.role,
            epoch=self.epoch,
            sequence=self._sequence if sequence is None else sequence,
            id=name,
            cause_id=cause_id or name,
            sent_wall_ns=self._clock.wall_ns(),
            boot_id=self._clock.boot_id,
            sent_boot_ns=now_ns,
            expires_boot_ns=None if valid_for_ns is None else now_ns + valid_for_ns,
            body=body,
        )
