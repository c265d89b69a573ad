"""The guards of the account in risk: what they are told, what they trip on, and above all on what they do not."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.control import AskClearKill, ClearKillOffered, ConfirmClearKill, ControlDone
from proto.streams import RequestRefused
from proto.verdicts import Alerted, EquityRead, FlowCounted, GuardTripped, KillLatched
from shared.core.service import JournalRoom, Stalled
from tests.proto.examples import DIGEST
from tests.services.risk_watchdog.bench import DAY_NS, SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene, a_flow, priced

OTHER = "0" * 64


def trips(scene: Scene) -> list[str]:
    """Return the trips that were written down."""
    return [tripped.trip_id for tripped in scene.bench.written(GuardTripped)]


def alerts(scene: Scene) -> list[tuple[str, str]]:
    """Return what a person was told, and how loudly, but for who is silent."""
    told = [(alerted.level, alerted.name) for alerted in scene.bench.written(Alerted)]
    return [(level, name) for level, name in told if name not in {"executor-gone", "strategy-silent"}]


def written(*amounts: Decimal) -> list[str]:
    """Return amounts without their trailing zeros."""
    return [f"{amount:f}".rstrip("0").rstrip(".") for amount in amounts]


def flows(scene: Scene) -> list[str]:
    """Return the money that was counted, by what it is worth."""
    return [f"{flow.worth_quote:.0f} of {flow.asset}" for flow in scene.bench.written(FlowCounted)]


def cleared(scene: Scene) -> None:
    """Let a person clear the latch that stands, and everything be lifted."""
    bench, latch_id = scene.bench, scene.bench.written(KillLatched)[-1].latch.latch_id
    offer = bench.ask(AskClearKill("ada", "a crash of the market", latch_id), instance="operator", ask_id="clear-1")
    assert isinstance(offer, ClearKillOffered)
    done = bench.ask(ConfirmClearKill("ada", latch_id, offer.offer_id), instance="operator", ask_id="clear-2")
    assert isinstance(done, ControlDone)


# What trips.


def test_fall_trips_and_latches_under_the_name_of_the_trip(guarded: Scene) -> None:
    """Two readings at the floor: written down with all that it rests on, a person told, the HALT file made."""
    guarded.account("8500")
    assert not trips(guarded)
    guarded.account("8500", "8400", "8400")
    assert trips(guarded) == ["trip-drawdown-1-4", "trip-daily-loss-1-4"]
    tripped = guarded.bench.written(GuardTripped)[0]
    assert written(tripped.base_quote, tripped.floor_quote, tripped.equity_quote) == ["10000", "8500", "8500"]
    assert "equity is 8500, 15 % below the peak of 10000" in tripped.reason
    (latched,) = guarded.bench.written(KillLatched)
    assert latched.latch.latch_id == trips(guarded)[0]
    assert latched.latch.reason.startswith("the guards of drawdown and daily loss tripped: ")
    assert guarded.bench.halt == latched.latch
    assert guarded.bench.lease().permission == "HALTED"
    assert ("critical", "guard-tripped") in alerts(guarded)


def test_silent_executor_blocks_no_trip_for_long(guarded: Scene) -> None:
    """Half a minute of readings counts without anybody's books."""
    guarded.account(*["8000"] * 15, books=None)
    assert not trips(guarded)
    guarded.account(*["8000"] * 2, books=None)
    assert trips(guarded)


@pytest.mark.parametrize("kept", range(1, 7))
def test_killed_between_any_two_records_it_trips_once(guarded: Scene, kept: int) -> None:
    """Whatever of the trip was durable, the next life does the rest, under the same names."""
    bench = guarded.bench
    before = len(bench.records)
    guarded.account("9400")
    guarded.account("9400")
    names = trips(guarded)
    assert len(bench.records) == before + 6  # two readings, the trip, its latch, and an alert of each
    del bench.records[before + kept :]
    bench.halt = None  # it is made of what is durable
    guarded.begin()
    bench.tick()
    guarded.account("9400", "9400")
    tripped = trips(guarded)
    assert tripped == names if kept > 1 else tripped == ["trip-daily-loss-1-5"]
    assert [latched.latch.latch_id for latched in bench.written(KillLatched)] == tripped


