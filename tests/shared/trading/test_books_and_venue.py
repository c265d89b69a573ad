"""The books, fed with what the simulated exchange tells, agree with it: balances to the last digit, orders by state."""

from dataclasses import dataclass, field
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from services.sim_exchange.venue.vocabulary import (
    BalanceChanged,
    CancelReplace,
    Command,
    Execution,
    OrderChanged,
    OrderStatus,
    PlaceOrder,
    SetRules,
)
from shared.trading import order_life
from shared.trading.amounts import EXACT
from shared.trading.fills import Fill
from shared.trading.ledger import Ledger, entry_of, entry_of_fill
from shared.trading.order_life import State
from shared.trading.positions import Positions
from tests.services.sim_exchange.venue import flow

CLIENTS: Final = ("ann", "bob")  # the one pays fees out of what it receives, the other in BNB
EVENTS: Final[dict[Execution, order_life.Event]] = {
    "NEW": "acknowledged",
    "TRIGGERED": "acknowledged",
    "CANCELED": "canceled",
    "REPLACED": "canceled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "TRADE_PREVENTION": "expired",
}
STATES: Final[dict[OrderStatus, State]] = {
    "NEW": "resting",
    "PARTIALLY_FILLED": "partly_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
OTHERS = st.one_of(flow.ocos(), flow.cancels(), flow.replacements(), flow.rule_changes(), flow.transfers())
ROUNDS = st.lists(st.tuples(st.lists(flow.orders(), min_size=4, max_size=8), OTHERS), min_size=2, max_size=10)


@dataclass
class Books:
    """What is known of one account."""

    ledger: Ledger = field(default_factory=Ledger)
    positions: Positions = field(default_factory=Positions)
    orders: dict[int, State] = field(default_factory=dict)
    statuses: dict[int, OrderStatus] = field(default_factory=dict)

    def take(self, told: object) -> None:
        """Book what the venue told this account."""
        if isinstance(told, BalanceChanged) and told.reason == "TRANSFER":
            self.ledger.post(entry_of("transfers", {told.asset: told.transferred}))
        elif isinstance(told, OrderChanged):
            self.live(told)
            if told.fill is not None:
                self.fill(told)

    def live(self, told: OrderChanged) -> None:
        """Let an order live on, by what is known of it."""
        order = told.order
        state = self.orders.get(order.order_id, "marked")
        # Of a market order by money the venue says how much was ordered only when it is filled.
        ordered = order.quantity if order.status == "FILLED" or not order.quote_quantity else order.quantity + 1
        event = (
            order_life.event_of_fill(state, executed=order.filled, ordered=ordered)
            if told.execution == "TRADE"
            else EVENTS[told.execution]
        )
        self.orders[order.order_id] = order_life.after(state, event)
        self.statuses[order.order_id] = order.status

    def fill(self, told: OrderChanged) -> None:
        """Book a trade, and again, as the stream and the answer to a question both tell it."""
        assert told.fill is not None
        fill = Fill(
            strategy="trend",
            symbol=told.order.symbol,
            base=told.order.symbol.removesuffix("USDT"),
            quote="USDT",
            side="buy" if told.order.side == "BUY" else "sell",
            trade_id=told.fill.trade_id,
            price=told.fill.price,
            quantity=told.fill.quantity,
            quote_quantity=EXACT.multiply(told.fill.price, told.fill.quantity),
            fee=told.fill.fee,
            fee_asset=told.fill.fee_asset,
        )
        assert self.positions.fold(fill) not in {"repeated", "forgotten"}
        self.ledger.post(entry_of_fill(fill))
        assert self.positions.fold(fill) == "repeated"


def symbol_of(command: Command) -> str:
    """Return which symbol a command is about, if it is about one."""
    if isinstance(command, CancelReplace):
        return command.place.symbol
    return command.rules.symbol if isinstance(command, SetRules) else getattr(command, "symbol", "")


@given(ROUNDS)
def test_the_books_are_the_venues(rounds: list[tuple[list[PlaceOrder], Command]]) -> None:
    """Whatever is asked of it: fees in what is received and in BNB, orders of all types that end in all ways."""
    desk = flow.a_market()
    books = {account: Books() for account in CLIENTS}
    for account in CLIENTS:
        opening = {asset: held.free for asset, held in desk.exchange.balances(account).items()}
        books[account].ledger.post(entry_of("opening", opening))
    for command in (command for orders, other in rounds for command in (*orders, other)):
        # Where a price times a quantity has more digits than money has, the venue rounds, and we cannot know how.
        if symbol_of(command) == flow.FINE:
            continue
        for told in desk.send(command).events:
            account = told.order.account if isinstance(told, OrderChanged) else getattr(told, "account", "")
            if account in books:
                books[account].take(told)
    for account in CLIENTS:
        balances = desk.exchange.balances(account)
        venue = {asset: held.free + held.locked for asset, held in balances.items()}
        assert books[account].ledger.differences(venue) == {}
        statuses = books[account].statuses
        assert books[account].orders == {number: STATES[status] for number, status in statuses.items()}
