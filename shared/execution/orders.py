"""One child order of ours, from its send mark to its end. Pure."""

from decimal import Context, Decimal
from typing import Final, cast

import msgspec

from proto.envelope import Envelope
from proto.orders import OrderKey, SendMarked
from shared.trading.amounts import EXACT, ZERO
from shared.trading.order_life import TERMINAL, Event, State, after, event_of_fill

_shown: Final = Context(prec=28)


class Order(msgspec.Struct):
    """What the journal says of an order."""

    key: OrderKey
    order_type: str
    quantity: Decimal
    stop_price: Decimal | None
    decision_price: Decimal
    cost_expected_fraction: Decimal | None
    child_number: int
    marked_wall_ns: int
    marked_boot_ns: int
    marked_boot_id: str
    life: State = "marked"
    venue_order_id: str = ""
    executed_quantity: Decimal = ZERO
    executed_quote: Decimal = ZERO

    @property
    def client_order_id(self) -> str:
        """Our own id for it."""
        return self.key.client_order_id

    @property
    def place(self) -> tuple[str, str]:
        """Whose order it is, and of which symbol."""
        return self.key.strategy, self.key.symbol

    @property
    def open_quantity(self) -> Decimal:
        """How much of it may still be executed."""
        return ZERO if self.life in TERMINAL else EXACT.subtract(self.quantity, self.executed_quantity)

    @property
    def is_in_doubt(self) -> bool:
        """Whether the venue may have it or not: nobody knows."""
        return self.life in {"marked", "doubted"}

    @property
    def average_price(self) -> Decimal | None:
        """What its trades paid on the average; nothing is counted with it."""
        return _shown.divide(self.executed_quote, self.executed_quantity) if self.executed_quantity else None

    def happened(self, event: str) -> None:
        """Take in what happened to it."""
        self.life = after(self.life, cast("Event", event))

    def filled(self, quantity: Decimal, quote_quantity: Decimal) -> None:
        """Take in a trade of it."""
        executed = EXACT.add(self.executed_quantity, quantity)
        self.life = after(self.life, event_of_fill(self.life, executed=executed, ordered=self.quantity))
        self.executed_quantity = executed
        self.executed_quote = EXACT.add(self.executed_quote, quote_quantity)


def opened(mark: SendMarked, envelope: Envelope) -> Order:
    """Return the order that a send mark begins."""
    return Order(
        key=mark.order,
        order_type=mark.order_type,
        quantity=mark.quantity,
        stop_price=mark.stop_price,
        decision_price=mark.decision_price,
        cost_expected_fraction=mark.cost_expected_fraction,
        child_number=mark.child_number,
        marked_wall_ns=envelope.sent_wall_ns,
        marked_boot_ns=envelope.sent_boot_ns,
        marked_boot_id=envelope.boot_id,
    )
