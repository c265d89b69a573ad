"""The one way from messages to bytes and back.

Anything but a frame this codec could have written itself raises `BadFrame`, and nothing else is raised.
The wire form is explained in docs/messages.md, and why it is so in docs/decisions/0002-wire-form.md.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_type_hints

import msgspec

from proto.envelope import SCHEMA, Body, Envelope, MarketEnvelope
from proto.fields import MarketMessage, Message
from proto.history import RETIRED, Retired
from proto.market import MarketBody

ENVELOPE_BYTES_MAX: Final = 64 * 1024
MARKET_BYTES_MAX: Final = 1024 * 1024

Frame = bytes | bytearray | memoryview


class BadFrameReason(StrEnum):
    """Why a frame was refused: a small, closed set, fit to be counted by."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    UNKNOWN_SCHEMA = "unknown_schema"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_VERSION = "unknown_version"
    BAD_FIELD = "bad_field"
    NOT_CANONICAL = "not_canonical"


class BadFrame(ValueError):  # noqa: N818 -- named for what came in; the error is the sender's
    """A frame that is not one of ours. Count it by `reason`, drop it, go on."""

    def __init__(self, reason: BadFrameReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Final = reason


# Everything msgspec is known to raise on hostile bytes. Broken UTF-8 and too deep nesting have types of their own.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Tag(msgspec.Struct, array_like=True):
    """The head of a body, whatever follows it."""

    tag: str


def _stored_decoder(envelope: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[Any]:
    """Lay out the envelope with its body left packed, for bodies that today's envelope no longer knows."""
    hints = get_type_hints(envelope, include_extras=True) | {"body": msgspec.Raw}
    stored = msgspec.defstruct("Stored", list(hints.items()), array_like=True, forbid_unknown_fields=True)
    return msgspec.msgpack.Decoder(stored)


def _head_decoder(envelope: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[Any]:
    """Decode only the schema number and the tag of an envelope, to tell an unknown message from a broken one."""
    read: dict[str, type] = {"schema": int, "body": _Tag}
    fields = [(name, read.get(name, msgspec.Raw)) for name in envelope.__struct_fields__]
    return msgspec.msgpack.Decoder(msgspec.defstruct("Head", fields, array_like=True))


def _tags(bodies: Sequence[type[Message] | type[MarketMessage]]) -> frozenset[str]:
    return frozenset(str(body.__struct_config__.tag) for body in bodies)


class _Diagnosis:
    """Names the reason a frame was refused. It runs on bad frames only, so it may look twice."""

    def __init__(self, envelope: type[msgspec.Struct], bodies: Sequence[type[Message] | type[MarketMessage]]) -> None:
        self._read_head = _head_decoder(envelope).decode
        self._tags = _tags(bodies)
        self._kinds = {tag.rpartition(".")[0] for tag in self._tags}

    def of(self, frame: Frame, error: Exception) -> BadFrame:
        """Turn what the decoder said into one of our reasons."""
        if not isinstance(error, msgspec.ValidationError):
            return BadFrame(BadFrameReason.MALFORMED, str(error))
        try:
            head = self._read_head(frame)
        except _UNREADABLE:
            return BadFrame(BadFrameReason.MALFORMED, str(error))
        schema = getattr(head, "schema", SCHEMA)  # the thin envelope has none
        if schema != SCHEMA:
            return BadFrame(BadFrameReason.UNKNOWN_SCHEMA, f"envelope schema {schema}, we speak {SCHEMA}")
        tag = head.body.tag
        if tag in self._tags:
            return BadFrame(BadFrameReason.BAD_FIELD, f"{tag}: {error}")
        if tag.rpartition(".")[0] in self._kinds:
            return BadFrame(BadFrameReason.UNKNOWN_VERSION, f"{tag[:64]!r} is another version than ours")
        return BadFrame(BadFrameReason.UNKNOWN_KIND, f"{tag[:64]!r} is no message of ours")


class EnvelopeCodec:
    """Everything that is not market data. A frame has one possible spelling: decoded and encoded again, it is itself.

    That last check is what refuses a float or an integer where a Decimal's text belongs, which msgspec converts.
    """

    def __init__(self, retired: Sequence[Retired] = RETIRED) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Envelope).decode
        self._diagnosis = _Diagnosis(Envelope, get_args(Body))
        self._decode_stored = _stored_decoder(Envelope).decode
        self._decode_stored_body = msgspec.msgpack.Decoder(Union[Body, *(old.message for old in retired)]).decode
        self._upgrades = {old.message: old.upgrade for old in retired}

    def encode(self, envelope: Envelope) -> bytes:
        """Write a frame. Its numbers were judged when the message was made; its types, by the type checker."""
        frame = self._encode(envelope)
        if len(frame) > ENVELOPE_BYTES_MAX:
            raise ValueError(f"{type(envelope.body).__name__} takes {len(frame)} bytes, over {ENVELOPE_BYTES_MAX}")
        return frame

    def decode(self, frame: Frame) -> Envelope:
        """Read a frame from the wire, in today's version or not at all."""
        if len(frame) > ENVELOPE_BYTES_MAX:
            raise BadFrame(BadFrameReason.TOO_LARGE, f"{len(frame)} bytes, over {ENVELOPE_BYTES_MAX}")
        try:
            envelope = self._decode(frame)
        except _UNREADABLE as error:
            raise self._diagnosis.of(frame, error) from error
        if self._encode(envelope) != frame:
            raise BadFrame(BadFrameReason.NOT_CANONICAL, f"{type(envelope.body).__name__} is spelled differently")
        return envelope

    def decode_stored(self, frame: Frame) -> Envelope:
        """Read a frame from a journal: whatever version was ever written, as today's message."""
        try:
            stored = self._decode_stored(frame)
            body = self._decode_stored_body(stored.body)
        except _UNREADABLE as error:
            raise self._diagnosis.of(frame, error) from error
        while upgrade := self._upgrades.get(type(body)):
            body = upgrade(body)
        return Envelope(**(msgspec.structs.asdict(stored) | {"body": body}))


class MarketCodec:
    """Market data: the same refusals, without the second spelling check, since a tick must cost a microsecond.

    `encode` is the encoder's own, unwrapped for the same reason; what goes in passed the feed's data-quality gate.
    """

    def __init__(self) -> None:
        self.encode: Final[Callable[[MarketEnvelope], bytes]] = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(MarketEnvelope).decode
        self._diagnosis = _Diagnosis(MarketEnvelope, get_args(MarketBody))

    def decode(self, frame: Frame) -> MarketEnvelope:
        """Read a frame from the wire."""
        if len(frame) > MARKET_BYTES_MAX:
            raise BadFrame(BadFrameReason.TOO_LARGE, f"{len(frame)} bytes, over {MARKET_BYTES_MAX}")
        try:
            return self._decode(frame)
        except _UNREADABLE as error:
            raise self._diagnosis.of(frame, error) from error
