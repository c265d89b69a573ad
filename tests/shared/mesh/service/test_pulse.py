"""What a pulse says, how often, and what it makes of a loop that stood still."""

from typing import Final

from shared.mesh.clock import VirtualClock
from shared.mesh.service.pulse import BEAT_NS, STALL_NS, YOUNG_BEAT_NS, YOUNG_BEATS, Pulse, Workload

NOTHING: Final = Workload(handled=0, queued=0, published=(), anchor=None)


def a_pulse(clock: VirtualClock) -> Pulse:
    """Return the pulse of a process that has just begun."""
    return Pulse(clock=clock, restarts=0, build_id="build", schema_digest="0" * 64, money_config_digest="0" * 64)


def test_young_process_beats_faster() -> None:
    """Until its first listeners can be connected a process beats ten times as often, and then as always."""
    pulse = a_pulse(VirtualClock(boot_ns=1))
    pauses = []
    for _ in range(YOUNG_BEATS + 2):
        pulse.beat(NOTHING)
        pauses.append(pulse.pause_ns)
    assert pauses == [YOUNG_BEAT_NS] * (YOUNG_BEATS - 1) + [BEAT_NS] * 3


def test_who_we_are_is_said_now_and_then() -> None:
    """The first beat says who we are, and then every tenth."""
    pulse = a_pulse(VirtualClock(boot_ns=1))
    assert [number for number in range(25) if pulse.beat(NOTHING)[1] is not None] == [0, 10, 20]


def test_gap_is_a_stall_above_a_second() -> None:
    """The next beat tells the longest time between two looks, beyond that of a beat; only a long one is a stall."""
    clock = VirtualClock(boot_ns=1)
    pulse = a_pulse(clock)
    clock.advance(STALL_NS)
    assert pulse.look() == 0
    clock.advance(STALL_NS + 1)
    assert pulse.look() == STALL_NS + 1
    assert pulse.look() == 0
    assert [pulse.beat(NOTHING)[0].loop_gap_max_ns for _ in range(2)] == [STALL_NS + 1 - BEAT_NS, 0]


def test_beat_tells_what_the_process_uses() -> None:
    """Memory and processor time are those of this process, and its state what it was set to."""
    pulse = a_pulse(VirtualClock(boot_ns=1))
    pulse.state = "draining"
    heartbeat, _ = pulse.beat(NOTHING)
    assert heartbeat.state == "draining"
    assert heartbeat.memory_bytes > 10_000_000
    assert heartbeat.cpu_time_ns > 0
