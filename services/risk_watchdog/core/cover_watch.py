"""A second look at what the executor sees to by itself: that every position with a stop has one at the venue. Pure.

It is for an executor that moves and yet leaves a position uncovered. One that does not answer is the flattener's. By
the executor's own word a person is told, and entries of the symbol wait. Where the account as the flattener reads it
bears that out, and the executor does nothing about it, the guard trips: risk lets the position be closed
(`shared/risk/covers.py`), and the symbol stays paused until somebody has looked.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from proto.account import AccountSnapshot, Balance
from proto.control import ControlRefused, Flatten
from proto.envelope import Body, Envelope
from proto.fields import SHORT_TEXT_LENGTH_MAX, Id, Instance, Name, Quantity, Symbol, clipped
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
from proto.verdicts import CoverRead, CoverTripped, EntriesPaused
from services.risk_watchdog.core.alerts import Level, alert
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.peers import Peer, said_ns
from services.risk_watchdog.core.terms import EXECUTOR, FLATTENER, RISK, SECOND_NS
from shared.core.service import Ask, Moment, Note, Report
from shared.risk.book import NOTHING
from shared.risk.covers import UNCOVERED_NS_MAX, due, matters

IN_DOUBT_NS_MAX: Final = 30 * SECOND_NS  # an order that may rest there is found, or proved absent
WARNED_AT: Final = 3  # a third of the way
STALE_NS_MAX: Final = 5 * SECOND_NS
AGAIN_NS: Final = 5 * SECOND_NS
COVER: Final = "cover-"

Place = tuple[Name, Symbol]


class Uncovered(msgspec.Struct, frozen=True):
    """A position without a stop: in which of its lives the executor told it, in which report, and when, as it says."""

    epoch: int
    report_sequence: int
    since_ns: int
    quantity: Quantity


class Bare(msgspec.Struct):
    """Since when a position that was to have a stop is seen without one, and how loudly a person was told."""

    since_ns: int
    told: Level = "info"


class CoverWatch:
    """Watches over the covers that the executor reports."""

    def __init__(self, facts: Facts, executor: Peer) -> None:
        self._facts: Final = facts
        self._executor: Final = executor
        self._stops: Final[set[Place]] = set()  # whose entry came with a stop
        self._uncovered: Final[dict[Place, Uncovered]] = {}
        self._leaving: Final[dict[Place, Id]] = {}  # what is brought down
        self._doubted: Final[dict[Id, Place]] = {}
        self._bare: Final[dict[Place, Bare]] = {}
        self._watched_from_ns = 0  # since we stood still, or the executor did: before that it was in nobody's hands
        self._newest = (0, 0)  # of the readings
        self._fingerprint: str | None = None  # of the account that the executor reads
        self._asked = self._epoch = self._ask_at_ns = 0

    def begin(self, epoch: int) -> None:
        """Begin a life: what it asks has names of its own."""
        self._epoch = epoch

    def told(self, envelope: Envelope, now: Moment) -> None:
        """Take in a report of the executor's."""
        match envelope.body:
            case EntryOpened(approval=approval):
                place = approval.strategy, approval.symbol
                if isinstance(approval.cover, StopCover):
                    self._stops.add(place)
                else:
                    self._stops.discard(place)
                    self._bare.pop(place, None)
            case PositionChanged() as position:
                self._position(position, envelope, now)
            case ExitOpened(exit_id=exit_id, strategy=strategy, symbol=symbol):
                self._leaving[strategy, symbol] = exit_id
            case ExitEnded(exit_id=exit_id, strategy=strategy, symbol=symbol):
                if self._leaving.get((strategy, symbol)) == exit_id:
                    del self._leaving[strategy, symbol]
            case OrderDoubted(order=order) if order.purpose == "cover":
                self._doubted[order.client_order_id] = order.strategy, order.symbol
            case OrderAcknowledged(order=order) | OrderEnded(order=order):
                self._doubted.pop(order.client_order_id, None)
            case _:
                pass

    def heard(self, instance: Instance, envelope: Envelope, now: Moment) -> list[Report]:
        """Take in what somebody reads of the account; return what of it bears out that a position is uncovered."""
        snapshot = envelope.body
        if not isinstance(snapshot, AccountSnapshot):
            return []
        if instance == EXECUTOR:
            self._fingerprint = snapshot.account_fingerprint
        number = envelope.epoch, snapshot.read_number
        if instance != FLATTENER or number <= self._newest:
            return []
        self._newest = number
        is_ours = self._fingerprint in {None, snapshot.account_fingerprint}
        if not is_ours or now.boot_ns - said_ns(envelope, now) > STALE_NS_MAX:
            return []
        overdue = [(place, bare) for place, bare in self._overdue(now) if place not in self._leaving]
        reads = (self._read(place, bare, number, snapshot, now) for place, bare in overdue)
        return [Report(read, reducing=True) for read in reads if matters(self._facts.covers, read)]

    def stood_still(self, now: Moment) -> None:
        """Count anew."""
        self._watched_from_ns = now.boot_ns
        self._bare.clear()

    def due(self, now: Moment) -> list[Report]:
        """Return what is to be written down: trips, and what a person has to be told, once for each time."""
        moves = self._executor.moves(now)
        if not moves and self._executor.was_heard:
            self._watched_from_ns = now.boot_ns
        uncovered = self._uncovered.keys() & self._stops if moves else set()
        for place in self._bare.keys() - uncovered:
            del self._bare[place]
        for place in uncovered - self._bare.keys():
            self._bare[place] = Bare(self._since_ns(place, now))
        return [*self._tripped(), *self._told_of(now)]

    def asks(self, now: Moment) -> list[Ask]:
        """Ask the executor to close what has tripped, again and again while it has not begun with it."""
        if now.boot_ns < self._ask_at_ns:
            return []
        overdue = [place for place, _ in self._overdue(now) if place not in self._leaving]
        found = (self._facts.covers.trip_of(place) for place in overdue)
        trips = [trip for trip in found if trip is not None]
        if trips:
            self._ask_at_ns = now.boot_ns + AGAIN_NS
        return [self._ask(trip) for trip in trips]

    def answered(self, ask_id: Id, body: Body | None) -> list[Note]:
        """Take in why the executor does not do what it was asked; it is asked again."""
        if not ask_id.startswith(COVER) or not isinstance(body, ControlRefused):
            return []
        return [Note("critical", "position-uncovered", {"text": f"the executor does not close it: {body.reason}"})]

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries of a symbol; it goes by itself when there is a stop, or no position."""
        for (strategy, symbol), bare in self._overdue(now):
            reason = clipped(f"{strategy} has had no stop for {_seconds(bare, now)} s", SHORT_TEXT_LENGTH_MAX)
            yield Condition("position_uncovered", OfSymbol(symbol), "REDUCE_ONLY", reason)

    def _position(self, position: PositionChanged, envelope: Envelope, now: Moment) -> None:
        place = position.strategy, position.symbol
        # What no entry of ours paid for is set apart, and nobody's to cover.
        is_owned = position.quantity > 0 and position.average_entry_price is not None
        if not is_owned or position.covered_quantity:
            self._uncovered.pop(place, None)
            self._bare.pop(place, None)
            return
        before = self._uncovered.get(place)
        epoch, since_ns = (before.epoch, before.since_ns) if before else (envelope.epoch, said_ns(envelope, now))
        self._uncovered[place] = Uncovered(epoch, envelope.sequence, since_ns, position.quantity)

    def _read(
        self, place: Place, bare: Bare, number: tuple[int, int], snapshot: AccountSnapshot, now: Moment
    ) -> CoverRead:
        """Return what a reading shows of a position beside what the executor tells of it."""
        strategy, symbol = place
        uncovered, base = self._uncovered[place], symbol.split("/")[0]
        held = next((one for one in snapshot.balances if one.asset == base), Balance(base, NOTHING, NOTHING))
        return CoverRead(
            *number,
            venue_time_ns=snapshot.venue_time_ns,
            strategy=strategy,
            symbol=symbol,
            report_sequence=uncovered.report_sequence,
            uncovered_ns=now.boot_ns - bare.since_ns,
            quantity=uncovered.quantity,
            covered_quantity=NOTHING,
            free_quantity=held.free,
            locked_quantity=held.locked,
        )

    def _tripped(self) -> list[Report]:
        """Return each trip with its pause, which holds until somebody resumes the symbol: both are durable at once."""
        reports = []
        for trip_id, read in due(self._facts.covers):
            what = f"{read.quantity:f} {read.symbol} of {read.strategy}"
            reason = f"{what} had no stop for {read.uncovered_ns // SECOND_NS} s, and the executor did nothing about it"
            words = f"{reason}: risk has it closed, and `bowline risk replay {trip_id}` shows why"
            reports += [
                Report(
                    CoverTripped(trip_id, read.strategy, read.symbol, read.quantity, clipped(reason)), reducing=True
                ),
                Report(EntriesPaused(OfSymbol(read.symbol), RISK, clipped(words)), cause_id=trip_id, reducing=True),
                alert("critical", "position-uncovered", words, trip_id),
            ]
        return reports

    def _told_of(self, now: Moment) -> Iterator[Report]:
        for place, bare in sorted(self._bare.items()):
            limit_ns, bare_ns = self._limit_ns(place), now.boot_ns - bare.since_ns
            level: Level = (
                "critical" if bare_ns > limit_ns else "warning" if bare_ns > limit_ns // WARNED_AT else "info"
            )
            if level != "info" and bare.told not in {level, "critical"}:
                bare.told = level
                words = f"{place[1]} of {place[0]} has had no stop at the venue for {_seconds(bare, now)} s"
                yield alert(level, "position-uncovered", words)

    def _ask(self, trip: CoverTripped) -> Ask:
        self._asked += 1
        flatten = Flatten(RISK, trip.reason, trip.symbol)
        return Ask(EXECUTOR, flatten, f"{COVER}{self._epoch}-{self._asked}", cause_id=trip.trip_id)

    def _since_ns(self, place: Place, now: Moment) -> int:
        """Return since when it is bare. Whoever has begun anew has its time anew; we have seen it in a life before."""
        uncovered = self._uncovered[place]
        is_the_same = uncovered.epoch == self._executor.epoch
        return max(uncovered.since_ns, self._watched_from_ns) if is_the_same else now.boot_ns

    def _overdue(self, now: Moment) -> Iterator[tuple[Place, Bare]]:
        for place, bare in sorted(self._bare.items()):
            if now.boot_ns - bare.since_ns > self._limit_ns(place):
                yield place, bare

    def _limit_ns(self, place: Place) -> int:
        return IN_DOUBT_NS_MAX if place in self._doubted.values() else UNCOVERED_NS_MAX


def _seconds(bare: Bare, now: Moment) -> int:
    return (now.boot_ns - bare.since_ns) // SECOND_NS
