"""Trades come out in their row: each once, none skipped without a word, whatever the stream and the venue do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feed_handler.trade_line import HELD_MAX, LOST_MAX, PAGE_TRADES, RETRY_NS, TRIES_MAX, TradeLine
from services.feed_handler.vocabulary import FetchTrades
from tests.services.feed_handler.builders import SYMBOL
from tests.services.feed_handler.trades_at_venue import Venue, numbered, opened


def test_trades_in_a_row_pass_at_once() -> None:
    """What follows is passed on as it comes, and nothing is asked."""
    venue = opened()
    for _ in range(3):
        venue.trade()
    assert venue.passed == [1, 2, 3]
    assert venue.asked is None


def test_the_minute_under_way_is_fetched_at_the_beginning() -> None:
    """What was traded before we came is fetched since a time, and what comes meanwhile waits behind it."""
    venue = Venue(TradeLine(SYMBOL))
    for _ in range(5):
        venue.trade(is_told=False)
    venue.take(venue.line.opened(777))
    assert venue.asked == FetchTrades(SYMBOL, from_id=None, from_time_ns=777)
    venue.trade()
    assert venue.passed == []
    venue.answer()
    assert venue.passed == [1, 2, 3, 4, 5, 6]


def test_a_jump_is_fetched_before_anything_passes() -> None:
    """A missing trade is fetched by its id, and those behind it wait."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.trade()
    assert venue.passed == [1]
    assert venue.asked == FetchTrades(SYMBOL, from_id=2, from_time_ns=None)
    assert not venue.line.is_whole
    venue.answer()
    assert venue.passed == [1, 2, 3]
    assert venue.line.is_whole


def test_what_was_missed_while_away_is_fetched_when_the_stream_is_back() -> None:
    """A stream that opens again asks at once from where it broke off, page by page."""
    venue = opened()
    venue.trade()
    for _ in range(2 * PAGE_TRADES + 5):
        venue.trade(is_told=False)
    venue.take(venue.line.opened(0))
    venue.settle()
    assert venue.passed == [trade.trade_id for trade in venue.trades]


def test_a_venue_that_is_behind_itself_is_asked_again() -> None:
    """While the venue does not give what its own stream has passed, the line asks again after a pause."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.trade()
    missing, venue.trades = venue.trades, venue.trades[:1]
    venue.answer()
    assert venue.passed == [1]
    venue.trades = missing
    venue.settle()
    assert venue.passed == [1, 2, 3]
    assert venue.lost == 0


def test_what_cannot_be_had_is_given_up_and_counted() -> None:
    """After all tries the row goes on without, and says how many are lost."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.trade(is_told=False)
    venue.trade()
    venue.trade()
    for _ in range(TRIES_MAX):
        venue.now_ns += 10 * RETRY_NS
        venue.take(venue.line.failed(venue.now_ns))
    assert venue.passed == [1, 4, 5]
    assert (venue.lost, venue.after_holes) == (2, {4})
    assert venue.line.is_whole
    venue.trade()
    assert venue.passed == [1, 4, 5, 6]


def test_one_trade_ahead_of_a_hole_waits_for_another_that_confirms_it() -> None:
    """A single number that the venue knows nothing about may be wild; the next one shows it."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.trade()
    venue.trades.clear()  # the venue has forgotten them
    venue.settle()
    assert (venue.passed, venue.line.is_whole) == ([1], False)
    venue.tell(numbered(4))
    assert (venue.passed, venue.lost, venue.wild) == ([1, 3, 4], 1, 0)


WILD_ID = 10**15


def test_a_wild_number_moves_no_row() -> None:
    """The row goes on without it; in the end it is refused, and nothing was held up or lost for it."""
    venue = opened()
    venue.trade()
    venue.tell(numbered(WILD_ID, at=2))
    assert not venue.line.is_whole
    venue.trade()
    venue.trade()
    assert venue.passed == [1, 2, 3]
    venue.settle()
    assert (venue.line.is_whole, venue.wild, venue.lost) == (True, 1, 0)


def test_a_wild_number_in_place_of_a_real_one_is_fetched_by_the_real_one() -> None:
    """Its own number is missing then, which the venue gives."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.tell(numbered(WILD_ID, at=2))
    venue.trade()
    venue.settle()
    venue.trade()
    assert (venue.passed, venue.wild, venue.lost) == ([1, 2, 3, 4], 1, 0)
    assert venue.line.is_whole


