"""Risk's second look at the covers: a position whose stop is not at the venue, under an executor that moves."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.intents import WatchCover
from proto.orders import OrderAcknowledged, OrderDoubted, OrderEnded, PositionChanged
from proto.verdicts import Alerted, Approval
from shared.core.service import Stalled
from tests.services.risk_watchdog.bare_position import COVER, SYMBOL, passes
from tests.services.risk_watchdog.bench import SECOND_NS, a_wish
from tests.services.risk_watchdog.surroundings import Scene


@pytest.fixture
def approval(scene: Scene) -> Approval:
    """Return an entry under way, whose position shall have a stop."""
    approval = scene.bench.approved(a_wish())
    scene.executor.opens(approval)
    return approval


def holds(scene: Scene, covered: str, *, quantity: str = "2", paid: Decimal | None = Decimal(100)) -> None:
    """Tell of a position, and how much of it a stop covers."""
    scene.executor.tells(PositionChanged("trend", SYMBOL, Decimal(quantity), paid, Decimal(covered)))


def alerts(scene: Scene, level: str = "critical") -> list[str]:
    """Return what a person was told of it, and so loudly."""
    told = [alerted for alerted in scene.bench.written(Alerted) if alerted.name == "position-uncovered"]
    return [alerted.text for alerted in told if alerted.level == level]


@pytest.mark.usefixtures("approval")
def test_position_without_a_stop_is_told_once_and_holds_entries_of_its_symbol(scene: Scene) -> None:
    """From a quarter of a minute on, until there is a stop; then the next time counts anew."""
    for times in (1, 2):
        holds(scene, "0")
        passes(scene, 14.5)
        assert "position_uncovered" not in scene.bench.against()
        passes(scene, 30)
        assert len(alerts(scene)) == times
        (condition,) = [one for one in scene.bench.lease().conditions if one.name == "position_uncovered"]
        assert condition.permission == "REDUCE_ONLY"
        assert SYMBOL in str(condition.scope)
        holds(scene, "2")
        scene.bench.tick()
        assert "position_uncovered" not in scene.bench.against()
    assert alerts(scene)[0] == f"{SYMBOL} of trend has had no stop at the venue for 15 s"
    assert alerts(scene, "warning") == [f"{SYMBOL} of trend has had no stop at the venue for 5 s"] * 2


@pytest.mark.usefixtures("approval")
@pytest.mark.parametrize("word", [OrderAcknowledged(COVER, "9", 1), None])
def test_stop_in_doubt_has_half_a_minute(scene: Scene, word: OrderAcknowledged | None) -> None:
    """It may rest at the venue: so long it takes to find out. Found not to, or found and gone, it is as none."""
    holds(scene, "0")
    scene.executor.tells(OrderDoubted(COVER, None, "", "no answer"))
    passes(scene, 20)
    assert not alerts(scene)
    ended = OrderEnded(COVER, "absent", Decimal(0), None, "", "not found")
    scene.executor.tells(ended if word is None else word)
    passes(scene, 1)
    assert len(alerts(scene)) == 1


@pytest.mark.usefixtures("approval")
def test_doubt_without_end_is_told_as_well(scene: Scene) -> None:
    """After half a minute."""
    holds(scene, "0")
    scene.executor.tells(OrderDoubted(COVER, None, "", "no answer"))
    passes(scene, 31)
    assert len(alerts(scene)) == 1


def test_what_needs_no_stop_is_let_be(scene: Scene, approval: Approval) -> None:
    """No position, one that nobody of ours paid for, one that the executor watches itself, one that no entry opened."""
    holds(scene, "0", quantity="0", paid=None)
    passes(scene, 20)
    holds(scene, "0", paid=None)
    passes(scene, 20)
    scene.executor.opens(replace(approval, approval_id="other", cover=WatchCover(Decimal(95))))
    holds(scene, "0")
    passes(scene, 20)
    scene.executor.tells(PositionChanged("trend", "ETH/USDT", Decimal(1), Decimal(9), Decimal(0)))
    passes(scene, 20)
    assert not alerts(scene)


@pytest.mark.usefixtures("approval")
def test_executor_that_does_not_answer_is_the_flattener_s(scene: Scene) -> None:
    """While it is silent nothing is said of it here, nor in the first moments after."""
    holds(scene, "0")
    passes(scene, 40, beats=False)
    passes(scene, 14)
    assert not alerts(scene)
    passes(scene, 2)
    assert alerts(scene)


@pytest.mark.usefixtures("approval")
def test_standstill_of_ours_counts_for_nothing(scene: Scene) -> None:
    """What we did not see is not held against anybody."""
    holds(scene, "0")
    passes(scene, 10)
    scene.bench.wait(60)
    scene.bench.handle(Stalled(60 * SECOND_NS))
    passes(scene, 10)
    assert not alerts(scene)


@pytest.mark.usefixtures("approval")
@pytest.mark.parametrize("is_the_same", [True, False])
def test_restart_of_ours_forgets_nothing(scene: Scene, *, is_the_same: bool) -> None:
    """What has been bare for long is held against an executor as soon as it is heard; one that begins has its time."""
    holds(scene, "0")
    passes(scene, 20)
    scene.bench.start()
    if not is_the_same:
        scene.executor.epoch += 1
    scene.executor.tells_all_again()
    passes(scene, 1)
    assert ("position_uncovered" in scene.bench.against()) is is_the_same
    passes(scene, 16)
    assert "position_uncovered" in scene.bench.against()
