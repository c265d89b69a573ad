"""Holds our books against the venue's: at the beginning, after every gap of the private stream, and now and then. Pure.

A pass reads the open orders, the trades of each symbol since the last ones known, and the balances, in this order: so a
trade that happens meanwhile shows in the balances at worst, and a second pass finds it. What trades do not explain has
to stand in two passes, some seconds apart and with nothing traded between, before it is believed. It is written down
and reported, and never traded away. What differs is looked at again soon, and less soon each time it differs in the
same way: every reading weighs at the venue, most of all the trades, which are read symbol by symbol.

Between two passes, while there is an order or a position, the open orders are looked at, and now and then the trades
of what is held or ordered. What that finds is asked about, and no pass is made of it. Where balances that are read for
risk's sake differ twice alike, or more was sold than is held, the next pass does not wait for its time: until it has
compared nobody is told, and no operator can look.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal

import msgspec

from proto.fields import Asset, Symbol
from proto.risk import Everything
from shared.core.service import Moment
from shared.execution.books import OVERSOLD, Books
from shared.execution.enquiries import READ_LAG_NS
from shared.execution.orders import Order
from shared.execution.vocabulary import (
    AccountRead,
    OpenOrdersRead,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    TradesRead,
    VenueOrder,
)

ORDERS_NS: Final = 10_000_000_000  # between two looks at the open orders
TRADES_NS: Final = 30_000_000_000  # and at the trades of what is held or ordered
EVERYTHING_NS: Final = 300_000_000_000
AGAIN_NS: Final = 2_000_000_000  # where something differed, or could not be read
AGAIN_NS_MAX: Final = 8_000_000_000
BELIEVED_NS: Final = (
    5_000_000_000  # a difference stands for so long before it is believed: venues lag behind themselves
)
PASS_NS_MAX: Final = 30_000_000_000
PAGE: Final = 1_000
NO_PASS: Final = 0
_PARTS: Final = {"orders": "the open orders", "account": "the balances"}

Extent = Literal["everything", "trades", "orders"]


class _Pass(msgspec.Struct):
    """One pass, or a look at less, under way."""

    extent: Extent
    number: int
    begun_boot_ns: int
    expected: frozenset[str]  # our orders that its open orders have to show, unless they end meanwhile
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
    """What was found: orders of ours that the venue does not show, others' orders, and in a pass money that differs."""

    missing: list[str]
    foreign: list[VenueOrder]
    shown: list[VenueOrder]
    unexplained: Mapping[Asset, Decimal]
    believed: bool  # it has differed so for longer than the venue lags, and the books have not moved
    account: AccountRead | None  # None where it was no pass


