"""The one place that asks what time it is; everybody else is handed a `Clock`.

Two clocks with two uses. The *wall* clock is for people: logs, reports, file names. The *boot* clock counts from the
start of the machine, goes on while it sleeps, and cannot be set; deadlines, ages and signatures use it, together with
the boot id that says which start it counts from. On Linux a wall clock that is being slewed takes the boot clock with
it, so the distance between the two changes only when somebody sets the wall clock: `ClockWatch` tells that.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

BOOT_ID_FILE: Final = Path("/proc/sys/kernel/random/boot_id")
# A boot id that begins so is known to one process only: nothing timed by another process is ever comparable.
UNSHARED_BOOT_ID: Final = "unshared-"
READ_ATTEMPTS: Final = 3
PARTS_PER_BILLION: Final = 1_000_000_000


class Clock(Protocol):
    """What a shell asks for the time. Cores never see one: time reaches them in messages."""

    @property
    def boot_id(self) -> str:
        """Which start of the machine `boot_ns` counts from; boot times of different ids cannot be compared."""

    def wall_ns(self) -> int:
        """Return UTC in nanoseconds since 1970. It may be wrong, and may be set back or forth at any moment."""

    def boot_ns(self) -> int:
        """Return nanoseconds since the machine started, sleep included. It never goes back."""


class SystemClock:
    """The clocks of this machine."""

    def __init__(self, *, boot_id_file: Path = BOOT_ID_FILE) -> None:
        self.boot_id: Final = _boot_id(boot_id_file)

    def wall_ns(self) -> int:
        """Return UTC as this machine believes it."""
        return time.time_ns()

    def boot_ns(self) -> int:
        """Return CLOCK_BOOTTIME, which counts suspended time as well."""
        return boot_ns_now()


# Returns CLOCK_BOOTTIME; for the few who measure a duration on a hot path, and take no deadline from it.
boot_ns_now: Final[Callable[[], int]] = partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME)


def _boot_id(file: Path) -> str:
    """Return the machine's boot id, or one that equals no other.

    Without the real one, a shared constant would let a deadline from before a reboot look comparable. An id of our own
    fails the safe way: whatever another process stamped is refused as from another boot.
    """
    try:
        return str(uuid.UUID(file.read_text(encoding="ascii").strip()))
    except (OSError, ValueError):
        return f"{UNSHARED_BOOT_ID}{uuid.uuid4()}"


class VirtualClock:
    """A clock that stands until it is moved: for tests and for the deterministic simulation.

    Its wall clock can be set and can drift while the boot clock goes its steady way. `wall_drift_ppb` is how many
    nanoseconds the wall clock gains per second of boot time.
    """

    def __init__(
        self,
        *,
        wall_ns: int = 1_767_225_600_000_000_000,
        boot_ns: int = 0,
        boot_id: str = "virtual-boot-1",
        wall_drift_ppb: int = 0,
    ) -> None:
        self.boot_id = boot_id
        self.wall_drift_ppb = wall_drift_ppb
        self._boot_ns = boot_ns
        self._wall_ns = wall_ns
        self._drift_remainder = 0

    def wall_ns(self) -> int:
        """Return what the wall clock shows."""
        return self._wall_ns

    def boot_ns(self) -> int:
        """Return what the boot clock shows."""
        return self._boot_ns

    def advance(self, duration_ns: int) -> None:
        """Let time pass while processes run."""
        if duration_ns < 0:
            raise ValueError("the boot clock never goes back")
        # The remainder is carried, so that a thousand small steps drift exactly as far as one large one.
        drift_ns, self._drift_remainder = divmod(
            duration_ns * self.wall_drift_ppb + self._drift_remainder, PARTS_PER_BILLION
        )
        self._boot_ns += duration_ns
        self._wall_ns += duration_ns + drift_ns

    def suspend(self, duration_ns: int) -> None:
        """Let the machine sleep: both clocks find themselves later, and nothing ran in between."""
        if duration_ns < 0:
            raise ValueError("the boot clock never goes back")
        self._boot_ns += duration_ns
        self._wall_ns += duration_ns

    def step_wall(self, by_ns: int) -> None:
        """Set the wall clock forth, or back when negative; the boot clock does not notice."""
        self._wall_ns += by_ns

    def reboot(self, *, boot_id: str, down_ns: int = 0) -> None:
        """Start the machine anew: the boot clock counts from zero again, under another id."""
        if boot_id == self.boot_id:
            raise ValueError("another boot has another id")
        self.boot_id = boot_id
        self._boot_ns = 0
        self._wall_ns += down_ns


@dataclass(frozen=True, slots=True)
class BootTime:
    """An instant on this host: what deadlines and deaths are told by, since a boot time alone outlives its boot."""

    boot_id: str
    boot_ns: int

    def age_ns(self, now: "BootTime") -> int | None:
        """Return how long ago this was, None when it was in another boot."""
        return now.boot_ns - self.boot_ns if now.boot_id == self.boot_id else None


def boot_time(clock: Clock) -> BootTime:
    """Return the present instant."""
    return BootTime(clock.boot_id, clock.boot_ns())


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Both clocks at one instant; `uncertainty_ns` is how far apart the two looks may have been."""

    boot_ns: int
    wall_ns: int
    uncertainty_ns: int


def read_clocks(clock: Clock) -> ClockReading:
    """Read the wall clock between two looks at the boot clock, and keep the tightest of a few such readings.

    A process that loses the processor between two looks would otherwise see a step of the wall clock, and its undoing.
    """
    readings = []
    for _ in range(READ_ATTEMPTS):
        before_ns = clock.boot_ns()
        wall_ns = clock.wall_ns()
        after_ns = clock.boot_ns()
        readings.append(ClockReading((before_ns + after_ns) // 2, wall_ns, after_ns - before_ns))
    return min(readings, key=lambda reading: reading.uncertainty_ns)


@dataclass(frozen=True, slots=True)
class WallMoved:
    """The wall clock was set: it is `by_ns` further from the boot clock than before. Negative is back."""

    by_ns: int


@dataclass(frozen=True, slots=True)
class TimeSkipped:
    """Nobody looked for so long that the machine slept or the process was frozen: to be treated as a restart."""

    for_ns: int


class ClockWatch:
    """Compares the clocks at every look and returns what happened to them, for alarms and for resynchronising.

    Small steps add up: the comparison is with the last distance that was told, not with the last look.
    """

    def __init__(
        self, clock: Clock, *, wall_moved_min_ns: int = 50_000_000, skipped_min_ns: int = 5_000_000_000
    ) -> None:
        self._clock = clock
        self._wall_moved_min_ns = wall_moved_min_ns
        self._skipped_min_ns = skipped_min_ns
        self._told = read_clocks(clock)
        self._looked_boot_ns = self._told.boot_ns

    def look(self) -> tuple[WallMoved | TimeSkipped, ...]:
        """Return what happened since the last look; usually nothing."""
        now = read_clocks(self._clock)
        found: list[WallMoved | TimeSkipped] = []
        skipped_ns = now.boot_ns - self._looked_boot_ns
        self._looked_boot_ns = now.boot_ns
        if skipped_ns > self._skipped_min_ns:
            found.append(TimeSkipped(skipped_ns))
        moved_ns = (now.wall_ns - now.boot_ns) - (self._told.wall_ns - self._told.boot_ns)
        if abs(moved_ns) > self._wall_moved_min_ns + now.uncertainty_ns + self._told.uncertainty_ns:
            found.append(WallMoved(moved_ns))
            self._told = now
        return tuple(found)
