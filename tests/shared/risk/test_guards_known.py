"""Money that went is told from prices that fell, and what is counted otherwise from what is lost."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.account import Counted
from shared.risk.counted import Known
from shared.risk.guards import GuardState, matters
from tests.shared.risk.readings import LIMITS, Tape


@pytest.mark.parametrize("books", [1000, 950, None])
def test_money_taken_out_that_nobody_tells_of_trips_nothing(tape: Tape, books: int | None) -> None:
    """The executor may be dead for hours: that it went is no loss, and what prices take from then on is one."""
    tape.money = Decimal(400)
    tape.reads(1000, 1000)
    tape.money = Decimal(0)
    tape.reads(*[600] * 40, books=books)
    assert not tape.due()
    tape.reads(*[555] * 15, books=books)
    assert not tape.due(), "45 of 1000 are lost"
    tape.reads(*[548] * 17, books=books)
    assert tape.trips() == ["daily_loss"]


def test_executor_that_tells_at_last_of_money_that_went_trips_nothing(tape: Tape) -> None:
    """It is read for an hour before it is told of; then the marks move, and count on."""
    tape.money = Decimal(400)
    tape.reads(1000, 1000)
    tape.money = Decimal(0)
    tape.reads(*[600] * 20, books=None)
    tape.flows_in(-400)
    tape.reads(600, 600)
    assert not tape.due()
    tape.reads(571, 571)
    assert not tape.trips()
    tape.reads(570, 570)
    assert tape.trips() == ["daily_loss"]


def test_coins_that_were_sold_meanwhile_are_no_loss(tape: Tape) -> None:
    """The flattener sells while the executor is dead: what the price does to coins that are gone concerns nobody."""
    tape.money, tape.bid = Decimal(1000), Decimal(700)
    tape.reads(*[1000] * 20, books=None)
    assert not tape.due()


def test_position_that_was_opened_since_is_known(tape: Tape) -> None:
    """What is bought is known with the next readings that agree: its fall trips without the books."""
    tape.money, tape.bid = Decimal(1000), Decimal(500)
    tape.reads(1000, 1000)
    tape.money = Decimal(400)
    tape.reads(1000, 1000)
    tape.reads(*[950] * 17, books=None)
    assert tape.trips() == ["daily_loss"]


@pytest.mark.parametrize("books", [1000, None])
def test_coins_bought_since_the_last_agreement_count_by_their_price(tape: Tape, books: int | None) -> None:
    """The executor dies behind its last order, or says the same for ever: the fall of what it bought trips."""
    tape.money, tape.bid = Decimal(1000), Decimal(600)
    tape.reads(1000, 1000)
    tape.money = Decimal(400)
    tape.reads(998, 998, books=books)  # 1 coin at 598: what it cost to buy it
    tape.reads(*[640] * 15, books=books)
    assert not tape.due()
    tape.reads(640, books=books)
    assert tape.trips() == ["drawdown", "daily_loss"]


def test_first_price_of_coins_that_were_bought_meanwhile_is_that_of_the_second_reading(tape: Tape) -> None:
    """What they lost before that is no loss that anybody can tell from money that went, and is told as such."""
    tape.money, tape.bid = Decimal(1000), Decimal(600)
    tape.reads(1000, 1000)
    tape.money = Decimal(400)
    tape.reads(1000, *[890] * 30, books=None)
    assert not tape.due()
    assert not explained(tape)
    tape.reads(*[840] * 17, books=None)
    assert tape.trips() == ["daily_loss"], "50 of 1000"


def test_coins_that_were_bought_with_money_that_came_or_went_meanwhile_count(tape: Tape) -> None:
    """What nobody explains stays unexplained, and the prices count all the same."""
    tape.money, tape.bid = Decimal(1000), Decimal(500)
    tape.reads(1000, 1000)
    tape.money = Decimal(300)
    tape.reads(*[800] * 20, books=None)
    assert not tape.due()
    tape.reads(*[760] * 16, books=None)
    assert not tape.trips()
    tape.reads(*[749] * 16, books=None)
    assert tape.trips() == ["daily_loss"]


def test_coins_that_were_sold_after_money_went_are_no_loss(tape: Tape) -> None:
    """Nobody told of the money, and the flattener sold: what the price does then concerns nobody."""
    tape.money, tape.bid = Decimal(500), Decimal(500)
    tape.reads(1000, 1000)
    tape.money = Decimal(100)
    tape.reads(*[600] * 3, books=None)
    tape.money = Decimal(600)
    tape.reads(*[600] * 3, books=None)
    tape.bid = Decimal(200)
    tape.reads(*[600] * 40, books=None)
    assert not tape.due()


def test_small_sums_that_go_one_after_the_other_are_no_loss_and_do_not_stay_unseen(tape: Tape) -> None:
    """Ten times 0.9 %: each is explained by itself, and all of them together are not."""
    tape.money = Decimal(500)
    tape.reads(1000, 1000)
    for _ in range(10):
        tape.money -= 9
        tape.reads(*[int(500 + tape.money)] * 16, books=None)
        assert not tape.due()
    assert not explained(tape)


def test_trade_by_hand_that_is_told_of_changes_nothing(tape: Tape) -> None:
    """What is there by then was read, and the run of readings goes on; else money that goes after it were a loss."""
    tape.money = Decimal(1000)
    tape.reads(1000, 1000)
    tape.money = Decimal(400)
    tape.reads(1000, 1000, books=None)
    tape.flows_in(0, quantity=-600)
    tape.money = Decimal(300)
    tape.reads(*[900] * 20, books=None)
    assert not tape.due()
    tape.reads(840)
    tape.flows_in(0, quantity=-600)
    tape.reads(840)
    assert tape.trips() == ["drawdown", "daily_loss"]


def test_books_that_agree_again_end_what_was_missing(tape: Tape) -> None:
    """A withdrawal that was told at last is over: from then on nothing of it stays unexplained, or is counted."""
    tape.money = Decimal(500)
    tape.reads(1000, 1000)
    tape.money = Decimal(300)
    tape.reads(*[800] * 5, books=None)
    assert tape.state.known.missing_quote == Decimal(200)
    tape.flows_in(-200)
    tape.reads(800, 800)
    assert tape.state.known.missing_quote == Decimal(0)
    tape.reads(*[800] * 20, books=None)
    assert explained(tape)
    assert not tape.due()


def test_books_that_agree_again_though_nobody_told_of_anything_are_written_down(tape: Tape) -> None:
    """It is no loss worth a warning, and nothing moves: what was missing would else be missing for ever."""
    tape.money = Decimal(500)
    tape.reads(1000, 1000)
    tape.money = Decimal(480)
    tape.reads(980, 980, books=None)
    for is_written in (True, True, False):
        tape.number, tape.venue_time_ns = tape.number + 1, tape.venue_time_ns + 2_000_000_000
        read = tape.a_reading(980, 980)
        assert matters(tape.state, LIMITS, read) == is_written
        tape.writes(read)
    assert tape.state.known.missing_quote == Decimal(0)


def test_money_that_is_missing_stays_no_loss_when_other_coins_are_counted(tape: Tape) -> None:
    """A withdrawal that nobody told of, and then another list of symbols."""
    tape.money = Decimal(400)
    tape.reads(1000, 1000)
    tape.money = Decimal(100)
    tape.reads(*[700] * 3, books=None)
    tape.others = (Counted("ETH", Decimal(1), Decimal(100)),)
    tape.reads(*[800] * 20, books=None)
    assert not tape.due()


def test_coin_that_nobody_bids_for_is_no_loss_and_none_once_they_bid_again(tape: Tape) -> None:
    """A halt of its market is not its fall, and what it has lost when it is over counts."""
    ether = Counted("ETH", Decimal(1), Decimal(300))
    tape.others = (ether,)
    tape.reads(1300, 1300)
    tape.others = (Counted("ETH", Decimal(1), None),)
    tape.reads(*[1000] * 30, books=None)
    assert not tape.due()
    assert not explained(tape)
    tape.others = (ether,)
    tape.reads(*[1300] * 3, books=None)
    assert explained(tape)
    tape.others = (Counted("ETH", Decimal(1), Decimal(200)),)
    tape.reads(*[1200] * 17, books=None)
    assert tape.trips() == ["daily_loss"]


AMOUNTS = st.tuples(st.integers(0, 2000), st.integers(0, 20))  # of money, and of coins at 50
TIMES = st.integers(1, 18)
BOOKS = st.sampled_from([None, 500, 3000])


@given(st.lists(st.tuples(AMOUNTS, TIMES, BOOKS), max_size=8))
def test_without_the_books_nothing_that_comes_or_goes_trips(
    moves: list[tuple[tuple[int, int], int, int | None]],
) -> None:
    """Deposits, withdrawals, trades by hand in any order, each read for as long as it likes: no price has fallen."""
    tape = at_fifty(1000, 0)
    tape.reads(1000, 1000)
    for (money, coins), times, books in moves:
        holds(tape, money, coins)
        tape.reads(*[money + 50 * coins] * times, books=disagreeing(books, money + 50 * coins))
        assert not tape.due()


@given(st.lists(st.tuples(AMOUNTS, TIMES, BOOKS), max_size=8), BOOKS)
def test_without_the_books_the_fall_of_what_is_there_counts(
    moves: list[tuple[tuple[int, int], int, int | None]], books: int | None
) -> None:
    """Whatever was bought and sold since they agreed, and whoever took money: 800 in coins lose a fifth, 16 % of all.

    As long as nothing has come: money that did is not told from a gain, and hides as much loss.
    """
    tape = at_fifty(1000, 0)
    tape.reads(1000, 1000)
    for (money, coins), times, said in moves:
        holds(tape, money, coins)
        tape.reads(*[money + 50 * coins] * times, books=disagreeing(said, money + 50 * coins))
    holds(tape, 200, 16)
    tape.reads(1000, 1000, books=disagreeing(books, 1000))
    tape.reads(*[840] * 17, books=disagreeing(books, 840))
    assert tape.trips() == ["drawdown", "daily_loss"]


def explained(tape: Tape) -> bool:
    """Say whether the newest reading is explained."""
    return tape.state.readings[-1].is_explained


def at_fifty(money: int, coins: int) -> Tape:
    """Return a journal of an account with coins at 50."""
    tape = Tape()
    holds(tape, money, coins)
    return tape


def holds(tape: Tape, money: int, coins: int) -> None:
    """Let so much be there."""
    tape.money, tape.coins, tape.bid = Decimal(money), Decimal(max(coins, 1)), Decimal(50)


def disagreeing(books: int | None, equity: int) -> int | None:
    """Return what books say that do not agree."""
    return None if books is None or abs(books - equity) * 50 < equity else books


def test_coin_that_is_counted_no_longer_is_no_loss(tape: Tape) -> None:
    """Another list of symbols alone trips nothing, and of what was lost before nothing is forgotten."""
    tape.others = (Counted("ETH", Decimal(2), Decimal(150)), Counted("SOL", Decimal(1), Decimal(100)))
    tape.reads(1400, 1400)
    tape.clears()
    tape.reads(*[1358] * 2)  # 3 %
    tape.trips()
    tape.others = tape.others[1:]
    tape.reads(1058, 1058, *[1058] * 20, books=None)
    assert not tape.due()
    tape.reads(1058, 1058)
    tape.others = ()
    tape.reads(*[958] * 20, books=500)
    assert not tape.due()
    tape.reads(958, 958)
    tape.reads(938, 938)  # 3 % and another 2.1 %
    assert tape.trips() == ["daily_loss"]


def test_loss_while_what_is_counted_changes_trips(tape: Tape) -> None:
    """A list of symbols hides no fall of what is counted before and after it."""
    tape.others = (Counted("ETH", Decimal(1), Decimal(100)),)
    tape.reads(1000, 1000)
    tape.others = ()
    tape.reads(850, 850)
    assert tape.trips() == ["daily_loss"]


def test_coin_that_begins_to_be_counted_is_no_gain_that_can_be_lost(tape: Tape) -> None:
    """Nor when it is counted no longer after that."""
    ether = (Counted("ETH", Decimal(1), Decimal(300)),)
    for others, equity in ((ether, 1300), ((), 1000), (ether, 1300), ((), 1000)):
        tape.others = others
        tape.reads(equity, equity)
        assert not tape.due()
        assert tape.state.drawdown.quote == Decimal(equity)


def test_other_account_begins_anew_and_is_no_loss(tape: Tape) -> None:
    """What the one had is nothing that the other one lost."""
    tape.account = "0" * 64
    tape.reads(*[100] * 20, books=None)
    assert not tape.due()
    tape.reads(100, 100)
    tape.reads(95, 95)
    assert tape.trips() == ["daily_loss"]


def test_trip_of_one_account_stands_over_another(tape: Tape) -> None:
    """Nobody gets round the clearing by other settings."""
    tape.reads(800, 800)
    tape.trips()
    tape.account = "0" * 64
    tape.reads(100, 100)
    assert tape.state.drawdown.trip_id == "trip-drawdown-1-4"


def test_a_page_of_an_older_program_can_be_read() -> None:
    """What is known stood there in another form: it is known anew with the next readings. The marks stay."""
    older = b'{"known": [{"asset": "BTC", "quantity": "1", "bid_quote": "100"}], "drawdown": {"quote": "100"}}'
    state = msgspec.json.decode(older, type=GuardState)
    assert (state.known, state.drawdown.quote) == (Known(), Decimal(100))
