"""A packet comes apart as it was put together, or not at all."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import MarketCodec
from shared.mesh.bus.packet import PACKET_BYTES_MAX, PacketDamagedError, as_written, opened, packed, packets, unpacked
from tests.proto.examples import a_market_envelope
from tests.proto.examples_of_data import MARKET_BODIES

TOPICS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40).map(str.encode)
FRAMES = st.binary(max_size=40).map(msgpack.packb)


@given(TOPICS, st.lists(FRAMES, max_size=20))
def test_a_packet_comes_apart_as_it_was_put_together(topic: bytes, frames: list[bytes]) -> None:
    """Whatever the frames hold, NUL included, topic and frames come back."""
    assert unpacked(packed(topic, as_written(frames))) == (topic, frames)


def test_a_packet_begins_with_its_topic() -> None:
    """A subscription to a prefix of the topic matches the packet."""
    assert packed(b"binance/BTC/USDT/quote_seen", []).startswith(b"binance/BTC/USDT/")


def test_envelopes_and_their_bytes_make_the_same_packet() -> None:
    """Whether a packet is made of messages or of frames written before, nobody can tell."""
    envelopes = [a_market_envelope(body) for body in MARKET_BODIES]
    codec = MarketCodec()
    packet = packed(b"topic", envelopes)
    assert packet == packed(b"topic", as_written(map(codec.encode, envelopes)))
    assert codec.decode_array(opened(packet)[1]) == envelopes


def test_a_stranger_reads_a_packet() -> None:
    """Behind the topic stands plain MessagePack."""
    _, _, array = packed(b"topic", [a_market_envelope(MARKET_BODIES[0])]).partition(b"\0")
    assert msgpack.unpackb(array)[0][-1][0] == "trade_seen.1"


def test_a_packet_that_was_cut_is_refused() -> None:
    """Wherever it was cut, nothing of it is believed."""
    whole = packed(b"topic", as_written(map(msgpack.packb, (b"first", b"second"))))
    for length in range(len(whole)):
        with pytest.raises(PacketDamagedError):
            unpacked(whole[:length])


@pytest.mark.parametrize(
    "packet",
    [b"", b"no topic", b"t\0\1", b"t\0\x92\1", b"t\0\xdd\xff\xff\xff\xff\1", b"t\0" + b"\x91" * 100_000],
    ids=range(6),
)
def test_a_damaged_packet_is_refused(packet: bytes) -> None:
    """No topic, no array, an array shorter than it says, or one too deep: it is one exception."""
    with pytest.raises(PacketDamagedError):
        unpacked(packet)


@given(st.lists(st.integers(0, PACKET_BYTES_MAX), max_size=8))
def test_many_frames_leave_in_packets_of_bounded_size(sizes: list[int]) -> None:
    """No packet is over its bound by more than what surrounds a frame, and together they hold every frame in order."""
    frames = [msgpack.packb(bytes(size)) for size in sizes]
    sent = list(packets(b"topic", as_written(frames)))
    assert all(len(packet) <= PACKET_BYTES_MAX + 64 for packet in sent)
    assert [frame for packet in sent for frame in unpacked(packet)[1]] == frames
