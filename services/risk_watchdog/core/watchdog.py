"""The core of risk: hears everybody, judges entries, grants the lease, and writes down whatever it decides. Pure.

The way of an entry: a strategy asks (`_intent`), the verdict is written down and folded (`_recorded`), the approval
goes to the executor, and the strategy is answered. What frees its reservation is the executor's word, in its reports or
as its answer, or the proof that none will come (`services/risk_watchdog/core/approvals.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from proto.account import AccountSnapshot, InstrumentsTold
from proto.control import AskClearKill, AskLimits, ConfirmClearKill, Kill, LimitsAnswered
from proto.envelope import Envelope
from proto.fields import Instance
from proto.health import Heartbeat, Hello
from proto.intents import EnterBracket
from proto.orders import EntryEnded
from proto.risk import AskLease, LeaseAnswered
from proto.verdicts import (
    IntentJudged,
    ReservationFreed,
)
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.alerts import Alerts
from services.risk_watchdog.core.approvals import Approvals
from services.risk_watchdog.core.clearing import Clearing
from services.risk_watchdog.core.control import acted
from services.risk_watchdog.core.cover_guard import CoverGuard
from services.risk_watchdog.core.cover_watch import CoverWatch
from services.risk_watchdog.core.executor_watch import ExecutorWatch
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.guards import Guards
from services.risk_watchdog.core.holdings import Holdings
from services.risk_watchdog.core.judge import Judge, lacks_a_hearing
from services.risk_watchdog.core.kill_requests import KillRequests
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.peers import Peer, said_ns
from services.risk_watchdog.core.permission import Permissions, everywhere
from services.risk_watchdog.core.reports import REPORTS, ExecutorReports
from services.risk_watchdog.core.standing import Standing
from services.risk_watchdog.core.strategy_watch import StrategyWatch
from services.risk_watchdog.core.terms import EXECUTOR, FLATTENER, RiskTerms
from services.risk_watchdog.core.verdict_words import answer_of, note_of
from services.risk_watchdog.core.watches import Watches
from services.risk_watchdog.core.writing import Writing
from shared.core.service import (
    Answer,
    Answered,
    Asked,
    Effect,
    Follow,
    HaltSeen,
    HaltUnwritable,
    Happening,
    Heard,
    JournalRoom,
    Listen,
    Moment,
    Note,
    NotRecorded,
    Recorded,
    RecordsLost,
    Report,
    Restored,
    RetireEnded,
    Say,
    Stalled,
    Started,
    Stop,
    StopAsked,
    Told,
    ToldOfLoss,
    Unanswered,
    WakeAt,
    Watch,
    Watched,
    Woken,
)
from shared.market.prices import Prices

TICK_NS: Final = 200_000_000
TICKS_PER_SNAPSHOT: Final = 5
HEARING_NS: Final = 3_000_000_000
CLOCK: Final = "clock"


class RiskCore:
    """Knows the account, the positions and the limits, and answers for every entry."""

    def __init__(self, terms: RiskTerms) -> None:
        self._terms: Final = terms
        self._facts: Final = Facts()
        self._reports: Final = ExecutorReports()
        self._prices: Final = Prices()
        self._account: Final = Account(terms.quote_asset, self._facts)
        kin = {instance: Peer() for instance in (EXECUTOR, FLATTENER, *terms.feeds)}
        strategies = StrategyWatch(self._facts, terms.strategies)
        self._peers: Final = kin | strategies.peers
        self._approvals: Final = Approvals(self._facts, self._reports)
        alerts, executor = Alerts(), self._peers[EXECUTOR]
        self._latching: Final = Latching(self._facts, self._reports, alerts)
        self._clearing: Final = Clearing(facts=self._facts, reports=self._reports, latching=self._latching)
        self._executor_watch: Final = ExecutorWatch(
            facts=self._facts, reports=self._reports, peers=self._peers, latching=self._latching, alerts=alerts
        )
        self._kill_requests: Final = KillRequests(
            latching=self._latching,
            clearing=self._clearing,
            reports=self._reports,
            flat=self._executor_watch.flat,
            executor=executor,
        )
        guards = Guards(
            facts=self._facts, reports=self._reports, prices=self._prices, latching=self._latching, terms=terms
        )
        covers = CoverWatch(reports=self._reports, account=self._account, executor=executor)
        self._watches: Final = Watches(
            guards, covers, CoverGuard(self._facts, covers), self._executor_watch, strategies
        )
        self._permissions: Final = Permissions(
            facts=self._facts,
            reports=self._reports,
            account=self._account,
            peers=kin,
            likeness=terms.likeness,
            latching=self._latching,
            watches=self._watches,
        )
        self._writing: Final = Writing(
            facts=self._facts,
            permissions=self._permissions,
            approvals=self._approvals,
            latching=self._latching,
            clearing=self._clearing,
            watches=self._watches,
        )
        holdings = Holdings(self._facts, self._reports, self._prices)
        self._judge: Final = Judge(
            terms=terms,
            facts=self._facts,
            reports=self._reports,
            account=self._account,
            holdings=holdings,
            prices=self._prices,
        )
        self._standing: Final = Standing(terms=terms, facts=self._facts, account=self._account, holdings=holdings)
        self._heard_by_boot_ns = 0  # so long everybody has time to be heard
        self._begun, self._epoch, self._ticks = False, 0, 0
        self._asked: Asked | None = None  # whose answer waits for a record

    def state(self) -> bytes:
        """Return the fold of everything recorded."""
        return self._facts.state()

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        if not isinstance(happening, NotRecorded):  # which comes at once, if it comes
            self._asked = happening if isinstance(happening, Asked) else None
        match happening:
            case Watched(events=events):
                for event in events:
                    self._prices.take(event, now.boot_ns)
                return ()
            case Asked():
                return self._request(happening, now)
            case Told():
                return self._told(happening, now)
            case Heard():
                return self._heard(happening, now)
            case Woken():
                return self._tick(now)
            case Answered() | Unanswered():
                return self._answered(happening, now)
            case Recorded(envelope=envelope):
                return self._recorded(envelope, now)
            case _:
                return self._of_ourselves(happening, now)

    def _of_ourselves(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what concerns our own process and journal."""
        match happening:
            case Restored(state=state):
                self._facts.restore(state)
            case RecordsLost(next_sequence=next_sequence):
                self._facts.lost(next_sequence)
            case Started():
                return self._begin(happening, now)
            case Stalled():
                self._account.begin_anew()
                self._reports.stood_still()
                self._watches.stood_still(now)
                for peer in self._peers.values():
                    peer.stood_still(now)
            case ToldOfLoss(instance=instance, next_sequence=next_sequence):
                if instance == EXECUTOR:
                    self._reports.lost(next_sequence)
                    self._watches.lost()
                reason = f"the {instance}'s journal has a hole: look at its positions"
                return self._writing.wary(f"{instance}-lost-{next_sequence}", reason)
            case RetireEnded():
                return self._executor_watch.retired(happening, now)
            case StopAsked():
                return (Stop(),)
            case _:
                return self._of_the_disk(happening, now)
        return ()

    def _of_the_disk(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what became of our records, and of the HALT file."""
        match happening:
            case NotRecorded():
                # The next tick has to come, though it may be what found no room.
                effects = self._writing.not_recorded(happening, self._asked, now)
                return (*effects, WakeAt(CLOCK, now.boot_ns + TICK_NS))
            case JournalRoom(for_everything=for_everything):
                self._writing.room(for_everything=for_everything)
            case HaltSeen() | HaltUnwritable():
                return self._latching.file_told(happening, now)
            case _:
                pass
        return ()

    def _begin(self, started: Started, now: Moment) -> Sequence[Effect]:
        self._begun, self._epoch, self._judge.epoch = True, started.epoch, started.epoch
        self._clearing.begin(started.epoch)
        self._heard_by_boot_ns = now.boot_ns + HEARING_NS
        for peer in self._peers.values():
            peer.begin(now)
        self._watches.begin(started.epoch, now)
        tick = WakeAt(CLOCK, now.boot_ns + TICK_NS)
        return (*_hearing(self._terms, self._peers), tick, *self._writing.started(started))

    def _recorded(self, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        held = None
        if isinstance(envelope.body, ReservationFreed):
            held = self._facts.reservations.get(envelope.body.approval_id)
        self._facts.fold(envelope)
        if not self._begun:
            return ()
        match envelope.body:
            case IntentJudged():
                return tuple(self._approvals.asked(now))
            case ReservationFreed(approval_id=approval_id, filled_quantity=filled):
                self._approvals.forget(approval_id)
                if held is not None and filled:
                    self._account.spend(held.approval.reserved_quote)
            case _:
                return self._writing.recorded(envelope, now)
        return ()

    def _request(self, asked: Asked, now: Moment) -> Sequence[Effect]:
        match asked.envelope.body:
            case EnterBracket() as intent:
                return self._intent(asked, intent, now)
            case AskLease(number=number):
                conditions = self._permissions.conditions(now)
                permission, latch = everywhere(conditions), self._latching.holding
                answer = LeaseAnswered(number, self._epoch, permission, conditions, latch)
                return (Answer(asked, answer),)
            case AskLimits():
                return (Answer(asked, LimitsAnswered(self._standing.limits(now))),)
            case Kill() | AskClearKill() | ConfirmClearKill() as body:
                return self._kill_requests.asked(asked, body, self._permissions.conditions(now), now)
            case _:
                return acted(asked, self._facts.pauses, self._terms)

    def _intent(self, asked: Asked, intent: EnterBracket, now: Moment) -> Sequence[Effect]:
        """Answer with the verdict there is, or judge."""
        verdict = self._facts.verdicts.get(intent.intent_id)
        if verdict is not None:
            return (Answer(asked, self._approvals.standing(verdict, now)),)
        judged = self._judge.judged(
            intent,
            conditions=self._permissions.conditions(now),
            executor_moves=self._peers[EXECUTOR].moves(now),
            now=now,
        )
        if lacks_a_hearing(judged) and now.boot_ns < self._heard_by_boot_ns:
            return (Note("info", "not judged yet", {"intent": intent.intent_id}),)  # whoever wants it asks again
        return (Report(judged, asked.envelope.id), note_of(judged), Answer(asked, answer_of(judged)))

    def _answered(self, outcome: Answered | Unanswered, now: Moment) -> Sequence[Effect]:
        answer = outcome.envelope.body if isinstance(outcome, Answered) else None
        self._clearing.answered(outcome.ask_id, answer, now)
        self._approvals.answered(outcome.ask_id, answer, now)
        return [*self._watches.answered(outcome.ask_id, answer), *self._writing.freed(now)]

    def _told(self, told: Told, now: Moment) -> Sequence[Effect]:
        envelope = told.envelope
        if told.instance == FLATTENER:
            return self._executor_watch.told_by_flattener(envelope, now)
        self._reports.take(envelope)
        self._watches.told(envelope, now)
        if not isinstance(envelope.body, EntryEnded):
            return ()
        self._approvals.ended(envelope.body)
        return self._writing.freed(now)

    def _heard(self, heard: Heard, now: Moment) -> Sequence[Effect]:
        envelope = heard.envelope
        match envelope.body:
            case Heartbeat() | Hello() as body:
                self._peers[heard.instance].heard(envelope, now)
                if heard.instance == EXECUTOR and isinstance(body, Heartbeat):
                    self._reports.announced(body, said_ns(envelope, now))
            case AccountSnapshot() | InstrumentsTold():
                is_new = self._account.heard(heard.instance, envelope, now)
                return (
                    *self._watches.heard(heard.instance, envelope, now),
                    *(self._writing.day(self._account) if is_new else ()),
                )
            case _:
                pass
        return ()

    def _tick(self, now: Moment) -> Sequence[Effect]:
        """Write down what is due, or else see to the rest: where a record finds no room, nothing beside it is done."""
        tick = WakeAt(CLOCK, now.boot_ns + TICK_NS)
        records = self._writing.due(now)
        if records:
            return (*records, tick)
        self._ticks += 1
        effects: list[Effect] = [
            tick,
            *self._latching.file_due(now),
            *self._clearing.due(now),
            *self._executor_watch.retire_due(now),
            *self._watches.asks(now),
            *self._approvals.asked(now),
        ]
        if self._ticks % TICKS_PER_SNAPSHOT == 0:
            effects.append(Say(self._standing.snapshot(self._permissions.conditions(now), self._latching.latch, now)))
        return effects


def _hearing(terms: RiskTerms, peers: Iterable[Instance]) -> Iterator[Effect]:
    """Yield what risk reads of others."""
    yield from (Follow(instance, REPORTS, 1) for instance in (EXECUTOR, FLATTENER))
    yield from (Listen(instance, "account") for instance in (EXECUTOR, FLATTENER))
    yield from (Listen(instance, "health") for instance in peers)
    for market in terms.markets.values():
        yield from (Watch(market.feed, f"{market.place}/{kind}".encode()) for kind in ("quotes", "trust"))
