"""What risk writes down of itself, and what it does while its journal has no room. Pure.

Latches and pauses are reducing: they may take the last room there is. Everything else waits for room.
"""

from collections.abc import Sequence
from typing import Final

from proto.control import Kill
from proto.envelope import Envelope
from proto.fields import Id, clipped
from proto.intents import EnterBracket
from proto.risk import Everything
from proto.streams import RequestRefused
from proto.verdicts import Alerted, DayBegun, EntriesPaused, FlowCounted, KillCleared, KillLatched
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.alerts import alert, note_of_alert
from services.risk_watchdog.core.approvals import Approvals
from services.risk_watchdog.core.clearing import Clearing
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.permission import Permissions
from services.risk_watchdog.core.terms import RISK
from services.risk_watchdog.core.watches import Watches
from shared.core.room import holds_unwritten, not_done
from shared.core.service import Answer, Asked, Effect, Moment, Note, NotRecorded, Report, Started


class Writing:
    """Gathers the records that are due, and remembers those that found no room."""

    def __init__(
        self,
        *,
        facts: Facts,
        permissions: Permissions,
        approvals: Approvals,
        latching: Latching,
        clearing: Clearing,
        watches: Watches,
    ) -> None:
        self._facts: Final = facts
        self._permissions: Final = permissions
        self._approvals: Final = approvals
        self._latching: Final = latching
        self._clearing: Final = clearing
        self._watches: Final = watches
        self._has_died = False  # in the life before, which nobody else tells of; until that is durable
        self._may_reduce = True  # as far as is known, there is room for what reduces risk

    def started(self, started: Started) -> list[Effect]:
        """Be wary of what the start found wrong."""
        effects: list[Effect] = []
        if (hole := self._facts.hole) is not None:
            effects += self.wary(f"risk-lost-{hole}", "risk's own journal has a hole: look at its verdicts")
        if started.troubles:
            effects += self.wary(f"risk-start-{started.epoch}", "; ".join(started.troubles))
        self._has_died = started.died
        return effects

    def wary(self, cause: Id, reason: str) -> Sequence[Effect]:
        """Pause all entries until an operator has looked, once for each cause; the next tick writes it down."""
        if cause in self._facts.noticed:
            return ()
        self._permissions.unwritten[cause] = reason
        return () if self._may_reduce else (Note("critical", "entries are paused", {"reason": reason}),)

    def due(self, now: Moment) -> list[Effect]:
        """Return what is to be written down; a latch is set without room as well, and holds by its file then."""
        watched = self._watches.due(now) if self._may_reduce else ()
        return [
            *self._watches.latches(now),
            *watched,
            *self._latched(),
            *self._pauses(),
            *self._died(),
            *self.freed(now),
        ]

    def freed(self, now: Moment) -> list[Report]:
        """Return the reservations that can be freed, in records; without room for them they stay."""
        if not self._permissions.has_room:
            return []
        return [Report(freed, cause_id=freed.approval_id) for freed in self._approvals.freed(now)]

    def day(self, account: Account) -> list[Report]:
        """Begin the venue's day with the first equity that is known of it."""
        begins_ns, day, equity = account.day_start_ns, self._facts.day, account.equity_quote
        if begins_ns is None or equity is None or not self._permissions.has_room:
            return []
        return [Report(DayBegun(begins_ns, equity))] if day is None or begins_ns > day.start_ns else []

    def recorded(self, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        """See to what follows from a record, now that it is durable."""
        match envelope.body:
            case EntriesPaused():
                self._permissions.unwritten.pop(envelope.cause_id, None)
            case KillLatched():
                return self._latching.recorded(now)
            case KillCleared():
                self._clearing.recorded()
            case FlowCounted():
                self._watches.counted()
            case Alerted() as alerted:
                self._has_died &= alerted.name != "risk-died"
                return (note_of_alert(alerted),)
            case _:
                pass
        return ()

    def room(self, *, for_everything: bool) -> None:
        """Take in whether there is room."""
        self._permissions.has_room = for_everything
        self._may_reduce |= for_everything

    def not_recorded(self, refusal: NotRecorded, asked: Asked | None, now: Moment) -> list[Effect]:
        """Let the latch hold without a record, and answer whoever waited for one that there is none."""
        self._permissions.has_room = False
        self._may_reduce &= not refusal.is_reducing
        effects: list[Effect] = [*self._latching.not_recorded(refusal.bodies, now)]
        effects += [note_of_alert(body) for body in refusal.bodies if isinstance(body, Alerted)]
        if asked is not None:
            effects.append(_answer(asked, refusal))
        return effects

    def _died(self) -> list[Report]:
        """Tell, once, that we ended without being asked to: whoever ended us, or saw it, can wake nobody."""
        if not self._has_died or not self._may_reduce:
            return []
        words = "risk had ended without being asked to, and runs again: it was silent and was ended, killed, or failed"
        return [alert("warning", "risk-died", words)]

    def _latched(self) -> Sequence[Effect]:
        return self._latching.unwritten() if self._may_reduce else ()

    def _pauses(self) -> list[Report]:
        unwritten = self._permissions.unwritten.items() if self._may_reduce else ()
        return [
            report
            for cause, reason in unwritten
            for report in (
                Report(EntriesPaused(Everything(), RISK, clipped(reason)), cause_id=cause, reducing=True),
                alert("critical", "entries-paused", reason, cause),
            )
        ]


def _answer(asked: Asked, refusal: NotRecorded) -> Answer:
    match asked.envelope.body:
        case EnterBracket():
            return Answer(asked, RequestRefused("journal_has_room", clipped(refusal.reason)))
        case Kill() if any(isinstance(body, KillLatched) for body in refusal.bodies):
            return holds_unwritten(asked, refusal.reason)
        case _:
            return not_done(asked, refusal.reason)
