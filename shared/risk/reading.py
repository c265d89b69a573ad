"""A reading of the account, beside what the executor's books said then and what was known to be there. Pure."""

from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Final

import msgspec

from proto.verdicts import EquityRead
from shared.risk.counted import Known, drift, worth_now

TOLERANCE: Final = Decimal("0.01")  # of equity: prices move between two readings
ARITHMETIC: Final = Context(prec=80, traps=[InvalidOperation])


class Reading(msgspec.Struct, frozen=True):
    """What was read of the account, what the executor's books said then, and what was known to be there."""

    number: tuple[int, int]  # the reader's epoch, and its own
    venue_time_ns: int
    equity_quote: Decimal
    books_quote: Decimal | None
    known_quote: Decimal | None  # at the prices of the reading; None before anything was ever known
    has_drifted: bool  # from what is known, so that it is known anew

    @property
    def agrees(self) -> bool:
        """Say whether the books said the same."""
        return self.books_quote is not None and _is_near(self.equity_quote, self.books_quote)

    @property
    def is_explained(self) -> bool:
        """Say whether prices alone have made it what it is."""
        return self.known_quote is None or _is_near(self.equity_quote, self.known_quote)

    @property
    def left_quote(self) -> Decimal:
        """Return what is left by what is certain: where the books do not agree, that is the prices alone."""
        if self.agrees or self.known_quote is None:
            return self.equity_quote
        return max(self.equity_quote, self.known_quote)

    @property
    def sure_quote(self) -> Decimal:
        """Return what both say is there at least."""
        return self.equity_quote if self.books_quote is None else min(self.equity_quote, self.books_quote)


def reading_of(known: Known, read: EquityRead) -> Reading:
    """Return a reading beside what is known."""
    with localcontext(ARITHMETIC):
        is_known = bool(known.holdings)
        return Reading(
            number=(read.reader_epoch, read.read_number),
            venue_time_ns=read.venue_time_ns,
            equity_quote=read.equity_quote,
            books_quote=read.executor_equity_quote,
            known_quote=worth_now(known, read.counted) if is_known else None,
            has_drifted=is_known and drift(known, read.counted) > TOLERANCE * abs(read.equity_quote),
        )


def _is_near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))
