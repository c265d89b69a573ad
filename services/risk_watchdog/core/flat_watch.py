"""Whether everything is closed that the kill latch wants closed, by the word of who closes it. Pure.

That is the executor, and the flattener where that one cannot; each tells it in its own journal. Which word is the newer
one says the epoch of the executor's role: whoever holds it has one that nobody had before. No clock does.
"""

from typing import Final

from proto.envelope import Envelope
from proto.fields import Instance
from proto.orders import FlatnessTold
from services.risk_watchdog.core.alerts import Alerts, alert
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.silence import RETIRE_NS
from services.risk_watchdog.core.terms import FLATTENER, SECOND_NS
from shared.core.service import Moment, Report

PATIENCE_NS: Final = 60 * SECOND_NS
AGAIN_NS: Final = 600 * SECOND_NS


class FlatWatch:
    """Knows the newest word on it, and tells a person when that is bad for too long, and when it is good."""

    def __init__(self, facts: Facts, reports: ExecutorReports, executor: Peer, alerts: Alerts) -> None:
        self._facts: Final = facts
        self._reports: Final = reports
        self._executor: Final = executor
        self._alerts: Final = alerts
        self._told: FlatnessTold | None = None
        self._told_by: Instance = ""
        self._told_at = (0, 0)  # in which epoch of the executor's role, and its number in the journal
        self._due_ns: int | None = None  # when a person is told, unless it is flat by then

    def told(self, instance: Instance, envelope: Envelope, epoch: int) -> None:
        """Take in a word of whoever held the executor's role in an epoch; it may come behind a newer one of another."""
        told_at = (epoch, envelope.sequence)
        if isinstance(envelope.body, FlatnessTold) and told_at >= self._told_at:
            self._told, self._told_by, self._told_at = envelope.body, instance, told_at

    def trouble(self) -> str | None:
        """Say what is known not to be closed, or not known to be; None while no latch stands, and when it is FLAT."""
        told = self._told
        if self._facts.latch.standing is None:
            return None
        if told is None or not self._facts.latch.is_name(told.flatten_id):
            return "nobody has told yet whether everything is closed"
        return None if told.is_flat else f"NOT FLAT: {told.reason}"

    def due(self, now: Moment) -> list[Report]:
        """Return what a person has to be told."""
        trouble = self.trouble()
        if trouble is None:
            self._due_ns = None
            return self._flat(now)
        if self._due_ns is None:
            self._due_ns = now.boot_ns + PATIENCE_NS
        if now.boot_ns < self._due_ns:
            return []
        self._due_ns = now.boot_ns + AGAIN_NS
        return self._alerts.tell("critical", "not-flat", trouble, now)

    def _flat(self, now: Moment) -> list[Report]:
        """Tell that it is flat, once for each latch, and again where it was told meanwhile that it is not."""
        latch, told = self._facts.latch.standing, self._told
        if latch is None or told is None or not self._is_newest(now) or self._facts.flat_told == latch.latch_id:
            return []
        words = f"FLAT: everything is closed that {latch.latch_id} wants closed"
        return [alert("info", "is-flat", f"{words}; {told.reason}" if told.reason else words, latch.latch_id)]

    def _is_newest(self, now: Moment) -> bool:
        """Say whether all is read that could be newer: behind the flattener's word nothing, where no executor lives."""
        has_no_executor = self._told_by == FLATTENER and self._executor.silent_ns(now) > RETIRE_NS
        return has_no_executor or self._reports.is_caught_up
