"""How much may leave for the venue in a minute, whatever was approved: the last guard against our own defects. Pure.

An entry is sent only where there is room for it, for what was sent before, and for a way out of each entry. So entries
are a third of a minute's orders at most, and the other two thirds are for stops and exits, whoever enters how much. No
share is kept for entries. A cancellation is not counted, and never waits. What is bounded for exits too is all of
them together: a loop of them is a defect, and none that works needs so many.
"""

from collections import Counter, deque
from decimal import Decimal
from typing import Final

import msgspec

from proto.fields import Symbol
from shared.trading.amounts import EXACT, ZERO

MINUTE_NS: Final = 60_000_000_000
ORDERS_OF_A_WAY_OUT: Final = 2  # a stop and an exit: no entry takes their room


class EgressLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What may be sent in any sixty seconds. Orders that reduce risk count only towards `orders_max`."""

    orders_max: int
    entries_max: int
    symbol_entries_max: int
    entries_quote_max: Decimal


class _Sent(msgspec.Struct, frozen=True):
    boot_ns: int
    symbol: Symbol
    entry_quote: Decimal | None


class Governor:
    """Counts what left in the last minute. It begins anew with the process."""

    def __init__(self, limits: EgressLimits) -> None:
        self._limits: Final = limits
        self._sent: Final[deque[_Sent]] = deque()
        # Of the entries among them, summed as they come and go: an entry costs the same however many came before it.
        self._entries: Final[Counter[Symbol]] = Counter()
        self._entries_quote = ZERO

    def sent(self, symbol: Symbol, entry_quote: Decimal | None, boot_ns: int) -> None:
        """Note that an order leaves; of an entry, what it is worth."""
        self._sent.append(_Sent(boot_ns, symbol, entry_quote))
        if entry_quote is not None:
            self._entries[symbol] += 1
            self._entries_quote = EXACT.add(self._entries_quote, entry_quote)

    def refusal(self, boot_ns: int) -> str | None:
        """Say why no order at all may be sent now."""
        self._forget(boot_ns)
        count = len(self._sent)
        if count >= self._limits.orders_max:
            return f"{count} orders were sent in the last minute, at most {self._limits.orders_max} may be"
        return None

    def entry_refusal(self, symbol: Symbol, quote: Decimal, boot_ns: int) -> str | None:
        """Say why no entry of this worth may be sent now."""
        self._forget(boot_ns)
        entries, of_symbol = self._entries.total() + 1, self._entries[symbol] + 1
        worth = EXACT.add(self._entries_quote, quote)
        with_way_out = len(self._sent) + 1 + ORDERS_OF_A_WAY_OUT * entries
        counts = (
            ("entries", Decimal(entries), Decimal(self._limits.entries_max)),
            (f"entries of {symbol}", Decimal(of_symbol), Decimal(self._limits.symbol_entries_max)),
            ("worth of entries", worth, self._limits.entries_quote_max),
            (
                "orders, with a way out of each entry,",
                Decimal(with_way_out),
                Decimal(self._limits.orders_max),
            ),
        )
        for what, count, limit in counts:
            if count > limit:
                return f"{what} in a minute would be {count}, at most {limit} may be"
        return None

    def _forget(self, boot_ns: int) -> None:
        """Let go of what left longer than a minute ago."""
        while self._sent and self._sent[0].boot_ns <= boot_ns - MINUTE_NS:
            gone = self._sent.popleft()
            if gone.entry_quote is not None:
                self._entries[gone.symbol] -= 1
                self._entries_quote = EXACT.subtract(self._entries_quote, gone.entry_quote)
