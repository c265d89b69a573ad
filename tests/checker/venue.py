"""A log of the simulated exchange, written by its page: a few orders of one account, and balances that add up."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from tests.checker.wire import NS_PER_MS, START_WALL_NS

START_MS: Final = START_WALL_NS // NS_PER_MS
ACCOUNT: Final = "demo"
RULES: Final = {
    "symbol": "BTCUSDT",
    "base": "BTC",
    "quote": "USDT",
    "tick_size": "0.01",
    "step_size": "0.001",
    "quantity_min": "0.001",
    "notional_min": "5",
    "status": "TRADING",
}
ENDED: Final = frozenset({"FILLED", "CANCELED", "EXPIRED", "REJECTED"})

Line = dict[str, Any]


@dataclass
class Venue:
    """Says what happened, line by line. Locked money is left out: only sums are judged."""

    lines: list[Line] = field(default_factory=list)
    balances: dict[str, Decimal] = field(default_factory=dict)
    orders: dict[str, Line] = field(default_factory=dict)
    trade_id: int = 100

    def begin(self) -> None:
        """Open the log, list the symbol, and give the account its money."""
        self._line(0, "Opened", version=1, carried_over=0)
        self.happened(0, {"told": "RulesChanged", "rules": dict(RULES)})
        self.happened(0, {"told": "AccountOpened", "account": ACCOUNT, "fees": {"maker": "0.001", "taker": "0.001"}})
        self.transfer(0, "USDT", "10000")
        self.transfer(0, "BNB", "1")

    def transfer(self, at_ms: int, asset: str, amount: str) -> None:
        """Bring money in, or take it out."""
        self.balances[asset] = self.balances.get(asset, Decimal(0)) + Decimal(amount)
        self.happened(at_ms, self._balance(asset, reason="TRANSFER", transferred=amount))

    def received(self, at_ms: int, endpoint: str, **sent: str) -> None:
        """Note a request."""
        self._line(at_ms, "Received", endpoint=endpoint, address="127.0.0.1", account=ACCOUNT, sent=sent)

    def place(self, at_ms: int, client_id: str, side: str, *, kind: str, quantity: str) -> None:
        """Take an order in, as it was asked for."""
        self.received(at_ms, "POST /api/v3/order", symbol="BTCUSDT", newClientOrderId=client_id)
        self.orders[client_id] = {
            "account": ACCOUNT,
            "symbol": "BTCUSDT",
            "order_id": 1000 + len(self.orders),
            "client_id": client_id,
            "side": side,
            "type": kind,
            "quantity": quantity,
            "price": "0",
            "status": "NEW",
            "filled": "0",
            "filled_quote": "0",
        }
        self._order(at_ms, client_id, "NEW")

    def fill(self, at_ms: int, client_id: str, quantity: str, price: str, *, fee: tuple[str, str]) -> int:
        """Trade a part of an order, or the rest; return the number of the trade."""
        order, amount = self.orders[client_id], Decimal(quantity)
        quote = amount * Decimal(price)
        order["filled"] = str(Decimal(order["filled"]) + amount)
        order["filled_quote"] = str(Decimal(order["filled_quote"]) + quote)
        done = Decimal(order["filled"]) == Decimal(order["quantity"])
        order["status"] = "FILLED" if done else "PARTIALLY_FILLED"
        self.trade_id += 1
        sign = 1 if order["side"] == "BUY" else -1
        for asset, moved in (("BTC", sign * amount), ("USDT", -sign * quote), (fee[1], -Decimal(fee[0]))):
            self.balances[asset] = self.balances.get(asset, Decimal(0)) + moved
        fill = {
            "trade_id": self.trade_id,
            "price": price,
            "quantity": quantity,
            "quote_quantity": str(quote),
            "fee": fee[0],
            "fee_asset": fee[1],
            "is_maker": False,
            "time_ms": START_MS + at_ms,
        }
        told = {"told": "OrderChanged", "order": dict(order), "execution": "TRADE", "fill": fill}
        self.happened(at_ms, told, *(self._balance(asset) for asset in sorted({"BTC", "USDT", fee[1]})))
        return self.trade_id

    def end(self, at_ms: int, client_id: str, status: str) -> None:
        """Let an order end."""
        self.orders[client_id]["status"] = status
        self._order(at_ms, client_id, status)

    def happened(self, at_ms: int, *events: Line) -> None:
        """Note what one command brought about."""
        self._line(at_ms, "Happened", events=list(events))

    def _order(self, at_ms: int, client_id: str, execution: str) -> None:
        order = dict(self.orders[client_id])
        self.happened(at_ms, {"told": "OrderChanged", "order": order, "execution": execution, "fill": None})

    def _balance(self, asset: str, *, reason: str = "ORDER", transferred: str = "0") -> Line:
        free = {"free": str(self.balances[asset]), "locked": "0"}
        told = {"told": "BalanceChanged", "account": ACCOUNT, "asset": asset, "balance": free}
        return {**told, "reason": reason, "transferred": transferred}

    def _line(self, at_ms: int, kind: str, **rest: Any) -> None:  # noqa: ANN401 -- the fields of any line
        self.lines.append({"line": kind, **rest, "at_ms": START_MS + at_ms})
