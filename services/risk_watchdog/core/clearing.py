"""How the kill latch is cleared: offered, confirmed, written down, lifted by the executor; its file goes last. Pure.

What has to be done follows each time from what is so: what the journal says, what the executor's reports say, whether
the file is there. So it does not matter where a clear was interrupted, nor in which life it goes on.
"""

from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from proto.control import (
    NONE_STANDS,
    AskClearKill,
    ClearKillOffered,
    ConfirmClearKill,
    ControlDone,
    ControlRefused,
    LiftKill,
)
from proto.envelope import Body
from proto.fields import Id, Name, Role, clipped
from proto.verdicts import KillCleared
from services.risk_watchdog.core.alerts import alert
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import EXECUTOR, SECOND_NS
from shared.core.service import Answer, Ask, Asked, Effect, Moment, RemoveHalt, Report

OFFER_NS_MAX: Final = 600 * SECOND_NS
AGAIN_NS: Final = SECOND_NS
LIFT: Final = "lift-"
PEOPLE: Final = frozenset({"operator", "dashboard", "telegram"})  # roles by which people speak
PROGRAMS: Final = frozenset(get_args(Role)) - PEOPLE


class Offer(msgspec.Struct, frozen=True):
    """What was offered, to whom it was, and until when it may be confirmed."""

    offer_id: Id
    latch_id: Id
    reason: str
    until_ns: int


class Clearing:
    """Answers who wants the latch cleared, and goes on until nothing is left of it."""

    def __init__(self, *, facts: Facts, reports: ExecutorReports, latching: Latching) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._latching: Final = latching
        self._offer: Offer | None = None
        self._is_lifted = False  # the executor has said so, of the newest clear
        self._asking: Id | None = None
        self._asked = self._epoch = 0
        self._ask_at_ns = 0
        self._remove_at_ns = 0

    def begin(self, epoch: int) -> None:
        """Begin a life: what it asks has names of its own."""
        self._epoch = epoch

    def offered(self, asked: Asked, ask: AskClearKill, in_the_way: str, now: Moment) -> Sequence[Effect]:
        """Answer the first step."""
        if (refusal := self._refused(ask.actor, ask.latch_id)) is not None:
            return (Answer(asked, refusal),)
        self._offer = Offer(f"clear-{now.wall_ns}", ask.latch_id, ask.reason, now.boot_ns + OFFER_NS_MAX)
        return (Answer(asked, ClearKillOffered(ask.latch_id, self._offer.offer_id, clipped(in_the_way))),)

    def confirmed(self, asked: Asked, confirm: ConfirmClearKill, now: Moment) -> Sequence[Effect]:
        """Answer the second step: write down that the latch is cleared."""
        latch_id, offer = confirm.latch_id, self._offer
        if self._facts.latch.standing is None and self._facts.latch.is_cleared(latch_id):
            return (Answer(asked, ControlDone(clipped(f"{latch_id} is cleared already"))),)
        if (refusal := self._refused(confirm.actor, latch_id)) is not None:
            return (Answer(asked, refusal),)
        if offer is None or (offer.offer_id, offer.latch_id) != (confirm.offer_id, latch_id):
            words = f"there is no offer {confirm.offer_id} for {latch_id}, or no longer: ask for a new one"
            return (Answer(asked, ControlRefused("offer_stands", clipped(words))),)
        if now.boot_ns > offer.until_ns:
            words = f"the offer is older than {OFFER_NS_MAX // (60 * SECOND_NS)} minutes: ask for a new one"
            return (Answer(asked, ControlRefused("offer_stands", words)),)
        done = f"{latch_id} is cleared; its HALT file goes as soon as the executor has lifted it"
        text = f"{confirm.actor} has cleared the kill latch {latch_id}: {offer.reason}"
        cleared = Report(KillCleared(latch_id, confirm.actor, offer.reason), asked.envelope.id)
        return (cleared, alert("warning", "kill-cleared", text, latch_id), Answer(asked, ControlDone(clipped(done))))

    def void_offer(self) -> None:
        """Let nobody confirm what was offered before: the kill was pressed again, or the latch has changed."""
        self._offer = None

    def recorded(self) -> None:
        """Begin with what has just been cleared."""
        self._offer = self._asking = None
        self._is_lifted, self._ask_at_ns, self._remove_at_ns = False, 0, 0

    def due(self, now: Moment) -> Sequence[Effect]:
        """Return the next step of a clear that is under way; while a latch stands there is none."""
        if self._facts.latch.standing is not None or not self._latching.is_written:
            return ()
        held, seen = self._reports.latch, self._latching.seen
        if held is not None and self._facts.latch.is_cleared(held.latch_id):
            return self._lift(held.latch_id, now)
        if seen is None or held is not None or not self._facts.latch.is_cleared(seen.latch_id):
            return ()
        if not self._is_lifted:
            return self._lift(seen.latch_id, now)
        if now.boot_ns < self._remove_at_ns:
            return ()
        self._remove_at_ns = now.boot_ns + AGAIN_NS
        return (RemoveHalt(seen.latch_id),)

    def answered(self, ask_id: Id, body: Body | None, now: Moment) -> None:
        """Take what the executor says to being asked to lift it; without an answer it is asked again."""
        if ask_id != self._asking:
            return
        self._asking, self._ask_at_ns = None, now.boot_ns + AGAIN_NS
        self._is_lifted |= isinstance(body, ControlDone)

    def _lift(self, latch_id: Id, now: Moment) -> Sequence[Effect]:
        clear = self._facts.latch.clear
        if clear is None or self._asking is not None or now.boot_ns < self._ask_at_ns:
            return ()
        self._asked += 1
        self._asking = f"{LIFT}{self._epoch}-{self._asked}"
        return (Ask(EXECUTOR, LiftKill(clear.actor, clear.reason, latch_id), self._asking, cause_id=latch_id),)

    def _refused(self, actor: Name, latch_id: Id) -> ControlRefused | None:
        standing = self._facts.latch.standing
        if actor in PROGRAMS:
            return ControlRefused("person_clears", f"{actor} is a program: only a person clears the kill latch")
        if not self._latching.is_written:
            words = "the latch is not in risk's journal yet, which has no room: make room on the disk first"
            return ControlRefused("journal_has_room", words)
        if standing is None:
            return ControlRefused(NONE_STANDS, "no kill latch stands, or it is cleared already")
        if standing.latch_id != latch_id:
            words = f"another latch stands: {standing.latch_id}, set by {standing.actor}: {standing.reason}"
            return ControlRefused("latch_stands", clipped(words))
        return None
