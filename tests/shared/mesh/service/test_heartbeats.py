"""What a service says of itself: that its loop moves, that it serves, and what it is wary of."""

from collections.abc import Awaitable, Callable, Sequence

from proto.health import Heartbeat
from shared.core.service import BeWary, Effect, Happening, Moment, Started
from shared.mesh.bus.latest import Listener
from tests.shared.mesh.service.conftest import Hands, Stage, Told

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


def listened(stage: Stage) -> list[Heartbeat]:
    """Listen to the service, and return the list into which its heartbeats come."""
    beats: list[Heartbeat] = []
    ear = stage.mesh.process("operator")
    Listener(
        hub=ear.hub,
        instance="risk",
        name="health",
        codec=ear.codec,
        on_envelope=lambda envelope: beats.append(envelope.body) if isinstance(envelope.body, Heartbeat) else None,
    )
    return beats


async def test_heartbeats_say_that_the_loop_moves(stage: Stage, eventually: Eventually) -> None:
    """An idle process is heard to run, and what it handled grows from beat to beat."""
    actor = stage.service()
    # Its first beat, in the first turn of the loop, says that it is booting. Whether somebody hears that who connects
    # before is a race: the gatekeeper admits them in the same turn, if their handshake was there. So connect behind it.
    await eventually(lambda: actor.core.seen)
    beats = listened(stage)
    await eventually(lambda: len(beats) >= 3)
    assert {beat.state for beat in beats} == {"running"}
    handled = [beat.handled for beat in beats]
    assert handled == sorted(set(handled))
    assert not actor.exit.done()


async def test_heartbeats_say_what_a_core_is_wary_of(stage: Stage, eventually: Eventually) -> None:
    """What the core shows stands beside what the start found, and its last word counts."""

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        match happening:
            case Started():
                return (BeWary(("the venue is closed", "it snows")),)
            case Told():
                return (BeWary(()),)
            case _:
                return ()

    hands = Hands(lambda _effect: None)
    actor = stage.service(react, outside=hands)
    await eventually(lambda: actor.core.seen)
    beats = listened(stage)
    await eventually(lambda: beats and beats[-1].troubles == ("it rains", "the venue is closed", "it snows"))
    hands.bring(Told())
    await eventually(lambda: beats[-1].troubles == ("it rains",))


async def test_who_serves_outside_boots_until_that_is_open(stage: Stage, eventually: Eventually) -> None:
    """A process whose plan says so takes inputs, and says that it runs only when its hands bring in what is open."""
    hands = Hands(lambda _effect: None)
    actor = stage.service(outside=hands, open_with=Told)
    beats = listened(stage)
    await eventually(lambda: actor.core.seen and [beat.state for beat in beats].count("booting") >= 2)
    assert {beat.state for beat in beats} == {"booting"}
    hands.bring(Told())
    await eventually(lambda: beats[-1].state == "running")
    assert [type(happening) for happening in actor.core.seen] == [Started, Told]
    actor.service.stop()
    hands.bring(Told())
    await eventually(lambda: beats[-1].state == "draining")
