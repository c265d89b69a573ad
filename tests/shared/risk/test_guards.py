"""When the guards of the account trip, and when they must not: a false trip costs trust, and money."""

from decimal import Decimal

import msgspec
import pytest

from proto.verdicts import Alerted
from shared.risk.guards import DAY_LOST, DayLost, GuardState, Trip, Warned, folded, matters, replayed
from tests.shared.risk.readings import LIMITS, Tape

# Trips.


@pytest.mark.parametrize(("down", "guard"), [(950, "daily_loss"), (949, "daily_loss"), (700, "drawdown")])
def test_two_readings_at_the_floor_trip(tape: Tape, down: int, guard: str) -> None:
    """At it is as good as below it."""
    tape.reads(down, down)
    assert guard in tape.trips()


def test_drawdown_counts_from_the_peak_over_days(tape: Tape) -> None:
    """A loss of 4 % a day trips nothing by the day, and the drawdown on the fourth: 2000 -> 1699 is over 15 %."""
    tape.reads(2000, 2000)
    for equity in (1920, 1843, 1770):
        tape.reads(equity, equity)
        assert not tape.trips()
        tape.day_begins()
        tape.reads(equity, equity)
    tape.reads(1700, 1700)
    assert tape.trips() == ["drawdown"]


def test_fall_that_the_books_know_nothing_of_trips_after_half_a_minute(tape: Tape) -> None:
    """A true loss is not blocked for long, whatever the books say, and be it nothing."""
    for books in (1000, None):
        tape = Tape()
        tape.reads(1000, 1000)
        tape.reads(*[800] * 15, books=books)
        assert not tape.trips()
        tape.reads(800, books=books)
        assert tape.trips() == ["drawdown", "daily_loss"]


def test_deposit_hides_no_loss(tape: Tape) -> None:
    """Money that came is no gain: the loss before it and the loss after it are one."""
    tape.reads(960, 960)
    tape.flows_in(240)
    tape.reads(1200, 1200)  # the day began, in this money, with 1250
    assert not tape.trips()
    tape.reads(1187, 1187)
    assert tape.trips() == ["daily_loss"]


def test_loss_goes_on_counting_over_a_withdrawal(tape: Tape) -> None:
    """Half the money taken out leaves half the floor."""
    tape.reads(960, 960)
    tape.flows_in(-480)
    tape.reads(480, 480)
    assert not tape.trips()
    tape.reads(475, 475)
    assert tape.trips() == ["daily_loss"]


def test_a_trip_is_told_once_until_it_is_cleared_and_then_counts_from_there(tape: Tape) -> None:
    """Each is edge-triggered; whoever clears it takes the loss as it is."""
    tape.reads(800, 800)
    assert tape.trips() == ["drawdown", "daily_loss"]
    tape.reads(700, 700)
    assert tape.trips() == []
    tape.clears()
    assert tape.trips() == []
    tape.reads(700, 700)
    assert tape.trips() == []
    tape.reads(665, 665)
    assert tape.trips() == ["daily_loss"]


def test_guard_that_did_not_trip_goes_on_from_where_it_was(tape: Tape) -> None:
    """Clearing the day's loss forgives no drawdown."""
    tape.reads(945, 945)
    assert tape.trips() == ["daily_loss"]
    tape.clears()
    tape.reads(945, 945)
    tape.reads(850, 850)
    assert tape.trips() == ["drawdown", "daily_loss"]


def test_warnings_come_at_half_and_at_four_fifths_of_the_way_and_once(tape: Tape) -> None:
    """One each, the higher one where both are passed at once; a new day warns anew."""
    for equity, told in ((976, None), (975, 50), (974, None), (990, None), (960, 80), (974, None)):
        tape.reads(equity, equity)
        warned = [(one.guard, one.percent) for one in tape.due() if isinstance(one, Warned)]
        assert warned == ([] if told is None else [("daily_loss", told)])
        assert not tape.trips()
    tape.day_begins()
    tape.reads(1000, 1000, 955, 955)
    assert [one.cause_id for one in tape.due() if isinstance(one, Warned)] == ["guard-daily_loss-80"]


