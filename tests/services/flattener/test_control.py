"""What the flattener does when it is asked itself."""

from proto.control import AskLimits, ControlDone, ControlRefused, Kill
from proto.envelope import Body
from proto.risk import Latch
from services.flattener.core.control import KILLING_MAX
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


def test_the_file_that_was_made_for_this_kill_is_enough() -> None:
    """`bowline kill` makes it before it asks: that is one press, and one latch."""
    bench = Bench().begin()
    standing = Latch("kill-1", KILL.actor, KILL.reason, bench.now_ns)
    bench.take(HaltSeen(standing))
    effects = bench.ask(KILL)
    assert made(effects) == []
    (answer,) = answers(effects)
    assert isinstance(answer, ControlDone)
    assert "kill-1" in answer.summary


def test_killing_anew_makes_the_file_anew() -> None:
    """A latch that stands may have been cleared, and its file about to go: the new kill takes its place."""
    bench = Bench().begin()
    for standing in (
        Latch("kill-1", "bob", KILL.reason, bench.now_ns),
        Latch("kill-2", KILL.actor, KILL.reason, bench.now_ns - 6_000_000_000),
    ):
        bench.take(HaltSeen(standing))
        effects = bench.ask(KILL)
        assert answers(effects) == []
        (making,) = [effect for effect in effects if isinstance(effect, MakeHalt)]
        assert making.is_pressed
        (answer,) = answers(bench.take(HaltSeen(making.latch)))
        assert isinstance(answer, ControlDone)
        assert making.latch.latch_id in answer.summary


def test_kill_that_cannot_be_written_is_said_to_be_none() -> None:
    """Where the disk refuses the file, whoever killed is told so, and has to look to risk or executor."""
    bench = Bench().begin()
    bench.ask(KILL)
    (answer,) = answers(bench.take(HaltUnwritable("the disk is broken")))
    assert isinstance(answer, ControlRefused)
    assert "the disk is broken" in answer.reason


def test_no_more_than_a_few_wait_for_the_file() -> None:
    """Whoever comes after them is told so: the file is being made for them as well."""
    bench = Bench().begin()
    for _ in range(KILLING_MAX):
        assert not answers(bench.ask(KILL))
    (answer,) = answers(bench.ask(KILL))
    assert isinstance(answer, ControlRefused)
    assert answer.rule == "no_more_may_wait"


def test_everything_else_is_asked_of_risk() -> None:
    """It has no limits to tell, nor entries to pause."""
    (answer,) = answers(Bench().begin().ask(AskLimits(actor="ada")))
    assert isinstance(answer, ControlRefused)
    assert answer.rule == "asked_of_risk"


def test_idle_it_ends_as_soon_as_it_is_told_to() -> None:
    """Nothing is under way."""
    assert Bench().begin().take(StopAsked()) == [Stop()]
