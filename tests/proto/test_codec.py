"""What the codec takes, and everything it must refuse."""

import gc
import resource
import tracemalloc
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import get_args

import msgpack
import msgspec
import pytest
from hypothesis import given, settings

from proto.codec import MARKET_BYTES_MAX, BadFrame, BadFrameReason, EnvelopeCodec, MarketCodec
from proto.control import Kill
from proto.envelope import Body, Envelope, MarketEnvelope
from proto.fields import MarketMessage, Message
from proto.market import MarketBody, TradeSeen
from proto.topics import tag_of
from tests.proto.corpus import BadCase, bad_cases
from tests.proto.examples import BODIES, a_market_envelope, an_envelope
from tests.proto.examples_of_data import MARKET_BODIES
from tests.proto.generated import envelopes, market_envelopes

KILL = Kill(actor="ada", reason="prices look wrong")
CODEC = EnvelopeCodec()
MARKET_CODEC = MarketCodec()


def refusal_of(case: BadCase) -> BadFrameReason | None:
    """Decode a case and say why it was refused, or None when it was taken."""
    return refusal_by((MARKET_CODEC if case.market else CODEC).decode, case.frame)


def refusal_by(decode: Callable[[bytes], object], frame: bytes) -> BadFrameReason | None:
    """Say why one way of decoding refuses a frame, or None when it takes it."""
    try:
        decode(frame)
    except BadFrame as error:
        refusal = error
    else:
        return None
    assert len(str(refusal)) < 300, "what an attacker wrote fills our logs"
    assert str(refusal).isascii()
    assert str(refusal).isprintable()
    return refusal.reason


def test_every_message_has_an_example() -> None:
    """The examples, and so every test built on them, leave no message out."""
    assert {type(body) for body in BODIES} == set(get_args(Body))
    assert {type(body) for body in MARKET_BODIES} == set(get_args(MarketBody))


@given(envelopes())
@settings(max_examples=400)
def test_an_envelope_comes_back_as_it_went(envelope: Envelope) -> None:
    """Any lawful envelope survives encoding and decoding unchanged."""
    assert CODEC.decode(CODEC.encode(envelope)) == envelope


@given(envelopes())
@settings(max_examples=100)
def test_a_stored_envelope_comes_back_as_it_went(envelope: Envelope) -> None:
    """A journal reader reads what today's writer wrote."""
    assert CODEC.decode_stored(CODEC.encode(envelope)) == envelope


@given(market_envelopes())
@settings(max_examples=200)
def test_a_market_envelope_comes_back_as_it_went(envelope: MarketEnvelope) -> None:
    """Any lawful market message survives encoding and decoding unchanged, floats to the last bit."""
    assert MARKET_CODEC.decode(MARKET_CODEC.encode(envelope)) == envelope


@pytest.mark.parametrize("body", BODIES, ids=lambda body: tag_of(type(body)))
def test_every_message_round_trips(body: Body) -> None:
    """Every message goes through the codec and comes out equal, with its own type."""
    decoded = CODEC.decode(CODEC.encode(an_envelope(body)))
    assert decoded.body == body
    assert type(decoded.body) is type(body)


@pytest.mark.parametrize("body", MARKET_BODIES, ids=lambda body: tag_of(type(body)))
def test_every_market_message_round_trips(body: MarketBody) -> None:
    """Every market message goes through the codec and comes out equal."""
    assert MARKET_CODEC.decode(MARKET_CODEC.encode(a_market_envelope(body))).body == body


def test_an_array_is_read_whole_or_refused_for_its_first_bad_message() -> None:
    """A packet's content is refused for the reason for which its first bad message would be refused alone."""
    good = [a_market_envelope(body) for body in MARKET_BODIES]
    array = msgspec.msgpack.encode(good)
    assert MARKET_CODEC.decode_array(array) == good
    count = 0
    for case in bad_cases():
        if case.market and case.reason in {BadFrameReason.BAD_FIELD, BadFrameReason.UNKNOWN_KIND}:
            with pytest.raises(BadFrame) as refused:
                MARKET_CODEC.decode_array(msgspec.msgpack.encode([*good, msgspec.Raw(case.frame), *good]))
            assert refused.value.reason == case.reason, case.name
            count += 1
    assert count >= 100
    for broken in (b"", array[:-1], array + b"\0", msgspec.msgpack.encode(good[0]), b"\x91" * 100_000):
        with pytest.raises(BadFrame) as refused:
            MARKET_CODEC.decode_array(broken)
        assert refused.value.reason == BadFrameReason.MALFORMED
    with pytest.raises(BadFrame, match="too_large"):
        MARKET_CODEC.decode_array(bytes(MARKET_BYTES_MAX + 1))


def test_every_bad_frame_is_refused_for_its_reason() -> None:
    """Thousands of bad frames, each refused with the one exception, for the reason that is true."""
    count, wrong = 0, []
    for case in bad_cases():
        count += 1
        reason = refusal_of(case)
        if reason is None or case.reason not in (None, reason):
            wrong.append(f"{case.name}: {reason}, expected {case.reason}")
    assert not wrong, "\n".join(wrong[:20])
    assert count >= 1_000


