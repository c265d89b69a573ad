"""What risk watches the executor for beside its work: that it moves, who acts for it, that it closes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from proto.envelope import Envelope
from proto.fields import Instance
from services.risk_watchdog.core.alerts import Alerts
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.flat_watch import FlatWatch
from services.risk_watchdog.core.latching import Latching
from services.risk_watchdog.core.notices import Notices
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.reports import ExecutorReports
from services.risk_watchdog.core.silence import Silence
from services.risk_watchdog.core.tenure import Tenure
from services.risk_watchdog.core.terms import EXECUTOR, FLATTENER
from shared.core.service import Effect, Moment, RetireEnded


class ExecutorWatch:
    """Puts the watches together."""

    def __init__(
        self,
        *,
        facts: Facts,
        reports: ExecutorReports,
        peers: Mapping[Instance, Peer],
        latching: Latching,
        alerts: Alerts,
    ) -> None:
        executor = peers[EXECUTOR]
        self.flat: Final = FlatWatch(facts, reports, executor, alerts)
        self._notices: Final = Notices(facts, reports, executor)
        self._tenure: Final = Tenure(facts=facts, flattener=peers[FLATTENER], executor=executor, alerts=alerts)
        self._silence: Final = Silence(
            facts=facts, executor=executor, tenure=self._tenure, latching=latching, alerts=alerts
        )

    def told(self, envelope: Envelope) -> None:
        """Take in a report of the executor's."""
        self.flat.told(EXECUTOR, envelope, envelope.epoch)

    def told_by_flattener(self, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        """Take in what the flattener reports."""
        alerts = self._tenure.told(envelope, now)
        self.flat.told(FLATTENER, envelope, self._tenure.epoch)
        return alerts

    def latches(self, now: Moment) -> Sequence[Effect]:
        """Return the latch that a silence leads to."""
        return self._silence.latch_due(now)

    def due(self, now: Moment) -> Sequence[Effect]:
        """Return what a person has to be told."""
        return [*self._tenure.due(now), *self._silence.due(now), *self._notices.due(), *self.flat.due(now)]

    def retire_due(self, now: Moment) -> Sequence[Effect]:
        """Return whose end is due."""
        return self._silence.retire_due(now)

    def retired(self, ended: RetireEnded, now: Moment) -> Sequence[Effect]:
        """Take in what came of that."""
        return self._silence.retired(ended, now)
