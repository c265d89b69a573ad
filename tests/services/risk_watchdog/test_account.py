"""Whose readings of the account risk rests on."""

from decimal import Decimal

from proto.verdicts import DayBegun
from services.risk_watchdog.core.account import Account
from services.risk_watchdog.core.facts import Facts
from tests.services.risk_watchdog.bench import DAY_NS, SECOND_NS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene, a_reading


def test_executor_s_readings_count_where_nobody_else_reads(scene: Scene) -> None:
    """A mesh that never had a flattener trades by them; a single reading of another changes nothing yet."""
    scene.executor.reads("9000")
    assert scene.bench.said().equity_quote == 9_000
    scene.flattener.reads("8000")
    assert scene.bench.said().equity_quote == 9_000
    assert scene.bench.lease().permission == "RUN"


def test_flattener_s_readings_count_from_the_second_on(scene: Scene) -> None:
    """Whatever the executor says of the account then, entries are sized by what was read with another key."""
    scene.account("8000", "8000", books=None, seconds=0.4)
    scene.executor.reads("20000", "20000")
    scene.executor.beats()
    assert scene.bench.said().equity_quote == 8_000
    scene.flattener.reads("2000", balances=())
    scene.executor.beats()
    refusal = scene.bench.refusal(a_wish())
    assert refusal.rule == "reserve_cash_kept"
    assert scene.bench.said().equity_quote == 2_000


def test_flattener_that_reads_no_more_lets_entries_wait(scene: Scene) -> None:
    """The executor's readings do not stand in for it any more: that would be its word again."""
    scene.account("10000", "10000")
    scene.pass_time(14)
    assert scene.bench.against() == {}
    scene.pass_time(2)
    assert "equity_unknown" in scene.bench.against()
    scene.account("10000")
    assert scene.bench.against() == {}


def test_next_life_knows_that_there_was_a_flattener(scene: Scene) -> None:
    """It stands in the journal, so that a start does not begin with the executor's word."""
    scene.account("10000", "10000")
    scene.begin()
    assert scene.bench.against()["equity_unknown"] == "the flattener has not read the account twice yet"
    scene.account("10000", "10000")
    assert "equity_unknown" not in scene.bench.against()


def test_what_was_spent_is_missed_until_the_one_who_counts_has_read_twice() -> None:
    """A reading of the other says nothing of it."""
    bench, account = Bench(), Account("USDT", Facts())

    def reads(instance: str, number: int) -> Decimal:
        """Let somebody read the account; return what is free then."""
        reading = a_reading(number, venue_time_ns=bench.now.wall_ns)
        account.heard(instance, bench.envelope(reading, sender=instance), bench.now)
        return account.free_quote

    assert [reads("flattener", number) for number in (1, 2)] == [0, 10_000]
    account.spend(Decimal(300))
    assert [reads("executor", number) for number in (1, 2, 3)] == [9_700, 9_700, 9_700]
    assert [reads("flattener", number) for number in (3, 4)] == [9_700, 10_000]


def test_day_begins_by_who_counts(scene: Scene) -> None:
    """Two readings of the executor's begin no day any more."""
    scene.account("10000", "10000")
    midnight_ns = scene.bench.written(DayBegun)[-1].day_start_ns + DAY_NS
    for _ in range(2):
        scene.executor.reads("9000", venue_time_ns=midnight_ns + SECOND_NS)
    assert len(scene.bench.written(DayBegun)) == 1
    for _ in range(2):
        scene.flattener.reads("9500", venue_time_ns=midnight_ns + SECOND_NS)
    assert scene.bench.written(DayBegun)[-1] == DayBegun(midnight_ns, Decimal(9_500))
