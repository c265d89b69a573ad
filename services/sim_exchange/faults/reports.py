"""Execution reports as they should not be: in another order, or contradicting those before. No clock of its own."""

from typing import Final

import msgspec

from services.sim_exchange.face.interference import Outgoing
from services.sim_exchange.face.layout import Payload
from services.sim_exchange.faults.vocabulary import ReportContradictory

HELD_MAX: Final = 1_000  # reports held back at once; one beyond that is told in its turn
_NOTHING: Final = "0.00000000"


class _Held(msgspec.Struct, eq=False):
    outgoing: Outgoing
    behind: int  # how many later ones of the account are still to be told before it
    due_ms: int


class HeldReports:
    """Reports that are to be told after later ones."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    @property
    def is_holding(self) -> bool:
        """Say whether any report waits to be overtaken."""
        return bool(self._held)

    def hold(self, outgoing: Outgoing, *, behind: int, due_ms: int) -> bool:
        """Hold a report back; False if there are too many already."""
        if len(self._held) >= HELD_MAX:
            return False
        self._held.append(_Held(outgoing, behind, due_ms))
        return True

    def overtaken(self, account: str) -> list[Outgoing]:
        """Return the reports of an account that enough others have overtaken, now that one more is told."""
        for held in self._held:
            held.behind -= held.outgoing.account == account
        return self._let_go([held for held in self._held if held.behind <= 0])

    def due(self, now_ms: int) -> list[Outgoing]:
        """Return the reports that were held long enough."""
        return self._let_go([held for held in self._held if held.due_ms <= now_ms])

    def _let_go(self, chosen: list[_Held]) -> list[Outgoing]:
        if chosen:
            self._held = [held for held in self._held if held not in chosen]
        return [held.outgoing for held in chosen]


def contradiction(fault: ReportContradictory, report: Payload) -> Payload:
    """Return a report of the same order that knows nothing of any fill."""
    return {
        **report,
        "x": fault.status,
        "X": fault.status,
        "r": "UNKNOWN_ORDER" if fault.status == "REJECTED" else "NONE",
        "l": _NOTHING,
        "L": _NOTHING,
        "Y": _NOTHING,
        "n": "0",
        "N": None,
        "t": -1,
        "z": _NOTHING,
        "Z": _NOTHING,
        "m": False,
        "w": fault.status == "NEW",
    }
