"""How much may leave for the venue in a minute, whatever was approved: the last guard against our own defects. Pure."""

from collections import deque
from decimal import Decimal
from typing import Final

import msgspec

from proto.fields import Symbol
from shared.trading.amounts import ZERO

MINUTE_NS: Final = 60_000_000_000


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
    """Counts what was marked to be sent in the last minute. It begins anew with the process."""

    def __init__(self, limits: EgressLimits) -> None:
        self._limits: Final = limits
        self._sent: Final[deque[_Sent]] = deque()

    def sent(self, symbol: Symbol, entry_quote: Decimal | None, boot_ns: int) -> None:
        """Note that an order is about to leave; of an entry, what it is worth."""
        self._sent.append(_Sent(boot_ns, symbol, entry_quote))

    def refusal(self, boot_ns: int) -> str | None:
        """Say why no order at all may be sent now."""
        count = len(self._recent(boot_ns))
        if count >= self._limits.orders_max:
            return f"{count} orders were sent in the last minute, at most {self._limits.orders_max} may be"
        return None

    def entry_refusal(self, symbol: Symbol, quote: Decimal, boot_ns: int) -> str | None:
        """Say why no entry of this worth may be sent now."""
        entries = [one for one in self._recent(boot_ns) if one.entry_quote is not None]
        of_symbol = sum(one.symbol == symbol for one in entries)
        worth = sum((one.entry_quote or ZERO for one in entries), quote)
        counts = (
            ("entries", Decimal(len(entries) + 1), Decimal(self._limits.entries_max)),
            (f"entries of {symbol}", Decimal(of_symbol + 1), Decimal(self._limits.symbol_entries_max)),
            ("worth of entries", worth, self._limits.entries_quote_max),
        )
        for what, count, limit in counts:
            if count > limit:
                return f"{what} in a minute would be {count}, at most {limit} may be"
        return self.refusal(boot_ns)

    def _recent(self, boot_ns: int) -> deque[_Sent]:
        while self._sent and self._sent[0].boot_ns <= boot_ns - MINUTE_NS:
            self._sent.popleft()
        return self._sent
