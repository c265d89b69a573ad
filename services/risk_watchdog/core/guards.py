"""What the guards of the account are told, and what risk does by them; the rules are in `shared.risk.guards`. Pure.

The account is read by the flattener, with a key of its own and at the venue's prices. Beside each reading stands what
the executor's books said, as long as that can be compared: it was said lately, behind all money that is known to have
come or gone, and nothing was told by then that is not read here yet.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

import msgspec

from proto.account import AccountSnapshot
from proto.envelope import Envelope
from proto.fields import Asset, Id, Instance, Symbol, clipped
from proto.orders import OutsideSeen
from proto.risk import Condition, Latch
from proto.verdicts import Alerted, EquityRead, FlowCounted, GuardTripped
from services.risk_watchdog.core.conditions import against
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.peers import said_ns
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import FLATTENER, RISK, SECOND_NS, RiskTerms
from shared.core.service import Effect, Moment, Report
from shared.market.prices import Prices
from shared.risk.book import NOTHING
from shared.risk.caps import percent, written
from shared.risk.guards import (
    GUARDS,
    DayLost,
    Guard,
    GuardLimits,
    GuardState,
    Recount,
    Trip,
    Warned,
    due,
    matters,
    recount,
)
from shared.risk.reading import Reading, reading_of
from shared.trading.instruments import assets_of

STALE_NS_MAX: Final = 5 * SECOND_NS
PRICED_NS_MAX: Final = 60 * SECOND_NS
BLIND_NS_MAX: Final = 60 * SECOND_NS
BOOKS_KEPT: Final = 8
FLOWS_MAX: Final = 1_000
FLOWS_AT_ONCE: Final = 50
FLOWS: Final = frozenset({"trade", "transfer", "unexplained"})
EIGHT_PLACES: Final = Decimal("1E-8")
WORDS: Final = {"drawdown": "the peak", "daily_loss": "the day's start"}


class Said(msgspec.Struct, frozen=True):
    """What the executor's books were worth, and when it said so."""

    said_ns: int
    equity_quote: Decimal


