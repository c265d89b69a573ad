"""The clocks: what they count, what a virtual one can do, and how steps and sleep are told."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.clock import (
    UNSHARED_BOOT_ID,
    Clock,
    ClockWatch,
    SystemClock,
    TimeSkipped,
    VirtualClock,
    WallMoved,
    read_clocks,
)

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS


def test_the_boot_clock_never_goes_back() -> None:
    """Looks at the boot clock of this machine come in order, and its wall clock is in this century."""
    clock: Clock = SystemClock()
    looks = [clock.boot_ns() for _ in range(1_000)]
    assert looks == sorted(looks)
    assert 1_600_000_000 * SECOND_NS < clock.wall_ns() < 4_102_444_800 * SECOND_NS


def test_two_processes_share_a_boot() -> None:
    """Another process on this machine tells the same boot id, and a boot time between two of ours."""
    clock = SystemClock()
    code = "import shared.mesh.clock as c, sys; s = c.SystemClock(); sys.stdout.write(f'{s.boot_id} {s.boot_ns()}')"
    before_ns = clock.boot_ns()
    boot_id, boot_ns = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert boot_id == clock.boot_id
    assert before_ns < int(boot_ns) < clock.boot_ns()


@pytest.mark.parametrize("content", [None, b"", b"no uuid", b"\xff\xfe"])
def test_without_a_boot_id_nothing_is_comparable(content: bytes | None, tmp_path: Path) -> None:
    """Where the machine names no boot, every clock names one of its own, so that foreign boot times are refused."""
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    first, second = SystemClock(boot_id_file=file), SystemClock(boot_id_file=file)
    assert first.boot_id.startswith(UNSHARED_BOOT_ID)
    assert first.boot_id != second.boot_id


@given(st.lists(st.integers(0, HOUR_NS), max_size=20), st.integers(-500_000, 500_000))
def test_drift_does_not_depend_on_the_size_of_the_steps(steps: list[int], drift_ppb: int) -> None:
    """A virtual wall clock drifts as far in many small steps as in one large one, and the boot clock is exact."""
    many, one = VirtualClock(wall_drift_ppb=drift_ppb), VirtualClock(wall_drift_ppb=drift_ppb)
    for step in steps:
        many.advance(step)
    one.advance(sum(steps))
    assert (many.boot_ns(), many.wall_ns()) == (one.boot_ns(), one.wall_ns())
    assert one.boot_ns() == sum(steps)


def test_a_virtual_boot_clock_cannot_go_back() -> None:
    """Neither by advancing nor by sleeping; and a reboot needs another id, since its count begins at zero."""
    clock = VirtualClock()
    with pytest.raises(ValueError, match="never goes back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="never goes back"):
        clock.suspend(-1)
    with pytest.raises(ValueError, match="another id"):
        clock.reboot(boot_id=clock.boot_id)
    clock.advance(HOUR_NS)
    clock.reboot(boot_id="virtual-boot-2", down_ns=SECOND_NS)
    assert (clock.boot_ns(), clock.boot_id) == (0, "virtual-boot-2")


def test_a_calm_clock_is_nothing_to_tell() -> None:
    """Time passing, and a drift too small to matter, are not told."""
    clock = VirtualClock(wall_drift_ppb=1_000)
    watch = ClockWatch(clock)
    for _ in range(1_000):
        clock.advance(SECOND_NS)
        assert watch.look() == ()


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS, 51_000_000, -51_000_000])
def test_a_step_of_the_wall_clock_is_told_once(by_ns: int) -> None:
    """Setting the wall clock is told at the next look, with its size, and then no more."""
    clock = VirtualClock()
    watch = ClockWatch(clock)
    clock.advance(SECOND_NS)
    clock.step_wall(by_ns)
    assert watch.look() == (WallMoved(by_ns),)
    assert watch.look() == ()


def test_small_steps_add_up() -> None:
    """Twenty steps of 10 ms are told as they reach the threshold: creeping is no way around the alarm."""
    clock = VirtualClock()
    watch = ClockWatch(clock)
    told = 0
    for _ in range(20):
        clock.step_wall(10_000_000)
        told += sum(event.by_ns for event in watch.look() if isinstance(event, WallMoved))
    assert told == 180_000_000


def test_sleep_is_told_and_moves_no_wall() -> None:
    """Eight hours of suspend are a skip in time, not a step of the wall clock, which slept along."""
    clock = VirtualClock()
    watch = ClockWatch(clock)
    clock.suspend(8 * HOUR_NS)
    assert watch.look() == (TimeSkipped(8 * HOUR_NS),)
    assert watch.look() == ()


class _Interrupted:
    """A clock whose reader loses the processor for a second during its first reading."""

    boot_id = "interrupted"

    def __init__(self) -> None:
        self._looks = 0

    def boot_ns(self) -> int:
        self._looks += 1
        return self._looks * 100 + (SECOND_NS if self._looks > 1 else 0)

    def wall_ns(self) -> int:
        return self._looks * 100 + HOUR_NS + (SECOND_NS if self._looks > 2 else 0)


def test_losing_the_processor_is_no_step() -> None:
    """A reading torn by the scheduler is dropped for a tighter one, and its width is known."""
    assert read_clocks(_Interrupted()).uncertainty_ns == 100