@pytest.mark.parametrize("kept", range(2, 8))
def test_both_guards_killed_between_any_two_records_set_one_latch(guarded: Scene, kept: int) -> None:
    """It has the name of the first trip, also where only that one was durable."""
    bench = guarded.bench
    before = len(bench.records)
    guarded.account("8500", "8500")
    names = trips(guarded)
    assert len(bench.records) == before + 8  # two readings, both trips, their latch, and an alert of each
    del bench.records[before + kept :]
    bench.halt = None
    guarded.begin()
    bench.tick()
    assert [latched.latch.latch_id for latched in bench.written(KillLatched)] == names[:1]
    guarded.account("8500", "8500")
    assert trips(guarded) == names
    assert len(bench.written(KillLatched)) == 1


def test_trip_without_room_to_write_it_down_latches_all_the_same(guarded: Scene) -> None:
    """The latch holds in memory and by its file."""
    guarded.account("9400", seconds=2)
    guarded.bench.wait(2)
    guarded.executor.reads("9400")
    guarded.executor.beats()
    guarded.flattener.reads("9400")
    guarded.bench.has_room = False
    guarded.bench.tick()
    assert guarded.bench.lease().permission == "HALTED"
    guarded.bench.has_room = True
    guarded.bench.handle(JournalRoom(for_everything=True))
    guarded.bench.tick()
    assert len(trips(guarded)) == 1


def test_guards_watch_on_while_only_the_reserve_is_left(guarded: Scene) -> None:
    """That a verdict found no room says nothing of what reduces risk: a trip still has room, and so has its latch."""
    guarded.bench.has_room, guarded.bench.has_reserve = False, True
    assert isinstance(guarded.bench.ask(a_wish()), RequestRefused)
    guarded.account("9400", "9400")
    assert len(trips(guarded)) == len(guarded.bench.written(KillLatched)) == 1


def test_after_it_is_cleared_it_counts_from_what_is_left(guarded: Scene) -> None:
    """The loss is taken, also of the day for entries; what is lost from there on counts anew, the other guard on."""
    guarded.account("9940", "9940")
    assert "daily_loss" in guarded.bench.against()
    guarded.account("9450", "9450")
    cleared(guarded)
    guarded.account("9450", "9450")
    assert "daily_loss" not in guarded.bench.against()
    guarded.account("9000", "9000")
    assert len(trips(guarded)) == 1
    guarded.account("8970", "8970")
    assert len(trips(guarded)) == 2


def test_warnings_come_before_the_trip(guarded: Scene) -> None:
    """At half of the way and at four fifths, once each, also over a restart."""
    guarded.account("9740", "9740", "9740", "9590", "9590")
    assert alerts(guarded) == [("warning", "guard-near"), ("warning", "daily-loss"), ("warning", "guard-near")]
    guarded.begin()
    guarded.account("9590", "9590")
    assert len(alerts(guarded)) == 3


# What does not trip.


def test_price_that_is_wrong_once_trips_nothing(guarded: Scene) -> None:
    """Neither by our own reading, nor in the books, nor in both."""
    guarded.account("100", "10000")
    guarded.account("10000", books="100")
    guarded.account("100", books="10000")
    guarded.account("10000", "100", "10000")
    assert not trips(guarded)


def test_price_that_is_wrong_for_the_executor_alone_trips_nothing(guarded: Scene) -> None:
    """What its books say is only held against the reading."""
    guarded.account(*["10000"] * 40, books="100")
    assert not trips(guarded)


def test_reading_that_comes_twice_is_one(guarded: Scene) -> None:
    """Neither told again nor of the same second, nor with a number that is older."""
    guarded.account("8000")
    for number in (3, 3, 2):
        guarded.flattener.reads("8000", read_number=number)
    guarded.bench.wait(0.5)
    guarded.flattener.reads("8000", read_number=4)
    guarded.bench.tick()
    assert not trips(guarded)


def test_reading_that_comes_late_counts_nothing(guarded: Scene) -> None:
    """What lay in a queue says nothing of now."""
    for _ in range(20):
        guarded.bench.wait(2)
        guarded.executor.reads("8000")
        guarded.executor.beats()
        guarded.flattener.reads("8000", late_s=5.1)
        guarded.bench.tick()
    assert not trips(guarded)
    guarded.account("8000", "8000", "8000")
    assert trips(guarded)


