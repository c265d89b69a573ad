"""How messages of one topic are put together for PUB/SUB: one packet, the topic in front, so that prefixes match.

`topic NUL (length frame)*`. What one turn of the loop publishes on a topic leaves as one packet, which saves a send,
an encryption and a wake-up for every message but the first.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

PACKET_BYTES_MAX: Final = 512 * 1024

_LENGTH: Final = struct.Struct("<I")
_LENGTH_BYTES: Final = _LENGTH.size
_length_bytes: Final = _LENGTH.pack
_length_at: Final = _LENGTH.unpack_from
_END_OF_TOPIC: Final = b"\0"


class PacketDamagedError(ValueError):
    """A packet whose lengths do not add up."""


def packets(topic: bytes, frames: Iterable[bytes]) -> Iterator[bytes]:
    """Put any number of frames into as many packets as it takes: a socket that is sent a larger one hangs up."""
    fitting: list[bytes] = []
    size = 0
    for frame in frames:
        if fitting and size + len(frame) > PACKET_BYTES_MAX:
            yield packed(topic, fitting)
            fitting, size = [], 0
        fitting.append(frame)
        size += len(frame) + _LENGTH_BYTES
    if fitting:
        yield packed(topic, fitting)


def packed(topic: bytes, frames: Iterable[bytes]) -> bytes:
    """Put frames of one topic into a packet."""
    parts = [topic, _END_OF_TOPIC]
    for frame in frames:
        parts += (_length_bytes(len(frame)), frame)
    return b"".join(parts)


def unpacked(packet: bytes) -> tuple[bytes, list[bytes]]:
    """Take a packet apart into its topic and frames."""
    topic, end, rest = packet.partition(_END_OF_TOPIC)
    if not end:
        raise PacketDamagedError("a packet without a topic")
    frames, end_of_frame, size = [], 0, len(rest)
    try:
        while end_of_frame < size:
            (length,) = _length_at(rest, end_of_frame)
            start = end_of_frame + _LENGTH_BYTES
            end_of_frame = start + length
            frames.append(rest[start:end_of_frame])
    except struct.error as error:
        raise PacketDamagedError("a packet that ends within a length") from error
    if end_of_frame != size:
        raise PacketDamagedError("a packet that ends within a frame")
    return topic, frames
