"""What a process says of which only the latest counts: its health, the account, the use of the limits.

PUB/SUB, and nothing is made good: whoever misses a message gets the next. Several kinds share a socket, so the queue
keeps all of them, and a listener that stood still drops what waited.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

import zmq

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.topics import Delivery
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.packet import PacketDamagedError, as_written, packed, unpacked
from shared.mesh.bus.rights import may_say
from shared.mesh.bus.sender import Sender


class Announcer:
    """Says the latest on one socket of ours, to whoever listens."""

    def __init__(self, *, hub: Hub, name: str, sender: Sender, codec: EnvelopeCodec) -> None:
        self._topic: Final = name.encode()
        self._sender: Final = sender
        self._codec: Final = codec
        self._socket: Final = hub.bind(zmq.PUB, name)

    def say(self, body: Body, cause_id: str | None = None) -> None:
        """Send it. PUB never blocks: whoever reads too slowly hears a later one."""
        frame = self._codec.encode(self._sender.envelope(body, cause_id=cause_id))
        self._socket.send(packed(self._topic, as_written([frame])), zmq.NOBLOCK)


class Listener:
    """Hears one socket of one instance, and hands on what that instance may say there; the rest is counted."""

    def __init__(
        self, *, hub: Hub, instance: str, name: str, codec: EnvelopeCodec, on_envelope: Callable[[Envelope], None]
    ) -> None:
        self.refused: Final[Counter[str]] = Counter()
        self._instance: Final = instance
        self._name: Final = name
        self._codec: Final = codec
        self._on_envelope: Final = on_envelope
        self._dropping = False
        self._socket: Final = hub.connect(zmq.SUB, instance, name)
        self._socket.subscribe(name.encode())
        self._drain: Final = hub.drain(self._socket, self._receive, on_empty=self._emptied)

    def slept(self) -> None:
        """Drop what is queued, up to the next time the queue is empty: this process stood still, and it is old."""
        self._dropping = True
        self._drain.look_again()

    def _receive(self, parts: list[bytes]) -> None:
        if self._dropping:
            return
        try:
            _, frames = unpacked(parts[0])
            envelopes = [self._codec.decode(frame) for frame in frames]
        except BadFrame as bad:
            self.refused[bad.reason] += 1
            return
        except PacketDamagedError:
            self.refused["damaged packet"] += 1
            return
        for envelope in envelopes:
            if may_say(self._instance, envelope, socket=self._name, deliveries=(Delivery.LATEST,)):
                self._on_envelope(envelope)
            else:
                self.refused["sender_may_say"] += 1

    def _emptied(self) -> None:
        self._dropping = False
