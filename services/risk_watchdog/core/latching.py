"""How the kill latch comes to stand, and what it is for everybody while it does. Pure.

Whoever sets it, an operator, the HALT file, the executor or a rule of our own, it is written down first, and the file
is made then; one that stands for an older name gets the new one. Where there is no room to write it down, it holds in
memory and by the file.
"""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlDone, Kill
from proto.envelope import Body
from proto.fields import Id, Text, clipped
from proto.risk import Condition, Latch
from proto.verdicts import KillLatched
from services.risk_watchdog.core.alerts import Alerts, alert
from services.risk_watchdog.core.conditions import against
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latch import KILL_LATCH
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.presses import is_of_press, latch_of
from shared.core.service import Answer, Asked, Effect, HaltSeen, HaltUnwritable, MakeHalt, Moment, RenameHalt, Report

MAKE_EVERY_NS: Final = SECOND_NS


class Latching:
    """Sets the latch, and sees to it that it stands in the journal and as a file."""

    def __init__(self, facts: Facts, reports: ExecutorReports, alerts: Alerts) -> None:
        self._alerts: Final = alerts
        self._facts: Final = facts
        self._reports: Final = reports
        self.seen: Latch | None = None  # what the file stands for
        self._unwritten: Latch | None = None
        self._make_at_ns = 0
        self._trouble: str | None = None  # why the file is not as it shall be

    @property
    def latch(self) -> Latch | None:
        """The latch that entries wait for: one that was cleared as well, until file and executor are rid of it."""
        return self.holding or self.seen or self._reports.latch

    @property
    def holding(self) -> Latch | None:
        """The latch that nobody has cleared."""
        return self._unwritten or self._facts.latch.standing

    @property
    def is_written(self) -> bool:
        """Whether the journal knows of every latch that we do."""
        return self._unwritten is None

    def condition(self) -> Condition | None:
        """Return what the latch means for everybody, None while there is none."""
        latch = self.latch
        if latch is None:
            return None
        words = f"{latch.actor}: {latch.reason}"
        if self._facts.latch.is_cleared(latch.latch_id):
            words = self._trouble or "the executor lifts it, and then the HALT file goes"
            words = f"cleared: {words}"
        return against(KILL_LATCH, words, permission="HALTED")

    def set(self, latch: Latch, cause_id: Id | None = None) -> Sequence[Effect]:
        """Write a latch down, unless this one is known; another one that stands gives its place to it."""
        if self._facts.latch.is_known(latch.latch_id):
            return ()
        text = f"{latch.actor} has set the kill latch {latch.latch_id}: {latch.reason}"
        told = alert("critical", "kill-latched", text, latch.latch_id)
        return (Report(KillLatched(latch), cause_id, reducing=True), told)

    def asked(self, asked: Asked, kill: Kill, now: Moment) -> Sequence[Effect]:
        """Set it for an operator, once for each press: one that stands gives its place to it."""
        standing = self._facts.latch.standing
        if standing is not None and is_of_press(standing, kill, now.wall_ns):
            return (Answer(asked, ControlDone(_done(standing))),)
        latch = latch_of(kill, now.wall_ns)
        return (*self.set(latch, asked.envelope.id), Answer(asked, ControlDone(_done(latch, standing))))

    def file_told(self, told: HaltSeen | HaltUnwritable, now: Moment) -> Sequence[Effect]:
        """Take in what the file stands for, or why it is not as it shall be: that is tried again and again."""
        if isinstance(told, HaltUnwritable):
            self._trouble = told.reason
            return self._alerts.tell("critical", "halt-file", told.reason, now)
        self.seen, self._trouble = told.latch, None
        return () if told.latch is None else self.set(told.latch)

    def unwritten(self) -> Sequence[Effect]:
        """Write down what found no room before, what the file stands for, or what the executor latched by itself."""
        spread = self._reports.latch if self._reports.is_caught_up else None
        known = self._facts.latch.is_known
        latches = (self.seen, self._unwritten, spread)  # what found no room came behind what is still seen
        return next((self.set(one) for one in latches if one is not None and not known(one.latch_id)), self._crossed())

    def _crossed(self) -> Sequence[Effect]:
        """Take back the executor's name, where each of us has come under the other's while that came under ours.

        Both know both names then, and neither is news to anybody. Of the two only we follow, or they would take turns.
        """
        ours, theirs = self._facts.latch.standing, self._reports.latch
        if ours is None or theirs is None or not self._reports.is_caught_up or theirs.latch_id == ours.latch_id:
            return ()
        have_crossed = self._facts.latch.is_name(theirs.latch_id) and self._reports.has_stood_as(ours.latch_id)
        return (Report(KillLatched(theirs), reducing=True),) if have_crossed else ()

    def recorded(self, now: Moment) -> Sequence[Effect]:
        """Make the file of what is written down."""
        if self._unwritten is not None and self._facts.latch.is_known(self._unwritten.latch_id):
            self._unwritten = None
        self._make_at_ns = 0
        return self.file_due(now)

    def not_recorded(self, bodies: Sequence[Body], now: Moment) -> Sequence[Effect]:
        """Let a latch hold that found no room."""
        for body in bodies:
            if isinstance(body, KillLatched):
                self._unwritten, self._make_at_ns = body.latch, 0
                return self.file_due(now)
        return ()

    def file_due(self, now: Moment) -> Sequence[Effect]:
        """Make the file where it is not there, also where a hand has removed it, which clears nothing.

        One that is there has the name that is to be cleared: whoever reads it can type that.
        """
        latch, seen = self.holding, self.seen
        if latch is None or now.boot_ns < self._make_at_ns:
            return ()
        if seen is None:
            effect: Effect = MakeHalt(latch)
        elif seen.latch_id != latch.latch_id and self._facts.latch.is_known(seen.latch_id):
            effect = RenameHalt(latch, seen.latch_id)
        else:
            return ()
        self._make_at_ns = now.boot_ns + MAKE_EVERY_NS
        return (effect,)


def _done(latch: Latch, before: Latch | None = None) -> Text:
    """Say what stands now, and what stood before it."""
    words = f"{latch.latch_id} stands: nothing is entered, and everything is closed until nothing is left"
    if before is not None:
        words += f"; it takes the place of {before.latch_id}, set by {before.actor}: {before.reason}"
    return clipped(words)
