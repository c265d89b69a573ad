"""What the process of the simulated exchange makes of its life: it serves until it is asked to stop, or cannot. Pure.

The exchange itself is not here: its own core is `venue/exchange.py`, and it speaks with its clients, not with the mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.service import Effect, FromOutside, Happening, Moment, Note, Stop, StopAsked


@dataclass(frozen=True, slots=True)
class Serving(FromOutside):
    """Clients can come."""

    address: str
    symbols: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CannotServe(FromOutside):
    """What stands in the way of going on; nothing was acknowledged that was not written down."""

    reason: str


class SimExchangeCore:
    """Says what happens to the exchange, and ends with it."""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        del now
        match happening:
            case Serving():
                details = {"address": happening.address, "symbols": happening.symbols, "accounts": happening.accounts}
                return (Note("info", "the exchange is open", details),)
            case CannotServe(reason=reason):
                return (Note("critical", "the exchange cannot go on", {"reason": reason}), Stop())
            case StopAsked():
                return (Stop(),)
            case _:
                return ()
