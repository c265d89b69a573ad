"""How messages of one topic are put together for PUB/SUB: one packet, the topic in front, so that prefixes match.

`topic NUL (length frame)*`. What one turn of the loop publishes on a topic leaves as one packet, which saves a send,
an encryption and a wake-up for every message but the first.
"""

import struct
from collections.abc import Iterable
from typing import Final

_LENGTH: Final = struct.Struct("<I")
_END_OF_TOPIC: Final = b"\0"


class PacketDamagedError(ValueError):
    """A packet whose lengths do not add up."""


def packed(topic: bytes, frames: Iterable[bytes]) -> bytes:
    """Put frames of one topic into a packet."""
    parts = [topic, _END_OF_TOPIC]
    for frame in frames:
        parts += (_LENGTH.pack(len(frame)), frame)
    return b"".join(parts)


def unpacked(packet: bytes) -> tuple[bytes, list[bytes]]:
    """Take a packet apart into its topic and frames."""
    topic, end, rest = packet.partition(_END_OF_TOPIC)
    if not end:
        raise PacketDamagedError("a packet without a topic")
    frames, at, size = [], 0, len(rest)
    while at < size:
        if at + _LENGTH.size > size:
            raise PacketDamagedError("a packet that ends within a length")
        (length,) = _LENGTH.unpack_from(rest, at)
        at += _LENGTH.size
        if at + length > size:
            raise PacketDamagedError("a packet that ends within a frame")
        frames.append(rest[at : at + length])
        at += length
    return topic, frames