def test_missing_feed_trips_nothing(guarded: Scene) -> None:
    """While something has no price, neither the flattener nor the executor say anything: no reading is no loss."""
    guarded.account("8000")
    guarded.bench.wait(600)
    guarded.account("8000")
    assert not trips(guarded)
    guarded.account("8000")
    assert trips(guarded)


def test_restart_at_midnight_trips_nothing(guarded: Scene) -> None:
    """4 % lost before and 4 % after: the day begins at its start, whatever of it was down."""
    guarded.account("9600", "9600")
    guarded.bench.wait(DAY_NS / SECOND_NS)
    guarded.begin(equity="9600")
    guarded.account("9600", "9600", "9220", "9220")
    assert not trips(guarded)


@pytest.mark.parametrize("seconds", [-DAY_NS / SECOND_NS, -3_600, -30, 30, 3_600, DAY_NS / SECOND_NS])
def test_clock_that_is_set_trips_nothing_and_hides_nothing(guarded: Scene, seconds: float) -> None:
    """Ours and the venue's at once, both ways: readings before it and behind it are no pair, and no half minute."""
    guarded.account("9400", books=None)
    guarded.bench.sets_clock(seconds)
    guarded.account("9400", books=None)
    assert not trips(guarded)
    guarded.account("9600", "9600")
    guarded.account(*["9000"] * 15, books=None)
    assert not trips(guarded)
    guarded.account(*["9000"] * 2, books=None)
    assert trips(guarded)


def test_standstill_trips_nothing(guarded: Scene) -> None:
    """What lay in our sockets meanwhile is old, and books from before are compared with nothing."""
    guarded.account("8000")
    guarded.bench.wait(60)
    guarded.bench.handle(Stalled(60 * SECOND_NS))
    guarded.flattener.reads("8000")
    guarded.bench.tick()
    assert not trips(guarded)


def test_replaced_reader_trips_nothing_by_its_first_reading(guarded: Scene) -> None:
    """The last word of one life and the first of the next are no two readings."""
    guarded.account("8000")
    guarded.flattener.begins_anew()
    guarded.account("8000")
    assert not trips(guarded)
    guarded.account("8000")
    assert trips(guarded)


def test_deposit_is_no_gain_that_can_be_lost(guarded: Scene) -> None:
    """It is read seconds before it is told of; taken out again it is no loss either."""
    guarded.account(*["13000"] * 5, books="10000")
    guarded.executor.tells(a_flow(1, "3000"))
    guarded.bench.tick()
    guarded.account("13000", "13000")
    assert guarded.bench.said().equity_peak_quote == Decimal(13_000)
    guarded.account(*["9000"] * 5, books="13000")
    guarded.executor.tells(a_flow(2, "-4000"))
    guarded.bench.tick()
    guarded.account("9000", "9000")
    assert flows(guarded) == ["3000 of USDT", "-4000 of USDT"]
    assert not trips(guarded)
    guarded.account("8540", "8540")
    assert trips(guarded)


def test_books_from_before_the_money_came_are_held_against_nothing(guarded: Scene) -> None:
    """Otherwise what agrees without it would set the marks as if it were in: told first, read and said later."""
    guarded.executor.reads("10000")
    guarded.executor.tells(a_flow(1, "-4000"))
    guarded.executor.beats()
    for _ in range(3):
        guarded.bench.wait(1.5)
        guarded.flattener.reads("10000")
        guarded.bench.tick()
    guarded.account("6000", "6000")
    assert not trips(guarded)
    assert guarded.bench.said().equity_peak_quote == Decimal(6_000)


def test_readings_from_before_the_money_came_set_no_mark(guarded: Scene) -> None:
    """By the venue's own clock: what was read before cannot show it."""
    later_ns = guarded.bench.now.wall_ns + 30 * SECOND_NS
    guarded.executor.tells(a_flow(1, "-50", venue_time_ns=later_ns))
    guarded.account("10000", "10000")
    assert guarded.bench.written(EquityRead)[-1].read_number == 2
    guarded.account(*["9950"] * 16)
    assert guarded.bench.said().equity_peak_quote == Decimal(9_950)


# What is counted.


def test_each_flow_is_counted_once_over_any_restart(guarded: Scene) -> None:
    """The executor's journal is read from its first record at every start."""
    guarded.executor.tells(a_flow(1, "500"))
    guarded.bench.tick()
    for _ in range(2):
        guarded.begin()
        guarded.executor.tells_all_again()
        guarded.bench.tick()
    assert flows(guarded) == ["500 of USDT"]