def test_a_small_wild_number_begins_no_row() -> None:
    """A number that was passed, of a later time, is believed with the next one; without it the row goes on."""
    venue = opened()
    for _ in range(9):
        venue.trade()
    venue.tell(numbered(5, at=100))
    assert not venue.line.is_whole
    venue.trade()
    assert (venue.passed, venue.wild, venue.repeated) == ([*range(1, 11)], 1, 0)
    assert venue.line.is_whole


def test_a_trade_told_again_is_repeated() -> None:
    """A number that was passed, of the time it had, is known."""
    venue = opened()
    for _ in range(3):
        venue.trade()
    venue.tell(numbered(2))
    assert (venue.passed, venue.repeated, venue.line.is_whole) == ([1, 2, 3], 1, True)


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_venue_that_numbers_anew_is_followed(*, is_answered: bool) -> None:
    """Two small numbers in a row, of later times, are a new beginning: also across a reconnection, and none is lost."""
    venue = opened()
    for _ in range(900):
        venue.trade()
    venue.take(venue.line.opened(0))
    old, venue.trades = venue.trades, []
    if is_answered:
        venue.answer()
    for number in (5, 6, 7):
        venue.tell(numbered(number, at=1_000 + number))
    if not is_answered:
        venue.trades = [*old, *(numbered(901 + late) for late in range(9))]
        venue.answer()  # by the numbers of before: it tells nothing
        venue.trades = []
    venue.settle()
    venue.tell(numbered(8, at=1_008))
    assert venue.passed[900:] == [5, 6, 7, 8]
    assert venue.after_holes == {5}
    assert (venue.lost, venue.wild, venue.line.is_whole) == (0, 0, True)


def test_numbers_far_ahead_are_a_new_beginning_and_no_loss() -> None:
    """A venue that comes back with other numbers has not traded as often as they are apart."""
    venue = opened()
    for _ in range(3):
        venue.trade()
    venue.take(venue.line.opened(0))
    venue.trades = [numbered(3 + LOST_MAX + after) for after in range(2, 5)]
    venue.settle()
    assert (venue.passed[3:], venue.after_holes) == ([LOST_MAX + 5, LOST_MAX + 6, LOST_MAX + 7], {LOST_MAX + 5})
    assert (venue.lost, venue.renumbered_from, venue.line.is_whole) == (0, LOST_MAX + 5, True)


def test_a_hole_in_what_the_venue_gives_is_named() -> None:
    """Trades that the venue itself has lost are counted, before the right one."""
    venue = opened()
    for _ in range(3):
        venue.trade()
    venue.trades += [numbered(4), numbered(7), numbered(8)]
    venue.take(venue.line.looked_for())
    venue.settle()
    assert (venue.passed[3:], venue.lost, venue.after_holes) == ([4, 7, 8], 2, {7})


def test_one_wild_number_in_an_answer_moves_no_row() -> None:
    """Neither the stream nor an answer is believed without a second number that follows."""
    venue = opened()
    venue.trade()
    venue.take(venue.line.looked_for())
    venue.asked = None
    venue.take(venue.line.fetched((numbered(2), numbered(WILD_ID, at=3)), 0))
    venue.trades.append(numbered(2))
    for _ in range(3):
        venue.trade()
    venue.settle()
    assert (venue.passed, venue.lost, venue.line.is_whole) == ([1, 2, 3, 4, 5], 0, True)


def test_a_stamp_that_goes_back_makes_no_new_beginning() -> None:
    """Trades told again after it are repeated, and not those of a venue that counts anew."""
    venue = opened()
    for _ in range(10):
        venue.trade()
    venue.tell(numbered(11, at=4))
    for number in (9, 10):
        venue.tell(numbered(number))
    assert (venue.passed, venue.repeated) == ([*range(1, 12)], 2)


def test_a_lone_number_is_given_up_when_the_venue_knows_nothing_of_it_for_long() -> None:
    """In a quiet market a wild number holds the symbol up until it was asked about once more, and no longer."""
    venue = opened()
    venue.trade()
    venue.tell(numbered(WILD_ID, at=2))
    venue.settle()
    assert not venue.line.is_whole
    venue.take(venue.line.looked_for())
    venue.answer()
    assert (venue.line.is_whole, venue.asked, venue.wild) == (True, None, 1)
    assert [trade.trade_id for trade in venue.dropped] == [WILD_ID]


def test_more_than_a_hundred_pages_are_read_to_their_end() -> None:
    """However long a stream was away, nothing is passed over."""
    venue = opened()
    venue.trade()
    for _ in range(103 * PAGE_TRADES):
        venue.trade(is_told=False)
    venue.take(venue.line.opened(0))
    venue.settle()
    assert len(venue.passed) == len(venue.trades)
    assert venue.lost == 0


