"""A second look at what the executor sees to by itself: that every position with a stop has one at the venue. Pure.

It is for an executor that moves and yet leaves a position uncovered. One that does not answer is the flattener's. By
the executor's own word a person is told, and entries of the symbol wait; what more comes of it, `cover_guard.py` says.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Id, Quantity
from proto.intents import StopCover
from proto.orders import (
    EntryOpened,
    ExitEnded,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    PositionChanged,
)
from proto.risk import Condition, OfSymbol
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.alerts import Level, alert
from services.risk_watchdog.core.conditions import against
from services.risk_watchdog.core.peers import Peer, said_ns
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.service import Moment, Report
from shared.risk.book import total
from shared.risk.covers import UNCOVERED_NS_MAX, Place
from shared.trading.amounts import EXACT
from shared.trading.instruments import assets_of

IN_DOUBT_NS_MAX: Final = 30 * SECOND_NS  # an order that may rest there is found, or proved absent
WARNED_AT: Final = 3  # a third of the way


class Uncovered(msgspec.Struct, frozen=True):
    """A position that lacks a stop: in which life and report the executor told it so, and since when, as it says."""

    epoch: int
    report_sequence: int
    since_ns: int
    position: PositionChanged


class Bare(msgspec.Struct):
    """Since when a position that was to have a stop is seen without one, and how loudly a person was told."""

    since_ns: int
    told: Level = "info"


class CoverWatch:
    """Watches over the covers that the executor reports."""

    def __init__(self, *, reports: ExecutorReports, account: Account, executor: Peer) -> None:
        self._reports: Final = reports
        self._account: Final = account
        self._executor: Final = executor
        self._stops: Final[set[Place]] = set()  # whose entry came with a stop
        self._uncovered: Final[dict[Place, Uncovered]] = {}
        self._covered: Final[dict[Place, Quantity]] = {}  # by stops, of every position
        self._leaving: Final[dict[Place, Id]] = {}  # what is brought down
        self._doubted: Final[dict[Id, Place]] = {}
        self._bare: Final[dict[Place, Bare]] = {}
        self._watched_from_ns = 0  # since we stood still, or the executor did: before that it was in nobody's hands
        self._epoch = 0  # of the executor that is watched

    def told(self, envelope: Envelope, now: Moment) -> None:
        """Take in a report of the executor's."""
        match envelope.body:
            case EntryOpened(approval=approval):
                self._entered((approval.strategy, approval.symbol), has_stop=isinstance(approval.cover, StopCover))
            case PositionChanged() as position:
                self._position(position, envelope, now)
            case ExitOpened(exit_id=exit_id, strategy=strategy, symbol=symbol):
                self._leaving[strategy, symbol] = exit_id
            case ExitEnded(exit_id=exit_id, strategy=strategy, symbol=symbol):
                if self._leaving.get((strategy, symbol)) == exit_id:  # and no lower one has taken its place
                    del self._leaving[strategy, symbol]
            case OrderDoubted(order=order) if order.purpose == "cover":
                self._doubted[order.client_order_id] = order.strategy, order.symbol
            case OrderAcknowledged(order=order) | OrderEnded(order=order):
                self._doubted.pop(order.client_order_id, None)
            case _:
                pass

    def lost(self) -> None:
        """Take in that reports are missing: how an exit or a doubt ended may be among them."""
        self._leaving.clear()
        self._doubted.clear()

    def stood_still(self, now: Moment) -> None:
        """Count anew."""
        self._watched_from_ns = now.boot_ns
        self._bare.clear()

    def due(self, now: Moment) -> list[Report]:
        """Return what a person has to be told, once for each time that a position is uncovered for too long."""
        moves = self._executor.moves(now)
        if not moves and self._executor.was_heard:
            self._watched_from_ns = now.boot_ns
        if self._epoch != self._executor.epoch:
            self._epoch = self._executor.epoch
            self._bare.clear()
        if moves and not self.is_current(now):
            return []
        uncovered = self._uncovered.keys() & self._stops if moves else set()
        for place in self._bare.keys() - uncovered:
            del self._bare[place]
        for place in uncovered - self._bare.keys():
            self._bare[place] = Bare(self._since_ns(place, now))
        return list(self._alerts(now))

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries of a symbol; it goes by itself when there is a stop, or no position."""
        for (strategy, symbol), uncovered_ns in self.overdue(now):
            reason = f"{strategy} has had no stop for {uncovered_ns // SECOND_NS} s"
            yield against("position_uncovered", reason, OfSymbol(symbol))

    def is_current(self, now: Moment) -> bool:
        """Say whether the executor's reports are read up to the newest: what is told before may be over long since."""
        return self._reports.trouble(now.boot_ns) is None

    def overdue(self, now: Moment) -> Iterator[tuple[Place, int]]:
        """Yield what has been without a stop for too long, and for how long."""
        for place, bare in sorted(self._bare.items()):
            if (uncovered_ns := now.boot_ns - bare.since_ns) > self._limit_ns(place):
                yield place, uncovered_ns

    def is_left_alone(self, place: Place) -> bool:
        """Say whether the executor does nothing about it: nothing is sold, nor bought, which is covered at its end."""
        is_entered = any((one.strategy, one.symbol) == place for one in self._reports.opened.values())
        return place not in self._leaving and not is_entered

    def told_of(self, place: Place) -> Uncovered:
        """Return what the executor tells of a position that lacks a stop."""
        return self._uncovered[place]

    def covered_elsewhere(self, place: Place) -> Quantity:
        """Return how much of its coin stops of other positions cover."""
        base, _ = assets_of(place[1])
        return total(
            covered for other, covered in self._covered.items() if other != place and assets_of(other[1])[0] == base
        )

    def _entered(self, place: Place, *, has_stop: bool) -> None:
        if has_stop:
            self._stops.add(place)
        else:
            self._stops.discard(place)
            self._bare.pop(place, None)

    def _position(self, position: PositionChanged, envelope: Envelope, now: Moment) -> None:
        place = position.strategy, position.symbol
        if position.quantity:
            self._covered[place] = position.covered_quantity
        else:
            self._covered.pop(place, None)
            self._leaving.pop(place, None)
        if not self._lacks_a_stop(position):
            self._uncovered.pop(place, None)
            self._bare.pop(place, None)
            return
        before = self._uncovered.get(place)
        epoch, since_ns = (before.epoch, before.since_ns) if before else (envelope.epoch, said_ns(envelope, now))
        self._uncovered[place] = Uncovered(epoch, envelope.sequence, since_ns, position)

    def _lacks_a_stop(self, position: PositionChanged) -> bool:
        """Say whether more is without one than the crumbs beside a stop, of which no order can be."""
        # What no entry of ours paid for is set apart, and nobody's to cover.
        is_owned = position.quantity > 0 and position.average_entry_price is not None
        rules = self._account.instruments.get(position.symbol)
        if not is_owned or not position.covered_quantity or rules is None:
            return is_owned and not position.covered_quantity
        bare = EXACT.subtract(position.quantity, position.covered_quantity)
        return bare >= max(rules.quantity_step, rules.quantity_min)

    def _alerts(self, now: Moment) -> Iterator[Report]:
        for place, bare in sorted(self._bare.items()):
            limit_ns, bare_ns = self._limit_ns(place), now.boot_ns - bare.since_ns
            level: Level = "critical" if bare_ns > limit_ns else "warning"
            if bare_ns > limit_ns // WARNED_AT and bare.told not in {level, "critical"}:
                bare.told = level
                words = f"{place[1]} of {place[0]} has had no stop at the venue for {bare_ns // SECOND_NS} s"
                yield alert(level, "position-uncovered", words)

    def _since_ns(self, place: Place, now: Moment) -> int:
        """Return since when it is bare. Whoever has begun anew has its time anew; we have seen it in a life before."""
        uncovered = self._uncovered[place]
        is_the_same = uncovered.epoch == self._executor.epoch
        return max(uncovered.since_ns, self._watched_from_ns) if is_the_same else now.boot_ns

    def _limit_ns(self, place: Place) -> int:
        return IN_DOUBT_NS_MAX if place in self._doubted.values() else UNCOVERED_NS_MAX
