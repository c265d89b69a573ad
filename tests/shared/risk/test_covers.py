"""When the guard over covers trips: exactly when a recomputation from the whole journal says so."""

from decimal import Decimal
from typing import Final, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proto.envelope import Body, Envelope
from proto.risk import Everything, OfSymbol
from proto.verdicts import CoverRead, CoverTripped, EntriesPaused, EntriesResumed
from shared.risk.covers import CoverState, due, folded, matters, place_of, replayed
from tests.proto.examples import an_envelope

SECOND_NS: Final = 1_000_000_000
SYMBOLS: Final = ("ADA/USDT", "BTC/USDT")


class Look(NamedTuple):
    """What a reading shows of a position of 2, so many readings behind the one before."""

    symbol: str = SYMBOLS[0]
    steps: int = 1
    is_another_life: bool = False
    uncovered_seconds: int = 16
    free: str = "2"
    locked: str = "0"


looks = st.builds(
    Look,
    symbol=st.sampled_from(SYMBOLS),
    steps=st.sampled_from([1, 1, 1, 1, 0, 2]),
    is_another_life=st.sampled_from([False] * 7 + [True]),
    uncovered_seconds=st.sampled_from([16, 16, 16, 15]),
    free=st.sampled_from(["2", "2", "1.1", "1", "0"]),
    locked=st.sampled_from(["0", "0", "0.9", "1", "2"]),
)
acts = st.one_of(*[looks] * 6, st.sampled_from([*map(OfSymbol, SYMBOLS), Everything()]))


class Tape:
    """Risk's journal, written as risk does: what matters, and at once what is due."""

    def __init__(self) -> None:
        self.records: Final[list[Envelope]] = []
        self.state = CoverState()
        self.epoch = self.number = 1
        self.venue_time_ns = 0

    def writes(self, body: Body) -> None:
        """Write a record."""
        self.records.append(msgspec.structs.replace(an_envelope(body), sequence=len(self.records) + 1))
        self.state = folded(self.state, self.records[-1])

    def reads(self, look: Look) -> None:
        """Take in a reading of an account."""
        self.epoch += look.is_another_life
        self.number += look.steps
        self.venue_time_ns += look.steps * SECOND_NS
        read = CoverRead(
            reader_epoch=self.epoch,
            read_number=self.number,
            venue_time_ns=self.venue_time_ns,
            strategy="trend",
            symbol=look.symbol,
            report_sequence=7,
            uncovered_ns=look.uncovered_seconds * SECOND_NS,
            quantity=Decimal(2),
            covered_quantity=Decimal(0),
            free_quantity=Decimal(look.free),
            locked_quantity=Decimal(look.locked),
        )
        if matters(self.state, read):
            self.writes(read)
        for trip_id, last in due(self.state):
            self.writes(CoverTripped(trip_id, last.strategy, last.symbol, last.quantity, "it has no stop"))
            self.writes(EntriesPaused(OfSymbol(last.symbol), "risk", "it has no stop"))


def expected(records: list[Envelope]) -> dict[str, str]:
    """Reckon with pencil and paper for which symbols a trip is due behind the last of these records, and its name."""
    found = {}
    for symbol in SYMBOLS:
        own: list[CoverRead] = []
        stands = False
        for body in (record.body for record in records):
            if isinstance(body, CoverTripped) and body.symbol == symbol:
                stands, own = True, []
            elif isinstance(body, EntriesResumed) and body.scope == OfSymbol(symbol):
                stands, own = False, []
            elif isinstance(body, CoverRead) and body.symbol == symbol:
                own.append(body)
        last = own[-2:]
        if stands or len(last) < 2:
            continue
        one, two = last
        is_next = one.reader_epoch == two.reader_epoch and two.read_number - one.read_number == 1
        bare = [r for r in last if r.uncovered_ns > 15 * SECOND_NS and r.free_quantity > 1 and r.locked_quantity < 1]
        if is_next and two.venue_time_ns > one.venue_time_ns and len(bare) == 2:
            found[symbol] = f"trip-cover-{two.reader_epoch}-{two.read_number}-7"
    return found


@given(st.lists(acts, max_size=40))
def test_it_trips_exactly_when_it_has_to(drawn: list[Look | OfSymbol | Everything]) -> None:
    """Over every prefix; replayed, each trip is found again; and what is written of the state loses nothing."""
    tape = Tape()
    for act in drawn:
        if isinstance(act, Look):
            tape.reads(act)
        else:
            tape.writes(EntriesResumed(act, "ada", "seen to"))
    state = CoverState()
    for count, record in enumerate(tape.records):
        before = {read.symbol: trip_id for trip_id, read in due(state)}
        assert before == expected(tape.records[:count])
        if isinstance(record.body, CoverTripped):
            assert before[record.body.symbol] == record.body.trip_id
            found = replayed(tape.records, record.body.trip_id)
            assert found is not None
            assert found.agrees
            assert len(found.readings) == 2
        state = folded(msgspec.json.decode(msgspec.json.encode(state), type=CoverState), record)
    assert state == tape.state
    assert not due(state)
    assert len({place_of(trip) for trip in state.tripped}) == len(state.tripped)
    assert replayed(tape.records, "trip-cover-0-0-0") is None


def test_forged_trip_is_not_agreed_with() -> None:
    """A trip whose readings are not there, or are of another symbol, does not come out again."""
    tape = Tape()
    for _ in range(2):
        tape.reads(Look())
    trip = next(record.body for record in tape.records if isinstance(record.body, CoverTripped))
    without = [record for record in tape.records if not isinstance(record.body, CoverRead)]
    found = replayed(without, trip.trip_id)
    assert found is not None
    assert not found.agrees
