"""The least venue that a market can move in: limit and market orders, price before time, no accounts' balances.

It answers as the matching core does towards the market's own accounts: with the order asked for, and public trades.
"""

from decimal import Decimal

import msgspec

from services.sim_exchange.market.market import Market
from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelOrder,
    Done,
    OrderView,
    Outcome,
    PlaceOrder,
    Refused,
    Side,
    Traded,
)

ENDED = {"FILLED", "CANCELED", "EXPIRED"}


class SmallBook:
    """One book per symbol."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.resting: dict[int, OrderView] = {}  # by order id, so from old to new
        self.trades: list[Traded] = []
        self.commands = 0
        self._orders = 0

    def handle(self, command: PlaceOrder | CancelOrder | CancelAll) -> Outcome:
        """Carry out a command."""
        self.commands += 1
        if isinstance(command, PlaceOrder):
            return self._place(command)
        ended = [order for order in self.resting.values() if is_named(order, command)]
        for order in ended:
            del self.resting[order.order_id]
        return Outcome(
            answer=Done(orders=tuple(ended)) if ended else Refused(code=-2011, message="Unknown order sent.")
        )

    def side(self, symbol: str, side: Side) -> list[OrderView]:
        """Return the orders of a side, those first that are filled first."""
        orders = [order for order in self.resting.values() if (order.symbol, order.side) == (symbol, side)]
        return sorted(orders, key=lambda order: (-order.price if side == "BUY" else order.price, order.order_id))

    def best(self, symbol: str, side: Side) -> Decimal:
        """Return the best price of a side."""
        return self.side(symbol, side)[0].price

    def _place(self, command: PlaceOrder) -> Outcome:
        self._orders += 1
        order = an_order(command, self._orders, self.now_ms)
        trades = []
        for maker in self.side(command.symbol, "SELL" if command.side == "BUY" else "BUY"):
            left = order.quantity - order.filled
            crosses = maker.price <= order.price if order.side == "BUY" else maker.price >= order.price
            if left == 0 or not (crosses or order.type == "MARKET"):
                break
            quantity = min(left, maker.quantity - maker.filled)
            order = self._filled(order, quantity)
            self._keep(self._filled(maker, quantity))
            trades.append(self._trade(order, maker, quantity))
        if order.type == "MARKET" and order.status not in ENDED:
            order = msgspec.structs.replace(order, status="EXPIRED")
        self._keep(order)
        self.trades += trades
        return Outcome(answer=Done(orders=(order,)), events=tuple(trades))

    def _filled(self, order: OrderView, quantity: Decimal) -> OrderView:
        filled = order.filled + quantity
        status = "FILLED" if filled == order.quantity else "PARTIALLY_FILLED"
        return msgspec.structs.replace(order, filled=filled, status=status)

    def _keep(self, order: OrderView) -> None:
        if order.status in ENDED:
            self.resting.pop(order.order_id, None)
        else:
            self.resting[order.order_id] = order

    def _trade(self, taker: OrderView, maker: OrderView, quantity: Decimal) -> Traded:
        buyer, seller = (taker, maker) if taker.side == "BUY" else (maker, taker)
        return Traded(
            symbol=taker.symbol,
            trade_id=len(self.trades) + 1,
            price=maker.price,
            quantity=quantity,
            buyer_order_id=buyer.order_id,
            seller_order_id=seller.order_id,
            buyer_is_maker=buyer is maker,
            time_ms=self.now_ms,
        )


def is_named(order: OrderView, command: CancelOrder | CancelAll) -> bool:
    """Say whether a command is about this order."""
    if (order.account, order.symbol) != (command.account, command.symbol):
        return False
    return isinstance(command, CancelAll) or order.client_id == command.client_id


def an_order(command: PlaceOrder, order_id: int, now_ms: int) -> OrderView:
    """Make the order that a command asks for."""
    nothing = Decimal(0)
    return OrderView(
        account=command.account,
        symbol=command.symbol,
        order_id=order_id,
        client_id=command.client_id,
        list_id=-1,
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force or "GTC",
        quantity=command.quantity or nothing,
        quote_quantity=nothing,
        price=command.price or nothing,
        stop_price=nothing,
        self_trade_prevention=command.self_trade_prevention,
        status="NEW",
        filled=nothing,
        filled_quote=nothing,
        placed_ms=now_ms,
        updated_ms=now_ms,
        working_ms=now_ms,
        priority=order_id,
        locked=nothing,
    )


def a_limit_order(side: Side, price: Decimal, quantity: Decimal, symbol: str = "BTCUSDT") -> PlaceOrder:
    """Return a client's order."""
    return PlaceOrder(
        account="client",
        symbol=symbol,
        side=side,
        type="LIMIT",
        client_id="mine",
        time_in_force="GTC",
        quantity=quantity,
        price=price,
    )


def play(market: Market, book: SmallBook, start_ms: int, end_ms: int, step_ms: int = 200) -> list[Traded]:
    """Let a market trade in a book, and return the trades."""
    first = len(book.trades)
    for now_ms in range(start_ms, end_ms, step_ms):
        book.now_ms = now_ms
        for command in market.step(now_ms):
            market.answered(command, book.handle(command))
    return book.trades[first:]
