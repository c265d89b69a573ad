"""The one loop of the simulation: a heap of virtual moments, and dice for each concern, so that one shifts no other."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Final

from shared.mesh.clock import VirtualClock

MILLISECOND_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
BOOTED_NS: Final = 1_000 * SECOND_NS  # when a run begins, by the boot clock
WALL_NS: Final = (1_700_006_400 - 14) * SECOND_NS  # and by the wall clock: a day of trading begins while faults last

Action = Callable[[], None]


class Dice:
    """Randomness of one seed, by concern."""

    def __init__(self, seed: int) -> None:
        self._seed: Final = seed
        self._streams: Final[dict[str, Random]] = {}

    def of(self, concern: str) -> Random:
        """Return the dice of a concern: what they show depends on the seed and on their own throws only."""
        if concern not in self._streams:
            self._streams[concern] = Random(f"{self._seed}/{concern}")  # noqa: S311  # a seed repeats a run: no secret
        return self._streams[concern]


class Scheduler:
    """Lets one thing happen after the other. What happens at the same moment happens in an order drawn by lot."""

    def __init__(self, dice: Dice) -> None:
        self.clock: Final = VirtualClock(wall_ns=WALL_NS, boot_ns=BOOTED_NS)
        self.events = 0
        self._ties: Final = dice.of("order of events")
        self._heap: Final[list[tuple[int, float, int, Action]]] = []
        self._number = 0

    @property
    def now_ns(self) -> int:
        """Return the virtual boot time."""
        return self.clock.boot_ns()

    def at(self, at_ns: int, action: Action) -> None:
        """Let something happen at a moment, or now if that has passed."""
        self._number += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._ties.random(), self._number, action))

    def after(self, delay_ns: int, action: Action) -> None:
        """Let something happen after a while."""
        self.at(self.now_ns + delay_ns, action)

    def every(self, pause_ns: Callable[[], int], action: Action, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Let something happen again and again as long as it goes on, after pauses that may differ."""

        def again() -> None:
            if goes_on():
                action()
                self.after(pause_ns(), again)

        self.after(pause_ns(), again)

    def run_until(self, end_ns: int) -> None:
        """Let time pass."""
        while self._heap and self._heap[0][0] <= end_ns:
            at_ns, _, _, action = heapq.heappop(self._heap)
            self.clock.advance(at_ns - self.now_ns)
            self.events += 1
            action()
        self.clock.advance(end_ns - self.now_ns)
