"""An entry is asked for until it is answered, three times at most, and always under the same id."""

from dataclasses import replace

import msgspec
import pytest

from proto.intents import EnterBracket
from services.strategy.core.entry import FRESH_NS, OPENED_NS, TRIES_MAX
from shared.core.service import Unanswered, Woken
from shared.market.columns import Floats
from shared.strategies.strategy import CLOSE, BracketWish
from tests.services.strategy.world import Verdict, World, the_terms


def a_world(verdict: Verdict) -> tuple[World, EnterBracket]:
    """Return a world in which an entry was asked for, and is answered so."""
    world = World()
    world.verdict = verdict
    world.starts()
    return world, world.closes_until_asked()


def tries(world: World, intent: EnterBracket) -> int:
    """Return how often an entry was asked for."""
    return sum(ask.ask_id == intent.intent_id for ask in world.asked)


def test_a_refusal_is_noted_with_its_rule() -> None:
    """It is an ordinary answer, and the next bar may wish again."""
    world, intent = a_world("refused")
    note = next(note for note in world.notes if note.event == "an entry is refused")
    assert note.details["rule"] == "exposure_total_within_limit"
    assert tries(world, intent) == 1
    assert world.closes_until_asked() != intent


def test_without_an_answer_it_is_asked_again_under_the_same_id() -> None:
    """Three times while the bar is fresh; then it is given up."""
    world, intent = a_world("nothing")
    for count in range(1, TRIES_MAX):
        assert tries(world, intent) == count
        world.hands(Unanswered(intent.intent_id))
    world.hands(Unanswered(intent.intent_id))
    assert tries(world, intent) == TRIES_MAX
    assert "an entry is given up: risk does not answer" in world.events()


def test_a_bar_that_is_no_longer_fresh_is_not_asked_about_again() -> None:
    """What risk did not answer in time has passed."""
    world, intent = a_world("nothing")
    world.now_ns = intent.bar_close_time_ns + FRESH_NS + 1
    world.hands(Unanswered(intent.intent_id))
    assert tries(world, intent) == 1
    assert "an entry is given up: risk does not answer" in world.events()


def test_a_question_that_was_turned_away_was_not_handled() -> None:
    """It is put again, as without an answer."""
    world, intent = a_world("turned away")
    assert tries(world, intent) == TRIES_MAX


def test_bars_wait_for_the_answer() -> None:
    """What is being asked for may come to be held: until that is known nothing is decided."""
    world, intent = a_world("nothing")
    kept = world.kept
    world.closes(3)
    assert world.kept == kept
    world.verdict = "refused"
    world.hands(Unanswered(intent.intent_id))
    world.hands(Woken("clock"))
    assert world.kept is not None
    assert world.kept.symbols[0].kernel.bar_open_time_ns == world.bars[world.closed - 1].open_time_ns


@pytest.mark.parametrize("opens", [True, False])
def test_what_was_approved_counts_as_held_until_it_is_opened_or_cannot_be_any_more(*, opens: bool) -> None:
    """The executor has two seconds for an approval; if it never opens the entry, nothing is held."""
    world, _ = a_world("approved")
    if not opens:
        world.executor.declines()
    world.now_ns += OPENED_NS + 1
    world.closes(1)
    assert world.kept is not None
    assert bool(world.kept.symbols[0].holding.quantity) == opens


def always(_state: Floats, _row: Floats, bar: Floats, _params: Floats, _held: float) -> BracketWish:
    """Wish for an entry at every bar, whatever is held."""
    close = bar[CLOSE]
    return BracketWish(1.0, close, close, close * 0.9, close * 1.2, 0.005)


def test_a_wish_is_let_go_while_an_approved_entry_is_not_reported() -> None:
    """A strategy may enter further while it holds, and not while nobody knows whether it does."""
    world = World()
    insatiable = msgspec.structs.replace(the_terms().strategy, on_bar=always)
    world.starts(terms=replace(the_terms(), strategy=insatiable))
    assert len(world.intents) == 1, "it wishes at once"
    world.executor.declines()
    world.closes(1)
    assert len(world.intents) == 1
    letting_go = [note for note in world.notes if note.event == "a wish is let go"][-1]
    assert letting_go.details["why"] == "an entry was approved a moment ago, and is not reported yet"


def test_an_answer_to_nothing_is_ignored() -> None:
    """It changes nothing and asks nothing."""
    world, _ = a_world("refused")
    asked = len(world.asked)
    world.hands(Unanswered("something else"))
    assert len(world.asked) == asked
