"""An account: its costs, its open orders, and of what ended as much as is remembered."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from services.sim_exchange.venue.orders import Order, OrderList
from services.sim_exchange.venue.vocabulary import ClientIdRule, Fees, OwnTrade

ORDERS_REMEMBERED: Final = 10_000  # ended ones, of an account
LISTS_REMEMBERED: Final = 1_000  # ended ones, of an account
TRADES_REMEMBERED: Final = 10_000  # of an account on a symbol
CLIENT_IDS_REMEMBERED: Final = 100_000  # of an account, where they must be unique after their order ended
DAY_MS: Final = 24 * 60 * 60 * 1000

ClientId = tuple[str, str]  # a symbol, and the id on it


class ClientIds:
    """Which client ids of an account may not be used again, beyond those of its open orders."""

    def __init__(self, rule: ClientIdRule) -> None:
        self._rule = rule
        self._used_ms: OrderedDict[ClientId, int] = OrderedDict()

    def use(self, client_id: ClientId, now_ms: int) -> None:
        """Remember an id as used at a time, where the rule is that strict."""
        if self._rule != "unique while open":
            self._used_ms[client_id] = now_ms
            self._used_ms.move_to_end(client_id)
            if len(self._used_ms) > CLIENT_IDS_REMEMBERED:
                self._used_ms.popitem(last=False)

    def used(self) -> Iterator[tuple[ClientId, int]]:
        """Yield what is remembered, in the order of its time."""
        yield from self._used_ms.items()

    def is_used(self, client_id: ClientId, now_ms: int) -> bool:
        """Say whether the rule forbids to use the id."""
        if self._rule == "unique for a day":
            while self._used_ms and next(iter(self._used_ms.values())) <= now_ms - DAY_MS:
                self._used_ms.popitem(last=False)
        return client_id in self._used_ms


class Account:
    """Whoever trades. Of the synthetic market's own accounts nothing is kept that ended."""

    def __init__(self, name: str, fees: Fees, *, is_market: bool, client_ids: ClientIdRule) -> None:
        self.name = name
        self.fees = fees
        self.is_market = is_market
        self.orders: dict[int, Order] = {}
        self.lists: dict[int, OrderList] = {}
        self._open: dict[str, dict[int, Order]] = {}
        self._newest: dict[ClientId, Order] = {}
        self.client_ids = ClientIds("unique while open" if is_market else client_ids)
        self._ended: deque[Order] = deque()
        self._ended_lists: deque[OrderList] = deque()
        self._trades: dict[str, deque[OwnTrade]] = {}

    def open_on(self, symbol: str) -> dict[int, Order]:
        """Return the open orders on a symbol by id, oldest first."""
        orders = self._open.get(symbol)
        if orders is None:
            orders = self._open[symbol] = {}
        return orders

    def newest(self, symbol: str, client_id: str) -> Order | None:
        """Return the newest order with this client id."""
        return self._newest.get((symbol, client_id))

    def is_used(self, symbol: str, client_id: str, now_ms: int) -> bool:
        """Say whether a new order may not have this client id."""
        order = self._newest.get((symbol, client_id))
        return (order is not None and order.is_open) or self.client_ids.is_used((symbol, client_id), now_ms)

    def begin(self, order: Order) -> None:
        """Keep a new order."""
        key = (order.symbol, order.client_id)
        self.orders[order.order_id] = self._newest[key] = order
        self.open_on(order.symbol)[order.order_id] = order
        self.client_ids.use(key, order.placed_ms)

    def end(self, order: Order) -> None:
        """Remember an order as ended, and forget the oldest where there are too many."""
        del self._open[order.symbol][order.order_id]
        self._ended.append(order)
        if len(self._ended) > (0 if self.is_market else ORDERS_REMEMBERED):
            forgotten = self._ended.popleft()
            del self.orders[forgotten.order_id]
            key = (forgotten.symbol, forgotten.client_id)
            if self._newest[key] is forgotten:
                del self._newest[key]

    def end_list(self, order_list: OrderList) -> None:
        """Remember a list as done, and forget the oldest where there are too many."""
        self._ended_lists.append(order_list)
        if len(self._ended_lists) > (0 if self.is_market else LISTS_REMEMBERED):
            del self.lists[self._ended_lists.popleft().list_id]

    def trades(self) -> Iterator[OwnTrade]:
        """Yield the trades that are remembered, symbol by symbol, oldest first."""
        for trades in self._trades.values():
            yield from trades

    def trades_on(self, symbol: str) -> deque[OwnTrade]:
        """Return the trades on a symbol that are remembered, oldest first."""
        trades = self._trades.get(symbol)
        if trades is None:
            trades = self._trades[symbol] = deque(maxlen=TRADES_REMEMBERED)
        return trades
