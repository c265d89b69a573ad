"""Asks the venue about orders of which it is not known how they stand, until they are found or proved absent. Pure.

An order is proved absent by two good readings that do not show it, the last of them after the venue's own time has
passed the last moment at which the venue could have taken it, and some more, because a venue may lag behind itself.
An order that the venue acknowledged cannot be absent: if it is not shown for that long, somebody has to look.
A reading that fails proves nothing and counts as none, and so does one that is told a second time.
"""

from typing import Final, Literal

import msgspec

from shared.core.service import Moment
from shared.execution.vocabulary import OrderRead, ReadOrder

WINDOW_NS: Final = 3_000_000_000  # after its stamp the venue takes an order no more
READ_LAG_NS: Final = 2_000_000_000  # how old a reading of the venue may be
PAUSE_NS_FIRST: Final = 500_000_000
PAUSE_NS_MAX: Final = 4_000_000_000
PROOF_NS: Final = 250_000_000  # after the last such moment: how well its clock is known, and the way of the question
NEGATIVES_NEEDED: Final = 2

Verdict = Literal["absent", "vanished"] | None


class _Enquiry(msgspec.Struct):
    symbol: str
    taken_until_venue_ns: int | None  # None: the venue has acknowledged the order, so that it cannot be absent
    next_boot_ns: int
    pause_ns: int = PAUSE_NS_FIRST
    negatives: int = 0
    first_negative_venue_ns: int = 0
    last_negative_venue_ns: int = -1


class Enquiries:
    """The orders that are asked about."""

    def __init__(self) -> None:
        self._open: Final[dict[str, _Enquiry]] = {}

    def __contains__(self, client_order_id: str) -> bool:
        """Say whether an order is asked about."""
        return client_order_id in self._open

    def about_doubted(self, client_order_id: str, symbol: str, *, stamped_venue_ns: int, now: Moment) -> None:
        """Ask about an order that may have reached the venue, stamped at this time at the latest."""
        if client_order_id not in self._open:
            until_ns = stamped_venue_ns + WINDOW_NS + READ_LAG_NS
            self._open[client_order_id] = _Enquiry(symbol, until_ns, now.boot_ns)

    def about_known(self, client_order_id: str, symbol: str, now: Moment, *, in_ns: int = 0) -> None:
        """Ask how an order stands that the venue has acknowledged; soon again, if it was asked in vain so far."""
        known = self._open.get(client_order_id)
        if known is None:
            self._open[client_order_id] = _Enquiry(symbol, None, now.boot_ns + in_ns)
        elif not in_ns:  # an exit may wait for the answer: a cancellation came back without a word
            known.next_boot_ns = min(known.next_boot_ns, now.boot_ns + PAUSE_NS_FIRST)

    def due(self, now: Moment, venue_now_ns: int) -> list[ReadOrder]:
        """Return the questions whose time has come."""
        asked = []
        for client_order_id, enquiry in self._open.items():
            if enquiry.next_boot_ns <= now.boot_ns:
                enquiry.next_boot_ns = now.boot_ns + _pause_ns(enquiry, venue_now_ns)
                enquiry.pause_ns = min(enquiry.pause_ns * 2, PAUSE_NS_MAX)
                asked.append(ReadOrder(client_order_id, enquiry.symbol))
        return asked

    def read(self, answer: OrderRead) -> Verdict:
        """Take an answer that shows no order, and say what it proves."""
        enquiry = self._open.get(answer.client_order_id)
        if enquiry is None or answer.failure is not None:
            return None
        if answer.venue_time_ns <= enquiry.last_negative_venue_ns:
            return None  # the same answer, told twice
        enquiry.negatives, enquiry.last_negative_venue_ns = enquiry.negatives + 1, answer.venue_time_ns
        if enquiry.negatives == 1:
            enquiry.first_negative_venue_ns = answer.venue_time_ns
        if enquiry.negatives < NEGATIVES_NEEDED:
            return None
        if enquiry.taken_until_venue_ns is None:
            has_lagged = answer.venue_time_ns - enquiry.first_negative_venue_ns < READ_LAG_NS
            return None if has_lagged else "vanished"
        return "absent" if answer.venue_time_ns >= enquiry.taken_until_venue_ns else None

    def settled(self, client_order_id: str) -> None:
        """Ask no more about an order."""
        self._open.pop(client_order_id, None)


def _pause_ns(enquiry: _Enquiry, venue_now_ns: int) -> int:
    """Return how long to wait before the next question: no longer than until an answer can prove something."""
    until_ns = enquiry.taken_until_venue_ns
    if until_ns is None or venue_now_ns >= until_ns:
        return enquiry.pause_ns
    return min(enquiry.pause_ns, until_ns + PROOF_NS - venue_now_ns)
