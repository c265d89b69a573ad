"""Bad frames, made from good ones by every fault a peer, a wire or an attacker can put into them.

Each comes with the reason it must be refused for, or None where more than one reason is honest.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgpack
import msgspec

from proto.codec import ENVELOPE_BYTES_MAX, MARKET_BYTES_MAX, BadFrameReason
from proto.envelope import Envelope, MarketEnvelope
from proto.schema import Shape, shapes_of
from proto.topics import tag_of
from tests.proto.examples import BODIES, a_market_envelope, an_envelope
from tests.proto.examples_of_data import MARKET_BODIES

BODY: Final = -1


class BadCase(NamedTuple):
    """One bad frame, what was done to it, and which envelope it poses as."""

    name: str
    frame: bytes
    reason: BadFrameReason | None
    market: bool


def _plain(envelope: Envelope | MarketEnvelope) -> list[Any]:
    plain: list[Any] = msgpack.unpackb(msgspec.msgpack.encode(envelope))
    return plain


def _replaced(items: Sequence[Any], position: int, value: object) -> list[Any]:
    changed = list(items)
    changed[position] = value
    return changed


# One value of every type MessagePack can carry, by the name of that type.
_EVERY_TYPE: Final[dict[str, object]] = {
    "nil": None,
    "flag": True,
    "integer": 7,
    "float": 7.5,
    "text": "seven",
    "bytes": b"seven",
    "list": [7],
    "map": {"seven": 7},
    "extension": msgpack.ExtType(5, b"seven"),
    "timestamp": msgpack.Timestamp(7),
}

# What a shape takes besides nil, by the names above. A float field takes a whole number too; a choice takes text
# only where it is one of the choices, and a Decimal only where the text is a number, so "seven" fits neither.
_TAKES: Final[dict[str, frozenset[str]]] = {
    "integer": frozenset({"integer"}),
    "float": frozenset({"integer", "float"}),
    "text": frozenset({"text"}),
    "decimal": frozenset(),
    "flag": frozenset({"flag"}),
    "choice": frozenset(),
    "part": frozenset(),
    "list": frozenset(),
}

_BAD_DECIMALS: Final = (
    *("NaN", "nan", "-NaN", "sNaN", "NaN123", "Infinity", "-Infinity", "inf", "1E+999999", "1E-999999", "0E-999999"),
    *("", " ", "abc", "1,5", "1_000", " 1.5", "1.5 ", "+1.5", "1.5e3", "01.5", "1.", ".5", "--1", "0x10", "١٢", "1e+3"),
    *("9" * 40, "0." + "1" * 40, "1" + "0" * 5000),
    *(1, 0, -1, 1.5, 0.0, math.nan, math.inf, 2**63),
)
_BAD_FLOATS: Final = (math.nan, -math.nan, math.inf, -math.inf, -1.0, 1e300, -1e-300, "1.5", "NaN", 2**64 - 1)
_BAD_INTEGERS: Final = (-1, 2**63, 2**64 - 1, -(2**63), 1.0, 1.5, math.nan, "1", True)


def _bad_values(shape: Shape) -> Iterator[tuple[str, object]]:
    takes = _TAKES[shape.kind] | ({"nil"} if shape.optional else frozenset())
    yield from ((f"{name} for {shape.kind}", value) for name, value in _EVERY_TYPE.items() if name not in takes)
    if shape.kind == "decimal":
        yield from ((f"decimal {value!r:.24}", value) for value in _BAD_DECIMALS)
    if shape.kind == "float":
        yield from ((f"float {value!r}", value) for value in _BAD_FLOATS)
    if shape.kind == "integer":
        yield from ((f"integer {value!r}", value) for value in _BAD_INTEGERS)
    meta = shape.meta or msgspec.Meta()
    if shape.kind == "text":
        yield "text too long", "x" * ((meta.max_length or 0) + 1)
        if meta.min_length:
            yield "text too short", ""
    if shape.kind == "list":
        yield "list too long", [None] * ((meta.max_length or 0) + 1)


def _field_cases(plain: list[Any], body: type[msgspec.Struct], envelope: type[msgspec.Struct]) -> Iterator[Any]:
    """Put every bad value into every field of the message, then of the envelope around it."""
    for position, (name, shape) in enumerate(shapes_of(body).items(), start=1):
        for fault, value in _bad_values(shape):
            changed = _replaced(plain, BODY, _replaced(plain[BODY], position, value))
            # What msgspec would convert to a Decimal is noticed by its spelling, the rest by its value.
            yield f"{name}: {fault}", changed, None if shape.kind == "decimal" else BadFrameReason.BAD_FIELD
    for position, (name, shape) in enumerate(shapes_of(envelope).items()):
        for fault, value in _bad_values(shape):
            reason = BadFrameReason.UNKNOWN_SCHEMA if (name, value) == ("schema", 7) else None
            yield f"envelope {name}: {fault}", _replaced(plain, position, value), reason


def _layout_cases(plain: list[Any]) -> Iterator[Any]:
    """Fields missing, added, doubled, named instead of placed; messages of another kind, version or envelope."""
    tag, *fields = plain[BODY]
    kind, _, version = tag.rpartition(".")
    yield "body without its last field", _replaced(plain, BODY, [tag, *fields[:-1]]), BadFrameReason.BAD_FIELD
    yield "body with one field more", _replaced(plain, BODY, [tag, *fields, None]), BadFrameReason.BAD_FIELD
    yield "empty body", _replaced(plain, BODY, []), None
    yield "body as a map", _replaced(plain, BODY, {"type": tag}), None
    yield "envelope without its body", plain[:-1], None
    yield "envelope with one field more", [*plain, None], BadFrameReason.BAD_FIELD
    yield "envelope as a map", {str(position): value for position, value in enumerate(plain)}, None
    yield "newer version", _replaced(plain, BODY, [f"{kind}.{int(version) + 1}", *fields]), _VERSION
    yield "version 0", _replaced(plain, BODY, [f"{kind}.0", *fields]), _VERSION
    yield "unknown kind", _replaced(plain, BODY, ["wish_granted.1", *fields]), BadFrameReason.UNKNOWN_KIND
    yield "no version", _replaced(plain, BODY, [kind, *fields]), BadFrameReason.UNKNOWN_KIND


_VERSION: Final = BadFrameReason.UNKNOWN_VERSION


def _byte_cases(frame: bytes) -> Iterator[tuple[str, bytes, BadFrameReason | None]]:
    """Frames cut at every offset, followed by more bytes, or joined with another."""
    yield from ((f"cut at byte {offset}", frame[:offset], None) for offset in range(len(frame)))
    yield "one byte more", frame + b"\xc0", BadFrameReason.MALFORMED
    yield "twice in a row", frame + frame, BadFrameReason.MALFORMED


def _hostile_cases(plain: list[Any]) -> Iterator[tuple[str, bytes, BadFrameReason | None]]:
    """Do what only an attacker does: lengths that lie, depth without end, doubled keys, broken text."""
    head = bytes([0x90 + len(plain)]) + b"".join(msgpack.packb(item) for item in plain[:-1])
    for code, name in ((0xDD, "array"), (0xDF, "map"), (0xDB, "text"), (0xC6, "bytes"), (0xC9, "extension")):
        declared = bytes([code]) + struct.pack(">I", 2**32 - 1)
        yield f"body declares a {name} of 4 billion", head + declared, None
        yield f"frame declares a {name} of 4 billion", declared, None
    for depth in (16, 600, 5_000, 60_000):
        yield f"arrays {depth} deep", b"\x91" * depth, None
        yield f"body {depth} arrays deep", head + b"\x91" * depth + b"\xc0", None
        yield f"maps {depth} deep", b"\x81\xa1k" * (depth // 3) + b"\xc0", None
    twice = b"\x82" + b"\xa4type\xa1x" * 2
    yield "the same key twice", head + twice, None
    yield "frame is a map with the same key twice", twice, None
    yield "tag is no UTF-8", head + b"\x91\xa2\xff\xfe", None
    yield "tag is an overlong text", head + msgpack.packb(["x" * 5_000]), BadFrameReason.UNKNOWN_KIND
    yield "byte that MessagePack never uses", head + b"\xc1", None
    yield "empty", b"", BadFrameReason.MALFORMED
    yield "text of another protocol", b"GET / HTTP/1.1\r\n\r\n", None
    yield "JSON", b'{"kind": "kill"}', None


def bad_cases() -> Iterator[BadCase]:
    """Every bad frame, for every message."""
    yield from _cases_of([an_envelope(body) for body in BODIES], market=False)
    yield from _cases_of([a_market_envelope(body) for body in MARKET_BODIES], market=True)


def _cases_of(envelopes: Sequence[Envelope] | Sequence[MarketEnvelope], *, market: bool) -> Iterator[BadCase]:
    for envelope in envelopes:
        plain, body = _plain(envelope), type(envelope.body)
        for name, changed, reason in (*_field_cases(plain, body, type(envelope)), *_layout_cases(plain)):
            yield BadCase(f"{tag_of(body)}: {name}", msgpack.packb(changed), reason, market)
        for name, frame, reason in _byte_cases(msgpack.packb(plain)):
            yield BadCase(f"{tag_of(body)}: {name}", frame, reason, market)
    for name, frame, reason in _hostile_cases(_plain(envelopes[0])):
        yield BadCase(name, frame, reason, market)
    limit = MARKET_BYTES_MAX if market else ENVELOPE_BYTES_MAX
    yield BadCase("one byte too large", b"\x90" * (limit + 1), BadFrameReason.TOO_LARGE, market)
    yield BadCase("64 MiB", bytes(64 * 1024 * 1024), BadFrameReason.TOO_LARGE, market)
