"""The ways in which the answer to an order proves nothing, each as a fault of the exchange: executed, or not.

Also the ways in which one of both is impossible; they stand in the table on their own.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

HELD_MS: Final = 4_000  # longer than the window in which the venue may take an order
SLOW_MS: Final = 2_000
TOO_LATE_MS: Final = 4_000

ClientIds = Literal["open", "day", "ever"]
CLIENT_IDS: Final[tuple[ClientIds, ...]] = ("open", "day", "ever")


@dataclass(frozen=True)
class Doubt:
    """One way, in its two forms."""

    words: str
    executed: dict[str, Any]
    not_executed: dict[str, Any]

    def fault(self, *, executed: bool) -> dict[str, Any]:
        """Return one of them."""
        return self.executed if executed else self.not_executed


def _answer(words: str, kind: str, **fields: object) -> Doubt:
    return Doubt(words, {"kind": kind, "executed": True, **fields}, {"kind": kind, "executed": False, **fields})


DOUBTS: Final = (
    Doubt("connection ends", {"kind": "drop_reply"}, {"kind": "drop_request"}),
    Doubt(
        "no answer for longer than the window",
        {"kind": "drop_reply", "hold_ms": HELD_MS},
        {"kind": "drop_request", "hold_ms": HELD_MS},
    ),
    Doubt(
        "late arrival",
        {"kind": "late_arrival", "delay_ms": SLOW_MS},
        {"kind": "late_arrival", "delay_ms": TOO_LATE_MS},
    ),
    _answer("HTTP 500", "http_status", status=500),
    _answer("HTTP 503", "http_status", status=503, body="text"),
    _answer("HTTP 524", "http_status", status=524, body="empty"),
    _answer("error -1006", "venue_error", code=-1006),
    _answer("error -1007", "venue_error", code=-1007),
    _answer("duplicate order sent", "venue_error", code=-2010, message="Duplicate order sent."),
    _answer("empty answer", "empty_body"),
    _answer("answer without content", "empty_object"),
    _answer("answer that is no answer", "garbage_body"),
)

# Where the order is there for sure, and the answer does not say so.
GHOSTS: Final = (
    {"kind": "truncated_body"},
    {"kind": "foreign_body"},
    {"kind": "foreign_ack"},
)
