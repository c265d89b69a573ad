"""The pulse tells a process that stood still from one that is at work."""

import os

from proto.risk import Anchor
from proto.streams import StreamPosition
from shared.mesh.clock import VirtualClock
from shared.mesh.service.pulse import BEAT_NS, HELLO_EVERY_BEATS, STALL_NS, Pulse, Workload
from tests.proto.examples import DIGEST

IDLE = Workload(handled=0, queued=0, published=(), anchor=None, troubles=())


def a_pulse(clock: VirtualClock) -> Pulse:
    """Return the pulse of a process that was started three times."""
    return Pulse(clock=clock, restarts=2, build_id="a build", schema_digest=DIGEST, money_config_digest=DIGEST)


def test_a_second_without_a_look_is_no_stall_and_more_is() -> None:
    """What is told is the whole gap, once; the next look counts anew."""
    clock = VirtualClock()
    pulse = a_pulse(clock)
    for gap_ns, told_ns in ((STALL_NS, 0), (STALL_NS + 1, STALL_NS + 1), (0, 0)):
        clock.advance(gap_ns)
        assert pulse.look() == told_ns


def test_sleep_of_the_machine_is_a_stall() -> None:
    """The boot clock goes on while the machine is suspended, and so the process has stood still."""
    clock = VirtualClock()
    pulse = a_pulse(clock)
    clock.suspend(STALL_NS * 3600)
    assert pulse.look() == STALL_NS * 3600


def test_setting_the_wall_clock_is_no_stall() -> None:
    """A step of the wall clock, by a day in either direction, changes nothing."""
    clock = VirtualClock()
    pulse = a_pulse(clock)
    clock.step_wall(86_400 * STALL_NS)
    assert pulse.look() == 0
    clock.step_wall(-2 * 86_400 * STALL_NS)
    assert pulse.look() == 0


def test_a_beat_says_the_longest_gap_since_the_beat_before() -> None:
    """Told is how much longer than the time between two beats a gap was: a loop with nothing to do has none."""
    clock = VirtualClock()
    pulse = a_pulse(clock)
    for gap_ns in (30, BEAT_NS, BEAT_NS + 70, BEAT_NS + 50):
        clock.advance(gap_ns)
        pulse.look()
    assert pulse.beat(IDLE)[0].loop_gap_max_ns == 70
    clock.advance(BEAT_NS)
    pulse.look()
    assert pulse.beat(IDLE)[0].loop_gap_max_ns == 0


def test_a_beat_says_what_the_process_is_at() -> None:
    """State, work, streams and anchor are what was handed in; memory and processor time are the process's own."""
    pulse = a_pulse(VirtualClock())
    position = StreamPosition(stream="reports", epoch=3, sequence=9)
    anchor = Anchor(sequence=9, digest=DIGEST)
    states = []
    for state in ("booting", "running", "draining"):
        pulse.state = state
        beat, _ = pulse.beat(Workload(handled=7, queued=2, published=[position], anchor=anchor, troubles=["x" * 501]))
        states.append(beat.state)
        assert (beat.handled, beat.queued, beat.published, beat.anchor) == (7, 2, (position,), anchor)
        assert [len(trouble) for trouble in beat.troubles] == [500]
        assert beat.memory_bytes > 0
        assert beat.cpu_time_ns > 0
        assert beat.money_config_digest == DIGEST
    assert states == ["booting", "running", "draining"]


def test_who_we_are_is_said_with_the_first_beat_and_every_tenth() -> None:
    """A listener that comes late knows after ten beats at most with whom it deals."""
    pulse = a_pulse(VirtualClock())
    hellos = [pulse.beat(IDLE)[1] for _ in range(2 * HELLO_EVERY_BEATS + 1)]
    assert [number for number, hello in enumerate(hellos) if hello] == [0, HELLO_EVERY_BEATS, 2 * HELLO_EVERY_BEATS]
    assert hellos[0] is not None
    assert (hellos[0].process_id, hellos[0].restarts, hellos[0].build_id) == (os.getpid(), 2, "a build")
