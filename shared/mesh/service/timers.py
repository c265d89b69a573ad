"""The timers a core sets, by the boot clock: none rings early, and none late because the machine was suspended."""

import asyncio
from collections.abc import Callable
from typing import Final

from shared.mesh.clock import Clock

TIMERS_MAX: Final = 10_000


class Timers:
    """Rings each timer once, by name.

    Before one rings, `look` is called: whoever hears that the process stood still may put the timer off.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        look: Callable[[], None],
        ring: Callable[[str], None],
    ) -> None:
        self._loop: Final = loop
        self._clock: Final = clock
        self._look: Final = look
        self._ring: Final = ring
        self._set: Final[dict[str, tuple[int, asyncio.TimerHandle]]] = {}

    def set(self, name: str, boot_ns: int | None) -> None:
        """Ring at that time, in place of an earlier one of this name; without a time, not at all."""
        if name in self._set:
            self._set.pop(name)[1].cancel()
        if boot_ns is not None:
            assert len(self._set) < TIMERS_MAX, "a core that forgets its timers"
            remaining_ns = max(0, boot_ns - self._clock.boot_ns())
            self._set[name] = (boot_ns, self._loop.call_later(remaining_ns / 1e9, self._due, name))

    def slept(self) -> None:
        """Set all of them anew: the loop's own clock may have stood still while the boot clock went on."""
        for name, (boot_ns, _) in list(self._set.items()):
            self.set(name, boot_ns)

    def close(self) -> None:
        """Ring no more."""
        for _, handle in self._set.values():
            handle.cancel()
        self._set.clear()

    def _due(self, name: str) -> None:
        self._look()
        if name not in self._set:
            return
        boot_ns, handle = self._set[name]
        if self._clock.boot_ns() < boot_ns:  # it was set anew; or the loop, which counts in milliseconds, was early
            self.set(name, boot_ns)
            return
        handle.cancel()
        del self._set[name]
        self._ring(name)
