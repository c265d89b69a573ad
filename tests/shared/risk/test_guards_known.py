"""Money that went is told from prices that fell, and what is counted otherwise from what is lost."""

from decimal import Decimal

import pytest

from proto.account import Counted
from tests.shared.risk.readings import Tape


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
