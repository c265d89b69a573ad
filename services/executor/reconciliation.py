"""Holds our books against the venue's: at the beginning, after every gap of the private stream, and now and then. Pure.

A pass reads the open orders, the trades of each symbol since the last ones known, and the balances, in this order: so a
trade that happens meanwhile shows in the balances at worst, and a second pass finds it. What trades do not explain has
to stand in two passes, some seconds apart and with nothing traded between, before it is believed. It is written down
and reported, and never traded away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

import msgspec

from proto.fields import Asset, Symbol
from services.executor.books import Books
from services.executor.vocabulary import (
    AccountRead,
    OpenOrdersRead,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    TradesRead,
    VenueOrder,
)
from shared.core.service import Moment

BUSY_NS: Final = 30_000_000_000  # between two passes while there is an order or a position
IDLE_NS: Final = 300_000_000_000
AGAIN_NS: Final = 2_000_000_000  # where something differed, or could not be read
AGAIN_NS_MAX: Final = 8_000_000_000
BELIEVED_NS: Final = (
    5_000_000_000  # a difference stands for so long before it is believed: venues lag behind themselves
)
PASS_NS_MAX: Final = 30_000_000_000
PAGE: Final = 1_000
NO_PASS: Final = 0


class _Pass(msgspec.Struct):
    """One pass under way."""

    number: int
    begun_boot_ns: int
    waiting: set[str]
    orders: tuple[VenueOrder, ...] = ()
    account: AccountRead | None = None
    failure: str | None = None


class _Difference(msgspec.Struct):
    """What no trade explained, what the books held then, and since when nothing has changed of either."""

    unexplained: Mapping[Asset, Decimal]
    balances: Mapping[Asset, Decimal]
    since_boot_ns: int


class Compared(msgspec.Struct):
    """What a pass found: orders of ours that the venue does not show, others' orders, and money that differs."""

    missing: list[str]
    foreign: list[VenueOrder]
    shown: list[VenueOrder]
    unexplained: Mapping[Asset, Decimal]
    believed: bool  # it has differed so for longer than the venue lags, and the books have not moved
    account: AccountRead


