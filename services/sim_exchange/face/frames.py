"""WebSocket frames as a server sends them: unmasked, so that one frame serves every client. Pure."""

import struct
from typing import Final

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
_SHORT: Final = struct.Struct(">BB")
_MEDIUM: Final = struct.Struct(">BBH")
_LONG: Final = struct.Struct(">BBQ")
_SHORT_MAX: Final = 125
_MEDIUM_MAX: Final = 0xFFFF


def text_frame(payload: bytes) -> bytes:
    """Return the frame of a text that is encoded already."""
    size = len(payload)
    if size <= _SHORT_MAX:
        return _SHORT.pack(_TEXT, size) + payload
    if size <= _MEDIUM_MAX:
        return _MEDIUM.pack(_TEXT, 126, size) + payload
    return _LONG.pack(_TEXT, 127, size) + payload


def ping_frame(payload: bytes) -> bytes:
    """Return the frame that asks whether somebody is there."""
    return _control(_PING, payload)


def pong_frame(payload: bytes) -> bytes:
    """Return the frame that answers a ping with what it said."""
    return _control(_PONG, payload)


def close_frame(code: int, reason: str) -> bytes:
    """Return the frame that ends a connection, and says why."""
    return _control(_CLOSE, struct.pack(">H", code) + reason.encode())


def _control(kind: int, payload: bytes) -> bytes:
    return _SHORT.pack(kind, len(payload)) + payload
