"""The guard over uncovered positions: what it trips on, what becomes of that, and above all on what not."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.account import Balance
from proto.control import ControlRefused, Flatten, PauseEntries, ResumeEntries
from proto.intents import WatchCover
from proto.orders import ExitEnded, ExitOpened, OrderDoubted, OrderKey, PositionChanged
from proto.risk import Everything, OfSymbol
from proto.verdicts import Alerted, CoverRead, CoverTripped, EntriesPaused, IntentJudged, KillLatched
from shared.core.service import Answered, Ask, JournalRoom, Note, Stalled
from tests.services.risk_watchdog.bench import SECOND_NS, a_wish
from tests.services.risk_watchdog.surroundings import Scene

SYMBOL = "ADA/USDT"
OTHER = "0" * 64
COVER = OrderKey("c1", "cover-1", "trend", SYMBOL, "sell", "cover")
EXIT = ExitOpened("exit-1", "trend", SYMBOL, Decimal(0), "trend", "the target is reached")


@pytest.fixture
def bare(scene: Scene) -> Scene:
    """Return a scene with a position that was to have a stop, and has had none for a quarter of a minute."""
    scene.executor.opens(scene.bench.approved(a_wish()))
    holds(scene)
    passes(scene, 15.5)
    return scene


def holds(scene: Scene, quantity: str = "2", *, covered: str = "0") -> None:
    """Let the executor tell of the position, and of how much of it a stop covers."""
    paid = Decimal(100) if Decimal(quantity) else None
    scene.executor.tells(PositionChanged("trend", SYMBOL, Decimal(quantity), paid, Decimal(covered)))


def passes(scene: Scene, seconds: float, *, beats: bool = True) -> None:
    """Let time pass, with the clock ringing."""
    for _ in range(round(seconds * 2)):
        scene.bench.wait(0.3)
        if beats:
            scene.executor.beats()
        scene.bench.tick()


def reads(scene: Scene, free: str = "2", locked: str = "0", *, times: int = 1, **changes: object) -> None:
    """Let the flattener read the account, two seconds after what was before."""
    for _ in range(times):
        passes(scene, 2)
        found = (Balance("USDT", Decimal(9_800), Decimal(0)), Balance("ADA", Decimal(free), Decimal(locked)))
        scene.flattener.reads("10000", late_s=0, **({"balances": found} | changes))
        scene.bench.tick()


def trips(scene: Scene) -> list[str]:
    """Return the trips that were written down."""
    return [trip.trip_id for trip in scene.bench.written(CoverTripped)]


def asked(scene: Scene) -> list[Ask]:
    """Return how often the executor was asked to close it."""
    return [ask for ask in scene.bench.of(Ask) if isinstance(ask.body, Flatten)]


# What trips, and what comes of it.


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


def test_next_time_it_needs_two_readings_again(bare: Scene) -> None:
    """What tripped and was resumed counts from the beginning; while it stands it does not trip a second time."""
    reads(bare, times=20)
    assert len(trips(bare)) == 1
    bare.bench.ask(ResumeEntries("ada", "seen to", OfSymbol(SYMBOL)), instance="operator")
    reads(bare)
    assert len(trips(bare)) == 1
    reads(bare)
    assert len(trips(bare)) == 2


@pytest.mark.parametrize("kept", range(6))
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


# What does not.


def alone(scene: Scene) -> None:
    """Let one reading show it, and the next that there is a stop, again and again."""
    for _ in range(5):
        reads(scene)
        reads(scene, "0", "2")


def gone(scene: Scene) -> None:
    """Let the coins be taken from the account."""
    reads(scene, "0", times=5)


def unlisted(scene: Scene) -> None:
    """Let the account not show the coin at all."""
    reads(scene, times=5, balances=(Balance("USDT", Decimal(9_800), Decimal(0)),))


def rests(scene: Scene) -> None:
    """Let the exchange have a stop of which the executor does not tell."""
    reads(scene, "0", "2", times=5)


def leaves(scene: Scene) -> None:
    """Let it be sold, however long that takes."""
    scene.executor.tells(EXIT)
    reads(scene, times=10)


def is_covered(scene: Scene) -> None:
    """Let the stop be placed after the first reading."""
    reads(scene)
    holds(scene, covered="2")
    reads(scene, times=5)


def is_covered_just_now(scene: Scene) -> None:
    """Let the stop be placed in the moment before a reading comes."""
    for _ in range(5):
        reads(scene)
        holds(scene, covered="2")
        scene.flattener.reads("10000", balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        holds(scene)


def is_sold(scene: Scene) -> None:
    """Let the position be closed after the first reading."""
    reads(scene)
    holds(scene, "0")
    reads(scene, times=5)


def is_watched(scene: Scene) -> None:
    """Let a further entry say that the executor watches the price itself."""
    approval = scene.bench.written(IntentJudged)[-1].approval
    assert approval is not None
    scene.executor.opens(replace(approval, approval_id="other", cover=WatchCover(Decimal(95))))
    reads(scene, times=5)


def is_another_account(scene: Scene) -> None:
    """Let the flattener have the key of another account."""
    reads(scene, times=5, account_fingerprint=OTHER)


def comes_late(scene: Scene) -> None:
    """Let the readings be old when they come."""
    for _ in range(5):
        passes(scene, 2)
        scene.flattener.reads("10000", late_s=5.5, balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        scene.executor.beats()
        scene.bench.tick()


def has_lives(scene: Scene) -> None:
    """Let each reading be of another life of the flattener's."""
    for _ in range(5):
        scene.flattener.begins_anew()
        reads(scene)


