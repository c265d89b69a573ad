"""What a person is told while nothing is decided, and that it ends by itself."""

from typing import Final

import msgspec

from proto.market import BarClosed
from services.strategy.core.desk import LATE_NS, SILENT_BARS
from shared.strategies.decider import Decider
from tests.services.strategy.world import SECOND_NS, SYMBOL, WARM, World, some_bars, the_terms

BAR_NS: Final = 5 * SECOND_NS
TOLD_AFTER_NS: Final = SILENT_BARS * BAR_NS + LATE_NS
DOUBTFUL: Final = 14  # bars: an exchange was away for a minute
TERMS: Final = the_terms()
WANTED: Final = Decider(TERMS.strategy, bar_length=TERMS.bar_length, chosen=TERMS.chosen).bars_wanted


def bars_with_a_hole() -> list[BarClosed]:
    """Return bars of which the first that close are doubtful."""
    bars = some_bars()
    for place in range(WARM, WARM + DOUBTFUL):
        bars[place] = msgspec.structs.replace(bars[place], gapless=False)
    return bars


def decided_ns(world: World) -> int:
    """Return when the last bar opened that was decided on."""
    assert world.kept is not None
    return world.kept.symbols[0].kernel.bar_open_time_ns


def silent(why: str) -> tuple[str, ...]:
    """Return what a person is told."""
    return (f"nothing is decided on {SYMBOL}: {why}",)


def silences(world: World) -> list[str]:
    """Return what was noted of silence, and of its end."""
    return [event for event in world.events() if event in {"nothing is decided", "it is decided again"}]


def test_a_hole_of_doubtful_bars_ends_by_itself_and_is_told_until_then() -> None:
    """As soon as there are enough whole bars behind it, it is decided again; before that a person reads how many."""
    world = World(bars_with_a_hole())
    world.starts()
    world.closes(DOUBTFUL)
    assert world.wary_of() == silent("its bars may lack trades")
    before = decided_ns(world)
    world.closes(20)
    assert decided_ns(world) == before
    assert world.wary_of() == silent(f"bars were missing, and of the {WANTED} in a row that it may take there are 20")
    world.closes(WANTED - 20)
    assert decided_ns(world) == world.bars[world.closed - 1].open_time_ns
    assert (world.wary_of(), silences(world)) == ((), ["nothing is decided", "it is decided again"])
    world.closes_until_asked()


def test_a_feed_that_tells_no_bars_is_told() -> None:
    """A few bars may be missing without a word; more may not."""
    world = World()
    world.starts()
    world.closes()
    world.passes(TOLD_AFTER_NS - 2 * SECOND_NS)
    assert world.wary_of() == ()
    world.passes(2 * SECOND_NS)
    assert world.wary_of() == silent("no bar has come from the feed for a while")


def test_a_past_that_is_too_short_is_told() -> None:
    """Also by one that was just started, once it lasts."""
    world = World()
    world.feed_gives = 0
    world.starts()
    world.closes(2)
    assert world.wary_of() == ()
    world.closes(5)
    assert world.wary_of() == silent("the feed does not give as many bars of the past as it takes")


def test_reports_that_are_not_all_read_are_told() -> None:
    """Bars wait for what the executor says there is."""
    world = World()
    world.starts()
    world.closes()
    world.executor.reports_kept_from_us = 1
    world.closes(8)
    assert world.wary_of() == silent("what the executor has done since is not all read yet")


def test_a_restart_is_no_silence() -> None:
    """Who was away is not told to have been silent: what is missing is asked for first."""
    world = World()
    world.starts()
    world.closes()
    world.closes_unheard(20)
    world.starts()
    world.closes()
    assert (world.wary_of(), silences(world)) == ((), [])
