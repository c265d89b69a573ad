"""What the overseer says aloud, and when."""

import pytest

from proto.health import Heartbeat
from services.overseer.core import (
    ALARM_PERIOD_NS,
    LookAround,
    NotRemembered,
    NotStartedAgain,
    OrphanLeft,
    OrphanRetired,
    OverseerCore,
    PipeUnreadable,
    ProgramChanged,
    ProgramKnown,
    Remember,
    RetireOrphans,
    StartAgain,
    SupervisorGone,
)
from shared.core.service import (
    Effect,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock

SECOND_NS = 1_000_000_000
HEARTBEAT = Heartbeat(
    state="running",
    handled=0,
    queued=0,
    flatten_step=0,
    money_config_digest="0" * 64,
    loop_gap_max_ns=0,
    memory_bytes=0,
    cpu_time_ns=0,
    published=(),
    anchor=None,
    troubles=(),
)


class Overseer:
    """The core, and a clock that stands until it is moved."""

    def __init__(self) -> None:
        self.core = OverseerCore()
        self.now_ns = 0

    def hears(self, happening: Happening, *, after_s: float = 0) -> list[Effect]:
        """Let time pass, and something happen."""
        self.now_ns += int(after_s * SECOND_NS)
        return list(self.core.handle(happening, Moment(wall_ns=0, boot_ns=self.now_ns, boot_id="boot")))

    def sees(self, state: str, *, after_s: float = 0, expected: bool = False, instance: str = "risk") -> list[Effect]:
        """Let time pass, and a program come into a state."""
        change = ProgramChanged(instance, state, "RUNNING", process_id=7, expected=expected)
        return self.hears(change, after_s=after_s)


def notes(effects: list[Effect]) -> list[tuple[str, str]]:
    """Return what is said, with its level."""
    return [(effect.level, effect.event) for effect in effects if isinstance(effect, Note)]


def test_orphans_are_retired_at_the_start() -> None:
    """The first thing the overseer wants is that orphans are retired."""
    assert Overseer().hears(Started("overseer", 1, 0, ())) == [RetireOrphans(), LookAround()]


def test_retirements_are_said() -> None:
    """Each orphan retired is a line in the log, and one that could not be an alarm."""
    overseer = Overseer()
    retired = overseer.hears(OrphanRetired("risk", 7, killed=True, successor_id=8))
    details = {"instance": "risk", "process_id": 7, "killed": True, "successor_id": 8}
    assert retired == [Note("warning", "orphan retired", details)]
    assert notes(overseer.hears(OrphanLeft("the kernel disagrees"))) == [("critical", "an orphan could not be retired")]


@pytest.mark.parametrize(
    ("state", "expected", "event"),
    [
        ("EXITED", True, "process ended by itself"),
        ("EXITED", False, "process died"),
        ("BACKOFF", False, "process died at its start"),
    ],
)
def test_every_exit_is_said(state: str, expected: bool, event: str) -> None:  # noqa: FBT001  # a column of the table
    """Each way to end is said in words of its own, with the process it was."""
    note, *_ = Overseer().sees(state, expected=expected)
    assert isinstance(note, Note)
    assert (note.level, note.event) == ("warning", event)
    assert note.details["process_id"] == 7


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "STOPPING", "STOPPED", "UNKNOWN"])
def test_what_is_in_order_is_no_event(state: str) -> None:
    """Starts and orderly stops are supervisord's business."""
    assert Overseer().sees(state) == []


def test_program_given_up_alarms_every_minute_until_it_is_back() -> None:
    """FATAL is an alarm at once and every minute, and the first start that holds ends it."""
    overseer = Overseer()
    alarm = ("critical", "process is down, and supervisord has given up on it")
    first = overseer.sees("FATAL")
    assert notes(first) == [alarm]
    assert first[-1] == WakeAt("given up risk", ALARM_PERIOD_NS)
    again = overseer.hears(Woken("given up risk"), after_s=60)
    assert notes(again) == [alarm]
    assert again[-1] == StartAgain("risk")
    assert overseer.sees("STARTING") == []
    assert overseer.sees("FATAL") == []  # in vain: the alarm and the next try come with the minute
    back = overseer.sees("RUNNING")
    assert notes(back) == [("info", "process is back")]
    assert back[-1] == WakeAt("given up risk", None)
    assert overseer.hears(Woken("given up risk"), after_s=60) == []


def test_start_that_is_refused_is_said() -> None:
    """What supervisord does not start again is a line with its reason."""
    refused = Overseer().hears(NotStartedAgain("risk", "no such file"))
    assert notes(refused) == [("warning", "process was not started again")]


def test_stopping_a_program_given_up_ends_its_alarm() -> None:
    """Whoever stops it knows about it."""
    overseer = Overseer()
    overseer.sees("FATAL")
    assert notes(overseer.sees("STOPPED")) == [("info", "process was stopped")]


def test_third_death_within_a_minute_is_a_crash_loop() -> None:
    """The alarm comes with the third death, again after a minute if it goes on, and ends in words when it is over."""
    overseer = Overseer()
    assert [notes(overseer.sees("EXITED", after_s=20))[-1][0] for _ in range(3)] == ["warning", "warning", "critical"]
    assert notes(overseer.sees("EXITED", after_s=20)) == [("warning", "process died")]
    assert notes(overseer.sees("EXITED", after_s=20)) == [("warning", "process died")]
    assert notes(overseer.hears(Woken("crash loop risk"), after_s=20)) == [("critical", "process dies again and again")]
    assert notes(overseer.hears(Woken("crash loop risk"), after_s=60)) == [
        ("info", "process no longer dies again and again")
    ]


