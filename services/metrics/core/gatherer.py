"""The core of metrics: listens to everybody, decides nothing, and says once a second how everything is."""

from collections.abc import Container, Sequence
from typing import Final

from proto.envelope import Envelope
from proto.fields import clipped
from proto.health import Heartbeat, Hello, HopsMeasured
from proto.measures import PROCESSES_MAX, AskMeasures, HopsGiven, MeasuresGiven
from services.metrics.core.alerts import Alerts
from services.metrics.core.amounts import NS_PER_SECOND
from services.metrics.core.hop_totals import HopTotals
from services.metrics.core.processes import Processes
from services.metrics.core.symbols import Symbols
from services.metrics.core.vocabulary import AlertLost, Gathered, PageServed, StoreChanged, WebhookChanged
from shared.core.service import (
    Answer,
    Asked,
    Effect,
    FromOutside,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    Stalled,
    Started,
    Stop,
    StopAsked,
    Told,
    WakeAt,
    Watch,
    Watched,
    Woken,
)

PERIOD_NS: Final = NS_PER_SECOND
HEALTH: Final = "health"
COUNTS: Final = "counts"
_GATHER: Final = "gather"
_NAME_CHARACTERS_MAX: Final = 48


class MetricsCore:
    """Knows the latest of everything there is a key for.

    Of the `instances` that may be heard, those that are `expected` are missed, and the `feeds` are watched.
    """

    def __init__(
        self,
        *,
        instances: Sequence[str],
        expected: Container[str],
        feeds: Sequence[str],
        has_store: bool,
        posts_alerts: bool,
    ) -> None:
        known = sorted(set(instances))
        self._instances: Final = known[:PROCESSES_MAX]
        self._feeds: Final = [feed for feed in self._instances if feed in set(feeds)]
        self._processes_left_out: Final = len(known) - len(self._instances)
        self._processes: Final = Processes(self._instances, expected)
        self._symbols: Final = Symbols()
        self._hops: Final = HopTotals()
        self._store = StoreChanged("connecting" if has_store else "off", None)
        self._alerts: Final = Alerts(wanted=posts_alerts)
        self._said_to_be_left_out: Final[set[str]] = set()
        self._due_ns = 0

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case Watched(instance=feed, events=events):
                self._symbols.take(feed, events, now)
                return ()
            case Heard(instance=instance, envelope=envelope):
                return self._heard(instance, envelope, now)
            case Told(envelope=envelope):
                return self._alerts.told(envelope, now)
            case Woken():
                return self._gather(now)
            case Asked(envelope=envelope):
                return (Answer(happening, self._answer(envelope, now)),)
            case Started():
                return self._begin(now)
            case Stalled():
                self._processes.stood_still(now)
                return ()
            case StopAsked():
                return (Stop(),)
            case FromOutside():
                return self._of_outside(happening)
            case _:
                return ()

    def _begin(self, now: Moment) -> Sequence[Effect]:
        self._due_ns = now.boot_ns + PERIOD_NS
        return (
            *(Listen(instance, HEALTH) for instance in self._instances),
            *(Listen(feed, COUNTS) for feed in self._feeds),
            *(Watch(feed, b"") for feed in self._feeds),
            WakeAt(_GATHER, self._due_ns),
        )

    def _of_outside(self, happening: FromOutside) -> Sequence[Effect]:
        match happening:
            case StoreChanged():
                return self._store_changed(happening)
            case WebhookChanged(trouble=None):
                return (Note("info", "the webhook takes the alerts", {}),)
            case WebhookChanged(trouble=trouble):
                return (Note("warning", "the webhook does not take the alerts: they wait", {"reason": trouble}),)
            case AlertLost(alert_id=alert_id, name=name, why=why):
                details = {"alert": alert_id, "name": name, "reason": why}
                return (Note("warning", "an alert is not posted any more", details),)
            case PageServed(address=address):
                return (Note("info", "measures are served", {"address": address}),)
            case _:
                return ()

    def _heard(self, instance: str, envelope: Envelope, now: Moment) -> Sequence[Effect]:
        match envelope.body:
            case Heartbeat() as heartbeat:
                self._processes.hear(instance, envelope, now)
                return self._alerts.heard(instance, heartbeat)
            case Hello():
                self._processes.hear(instance, envelope, now)
            case HopsMeasured():
                self._hops.hear(instance, envelope, now)
            case _:
                self._symbols.count(instance, envelope, now)
        return ()

    def _gather(self, now: Moment) -> Sequence[Effect]:
        self._due_ns = max(self._due_ns + PERIOD_NS, now.boot_ns)  # what was missed is not made good
        left_out = {"symbol": self._symbols.left_out, "process": self._processes_left_out, "hop": self._hops.left_out}
        gathered = Gathered(
            measures=self._measures(now),
            symbols=self._symbols.counts(),
            processes=self._processes.counts(),
            hops=self._hops.counts(),
            breaks=self._symbols.breaks(),
            left_out=left_out,
        )
        news = [kind for kind, count in left_out.items() if count and kind not in self._said_to_be_left_out]
        self._said_to_be_left_out.update(news)
        notes = [Note("warning", "there are more than can be measured: the rest is left out", {"of": k}) for k in news]
        return (gathered, *notes, WakeAt(_GATHER, self._due_ns))

    def _answer(self, envelope: Envelope, now: Moment) -> MeasuresGiven | HopsGiven:
        asked = envelope.body
        assert isinstance(asked, AskMeasures), "nothing else is asked on this socket"
        return self._hops.given(now) if asked.of == "hops" else self._measures(now)

    def _measures(self, now: Moment) -> MeasuresGiven:
        return MeasuresGiven(
            taken_wall_ns=now.wall_ns,
            store=self._store.state,
            store_reason=self._store.reason,
            symbols=self._symbols.measured(now, self._processes.is_silent),
            processes=self._processes.measured(now),
        )

    def _store_changed(self, change: StoreChanged) -> Sequence[Effect]:
        """Say it when it changes, but not each reason for which it stays down."""
        reason = None if change.reason is None else clipped(change.reason, _NAME_CHARACTERS_MAX)
        before, self._store = self._store, StoreChanged(change.state, reason)
        if change.state == before.state:
            return ()
        if change.state == "up":
            return (Note("info", "Redis takes the measures", {}),)
        return (Note("warning", "Redis does not take the measures", {"store": change.state, "reason": reason}),)
