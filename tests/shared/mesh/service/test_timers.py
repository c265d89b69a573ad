"""Timers ring by the boot clock: never early, once, and by their latest time."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.mesh.clock import SystemClock, VirtualClock
from shared.mesh.service.timers import Timers

Eventually = Callable[[Callable[[], object]], Awaitable[None]]
MS = 1_000_000


class Bell:
    """Timers on the running loop, and what they rang."""

    def __init__(self, clock: SystemClock | VirtualClock, *, look: Callable[[], None] = lambda: None) -> None:
        self.rung: list[tuple[str, int]] = []
        self.timers = Timers(
            loop=asyncio.get_running_loop(),
            clock=clock,
            look=look,
            ring=lambda name: self.rung.append((name, clock.boot_ns())),
        )

    @property
    def names(self) -> list[str]:
        """Return what rang, in order."""
        return [name for name, _ in self.rung]


async def test_no_timer_rings_early(eventually: Eventually) -> None:
    """Whatever the loop's own clock thinks, the boot clock has come to the time when a timer rings."""
    clock = SystemClock()
    bell, start_ns = Bell(clock), clock.boot_ns()
    due = {str(number): start_ns + number * MS // 7 for number in range(50)}
    for name, boot_ns in due.items():
        bell.timers.set(name, boot_ns)
    await eventually(lambda: len(bell.rung) == len(due))
    assert all(rung_ns >= due[name] for name, rung_ns in bell.rung)
    assert sorted(bell.names) == sorted(due)


async def test_a_timer_waits_for_the_boot_clock(eventually: Eventually) -> None:
    """While the boot clock stands nothing rings, however often the loop has come round; then it does at once."""
    clock = VirtualClock()
    bell = Bell(clock)
    bell.timers.set("a", MS)
    other = Bell(SystemClock())
    other.timers.set("later", SystemClock().boot_ns() + 20 * MS)
    await eventually(lambda: other.rung)
    assert not bell.rung
    clock.advance(MS)
    await eventually(lambda: bell.rung)
    assert bell.rung == [("a", MS)]


async def test_a_time_that_has_passed_rings_soon(eventually: Eventually) -> None:
    """A core that sets a timer too late is woken, but not within the call that sets it."""
    clock = VirtualClock(boot_ns=5 * MS)
    bell = Bell(clock)
    bell.timers.set("late", MS)
    assert not bell.rung
    await eventually(lambda: bell.rung)


async def test_a_timer_is_replaced_by_its_name(eventually: Eventually) -> None:
    """Of two times under one name the later word counts, and it rings once."""
    clock = VirtualClock()
    bell = Bell(clock)
    bell.timers.set("a", 1)
    bell.timers.set("a", 3 * MS)
    bell.timers.set("b", 2 * MS)
    clock.advance(2 * MS)
    await eventually(lambda: bell.rung)
    assert bell.names == ["b"]
    clock.advance(MS)
    await eventually(lambda: len(bell.rung) > 1)
    assert bell.names == ["b", "a"]


async def test_a_timer_that_is_put_off_does_not_ring(eventually: Eventually) -> None:
    """Without a time a timer is forgotten; to forget one that was never set is nothing."""
    bell = Bell(VirtualClock())
    bell.timers.set("a", 0)
    bell.timers.set("a", None)
    bell.timers.set("never set", None)
    bell.timers.set("b", 0)
    await eventually(lambda: bell.rung)
    assert bell.names == ["b"]


async def test_after_sleep_what_is_due_rings(eventually: Eventually) -> None:
    """The loop's clock stood still while the machine slept: set anew, an hour's timer rings when the hour is over."""
    clock = VirtualClock()
    bell = Bell(clock)
    hour_ns = 3_600_000 * MS
    bell.timers.set("a", hour_ns)
    bell.timers.set("b", 2 * hour_ns)
    clock.suspend(hour_ns)
    bell.timers.slept()
    await eventually(lambda: bell.rung)
    assert bell.names == ["a"]
    bell.timers.close()


async def test_a_look_at_the_clock_may_put_a_timer_off(eventually: Eventually) -> None:
    """Whoever hears just before a timer rings that the process stood still may set it anew, and it does not ring."""
    clock = VirtualClock()
    looks = []

    def look() -> None:
        looks.append(clock.boot_ns())
        if len(looks) == 1:
            bell.timers.set("silence", 10 * MS)
            bell.timers.set("gone", None)

    bell = Bell(clock, look=look)
    bell.timers.set("silence", 0)
    bell.timers.set("gone", 0)
    bell.timers.set("other", 0)
    await eventually(lambda: bell.rung)
    assert bell.names == ["other"]
    clock.advance(10 * MS)
    await eventually(lambda: len(bell.rung) > 1)
    assert bell.names == ["other", "silence"]


async def test_closed_timers_are_silent(eventually: Eventually) -> None:
    """After the end nothing rings."""
    bell, other = Bell(VirtualClock()), Bell(VirtualClock())
    bell.timers.set("a", 0)
    bell.timers.close()
    other.timers.set("b", 0)
    await eventually(lambda: other.rung)
    assert not bell.rung