def test_slow_deaths_of_several_and_orderly_ends_are_no_crash_loop() -> None:
    """Deaths are counted by program and within 60 s, and an exit code of 0 is none."""
    overseer = Overseer()
    for instance in ("risk", "feed", "executor"):
        assert notes(overseer.sees("EXITED", instance=instance)) == [("warning", "process died")]
    for _ in range(3):
        assert notes(overseer.sees("EXITED", after_s=31)) == [("warning", "process died")]
    for _ in range(3):
        assert notes(overseer.sees("EXITED", expected=True)) == [("warning", "process ended by itself")]


def test_what_dies_is_remembered_for_status_and_the_next_overseer() -> None:
    """Each death is written down with the last few before it, those that an earlier overseer saw among them."""
    overseer = Overseer()
    overseer.hears(ProgramKnown("risk", 4, (1 * SECOND_NS,)))
    assert Remember("risk", 4, (1 * SECOND_NS, 20 * SECOND_NS)) in overseer.sees("EXITED", after_s=20)
    third = overseer.sees("EXITED", after_s=20)
    assert Remember("risk", 4, (1 * SECOND_NS, 20 * SECOND_NS, 40 * SECOND_NS)) in third
    assert notes(third)[-1] == ("critical", "process dies again and again")


def beat(epoch: int, sent_boot_ns: int, *, boot_id: str = "boot") -> Heard:
    """Return a heartbeat of the risk process; only who says it and when is looked at."""
    sender = Sender(instance="risk", epoch=epoch, clock=VirtualClock(boot_ns=sent_boot_ns, boot_id=boot_id))
    return Heard("risk", sender.envelope(HEARTBEAT))


def test_epoch_that_goes_back_is_an_alarm() -> None:
    """The highest epoch heard is kept, also across overseers; a lower one said later is an alarm, once."""
    overseer = Overseer()
    assert overseer.hears(ProgramKnown("risk", 4, ())) == [Listen("risk", "health")]
    assert overseer.hears(beat(5, 100)) == [Remember("risk", 5, ())]
    assert overseer.hears(beat(5, 200)) == []
    assert overseer.hears(beat(4, 150)) == []  # an earlier run's, which was on its way
    assert overseer.hears(beat(1, 300, boot_id="another host's")) == []
    (alarm,) = overseer.hears(beat(1, 300))
    assert isinstance(alarm, Note)
    assert (alarm.level, alarm.event) == ("critical", "an epoch is lower than before")
    assert (alarm.details["epoch_now"], alarm.details["epoch_before"]) == (1, 5)
    assert overseer.hears(beat(1, 400)) == []
    assert notes(overseer.hears(beat(2, 500))) == [("critical", "an epoch is lower than before")]


def test_what_cannot_be_written_down_is_said() -> None:
    """A disk that takes no memory weakens the watch, and stops nothing."""
    assert notes(Overseer().hears(NotRemembered("no room"))) == [("warning", "what was seen could not be written down")]


def test_overseer_knows_its_own_epoch() -> None:
    """It compares its own epoch with what an earlier overseer wrote down."""
    overseer = Overseer()
    overseer.hears(Started("overseer", 1, 0, ()))
    assert notes(overseer.hears(ProgramKnown("overseer", 3, ()), after_s=1)) == [
        ("critical", "an epoch is lower than before")
    ]


def test_retiring_is_tried_again() -> None:
    """Where an orphan had to be left, it is looked at again a minute later: nobody was harmed, nor will be."""
    overseer = Overseer()
    assert overseer.hears(OrphanLeft("nobody stands by"))[-1] == WakeAt("retire again", ALARM_PERIOD_NS)
    assert overseer.hears(Woken("retire again"), after_s=60) == [RetireOrphans()]


def test_seat_that_nobody_took_ends_the_retiring() -> None:
    """After an orphan whose successor failed no other is touched, also where a second look was due."""
    overseer = Overseer()
    overseer.hears(OrphanLeft("nobody stands by"))
    failed = overseer.hears(OrphanRetired("risk", 7, killed=False, successor_id=None))
    assert notes(failed) == [("critical", "orphan retired, and nobody took its seat and kept it")]
    assert failed[1:] == [WakeAt("retire again", None)]


def test_overseer_ends_when_somebody_else_talks_to_it() -> None:
    """What is not supervisord's is said with the reason, in words of its own, and ends the overseer."""
    reason = {"reason": "'hello' is no line of supervisord's"}
    assert Overseer().hears(PipeUnreadable(reason["reason"])) == [
        Note("critical", "what starts us is not supervisord", reason),
        Stop(),
    ]


def test_overseer_ends_with_its_supervisor() -> None:
    """When supervisord is gone the overseer says so and ends; asked to stop, it stops."""
    assert Overseer().hears(SupervisorGone())[-1] == Stop()
    assert Overseer().hears(StopAsked()) == [Stop()]
    assert Overseer().hears(Woken("another")) == []
