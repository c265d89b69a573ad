"""When the guard over covers trips: exactly when a recomputation from all that was seen says so."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proto.envelope import Body, Envelope
from proto.risk import Everything, OfSymbol
from proto.verdicts import CoverRead, CoverTripped, EntriesPaused, EntriesResumed
from shared.risk.covers import CoverState, due, folded, matters, replayed
from tests.proto.examples import an_envelope

SECOND_NS: Final = 1_000_000_000
SYMBOLS: Final = ("ADA/USDT", "BTC/USDT")


class Look(NamedTuple):
    """What a reading shows of a position of 3, of which 1 is covered, so many readings behind the one before."""

    symbol: str = SYMBOLS[0]
    steps: int = 1
    is_another_life: bool = False
    uncovered_seconds: int = 16
    free: str = "2"
    locked: str = "1"
    elsewhere: str = "0"

    @property
    def is_bare(self) -> bool:
        """Say whether more than half of the 2 that have no stop are free, and less than half as much is locked."""
        beyond = Decimal(self.locked) - 1 - Decimal(self.elsewhere)
        return self.uncovered_seconds > 15 and Decimal(self.free) > 1 and beyond < 1


class Seen(NamedTuple):
    """A look, and by which reading it was."""

    look: Look
    epoch: int
    number: int
    venue_time_ns: int


looks = st.builds(
    Look,
    symbol=st.sampled_from(SYMBOLS),
    steps=st.sampled_from([1, 1, 1, 1, 0, 2]),
    is_another_life=st.sampled_from([False] * 7 + [True]),
    uncovered_seconds=st.sampled_from([16, 16, 16, 15]),
    free=st.sampled_from(["2", "2", "1.1", "1", "0"]),
    locked=st.sampled_from(["1", "1", "1.9", "2", "3", "0"]),
    elsewhere=st.sampled_from(["0", "0", "0.1", "1"]),
)
acts = st.one_of(*[looks] * 6, st.sampled_from([*map(OfSymbol, SYMBOLS), Everything()]))


class Tape:
    """Risk's journal, written as risk does: what matters, and at once what is due."""

    def __init__(self) -> None:
        self.records: Final[list[Envelope]] = []
        self.seen: Final[list[Seen | OfSymbol]] = []
        self.state = CoverState()
        self._epoch = self._number = 1
        self._venue_time_ns = 0

    def writes(self, body: Body) -> None:
        """Write a record."""
        self.records.append(msgspec.structs.replace(an_envelope(body), sequence=len(self.records) + 1))
        self.state = folded(self.state, self.records[-1])

    def resumes(self, scope: OfSymbol | Everything) -> None:
        """Let somebody resume a symbol, or something else."""
        self.writes(EntriesResumed(scope, "ada", "seen to"))
        if isinstance(scope, OfSymbol):
            self.seen.append(scope)

    def reads(self, look: Look) -> None:
        """Take in a reading of an account."""
        self._epoch += look.is_another_life
        self._number += look.steps
        self._venue_time_ns += look.steps * SECOND_NS
        self.seen.append(Seen(look, self._epoch, self._number, self._venue_time_ns))
        read = CoverRead(
            reader_epoch=self._epoch,
            read_number=self._number,
            venue_time_ns=self._venue_time_ns,
            strategy="trend",
            symbol=look.symbol,
            report_sequence=7,
            uncovered_ns=look.uncovered_seconds * SECOND_NS,
            quantity=Decimal(3),
            covered_quantity=Decimal(1),
            elsewhere_quantity=Decimal(look.elsewhere),
            free_quantity=Decimal(look.free),
            locked_quantity=Decimal(look.locked),
        )
        if matters(self.state, read):
            self.writes(read)
        for trip_id, last in due(self.state):
            self.writes(CoverTripped(trip_id, last.strategy, last.symbol, last.quantity, "it has no stop"))
            self.writes(EntriesPaused(OfSymbol(last.symbol), "risk", "it has no stop"))

    @property
    def trips(self) -> list[str]:
        """The names of the trips."""
        return [record.body.trip_id for record in self.records if isinstance(record.body, CoverTripped)]


def expected(seen: Sequence[Seen | OfSymbol]) -> list[str]:
    """Reckon the trips with pencil and paper, from all that was looked at and not from what was written of it.

    Two bare looks at a symbol, with no reading between them, trip it, until it is resumed.
    """
    names = []
    for place, one in enumerate(seen):
        if isinstance(one, OfSymbol) or not one.look.is_bare:
            continue
        symbol = one.look.symbol
        since = max((n for n, other in enumerate(seen[:place]) if other == OfSymbol(symbol)), default=-1)
        own = [other for other in seen[since + 1 : place] if isinstance(other, Seen) and other.look.symbol == symbol]
        bare = [other for other in own if other.look.is_bare]
        pairs = [(a, b) for a, b in pairwise([*bare, one]) if (a.epoch, a.number + 1) == (b.epoch, b.number)]
        if pairs and pairs[0][1] is one:
            names.append(f"trip-cover-{one.epoch}-{one.number}-7")
    return names


@given(st.lists(acts, max_size=40))
def test_it_trips_exactly_when_it_has_to(drawn: list[Look | OfSymbol | Everything]) -> None:
    """Replayed, each trip is found again; and what is written of the state at any moment loses nothing."""
    tape = Tape()
    for act in drawn:
        tape.reads(act) if isinstance(act, Look) else tape.resumes(act)
    assert tape.trips == expected(tape.seen)
    state = CoverState()
    for record in tape.records:
        state = folded(msgspec.json.decode(msgspec.json.encode(state), type=CoverState), record)
    assert state == tape.state
    for trip_id in tape.trips:
        found = replayed(tape.records, trip_id)
        assert found is not None
        assert found.agrees
        assert len(found.readings) == 2
    assert replayed(tape.records, "trip-cover-0-0-0") is None


def test_forged_trip_is_not_agreed_with() -> None:
    """A trip whose readings are not there does not come out again."""
    tape = Tape()
    for _ in range(2):
        tape.reads(Look())
    without = [record for record in tape.records if not isinstance(record.body, CoverRead)]
    found = replayed(without, tape.trips[0])
    assert found is not None
    assert not found.agrees
