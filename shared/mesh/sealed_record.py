"""Small files that show whether they are whole: one line naming kind and checksum, one line of JSON.

Read by people with `cat`, by us with every byte checked: a torn, flipped, foreign or mixed-up file is a `Damaged`, not
a number. Used for lock and epoch files, and for what a strategy knows; journals have their own framing.
"""

import hashlib
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

RECORD_BYTES_MAX: Final = 4_096

_Record = TypeVar("_Record", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that is not what was written, and why; its content is not to be believed."""

    reason: str


def seal(kind: str, record: msgspec.Struct, *, size: int = 0) -> bytes:
    """Return the file that holds this record; padded with blanks, it has this size whatever it says."""
    body = msgspec.json.encode(record).ljust(size - len(_head(kind, b"")) - 1) + b"\n"
    return _head(kind, body) + body


def unseal(
    kind: str, content: bytes, record_type: type[_Record], *, bytes_max: int = RECORD_BYTES_MAX
) -> _Record | Damaged:
    """Return the record a file holds, or why it holds none."""
    if not content:
        return Damaged("is empty")
    if len(content) > bytes_max:
        return Damaged(f"is longer than {bytes_max} bytes")
    head, line_end, body = content.partition(b"\n")
    if not head.startswith(f"{kind} ".encode()):
        return Damaged(f"is no {kind} file")
    if head + line_end != _head(kind, body):
        return Damaged("is torn or was changed: its checksum does not fit")
    try:
        return msgspec.json.decode(body, type=record_type)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Damaged(f"is whole, but no {kind} record we know")


def _head(kind: str, body: bytes) -> bytes:
    checksum = hashlib.sha256(kind.encode() + b"\n" + body).hexdigest()
    return f"{kind} {checksum}\n".encode()
