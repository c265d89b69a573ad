"""What is known of every process, by its own words."""

from collections import deque
from collections.abc import Container, Iterable
from decimal import Decimal
from typing import Final, Literal

from proto.envelope import Envelope
from proto.health import Heartbeat, Hello
from proto.measures import ProcessMeasured
from services.metrics.core.amounts import per_second, tenth_of
from services.metrics.core.vocabulary import ProcessCounts
from shared.core.service import Moment

# As `bowline status` has it: three heartbeats that did not come.
SILENT_NS: Final = 1_500_000_000
# As `bowline status` has that too: shared/mesh/epoch.py.
CRASH_LOOP_DEATHS: Final = 3
CRASH_LOOP_WINDOW_NS: Final = 60_000_000_000
BEATS_KEPT: Final = 6  # rates are taken over the two and a half seconds between them
_HUNDRED: Final = 100


class Processes:
    """The instances that there are keys for; others are never heard.

    Those that are not `expected` to run are left out until they are heard: a key says only that somebody may come.
    """

    def __init__(self, instances: Iterable[str], expected: Container[str]) -> None:
        self._expected: Final = expected
        self._processes: Final = {instance: _Process() for instance in instances}
        self._patient_from_ns = 0

    def hear(self, instance: str, envelope: Envelope, now: Moment) -> None:
        """Take in a heartbeat, or who the process is."""
        self._processes[instance].hear(envelope, now)

    def stood_still(self, now: Moment) -> None:
        """While we stood still nobody could be heard: silence is counted from now on."""
        self._patient_from_ns = now.boot_ns

    def is_silent(self, instance: str, now: Moment) -> bool:
        """Tell whether nothing was heard of it for longer than a process that moves leaves between two words."""
        process = self._processes.get(instance)
        if process is None or process.heard_ns is None:
            return True
        return now.boot_ns - max(process.heard_ns, self._patient_from_ns) > SILENT_NS

    def measured(self, now: Moment) -> tuple[ProcessMeasured, ...]:
        """Return all as they are."""
        return tuple(
            process.measured(instance, now, silent=self.is_silent(instance, now))
            for instance, process in self._processes.items()
            if instance in self._expected or process.heard_ns is not None
        )

    def counts(self) -> tuple[ProcessCounts, ...]:
        """Return what only grows, of those that were ever heard."""
        return tuple(
            ProcessCounts(instance, process.last.handled, process.last.cpu_time_ns)
            for instance, process in self._processes.items()
            if process.last is not None
        )


class _Process:
    """One process, in the newest epoch that was heard of it."""

    def __init__(self) -> None:
        self.heard_ns: int | None = None
        self.last: Heartbeat | None = None
        self._epoch = 0
        self._since_ns = 0
        self._hello: Hello | None = None
        self._beats: Final[deque[tuple[int, Heartbeat]]] = deque(maxlen=BEATS_KEPT)
        self._deaths_ns: Final[deque[int]] = deque(maxlen=CRASH_LOOP_DEATHS)

    def hear(self, envelope: Envelope, now: Moment) -> None:
        if envelope.epoch < self._epoch:
            return  # the last words of one that was replaced
        if envelope.epoch > self._epoch:
            if self.last is not None and self.last.state != "draining":
                self._deaths_ns.append(now.boot_ns)
            self._epoch, self._since_ns = envelope.epoch, now.boot_ns
            self._hello = None
            self._beats.clear()
        match envelope.body:
            case Hello() as hello:
                self._hello = hello
            case Heartbeat() as heartbeat:
                # What waited for us was said earlier; another host's boot time says nothing here.
                same_clock = envelope.boot_id == now.boot_id
                said_ns = min(envelope.sent_boot_ns, now.boot_ns) if same_clock else now.boot_ns
                self.heard_ns, self.last = said_ns, heartbeat
                self._beats.append((said_ns, heartbeat))
            case _:
                return

    def measured(self, instance: str, now: Moment, *, silent: bool) -> ProcessMeasured:
        state: Literal["silent", "crash loop", "booting", "running", "draining"] = "silent"
        if self.last is not None and not silent:
            state = "crash loop" if self._loops(now) else self.last.state
        handled, cpu = (Decimal("0.0"), Decimal("0.0")) if silent else self._rates()
        return ProcessMeasured(
            instance=instance,
            state=state,
            epoch=self._epoch,
            restarts=self._hello.restarts if self._hello is not None else 0,
            process_id=self._hello.process_id if self._hello is not None else 0,
            uptime_ns=0 if silent else now.boot_ns - self._since_ns,
            heartbeat_age_ns=None if self.heard_ns is None else max(now.boot_ns - self.heard_ns, 0),
            queued=self.last.queued if self.last is not None else 0,
            handled_per_second=handled,
            memory_bytes=self.last.memory_bytes if self.last is not None else 0,
            cpu_percent=cpu,
            loop_gap_max_ns=max((beat.loop_gap_max_ns for _, beat in self._beats), default=0),
        )

    def _loops(self, now: Moment) -> bool:
        deaths_ns = self._deaths_ns
        return len(deaths_ns) == CRASH_LOOP_DEATHS and now.boot_ns - deaths_ns[0] <= CRASH_LOOP_WINDOW_NS

    def _rates(self) -> tuple[Decimal, Decimal]:
        """Return inputs per second, and percent of a processor."""
        if not self._beats:
            return Decimal("0.0"), Decimal("0.0")
        (first_ns, first), (last_ns, last) = self._beats[0], self._beats[-1]
        during_ns = last_ns - first_ns
        return (
            per_second(last.handled - first.handled, during_ns),
            tenth_of((last.cpu_time_ns - first.cpu_time_ns) * _HUNDRED, during_ns),
        )