def day_lost(tape: Tape) -> list[tuple[Decimal, Decimal]]:
    """Write down what is due, and return of each day that was lost what it counts from and what is left."""
    lost = [(one.base_quote, one.equity_quote) for one in tape.due() if isinstance(one, DayLost)]
    tape.trips()
    return lost


def test_loss_of_the_day_ends_its_entries_once_and_until_the_next_one(tape: Tape) -> None:
    """At 3 % of the day's start, by two readings; better ones do not give the day back, a new mark does."""
    tape.reads(971, 971, 970)
    assert day_lost(tape) == []
    tape.reads(970)
    assert day_lost(tape) == [(Decimal(1000), Decimal(970))]
    tape.reads(1000, 1000, 960, 960)
    assert day_lost(tape) == []
    tape.day_begins()
    tape.reads(960)
    ended = [tape.state.daily_loss.ends_entries]
    tape.reads(960)
    ended.append(tape.state.daily_loss.ends_entries)
    assert ended == [True, False], "until the new day is counted from something"
    tape.reads(931, 931)
    assert day_lost(tape) == [(Decimal(960), Decimal(931))]


def test_money_that_goes_ends_no_entries_and_money_that_comes_hides_no_loss(tape: Tape) -> None:
    """Half the account is taken out and nothing is lost; what comes is no gain."""
    tape.flows_in(-500)
    tape.reads(500, 500)
    assert day_lost(tape) == []
    tape.reads(490, 490)
    tape.flows_in(98)
    tape.reads(588, 588, 583, 583)  # the day began, in this money, with 600
    assert day_lost(tape) == []
    tape.reads(582, 582)
    assert day_lost(tape) == [(Decimal(600), Decimal(582))]


def test_fall_to_the_floor_is_a_trip_and_its_clearing_takes_the_loss(tape: Tape) -> None:
    """Nobody is told beside a trip that entries wait; who clears it counts the day from what is there then."""
    tape.reads(960, 960)
    assert len(day_lost(tape)) == 1
    tape.reads(949, 949)
    assert [type(one) for one in tape.due()] == [Trip]
    tape.trips()
    tape.clears()
    tape.reads(949, 949, 921, 921)
    assert day_lost(tape) == []
    tape.reads(920, 920)
    assert day_lost(tape) == [(Decimal(949), Decimal(920))]


def test_readings_at_the_loss_that_ends_entries_are_written_down(tape: Tape) -> None:
    """Also where no warning is near; and once it has ended them no more than before."""
    near = msgspec.structs.replace(LIMITS, daily_loss_breaker_fraction=Decimal("0.005"))
    tape.number, tape.venue_time_ns = tape.number + 1, tape.venue_time_ns + 2_000_000_000
    assert not matters(tape.state, LIMITS, tape.a_reading(995, 995))
    assert not matters(tape.state, near, tape.a_reading(996, 996))
    assert matters(tape.state, near, tape.a_reading(995, 995))
    tape.writes(Alerted("warning", "daily-loss", "a text"), cause_id=DAY_LOST)
    assert not matters(tape.state, near, tape.a_reading(995, 995))


# No trips.


def test_single_reading_proves_nothing(tape: Tape) -> None:
    """A price that is wrong once trips nothing, however often that comes, and lifts no peak."""
    for _ in range(5):
        tape.reads(1, 1000, 5000, 1000)
        assert not tape.trips()
    tape.reads(1000, 1000)
    assert tape.state.drawdown.quote == Decimal(1000)


def test_reading_told_again_is_no_second_one(tape: Tape) -> None:
    """Neither under its own number nor read again within the second."""
    tape.reads(800)
    tape.writes(tape.records[-1].body)
    tape.reads(800, 800, after=0.3)
    assert not tape.trips()


@pytest.mark.parametrize("seconds", [-3600, -1, 3600])
def test_step_of_the_venue_s_clock_makes_no_pair_and_no_half_minute(tape: Tape, seconds: int) -> None:
    """What lies an hour apart, or goes back, does not follow each other."""
    tape.reads(800)
    tape.reads(800, after=seconds)
    assert not tape.trips()
    tape.reads(800)
    assert tape.trips()


