"""Orders and order lists as the core works on them. What is told of them are views, made when something is told."""

from decimal import Decimal
from operator import attrgetter
from typing import Final

import msgspec

from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.ledger import Wallet
from services.sim_exchange.venue.vocabulary import (
    NO_LIST,
    Fill,
    ListStatus,
    ListView,
    OrderStatus,
    OrderType,
    OrderView,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

STOP_TYPES: Final = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT"})
PROFIT_TYPES: Final = frozenset({"TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
TRIGGERED_TYPES: Final = STOP_TYPES | PROFIT_TYPES  # "algo" orders, as the venue's filter calls them
PRICELESS_TYPES: Final = frozenset({"MARKET", "STOP_LOSS", "TAKE_PROFIT"})  # these take what the book has


class Order(msgspec.Struct, eq=False):
    """An order, changed in place: a structure of msgspec because one is made per command."""

    account: str
    symbol: str
    order_id: int
    client_id: str
    side: Side
    is_buy: bool
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    quote_quantity: Decimal
    price: Decimal
    stop_price: Decimal
    self_trade_prevention: SelfTradePrevention
    placed_ms: int
    updated_ms: int
    is_told: bool  # there is somebody to be told of it
    pays: Wallet
    gets: Wallet
    remaining: Decimal  # what it still wants
    list_id: int = NO_LIST
    order_list: "OrderList | None" = None
    status: OrderStatus = "NEW"
    is_open: bool = True
    filled: Decimal = ZERO
    filled_quote: Decimal = ZERO
    working_ms: int | None = None
    priority: int = 0
    locked: Decimal = ZERO
    rests: bool = False  # in the book
    waits: bool = False  # for its trigger
    told: OrderView | None = None  # what its owner was told last: whatever changes it is told
    fills: list[Fill] | None = None  # gathered while the command that placed it is carried out

    @property
    def may_rest(self) -> bool:
        """Say whether what it cannot take at once waits in the book."""
        return self.type not in PRICELESS_TYPES and self.time_in_force == "GTC"

    def join(self, order_list: "OrderList") -> None:
        """Become one of a list."""
        self.order_list = order_list
        self.list_id = order_list.list_id

    def view(self) -> OrderView:
        """Return it as it is now."""
        return OrderView(*_SEEN(self))


# By name and in one call: with twenty named arguments a view costs twice as much, and one is made per event.
_SEEN: Final = attrgetter(*OrderView.__struct_fields__)


class OrderList(msgspec.Struct, kw_only=True, eq=False):
    """Orders of which the first to be filled or triggered ends the others."""

    account: str
    symbol: str
    list_id: int
    list_client_id: str
    order_ids: tuple[int, ...]
    client_ids: tuple[str, ...]
    time_ms: int
    is_told: bool
    status: ListStatus = "EXEC_STARTED"
    orders: list[Order] = []

    @property
    def is_open(self) -> bool:
        """Say whether any of its orders still works or waits."""
        return any(order.is_open for order in self.orders)

    def view(self) -> ListView:
        """Return it as it is now."""
        return ListView(
            account=self.account,
            symbol=self.symbol,
            list_id=self.list_id,
            list_client_id=self.list_client_id,
            order_ids=self.order_ids,
            client_ids=self.client_ids,
            status=self.status,
            time_ms=self.time_ms,
        )
