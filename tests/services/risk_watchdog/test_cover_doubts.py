"""What the guard over uncovered positions does not trip on: a false trip sells what was well kept."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.account import Balance
from proto.intents import WatchCover
from proto.orders import ExitEnded, OrderDoubted
from proto.verdicts import EntriesPaused, IntentJudged
from shared.core.service import Stalled
from tests.services.risk_watchdog.bare_position import (
    COVER,
    EXIT,
    SYMBOL,
    asked,
    holds,
    passes,
    reads,
    trips,
)
from tests.services.risk_watchdog.bench import SECOND_NS
from tests.services.risk_watchdog.surroundings import Scene

OTHER = "0" * 64


def alone(scene: Scene) -> None:
    """Let one reading show it, and the next that there is a stop, again and again."""
    for _ in range(5):
        reads(scene)
        reads(scene, "0", "2")


def is_entered(scene: Scene) -> None:
    """Let a further entry be at work: what it buys may be too little for a stop so far."""
    approval = scene.bench.written(IntentJudged)[-1].approval
    assert approval is not None
    scene.executor.opens(replace(approval, approval_id="other"))
    reads(scene, times=5)


def is_replaced(scene: Scene) -> None:
    """Let a lower exit take the place of the first one, which ends by that."""
    scene.executor.tells(EXIT)
    scene.executor.tells(replace(EXIT, exit_id="exit-2"))
    scene.executor.tells(ExitEnded("exit-1", "trend", SYMBOL, Decimal(2), "a lower one took its place"))
    reads(scene, times=5)


def begins_anew_at_once(scene: Scene) -> None:
    """Let another life of the executor be heard before anybody missed it."""
    scene.executor.epoch += 1
    reads(scene, times=6)


def gone(scene: Scene) -> None:
    """Let the coins be taken from the account."""
    reads(scene, "0", times=5)


def unlisted(scene: Scene) -> None:
    """Let the account not show the coin at all."""
    reads(scene, times=5, balances=(Balance("USDT", Decimal(9_800), Decimal(0)),))


def rests(scene: Scene) -> None:
    """Let the exchange have a stop of which the executor does not tell."""
    reads(scene, "0", "2", times=5)


def leaves(scene: Scene) -> None:
    """Let it be sold, however long that takes."""
    scene.executor.tells(EXIT)
    reads(scene, times=10)


def is_covered(scene: Scene) -> None:
    """Let the stop be placed after the first reading."""
    reads(scene)
    holds(scene, covered="2")
    reads(scene, times=5)


def is_covered_just_now(scene: Scene) -> None:
    """Let the stop be placed in the moment before a reading comes."""
    for _ in range(5):
        reads(scene)
        holds(scene, covered="2")
        scene.flattener.reads("10000", balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        holds(scene)


def is_sold(scene: Scene) -> None:
    """Let the position be closed after the first reading."""
    reads(scene)
    holds(scene, "0")
    reads(scene, times=5)


def is_watched(scene: Scene) -> None:
    """Let a further entry say that the executor watches the price itself."""
    approval = scene.bench.written(IntentJudged)[-1].approval
    assert approval is not None
    scene.executor.opens(replace(approval, approval_id="other", cover=WatchCover(Decimal(95))))
    reads(scene, times=5)


def is_another_account(scene: Scene) -> None:
    """Let the flattener have the key of another account."""
    reads(scene, times=5, account_fingerprint=OTHER)


def comes_late(scene: Scene) -> None:
    """Let the readings be old when they come."""
    for _ in range(5):
        passes(scene, 2)
        scene.flattener.reads("10000", late_s=5.5, balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        scene.executor.beats()
        scene.bench.tick()


def has_lives(scene: Scene) -> None:
    """Let each reading be of another life of the flattener's."""
    for _ in range(5):
        scene.flattener.begins_anew()
        reads(scene)


def is_lost(scene: Scene) -> None:
    """Let every second reading be lost."""
    for _ in range(5):
        reads(scene)
        scene.flattener.skips()


def is_silent(scene: Scene) -> None:
    """Let the executor say nothing: then it is the flattener's."""
    for _ in range(10):
        passes(scene, 2, beats=False)
        scene.flattener.reads("10000", balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        scene.bench.tick()


def begins_anew(scene: Scene) -> None:
    """Let another life of the executor have its own time."""
    scene.executor.epoch += 1
    passes(scene, 3, beats=False)
    reads(scene, times=6)


def stands_still(scene: Scene) -> None:
    """Let risk sleep between the readings."""
    for _ in range(5):
        scene.bench.wait(60)
        scene.bench.handle(Stalled(60 * SECOND_NS))
        reads(scene, times=2)


def is_in_doubt(scene: Scene) -> None:
    """Let it not be known whether a stop rests there."""
    scene.executor.tells(OrderDoubted(COVER, None, "", "no answer"))
    reads(scene, times=5)


def has_a_clock_set(scene: Scene) -> None:
    """Let the venue's clock stand still: what is told twice is one reading."""
    reads(scene, times=5, venue_time_ns=scene.bench.now.wall_ns)


HARMLESS = (
    is_entered,
    is_replaced,
    begins_anew_at_once,
    alone,
    gone,
    unlisted,
    rests,
    leaves,
    is_covered,
    is_covered_just_now,
    is_sold,
    is_watched,
    is_another_account,
    comes_late,
    has_lives,
    is_lost,
    is_silent,
    begins_anew,
    stands_still,
    is_in_doubt,
    has_a_clock_set,
)


@pytest.mark.parametrize("happens", HARMLESS, ids=[happens.__name__ for happens in HARMLESS])
def test_what_trips_nothing(bare: Scene, happens: Callable[[Scene], None]) -> None:
    """Each is a reason to doubt that the position lies open under an executor that does nothing about it."""
    happens(bare)
    assert not trips(bare)
    assert not asked(bare)
    assert not bare.bench.written(EntriesPaused)
