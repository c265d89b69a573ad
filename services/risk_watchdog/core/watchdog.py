"""The core of risk: hears everybody, judges entries, grants the lease, and writes down whatever it decides. Pure.

The way of an entry: a strategy asks (`_intent`), the verdict is written down and folded (`_recorded`), the approval
goes to the executor, and the strategy is answered. What frees its reservation is the executor's word, in its reports or
as its answer, or the proof that none will come (`services/risk_watchdog/core/approvals.py`).
"""

from collections.abc import Sequence
from typing import Final

from proto.account import AccountSnapshot, InstrumentsTold
from proto.control import AskLimits, LimitsAnswered
from proto.envelope import Envelope
from proto.fields import Id, clipped
from proto.health import Heartbeat, Hello
from proto.intents import EnterBracket
from proto.orders import EntryEnded
from proto.risk import AskLease, Condition, Everything, LeaseAnswered
from proto.streams import RequestRefused
from proto.verdicts import DayBegun, EntriesPaused, IntentApproved, IntentJudged, IntentRefused, ReservationFreed
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.approvals import Approvals
from services.risk_watchdog.core.control import acted, not_recorded
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.holdings import Holdings
from services.risk_watchdog.core.judge import Judge, lacks_a_hearing
from services.risk_watchdog.core.peers import Peer, said_ns
from services.risk_watchdog.core.permission import Permissions, everywhere
from services.risk_watchdog.core.reports import REPORTS, ExecutorReports
from services.risk_watchdog.core.standing import Standing
from services.risk_watchdog.core.terms import EXECUTOR, RISK, RiskTerms
from shared.core.service import (
    Answer,
    Answered,
    Asked,
    Effect,
    Follow,
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
        self._account: Final = Account(terms.quote_asset)
        self._feeds: Final = sorted({market.feed for market in terms.markets.values()})
        self._peers: Final = {instance: Peer() for instance in (EXECUTOR, *self._feeds)}
        self._approvals: Final = Approvals(self._facts, self._reports)
        self._permissions: Final = Permissions(
            facts=self._facts,
            reports=self._reports,
            account=self._account,
            peers=self._peers,
            likeness=terms.likeness,
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
        self._epoch = 0
        self._begun = False
        self._ticks = 0
        self._heard_by_boot_ns = 0  # so long everybody has time to be heard
        self._may_pause = True
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
            case Told(envelope=envelope):
                return self._told(envelope, now)
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
                for peer in self._peers.values():
                    peer.stood_still(now)
            case ToldOfLoss(next_sequence=next_sequence):
                self._reports.lost(next_sequence)
                reason = "the executor's journal has a hole: look at its positions"
                return self._wary(f"executor-lost-{next_sequence}", reason)
            case JournalRoom(for_everything=for_everything):
                self._permissions.has_room = for_everything
                self._may_pause |= for_everything
            case NotRecorded(reason=reason):
                return self._not_recorded(reason, now)
            case StopAsked():
                return (Stop(),)
            case _:
                pass
        return ()

    def _begin(self, started: Started, now: Moment) -> Sequence[Effect]:
        self._begun, self._epoch, self._judge.epoch = True, started.epoch, started.epoch
        self._heard_by_boot_ns = now.boot_ns + HEARING_NS
        for peer in self._peers.values():
            peer.begin(now)
        effects: list[Effect] = [
            Follow(EXECUTOR, REPORTS, 1),
            Listen(EXECUTOR, "account"),
            *(Listen(instance, "health") for instance in self._peers),
            WakeAt(CLOCK, now.boot_ns + TICK_NS),
        ]
        for market in self._terms.markets.values():
            effects += [Watch(market.feed, f"{market.place}/{kind}".encode()) for kind in ("quotes", "trust")]
        if (hole := self._facts.hole) is not None:
            effects += self._wary(f"risk-lost-{hole}", "risk's own journal has a hole: look at its verdicts")
        if started.troubles:
            effects += self._wary(f"risk-start-{started.epoch}", "; ".join(started.troubles))
        return effects

    def _wary(self, cause: Id, reason: str) -> Sequence[Effect]:
        """Pause all entries until an operator has looked, once for each cause; the next tick writes it down."""
        if cause in self._facts.noticed:
            return ()
        self._permissions.unwritten[cause] = reason
        return (Note("critical", "entries are paused", {"reason": reason}),)

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
            case EntriesPaused():
                self._permissions.unwritten.pop(envelope.cause_id, None)
            case _:
                pass
        return ()

    def _request(self, asked: Asked, now: Moment) -> Sequence[Effect]:
        match asked.envelope.body:
            case EnterBracket() as intent:
                return self._intent(asked, intent, now)
            case AskLease(number=number):
                conditions = self._conditions(now)
                answer = LeaseAnswered(number, self._epoch, everywhere(conditions), conditions, None)
                return (Answer(asked, answer),)
            case AskLimits():
                return (Answer(asked, LimitsAnswered(self._standing.limits())),)
            case _:
                return acted(asked, self._facts.pauses, self._terms.markets)

    def _intent(self, asked: Asked, intent: EnterBracket, now: Moment) -> Sequence[Effect]:
        """Answer with the verdict there is, or judge."""
        verdict = self._facts.verdicts.get(intent.intent_id)
        if verdict is not None:
            return (Answer(asked, self._approvals.standing(verdict, now)),)
        judged = self._judge.judged(
            intent,
            conditions=self._conditions(now),
            executor_moves=self._peers[EXECUTOR].moves(now),
            now=now,
        )
        if lacks_a_hearing(judged) and now.boot_ns < self._heard_by_boot_ns:
            return (Note("info", "not judged yet", {"intent": intent.intent_id}),)  # whoever wants it asks again
        return (Report(judged, asked.envelope.id), _note(judged), Answer(asked, _answer(judged)))

    def _not_recorded(self, reason: str, now: Moment) -> Sequence[Effect]:
        """Answer whoever waited for the record that nothing was done, and see to it that the next tick comes."""
        self._permissions.has_room = self._may_pause = False
        tick, asked = WakeAt(CLOCK, now.boot_ns + TICK_NS), self._asked
        if asked is None:
            return (tick,)
        if isinstance(asked.envelope.body, EnterBracket):
            return (Answer(asked, RequestRefused("journal_has_room", clipped(reason))), tick)
        return (not_recorded(asked, reason), tick)

    def _answered(self, outcome: Answered | Unanswered, now: Moment) -> Sequence[Effect]:
        answer = outcome.envelope.body if isinstance(outcome, Answered) else None
        self._approvals.answered(outcome.ask_id, answer, now)
        return self._freed(now)

    def _told(self, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        self._reports.take(envelope)
        if not isinstance(envelope.body, EntryEnded):
            return ()
        self._approvals.ended(envelope.body)
        return self._freed(now)

    def _heard(self, heard: Heard, now: Moment) -> Sequence[Effect]:
        envelope = heard.envelope
        match envelope.body:
            case Heartbeat() | Hello() as body:
                self._peers[heard.instance].heard(envelope, now)
                if heard.instance == EXECUTOR and isinstance(body, Heartbeat):
                    self._reports.announced(body, said_ns(envelope, now))
            case AccountSnapshot() | InstrumentsTold() if self._account.heard(envelope, now):
                return self._day()
            case _:
                pass
        return ()

    def _day(self) -> Sequence[Effect]:
        """Begin the venue's day with the first equity that is known of it."""
        begins_ns, day, equity = self._account.day_start_ns, self._facts.day, self._account.equity_quote
        if begins_ns is None or equity is None or not self._permissions.has_room:
            return ()
        return (Report(DayBegun(begins_ns, equity)),) if day is None or begins_ns > day.start_ns else ()

    def _tick(self, now: Moment) -> Sequence[Effect]:
        """Write down what is due, or else see to the rest: where a record finds no room, nothing beside it is done."""
        tick = WakeAt(CLOCK, now.boot_ns + TICK_NS)
        reports = [*self._pauses(), *self._freed(now)]
        if reports:
            return (*reports, tick)
        self._ticks += 1
        effects: list[Effect] = [tick, *self._approvals.asked(now)]
        if self._ticks % TICKS_PER_SNAPSHOT == 0:
            effects.append(Say(self._standing.snapshot(self._conditions(now))))
        return effects

    def _pauses(self) -> list[Report]:
        unwritten = self._permissions.unwritten.items() if self._may_pause else ()
        return [
            Report(EntriesPaused(Everything(), RISK, clipped(reason)), cause_id=cause, reducing=True)
            for cause, reason in unwritten
        ]

    def _freed(self, now: Moment) -> list[Report]:
        """Return the reservations that can be freed, in records; without room for them they stay."""
        if not self._permissions.has_room:
            return []
        return [Report(freed, cause_id=freed.approval_id) for freed in self._approvals.freed(now)]

    def _conditions(self, now: Moment) -> tuple[Condition, ...]:
        return self._permissions.conditions(now)


def _answer(judged: IntentJudged) -> IntentApproved | IntentRefused:
    approval = judged.approval
    if approval is not None:
        return IntentApproved(approval.intent_id, approval.approval_id, approval.quantity_max)
    assert judged.refusal is not None, "an intent is approved or refused"
    return judged.refusal


def _note(judged: IntentJudged) -> Note:
    if judged.approval is not None:
        approval = judged.approval
        details = {"approval": approval.approval_id, "quantity_max": f"{approval.quantity_max:f}"}
        return Note("info", "approved", {"intent": approval.intent_id, **details})
    assert judged.refusal is not None, "an intent is approved or refused"
    refusal = judged.refusal
    return Note("info", "refused", {"intent": refusal.intent_id, "rule": refusal.rule, "reason": refusal.reason})