def test_missing_readings_make_no_pair(tape: Tape) -> None:
    """Two low readings with a hole between them are two single ones."""
    tape.reads(800)
    tape.reads(800, after=16)
    assert not tape.trips()
    tape.reads(*[800] * 2, books=None, after=40)
    assert not tape.trips()


def test_reader_that_was_replaced_begins_anew(tape: Tape) -> None:
    """The last of one life and the first of the next are no pair, and a late word of the old one is nothing."""
    tape.reads(800)
    tape.epoch, tape.number = 2, 0
    tape.reads(800)
    assert not tape.trips()
    tape.epoch, tape.number = 1, 50
    tape.reads(800)
    assert not tape.trips()
    tape.epoch, tape.number = 2, 1
    tape.reads(800)
    assert tape.trips()


def test_deposit_that_is_not_told_yet_lifts_no_peak(tape: Tape) -> None:
    """However long the executor says nothing of it, and be it silent: when it is told of, nothing was lost."""
    for books in (1000, None):
        tape.reads(*[1500] * 40, books=books)
        assert tape.state.drawdown.quote == Decimal(1000)
    tape.flows_in(500)
    tape.reads(1500, 1500)
    assert not tape.trips()
    assert tape.state.drawdown.quote == Decimal(1500)
    tape.reads(1000, 1000)
    assert tape.trips()


def test_small_deposits_within_the_tolerance_lift_no_peak(tape: Tape) -> None:
    """Ten of 0.9 % each, all of them read before they are told of."""
    for before in range(1000, 1090, 9):
        tape.reads(before + 9, before + 9, books=before)
        tape.flows_in(9)
        tape.reads(before + 9, before + 9)
    assert tape.state.drawdown.quote == Decimal(1090)


def test_withdrawal_trips_nothing_whether_it_is_told_before_or_after(tape: Tape) -> None:
    """Within half a minute the executor tells of it: 200 of 1000, read first; then 400 of 800, told first."""
    tape.reads(*[800] * 10, books=1000)
    assert not tape.trips()
    tape.flows_in(-200)
    tape.reads(800, 800)
    assert not tape.trips()
    assert tape.state.drawdown.quote == Decimal(800)
    tape.flows_in(-400)
    tape.reads(*[800] * 10, books=400)
    assert not tape.trips()
    tape.reads(400, 400)
    assert not tape.trips()
    assert tape.state.drawdown.quote == Decimal(400)


def test_withdrawal_after_a_loss_does_not_enlarge_it(tape: Tape) -> None:
    """4 % lost, then nine tenths taken out: it is still 4 %."""
    tape.reads(960, 960)
    tape.flows_in(-864)
    tape.reads(96, 96)
    assert not tape.trips()
    assert tape.state.daily_loss.quote == Decimal(100)


@pytest.mark.parametrize("deposit", [600, 50_000])
def test_more_money_than_there_was_begins_anew(tape: Tape, deposit: int) -> None:
    """Against so much, what was there before can no longer be told from the movement of prices."""
    tape.reads(500, 500)
    tape.trips()
    tape = Tape()
    tape.reads(500, 500)
    tape.flows_in(deposit)
    tape.reads(500 + deposit, 500 + deposit)
    assert tape.state.drawdown.quote == Decimal(500 + deposit)


def test_everything_taken_out_trips_nothing_and_the_next_money_begins_anew(tape: Tape) -> None:
    """An empty account has nothing to lose."""
    tape.flows_in(-1000)
    tape.reads(0, 0, 0)
    assert not tape.trips()
    tape.flows_in(300)
    tape.reads(300, 300)
    assert not tape.trips()
    tape.reads(250, 250)
    assert "drawdown" in tape.trips()


def test_flows_from_before_the_first_reading_are_in_it(tape: Tape) -> None:
    """A journal of the executor's that is read from its first report tells of much that is long over."""
    tape = Tape()
    for worth in (9000, -500, 20):
        tape.flows_in(worth)
    tape.reads(1000, 1000, 990, 990)
    assert not tape.trips()
    assert tape.state.drawdown.quote == Decimal(1000)


