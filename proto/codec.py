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

ENVELOPE_BYTES_MAX: Final = 512 * 1024
MARKET_BYTES_MAX: Final = 1024 * 1024
DETAIL_LENGTH_MAX: Final = 200

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
        # The detail may quote the frame, which an attacker wrote: it stays short and on one line of plain characters.
        plain = detail[:DETAIL_LENGTH_MAX].encode("unicode_escape").decode("ascii")
        super().__init__(f"{reason}: {plain[:DETAIL_LENGTH_MAX]}")
        self.reason: Final = reason


# Everything msgspec is known to raise on hostile bytes. Broken UTF-8 and too deep nesting have types of their own.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Tag(msgspec.Struct, array_like=True):
    """The head of a body, whatever follows it."""

    tag: str


class _First(msgspec.Struct, array_like=True):
    """The first field of an envelope, whatever follows it."""

    schema: int


class _Diagnosis:
    """Names the reason a frame was refused. It runs on bad frames only, so it may look twice."""

    def __init__(self, envelope: type[msgspec.Struct], bodies: Sequence[type[Message] | type[MarketMessage]]) -> None:
        fields = [(name, _Tag if name == "body" else msgspec.Raw) for name in envelope.__struct_fields__]
        head = msgspec.defstruct("Head", fields, array_like=True)
        self._read_head: Final[Callable[[Frame], Any]] = msgspec.msgpack.Decoder(head).decode
        self._read_first: Final = msgspec.msgpack.Decoder(_First).decode
        self._numbered: Final = "schema" in envelope.__struct_fields__  # the thin envelope has no number of its own
        self._tags: Final = {str(body.__struct_config__.tag) for body in bodies}
        self._kinds: Final = {tag.rpartition(".")[0] for tag in self._tags}

    def of(self, frame: Frame, error: Exception) -> BadFrame:
        """Turn what the decoder said into one of our reasons."""
        if not isinstance(error, msgspec.ValidationError):
            return BadFrame(BadFrameReason.MALFORMED, str(error))
        try:
            if self._numbered and (schema := self._read_first(frame).schema) != SCHEMA:
                return BadFrame(BadFrameReason.UNKNOWN_SCHEMA, f"envelope schema {schema}, we speak {SCHEMA}")
            tag = self._read_head(frame).body.tag
        except _UNREADABLE:
            return BadFrame(BadFrameReason.MALFORMED, str(error))
        if tag in self._tags:
            return BadFrame(BadFrameReason.BAD_FIELD, f"{tag}: {error}")
        if tag.rpartition(".")[0] in self._kinds:
            return BadFrame(BadFrameReason.UNKNOWN_VERSION, f"{tag!r} is another version than ours")
        return BadFrame(BadFrameReason.UNKNOWN_KIND, f"{tag!r} is no message of ours")


