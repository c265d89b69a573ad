"""What the face reads: the exchange's own records, and the bars of its market. Whoever answers late stands in here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

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


class Kline(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A bar. The newest may still be growing: it is over when the clock has passed `close_ms`."""

    open_ms: int
    close_ms: int  # the last millisecond that belongs to it
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_buy_volume: Decimal
    taker_buy_quote_volume: Decimal


class Candles(Protocol):
    """The bars of every symbol, from long ago up to the one that is growing."""

    def klines(
        self, symbol: str, interval: str, start_ms: int | None, end_ms: int | None, limit: int
    ) -> Sequence[Kline]:
        """Return bars in their order: the first `limit` that open from `start_ms` on, or without it the newest."""
