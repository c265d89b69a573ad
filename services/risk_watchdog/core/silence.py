"""What follows from an executor that makes no progress: its end, and later the kill latch. Pure.

That entries wait while it is silent stands in `permission.py`. It is no silence while it starts or was stopped in
order, nor while the flattener holds its role, nor what we ourselves slept through.
"""

from collections.abc import Sequence
from typing import Final

from proto.risk import Latch
from proto.verdicts import HolderRetired
from services.risk_watchdog.core.alerts import Alerts, alert
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.tenure import Tenure
from services.risk_watchdog.core.terms import EXECUTOR, RISK, SECOND_NS
from shared.core.booting import END_AGAIN_NS, END_AGAIN_NS_MAX
from shared.core.pause import GrowingPause
from shared.core.service import Effect, Moment, Note, Report, Retire, RetireEnded

RETIRE_NS: Final = 4 * SECOND_NS
SILENT_NS_MAX: Final = 60 * SECOND_NS
STAYS_NS: Final = 60 * SECOND_NS
LATCH_NS: Final = 180 * SECOND_NS


class Silence:
    """Watches the executor."""

    def __init__(self, *, facts: Facts, executor: Peer, tenure: Tenure, latching: Latching, alerts: Alerts) -> None:
        self._facts: Final = facts
        self._executor: Final = executor
        self._tenure: Final = tenure
        self._latching: Final = latching
        self._alerts: Final = alerts
        self._pause: Final = GrowingPause(shortest_ns=END_AGAIN_NS, longest_ns=END_AGAIN_NS_MAX)
        self._has_latched = False  # for the silence that lasts
        self._stays, self._stays_since_ns = 0, 0  # which life of the executor goes on without trouble, and since when

    def latch_due(self, now: Moment) -> Sequence[Effect]:
        """Set the latch, once, for a silence that has lasted too long."""
        if self._silent_ns(now) <= LATCH_NS:
            self._has_latched = False
            return ()
        if self._has_latched or self._latching.holding is not None or not self._has_worked():
            return ()
        self._has_latched = True
        reason = f"the executor has been silent for {LATCH_NS // SECOND_NS} s"
        return self._latching.set(Latch(f"silence-{now.wall_ns}", RISK, reason, now.wall_ns))

    def due(self, now: Moment) -> list[Report]:
        """Tell of one that does not come back or stay, since nobody else wakes a person for it; and that it stays."""
        trouble, was_told = self._trouble(now), EXECUTOR in self._facts.missed
        stays = self._stays_ns(trouble, now) >= STAYS_NS
        if trouble is not None and not was_told:
            return [alert("critical", "executor-gone", trouble, EXECUTOR)]
        if stays and was_told and self._executor.moves(now):
            return [alert("info", "executor-gone", "the executor works again", EXECUTOR)]
        return []

    def retire_due(self, now: Moment) -> Sequence[Effect]:
        """End whoever holds the executor's role and makes no progress, so that its supervisor starts it anew."""
        if self._silent_ns(now) <= RETIRE_NS:
            self._pause.helped()
            return ()
        if not self._pause.is_over(now.boot_ns):
            return ()
        self._pause.attempted(now.boot_ns)
        return (Retire(EXECUTOR, self._executor.epoch),)

    def retired(self, ended: RetireEnded, now: Moment) -> Sequence[Effect]:
        """Write down who was ended. Where there was nobody, its supervisor is at it already."""
        if ended.process_id is None:
            return (Note("info", "nobody was retired", {"role": ended.instance, "why": ended.words}),)
        what = f"made no progress for over {RETIRE_NS // SECOND_NS} s"
        text = f"{ended.instance} {what}: process {ended.process_id} was killed, and is started anew"
        return (
            Report(HolderRetired(ended.instance, ended.process_id, f"it {what}"), reducing=True),
            *self._alerts.tell("critical", "holder-retired", text, now),
        )

    def _trouble(self, now: Moment) -> str | None:
        if self._executor.crashes_again_and_again(now):
            return "the executor has died three times within a minute"
        if self._silent_ns(now) > SILENT_NS_MAX and self._has_worked():
            return f"nothing is heard of the executor for over {SILENT_NS_MAX // SECOND_NS} s"
        return None

    def _stays_ns(self, trouble: str | None, now: Moment) -> int:
        """Return for how long one life of it has gone on without trouble: one that dies again has not come back."""
        if trouble is not None or self._silent_ns(now) > RETIRE_NS or self._stays != self._executor.epoch:
            self._stays, self._stays_since_ns = self._executor.epoch, now.boot_ns
        return now.boot_ns - self._stays_since_ns

    def _silent_ns(self, now: Moment) -> int:
        """Return for how long it has been silent; when the flattener gives the role back, it has all its time anew."""
        if self._tenure.holds(now):
            self._executor.stood_still(now)
        return self._executor.silent_ns(now)

    def _has_worked(self) -> bool:
        """Say whether there ever was one that could miss anything: a mesh that has none yet needs no latch."""
        return self._executor.was_heard or any(verdict.approval_id for verdict in self._facts.verdicts.values())