def test_coins_are_counted_at_what_they_fetch_as_soon_as_that_is_known(scene: Scene) -> None:
    """A coin that is traded waits for its price, and what came after it waits too; what is not traded is no equity."""
    scene.bench.wait(61)  # by now the price is old
    scene.executor.tells(a_flow(1, "2", asset="ETH", kind="trade"))
    scene.executor.tells(a_flow(2, "7", asset="DOGE"))
    scene.bench.tick()
    assert flows(scene) == []
    scene.feed.trusts("ETH/USDT", bid=50, ask=51)
    scene.bench.tick()
    assert flows(scene) == ["100 of ETH", "0 of DOGE"]


def test_what_changes_no_balance_is_not_counted(guarded: Scene) -> None:
    """What was there at the beginning is in every reading, and somebody's order has not moved anything yet."""
    guarded.executor.tells(a_flow(1, "500", kind="opening"))
    guarded.executor.tells(a_flow(2, "500", kind="order"))
    guarded.bench.tick()
    assert flows(guarded) == []


def test_only_readings_that_matter_are_written_down(guarded: Scene) -> None:
    """An hour in which nothing happens leaves nothing behind."""
    before = len(guarded.bench.records)
    guarded.account(*["9990", "10005"] * 900)
    assert len(guarded.bench.records) == before


def test_how_much_of_what_may_be_lost_is_lost_is_shown(guarded: Scene) -> None:
    """Among the limits, in money."""
    guarded.account("9900", "9900")
    shown = {use.name: use for use in guarded.bench.said().limits}
    assert (shown["drawdown_kill"].used, shown["drawdown_kill"].limit) == (Decimal(100), Decimal(1_500))
    assert (shown["daily_loss_kill"].used, shown["daily_loss_kill"].limit) == (Decimal(100), Decimal(500))


# Blindness.


def test_blind_guards_stop_entries_and_tell_a_person_until_they_see(guarded: Scene) -> None:
    """No reading for over a minute is never silence."""
    guarded.bench.wait(59)
    assert "guards_blind" not in guarded.bench.against()
    guarded.bench.wait(2)
    assert "has told nothing of the account" in guarded.bench.against()["guards_blind"]
    for _ in range(3):
        guarded.bench.tick()
    guarded.account("10000")
    assert "guards_blind" not in guarded.bench.against()
    assert alerts(guarded) == [("critical", "guards-blind"), ("info", "guards-blind")]


def test_books_that_contradict_for_over_a_minute_are_blindness(guarded: Scene) -> None:
    """What the guards count from could not move any more: somebody has to look why."""
    guarded.account(*["10000"] * 29, books="9000")
    assert "guards_blind" not in guarded.bench.against()
    guarded.account(*["10000"] * 3, books="9000")
    assert guarded.bench.against()["guards_blind"] == "the account is worth 10000, and the executor's books 9000"


def test_other_account_is_named_as_the_reason(guarded: Scene) -> None:
    """A key of the wrong account is found in a minute."""
    for _ in range(31):
        guarded.bench.wait(2)
        guarded.flattener.reads("10000", account_fingerprint=OTHER)
    assert "another account" in guarded.bench.against()["guards_blind"]


def test_mesh_without_a_flattener_is_told_and_goes_on() -> None:
    """Where the account was never read there is nothing to miss but a guard, and of that a person is told."""
    scene = Scene(Bench())
    scene.begin()
    scene.pass_time(70)
    assert "guards_blind" not in scene.bench.against()
    assert alerts(scene) == [("warning", "guards-blind")]


def test_readings_are_written_as_they_were(guarded: Scene) -> None:
    """With the reader's life and number, the venue's time, and what the books said."""
    guarded.account("12000", books="11990")
    read = guarded.bench.written(EquityRead)[-1]
    assert replace(read, venue_time_ns=0) == EquityRead(
        reader_epoch=1,
        read_number=3,
        venue_time_ns=0,
        equity_quote=Decimal("12000.00000000"),
        executor_equity_quote=Decimal("11990.00000000"),
        account_fingerprint=DIGEST,
        quote_asset="USDT",
        counted=priced("12000"),
    )
