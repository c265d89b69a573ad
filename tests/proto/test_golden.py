"""The wire form stands still: what was ever written can be read, and what is written has not moved unnoticed."""

from decimal import Decimal
from typing import Any, Final

import msgpack
import msgspec
import pytest

from proto.codec import BadFrame, BadFrameReason, EnvelopeCodec
from proto.envelope import Envelope
from proto.fields import Amount, Id, Message, Quantity
from proto.history import RETIRED, Retired
from proto.intents import ExitTaken
from proto.topics import TOPICS, tag_of
from tests.proto.examples import BODIES, an_envelope
from tests.proto.golden import current_frames, current_schemas, stored_vectors, with_missing

VECTORS: Final = stored_vectors()
MARKET_TAGS: Final = {topic.tag for topic in TOPICS if topic.socket == "market"}


def test_every_message_has_a_vector() -> None:
    """No message goes without a golden vector: run `python -m tests.proto.golden` after adding one."""
    assert with_missing(VECTORS) == VECTORS


@pytest.mark.parametrize(("tag", "frame"), current_frames().items(), ids=lambda value: str(value)[:24])
def test_the_bytes_of_a_message_have_not_moved(tag: str, frame: bytes) -> None:
    """A message that is written differently than its vector has changed without taking a new version."""
    assert frame.hex() == VECTORS[tag]["hex"]


@pytest.mark.parametrize(("tag", "schema"), current_schemas().items(), ids=lambda value: str(value)[:24])
def test_the_shape_of_a_message_has_not_moved(tag: str, schema: list[str]) -> None:
    """No field, part, bound or choice of a message changes under its tag: a change is a new version."""
    assert schema == VECTORS[tag]["schema"]


@pytest.mark.parametrize("tag", VECTORS)
def test_a_plain_reader_understands_a_vector(tag: str) -> None:
    """The plain msgpack package reads every vector as arrays, text and numbers, the tag heading the body."""
    plain = msgpack.unpackb(bytes.fromhex(VECTORS[tag]["hex"]))
    assert plain == VECTORS[tag]["plain"]
    assert plain[-1][0] == tag


def test_every_vector_that_is_not_spoken_any_more_is_retired() -> None:
    """A version leaves by way of `proto.history`, so that journals stay readable; one of market data just leaves."""
    spoken = {topic.tag for topic in TOPICS}
    assert set(VECTORS) - spoken == {tag_of(old.message) for old in RETIRED}


@pytest.mark.parametrize("tag", sorted(set(VECTORS) - MARKET_TAGS))
def test_a_journal_reader_reads_every_vector(tag: str) -> None:
    """Every envelope ever written opens as a message of today."""
    envelope = EnvelopeCodec().decode_stored(bytes.fromhex(VECTORS[tag]["hex"]))
    assert type(envelope.body) in {topic.message for topic in TOPICS}


# --- The rule for changing a message, walked with a message that was once shaped differently ----------------------


class ExitTakenBefore(Message, frozen=True, tag="exit_taken.0"):
    """An earlier shape: the target was signed, and named second."""

    target: Amount
    exit_id: Id


class ExitTakenLongBefore(Message, frozen=True, tag="exit_accepted.1"):
    """A still earlier shape, under another name."""

    target: Quantity


def _from_long_before(old: ExitTakenLongBefore) -> ExitTakenBefore:
    return ExitTakenBefore(target=old.target, exit_id="unnamed")


def _from_before(old: ExitTakenBefore) -> ExitTaken:
    return ExitTaken(exit_id=old.exit_id, target_quantity=abs(old.target))


CODEC: Final = EnvelopeCodec(
    retired=(
        Retired(message=ExitTakenBefore, upgrade=_from_before),
        Retired(message=ExitTakenLongBefore, upgrade=_from_long_before),
    )
)


def _unchecked(old: ExitTakenBefore) -> ExitTaken:
    return ExitTaken(exit_id=old.exit_id, target_quantity=old.target)


REFUSING_CODEC: Final = EnvelopeCodec(retired=(Retired(message=ExitTakenBefore, upgrade=_unchecked),))


def _frame_around(old: Message) -> bytes:
    plain: list[Any] = msgpack.unpackb(EnvelopeCodec().encode(an_envelope(BODIES[0])))
    return msgspec.msgpack.encode([*plain[:-1], old])


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        (ExitTakenBefore(target=Decimal("-1.50"), exit_id="x1"), ExitTaken("x1", Decimal("1.50"))),
        (ExitTakenLongBefore(target=Decimal("0.25")), ExitTaken("unnamed", Decimal("0.25"))),
    ],
    ids=["one step", "two steps"],
)
def test_a_journal_reader_reads_a_retired_version_as_its_successor(old: Message, expected: ExitTaken) -> None:
    """What an old version wrote is read as today's message, step by step, inside its own envelope."""
    stored = CODEC.decode_stored(_frame_around(old))
    assert stored == msgspec.structs.replace(an_envelope(BODIES[0]), body=expected)
    assert isinstance(stored, Envelope)


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (ExitTakenBefore(target=Decimal(1), exit_id="x1"), BadFrameReason.UNKNOWN_VERSION),
        (ExitTakenLongBefore(target=Decimal(1)), BadFrameReason.UNKNOWN_KIND),
    ],
    ids=["older version", "older name"],
)
def test_the_wire_refuses_a_retired_version(old: Message, reason: BadFrameReason) -> None:
    """A peer that still speaks an old version is refused, even by a reader whose journal knows it."""
    with pytest.raises(BadFrame) as refused:
        CODEC.decode(_frame_around(old))
    assert refused.value.reason == reason


def test_a_journal_reader_says_what_is_wrong_with_a_retired_version() -> None:
    """Damage inside a version the reader knows is damage, not an unknown version."""
    plain = msgpack.unpackb(_frame_around(ExitTakenBefore(target=Decimal(1), exit_id="x1")))
    plain[-1][1] = "NaN"
    with pytest.raises(BadFrame) as refused:
        CODEC.decode_stored(msgpack.packb(plain))
    assert refused.value.reason == BadFrameReason.BAD_FIELD


def test_an_old_version_that_cannot_be_upgraded_is_refused() -> None:
    """What an upgrade makes is held to today's bounds, and nothing but the one exception says so."""
    with pytest.raises(BadFrame) as refused:
        REFUSING_CODEC.decode_stored(_frame_around(ExitTakenBefore(target=Decimal("-1.5"), exit_id="x1")))
    assert refused.value.reason == BadFrameReason.BAD_FIELD


def test_a_journal_reader_refuses_what_was_never_written() -> None:
    """A stored frame that is no version of anything is a bad frame like any other."""
    with pytest.raises(BadFrame) as refused:
        EnvelopeCodec().decode_stored(_frame_around(ExitTakenBefore(target=Decimal(1), exit_id="x1")))
    assert refused.value.reason == BadFrameReason.UNKNOWN_VERSION
