"""What the process of the simulated exchange makes of its life: it serves until it is asked to stop. Pure.

The exchange itself is not here: its own core is `venue/exchange.py`, and it speaks with its clients, not with the mesh.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.service import Effect, FromOutside, Happening, Moment, Note, Stop, StopAsked


@dataclass(frozen=True, slots=True)
class Serving(FromOutside):
    """Clients can come."""

    address: str
    admin: str  # where it takes commands and what its token is called; empty if it takes none
    symbols: tuple[str, ...]
    accounts: tuple[str, ...]


class SimExchangeCore:
    """Says where the exchange is, and ends it when asked."""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        del now
        match happening:
            case Serving():
                details: dict[str, object] = {
                    "address": happening.address,
                    "symbols": happening.symbols,
                    "accounts": happening.accounts,
                }
                if happening.admin:
                    details["admin"] = happening.admin
                return (Note("info", "the exchange is open", details),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()
