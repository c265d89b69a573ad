"""The guard over uncovered positions: what it trips on, and what becomes of that."""

from decimal import Decimal

import pytest

from proto.account import Balance
from proto.control import ControlRefused, Flatten, PauseEntries, ResumeEntries
from proto.orders import ExitEnded, OrderDoubted, PositionChanged
from proto.risk import Everything, OfSymbol
from proto.verdicts import Alerted, CoverRead, CoverTripped, EntriesPaused, KillLatched
from shared.core.service import Answered, JournalRoom, Note
from tests.services.risk_watchdog.bare_position import (
    COVER,
    EXIT,
    SYMBOL,
    asked,
    bought,
    holds,
    passes,
    reads,
    told,
    trips,
)
from tests.services.risk_watchdog.bench import a_wish
from tests.services.risk_watchdog.surroundings import Scene


def test_two_readings_trip_and_the_position_is_closed_and_the_symbol_paused(bare: Scene) -> None:
    """One is not enough. All is written down at once; the account goes on with everything else."""
    reads(bare)
    assert not trips(bare)
    assert not asked(bare)
    reads(bare)
    (trip,) = bare.bench.written(CoverTripped)
    assert trip.trip_id.startswith("trip-cover-1-2-")
    assert trip.reason == f"2 {SYMBOL} of trend had no stop for 19 s, and the executor did nothing about it"
    passes(bare, 0.5)
    (ask,) = asked(bare)
    assert ask.body == Flatten("risk", trip.reason, SYMBOL)
    (pause,) = bare.bench.written(EntriesPaused)
    assert (pause.scope, pause.actor) == (OfSymbol(SYMBOL), "risk")
    assert f"`bowline risk replay {trip.trip_id}`" in pause.reason
    assert [told.level for told in bare.bench.written(Alerted)] == ["warning", "critical", "critical"]
    assert bare.bench.refusal(a_wish(2)).rule == "permission_is_run"
    bare.feed.trusts()
    bare.executor.reads()
    assert not bare.bench.written(KillLatched)
    bare.bench.approved(a_wish(3, "ETH/USDT"))


def test_executor_is_asked_until_it_begins(bare: Scene) -> None:
    """Every five seconds, under a name of its own each time; refused, the reason is told and it is asked again."""
    reads(bare, times=2)
    passes(bare, 11)
    names = [ask.ask_id for ask in asked(bare)]
    assert len(names) == len(set(names)) == 3
    refusal = ControlRefused("journal_has_room", "its disk is full")
    bare.bench.handle(Answered(names[-1], bare.bench.envelope(refusal, sender="executor")))
    assert bare.bench.of(Note)[-1].details == {"text": "the executor does not close it: its disk is full"}
    passes(bare, 5)
    assert len(asked(bare)) == 4
    bare.executor.tells(EXIT)
    passes(bare, 60)
    assert len(asked(bare)) == 4


def test_trip_stands_over_restarts_until_the_symbol_is_resumed(bare: Scene) -> None:
    """The pause and the closing go on in the next life; whoever resumes the symbol, and nothing else, ends both."""
    reads(bare, times=2)
    for state_after in (0, len(bare.bench.records)):
        bare.bench.start(state_after=state_after)
        bare.executor.tells_all_again()
        asked_before = len(asked(bare))
        passes(bare, 2)
        assert bare.bench.against()["paused"].startswith(f"risk: 2 {SYMBOL} of trend had no stop")
        assert len(asked(bare)) == asked_before + 1
    bare.bench.ask(PauseEntries("ada", "lunch", Everything()), instance="operator", ask_id="1")
    bare.bench.ask(ResumeEntries("ada", "lunch", Everything()), instance="operator", ask_id="2")
    assert "paused" in bare.bench.against()
    bare.bench.ask(ResumeEntries("ada", "seen to", OfSymbol(SYMBOL)), instance="operator", ask_id="3")
    assert "paused" not in bare.bench.against()
    asked_before = len(asked(bare))
    passes(bare, 20)
    assert len(asked(bare)) == asked_before
    assert len(trips(bare)) == 1


def test_what_is_asked_in_another_life_is_another_request(bare: Scene) -> None:
    """The executor may answer a request that it knows as it did before, and do nothing."""
    reads(bare, times=2)
    passes(bare, 1)
    for _ in range(2):
        bare.bench.start()
        bare.executor.tells_all_again()
        passes(bare, 2)
    names = [ask.ask_id for ask in asked(bare)]
    assert len(names) == len(set(names)) == 3


def test_what_is_closed_and_stays_open_is_told_every_ten_minutes(bare: Scene) -> None:
    """An executor that takes the request and does nothing, or whose sale the exchange refuses: nobody has to look."""
    reads(bare, times=2)
    passes(bare, 30)
    words = f"NOT FLAT: {SYMBOL} of trend has no stop, and is not closed either"
    assert told(bare).count(words) == 0
    passes(bare, 1_500)
    bare.executor.tells(EXIT)
    passes(bare, 1_500)
    assert told(bare).count(words) == 5
    holds(bare, "0")
    passes(bare, 1_500)
    assert told(bare).count(words) == 5


def test_part_of_a_position_trips_too(scene: Scene) -> None:
    """What is beside the stop is as bare as the whole, unless no order could be of it."""
    for bought_quantity, trips_wanted in (("2.009", 0), ("3", 1)):
        bought(scene)
        holds(scene, bought_quantity, covered="2")
        passes(scene, 15.5)
        reads(scene, f"{Decimal(bought_quantity) - 2}", "2", times=3)
        assert len(trips(scene)) == trips_wanted