class Reconciler:
    """Decides what is read when, and compares."""

    def __init__(self, books: Books, symbols: Iterable[Symbol]) -> None:
        self._books: Final = books
        self._symbols: Final = tuple(symbols)
        self._pass: _Pass | None = None
        self._ended_boot_ns = 0
        self._is_urgent = True
        self._again_ns = AGAIN_NS
        self._numbers = 0
        self._differed: _Difference | None = None
        self.read_to: dict[Symbol, int] = {}  # the trades of a symbol, in this life

    def soon(self) -> None:
        """Begin a pass as soon as may be, and let one that is under way count for nothing: something was missed."""
        self._pass, self._is_urgent, self._ended_boot_ns = None, True, 0

    def early(self) -> None:
        """Let the next pass not wait for its time."""
        self._is_urgent = True

    def forget(self, now: Moment) -> None:
        """Begin anew, after a while: what was read did not come into the books, and may not the next time either."""
        self.read_to.clear()
        self._pass, self._is_urgent, self._ended_boot_ns = None, True, now.boot_ns
        self._again_ns = AGAIN_NS_MAX

    def due(self, now: Moment) -> list[ReadOpenOrders | ReadTrades | ReadAccount]:
        """Return what shall be read now."""
        if self._pass is not None and now.boot_ns - self._pass.begun_boot_ns <= PASS_NS_MAX:
            return []
        if now.boot_ns < self._ended_boot_ns + self._pause_ns():
            return []
        self._is_urgent = False
        self._numbers += 1
        self._pass = _Pass(self._numbers, now.boot_ns, {"orders", "account", *self._symbols})
        return [ReadOpenOrders(self._numbers)]

    def orders_read(self, answer: OpenOrdersRead) -> list[ReadTrades]:
        """Take the open orders, and go on with the trades."""
        current = self._of(answer.read_number, "orders", answer.failure)
        if current is None:
            return []
        current.orders = answer.orders
        return [self._trades_from(symbol) for symbol in self._symbols]

    def trades_read(self, answer: TradesRead) -> list[ReadTrades | ReadAccount]:
        """Take the trades of a symbol; they are in the books by now. Go on with more of them, or with the balances."""
        current = self._of(answer.read_number, answer.symbol, answer.failure)
        if current is None:
            return []
        if answer.trades:
            self.read_to[answer.symbol] = answer.trades[-1].trade_id + 1
        if len(answer.trades) == PAGE:
            current.waiting.add(answer.symbol)
            return [self._trades_from(answer.symbol)]
        return [ReadAccount(current.number)] if current.waiting == {"account"} else []

    def trades_of(self, symbol: Symbol) -> ReadTrades:
        """Read the trades of a symbol outside of any pass: some of an order are missing."""
        return replace(self._trades_from(symbol), read_number=NO_PASS)

    def account_read(self, answer: AccountRead) -> None:
        """Take the balances."""
        current = self._of(answer.read_number, "account", answer.failure)
        if current is not None:
            current.account = answer

    def finished(self, now: Moment, *, is_unsettled: bool) -> Compared | None:
        """Return what the pass found, once all is read; and say when the next one begins.

        While it is unsettled what some orders executed, balances prove nothing.
        """
        current = self._pass
        if current is None:
            return None
        if current.failure is not None:
            self._pass, self._ended_boot_ns = None, now.boot_ns
            self._came_to_nothing()
            return None
        if current.waiting or current.account is None:
            return None
        self._pass, self._ended_boot_ns = None, now.boot_ns
        compared = self._compared(current.orders, current.account, now, is_unsettled=is_unsettled)
        self._is_urgent = self._is_urgent or bool(compared.missing or compared.unexplained)
        return compared

    def _compared(
        self, orders: tuple[VenueOrder, ...], account: AccountRead, now: Moment, *, is_unsettled: bool
    ) -> Compared:
        ours = {order.client_order_id: order for order in self._books.working()}
        open_ids = {order.client_order_id for order in orders}
        balances = {balance.asset: balance.free + balance.locked for balance in account.balances}
        in_doubt = any(order.is_in_doubt for order in ours.values())
        # While an order is in doubt money may have moved for it: it is settled first.
        if in_doubt or is_unsettled or not self._books.passes:
            # Nothing was compared: what differed before stands, and it is tried again soon.
            unexplained, believed = self._known(), False
            self._came_to_nothing()
        else:
            self._again_ns = AGAIN_NS
            unexplained = self._books.ledger.differences(balances)
            believed = self._is_believed(unexplained, now)
        return Compared(
            missing=[
                order_id for order_id, order in ours.items() if not order.is_in_doubt and order_id not in open_ids
            ],
            foreign=[order for order in orders if order.client_order_id not in self._books.orders],
            shown=[order for order in orders if order.client_order_id in self._books.orders],
            unexplained=unexplained,
            believed=believed,
            account=account,
        )

    def _came_to_nothing(self) -> None:
        """Try again soon, and less soon each time: every reading weighs."""
        self._is_urgent, self._again_ns = True, min(self._again_ns * 2, AGAIN_NS_MAX)

    def _known(self) -> Mapping[Asset, Decimal]:
        return {} if self._differed is None else self._differed.unexplained

    def _is_believed(self, unexplained: Mapping[Asset, Decimal], now: Moment) -> bool:
        known, balances = self._differed, self._books.ledger.balances()
        if not unexplained or known is None or (known.unexplained, known.balances) != (unexplained, balances):
            self._differed = _Difference(unexplained, balances, now.boot_ns) if unexplained else None
            return False
        if now.boot_ns - known.since_boot_ns < BELIEVED_NS:
            return False
        self._differed = None
        return True

    def _pause_ns(self) -> int:
        if self._is_urgent:
            return self._again_ns
        is_busy = self._books.working() or self._books.positions.held() or self._books.entries
        return BUSY_NS if is_busy else IDLE_NS

    def _trades_from(self, symbol: Symbol) -> ReadTrades:
        from_id = self.read_to.get(symbol, self._books.next_trade_ids.get(symbol))
        from_time_ns = self._books.opened_venue_ns if from_id is None else None
        number = NO_PASS if self._pass is None else self._pass.number
        return ReadTrades(number, symbol, from_id, from_time_ns)

    def _of(self, read_number: int, part: str, failure: str | None) -> _Pass | None:
        """Return the pass that an answer belongs to, if it still counts and was answered well."""
        current = self._pass
        if current is None or current.number != read_number:
            return None
        current.waiting.discard(part)
        if failure is not None:
            current.failure = failure
            return None
        return current
