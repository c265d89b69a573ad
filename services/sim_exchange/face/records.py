"""What the face reads: the exchange's own records, and the bars of its market. Whoever answers late stands in here."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from services.sim_exchange.market.bars import Kline
from services.sim_exchange.market.candles import BARS_MAX, Closed
from services.sim_exchange.market.intervals import Interval
from services.sim_exchange.market.source import Missing
from services.sim_exchange.venue.vocabulary import (
    Balance,
    Depth,
    Fees,
    ListView,
    OrderView,
    OwnTrade,
    SymbolRules,
    Traded,
)


class Records(Protocol):
    """What may be read of an exchange."""

    def rules(self) -> dict[str, SymbolRules]:
        """Return every symbol."""

    def accounts(self) -> dict[str, Fees]:
        """Return every account that was opened, with what trading costs it."""

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what an account has, by asset."""

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> OrderView | None:
        """Return the order with this id, or the newest with this client id."""

    def orders(self, account: str, symbol: str | None = None, *, only_open: bool = False) -> list[OrderView]:
        """Return the orders of an account that are remembered, oldest first."""

    def own_trades(self, account: str, symbol: str) -> list[OwnTrade]:
        """Return the trades of an account on a symbol that are remembered, oldest first."""

    def lists(self, account: str) -> list[ListView]:
        """Return the order lists of an account that are remembered."""

    def trades(self, symbol: str) -> list[Traded]:
        """Return the public trades that are remembered, oldest first."""

    def average_price(self, symbol: str, now_ms: int) -> Decimal | None:
        """Return the average of the last minutes' trades, or else the last price; None before the first trade."""

    def depth(self, symbol: str, levels: int) -> Depth:
        """Return the best levels of a book."""


class Candles(Protocol):
    """The bars of every symbol, from long ago up to those that are growing. The market feed tells it of every trade."""

    def traded(self, trade: Traded) -> None:
        """Take a trade into the bars."""

    def advance(self, now_ms: int) -> Iterable[Closed]:
        """Let the time pass, and yield what closed meanwhile."""

    def since(
        self, symbol: str, interval: Interval, start_ms: int, end_ms: int | None = None, limit: int = BARS_MAX
    ) -> list[Kline]:
        """Return the first bars that open at `start_ms` or later, before `end_ms` and not in the future."""

    def latest(self, symbol: str, interval: Interval, end_ms: int | None = None, limit: int = BARS_MAX) -> list[Kline]:
        """Return the last bars that open before `end_ms` and not in the future; the last one may still grow."""

    def missing(
        self, symbol: str, interval: Interval, start_ms: int | None, end_ms: int | None = None, limit: int = BARS_MAX
    ) -> Iterable[Missing]:
        """Yield what `since` would have to make first to tell these bars, or without a start `latest`."""