def test_stops_of_other_positions_are_theirs(scene: Scene) -> None:
    """What they lock of the same coin is no stop of this position; what is locked beyond that may be."""
    bought(scene)
    scene.executor.tells(PositionChanged("other", SYMBOL, Decimal(5), Decimal(100), Decimal(5)))
    scene.executor.tells(PositionChanged("other", "BTC/USDT", Decimal(7), Decimal(100), Decimal(7)))
    passes(scene, 15.5)
    reads(scene, "2", "6", times=5)
    assert not trips(scene)
    reads(scene, "2", "5.9", times=2)
    (read, _) = scene.bench.written(CoverRead)
    assert (read.elsewhere_quantity, read.locked_quantity) == (Decimal(5), Decimal("5.9"))
    assert trips(scene)


def test_each_position_trips_for_itself(scene: Scene) -> None:
    """By its own coin, and by its own two readings."""
    bought(scene)
    other = scene.bench.approved(a_wish(1, "BTC/USDT"))
    scene.executor.opens(other)
    scene.executor.tells(PositionChanged("trend", "BTC/USDT", Decimal(3), Decimal(100), Decimal(0)))
    scene.executor.ends(other, "3")
    passes(scene, 15.5)
    both = (Balance("ADA", Decimal(0), Decimal(2)), Balance("BTC", Decimal(3), Decimal(0)))
    reads(scene, times=2, balances=both)
    (trip,) = scene.bench.written(CoverTripped)
    assert (trip.symbol, trip.quantity) == ("BTC/USDT", Decimal(3))
    passes(scene, 1)
    assert [ask.body.symbol for ask in asked(scene) if isinstance(ask.body, Flatten)] == ["BTC/USDT"]


def test_reports_that_are_behind_prove_nothing(bare: Scene) -> None:
    """A life of risk reads the past as news: in the midst of it nothing is told, and nobody asked to close anything."""
    reads(bare, times=2)
    passes(bare, 1)
    holds(bare, covered="2")
    passes(bare, 600)
    told_before, asked_before = len(told(bare)), len(asked(bare))
    bare.bench.start()
    bare.executor.beats()
    for one in bare.executor.told[:-1]:
        bare.bench.handle(one)
        reads(bare)
        assert "position_uncovered" not in bare.bench.against()
    assert len(told(bare)) == told_before
    assert len(asked(bare)) == asked_before


def test_next_time_it_needs_two_readings_again(bare: Scene) -> None:
    """What tripped and was resumed counts from the beginning; while it stands it does not trip a second time."""
    reads(bare, times=20)
    assert len(trips(bare)) == 1
    bare.bench.ask(ResumeEntries("ada", "seen to", OfSymbol(SYMBOL)), instance="operator")
    reads(bare)
    assert len(trips(bare)) == 1
    reads(bare)
    assert len(trips(bare)) == 2


@pytest.mark.parametrize("kept", range(4))
def test_killed_between_any_two_records_it_trips_once(bare: Scene, kept: int) -> None:
    """Whatever was durable, the next life writes down the rest; a trip and its pause are one write."""
    before = len(bare.bench.records)
    reads(bare, times=2)
    written = len(bare.bench.records) - before
    assert written == 5, "two readings, and the trip with its pause and its alert"
    group = bare.bench.records[before + 2 : before + 5]
    assert [type(record.body) for record in group] == [CoverTripped, EntriesPaused, Alerted]
    del bare.bench.records[before + (kept if kept < 3 else written) :]
    bare.bench.start()
    bare.executor.tells_all_again()
    passes(bare, 1)
    reads(bare, times=2)
    assert len(trips(bare)) == 1
    assert len(bare.bench.written(EntriesPaused)) == 1


def test_more_of_the_coin_elsewhere_changes_nothing(bare: Scene) -> None:
    """What a person has of it beside, free or in an order of less than half as much, is no stop of ours."""
    reads(bare, "50", "0.9", times=2)
    assert trips(bare)


def test_exit_that_ends_with_something_left_counts_again(bare: Scene) -> None:
    """An exit that is over brings nothing down."""
    bare.executor.tells(EXIT)
    reads(bare, times=3)
    bare.executor.tells(ExitEnded("exit-1", "trend", SYMBOL, Decimal(2), "called off"))
    reads(bare, times=2)
    assert trips(bare)


def test_exit_whose_end_is_lost_hides_nothing(bare: Scene) -> None:
    """A hole in the executor's journal may have swallowed it."""
    bare.executor.tells(EXIT)
    bare.executor.tells(OrderDoubted(COVER, None, "", "no answer"))
    bare.executor.loses_reports()
    passes(bare, 16)
    reads(bare, times=2)
    assert trips(bare)


def test_without_room_nothing_is_lost(bare: Scene) -> None:
    """A journal that takes nothing delays the trip until it does."""
    bare.bench.has_room = False
    reads(bare, times=3)
    assert not trips(bare)
    bare.bench.has_room = True
    bare.bench.handle(JournalRoom(for_everything=True))
    reads(bare, times=2)
    assert len(trips(bare)) == 1


def test_readings_are_written_down_only_where_they_matter(bare: Scene) -> None:
    """Not while a stop rests, and not again once it has tripped."""
    reads(bare, "0", "2", times=5)
    assert not bare.bench.written(CoverRead)
    reads(bare, times=10)
    assert len(bare.bench.written(CoverRead)) == 2
    assert bare.bench.written(CoverRead)[0].reader_epoch == 1
