"""What holds after whatever is asked: of the book, of every balance, of every fill; and after a restart."""

from collections import defaultdict
from decimal import ROUND_DOWN, Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.sim_exchange.venue.triggers import would_fire
from services.sim_exchange.venue.vocabulary import (
    FEES_ACCOUNT,
    NO_LIST,
    CancelAll,
    Command,
    Depth,
    Done,
    LevelChanged,
    OrderChanged,
    OrderView,
    Outcome,
    PlaceOco,
    PlaceOrder,
    SetRules,
    Traded,
    Transfer,
)
from tests.services.sim_exchange.venue import flow
from tests.services.sim_exchange.venue.builders import RATES
from tests.services.sim_exchange.venue.restarts import assert_restored

CLIENTS = sorted(set(RATES) - {"mm"})


class OrderFlow(RuleBasedStateMachine):
    """Anybody asks anything."""

    @initialize()
    def begin(self) -> None:
        """Open the exchange and note what is there, and what a reader of the book's changes knows."""
        self.desk = flow.a_market()
        self.exchange = self.desk.exchange
        self.brought = self.owned()
        self.read: dict[str, dict[tuple[str, Decimal], Decimal]] = {}
        self.update_ids: dict[str, int] = {}
        for listed in flow.LISTED:
            depth = self.exchange.depth(listed.symbol, 1000)
            self.update_ids[listed.symbol] = depth.update_id
            self.read[listed.symbol] = book_of(depth)

    @rule(orders=st.lists(flow.orders(), min_size=1, max_size=5))
    def place(self, orders: list[PlaceOrder]) -> None:
        """Place orders."""
        for order in orders:
            self.ask(order)

    @rule(oco=flow.ocos())
    def place_oco(self, oco: PlaceOco) -> None:
        """Place an OCO."""
        self.ask(oco)

    @rule(change=st.one_of(flow.cancels(), flow.cancels(), flow.replacements()))
    def cancel_or_replace(self, change: Command) -> None:
        """End something, or exchange it for something else."""
        self.ask(change)

    @rule(change=st.one_of(flow.rule_changes(), flow.transfers()))
    def intervene(self, change: SetRules | Transfer) -> None:
        """Change filters, halt, go on, bring something in, or take it out."""
        outcome = self.ask(change)
        if isinstance(change, Transfer) and isinstance(outcome.answer, Done):
            self.brought[change.asset] += change.amount

    def ask(self, command: Command) -> Outcome:
        """Send a command and look at what it told."""
        before = self.open_orders()
        outcome = self.desk.send(command)
        self.look_at_levels(outcome)
        self.look_at_trades(before, outcome)
        if isinstance(outcome.answer, Done):
            for order in outcome.answer.orders:
                now = self.exchange.order(order.account, order.symbol, order_id=order.order_id)
                assert now in {None, order}, "the answer shows an order as it is after the command"
        return outcome

    def owned(self) -> dict[str, Decimal]:
        """Return what there is of each asset, over all accounts and the fees."""
        owned: dict[str, Decimal] = defaultdict(Decimal)
        for account in (*RATES, FEES_ACCOUNT):
            for asset, balance in self.exchange.balances(account).items():
                owned[asset] += balance.free + balance.locked
        return owned

    def open_orders(self) -> dict[int, OrderView]:
        """Return every open order."""
        return {order.order_id: order for name in RATES for order in self.exchange.orders(name, only_open=True)}

    def look_at_levels(self, outcome: Outcome) -> None:
        """Read the changes of the book as a client does, and see that none is missing."""
        for event in outcome.events:
            if isinstance(event, LevelChanged):
                self.update_ids[event.symbol] += 1
                assert event.update_id == self.update_ids[event.symbol]
                self.read[event.symbol][event.side, event.price] = event.quantity

    def look_at_trades(self, before: dict[int, OrderView], outcome: Outcome) -> None:
        """See that nobody who had come first was passed over, and that limits and quantities were kept."""
        after = self.open_orders()
        trades = [event for event in outcome.events if isinstance(event, Traded)]
        for number, trade in enumerate(trades):
            later = {maker_id(other) for other in trades[number + 1 :]}
            maker = before.get(maker_id(trade))
            for order in before.values() if maker is not None else ():
                if maker is not None and is_ahead(order, maker):
                    assert order.order_id not in after.keys() | later, f"{order} was passed over for {maker}"
            for order in before.values():
                if order.symbol == trade.symbol and order.working_ms is None and order.order_id in after:
                    waits = after[order.order_id].working_ms is None
                    assert not (waits and would_fire(order.side, order.type, order.stop_price, trade.price)), order
        for event in outcome.events:
            if isinstance(event, OrderChanged):
                order, fill = event.order, event.fill
                assert order.filled <= order.quantity
                if fill is not None and order.price:
                    assert fill.price <= order.price if order.side == "BUY" else fill.price >= order.price

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        """Per asset, what all accounts and the fees have is what was brought in."""
        assert self.owned() == self.brought

    @invariant()
    def what_is_locked_is_locked_by_open_orders(self) -> None:
        """No balance is below nothing, and each locked one is the sum of what its account's open orders hold."""
        rules = self.exchange.rules()
        held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for order in self.open_orders().values():
            symbol = rules[order.symbol]
            held[order.account, symbol.quote if order.side == "BUY" else symbol.base] += order.locked
        for account in RATES:
            for asset, balance in self.exchange.balances(account).items():
                assert balance.free >= 0
                assert balance.locked == held[account, asset], (account, asset)

    @invariant()
    def a_plain_order_in_the_book_holds_what_it_needs(self) -> None:
        """Hold no more than the remaining quantity costs, or is: what a better price saved is free at once."""
        for order in self.open_orders().values():
            if order.working_ms is not None and order.list_id == NO_LIST:
                remaining = order.quantity - order.filled
                cost = (order.price * remaining).quantize(Decimal("1E-8"), ROUND_DOWN)
                assert order.locked == (cost if order.side == "BUY" else remaining), order

    @invariant()
    def a_list_has_one_order_once_one_of_them_was_filled_or_triggered(self) -> None:
        """See that the first order of a list that is filled, also in part, or triggered ends the other."""
        for account in RATES:
            orders = self.exchange.orders(account)
            for order_list in self.exchange.lists(account):
                of_list = [order for order in orders if order.list_id == order_list.list_id]
                begun = any(
                    order.filled or (order.working_ms is not None and order.type != "LIMIT_MAKER") for order in of_list
                )
                still_open = [order for order in of_list if order.status in {"NEW", "PARTIALLY_FILLED"}]
                assert len(still_open) <= (1 if begun else 2)
                assert (order_list.status == "ALL_DONE") == (not still_open)

    @invariant()
    def the_book_is_what_was_told_and_what_rests(self) -> None:
        """See that the book is never crossed, and is the sum both of its changes and of its open orders."""
        for symbol in self.exchange.rules():
            depth = self.exchange.depth(symbol, 1000)
            assert not depth.bids or not depth.asks or depth.bids[0][0] < depth.asks[0][0]
            assert list(depth.bids) == sorted(depth.bids, reverse=True)
            assert list(depth.asks) == sorted(depth.asks)
            book = book_of(depth)
            assert book == {level: quantity for level, quantity in self.read[symbol].items() if quantity}
            rests: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
            for order in self.open_orders().values():
                if order.symbol == symbol and order.working_ms is not None:
                    rests[order.side, order.price] += order.quantity - order.filled
            assert book == rests

    def teardown(self) -> None:
        """Restart the exchange from what its clients were told."""
        if hasattr(self, "desk"):
            for symbol in self.exchange.rules():
                self.desk.send(CancelAll(account="mm", symbol=symbol))  # the market's orders end with the process
            assert_restored(self.desk, CLIENTS)


def book_of(depth: Depth) -> dict[tuple[str, Decimal], Decimal]:
    """Return the levels of both sides."""
    bids = {("BUY", price): quantity for price, quantity in depth.bids}
    return bids | {("SELL", price): quantity for price, quantity in depth.asks}


def maker_id(trade: Traded) -> int:
    """Return the order that was in the book."""
    return trade.buyer_order_id if trade.buyer_is_maker else trade.seller_order_id


def is_ahead(order: OrderView, maker: OrderView) -> bool:
    """Say whether an order rests on the maker's side, in front of it."""
    if (order.symbol, order.side) != (maker.symbol, maker.side) or order.working_ms is None:
        return False
    if order.price == maker.price:
        return order.priority < maker.priority
    return order.price > maker.price if order.side == "BUY" else order.price < maker.price


TestOrderFlow = OrderFlow.TestCase
TestOrderFlow.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
