"""Puts bodies into envelopes in the name of one process: its instance, its epoch, its numbers, its clocks."""

from collections import Counter
from typing import Final

from proto.envelope import SCHEMA, Body, Envelope
from proto.topics import topic_of
from shared.mesh.clock import Clock


class Sender:
    """One per process and start. What it says on one socket is numbered without a hole."""

    def __init__(self, *, instance: str, epoch: int, clock: Clock) -> None:
        self.instance: Final = instance
        self.epoch: Final = epoch
        self._clock: Final = clock
        self._sequences: Final[Counter[str]] = Counter()

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
        socket = topic_of(type(body)).socket
        if sequence is None:
            self._sequences[socket] += 1
            sequence = self._sequences[socket]
        name = message_id or f"{self.instance}-{self.epoch}-{socket}-{sequence}"
        now_ns = self._clock.boot_ns()
        return Envelope(
            schema=SCHEMA,
            sender=self.instance,
            epoch=self.epoch,
            sequence=sequence,
            id=name,
            cause_id=cause_id or name,
            sent_wall_ns=self._clock.wall_ns(),
            boot_id=self._clock.boot_id,
            sent_boot_ns=now_ns,
            expires_boot_ns=None if valid_for_ns is None else now_ns + valid_for_ns,
            body=body,
        )
