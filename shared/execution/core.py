"""The executor's core: approvals and exits in, numbered reports out, one order at a time for each position. Pure.

The way of an order: `Approval` comes (`shared/execution/requests.py`), the entry and its send mark are written down
together, `SendOrder` leaves once they are durable and nothing stands against it any more (`_recorded`), and what the
venue says of it, by reply, by stream or when it is asked (`shared/execution/evidence.py`), is written down before it
counts.

What the venue tells is taken in one fact at a time: the next one waits until what the one before led to is durable.
Of many, as of a page of trades, those that do not fit into one turn wait for the next tick of the clock. Once none is
left, `shared/execution/working.py` says what to do next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from proto.orders import (
    CancelMarked,
    ReconcileFinished,
    SendMarked,
)
from shared.core.service import (
    Answered,
    Asked,
    Effect,
    FromOutside,
    HaltSeen,
    HaltUnwritable,
    Happening,
    JournalRoom,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    RecordsLost,
    Report,
    Restored,
    Stalled,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Watch,
    Watched,
    Woken,
)
from shared.execution.accounts import Accounts
from shared.execution.allowance import Allowance
from shared.execution.belonging import left_alone
from shared.execution.books import Books
from shared.execution.control import RECORDS_LOST, TROUBLED_START, Control
from shared.execution.enquiries import Enquiries
from shared.execution.entrance import Entrance
from shared.execution.evidence import Evidence
from shared.execution.flattening import Flattening
from shared.execution.governor import EgressLimits, Governor
from shared.execution.latching import Latching
from shared.execution.leave import Leave
from shared.execution.marks import Marks, leaving
from shared.execution.reckoning import Reckoning
from shared.execution.reconciliation import Reconciler
from shared.execution.requests import Requests
from shared.execution.vocabulary import (
    CancelOrder,
    Fact,
    InstrumentsKnown,
    KeyRightsTold,
    NotSent,
    OrderSent,
    StreamLost,
    StreamOpened,
    VenueClock,
    WeightTold,
    WorthRead,
)
from shared.execution.working import Worker
from shared.market.prices import Prices
from shared.trading.client_ids import ClientIds
from shared.trading.costs import FeeAccount

TICK_NS: Final = 100_000_000
TURN_NS: Final = 250_000_000  # behind a tick, for facts: each has a commit, and then heartbeats leave, a kill is heard
LEASE_NS: Final = 500_000_000
CLOCK: Final = "clock"
LEASE: Final = "lease"


@dataclass(frozen=True, kw_only=True)
class TradedAccount:
    """Which account is traded, and what of it; `tag` tells its orders from those of other accounts of ours."""

    venue: str
    feeds: Mapping[str, str]  # by symbol, who reads its market
    quote_asset: str
    tag: str
    fees: FeeAccount
    name: str  # the venue, where that is and the account, as a person set them: a key of it is no part of that

    @property
    def fingerprint(self) -> str:
        """What tells it from others without a word of the settings."""
        return sha256(self.name.encode()).hexdigest()

    def watches(self) -> list[Watch]:
        """Return what has to be watched of the market."""
        return [
            Watch(feed, f"{self.venue}/{symbol}/{kind}".encode())
            for symbol, feed in self.feeds.items()
            for kind in ("quotes", "trust")
        ]


class ExecutorCore:
    """Works what was approved, and keeps what it led to covered."""

    def __init__(self, account: TradedAccount, limits: EgressLimits) -> None:
        self._account: Final = account
        self.books: Final = Books(account.name)
        self._prices: Final = Prices()
        self._latching: Final = Latching(self.books.flattens)
        self._allowance: Final = Allowance()
        self._leave: Final = Leave(self.books, self._latching, self._prices, self._allowance)
        self._governor: Final = Governor(limits)
        client_ids = ClientIds(account.tag)
        marks = Marks(self.books, client_ids, Reckoning(account.fees, self._prices))
        self._worker: Final = Worker(
            books=self.books,
            leave=self._leave,
            allowance=self._allowance,
            prices=self._prices,
            governor=self._governor,
            marks=marks,
        )
        self._entrance: Final = Entrance(
            books=self.books,
            leave=self._leave,
            prices=self._prices,
            governor=self._governor,
            worker=self._worker,
            marks=marks,
        )
        self._enquiries: Final = Enquiries()
        self._reconciler: Final = Reconciler(self.books, account.feeds)
        self._evidence: Final = Evidence(self.books, self._enquiries, self._reconciler, client_ids)
        self._accounts: Final = Accounts(
            books=self.books,
            prices=self._prices,
            worker=self._worker,
            symbols=account.feeds,
            quote_asset=account.quote_asset,
            account_fingerprint=account.fingerprint,
        )
        self._flattening: Final = Flattening(
            books=self.books,
            reconciler=self._reconciler,
            allowance=self._allowance,
            governor=self._governor,
            worker=self._worker,
        )
        self._control: Final = Control(self.books, self._latching, self._flattening, account.feeds)
        self._requests: Final = Requests(self.books, self._entrance, self._control, self._evidence.facts)
        self._is_running = self._is_blocked = False
        self._pending = 0  # reports that are not yet recorded
        self._venue_ahead_ns: int | None = None
        self._in_flight: Final[set[str]] = set()  # what was sent and not yet answered
        self._out: list[Effect] = []

    def state(self) -> bytes:
        """Return all that the journal has led to."""
        return self.books.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        if (instead := left_alone(happening, of=self.books.account, ours=self._account.name)) is not None:
            return instead
        match happening:
            case Restored() | Recorded() | RecordsLost() | NotRecorded() | JournalRoom():
                self._journal_told(happening, now)
            case Started() | Stalled() | StopAsked() | Woken():
                self._life_goes_on(happening, now)
            case Asked():
                reports, answer = self._requests.asked(happening, now)
                self._report(reports)
                self._out.append(answer)
            case Answered(envelope=envelope):
                self._leave.answered(envelope)
            case Watched(events=events):
                for event in events:
                    self._prices.take(event, now.boot_ns)
                return ()  # prices alone are no reason to do anything: the clock is
            case FromOutside():
                self._venue_told(happening, now)
            case HaltSeen() | HaltUnwritable():
                self._out += self._latching.file_told(happening, now)
            case _:
                pass
        self._go_on(now)
        self._out += self._flattening.shown()
        out, self._out = self._out, []
        return out

    def _started(self, started: Started, now: Moment) -> None:
        self._is_running = True
        self._evidence.facts.turn_ends_ns = now.boot_ns + TURN_NS
        self._worker.epoch = started.epoch
        self._leave.begin(started.epoch)
        if started.troubles:
            self._control.wary(TROUBLED_START, "; ".join(started.troubles))
        self._out += [*self._account.watches(), WakeAt(CLOCK, now.boot_ns + TICK_NS), WakeAt(LEASE, now.boot_ns)]

    def _go_on(self, now: Moment) -> None:
        """Take in facts, and then steps, until something has to be recorded first or nothing is left to do."""
        if not self._is_running or self._pending > 0:
            return  # each comes back at once, and with the last of them it goes on
        venue_now_ns = now.boot_ns + (self._venue_ahead_ns or 0)
        if not self._is_blocked:
            self._report(self._latching.due())
            self._report(self._accounts.untold())
            self._out += self._latching.missing_file(now)
        self._take_facts(now, venue_now_ns)
        if self._evidence.facts.is_turn_over(now):
            return  # the facts that are left come first, with the next tick
        if not self._pending and not self._is_blocked:
            self._report(self._flattening.due(now))
        if not self._has_to_wait():
            self._out += self._evidence.due(now, venue_now_ns)
            if self.books.passes and not self.books.is_unread:
                self._report(self._worker.steps(now))
            if not self._pending and self._evidence.facts.go_on():
                self._go_on(now)  # however many come, stops and exits have their turn between them
        if self._requests.is_stopping and not self._pending and not self._in_flight and self._is_at_rest():
            self._out.append(Stop())

    def _take_facts(self, now: Moment, venue_now_ns: int) -> None:
        while not self._has_to_wait() and not self._evidence.facts.is_turn_over(now):
            outcome = self._evidence.next(now, venue_now_ns)
            if outcome is None:
                break
            self._out += outcome.effects
            self._report(outcome.reports)
            self._worker.patience.came_of(outcome, now)

    def _is_at_rest(self) -> bool:
        """Say whether this process may end: nothing is left to be done, or the venue was never reached."""
        return self._venue_ahead_ns is None or not self.books.passes or self._worker.is_at_rest()

    def _has_to_wait(self) -> bool:
        """Say whether something has to be recorded first, or the venue's time is not known yet."""
        return bool(self._pending) or self._is_blocked or self._venue_ahead_ns is None

    def _recorded(self, recorded: Recorded, now: Moment) -> None:
        envelope = recorded.envelope
        self.books.fold(envelope)
        self._control.recorded(envelope.body)
        self._latching.recorded(envelope.body)
        self._accounts.recorded(envelope.body)
        if not self._is_running:
            return
        self._flattening.recorded(envelope.body, now)
        self._pending = max(self._pending - 1, 0)  # one that was recorded beside one that found no room
        match envelope.body:
            case SendMarked() as mark:
                self._send(mark, envelope.sent_boot_ns, now)
            case ReconcileFinished(clean=clean):
                self._leave.is_reconciled = clean
            case CancelMarked(order=order):
                self._out.append(CancelOrder(order.client_order_id, order.symbol))
            case _:
                pass

    def _send(self, mark: SendMarked, marked_boot_ns: int, now: Moment) -> None:
        """Send what is marked, unless something stands against it by now."""
        client_order_id = mark.order.client_order_id
        refusal = self._entrance.second_look(mark, now)
        if refusal is not None:
            self._evidence.facts.take(OrderSent(client_order_id, NotSent(f"{refusal[0]}: {refusal[1]}"), None))
            return
        self._entrance.count(mark, now)
        self._in_flight.add(client_order_id)
        self._out.append(leaving(mark, sign_by_boot_ns=self._entrance.sign_by_ns(mark, marked_boot_ns)))

    def _venue_told(self, told: FromOutside, now: Moment) -> None:
        match told:
            case InstrumentsKnown() | WorthRead():
                self._worker.told(told)
            case VenueClock():
                self._venue_ahead_ns = told.ahead_of_boot_ns
                self._leave.clock_told(told)
            case StreamOpened():
                self._leave.stream_trouble, self._leave.is_reconciled = None, False
                self._reconciler.soon()
            case StreamLost(reason=reason):
                self._leave.stream_trouble, self._leave.is_reconciled = f"the private stream is lost: {reason}", False
                self._out.append(Note("warning", "the private stream is lost", {"reason": reason}))
            case WeightTold():
                self._allowance.told(told)
            case KeyRightsTold():
                self._out += self._leave.rights.told(told)
            case _:
                assert isinstance(told, Fact), f"nobody brings {told}"
                self._entrance.open_orders.take(told)
                self._flattening.answered(told, now)
                if isinstance(told, OrderSent):
                    self._in_flight.discard(told.client_order_id)
                if not self._evidence.facts.take(told):
                    self._lose_track(now)

    def _life_goes_on(self, happening: Started | Stalled | StopAsked | Woken, now: Moment) -> None:
        match happening:
            case Started():
                self._started(happening, now)
            case Stalled():  # what came meanwhile is old, and the venue went on
                self._reconciler.soon()
                self._leave.is_reconciled = False
            case StopAsked():
                self._requests.is_stopping = self._worker.is_stopping = True
            case Woken(timer=timer) if timer == LEASE:
                self._out += [self._leave.ask(now), WakeAt(LEASE, now.boot_ns + LEASE_NS)]
            case Woken():
                self._is_blocked = False  # there may be room again: it is tried ten times a second
                self._evidence.facts.turn_ends_ns = now.boot_ns + TURN_NS
                if not self._pending:
                    self._report(self._control.due())
                self._out += [
                    *self._accounts.due(self._evidence.account, now),
                    *self._leave.wary(
                        self._worries(now), self._flattening.words(), now, unread_for=self._reconciler.failure
                    ),
                ]
                self._out.append(WakeAt(CLOCK, now.boot_ns + TICK_NS))

    def _worries(self, now: Moment) -> Sequence[str]:
        return (*self._worker.patience.worries(now), *self._worker.selling.stuck(), *self._flattening.worries())

    def _journal_told(self, told: Restored | Recorded | RecordsLost | NotRecorded | JournalRoom, now: Moment) -> None:
        match told:
            case Restored(state=state):
                self.books.restore(state)
            case Recorded():
                self._recorded(told, now)
            case RecordsLost(reason=reason):
                self._control.wary(RECORDS_LOST, reason)
                self.books.lose_records()
            case JournalRoom(for_everything=has_room):
                self._leave.has_room = has_room
            case NotRecorded():
                self._pending, self._is_blocked = 0, True
                self._accounts.forget()
                self._lose_track(now)
                self._in_flight.clear()  # what was to leave with it has not left: that is asked about now
                self._out += [WakeAt(CLOCK, now.boot_ns + TICK_NS), WakeAt(LEASE, now.boot_ns)]  # as would these be
                self._out += self._control.not_recorded(told, now)
                self._out.append(Note("critical", "not recorded", {"reason": told.reason}))

    def _lose_track(self, now: Moment) -> None:
        """Ask how everything stands, since something that was told did not come into the books."""
        self._evidence.forget(now)
        self._leave.is_reconciled = False

    def _report(self, reports: Sequence[Report]) -> None:
        self._out += reports
        self._pending += len(reports)
