"""How the executor comes under the kill latch, and out of it. Pure.

Whoever tells it first counts: an operator on its own control socket, the HALT file, risk's lease. From that moment no
entry passes, also while the latch is not yet written down; it is tried again until it is. What stands in the journal
makes the HALT file wherever that is missing, so that a restart, or a hand that removes the file, takes nothing away. It
ends by `LiftKill` and by nothing else. A latch that was lifted does not come back by a file of its own name, but as
long as there is any file, entries wait.
"""

from collections.abc import Sequence
from typing import Final

from proto.control import ControlDone, ControlRefused, Kill, LiftKill
from proto.envelope import Body
from proto.fields import clipped_short
from proto.orders import ConditionCleared, ConditionSet, FlattenBegun
from proto.risk import Condition, Everything, Latch
from shared.core.presses import is_of_press, latch_of
from shared.core.service import HaltSeen, HaltUnwritable, MakeHalt, Moment, Note, Report
from shared.execution.flattens import KILL_LATCH, Flattens

AGAIN_NS: Final = 10_000_000_000  # after the file could not be made
WITHOUT_REASON: Final = "no reason was given"


class Latching:
    """Sets the latch, keeps its file there, and lifts it."""

    def __init__(self, flattens: Flattens) -> None:
        self._flattens: Final = flattens
        self._wanted: Latch | None = None  # until it is durable
        self._file: Latch | None = None  # what the HALT file was last seen to stand for
        self._is_file_missing = False  # it was looked for, and nobody is making it
        self._not_before_ns = 0

    @property
    def latch_id(self) -> str | None:
        """The latch that stands or is about to."""
        return None if self._latch is None else self._latch.latch_id

    @property
    def _latch(self) -> Latch | None:
        return self._wanted or self._flattens.latch

    def refusal(self) -> str | None:
        """Say why no entry may be worked."""
        if self._wanted is not None or self._flattens.is_latched:
            return f"the kill latch stands: {self.latch_id}"
        return None if self._file is None else "the HALT file is there"

    def told(self, latch: Latch) -> None:
        """Come under a latch that stands elsewhere, unless that is nothing new."""
        if not self._flattens.is_known(latch.latch_id):
            self._wanted = latch

    def file_told(self, told: HaltSeen | HaltUnwritable, now: Moment) -> list[Note]:
        """Take in how it is with the file."""
        if isinstance(told, HaltUnwritable):
            self._not_before_ns, self._is_file_missing = now.boot_ns + AGAIN_NS, self._file is None
            return [Note("critical", "the HALT file could not be made", {"reason": told.reason})]
        self._file, self._is_file_missing = told.latch, told.latch is None
        if told.latch is not None:
            self.told(told.latch)
        return []

    def due(self) -> Sequence[Report]:
        """Return what is to be written down, again and again until it is."""
        latch = self._wanted
        if latch is None:
            return ()
        reason = latch.reason or WITHOUT_REASON
        words = clipped_short(f"{latch.actor}: {reason}")
        return (
            Report(ConditionSet(Condition(KILL_LATCH, Everything(), "HALTED", words)), reducing=True),
            Report(FlattenBegun(latch.latch_id, None, latch.actor, reason), reducing=True),
        )

    def missing_file(self, now: Moment) -> list[MakeHalt]:
        """Return what makes the file, where the latch stands and there is none."""
        return self._made(self._flattens.latch, now)

    def not_recorded(self, now: Moment) -> list[MakeHalt]:
        """Let the file hold what found no room; whatever was to be made beside the record was not made."""
        self._is_file_missing = self._file is None
        return self._made(self._latch, now)

    def recorded(self, body: Body) -> None:
        """Take in that a latch is durable."""
        if isinstance(body, FlattenBegun) and self._wanted is not None and body.flatten_id == self._wanted.latch_id:
            self._wanted = None

    def killed(self, kill: Kill, now: Moment) -> tuple[Sequence[Report], ControlDone]:
        """Set the latch because somebody wants it, once for each press: one that stands gives its place to it."""
        latch = self._latch
        if latch is None or not is_of_press(latch, kill, now.wall_ns):
            self._wanted = latch_of(kill, now.wall_ns)
        words = f"no entries, and everything is closed: the kill latch {self.latch_id} stands"
        return self.due(), ControlDone(words)

    def _made(self, latch: Latch | None, now: Moment) -> list[MakeHalt]:
        if latch is None or not self._is_file_missing or now.boot_ns < self._not_before_ns:
            return []
        self._is_file_missing = False  # until it is seen again
        return [MakeHalt(latch)]

    def lift(self, lift: LiftKill, asker: str) -> tuple[Sequence[Report], ControlDone | ControlRefused]:
        """Lift the latch that risk has cleared; again, or where it never came to be, is done as well."""
        latch_id = self.latch_id
        if asker != "risk":
            return (), ControlRefused("asked_of_risk", "the kill latch is cleared at risk, in two steps")
        if latch_id not in {None, lift.latch_id}:
            return (), ControlRefused("latch_is_this_one", f"another latch stands: {latch_id}")
        if latch_id is None and self._flattens.is_lifted(lift.latch_id):
            return (), ControlDone(f"the kill latch {lift.latch_id} was lifted before")
        self._wanted = None
        cleared = ConditionCleared(KILL_LATCH, Everything(), lift.actor, lift.reason)
        report = Report(cleared, cause_id=lift.latch_id, reducing=True)
        return (report,), ControlDone(f"the kill latch {lift.latch_id} is lifted")
