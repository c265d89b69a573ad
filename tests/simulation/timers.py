"""The timers of one life: those that come due while it stands still ring late, together, when it moves again."""

from collections.abc import Callable
from typing import Final

from tests.simulation.scheduler import Scheduler


class Timers:
    """Rings by name."""

    def __init__(self, scheduler: Scheduler, ring: Callable[[str], None]) -> None:
        self._scheduler: Final = scheduler
        self._ring: Final = ring
        self._due: Final[dict[str, int]] = {}
        self._late: Final[list[str]] = []
        self.is_asleep = False

    def set(self, timer: str, boot_ns: int | None) -> None:
        """Ring at that time, in place of an earlier one of this name; without a time, not at all."""
        self._due[timer] = boot_ns or 0
        if boot_ns is not None:
            self._scheduler.at(boot_ns, lambda: self._come(timer, boot_ns))

    def wake(self) -> None:
        """Ring what came due meanwhile."""
        self.is_asleep = False
        late, self._late[:] = list(self._late), []
        for timer in late:
            self._come(timer, self._due[timer])

    def _come(self, timer: str, boot_ns: int) -> None:
        if not boot_ns or self._due[timer] != boot_ns:
            return
        if self.is_asleep:
            self._late.append(timer)
            return
        self._due[timer] = 0
        self._ring(timer)