def test_midnight_counts_from_the_new_day_s_first_sure_readings(tape: Tape) -> None:
    """4 % lost yesterday and 4 % today trip nothing; and a reading from before midnight is none of the new day's."""
    tape.reads(960, 960)
    tape.reads(922)
    tape.day_begins()
    tape.reads(922)
    assert not tape.trips()
    tape.reads(922)
    assert not tape.trips()
    assert tape.state.daily_loss.quote == Decimal(922)


def test_until_the_new_day_s_first_sure_readings_yesterday_s_mark_holds(tape: Tape) -> None:
    """A midnight at which the executor is silent is no gap in the guard."""
    tape.day_begins()
    tape.reads(*[940] * 16, books=None)
    assert tape.trips() == ["daily_loss"]


def test_day_begins_with_the_least_that_both_say_of_both_readings(tape: Tape) -> None:
    """What is counted from a doubtful height would be lost on paper only."""
    tape.day_begins()
    tape.reads(1004, 1003, books=996)
    assert tape.state.daily_loss.quote == Decimal(996)
    tape.day_begins()
    tape.reads(992, 999, books=999)
    assert tape.state.daily_loss.quote == Decimal(992)


def test_nothing_is_judged_before_there_is_anything_to_count_from() -> None:
    """An account that was never read surely cannot have lost."""
    tape = Tape()
    tape.reads(*[5] * 40, books=None)
    assert not tape.due()


# What is written down, and what can be read from it.


def test_only_what_can_change_something_is_written_down(tape: Tape) -> None:
    """Between the marks nothing is; at one each reading, and the one that ends it; after a warning none until more."""

    def is_written(equity: int, books: int | None = None) -> bool:
        tape.number += 1
        tape.venue_time_ns += 2_000_000_000
        read = tape.a_reading(equity, equity if books is None else books)
        if matters(tape.state, LIMITS, read):
            tape.writes(read)
            tape.trips()
            return True
        return False

    assert [is_written(equity) for equity in (1000, 1001, 999, 991)] == [False] * 4
    assert [is_written(equity) for equity in (989, 989, 989)] == [True, False, False]  # what is there is known anew
    assert [is_written(equity) for equity in (1100, 1100, 1100, 1100)] == [True, True, False, False]
    assert [is_written(equity) for equity in (1017, 1090, 1090)] == [True, True, False]  # half of the way
    assert [is_written(equity) for equity in (1017, 1017, 1017, 1016)] == [True, True, False, False]
    assert [is_written(equity, 1100) for equity in (2000, 2000, 2000)] == [True, True, False]  # nor by the books


def test_trip_can_be_recomputed_and_a_forged_one_cannot(tape: Tape) -> None:
    """The records before it lead to it; with a reading less, or another number in it, they do not."""
    tape.reads(800, 800)
    tape.trips()
    trip_id = "trip-daily-loss-1-4"
    found = replayed(tape.records, trip_id)
    assert found is not None
    assert found.agrees
    assert [reading.number for reading in found.readings] == [(1, 1), (1, 2), (1, 3), (1, 4)]
    without = replayed([record for record in tape.records if record.sequence != 3], trip_id)
    assert without is not None
    assert not without.agrees
    trip = found.trip
    for change in ({"base_quote": Decimal(1100)}, {"floor_quote": Decimal(10)}, {"equity_quote": Decimal(1)}):
        forged = msgspec.structs.replace(trip, **change)
        records = [
            msgspec.structs.replace(record, body=forged) if record.body == trip else record for record in tape.records
        ]
        answer = replayed(records, trip_id)
        assert answer is not None
        assert not answer.agrees
    assert replayed(tape.records, "trip-drawdown-9-9") is None


def test_state_survives_as_text(tape: Tape) -> None:
    """The head of a journal's segment has it as JSON."""
    tape.reads(960, 960, 7)
    tape.flows_in(12)
    again = msgspec.json.decode(msgspec.json.encode(tape.state), type=GuardState)
    assert again == tape.state
    assert folded(again, tape.records[0]) == again
