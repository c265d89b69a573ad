"""When a day of trading begins, and what it counts."""

from decimal import Decimal

from proto.verdicts import DayBegun
from shared.core.service import JournalRoom
from tests.services.risk_watchdog.bench import DAY_NS, NOON_NS, SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene

TODAY_NS = NOON_NS - DAY_NS // 2
MIDNIGHT_NS = TODAY_NS + DAY_NS


def days(scene: Scene) -> list[tuple[int, Decimal]]:
    """Return the days that have begun."""
    return [(begun.day_start_ns, begun.equity_quote) for begun in scene.bench.written(DayBegun)]


def test_first_day_begins_with_the_first_equity_that_is_sure(scene: Scene) -> None:
    """It begins at its midnight, whenever we came up, and once."""
    scene.executor.reads("9000")
    scene.begin(equity="8000")
    assert days(scene) == [(TODAY_NS, Decimal(10_000))]


def test_day_is_the_venue_s(scene: Scene) -> None:
    """Midnight is where the venue's clock says so, twice: neither our clock nor one strange reading begins a day."""
    executor = scene.executor
    scene.bench.wait(13 * 3_600)
    executor.reads(venue_time_ns=MIDNIGHT_NS - SECOND_NS)
    executor.reads(venue_time_ns=MIDNIGHT_NS + 5 * DAY_NS)
    executor.reads(venue_time_ns=MIDNIGHT_NS - SECOND_NS)
    executor.reads("11000", venue_time_ns=MIDNIGHT_NS)
    assert days(scene) == [(TODAY_NS, Decimal(10_000))]
    executor.reads("12000", venue_time_ns=MIDNIGHT_NS + SECOND_NS)
    assert days(scene) == [(TODAY_NS, Decimal(10_000)), (MIDNIGHT_NS, Decimal(12_000))]


def test_day_that_is_over_does_not_begin_again(scene: Scene) -> None:
    """A venue's clock that goes back begins nothing."""
    for _ in range(3):
        scene.executor.reads(venue_time_ns=TODAY_NS - SECOND_NS)
    assert len(days(scene)) == 1


def test_entries_count_by_the_day(scene: Scene) -> None:
    """Ten entries a day are approved, freed or not, also over a restart; the next day counts from nothing."""
    bench, executor = scene.bench, scene.executor
    for number in range(10):
        executor.declines(bench.approved(a_wish(number)))
        scene.pass_time(0.4)
        if number == 5:
            scene.begin()
    refusal = bench.refusal(a_wish(11))
    assert (refusal.rule, refusal.value, refusal.limit) == ("entries_today_within_limit", "11", "10")
    for _ in range(2):
        executor.reads(venue_time_ns=MIDNIGHT_NS)
    bench.approved(a_wish(12))
    assert bench.said().entries_today == 1


def test_without_room_the_day_goes_on(scene: Scene) -> None:
    """A day begins when that can be written down; until then entries are refused anyway."""
    bench, executor = scene.bench, scene.executor
    bench.handle(JournalRoom(for_everything=False))
    for _ in range(2):
        executor.reads(venue_time_ns=MIDNIGHT_NS)
    assert len(days(scene)) == 1
    bench.handle(JournalRoom(for_everything=True))
    executor.reads(venue_time_ns=MIDNIGHT_NS)
    assert len(days(scene)) == 2


def test_tier_is_that_of_the_day(scene: Scene) -> None:
    """A small account may have two positions; what it gains in a day counts on the next one."""
    scene = Scene(Bench())
    scene.begin(equity="1900", free="1900")
    bench = scene.bench
    for symbol in ("ADA/USDT", "BTC/USDT"):
        bench.approved(a_wish(symbol=symbol))
    scene.executor.reads("2500")
    assert bench.refusal(a_wish(1, "ETH/USDT")).rule == "positions_open_within_limit"
    for _ in range(2):
        scene.executor.reads("2500", venue_time_ns=MIDNIGHT_NS)
    bench.approved(a_wish(2, "ETH/USDT"))
