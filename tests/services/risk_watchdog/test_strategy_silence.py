"""What follows from a strategy that makes no progress, and what is no silence."""

import pytest

from proto.codec import EnvelopeCodec
from proto.risk import Condition, OfStrategy
from services.risk_watchdog.core.strategy_watch import SILENT_NS_MAX
from shared.core.service import Retire, Stalled
from shared.mesh.settings.strategies import checked_groups
from tests.services.risk_watchdog.bench import SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene

SILENT_S = SILENT_NS_MAX / SECOND_NS
STANDS = Condition("strategy_silent", OfStrategy("trend"), "REDUCE_ONLY", "strategy makes no progress for over 10 s")


def silent(scene: Scene, seconds: float) -> None:
    """Let time pass in which the strategy says nothing, and everybody else speaks."""
    for _ in range(round(seconds / 0.2)):
        scene.bench.tick()
        scene.executor.beats()
        scene.executor.reads()
        scene.feed.trusts()


def test_silent_strategy_is_paused_alone_and_heals_by_itself(scene: Scene) -> None:
    """Its entries are refused after ten seconds; another's pass, nobody is ended, and its next beat heals it."""
    bench = scene.bench
    silent(scene, SILENT_S)
    assert not bench.lease().conditions
    silent(scene, 0.2)
    assert bench.lease().conditions == (STANDS,)
    assert bench.lease().permission == "RUN"
    refusal = bench.refusal(a_wish(1))
    assert (refusal.rule, refusal.reason) == ("permission_is_run", f"{STANDS.name}: {STANDS.reason}")
    bench.approved(a_wish(2, "BTC/USDT", strategy="other"))
    assert not bench.of(Retire)
    scene.strategy.beats()
    assert not bench.lease().conditions
    bench.approved(a_wish(3))


def test_beat_without_progress_is_silence(scene: Scene) -> None:
    """A loop that stands still behind a timer that goes on is as silent as none."""
    scene.strategy.beats(handled=7)
    for _ in range(11):
        silent(scene, 1)
        scene.strategy.beats(handled=7)
    assert scene.bench.lease().conditions == (STANDS,)


@pytest.mark.parametrize(("state", "seconds"), [("booting", 15), ("draining", 3_600)])
def test_who_starts_or_was_stopped_is_not_silent(scene: Scene, state: str, seconds: int) -> None:
    """Whoever starts has fifteen seconds more from its last word on; who was told to stop is not missed."""
    scene.strategy.beats(state=state)
    scene.bench.wait(seconds + SILENT_S)
    assert "strategy_silent" not in scene.bench.against()


def test_one_that_never_comes_up_is_silent() -> None:
    """It has the time of a start, and then its ten seconds."""
    scene = Scene(Bench())
    scene.bench.start(lives_ns=0)
    scene.bench.wait(15 + SILENT_S)
    assert "strategy_silent" not in scene.bench.against()
    scene.bench.wait(1)
    assert "strategy_silent" in scene.bench.against()


def test_our_own_standstill_is_not_its(scene: Scene) -> None:
    """Whoever stood still counts anew."""
    scene.bench.wait(SILENT_S + 10)
    scene.bench.handle(Stalled(20 * SECOND_NS))
    assert "strategy_silent" not in scene.bench.against()
    scene.bench.wait(SILENT_S + 1)
    assert "strategy_silent" in scene.bench.against()


def test_long_name_leaves_the_lease_readable() -> None:
    """Of the reason the end goes: a lease with one that is too long is read by nobody, and no strategy enters."""
    name = "strategy-" + "a" * 24
    checked_groups([f"{name}=trend 1h BTC/USDT"])
    bench = Bench(strategy=name)
    bench.start()
    bench.wait(15 + SILENT_S)
    assert bench.against()["strategy_silent"].startswith(f"{name} makes no progress")
    codec = EnvelopeCodec()
    for body in (bench.lease(), bench.said()):
        envelope = bench.envelope(body, sender="risk")
        assert codec.decode(codec.encode(envelope)) == envelope
