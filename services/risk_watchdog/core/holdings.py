"""What is held and what is reserved, and what both are worth. Pure.

An entry counts whole until it has ended, though what it filled is a position by then. So for moments a little is
counted twice, and nothing is ever counted too low.
"""

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from typing import Final

from proto.fields import Symbol
from proto.verdicts import Approval
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.reports import ExecutorReports, Held
from shared.market.prices import Prices
from shared.risk.book import Exposure, total

EIGHT_PLACES: Final = Decimal("1E-8")


class Holdings:
    """Sums over our own reservations and the executor's positions."""

    def __init__(self, facts: Facts, reports: ExecutorReports, prices: Prices) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._prices: Final = prices

    @property
    def reserved_quote(self) -> Decimal:
        """Return what all entries together may still take."""
        return total(approval.reserved_quote for approval in self._entries().values())

    def exposures(self) -> tuple[Exposure, ...]:
        """Return positions and entries at what they are worth."""
        held = (
            Exposure(strategy, symbol, abs(position.quantity) * price)
            for (strategy, symbol), position in self._reports.positions.items()
            if (price := self._price(symbol, position)) is not None
        )
        entered = (
            Exposure(approval.strategy, approval.symbol, approval.reserved_quote)
            for approval in self._entries().values()
        )
        return tuple(
            Exposure(one.strategy, one.symbol, one.notional_quote.quantize(EIGHT_PLACES, ROUND_UP))
            for one in (*held, *entered)
        )

    def of_unknown_worth(self) -> Symbol | None:
        """Return a symbol that is held, and for which there is neither a price nor what was paid."""
        positions = self._reports.positions.items()
        return next((symbol for (_, symbol), held in positions if self._price(symbol, held) is None), None)

    def _entries(self) -> Mapping[str, Approval]:
        """Return the approvals that may be worked or are, those also that our own journal has lost."""
        ours = {held.approval.approval_id: held.approval for held in self._facts.reservations.values()}
        return self._reports.opened | ours

    def _price(self, symbol: Symbol, held: Held) -> Decimal | None:
        price = self._prices.of(symbol)
        return held.average_entry_price if price is None else price.middle
