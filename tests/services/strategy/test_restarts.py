"""A strategy that is killed, wherever, and started anew decides the same as one that was not."""

from typing import Final

import msgspec
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from shared.core.service import Woken
from shared.market.timeframe import timeframe
from tests.services.strategy.world import World, the_terms

BARS: Final = 480


def a_life(dies_at: frozenset[int] = frozenset()) -> World:
    """Return a world in which so many bars closed, and the strategy died before these inputs."""
    world = World()
    world.dies_at = dies_at
    world.starts()
    world.closes(BARS)
    world.hands(Woken("clock"))
    return world


UNDISTURBED: Final = a_life()
INPUTS: Final = UNDISTURBED.inputs


def test_there_is_something_to_decide() -> None:
    """The market of these tests has entries, targets that are reached, and stops that are hit."""
    assert len(UNDISTURBED.intents) >= 5
    assert 0 < len(UNDISTURBED.exits) < len(UNDISTURBED.intents)


@examples(max_examples=40, deadline=None)
@given(st.frozensets(st.integers(min_value=1, max_value=INPUTS), min_size=1, max_size=6))
def test_deaths_change_no_decision(dies_at: frozenset[int]) -> None:
    """Killed before any inputs, with what was written down last, it asks for the same entries and exits, to the bit."""
    world = a_life(dies_at)
    assert world.intents == UNDISTURBED.intents
    assert world.exits == UNDISTURBED.exits
    assert world.kept == UNDISTURBED.kept


@examples(max_examples=15, deadline=None)
@given(st.frozensets(st.integers(min_value=1, max_value=INPUTS), min_size=1, max_size=3))
def test_a_lost_memory_costs_no_position(dies_at: frozenset[int]) -> None:
    """Without the file all reports are read again: what is held is known, and left at its target."""
    world = World()
    world.dies_at, world.forgets = dies_at, True
    world.starts()
    world.closes(BARS)
    while world.inputs <= INPUTS:  # where the last death comes at the very end
        world.hands(Woken("clock"))
    world.closes()  # with each bar it writes down what it knows
    assert world.kept is not None
    (kept,) = world.kept.symbols
    assert kept.holding.quantity == world.executor.held
    assert len(world.exits) > 0


def test_a_fill_behind_the_last_bar_is_not_forgotten() -> None:
    """Killed between a fill and the close of its bar, the kernel is told of the fill all the same."""
    disturbed, undisturbed = World(), World()
    for world in (disturbed, undisturbed):
        world.starts()
        while not world.exits:
            world.closes()
        assert world.kept is not None
        assert world.kept.symbols[0].fills
    disturbed.starts()
    for world in (disturbed, undisturbed):
        world.closes(2)
    assert disturbed.kept == undisturbed.kept


def test_a_bar_asked_about_before_the_death_is_asked_about_again_under_the_same_id() -> None:
    """Killed before risk has answered, it asks for the same entry: a question that is put twice is one."""
    world = World()
    world.verdict = "nothing"
    world.starts()
    intent = world.closes_until_asked()
    world.verdict = "approved"
    asked = len(world.asked)
    world.starts()
    assert world.intents == [intent]
    assert [ask.ask_id for ask in world.asked[asked:] if ask.ask_id == intent.intent_id] == [intent.intent_id]


def test_bars_that_closed_while_it_was_dead_enter_nothing() -> None:
    """What is found out late is no reason to enter, and the kernel knows those bars all the same."""
    world = World()
    world.starts()
    world.verdict = "nothing"
    while world.closed < WISHED_AT - 3:
        world.closes()
    world.closes_unheard(6)
    world.starts()
    assert world.intents == []
    assert "its bar closed too long ago, or has not closed yet by our clock" in world.why()
    assert world.kept is not None
    world.closes()
    (kept,) = world.kept.symbols
    assert kept.kernel.bar_open_time_ns == world.bars[world.closed - 1].open_time_ns


def test_what_was_kept_for_other_parameters_is_not_used() -> None:
    """The state of another kernel says nothing to this one: all reports are read again."""
    world = a_life()
    chosen = dict(the_terms().chosen) | {"stop_atr": 2.5}
    world.notes.clear()
    world.starts(terms=the_terms(chosen=chosen))
    assert [note.details for note in world.notes if "reports" in note.event] == [{"from": 1}]


def test_what_was_kept_of_other_symbols_does_not_do() -> None:
    """A symbol that is new has reports that were passed over so far."""
    world = a_life()
    assert world.kept is not None
    other = msgspec.structs.replace(world.kept.symbols[0], symbol="ETH/USDT")
    world.kept = msgspec.structs.replace(world.kept, symbols=(other,))
    world.notes.clear()
    world.starts()
    assert [note.details for note in world.notes if "reports" in note.event] == [{"from": 1}]


def test_another_journal_than_the_one_that_was_read_stops_all_decisions() -> None:
    """An executor with fewer reports than were read is not the one whose positions are known."""
    world = a_life()
    del world.executor.reports[3:]
    world.notes.clear()
    world.starts()
    world.closes(3)
    critical = [note.event for note in world.notes if note.level == "critical"]
    assert critical == ["the executor has fewer reports than were read: nothing is decided"]
    assert len(world.intents) == len(UNDISTURBED.intents)


def _first_wish() -> int:
    (first, *_) = UNDISTURBED.intents
    opened = UNDISTURBED.bars[0].open_time_ns
    return (first.bar_close_time_ns - opened) // timeframe("5s").duration_ns


WISHED_AT: Final = _first_wish()  # so many bars have closed when the first entry is wished for