def test_a_venue_that_gives_the_same_page_again_and_again_is_not_asked_for_ever() -> None:
    """A whole page of what is known tells nothing new."""
    venue = opened()
    for _ in range(PAGE_TRADES):
        venue.trade()
    venue.take(venue.line.opened(0))
    venue.asked = None
    venue.take(venue.line.fetched(tuple(venue.trades), 0))
    assert venue.asked is None
    assert venue.line.is_whole


def test_before_its_first_trade_a_stream_is_looked_for_by_time() -> None:
    """A stream that died before it told anything is found out like any other."""
    venue = opened()
    venue.trade(is_told=False)
    venue.take(venue.line.looked_for())
    assert venue.asked == FetchTrades(SYMBOL, from_id=None, from_time_ns=0)
    venue.answer()
    assert venue.passed == [1]


def test_what_was_missed_is_asked_for_until_there_is_an_answer() -> None:
    """A venue that cannot be asked leaves the row in doubt, for as long as it takes."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.take(venue.line.opened(0))
    for _ in range(3 * TRIES_MAX):
        venue.asked = None
        venue.now_ns += 10 * RETRY_NS
        venue.take(venue.line.failed(venue.now_ns))
        assert not venue.line.is_whole
        venue.now_ns += 10 * RETRY_NS
        venue.take(venue.line.due(venue.now_ns))
        assert venue.asked is not None
    venue.answer()
    assert (venue.passed, venue.line.is_whole) == ([1, 2], True)


def test_the_first_answer_of_all_may_be_empty() -> None:
    """Without a trade since the minute began the row begins with what came meanwhile."""
    venue = Venue(TradeLine(SYMBOL))
    venue.take(venue.line.opened(0))
    venue.tell(numbered(5))
    venue.tell(numbered(6))
    assert venue.passed == []
    venue.answer()
    assert (venue.passed, venue.line.is_whole) == ([5, 6], True)


def test_what_is_held_back_is_bounded() -> None:
    """A venue that never answers costs a bounded number of trades held back; the row goes on, and counts the loss."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    for _ in range(HELD_MAX + 1):
        venue.trade()
    assert venue.lost == 1
    assert venue.passed == [1, *range(3, HELD_MAX + 4)]


LIFE = ["told", "told", "untold", "twice", "late", "away", "answer", "wild", "small"]


@given(st.lists(st.sampled_from(LIFE), max_size=60))
def test_every_trade_passes_once_and_in_order(life: list[str]) -> None:
    """However the stream drops, repeats, swaps, invents and breaks off: all pass once, in order, and nothing else."""
    venue = opened()
    venue.trade()  # before the first one there is no number to miss
    for step in life:
        if step == "told":
            venue.trade()
        elif step == "untold":
            venue.trade(is_told=False)
        elif step == "twice":
            venue.trade()
            venue.tell(venue.trades[-1])
        elif step == "late":
            venue.trade(is_told=False)
            venue.trade()
            venue.tell(venue.trades[-2])
        elif step == "wild":
            venue.tell(numbered(WILD_ID + 2 * len(venue.trades), at=len(venue.trades)))
        elif step == "small" and len(venue.trades) > 1:
            venue.tell(numbered(1, at=len(venue.trades) + 1))
        elif step == "away":
            venue.take(venue.line.opened(0))
        else:
            venue.answer()
    venue.take(venue.line.opened(0))
    venue.settle()
    venue.take(venue.line.looked_for())
    venue.settle()
    venue.trade()
    venue.settle()
    assert venue.line.is_whole
    assert venue.passed == [trade.trade_id for trade in venue.trades]
    assert venue.lost == 0


def test_looking_for_trades_holds_up_nobody() -> None:
    """While a silent stream is only looked into, what comes in its row passes, and nothing counts as missing."""
    venue = opened()
    venue.trade()
    venue.take(venue.line.looked_for())
    assert venue.line.is_whole
    venue.trade()
    assert venue.passed == [1, 2]
    venue.answer()
    assert venue.passed == [1, 2]


def test_a_stream_that_is_lost_again_is_looked_into_again() -> None:
    """An answer from before the second loss says nothing about what was missed in it."""
    venue = opened()
    venue.trade()
    venue.trade(is_told=False)
    venue.take(venue.line.opened(0))
    before, venue.asked = venue.trades[:], None
    venue.trade(is_told=False)
    venue.take(venue.line.opened(0))
    venue.take(venue.line.fetched(tuple(before[1:]), 0))
    assert not venue.line.is_whole
    venue.settle()
    assert venue.passed == [1, 2, 3]
