"""A packet comes apart as it was put together, or not at all."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.bus.packet import PACKET_BYTES_MAX, PacketDamagedError, packed, packets, unpacked

TOPICS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40).map(str.encode)


@given(TOPICS, st.lists(st.binary(max_size=40), max_size=6))
def test_a_packet_comes_apart_as_it_was_put_together(topic: bytes, frames: list[bytes]) -> None:
    """Whatever the frames hold, NUL and lengths included, topic and frames come back."""
    assert unpacked(packed(topic, frames)) == (topic, frames)


def test_a_packet_begins_with_its_topic() -> None:
    """A subscription to a prefix of the topic matches the packet."""
    assert packed(b"binance/BTC/USDT/quote_seen", [b"x"]).startswith(b"binance/BTC/USDT/")


def test_a_packet_that_was_cut_loses_whole_frames_or_is_refused() -> None:
    """Cut between two frames it holds the ones before; cut anywhere else it is refused."""
    frames = [b"first", b"second"]
    whole, taken = packed(b"topic", frames), []
    for length in range(len(whole)):
        with contextlib.suppress(PacketDamagedError):
            taken.append(unpacked(whole[:length]))
    assert taken == [(b"topic", []), (b"topic", [b"first"])]


@pytest.mark.parametrize(
    "packet", [b"", b"no topic", b"t\0\1", b"t\0\5\0\0\0four", b"t\0\xff\xff\xff\xff"], ids=range(5)
)
def test_a_damaged_packet_is_refused(packet: bytes) -> None:
    """Lengths that do not add up, or a topic without an end, are one exception."""
    with pytest.raises(PacketDamagedError):
        unpacked(packet)


@given(st.lists(st.integers(0, PACKET_BYTES_MAX), max_size=8))
def test_many_frames_leave_in_packets_of_bounded_size(sizes: list[int]) -> None:
    """No packet is over its bound by more than what surrounds a frame, and together they hold every frame in order."""
    frames = [bytes(size) for size in sizes]
    sent = list(packets(b"topic", frames))
    assert all(len(packet) <= PACKET_BYTES_MAX + 64 for packet in sent)
    assert [frame for packet in sent for frame in unpacked(packet)[1]] == frames