class Guards:
    """Takes the account's readings, and trips where the rules say so."""

    def __init__(
        self,
        *,
        facts: Facts,
        reports: ExecutorReports,
        prices: Prices,
        latching: Latching,
        terms: RiskTerms,
    ) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._prices: Final = prices
        self._latching: Final = latching
        self._terms: Final = terms
        self._quote_asset: Final = terms.quote_asset
        self._symbols: Final = terms.markets.keys()
        self._fingerprint: str | None = None
        self._books: Final[deque[Said]] = deque(maxlen=BOOKS_KEPT)
        self._flows: Final[deque[Envelope]] = deque()  # told, and not counted yet
        self._flow_said_ns = self._flow_venue_ns = 0  # of the newest that was told
        self._is_overfull = False
        self._newest = (0, 0)
        self._sees_since_ns = 0  # what was read, and is doubted by nobody
        self._why = ""
        self._is_alerted = False

    def begin(self, now: Moment) -> None:
        """Give everybody time to be heard: we start, or stood still."""
        self._books.clear()
        self._sees_since_ns = now.boot_ns

    def heard(self, instance: Instance, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        """Take in what somebody says of the account."""
        snapshot = envelope.body
        if isinstance(snapshot, AccountSnapshot) and instance == FLATTENER:
            return self._read(envelope, snapshot, now)
        if isinstance(snapshot, AccountSnapshot):
            self._books_said(envelope, snapshot, now)
        return ()

    def told(self, envelope: Envelope, now: Moment) -> None:
        """Take in what others did on the account."""
        seen = envelope.body
        if not isinstance(seen, OutsideSeen) or seen.kind not in FLOWS:
            return
        if envelope.sequence <= self._facts.guards.flows_to:
            return  # counted by a life before this one
        self._flow_said_ns = max(self._flow_said_ns, said_ns(envelope, now))
        self._flow_venue_ns = max(self._flow_venue_ns, seen.venue_time_ns)
        self._books.clear()
        if len(self._flows) < FLOWS_MAX:
            self._flows.append(envelope)
        else:
            self._is_overfull = True

    def recorded(self) -> None:
        """Let go of what is counted."""
        while self._flows and self._flows[0].sequence <= self._facts.guards.flows_to:
            self._flows.popleft()

    def due(self, now: Moment) -> list[Effect]:
        """Return what has to be written down: trips before anything else, for they rest on what stands there now."""
        found = due(self._facts.guards, self._limits_today())
        trips = [one for one in found if isinstance(one, Trip)]
        return [
            *(Report(_tripped(trip), reducing=True) for trip in trips),
            *self._latched(trips, now),
            *(_alert(one) for one in found),
            *self._counted(now),
            *self._blind(now),
        ]

    def trouble(self, now: Moment) -> str | None:
        """Say why the guards see nothing, None while they do."""
        if self._is_overfull:
            return f"over {FLOWS_MAX} movements of money wait for a price: restart risk when there is one"
        if now.boot_ns - self._sees_since_ns <= BLIND_NS_MAX:
            return None
        return self._why or f"the flattener has told nothing of the account for over {BLIND_NS_MAX // SECOND_NS} s"

    def conditions(self, now: Moment) -> Iterator[Condition]:
        """Yield what stands against entries. Where no flattener ever read the account blindness misses nothing."""
        if self._facts.guards.daily_loss.ends_entries:
            lost = percent(self._limits_today().daily_loss_breaker_fraction)
            yield against("daily_loss", f"{lost} of the day's start is lost: entries go on at 00:00 UTC")
        trouble = self.trouble(now) if self._has_ever_seen else None
        if trouble is not None:
            yield against("guards_blind", trouble)

    def _limits_today(self) -> GuardLimits:
        """Return the limits, with the loss that ends the entries of an account of today's size."""
        day, limits = self._facts.day, self._terms.guards
        if day is None:
            return limits
        return msgspec.structs.replace(
            limits, daily_loss_breaker_fraction=self._terms.limits.daily_loss_fraction(day.tier)
        )

    @property
    def _has_ever_seen(self) -> bool:
        return max(self._newest, self._facts.guards.newest) > (0, 0)

    def _books_said(self, envelope: Envelope, snapshot: AccountSnapshot, now: Moment) -> None:
        """Take in what the executor's books are worth."""
        self._fingerprint = snapshot.account_fingerprint
        at_ns = said_ns(envelope, now)
        if snapshot.quote_asset == self._quote_asset and at_ns > self._flow_said_ns:
            self._books.append(Said(at_ns, snapshot.equity_quote))

    def _read(self, envelope: Envelope, snapshot: AccountSnapshot, now: Moment) -> Sequence[Effect]:
        """Take in a reading of the account, and write it down if it matters."""
        number = (envelope.epoch, snapshot.read_number)
        if number <= max(self._newest, self._facts.guards.newest) or not self._is_of_use(envelope, snapshot, now):
            return ()
        self._newest = number
        read = EquityRead(
            *number,
            venue_time_ns=snapshot.venue_time_ns,
            equity_quote=snapshot.equity_quote.quantize(EIGHT_PLACES, ROUND_HALF_EVEN),
            executor_equity_quote=self._books_now(snapshot, now),
            account_fingerprint=snapshot.account_fingerprint,
            quote_asset=snapshot.quote_asset,
            counted=snapshot.counted,
        )
        guards, found = self._facts.guards, recount(self._facts.guards, read)
        doubt = None if found is not None else _doubt(guards, reading_of(guards.known, read))
        if doubt is None:
            self._sees_since_ns = now.boot_ns
        self._why = doubt or ""
        if not matters(guards, self._limits_today(), read):
            return ()
        return (Report(read, reducing=True), *(() if found is None else (_recounted(found),)))

    def _is_of_use(self, envelope: Envelope, snapshot: AccountSnapshot, now: Moment) -> bool:
        """Say whether a reading is new, of our account, and in its money."""
        if snapshot.quote_asset != self._quote_asset:
            self._why = f"the flattener counts in {snapshot.quote_asset}, and risk in {self._quote_asset}"
        elif self._fingerprint not in {None, snapshot.account_fingerprint}:
            self._why = "the flattener reads another account than the executor: look at the two keys"
        elif self._fingerprint is None and self._is_strange(snapshot):
            self._why = "another account is read than before: see venue.account"
        elif now.boot_ns - said_ns(envelope, now) > STALE_NS_MAX:
            self._why = "the flattener's readings are old when they come"
        else:
            self._why = ""
            return True
        return False

    def _is_strange(self, snapshot: AccountSnapshot) -> bool:
        """Say whether a reading is of another account than those before it, which takes books of that account.

        An executor whose books are of another account than the settings says nothing of either (`belonging`): by a slip
        in the settings nothing is forgotten, and when it is put right the guards count from where they did.
        """
        guarded = self._facts.guards.account
        return guarded is not None and guarded[0] != snapshot.account_fingerprint

    def _books_now(self, snapshot: AccountSnapshot, now: Moment) -> Decimal | None:
        """Return what the executor's books say of the same state of things, None where they say nothing of it."""
        read_until_ns = self._reports.read_until_ns
        if read_until_ns is None or self._flows or snapshot.venue_time_ns <= self._flow_venue_ns:
            return None
        said = [one for one in self._books if one.said_ns <= read_until_ns]
        if not said or now.boot_ns - said[-1].said_ns > STALE_NS_MAX:
            return None
        return said[-1].equity_quote.quantize(EIGHT_PLACES, ROUND_HALF_EVEN)

    def _latched(self, trips: Sequence[Trip], now: Moment) -> Sequence[Effect]:
        """Set one latch for all that trip now, and for what was written down by a life that came no further."""
        tripped: dict[Guard, Id] = {}
        if self._latching.holding is None:
            marks = ((guard, self._facts.guards.mark(guard).trip_id) for guard in GUARDS)
            tripped = {guard: trip_id for guard, trip_id in marks if trip_id is not None}
        tripped |= {trip.guard: trip.trip_id for trip in trips}
        if not tripped:
            return ()
        trip_id, guards = next(iter(tripped.values())), " and ".join(guard.replace("_", " ") for guard in tripped)
        words = "guards of {} tripped" if len(tripped) > 1 else "guard of {} tripped"
        reason = f"the {words.format(guards)}: `bowline risk replay {trip_id}` shows it"
        return self._latching.set(Latch(trip_id, RISK, reason, now.wall_ns), trip_id)

    def _counted(self, now: Moment) -> list[Effect]:
        """Count what came and went, one after the other, as far as there are prices for it."""
        effects: list[Effect] = []
        for envelope in list(self._flows)[:FLOWS_AT_ONCE]:
            seen = envelope.body
            assert isinstance(seen, OutsideSeen), "nothing else waits here"
            price = self._price(seen, now)
            if price is None:
                break
            worth = (seen.quantity * price).quantize(EIGHT_PLACES, ROUND_HALF_EVEN)
            counted = FlowCounted(envelope.sequence, seen.asset, seen.quantity, worth)
            effects.append(Report(counted, cause_id=envelope.id, reducing=True))
        return effects

    def _price(self, seen: OutsideSeen, now: Moment) -> Decimal | None:
        """Return what a unit of it is worth as money that came or went, None while nobody says.

        What is not traded is no part of equity. A trade by hand of what is, be it of one coin for another, moves no
        money: what it bought counts by its price from then on, however late it is told of, and what it cost is lost.
        """
        traded = assets_of(seen.symbol) if seen.kind == "trade" and seen.symbol is not None else ()
        if not self._is_counted(seen.asset) or (traded and all(map(self._is_counted, traded))):
            return NOTHING
        if seen.asset == self._quote_asset:
            return Decimal(1)
        price = self._prices.of(self._symbol_of(seen.asset))
        return None if price is None or now.boot_ns - price.received_boot_ns > PRICED_NS_MAX else price.bid

    def _is_counted(self, asset: Asset) -> bool:
        return asset == self._quote_asset or self._symbol_of(asset) in self._symbols

    def _symbol_of(self, asset: Asset) -> Symbol:
        """Return what an asset has its price from."""
        return f"{asset}/{self._quote_asset}"

    def _blind(self, now: Moment) -> list[Effect]:
        """Tell once that the guards see nothing, and that they see again."""
        trouble = self.trouble(now)
        if (trouble is not None) == self._is_alerted:
            return []
        self._is_alerted = trouble is not None
        if trouble is None:
            return [Report(Alerted("info", "guards-blind", "the guards of the account see again"), reducing=True)]
        alert = Alerted("critical" if self._has_ever_seen else "warning", "guards-blind", clipped(trouble))
        return [Report(alert, reducing=True)]


def _doubt(guards: GuardState, reading: Reading) -> str | None:
    """Say what of a reading nobody explains: it is not what the books say, or without them not what prices made it."""
    worth, books = f"the account is worth {written(reading.equity_quote)}", reading.books_quote
    if books is not None:
        return None if reading.agrees else f"{worth}, and the executor's books {written(books)}"
    if any(guards.mark(guard).quote is None for guard in GUARDS):
        return "the guards count from nothing yet: no books have agreed"
    if reading.is_explained or reading.known_quote is None:
        return None
    return f"{worth}, and what is known of it {written(reading.known_quote)}: nobody says what came or went"


def _recounted(found: Recount) -> Report:
    """Tell a person that something else is counted from now on."""
    change = found.change
    if change is None:
        text = "another account is read, or in another money: its guards count from what is there now"
    else:
        told = [f"{asset} is counted from now on" for asset in change.came]
        told += [f"{asset} is not counted any more" for asset in change.went]
        text = f"{', '.join(told)}: {written(change.worth_quote)} is taken for money that came or went, and for no loss"
    return Report(Alerted("warning", "guards-recounted", clipped(text)), reducing=True)


def _tripped(trip: Trip) -> GuardTripped:
    return GuardTripped(
        trip_id=trip.trip_id,
        guard=trip.guard,
        base_quote=trip.base_quote,
        floor_quote=trip.floor_quote,
        equity_quote=trip.equity_quote,
        reason=_words_of_trip(trip),
    )


def _alert(one: Trip | Warned | DayLost) -> Report:
    if isinstance(one, DayLost):
        text = _words_of(one, "nothing more is entered on this day, until 00:00 UTC; stops and exits go on")
        return Report(Alerted("warning", "daily-loss", text), cause_id=one.cause_id, reducing=True)
    if isinstance(one, Trip):
        return Report(Alerted("critical", "guard-tripped", _words_of_trip(one)), cause_id=one.trip_id, reducing=True)
    text = _words_of(one, f"that is over {one.percent} % of the way to where trading stops")
    return Report(Alerted("warning", "guard-near", text), cause_id=one.cause_id, reducing=True)


def _words_of_trip(trip: Trip) -> str:
    return _words_of(trip, f"{percent(trip.limit)} stop trading")


def _words_of(one: Trip | Warned | DayLost, what_of_it: str) -> str:
    base = one.base_quote
    lost = percent(((base - one.equity_quote) / base).quantize(Decimal("0.0001")))
    return clipped(
        f"equity is {written(one.equity_quote)}, {lost} below {WORDS[one.guard]} of {written(base)}: {what_of_it}"
    )
