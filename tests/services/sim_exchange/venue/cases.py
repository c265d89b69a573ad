"""How a worked case is written down, and how it is tried: what was there, what is asked, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from services.sim_exchange.venue.vocabulary import Command, Fill, OrderView, Refused
from tests.services.sim_exchange.venue.builders import Desk, a_desk


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """`answer` is the order's state, or number and words of a refusal. `have` is "free + locked" of "account asset"."""

    title: str
    before: Sequence[Command] = ()
    asked: Command
    answer: str
    fills: list[str] = field(default_factory=list)  # "quantity @ price, fee"
    have: dict[str, str] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)  # "account client-id": "state filled-quantity"

    def tried(self) -> Desk:
        """Send all of it to a new exchange and compare."""
        desk = a_desk()
        for command in self.before:
            desk.does(command)
        answer = desk.send(self.asked).answer
        if isinstance(answer, Refused):
            assert f"{answer.code} {answer.message}" == self.answer
        else:
            assert " ".join(order.status for order in answer.orders) == self.answer
            assert [shown_fill(fill) for fills in answer.fills for fill in fills] == self.fills
        for owned, balance in self.have.items():
            account, asset = owned.split()
            assert (owned, shown_balance(desk, account, asset)) == (owned, balance)
        for named, state in self.orders.items():
            account, client_id = named.split(" ", 1)
            assert (named, shown_order(desk, account, client_id)) == (named, state)
        return desk


def number(amount: Decimal) -> str:
    """Return an amount without needless zeros."""
    return f"{amount.normalize():f}"


def shown_fill(fill: Fill) -> str:
    """Return a fill as a case has it."""
    return f"{number(fill.quantity)} @ {number(fill.price)}, {number(fill.fee)} {fill.fee_asset}"


def shown_balance(desk: Desk, account: str, asset: str) -> str:
    """Return a balance as a case has it."""
    balance = desk.exchange.balances(account)[asset]
    return f"{number(balance.free)} + {number(balance.locked)}"


def shown_order(desk: Desk, account: str, client_id: str) -> str:
    """Return an order as a case has it."""
    found = [order for symbol in desk.exchange.rules() for order in _named(desk, account, symbol, client_id)]
    assert found, f"{account} has no order {client_id}"
    return f"{found[0].status} {number(found[0].filled)}"


def _named(desk: Desk, account: str, symbol: str, client_id: str) -> list[OrderView]:
    order = desk.exchange.order(account, symbol, client_id=client_id)
    return [] if order is None else [order]
