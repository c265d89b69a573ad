"""The guard over positions that the executor leaves without a stop, and does nothing about: risk has them closed. Pure.

It rests on two accounts of the same thing: what the executor tells, and the account as the flattener reads it. The rule
is in `shared/risk/covers.py`, and a trip with its pause stands in risk's journal until somebody resumes the symbol.
"""

from typing import Final

from proto.account import AccountSnapshot, Balance
from proto.control import ControlRefused, Flatten
from proto.envelope import Body, Envelope
from proto.fields import Id, Instance, clipped
from proto.risk import OfSymbol
from proto.verdicts import CoverRead, CoverTripped, EntriesPaused
from services.risk_watchdog.core.alerts import alert
from services.risk_watchdog.core.cover_watch import CoverWatch
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.guards import STALE_NS_MAX
from services.risk_watchdog.core.peers import said_ns
from services.risk_watchdog.core.terms import EXECUTOR, FLATTENER, RISK, SECOND_NS
from shared.core.service import Ask, Moment, Note, Report
from shared.risk.book import NOTHING
from shared.risk.covers import Place, due, matters, place_of
from shared.trading.instruments import assets_of

AGAIN_NS: Final = 5 * SECOND_NS
TELL_AGAIN_NS: Final = 600 * SECOND_NS
COVER: Final = "cover-"


class CoverGuard:
    """Takes the account's readings, trips where the rule says so, and asks the executor until it has begun."""

    def __init__(self, facts: Facts, watch: CoverWatch) -> None:
        self._facts: Final = facts
        self._watch: Final = watch
        self._newest = (0, 0)  # of the readings
        self._fingerprint: str | None = None  # of the account that the executor reads
        self._asked = self._epoch = self._ask_at_ns = self._tell_at_ns = 0

    def begin(self, epoch: int) -> None:
        """Begin a life: what it asks has names of its own."""
        self._epoch = epoch

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
        if not is_ours or now.boot_ns - said_ns(envelope, now) > STALE_NS_MAX or not self._watch.is_current(now):
            return []
        left = [found for found in self._watch.overdue(now) if self._watch.is_left_alone(found[0])]
        reads = (self._read(place, uncovered_ns, number, snapshot) for place, uncovered_ns in left)
        return [Report(read, reducing=True) for read in reads if matters(self._facts.covers, read)]

    def due(self, now: Moment) -> list[Report]:
        """Return what is to be written down: trips, and that what has tripped is open still."""
        tripped = self._tripped()
        if tripped:
            self._tell_at_ns = now.boot_ns + TELL_AGAIN_NS
        return [*tripped, *self._told_again(now)]

    def asks(self, now: Moment) -> list[Ask]:
        """Ask the executor to close what has tripped, again and again while it has not begun with it."""
        if now.boot_ns < self._ask_at_ns or not self._watch.is_current(now):
            return []
        trips = [trip for trip in self._open(now) if self._watch.is_left_alone(place_of(trip))]
        if trips:
            self._ask_at_ns = now.boot_ns + AGAIN_NS
        return [self._ask(trip) for trip in trips]

    def answered(self, ask_id: Id, body: Body | None) -> list[Note]:
        """Take in why the executor does not do what it was asked; it is asked again."""
        if not ask_id.startswith(COVER) or not isinstance(body, ControlRefused):
            return []
        return [Note("critical", "position-uncovered", {"text": f"the executor does not close it: {body.reason}"})]

    def _read(self, place: Place, uncovered_ns: int, number: tuple[int, int], snapshot: AccountSnapshot) -> CoverRead:
        """Return what a reading shows of a position beside what the executor tells of it."""
        told, (base, _) = self._watch.told_of(place), assets_of(place[1])
        held = next((one for one in snapshot.balances if one.asset == base), Balance(base, NOTHING, NOTHING))
        return CoverRead(
            *number,
            venue_time_ns=snapshot.venue_time_ns,
            strategy=place[0],
            symbol=place[1],
            report_sequence=told.report_sequence,
            uncovered_ns=uncovered_ns,
            quantity=told.position.quantity,
            covered_quantity=told.position.covered_quantity,
            elsewhere_quantity=self._watch.covered_elsewhere(place),
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
            tripped = CoverTripped(trip_id, read.strategy, read.symbol, read.quantity, clipped(reason))
            reports += [
                Report(tripped, reducing=True),
                Report(EntriesPaused(OfSymbol(read.symbol), RISK, clipped(words)), cause_id=trip_id, reducing=True),
                alert("critical", "position-uncovered", words, trip_id),
            ]
        return reports

    def _told_again(self, now: Moment) -> list[Report]:
        """Tell now and then of what was to be closed and is not."""
        held = ", ".join(f"{trip.symbol} of {trip.strategy}" for trip in self._open(now))
        if not held or now.boot_ns < self._tell_at_ns:
            return []
        self._tell_at_ns = now.boot_ns + TELL_AGAIN_NS
        return [alert("critical", "position-uncovered", f"NOT FLAT: {held} has no stop, and is not closed either")]

    def _open(self, now: Moment) -> list[CoverTripped]:
        """Return the trips of what is without a stop still."""
        found = (self._facts.covers.trip_of(place) for place, _ in self._watch.overdue(now))
        return [trip for trip in found if trip is not None]

    def _ask(self, trip: CoverTripped) -> Ask:
        self._asked += 1
        flatten = Flatten(RISK, trip.reason, trip.symbol)
        return Ask(EXECUTOR, flatten, f"{COVER}{self._epoch}-{self._asked}", cause_id=trip.trip_id)