def test_a_journal_reader_is_as_strict_as_the_wire() -> None:
    """What the wire refuses, for whatever reason, a journal reader refuses for the same."""
    for case in bad_cases():
        if not case.market:
            assert refusal_by(CODEC.decode_stored, case.frame) == refusal_of(case), case.name


def test_what_somebody_has_to_read_is_read_back_first() -> None:
    """A message that no reader would take is refused before it is sent or stored."""
    envelope = an_envelope(Kill(actor="ada", reason=""))
    with pytest.raises(BadFrame):
        CODEC.encode_proved(envelope)
    assert CODEC.decode_stored(CODEC.encode_proved(an_envelope(KILL))).body == KILL


def test_bad_frames_leave_no_memory_behind() -> None:
    """Going through the bad frames again and again keeps memory flat."""
    cases = [case for case in bad_cases() if len(case.frame) < 100_000]
    tracemalloc.start()
    try:
        before = _memory_after_refusing(cases)
        after = _memory_after_refusing(cases)
    finally:
        tracemalloc.stop()
    assert after - before < 16 * 1024


def _memory_after_refusing(cases: list[BadCase]) -> int:
    Counter(map(refusal_of, cases))
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_a_frame_that_declares_billions_allocates_nothing() -> None:
    """A length that lies cannot make the reader reserve memory for it."""
    declared = [case for case in bad_cases() if "4 billion" in case.name]
    assert declared
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert None not in map(refusal_of, declared)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 4 * 1024


def test_a_frame_may_come_as_any_kind_of_bytes() -> None:
    """Sockets hand over bytes or views of their buffers; both are read."""
    envelope = an_envelope(BODIES[0])
    frame = CODEC.encode(envelope)
    assert CODEC.decode(memoryview(frame)) == CODEC.decode(bytearray(frame)) == envelope


def test_plain_msgpack_writes_a_frame_the_codec_takes() -> None:
    """A twenty-line script with the plain msgpack package can speak to the mesh."""
    plain = [1, "operator", 1, 1, "a-1", "a-1", 1_790_000_000, "b7c1", 5, None, ["kill.1", "ada", "prices look wrong"]]
    envelope = CODEC.decode(msgpack.packb(plain))
    assert envelope.body == KILL


def test_a_float_where_money_belongs_is_refused() -> None:
    """A number that arrives as a float or an integer, which msgspec would convert, is not a Decimal."""
    plain = msgpack.unpackb(CODEC.encode(an_envelope(BODIES[4])))
    for value in (0.00312, 1, 0):
        plain[-1][3] = value
        with pytest.raises(BadFrame) as refused:
            CODEC.decode(msgpack.packb(plain))
        assert refused.value.reason in {BadFrameReason.NOT_CANONICAL, BadFrameReason.BAD_FIELD}


def test_a_frame_too_large_to_read_is_never_written() -> None:
    """A writer learns at once that its message is too large for any reader."""
    many = tuple("y" * 500 for _ in range(1_200))
    body = next(body for body in BODIES if tag_of(type(body)) == "reconcile_finished.1")
    with pytest.raises(ValueError, match="ReconcileFinished takes 60"):
        CODEC.encode(an_envelope(msgspec.structs.replace(body, differences=many)))


@pytest.mark.parametrize("position", range(4))
def test_the_refusal_of_a_hostile_value_is_short_and_harmless(position: int) -> None:
    """What an attacker wrote neither fills our logs nor moves the cursor of whoever reads them."""
    plain = msgpack.unpackb(CODEC.encode(an_envelope(BODIES[0])))
    plain[-1][position] = "\x1b[2J\n" * 10_000
    with pytest.raises(BadFrame) as refused:
        CODEC.decode(msgpack.packb(plain))
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


def test_messages_are_frozen() -> None:
    """A message that was judged once cannot be changed afterwards."""
    trade = MARKET_BODIES[0]
    assert isinstance(trade, TradeSeen)
    with pytest.raises(AttributeError):
        trade.price = 1.0  # type: ignore[misc]  # the refusal is what is tested
    for message in (*get_args(Body), *get_args(MarketBody)):
        assert issubclass(message, Message | MarketMessage)
        assert message.__struct_config__.frozen


def test_equal_numbers_of_different_spelling_are_different_frames() -> None:
    """The spelling of a Decimal travels: 0.10 stays 0.10."""
    body = next(body for body in BODIES if tag_of(type(body)) == "exit_taken.1")
    envelope = an_envelope(msgspec.structs.replace(body, target_quantity=Decimal("0.10")))
    decoded = CODEC.decode(CODEC.encode(envelope)).body
    assert str(getattr(decoded, "target_quantity")) == "0.10"  # noqa: B009 -- the union has no such field in common
