"""What a strategy has of a symbol, as the executor's reports tell it: a fold of them, and nothing else."""

from decimal import Decimal
from typing import Final

import msgspec

from proto.account import InstrumentRules
from proto.envelope import Body
from proto.market import BarClosed
from proto.orders import EntryEnded, EntryOpened, OrderFilled, PositionChanged
from shared.trading.instruments import is_remainder

NOTHING: Final = Decimal(0)


class Holding(msgspec.Struct):
    """The position, its target, and the entries that are under way.

    Exits are not in it: one may end without leaving anything, as that of a flatten which is called off, and the
    position has its target for as long as there is one.
    """

    quantity: Decimal = NOTHING
    target_price: Decimal | None = None
    filled_ns: int | None = None  # when the position began, by the venue's clock
    entries: dict[str, Decimal] = msgspec.field(default_factory=dict)  # by approval: what may be bought at most

    @property
    def entering(self) -> Decimal:
        """How much is being entered, at most."""
        return sum(self.entries.values(), NOTHING)

    def fold(self, told: Body) -> None:
        """Take in a report about this strategy and symbol."""
        match told:
            case EntryOpened(approval=approval):
                self.entries[approval.approval_id] = approval.quantity_max
                self.target_price = approval.targets[-1].price if approval.targets else None
                self.filled_ns = None  # dust of an earlier position may be left, and that began long ago
            case EntryEnded(approval_id=approval_id):
                self.entries.pop(approval_id, None)
            case OrderFilled() if told.order.purpose == "entry" and self.filled_ns is None:
                self.filled_ns = told.venue_time_ns
            case PositionChanged(quantity=quantity):
                self.quantity = quantity
                if not quantity:
                    self.filled_ns = None
                    self.target_price = self.target_price if self.entries else None
            case _:
                pass

    def lose(self) -> None:
        """Let go of what is under way: the reports of how it ended may be lost. What changes the position is told."""
        self.entries.clear()

    def owned(self, rules: InstrumentRules | None, price: Decimal) -> Decimal:
        """Return the position without dust: what no order of the venue could sell, and is a remainder."""
        if rules is None or not self.quantity:
            return self.quantity
        whole = self.quantity - self.quantity % rules.quantity_step
        is_unsold = whole < rules.quantity_min or whole * price < rules.notional_min_quote
        is_dust = is_unsold and is_remainder(self.quantity, price, rules.quantity_step)
        return NOTHING if is_dust else self.quantity

    def has_reached_target(self, bar: BarClosed) -> bool:
        """Say whether the price came to the target within a bar.

        Of the bar in which the position began only the close counts: its high may have been before.
        """
        if self.quantity <= 0 or self.target_price is None or self.filled_ns is None:
            return False
        if bar.close_time_ns <= self.filled_ns:
            return False
        highest = bar.high_price if bar.open_time_ns >= self.filled_ns else bar.close_price
        return Decimal(repr(highest)) >= self.target_price
