"""A service's shell keeps what shared/core/service.py promises to its core, and ends with the code that says why."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence

import pytest

from proto.control import AskLimits, ControlDone, Kill
from proto.orders import ReconcileFinished
from shared.core.service import (
    Answer,
    Ask,
    Asked,
    Effect,
    Follow,
    Happening,
    Heard,
    Listen,
    Moment,
    Note,
    NotRecorded,
    Outward,
    Recorded,
    Report,
    Restored,
    Stalled,
    Started,
    Stop,
    StopAsked,
    Unanswered,
    WakeAt,
    Watch,
    Woken,
)
from shared.mesh.bus.latest import Announcer
from shared.mesh.exit_codes import BEGIN_ANEW, IN_ORDER, OUR_DEFECT, UNUSABLE
from tests.shared.mesh.bus.test_latest import a_heartbeat
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Do, Hands, Stage, Told, at_start, standing_clock

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

KILL = Kill(actor="ada", reason="prices look wrong")
DONE = ControlDone(summary="latched")
SECOND_NS = 1_000_000_000


def a_report(number: int = 1) -> Report:
    """Return something to be recorded, with a number to tell it by."""
    return Report(ReconcileFinished(pass_number=number, clean=True, differences=(), trades_read=()))


def kinds(seen: Sequence[Happening]) -> list[str]:
    """Return what came in, by name."""
    return [type(happening).__name__ for happening in seen]


async def test_started_is_the_first_word(stage: Stage, eventually: Eventually) -> None:
    """A core hears who it is, its epoch, how often it was started before, and the troubles."""
    actor = stage.service()
    await eventually(lambda: actor.core.seen)
    assert actor.core.seen == [Started(instance="risk", epoch=1, restarts=0, troubles=("it rains",))]


async def test_a_core_with_a_journal_is_handed_its_state_first(stage: Stage, eventually: Eventually) -> None:
    """Before `Started` comes what the journal begins with."""
    actor = stage.service(instance="executor", disk=SimDisk())
    await eventually(lambda: len(actor.core.seen) == 2)
    assert actor.core.seen[0] == Restored(b"")
    assert isinstance(actor.core.seen[1], Started)


async def test_effects_are_performed_in_order(stage: Stage, eventually: Eventually) -> None:
    """What a core wants is done in the order in which it said so."""
    done: list[Outward] = []
    wanted = [Do() for _ in range(5)]
    actor = stage.service(at_start(*wanted), outside=Hands(done.append))
    await eventually(lambda: actor.core.seen)
    assert [id(effect) for effect in done] == [id(effect) for effect in wanted]


async def test_reports_are_recorded_before_anything_else_is_done(stage: Stage, eventually: Eventually) -> None:
    """The core has each report back, in order and durable, before the first other effect, wherever it stood."""
    disk, durable = SimDisk(), []

    def perform(_effect: Outward) -> None:
        durable.append((kinds(actor.core.seen), disk.syncs > before))

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        return (Do(), a_report(1), Do(), a_report(2)) if isinstance(happening, Told) else ()

    hands = Hands(perform)
    actor = stage.service(react, instance="executor", disk=disk, outside=hands)
    await eventually(lambda: len(actor.core.seen) == 2)
    before = disk.syncs
    hands.bring(Told())
    assert durable == [(["Restored", "Started", "Told", "Recorded", "Recorded"], True)] * 2
    bodies = [recorded.envelope.body for recorded in actor.core.of(Recorded)]
    assert bodies == [a_report(1).body, a_report(2).body]
    assert [recorded.envelope.sequence for recorded in actor.core.of(Recorded)] == [1, 2]


async def test_what_is_done_about_a_record_comes_before_the_rest(stage: Stage, eventually: Eventually) -> None:
    """Effects that `Recorded` returns are performed before those returned with the report."""
    order: list[Outward] = []
    first, second = Do(), Do()

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Started):
            return (second, a_report())
        return (first,) if isinstance(happening, Recorded) else ()

    stage.service(react, instance="executor", disk=SimDisk(), outside=Hands(order.append))
    await eventually(lambda: len(order) == 2)
    assert [id(effect) for effect in order] == [id(first), id(second)]


async def test_what_comes_meanwhile_waits_for_its_turn(stage: Stage, eventually: Eventually) -> None:
    """An input that an effect brings about is handled when all effects of the present one are performed."""
    order = []

    def perform(_effect: Outward) -> None:
        order.append("performed")
        hands.bring(Told())

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        order.append(type(happening).__name__)
        return (Do(), Do()) if isinstance(happening, StopAsked) else ()

    hands = Hands(perform)
    actor = stage.service(react, outside=hands)
    await eventually(lambda: actor.core.seen)
    actor.service.stop()
    assert order == ["Started", "StopAsked", "performed", "performed", "Told", "Told"]


async def test_a_full_journal_leaves_the_core_as_it_was(stage: Stage, eventually: Eventually) -> None:
    """Without room nothing of the input is done: the reports come back as `NotRecorded`, and the process goes on."""
    done: list[Outward] = []
    disk = SimDisk()

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        return (a_report(7), Do()) if isinstance(happening, Told) else ()

    hands = Hands(done.append)
    actor = stage.service(react, instance="executor", disk=disk, outside=hands)
    await eventually(lambda: len(actor.core.seen) == 2)
    disk.capacity = disk.used()
    for _ in range(2_000):  # what the segment has taken ahead is used up first
        hands.bring(Told())
        if actor.core.of(NotRecorded):
            break
    refused = actor.core.of(NotRecorded)[0]
    assert refused.bodies == (a_report(7).body,)
    assert len(done) == len(actor.core.of(Recorded)) == len(actor.core.of(Told)) - 1
    assert not actor.exit.done()


async def test_a_failed_journal_ends_the_process(stage: Stage, eventually: Eventually) -> None:
    """When the disk fails nothing is done any more, and the next start finds out what is there."""
    done: list[Outward] = []
    disk = SimDisk()

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        return (a_report(), Do()) if isinstance(happening, Told) else ()

    hands = Hands(done.append)
    actor = stage.service(react, instance="executor", disk=disk, outside=hands)
    await eventually(lambda: len(actor.core.seen) == 2)
    disk.fail("sync", errno.EIO)
    hands.bring(Told())
    assert await actor.code() == BEGIN_ANEW
    assert not done
    assert not actor.core.of(Recorded)


async def test_a_request_is_answered(stage: Stage) -> None:
    """What is asked at a socket of the plan comes in with the name of the asker, and the answer goes back."""

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        return (Answer(happening, DONE),) if isinstance(happening, Asked) else ()

    actor = stage.service(react, answers=("control",))
    answer = await stage.mesh.process("operator").asks("risk", "control").ask(KILL)
    assert answer.envelope.body == DONE
    assert [(asked.instance, asked.envelope.body) for asked in actor.core.of(Asked)] == [("operator", KILL)]


async def test_a_timer_wakes_the_core(stage: Stage, eventually: Eventually) -> None:
    """A core is woken by name, and its moment has come to the time it asked for."""
    moments = []

    def react(happening: Happening, now: Moment) -> Sequence[Effect]:
        moments.append(now.boot_ns)
        return (WakeAt("soon", now.boot_ns + 3_000_000),) if isinstance(happening, Started) else ()

    actor = stage.service(react)
    await eventually(lambda: actor.core.of(Woken))
    assert actor.core.of(Woken) == [Woken("soon")]
    assert moments[1] >= moments[0] + 3_000_000


async def test_a_stall_is_told_before_what_waited(stage: Stage, eventually: Eventually) -> None:
    """The first word after standing still is how long it was; what was said meanwhile and is old is dropped."""
    feed = stage.mesh.process("feed")
    health = Announcer(hub=feed.hub, name="health", sender=feed.sender, codec=feed.codec)
    clock = standing_clock()
    actor = stage.service(at_start(Listen("feed", "health")), clock=clock)

    def said() -> list[Heard]:
        health.say(a_heartbeat(1))
        return actor.core.of(Heard)

    await eventually(said)
    clock.suspend(5 * SECOND_NS)
    heard = len(actor.core.seen)
    await eventually(lambda: len(actor.core.seen) > heard)
    assert actor.core.seen[heard] == Stalled(5 * SECOND_NS)


async def test_a_timer_due_during_a_stall_can_be_put_off(stage: Stage, eventually: Eventually) -> None:
    """Whoever watches others counts anew after a stall: a timer of silence that it sets anew does not ring at once."""
    clock = standing_clock()

    def react(happening: Happening, now: Moment) -> Sequence[Effect]:
        match happening:
            case Started() | Stalled():
                return (WakeAt("silence", now.boot_ns + 30 * SECOND_NS), WakeAt("probe", now.boot_ns))
            case _:
                return ()

    actor = stage.service(react, clock=clock)
    await eventually(lambda: actor.core.of(Woken))
    clock.suspend(60 * SECOND_NS)
    await eventually(lambda: len(actor.core.of(Woken)) == 2)
    assert actor.core.of(Woken) == [Woken("probe")] * 2
    clock.advance(30 * SECOND_NS)
    await eventually(lambda: len(actor.core.of(Stalled)) == 2)


async def test_a_stall_is_told_before_what_timed_out_meanwhile(stage: Stage, eventually: Eventually) -> None:
    """A process that slept through the time of its request hears of its sleep first, and then that nobody answered."""
    clock = standing_clock()
    actor = stage.service(at_start(Ask("risk", KILL, ask_id="kill-1")), instance="operator", clock=clock)
    await eventually(lambda: actor.core.seen)
    await asyncio.sleep(0)
    clock.suspend(60 * SECOND_NS)
    await eventually(lambda: actor.core.of(Unanswered))
    assert kinds(actor.core.seen) == ["Started", "Stalled", "Unanswered"]


async def test_stop_ends_in_order(stage: Stage) -> None:
    """Asked to stop, a core that returns `Stop` ends its process with code 0, and its hands are closed with the hub."""
    hands = Hands(lambda _effect: None)
    actor = stage.service(lambda happening, _now: (Stop(),) if isinstance(happening, StopAsked) else (), outside=hands)
    await asyncio.sleep(0)
    actor.service.stop()
    actor.service.stop()
    assert await actor.code() == IN_ORDER
    assert kinds(actor.core.seen) == ["Started", "StopAsked"]
    stage.mesh.end_all()
    assert hands.closed


async def test_whoever_does_not_drain_in_time_is_ended(stage: Stage) -> None:
    """A core that never returns `Stop` has as long as the plan says."""
    actor = stage.service(drain_seconds=0.05)
    await asyncio.sleep(0)
    actor.service.stop()
    assert await actor.code() == BEGIN_ANEW


async def test_stop_while_booting_ends_in_order(stage: Stage) -> None:
    """Before `Started` there is nothing to finish."""
    actor = stage.service()
    actor.service.stop()
    assert await actor.code() == IN_ORDER
    assert not actor.core.seen


async def test_a_core_that_raises_ends_the_process(stage: Stage, eventually: Eventually) -> None:
    """Better dead than wrong: what was to be done with the defect is not done, and nothing more is handled."""

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        match happening:
            case Told():
                raise ValueError("the moon is in the wrong house")
            case _:
                return ()

    hands = Hands(lambda _effect: None)
    actor = stage.service(react, outside=hands)
    await eventually(lambda: actor.core.seen)
    hands.bring(Told())
    hands.bring(Told())
    assert await actor.code() == OUR_DEFECT
    assert len(actor.core.of(Told)) == 1


async def test_hands_that_raise_end_the_process(stage: Stage) -> None:
    """A defect of what a service does outside is a defect, as soon as its hands are opened."""

    class Clumsy(Hands):
        def open(self, bring: object) -> None:
            raise ValueError(f"cannot hold {bring}")

    actor = stage.service(outside=Clumsy(lambda _effect: None))
    assert await actor.code() == OUR_DEFECT


async def test_what_a_callback_of_the_loop_raises_ends_the_process(stage: Stage, eventually: Eventually) -> None:
    """Nothing is left lying about by an exception that nobody waits for."""
    actor = stage.service()
    await eventually(lambda: actor.core.seen)
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    assert await actor.code() == OUR_DEFECT


async def test_reporting_without_a_journal_is_a_defect(stage: Stage) -> None:
    """Only a process that owns a journal reports."""
    assert await stage.service(at_start(a_report())).code() == OUR_DEFECT


@pytest.mark.parametrize(
    "effect",
    [
        Ask("strategy-unknown", AskLimits(actor="ada"), ask_id="a"),
        Watch("feed-unknown", b""),
        Follow("executor-unknown", "reports", 1),
        Listen("feed-unknown", "health"),
    ],
    ids=["ask", "watch", "follow", "listen"],
)
async def test_a_peer_without_a_key_is_unusable(stage: Stage, effect: Effect) -> None:
    """Whoever is to be connected and has no public key here is a matter of the configuration."""
    assert await stage.service(at_start(effect)).code() == UNUSABLE


async def test_a_seat_that_is_lost_ends_the_process(stage: Stage, eventually: Eventually) -> None:
    """Once its lock file is gone another may have the seat, so the process begins anew at its next beat."""
    actor = stage.service()
    await eventually(lambda: actor.core.seen)
    (stage.directory / "seats" / "risk.lock").unlink()
    assert await actor.code() == BEGIN_ANEW


async def test_a_note_is_logged(stage: Stage, eventually: Eventually) -> None:
    """Notes of every level are taken, with their details."""
    notes = [Note("info", "one"), Note("warning", "two", {"by": "ada"}), Note("critical", "three", {"n": 3})]
    actor = stage.service(at_start(*notes))
    await eventually(lambda: actor.core.seen)
    await asyncio.sleep(0)
    assert not actor.exit.done()