def is_lost(scene: Scene) -> None:
    """Let every second reading be lost."""
    for _ in range(5):
        reads(scene)
        scene.flattener.skips()


def is_silent(scene: Scene) -> None:
    """Let the executor say nothing: then it is the flattener's."""
    for _ in range(10):
        passes(scene, 2, beats=False)
        scene.flattener.reads("10000", balances=(Balance("ADA", Decimal(2), Decimal(0)),))
        scene.bench.tick()


def begins_anew(scene: Scene) -> None:
    """Let another life of the executor have its own time."""
    scene.executor.epoch += 1
    passes(scene, 3, beats=False)
    reads(scene, times=6)


def stands_still(scene: Scene) -> None:
    """Let risk sleep between the readings."""
    for _ in range(5):
        scene.bench.wait(60)
        scene.bench.handle(Stalled(60 * SECOND_NS))
        reads(scene, times=2)


def is_in_doubt(scene: Scene) -> None:
    """Let it not be known whether a stop rests there."""
    scene.executor.tells(OrderDoubted(COVER, None, "", "no answer"))
    reads(scene, times=5)


def has_a_clock_set(scene: Scene) -> None:
    """Let the venue's clock stand still: what is told twice is one reading."""
    reads(scene, times=5, venue_time_ns=scene.bench.now.wall_ns)


HARMLESS = (
    alone,
    gone,
    unlisted,
    rests,
    leaves,
    is_covered,
    is_covered_just_now,
    is_sold,
    is_watched,
    is_another_account,
    comes_late,
    has_lives,
    is_lost,
    is_silent,
    begins_anew,
    stands_still,
    is_in_doubt,
    has_a_clock_set,
)


@pytest.mark.parametrize("happens", HARMLESS, ids=[happens.__name__ for happens in HARMLESS])
def test_what_trips_nothing(bare: Scene, happens: Callable[[Scene], None]) -> None:
    """Each is a reason to doubt that the position lies open under an executor that does nothing about it."""
    happens(bare)
    assert not trips(bare)
    assert not asked(bare)
    assert not bare.bench.written(EntriesPaused)


def test_exit_that_ends_with_something_left_counts_again(bare: Scene) -> None:
    """An exit that is over brings nothing down."""
    bare.executor.tells(EXIT)
    reads(bare, times=3)
    bare.executor.tells(ExitEnded("exit-1", "trend", SYMBOL, Decimal(2), "called off"))
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
    rests(bare)
    assert not bare.bench.written(CoverRead)
    reads(bare, times=10)
    assert len(bare.bench.written(CoverRead)) == 2
    assert bare.bench.written(CoverRead)[0].reader_epoch == 1
