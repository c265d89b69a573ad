"""What lies between two processes of the mesh: a message may be lost, late or doubled, each kind by its own luck."""

from collections.abc import Callable
from typing import Final, Literal

from tests.simulation.scheduler import MILLISECOND_NS, Dice, Scheduler
from tests.simulation.weather import FAULTS, Weather

Kind = Literal["ask", "answer", "lease", "hint", "tail", "beat", "market"]

LATE_MS_MAX: Final = 4_000


class Wire:
    """Brings what is said to who shall hear it, or does not."""

    def __init__(self, scheduler: Scheduler, weather: Weather, dice: Dice) -> None:
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of("wire")

    def send(self, kind: Kind, arrive: Callable[[], None]) -> None:
        """Let a message arrive, in some milliseconds at best."""
        if self._strikes(kind, "lost"):
            return
        late_ms = self._weather.amount(f"{kind} late", 50, LATE_MS_MAX) if self._strikes(kind, "late") else 0
        self._arrive_in(late_ms, arrive)
        if self._strikes(kind, "doubled"):
            self._arrive_in(self._weather.amount(f"{kind} doubled", 0, LATE_MS_MAX), arrive)
        if self._strikes(kind, "replayed"):
            self._arrive_in(self._weather.amount(f"{kind} replayed", 1_000, 20_000), arrive)

    def _arrive_in(self, late_ms: int, arrive: Callable[[], None]) -> None:
        self._scheduler.after(late_ms * MILLISECOND_NS + self._dice.randint(100_000, 3_000_000), arrive)

    def _strikes(self, kind: Kind, how: str) -> bool:
        return f"{kind} {how}" in FAULTS and self._weather.strikes(f"{kind} {how}")
