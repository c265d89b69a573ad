"""What a fault does to the venue itself: orders filled that nobody took, filters changed, symbols halted.

Everything goes through the desk like any client's command, so that it is written down, told and conserved. The other
side of a forced trade is an account of the market's kind, which is given just what it pays with.
"""

import re
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.interference import Call
from services.sim_exchange.face.parameters import INTEGER
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.venue.amounts import rounded_down, rounded_up
from services.sim_exchange.venue.vocabulary import (
    NO_LIST,
    CancelOrder,
    Fees,
    FillOrder,
    OpenAccount,
    OrderView,
    SetRules,
    SymbolStatus,
    Transfer,
    TriggerOrder,
)

Filters = dict[str, Decimal | int]

OTHER_SIDE: Final = "forced-trades"
_FREE: Final = Fees(maker=Decimal(0), taker=Decimal(0))
_PRICED: Final = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_TRIGGERED: Final = frozenset({"STOP_LOSS", "TAKE_PROFIT"})  # these take what the book has once they are
_ALL: Final = Decimal(1)
_OPEN: Final = frozenset({"NEW", "PARTIALLY_FILLED"})


class _Placed(msgspec.Struct, frozen=True, rename="camel"):
    order_id: int


class Hand:
    """Reaches into the venue through its desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk

    def canceled(self, call: Call) -> OrderView | None:
        """Return the order that a cancellation names, if it can be filled yet and belongs to no list."""
        order_id = call.sent.get("orderId", "")
        order = self._named(
            call,
            order_id=int(order_id) if re.fullmatch(INTEGER, order_id, re.ASCII) else None,
            client_id=call.sent.get("origClientOrderId") or None,
        )
        return order if order is not None and (rests(order) or waits(order)) else None

    def placed(self, call: Call, answer: bytes) -> OrderView | None:
        """Return the order that was placed, if it went into the book."""
        order = self._named(call, order_id=msgspec.json.decode(answer, type=_Placed).order_id, client_id=None)
        return order if order is not None and rests(order) else None

    def _named(self, call: Call, *, order_id: int | None, client_id: str | None) -> OrderView | None:
        if call.account is None or call.symbol is None or (order_id is None and client_id is None):
            return None
        order = self._desk.core.order(call.account, call.symbol, order_id=order_id, client_id=client_id)
        return order if order is not None and order.list_id == NO_LIST else None

    def complete(self, order: OrderView) -> None:
        """Fill all that an order still wants; one that waits for a price is triggered, and takes what the book has."""
        if waits(order):
            self._desk.carry_out(TriggerOrder(account=order.account, symbol=order.symbol, order_id=order.order_id))
        else:
            self.fill(order, _ALL)

    def fill(self, order: OrderView, fraction: Decimal) -> None:
        """Fill part of what an order still wants. Nothing is done if it left the book, or that is less than a step."""
        now = self._desk.core.order(order.account, order.symbol, order_id=order.order_id)
        rules = self._desk.core.rules()[order.symbol]
        if now is None or not rests(now):
            return
        steps = rounded_down((now.quantity - now.filled) * fraction / rules.step_size, Decimal(1))
        if not steps:
            return
        quantity = steps * rules.step_size
        asset, amount = (rules.base, quantity) if now.side == "BUY" else (rules.quote, rounded_up(now.price * quantity))
        if OTHER_SIDE not in self._desk.core.accounts():
            self._desk.carry_out(OpenAccount(account=OTHER_SIDE, fees=_FREE, is_market=True))
        self._desk.carry_out(Transfer(account=OTHER_SIDE, asset=asset, amount=amount))
        self._desk.carry_out(
            FillOrder(
                account=now.account, symbol=now.symbol, order_id=now.order_id, quantity=quantity, against=OTHER_SIDE
            )
        )

    def cancel(self, order: OrderView) -> None:
        """Cancel an order as the venue itself does."""
        self._desk.carry_out(CancelOrder(account=order.account, symbol=order.symbol, order_id=order.order_id))

    def check_listed(self, symbol: str) -> None:
        """Refuse a symbol that the venue does not know."""
        listed = self._desk.core.rules()
        if symbol not in listed:
            raise FaultRefusedError("symbol", f"`{symbol}` is not listed: write one of {', '.join(listed)}")

    def set_filters(self, symbol: str, changes: Filters) -> Filters:
        """Change filters of a symbol, and return what they were."""
        rules = self._desk.core.rules()[symbol]
        before = {name: getattr(rules, name) for name in changes}
        self._desk.carry_out(SetRules(rules=msgspec.structs.replace(rules, **changes)))
        return before

    def set_status(self, symbol: str, status: SymbolStatus) -> None:
        """Halt a symbol, or let it trade."""
        rules = self._desk.core.rules()[symbol]
        self._desk.carry_out(SetRules(rules=msgspec.structs.replace(rules, status=status)))


def rests(order: OrderView) -> bool:
    """Say whether an order is in the book."""
    return order.status in _OPEN and order.working_ms is not None and order.type in _PRICED


def waits(order: OrderView) -> bool:
    """Say whether an order waits for a price, at which it takes what the book has."""
    return order.status == "NEW" and order.working_ms is None and order.type in _TRIGGERED
