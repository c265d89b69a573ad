"""The guard over each position that was to have a stop, as a fold of risk's journal. Pure.

It trips for one position, and not for the account: where the executor moves, and two readings of the account in a row
bear out what its own books say, that a position is without a stop for too long, and it does nothing about it. Either
of the two alone may be mistaken. A trip stands until somebody resumes that symbol.
"""

from collections.abc import Iterable
from decimal import localcontext
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Id, Name, Symbol
from proto.risk import OfSymbol
from proto.verdicts import CoverRead, CoverTripped, EntriesResumed
from shared.trading.amounts import EXACT

UNCOVERED_NS_MAX: Final = 15_000_000_000
READINGS: Final = 2

Place = tuple[Name, Symbol]


class CoverState(msgspec.Struct, frozen=True):
    """All that the guard knows."""

    readings: tuple[CoverRead, ...] = ()  # of each position the newest that follow each other
    tripped: tuple[CoverTripped, ...] = ()  # that nobody has resumed since

    def of(self, place: Place) -> tuple[CoverRead, ...]:
        """Return the newest readings of a position, which follow each other."""
        return tuple(read for read in self.readings if place_of(read) == place)

    def trip_of(self, place: Place) -> CoverTripped | None:
        """Return the trip that stands of a position."""
        return next((trip for trip in self.tripped if place_of(trip) == place), None)


class CoverReplayed(msgspec.Struct, frozen=True):
    """A trip of the journal, and what the records before it lead to."""

    trip: CoverTripped
    recomputed: Id | None
    readings: tuple[CoverRead, ...]

    @property
    def agrees(self) -> bool:
        """Say whether the records lead to that trip."""
        return self.recomputed == self.trip.trip_id


def place_of(told: CoverRead | CoverTripped) -> Place:
    """Return which position something is about."""
    return told.strategy, told.symbol


def folded(state: CoverState, record: Envelope) -> CoverState:
    """Take in a record of risk's journal."""
    match record.body:
        case CoverRead() as read:
            return _read(state, read)
        case CoverTripped() as trip:
            rest = tuple(one for one in state.tripped if place_of(one) != place_of(trip))
            return CoverState(_without(state, place_of(trip)), (*rest, trip))
        case EntriesResumed(scope=OfSymbol(symbol=symbol)):
            return CoverState(
                tuple(read for read in state.readings if read.symbol != symbol),
                tuple(trip for trip in state.tripped if trip.symbol != symbol),
            )
        case _:
            return state


def matters(state: CoverState, read: CoverRead) -> bool:
    """Say whether a reading bears out that a position is without a stop, and it is not known to be already."""
    if read.uncovered_ns <= UNCOVERED_NS_MAX or state.trip_of(place_of(read)) is not None:
        return False
    with localcontext(EXACT):
        bare = read.quantity - read.covered_quantity
        beyond = read.locked_quantity - read.covered_quantity - read.elsewhere_quantity
        # Its coins are there, and most of them under no order: what else there is of them may lie or rest beside it.
        return 2 * read.free_quantity > bare > 2 * beyond


def due(state: CoverState) -> list[tuple[Id, CoverRead]]:
    """Return the names of the trips that have to be written down, each with the reading that made it."""
    found = {place_of(read): read for read in state.readings}
    return [(_name(read), read) for place, read in found.items() if len(state.of(place)) >= READINGS]


def replayed(records: Iterable[Envelope], trip_id: Id) -> CoverReplayed | None:
    """Recompute a trip from the records before it, None where there is none of that name."""
    state = CoverState()
    for record in records:
        trip = record.body
        if isinstance(trip, CoverTripped) and trip.trip_id == trip_id:
            names = {place_of(read): name for name, read in due(state)}
            return CoverReplayed(trip, names.get(place_of(trip)), state.of(place_of(trip)))
        state = folded(state, record)
    return None


def _read(state: CoverState, read: CoverRead) -> CoverState:
    if not matters(state, read):
        return state
    before = state.of(place_of(read))[-1:]
    follows = before if before and _is_next(before[0], read) else ()
    return CoverState((*_without(state, place_of(read)), *follows, read), state.tripped)


def _is_next(before: CoverRead, read: CoverRead) -> bool:
    is_next = (before.reader_epoch, before.read_number + 1) == (read.reader_epoch, read.read_number)
    return is_next and read.venue_time_ns > before.venue_time_ns


def _without(state: CoverState, place: Place) -> tuple[CoverRead, ...]:
    return tuple(read for read in state.readings if place_of(read) != place)


def _name(read: CoverRead) -> Id:
    return f"trip-cover-{read.reader_epoch}-{read.read_number}-{read.report_sequence}"
