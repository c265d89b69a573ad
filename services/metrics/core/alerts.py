"""Picks out of what risk writes down what a person should know. Pure.

Metrics remembers nothing over its own restarts: the next one begins a little back in risk's journal, and says again
what is young. Whoever gets an alert twice knows it by its id.
"""

from collections.abc import Sequence
from typing import Final

from proto.envelope import Envelope
from proto.health import Heartbeat
from proto.verdicts import Alerted
from services.metrics.core.amounts import NS_PER_SECOND
from services.metrics.core.vocabulary import PostAlert
from shared.core.service import Effect, Follow, Moment

RISK: Final = "risk"
VERDICTS: Final = "verdicts"
RECORDS_BACK: Final = 1_000
AGE_NS_MAX: Final = 600 * NS_PER_SECOND


class Alerts:
    """Follows risk from its first heartbeat on, if alerts are wanted: before it nobody knows where its journal ends."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted: Final = wanted
        self._follows = False

    def heard(self, instance: str, heartbeat: Heartbeat) -> Sequence[Effect]:
        """Begin to follow."""
        if not self._wanted or self._follows or instance != RISK or heartbeat.anchor is None:
            return ()
        self._follows = True
        return (Follow(RISK, VERDICTS, max(1, heartbeat.anchor.sequence - RECORDS_BACK)),)

    def told(self, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        """Return what is to be posted."""
        alert = envelope.body
        if not isinstance(alert, Alerted) or now.wall_ns - envelope.sent_wall_ns > AGE_NS_MAX:
            return ()
        return (PostAlert(envelope.id, alert.level, alert.name, alert.text, envelope.sent_wall_ns),)
