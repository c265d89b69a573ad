"""The lines of the log, and how they are written: JSON, one line for all that one command brought about. Pure.

A line is there as a whole or not at all, so a crash never leaves half of what a command did.
"""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from services.sim_exchange.venue.vocabulary import (
    AccountOpened,
    BalanceChanged,
    Carried,
    ClientIdRemembered,
    Event,
    ListChanged,
    OrderChanged,
    RulesChanged,
    TradeRemembered,
)

VERSION: Final = 1

# What a client is told of. The synthetic market's trades and the levels of the book are not written: they would be
# nearly all of it, and what a client traded stands in its orders' changes.
Lasting = AccountOpened | BalanceChanged | ListChanged | OrderChanged | RulesChanged
LastingCarried = Lasting | TradeRemembered | ClientIdRemembered


class _Line(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="line"):
    number: int  # runs on through all segments
    at_ms: int


class Opened(_Line, frozen=True):
    """The first line of a segment. As many lines as `carried_over` follow it that say what was before."""

    version: int
    carried_over: int


class CarriedOver(_Line, frozen=True):
    """One part of what makes the exchange again as it was when the segment began."""

    carried: LastingCarried


class Received(_Line, frozen=True):
    """A request as it came in, before anything was done with it. Keys and signatures are left out."""

    endpoint: str
    address: str
    account: str | None
    sent: dict[str, str]


class Happened(_Line, frozen=True):
    """What one command brought about, in order."""

    events: tuple[Lasting, ...]


class Interfered(_Line, frozen=True, omit_defaults=True):
    """A fault that struck: which one, the how manieth time, and what it met."""

    fault_id: str
    kind: str
    fired: int
    endpoint: str = ""
    account: str | None = None
    symbol: str | None = None
    client_id: str | None = None
    stream: str = ""


Line = Opened | CarriedOver | Received | Happened | Interfered

_write: Final = msgspec.json.Encoder().encode
_read: Final[Callable[[bytes], Line]] = msgspec.json.Decoder(Line).decode


class LineDamagedError(ValueError):
    """A line that this log has not written."""


def written(line: Line) -> bytes:
    """Return a line as it stands in the file, its end included."""
    return _write(line) + b"\n"


def read(text: bytes) -> Line:
    """Return the line that was written so."""
    try:
        return _read(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineDamagedError(str(error)) from error


def lasting(events: tuple[Event, ...]) -> tuple[Lasting, ...]:
    """Return those events that are written down."""
    return tuple(event for event in events if isinstance(event, Lasting))


def lasting_carried(carried: Iterable[Carried]) -> list[LastingCarried]:
    """Return what is written at the head of a segment."""
    return [part for part in carried if isinstance(part, LastingCarried)]
