"""How messages of one topic are put together for PUB/SUB: one packet, the topic in front, so that prefixes match.

`topic NUL array`, where the array is MessagePack and holds the envelopes. What one turn of the loop publishes on a
topic leaves as one packet, which saves a send, an encryption and a wake-up for every message but the first.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from proto.envelope import MarketEnvelope

PACKET_BYTES_MAX: Final = 512 * 1024

_array_of: Final = msgspec.msgpack.Encoder().encode
_elements_of: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_END_OF_TOPIC: Final = b"\0"


class PacketDamagedError(ValueError):
    """A packet without a topic, or one whose content is not an array."""


def packed(topic: bytes, envelopes: Sequence[MarketEnvelope | msgspec.Raw]) -> bytes:
    """Put envelopes of one topic into a packet."""
    return topic + _END_OF_TOPIC + _array_of(envelopes)


def packets(topic: bytes, envelopes: Sequence[MarketEnvelope | msgspec.Raw]) -> Iterator[bytes]:
    """Put any number of envelopes into as many packets as it takes: a socket that is sent a larger one hangs up."""
    packet = packed(topic, envelopes)
    if len(packet) <= PACKET_BYTES_MAX or len(envelopes) == 1:
        yield packet
        return
    middle = len(envelopes) // 2
    yield from packets(topic, envelopes[:middle])
    yield from packets(topic, envelopes[middle:])


def as_written(frames: Iterable[bytes]) -> list[msgspec.Raw]:
    """Let envelopes that are bytes already go into a packet as they are."""
    return [msgspec.Raw(frame) for frame in frames]


def opened(packet: bytes) -> tuple[bytes, bytes]:
    """Take a packet apart into its topic and the array."""
    topic, end, array = packet.partition(_END_OF_TOPIC)
    if not end:
        raise PacketDamagedError("a packet without a topic")
    return topic, array


def unpacked(packet: bytes) -> tuple[bytes, list[bytes]]:
    """Take a packet apart into its topic and each envelope's bytes."""
    topic, array = opened(packet)
    try:
        return topic, [bytes(element) for element in _elements_of(array)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise PacketDamagedError(f"a packet whose content is not an array: {error}") from error
