"""A second look at what the executor sees to by itself: that every position with a stop has one at the venue. Pure.

It is for an executor that moves and yet leaves a position uncovered. One that does not answer is the flattener's.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import SHORT_TEXT_LENGTH_MAX, Id, Name, Symbol, clipped
from proto.intents import StopCover
from proto.orders import (
    EntryOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    PositionChanged,
)
from proto.risk import Condition, OfSymbol
from proto.verdicts import Alerted
from services.risk_watchdog.core.peers import Peer, said_ns
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.service import Moment, Report

UNCOVERED_NS_MAX: Final = 15 * SECOND_NS
IN_DOUBT_NS_MAX: Final = 30 * SECOND_NS  # an order that may rest there is found, or proved absent

Place = tuple[Name, Symbol]


class Bare(msgspec.Struct):
    """A position without a stop, since when, and whether a person was told."""

    since_ns: int
    is_told: bool = False


class CoverWatch:
    """Watches over the covers that the executor reports."""

    def __init__(self, executor: Peer) -> None:
        self._executor: Final = executor
        self._stops: Final[set[Place]] = set()  # whose entry came with a stop
        self._uncovered: Final[dict[Place, tuple[int, int]]] = {}  # in which of its lives, and since when, as it says
        self._doubted: Final[dict[Id, Place]] = {}
        self._bare: Final[dict[Place, Bare]] = {}
        self._watched_from_ns = 0  # since we stood still, or the executor did: before that it was in nobody's hands

    def told(self, envelope: Envelope, now: Moment) -> None:
        """Take in a report of the executor's."""
        match envelope.body:
            case EntryOpened(approval=approval):
                place = approval.strategy, approval.symbol
                (self._stops.add if isinstance(approval.cover, StopCover) else self._stops.discard)(place)
            case PositionChanged(strategy=strategy, symbol=symbol) as position:
                # What no entry of ours paid for is set apart, and nobody's to cover.
                is_owned = bool(position.quantity) and position.average_entry_price is not None
                is_bare = is_owned and not position.covered_quantity
                if is_bare:
                    self._uncovered.setdefault((strategy, symbol), (envelope.epoch, said_ns(envelope, now)))
                else:
                    self._uncovered.pop((strategy, symbol), None)
            case OrderDoubted(order=order) if order.purpose == "cover":
                self._doubted[order.client_order_id] = order.strategy, order.symbol
            case OrderAcknowledged(order=order) | OrderEnded(order=order):
                self._doubted.pop(order.client_order_id, None)
            case _:
                pass

    def stood_still(self, now: Moment) -> None:
        """Count anew."""
        self._watched_from_ns = now.boot_ns
        self._bare.clear()

    def due(self, now: Moment) -> list[Report]:
        """Return what a person has to be told, once for each time that a position is uncovered for too long."""
        moves = self._executor.moves(now)
        if not moves and self._executor.was_heard:
            self._watched_from_ns = now.boot_ns
        uncovered = self._uncovered.keys() & self._stops if moves else set()
        for place in self._bare.keys() - uncovered:
            del self._bare[place]
        for place in uncovered - self._bare.keys():
            self._bare[place] = Bare(self._since_ns(place, now))
        reports = []
        for (strategy, symbol), bare in self._overdue(now):
            if not bare.is_told:
                bare.is_told = True
                text = f"{symbol} of {strategy} has had no stop at the venue for {_seconds(bare, now)} s"
                reports.append(Report(Alerted("critical", "position-uncovered", clipped(text)), reducing=True))
        return reports

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries of a symbol; it goes by itself when there is a stop, or no position."""
        for (strategy, symbol), bare in self._overdue(now):
            reason = clipped(f"{strategy} has had no stop for {_seconds(bare, now)} s", SHORT_TEXT_LENGTH_MAX)
            yield Condition("position_uncovered", OfSymbol(symbol), "REDUCE_ONLY", reason)

    def _since_ns(self, place: Place, now: Moment) -> int:
        """Return since when it is bare. Whoever has begun anew has its time anew; we have seen it in a life before."""
        epoch, since_ns = self._uncovered[place]
        return max(since_ns, self._watched_from_ns) if epoch == self._executor.epoch else now.boot_ns

    def _overdue(self, now: Moment) -> Iterator[tuple[Place, Bare]]:
        for place, bare in sorted(self._bare.items()):
            most_ns = IN_DOUBT_NS_MAX if place in self._doubted.values() else UNCOVERED_NS_MAX
            if now.boot_ns - bare.since_ns > most_ns:
                yield place, bare


def _seconds(bare: Bare, now: Moment) -> int:
    return (now.boot_ns - bare.since_ns) // SECOND_NS
