"""What accounts could read a while ago: orders, trades and balances, for whoever answers from a replica that lags.

Books, public trades and symbols are told as they are: for those there are faults of the streams and of prices. What
was before the fault began nobody wrote down, so the past begins there.
"""

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from services.sim_exchange.face.records import Records
from services.sim_exchange.venue.accounts import LISTS_REMEMBERED, ORDERS_REMEMBERED, TRADES_REMEMBERED
from services.sim_exchange.venue.vocabulary import (
    Balance,
    BalanceChanged,
    Depth,
    Event,
    Fees,
    Fill,
    ListChanged,
    ListView,
    OrderChanged,
    OrderView,
    OwnTrade,
    SymbolRules,
    Traded,
)

EVENTS_WAITING_MAX: Final = 100_000  # beyond that the past comes nearer: the oldest are let in early
OPEN: Final = frozenset({"NEW", "PARTIALLY_FILLED"})


class Past:
    """The records as they were so long ago. It is told of everything that happens, and lets it in when it is due."""

    def __init__(self, current: Records, *, lag_ms: int) -> None:
        self._current: Final = current
        self._lag_ms: Final = lag_ms
        self._waiting: Final[deque[tuple[int, Event]]] = deque()
        accounts = current.accounts()
        self._balances: Final = {account: current.balances(account) for account in accounts}
        self._orders: Final = {
            account: {order.order_id: order for order in current.orders(account)} for account in accounts
        }
        self._lists: Final = {account: {one.list_id: one for one in current.lists(account)} for account in accounts}
        self._trades: Final = {
            (account, symbol): deque(current.own_trades(account, symbol), TRADES_REMEMBERED)
            for account in accounts
            for symbol in current.rules()
        }

    def take(self, events: Sequence[Event], now_ms: int) -> None:
        """Take up what happened, for later."""
        self._waiting.extend((now_ms, event) for event in events)
        self.advance(now_ms)

    def advance(self, now_ms: int) -> None:
        """Let in what happened long enough ago."""
        due_ms = now_ms - self._lag_ms
        while self._waiting and (self._waiting[0][0] <= due_ms or len(self._waiting) > EVENTS_WAITING_MAX):
            self._let_in(self._waiting.popleft()[1])

    def _let_in(self, event: Event) -> None:
        match event:
            case BalanceChanged(account=account, asset=asset, balance=balance):
                self._balances.setdefault(account, {})[asset] = balance
            case ListChanged(list=one):
                lists = self._lists.setdefault(one.account, {})
                lists[one.list_id] = one
                if len(lists) > LISTS_REMEMBERED:
                    del lists[next(iter(lists))]
            case OrderChanged(order=order, fill=fill):
                kept = self._orders.setdefault(order.account, {})
                kept[order.order_id] = order
                if len(kept) > ORDERS_REMEMBERED:
                    del kept[next((number for number, one in kept.items() if one.status not in OPEN), next(iter(kept)))]
                if fill is not None:
                    trades = self._trades.setdefault((order.account, order.symbol), deque(maxlen=TRADES_REMEMBERED))
                    trades.append(_own_trade(order, fill))
            case _:
                pass

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what an account had, by asset."""
        return dict(self._balances.get(account, {}))

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> OrderView | None:
        """Return the order with this id, or the newest with this client id, as it was; None before it was placed."""
        for order in reversed(self._orders.get(account, {}).values()):
            named = order_id in {None, order.order_id} and client_id in {None, order.client_id}
            if named and order.symbol == symbol:
                return order
        return None

    def orders(self, account: str, symbol: str | None = None, *, only_open: bool = False) -> list[OrderView]:
        """Return the orders of an account as they were, oldest first."""
        return [
            order
            for order in self._orders.get(account, {}).values()
            if symbol in {None, order.symbol} and (order.status in OPEN or not only_open)
        ]

    def own_trades(self, account: str, symbol: str) -> list[OwnTrade]:
        """Return the trades that an account had made by then, oldest first."""
        return list(self._trades.get((account, symbol), ()))

    def lists(self, account: str) -> list[ListView]:
        """Return the order lists of an account as they were."""
        return list(self._lists.get(account, {}).values())

    def rules(self) -> dict[str, SymbolRules]:
        """Return every symbol, as it is."""
        return self._current.rules()

    def accounts(self) -> dict[str, Fees]:
        """Return every account, as it is."""
        return self._current.accounts()

    def trades(self, symbol: str) -> list[Traded]:
        """Return the public trades, as they are."""
        return self._current.trades(symbol)

    def average_price(self, symbol: str, now_ms: int) -> Decimal | None:
        """Return the average price, as it is."""
        return self._current.average_price(symbol, now_ms)

    def depth(self, symbol: str, levels: int) -> Depth:
        """Return a book, as it is."""
        return self._current.depth(symbol, levels)


def _own_trade(order: OrderView, fill: Fill) -> OwnTrade:
    return OwnTrade(order_id=order.order_id, list_id=order.list_id, symbol=order.symbol, side=order.side, fill=fill)
