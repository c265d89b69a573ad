"""Exits that are served slowly, and rightly so: it shows in the journal what holds each of them up."""

from collections.abc import Callable

import pytest

from tests.checker.changes import held_up, later
from tests.checker.life import a_story
from tests.checker.story import Story


def leaving_slowly(story: Story) -> None:
    """Leave slowly, and say why: while an exit is under way nothing rests at the exchange, and nothing has to."""
    later(story, from_ms=2_040, by_ms=31_000)
    held_up(story, at_ms=3_900)


def leaving_more_slowly(story: Story) -> None:
    """Say it again within half a minute, for as long as it lasts."""
    later(story, from_ms=2_040, by_ms=60_000)
    for at_ms in (4_000, 34_000, 61_000):
        held_up(story, at_ms=at_ms)


def leaving_while_the_stop_is_cancelled(story: Story) -> None:
    """Wait for the word that the stop has ended: its coins are locked until then."""
    later(story, from_ms=2_030, by_ms=40_000)


def leaving_with_the_sale_in_doubt(story: Story) -> None:
    """Wait for what came of the sale: it is filled, and nobody hears of it."""
    later(story, from_ms=2_060, by_ms=40_000)


def leaving_by_the_next_life(story: Story) -> None:
    """Die before the sale: the next life writes nothing of what it waits for before it has reached the exchange."""
    later(story, from_ms=2_040, by_ms=10_000)
    for said in story.executor:
        said.epoch += said.at_ms >= 12_040
    story.epoch = 8
    story.position(5_000, "0.4995")
    story.reconcile(12_600)
    story.executor.sort(key=lambda said: (said.epoch, said.at_ms))
    story.epoch = 9


@pytest.mark.parametrize(
    "live",
    [
        leaving_slowly,
        leaving_more_slowly,
        leaving_while_the_stop_is_cancelled,
        leaving_with_the_sale_in_doubt,
        leaving_by_the_next_life,
    ],
)
def test_exit_that_is_held_up_breaks_no_promise(live: Callable[[Story], None]) -> None:
    """How fast it was served is judged, and found to be as fast as it could be."""
    story = a_story()
    live(story)
    verdict = story.verdict()
    assert verdict.violations == ()
    assert verdict.checked["I15"] > 1
