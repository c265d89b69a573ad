"""When the flattener holds the executor's role, as its reports tell, read from their first record at every start. Pure.

An own death ends a tenure as well: the locks vanish with it. Where there is no flattener nothing of this counts.
"""

from typing import Final

from proto.envelope import Envelope
from proto.fencing import RoleReturned, RoleTaken
from services.risk_watchdog.core.alerts import Alerts
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.peers import Peer
from services.risk_watchdog.core.terms import EXECUTOR, SECOND_NS
from shared.core.service import Moment, Report

GONE_NS: Final = 10 * SECOND_NS
NEWS_NS_MAX: Final = 60 * SECOND_NS
WAKE_AGAIN_NS: Final = 600 * SECOND_NS  # where nothing can be sold it is taken again and again


class Tenure:
    """Who holds the executor's role, and which of its epochs were the flattener's."""

    def __init__(self, *, facts: Facts, flattener: Peer, executor: Peer, alerts: Alerts) -> None:
        self._facts: Final = facts
        self._flattener: Final = flattener
        self._executor: Final = executor
        self._alerts: Final = alerts
        self.epoch = 0  # of the executor's role, when it took that last
        self._holds_in_epoch: int | None = None  # its own epoch, in which it took the role
        self._untold: str | None = None  # why it did, until a person is told
        self._woke_ns: int | None = None  # when a person was told last that it did

    def told(self, envelope: Envelope, now: Moment) -> list[Report]:
        """Take in a report of the flattener's; say what a person should know of it."""
        is_news = envelope.boot_id == now.boot_id and now.boot_ns - envelope.sent_boot_ns < NEWS_NS_MAX
        match envelope.body:
            case RoleTaken(instance=instance) as taken if instance == EXECUTOR:
                self.epoch, self._holds_in_epoch = taken.epoch, envelope.epoch
                self._executor.was_another(taken.epoch)
                self._untold = f"the flattener acts for the executor: {taken.reason}"
                return self._taken(now) if is_news else []
            case RoleReturned(instance=instance) as returned if instance == EXECUTOR:
                self._holds_in_epoch = self._untold = None
                words = f"the executor may act again: {returned.reason}"
                return self._alerts.tell("info", "flattener-gave-back", words, now) if is_news else []
            case _:
                return []

    def due(self, now: Moment) -> list[Report]:
        """Tell of a take-over that began while we were away, once the flattener is heard to live in it."""
        return self._taken(now) if self.holds(now) else []

    def _taken(self, now: Moment) -> list[Report]:
        words, self._untold, name = self._untold, None, f"take-over-{self.epoch}"
        if words is None or self._facts.take_over_told == name:
            return []
        has_woken = self._woke_ns is not None and now.boot_ns - self._woke_ns < WAKE_AGAIN_NS
        self._woke_ns = self._woke_ns if has_woken else now.boot_ns
        return self._alerts.tell("warning" if has_woken else "critical", "flattener-took-over", words, now, name)

    def holds(self, now: Moment) -> bool:
        """Say whether it holds the role now, and lives."""
        held_in, flattener = self._holds_in_epoch, self._flattener
        return held_in is not None and flattener.epoch == held_in and flattener.silent_ns(now) < GONE_NS
