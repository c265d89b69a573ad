"""Whether the venue answers what it is asked, as far as its answers show. Pure.

It is for words alone: nothing is decided by it. Whoever watches goes by what gets done.
"""

from typing import Final

from shared.core.service import FromOutside, Moment
from shared.execution.vocabulary import (
    AccountRead,
    CancelSent,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    TradesRead,
    Unproved,
)

NS_PER_SECOND: Final = 1_000_000_000


class Hearing:
    """Remembers since when nothing that could be used was answered, and why."""

    def __init__(self) -> None:
        self._is_heard = False
        self._silent_since_ns: int | None = None
        self._why = ""

    def told(self, fact: FromOutside, now: Moment) -> None:
        """Take in what came of something that was asked, or what the venue told by itself."""
        match fact:
            case OrderSent(outcome=NotSent()) | CancelSent(outcome=NotSent()):
                pass  # not a byte has left: it may be for a reason of our own
            case (
                OrderSent(outcome=Unproved(http_status=None, reason=why))
                | CancelSent(outcome=Unproved(http_status=None, reason=why))
                | OrderRead(failure=str(why))
                | OpenOrdersRead(failure=str(why))
                | TradesRead(failure=str(why))
                | AccountRead(failure=str(why))
            ):
                self._silent_since_ns = self._silent_since_ns or now.boot_ns
                self._why = why
            case _:
                self._is_heard, self._silent_since_ns = True, None

    def words(self, now: Moment) -> str:
        """Say that it does not answer, and for how long; nothing where it does, or is asked nothing."""
        if self._silent_since_ns is not None:
            seconds = (now.boot_ns - self._silent_since_ns) // NS_PER_SECOND
            return f"the venue has given no answer of use for {seconds} s: {self._why}"
        return "" if self._is_heard else "the venue has answered nothing yet"
