"""A venue that answers at once, with one account in one symbol: enough to see a position closed."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from shared.core.service import FromOutside, Outward
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelOrder,
    CancelSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    ReadWorth,
    Rejected,
    SendOrder,
    TradesRead,
    VenueBalance,
    VenueOrder,
    VenueStatus,
    VenueTrade,
    WorthRead,
)
from tests.shared.execution.desk import AHEAD_NS, BTC

PRICE: Final = Decimal(100)
BID: Final = Decimal(97)  # when the account is read
ZERO: Final = Decimal(0)


class StandIn:
    """Fills market orders at one price, lets stops rest, and remembers everything."""

    def __init__(self, *, usdt: str, btc: str) -> None:
        self.now_ns = 0
        self.refuses = False
        self.balances: Final = {"USDT": Decimal(usdt), "BTC": Decimal(btc)}
        self.sent: Final[list[SendOrder]] = []
        self.trades: Final[list[VenueTrade]] = []
        self._orders: Final[dict[str, VenueOrder]] = {}

    def rest(self, order: SendOrder) -> None:
        """Let an order rest that another life sent."""
        self._orders[order.client_order_id] = self._shown(order, "open")

    def open_orders(self) -> list[VenueOrder]:
        """Return what rests."""
        return [order for order in self._orders.values() if order.status == "open"]

    def perform(self, effect: Outward) -> list[FromOutside]:
        """Do what is wanted, and return what is told of it."""
        match effect:
            case SendOrder():
                return self._send(effect)
            case CancelOrder(client_order_id=name):
                return self._cancel(name)
            case ReadOrder(client_order_id=name):
                return [OrderRead(name, self._orders.get(name), self.now_ns + AHEAD_NS, None)]
            case ReadOpenOrders(read_number=number):
                return [OpenOrdersRead(number, tuple(self.open_orders()), None)]
            case ReadTrades(read_number=number, symbol=symbol, from_id=from_id):
                later = tuple(trade for trade in self.trades if trade.trade_id >= (from_id or 0))
                return [TradesRead(number, symbol, later, None)]
            case ReadAccount(read_number=number):
                return [AccountRead(number, self._held(), self.now_ns + AHEAD_NS, None)]
            case ReadWorth(read_number=number):
                return [WorthRead(number, self._held(), {BTC: BID}, self.now_ns + AHEAD_NS, None)]
            case _:
                raise AssertionError(f"nobody does {effect}")

    def _send(self, order: SendOrder) -> list[FromOutside]:
        name = order.client_order_id
        assert name not in self._orders, f"{name} is sent a second time"
        self.sent.append(order)
        if self.refuses:
            return [OrderSent(name, Rejected("-1013", "Filter failure: NOTIONAL"), self.now_ns + AHEAD_NS)]
        if order.order_type != "market":
            self.rest(order)
            return [self._acknowledged(name)]
        self._orders[name] = self._shown(order, "filled", executed=order.quantity)
        self.trades.append(self._trade(self._orders[name]))
        self.balances["BTC"] -= order.quantity
        self.balances["USDT"] += order.quantity * PRICE
        return [self._acknowledged(name), OrderTold(self._orders[name], self.trades[-1])]

    def _cancel(self, name: str) -> list[FromOutside]:
        self._orders[name] = replace(self._orders[name], status="canceled")
        return [CancelSent(name, Acknowledged(self._orders[name])), OrderTold(self._orders[name], None)]

    def _acknowledged(self, name: str) -> OrderSent:
        return OrderSent(name, Acknowledged(self._orders[name]), self.now_ns + AHEAD_NS)

    def _held(self) -> tuple[VenueBalance, ...]:
        return tuple(VenueBalance(asset, amount, ZERO) for asset, amount in self.balances.items() if amount)

    def _trade(self, order: VenueOrder) -> VenueTrade:
        return VenueTrade(
            symbol=order.symbol,
            trade_id=100 + len(self.trades),
            venue_order_id=order.venue_order_id,
            side=order.side,
            price=PRICE,
            quantity=order.quantity,
            quote_quantity=order.quantity * PRICE,
            fee=ZERO,
            fee_asset="USDT",
            liquidity="taker",
            venue_time_ns=self.now_ns + AHEAD_NS,
        )

    def _shown(self, order: SendOrder, status: VenueStatus, *, executed: Decimal = ZERO) -> VenueOrder:
        return VenueOrder(
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            venue_order_id=f"v-{order.client_order_id}",
            side=order.side,
            status=status,
            quantity=order.quantity,
            executed_quantity=executed,
            venue_time_ns=self.now_ns + AHEAD_NS,
        )
