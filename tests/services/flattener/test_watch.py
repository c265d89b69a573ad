"""Whom the flattener listens to, and what a silence leads to."""

import pytest

from proto.risk import Latch
from services.flattener.core.judgement import UNCOVERED_NS, Found
from services.flattener.core.watch import Watch
from services.flattener.vocabulary import ReadRecords, RecordsRead
from shared.core.booting import BOOT_NS
from shared.core.service import BeWary, Effect, HaltSeen, Listen, Moment, Retire, RetireEnded, Stalled, Started
from tests.services.flattener.bench import BTC, SECOND_NS, Bench

LATCH = Latch("kill-1", "ada", "it looks wrong", 1)


def a_moment(boot_ns: int) -> Moment:
    """Return a moment."""
    return Moment(boot_ns, boot_ns, "boot")


def ended(effects: list[Effect]) -> list[str]:
    """Return whom it ends."""
    return [effect.instance for effect in effects if isinstance(effect, Retire)]


def looks(effects: list[Effect]) -> bool:
    """Tell whether it looks into the executor's journal."""
    return any(isinstance(effect, ReadRecords) for effect in effects)


def test_it_listens_to_executor_and_risk() -> None:
    """Their heartbeats, and what risk knows: nothing else, and it follows nobody."""
    listens = [one for one in Bench().take(Started("flattener", 1, 0, ())) if isinstance(one, Listen)]
    assert listens == [Listen("executor", "health"), Listen("risk", "health"), Listen("risk", "risk")]


def test_a_silent_risk_is_ended() -> None:
    """After ten seconds without progress, and again after ten more if that did not help; then ever more rarely."""
    bench = Bench().begin()
    bench.hear("risk")
    assert ended(bench.wait(9.9)) == []
    assert ended(bench.wait(0.2)) == ["risk"]
    assert ended(bench.wait(1)) == []
    bench.take(RetireEnded("risk", None, "it hangs"))
    assert ended(bench.wait(10)) == ["risk"]
    assert ended(bench.wait(18)) == []
    assert ended(bench.wait(2)) == ["risk"]
    bench.hear("risk")
    assert ended(bench.wait(9)) == []
    assert ended(bench.wait(1)) == ["risk"]
    assert ended(bench.wait(10)) == ["risk"]


def test_it_says_which_life_of_risk_fell_silent() -> None:
    """So that a successor that has only just begun is left alone."""
    bench = Bench().begin()
    bench.hear("risk", epoch=3)
    assert [effect for effect in bench.wait(10) if isinstance(effect, Retire)] == [Retire("risk", 3)]


def test_heartbeats_without_progress_are_silence() -> None:
    """A loop that only beats does nothing."""
    bench = Bench().begin()
    bench.hear("risk")
    for _ in range(11):
        bench.now_ns += SECOND_NS
        bench.hear("risk", moves=False)
    assert ended(bench.wait(0)) == ["risk"]


@pytest.mark.parametrize("state", ["booting", "draining"])
def test_who_begins_or_ends_is_given_time(state: str) -> None:
    """A start may take a while, and an end in order is nobody's fault."""
    bench = Bench().begin()
    bench.hear("risk", state)
    assert ended(bench.wait(20)) == []


def test_risk_that_was_never_heard_is_ended_after_a_minute() -> None:
    """It may hang since before we began; where nobody holds its role nobody is ended."""
    bench = Bench().begin()
    assert ended(bench.wait(59)) == []
    assert ended(bench.wait(1)) == ["risk"]


def test_last_words_of_one_that_was_replaced_are_no_progress() -> None:
    """What an earlier life said, and came late, does not make the newer one move."""
    bench = Bench().begin()
    bench.hear("risk", epoch=2)
    bench.now_ns += 9 * SECOND_NS
    bench.hear("risk", epoch=1)
    assert ended(bench.wait(1.1)) == ["risk"]


def test_whoever_stood_still_counts_anew() -> None:
    """While it stood still nobody could be heard: neither risk nor executor is held to have been silent."""
    bench = Bench().begin()
    bench.hear("risk")
    bench.hear("executor")
    bench.take(HaltSeen(LATCH))
    bench.now_ns += 60 * SECOND_NS
    bench.take(Stalled(60 * SECOND_NS))
    effects = bench.wait(0)
    assert ended(effects) == []
    assert not looks(effects)


def test_under_the_latch_it_looks_once_a_second_and_one_look_at_a_time() -> None:
    """A silent executor's journal is read, and read again when that is answered."""
    bench = Bench().begin()
    bench.hear("executor")
    bench.take(HaltSeen(LATCH))
    assert not looks(bench.wait(0.5))
    assert looks(bench.wait(6))
    assert not looks(bench.wait(5))
    bench.take(RecordsRead(None, "it is damaged"))
    effects = bench.wait(1)
    assert looks(effects)
    (wary,) = [effect for effect in effects if isinstance(effect, BeWary)]
    assert any("it is damaged" in trouble for trouble in wary.troubles)


@pytest.mark.parametrize("quiet_s", [14, 1])
def test_what_is_bare_is_looked_at_again_when_it_may_be_closed(quiet_s: int) -> None:
    """The newest record is younger than the last heartbeat: the next look is when it is old enough, and no sooner."""
    watch, seen_ns = Watch(), BOOT_NS + UNCOVERED_NS
    watch.begin(a_moment(0))
    assert looks(list(watch.due(a_moment(seen_ns))))
    assert watch.looked(Found(uncovered=(BTC,), quiet_ns=quiet_s * SECOND_NS), a_moment(seen_ns)) is None
    again_ns = seen_ns + UNCOVERED_NS - quiet_s * SECOND_NS
    assert not looks(list(watch.due(a_moment(again_ns - 1))))
    assert looks(list(watch.due(a_moment(again_ns))))
    needed = watch.looked(Found(uncovered=(BTC,), quiet_ns=UNCOVERED_NS), a_moment(again_ns))
    assert needed is not None
    assert needed.symbols == (BTC,)


def test_an_executor_at_work_is_not_looked_after() -> None:
    """Heard, and without a latch, it is nobody's business."""
    bench = Bench().begin()
    for _ in range(60):
        bench.hear("executor")
        assert not looks(bench.wait(1))