def _stored_decoder(envelope: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[Any]:
    """Lay out the envelope with its body left packed, for bodies that today's envelope no longer knows."""
    hints = get_type_hints(envelope, include_extras=True) | {"body": msgspec.Raw}
    stored = msgspec.defstruct("Stored", list(hints.items()), array_like=True, forbid_unknown_fields=True)
    return msgspec.msgpack.Decoder(stored)


class EnvelopeCodec:
    """Everything that is not market data. A frame has one possible spelling: decoded and encoded again, it is itself.

    That last check is what refuses a float or an integer where a Decimal's text belongs, which msgspec converts.
    """

    def __init__(self, retired: Sequence[Retired] = RETIRED) -> None:
        bodies = get_args(Body)
        once_spoken = tuple(old.message for old in retired)
        self._encode: Final = msgspec.msgpack.Encoder().encode
        self._decode: Final = msgspec.msgpack.Decoder(Envelope).decode
        self._diagnosis: Final = _Diagnosis(Envelope, bodies)
        self._decode_stored: Final = _stored_decoder(Envelope).decode
        self._decode_stored_body: Final = msgspec.msgpack.Decoder(Union[Body, *once_spoken]).decode
        self._stored_diagnosis: Final = _Diagnosis(Envelope, (*bodies, *once_spoken))
        self._upgrades: Final = {old.message: old.upgrade for old in retired}

    def encode(self, envelope: Envelope) -> bytes:
        """Write a frame for the wire. Its Decimals were judged when the message was made."""
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

    def encode_proved(self, envelope: Envelope) -> bytes:
        """Write a frame that whoever gets it has to be able to read: it is read back first."""
        frame = self.encode(envelope)
        self.decode(frame)
        return frame

    def decode_stored(self, frame: Frame) -> Envelope:
        """Read a frame from a journal: whatever version was ever written, as today's message, and as strictly."""
        try:
            return self.decode(frame)  # nearly always; and what is proved before each record is written is today's
        except BadFrame as bad:
            if bad.reason not in {BadFrameReason.UNKNOWN_KIND, BadFrameReason.UNKNOWN_VERSION}:
                raise
        return self._decode_retired(frame)

    def _decode_retired(self, frame: Frame) -> Envelope:
        try:
            stored = self._decode_stored(frame)
            body = self._decode_stored_body(stored.body)
        except _UNREADABLE as error:
            raise self._stored_diagnosis.of(frame, error) from error
        if self._encode(msgspec.structs.replace(stored, body=body)) != frame:
            raise BadFrame(BadFrameReason.NOT_CANONICAL, f"{type(body).__name__} is spelled differently")
        while upgrade := self._upgrades.get(type(body)):
            try:
                body = upgrade(body)
            except ValueError as error:
                raise BadFrame(
                    BadFrameReason.BAD_FIELD, f"{type(body).__name__} cannot be upgraded: {error}"
                ) from error
        return Envelope(**(msgspec.structs.asdict(stored) | {"body": body}))


class MarketCodec:
    """Market data: the same refusals, without the second spelling check, since a tick must cost a microsecond.

    `encode` is the encoder's own, unwrapped for the same reason; what goes in passed the feed's data-quality gate.
    """

    def __init__(self) -> None:
        self.encode: Final[Callable[[MarketEnvelope], bytes]] = msgspec.msgpack.Encoder().encode
        self._decode: Final = msgspec.msgpack.Decoder(MarketEnvelope).decode
        self._decode_array: Final = msgspec.msgpack.Decoder(list[MarketEnvelope]).decode
        self._elements: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
        self._diagnosis: Final = _Diagnosis(MarketEnvelope, get_args(MarketBody))

    def decode(self, frame: Frame) -> MarketEnvelope:
        """Read a frame from the wire."""
        if len(frame) > MARKET_BYTES_MAX:  # not a call: every tick comes through here
            raise BadFrame(BadFrameReason.TOO_LARGE, f"{len(frame)} bytes, over {MARKET_BYTES_MAX}")
        try:
            return self._decode(frame)
        except _UNREADABLE as error:
            raise self._diagnosis.of(frame, error) from error

    def decode_array(self, array: Frame) -> list[MarketEnvelope]:
        """Read what a packet carries, whole or not at all: one call for all of it, since a burst is many ticks."""
        if len(array) > MARKET_BYTES_MAX:
            raise BadFrame(BadFrameReason.TOO_LARGE, f"{len(array)} bytes, over {MARKET_BYTES_MAX}")
        try:
            return self._decode_array(array)
        except _UNREADABLE as error:
            raise self._first_bad(array, error) from error

    def _first_bad(self, array: Frame, error: Exception) -> BadFrame:
        try:
            for element in self._elements(array):
                self.decode(memoryview(element))
        except BadFrame as bad:
            return bad
        except _UNREADABLE as unreadable:
            return BadFrame(BadFrameReason.MALFORMED, str(unreadable))
        return BadFrame(BadFrameReason.MALFORMED, str(error))