class Reconciler:
    """Decides what is read when, and compares."""

    def __init__(self, books: Books, symbols: Iterable[Symbol]) -> None:
        self._books: Final = books
        self._symbols: Final = tuple(symbols)
        self._pass: _Pass | None = None
        self._ended_boot_ns = 0
        self._last_boot_ns: Final[dict[Extent, int]] = {"orders": 0, "trades": 0}
        self._is_urgent = True
        self._again_ns = AGAIN_NS
        self._numbers = 0
        self._differed: _Difference | None = None
        self._glanced: tuple[Mapping[Asset, Decimal], Mapping[Asset, Decimal]] | None = None  # what differs, our books
        self._found: tuple[list[str], Mapping[Asset, Decimal]] = ([], {})  # by the last pass that compared
        self.has_compared = False  # the balances, in the last pass
        self.failure: str | None = None  # why the last pass came to nothing, if it was for what could not be read
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
        extent = self._extent_due(now)
        if extent is None:
            return []
        parts = {"orders"}
        if extent == "everything":
            self._is_urgent = False
            parts |= {"account", *self._symbols}
        elif extent == "trades":
            parts |= self._busy() & set(self._symbols)
        self._numbers += 1
        self._pass = _Pass(extent, self._numbers, now.boot_ns, self._expected(now), parts)
        return [ReadOpenOrders(self._numbers)]

    def orders_read(self, answer: OpenOrdersRead) -> list[ReadTrades]:
        """Take the open orders, and go on with the trades."""
        current = self._of(answer.read_number, "orders", answer.failure)
        if current is None:
            return []
        current.orders = answer.orders
        return [self._trades_from(symbol) for symbol in self._symbols if symbol in current.waiting]

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
        return replace(self._trades_from(symbol), read_number=NO_PASS, is_urgent=True)

    def account_read(self, answer: AccountRead, *, is_unsettled: bool) -> None:
        """Take the balances, be they of a pass or read for risk's sake."""
        current = self._of(answer.read_number, "account", answer.failure)
        if current is not None:
            current.account = answer
        elif answer.read_number == NO_PASS and answer.failure is None:
            self._glance(answer, is_unsettled=is_unsettled)

    def finished(self, now: Moment, *, is_unsettled: bool) -> Compared | None:
        """Return what the pass found, once all is read; and say when the next one begins.

        While it is unsettled what some orders executed, balances prove nothing.
        """
        current = self._pass
        if current is None:
            return None
        if current.failure is not None:
            self._ended(current, now)
            if current.extent == "everything":
                self.failure = current.failure
                self._came_to_nothing()
            return None
        if current.waiting:
            return None
        self._ended(current, now)
        compared = self._shown(current)
        if current.account is not None:
            self.failure = None
            self._hold_balances(compared, current.account, now, is_unsettled=is_unsettled)
        return compared

    def _shown(self, current: _Pass) -> Compared:
        """Return how the open orders that were read stand to our books."""
        names = {order.client_order_id for order in current.orders}
        resting = _resting(self._books.working())
        return Compared(
            missing=[name for name in resting if name in current.expected and name not in names],
            foreign=[order for order in current.orders if order.client_order_id not in self._books.orders],
            shown=[order for order in current.orders if order.client_order_id in self._books.orders],
            unexplained={},
            believed=False,
            account=current.account,
        )

    def _hold_balances(self, compared: Compared, account: AccountRead, now: Moment, *, is_unsettled: bool) -> None:
        """Hold the balances against the books; while an order is in doubt money may have moved for it."""
        self.has_compared = self._is_comparable(is_unsettled=is_unsettled)
        if not self.has_compared or not self._books.passes:
            # Nothing was compared: what differed before stands, and it is tried again soon.
            compared.unexplained = {} if self._differed is None else self._differed.unexplained
            self._came_to_nothing()
            return
        compared.unexplained = self._differences(account)
        compared.believed = self._is_believed(compared.unexplained, now)
        found = (compared.missing, compared.unexplained)
        is_as_before = found == self._found and not compared.believed
        # What is not believed yet will be, or be gone, within seconds: FLAT may wait for it.
        again_ns_max = EVERYTHING_NS if self._differed is None else AGAIN_NS_MAX
        self._again_ns = min(self._again_ns * 2, again_ns_max) if any(found) and is_as_before else AGAIN_NS
        self._is_urgent = self._is_urgent or any(found)
        self._found = found

    def _glance(self, account: AccountRead, *, is_unsettled: bool) -> None:
        """Let the next pass come early where money differs for the second time, and nothing has moved in the books."""
        seen = self._differences(account), self._books.ledger.balances()
        if not self._books.passes or not seen[0] or not self._is_comparable(is_unsettled=is_unsettled):
            self._glanced = None
        elif self._glanced != seen:
            self._glanced = seen
        else:
            self._glanced = None
            self.early()

    def _is_comparable(self, *, is_unsettled: bool) -> bool:
        return not is_unsettled and not any(order.is_in_doubt for order in self._books.working())

    def _differences(self, account: AccountRead) -> Mapping[Asset, Decimal]:
        balances = {balance.asset: balance.free + balance.locked for balance in account.balances}
        return self._books.ledger.differences(balances)

    def _ended(self, current: _Pass, now: Moment) -> None:
        """Note that all of it, or as much as could be had, was read."""
        self._pass = None
        self._last_boot_ns["orders"] = now.boot_ns
        if current.extent != "orders":
            self._last_boot_ns["trades"] = now.boot_ns
        if current.extent == "everything":
            self._ended_boot_ns = now.boot_ns

    def _expected(self, now: Moment) -> frozenset[str]:
        """Return our orders that were with the venue for longer than its readings are old."""
        old = [
            order
            for order in self._books.working()
            if order.marked_boot_id != now.boot_id or order.marked_boot_ns + READ_LAG_NS <= now.boot_ns
        ]
        return frozenset(_resting(old))

    def _came_to_nothing(self) -> None:
        """Try again soon, and less soon each time: every reading weighs."""
        self._is_urgent, self._again_ns = True, min(self._again_ns * 2, AGAIN_NS_MAX)

    def _is_believed(self, unexplained: Mapping[Asset, Decimal], now: Moment) -> bool:
        known, balances = self._differed, self._books.ledger.balances()
        if not unexplained or known is None or (known.unexplained, known.balances) != (unexplained, balances):
            self._differed = _Difference(unexplained, balances, now.boot_ns) if unexplained else None
            return False
        if now.boot_ns - known.since_boot_ns < BELIEVED_NS:
            return False
        self._differed = None
        return True

    def _extent_due(self, now: Moment) -> Extent | None:
        """Return what it is time for."""
        is_soon = self._is_urgent or self._has_untold_hole()
        if now.boot_ns >= self._ended_boot_ns + (self._again_ns if is_soon else EVERYTHING_NS):
            return "everything"
        if not self._books.passes or not self._busy():
            return None
        if now.boot_ns >= self._last_boot_ns["trades"] + TRADES_NS:
            return "trades"
        return "orders" if now.boot_ns >= self._last_boot_ns["orders"] + ORDERS_NS else None

    def _has_untold_hole(self) -> bool:
        """Say whether more was sold than a position had, and no operator was told."""
        is_told = (OVERSOLD, Everything()) in self._books.conditions
        return not is_told and any(position.oversold for position in self._books.positions.held())

    def _busy(self) -> set[Symbol]:
        """Return the symbols with an order, a position or an entry of ours."""
        ordered = {order.key.symbol for order in self._books.working()}
        held = {position.symbol for position in self._books.positions.held()}
        return ordered | held | {entry.approval.symbol for entry in self._books.entries.values()}

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
            current.failure = f"{_PARTS.get(part, f'the trades of {part}')} cannot be read: {failure}"
            return None
        return current


def _resting(orders: Iterable[Order]) -> list[str]:
    """Return those that the venue acknowledged, without those that it may have cancelled already."""
    return [order.client_order_id for order in orders if not order.is_in_doubt and order.life != "cancel_marked"]
