"""What the flattener does when it is asked itself."""

from proto.control import AskLimits, ControlDone, ControlRefused, Kill
from proto.envelope import Body
from proto.risk import Latch
from shared.core.service import Answer, Effect, HaltSeen, HaltUnwritable, MakeHalt, Stop, StopAsked
from tests.services.flattener.bench import Bench

KILL = Kill(actor="ada", reason="it looks wrong")


def answers(effects: list[Effect]) -> list[Body]:
    """Return what was answered."""
    return [effect.body for effect in effects if isinstance(effect, Answer)]


def made(effects: list[Effect]) -> list[Latch]:
    """Return the latches of which a file shall be made."""
    return [effect.latch for effect in effects if isinstance(effect, MakeHalt)]


def test_kill_is_done_once_the_file_is_there() -> None:
    """Nothing is answered before the file is seen; its latch says who killed, and why."""
    bench = Bench().begin()
    bench.take(HaltSeen(None))
    effects = bench.ask(KILL)
    (latch,) = made(effects)
    assert (latch.actor, latch.reason) == (KILL.actor, KILL.reason)
    assert answers(effects) == []
    (answer,) = answers(bench.take(HaltSeen(latch)))
    assert isinstance(answer, ControlDone)
    assert latch.latch_id in answer.summary


def test_killing_twice_is_killing_once() -> None:
    """While a latch stands it stays the one that it is, and is named to whoever kills again."""
    bench = Bench().begin()
    standing = Latch("kill-1", "bob", "first", 1)
    bench.take(HaltSeen(standing))
    effects = bench.ask(KILL)
    assert made(effects) == []
    (answer,) = answers(effects)
    assert isinstance(answer, ControlDone)
    assert "kill-1" in answer.summary


def test_kill_that_cannot_be_written_is_said_to_be_none() -> None:
    """Where the disk refuses the file, whoever killed is told so, and has to look to risk or executor."""
    bench = Bench().begin()
    bench.ask(KILL)
    (answer,) = answers(bench.take(HaltUnwritable("the disk is broken")))
    assert isinstance(answer, ControlRefused)
    assert "the disk is broken" in answer.reason


def test_everything_else_is_asked_of_risk() -> None:
    """It has no limits to tell, nor entries to pause."""
    (answer,) = answers(Bench().begin().ask(AskLimits(actor="ada")))
    assert isinstance(answer, ControlRefused)
    assert answer.rule == "asked_of_risk"


def test_idle_it_ends_as_soon_as_it_is_told_to() -> None:
    """Nothing is under way."""
    assert Bench().begin().take(StopAsked()) == [Stop()]
