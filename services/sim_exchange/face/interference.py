"""The one seam for faults: where requests come in, where answers go out, what is read, and what is told.

The face behaves as the venue does on a good day. Whoever wants a bad one hands in another `Interference`.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from services.sim_exchange.face.records import Records


class HangUpError(Exception):
    """Raised by an interference: the connection ends, and whoever waits for an answer gets none."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was let in: known caller, right signature, in time."""

    endpoint: str  # as in "POST /api/v3/order", over REST and over the WebSocket API alike
    called: str  # the same over REST; over the WebSocket API the method, as in "order.place"
    address: str
    account: str | None
    symbol: str | None
    sent: dict[str, str]


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, laid out and encoded."""

    status: int
    body: bytes
    headers: dict[str, str] = {}


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to whoever follows a stream, or to the subscribers of an account."""

    payload: dict[str, object] | list[dict[str, object]]
    stream: str = ""
    account: str = ""


class HangUp(msgspec.Struct, frozen=True, kw_only=True):
    """The connections end of everybody who follows one of the streams or accounts that it concerns."""

    concerns: Callable[[str, str], bool]  # the name of a stream and "", or "" and an account
    code: int | None  # None: without a word


Going = Outgoing | HangUp


class Interference(Protocol):
    """What may come between the venue and its clients."""

    async def before(self, call: Call) -> Reply | None:
        """Hold a request up, or answer in the venue's place; None lets it go on, to be matched if still in time."""

    async def after(self, call: Call, reply: Reply) -> Reply:
        """Hold up or change the answer to what was done."""

    def records(self, call: Call, current: Records) -> Records:
        """Return what this request gets to read: the records as they are, or as they were."""

    def told(self, outgoing: Outgoing) -> Sequence[Going]:
        """Return what is delivered in the event's place: itself, nothing, it twice, an earlier one first."""

    def tick(self) -> Sequence[Going]:
        """Do what time has made due, and return what is delivered now. Asked ten times a second."""


class NoInterference:
    """A good day."""

    async def before(self, call: Call) -> Reply | None:
        """Let every request go on."""
        del call
        return None

    async def after(self, call: Call, reply: Reply) -> Reply:
        """Leave every answer as it is."""
        del call
        return reply

    def records(self, call: Call, current: Records) -> Records:
        """Let everybody read what is true now."""
        del call
        return current

    def told(self, outgoing: Outgoing) -> Sequence[Going]:
        """Deliver every event once."""
        return (outgoing,)

    def tick(self) -> Sequence[Going]:
        """Let the time pass."""
        return ()
