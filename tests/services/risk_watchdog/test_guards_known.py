"""What risk does about money that went without a word, and about what is counted otherwise after a restart."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from proto.account import Counted
from proto.verdicts import Alerted, FlowCounted, GuardTripped
from tests.services.risk_watchdog.surroundings import COINS, Scene, a_flow, a_reading, money

OTHER = "0" * 64


def alerts(scene: Scene) -> list[tuple[str, str]]:
    """Return what a person was told, and how loudly, but for who is silent."""
    told = [(alerted.level, alerted.name) for alerted in scene.bench.written(Alerted)]
    return [(level, name) for level, name in told if name not in {"executor-gone", "strategy-silent"}]


@pytest.fixture
def mixed(scene: Scene) -> Scene:
    """Return a life in which both guards count from 10000: 4000 of money, and two coins."""
    scene.finds(money(4_000), *COINS)
    return scene


def test_withdrawal_while_the_executor_is_dead_trips_nothing_and_is_told(mixed: Scene) -> None:
    """However long it lasts: entries wait, a person is told once and loudly, and the executor's word ends it."""
    mixed.finds(money(1_000), *COINS, times=29, books=None)
    assert "guards_blind" not in mixed.bench.against()
    mixed.finds(money(1_000), *COINS, times=20, books=None)
    assert "the account is worth 7000, and what is known of it 10000" in mixed.bench.against()["guards_blind"]
    mixed.begin()
    mixed.finds(money(1_000), *COINS, times=40, books=None)
    assert [one for one in alerts(mixed) if one[0] == "critical"] == [("critical", "guards-blind")] * 2, "of each life"
    mixed.executor.tells(a_flow(1, "-3000"))
    mixed.bench.tick()
    mixed.finds(money(1_000), *COINS, times=4)
    assert "guards_blind" not in mixed.bench.against()
    assert not mixed.bench.written(GuardTripped)
    assert mixed.bench.said().equity_peak_quote == Decimal(7_000)


def test_withdrawal_of_coins_that_wait_for_a_price_trips_nothing(mixed: Scene) -> None:
    """It is told of, and nobody says at which price: the money that is told of behind it waits as well."""
    mixed.bench.wait(61)  # by now the feed's prices are old
    mixed.executor.tells(a_flow(1, "-50", asset="ETH"))
    mixed.executor.tells(a_flow(2, "-2000"))
    gone = Counted("ETH", Decimal(0), Decimal(100))
    for _ in range(40):
        mixed.bench.wait(2)
        mixed.flattener.reads("3000", counted=(money(2_000), gone, COINS[1]))
        mixed.bench.tick()
    assert not mixed.bench.written(GuardTripped)
    assert "guards_blind" in mixed.bench.against()


def test_fall_of_prices_trips_though_money_went_without_a_word(mixed: Scene) -> None:
    """What the coins have lost is certain, whoever took the money."""
    mixed.finds(money(1_000), *COINS, times=20, books=None)
    fallen = Counted("ETH", Decimal(50), Decimal(89))
    mixed.finds(money(1_000), fallen, COINS[1], times=15, books=None)
    assert not mixed.bench.written(GuardTripped)
    mixed.finds(money(1_000), fallen, COINS[1], times=3, books=None)
    (trip,) = mixed.bench.written(GuardTripped)
    assert (trip.guard, trip.equity_quote) == ("daily_loss", Decimal(9_450))


def test_fall_of_coins_that_the_dead_executor_bought_last_trips(mixed: Scene) -> None:
    """Its last entry was filled, and it never said so: risk is killed too, and there is nobody but the flattener."""
    mixed.finds(money(2_000), Counted("ETH", Decimal(70), Decimal(100)), COINS[1], times=3, books=None)
    mixed.begin()
    mixed.finds(money(2_000), Counted("ETH", Decimal(70), Decimal(92)), COINS[1], times=17, books=None)
    (trip,) = mixed.bench.written(GuardTripped)
    assert (trip.guard, trip.equity_quote) == ("daily_loss", Decimal(9_440))
    assert "guards_blind" not in mixed.bench.against()


def test_what_was_bought_by_hand_counts_though_it_is_told_of_after_its_fall(mixed: Scene) -> None:
    """The executor was away for less than half a minute: what the coins have lost by then is no money that went."""
    mixed.finds(money(1_000), Counted("ETH", Decimal(80), Decimal(100)), COINS[1], books=None)
    mixed.finds(money(1_000), Counted("ETH", Decimal(80), Decimal(91)), COINS[1], times=5, books=None)
    for number, (quantity, asset) in enumerate((("30", "ETH"), ("-3000", "USDT")), start=1):
        mixed.executor.tells(replace(a_flow(number, quantity, asset=asset, kind="trade"), symbol="ETH/USDT"))
    mixed.bench.tick()
    assert [flow.worth_quote for flow in mixed.bench.written(FlowCounted)] == [0, 0]
    assert not mixed.bench.written(GuardTripped)
    mixed.finds(money(1_000), Counted("ETH", Decimal(80), Decimal(91)), COINS[1])
    (trip,) = mixed.bench.written(GuardTripped)
    assert (trip.guard, trip.equity_quote) == ("daily_loss", Decimal(9_280))


def test_one_coin_changed_by_hand_for_another_hides_no_loss(scene: Scene) -> None:
    """Both are counted, though what they were traded as is none of our symbols."""
    scene.finds(money(4_000), Counted("BTC", Decimal(30), Decimal(100)), Counted("ETH", Decimal(30), Decimal(100)))
    gone = Counted("BTC", Decimal(0), Decimal(100))
    scene.finds(money(4_000), gone, Counted("ETH", Decimal(60), Decimal(100)), books=None)
    scene.finds(money(4_000), gone, Counted("ETH", Decimal(60), Decimal(90)), times=5, books=None)
    for number, (quantity, asset) in enumerate((("30", "ETH"), ("-30", "BTC")), start=1):
        scene.executor.tells(replace(a_flow(number, quantity, asset=asset, kind="trade"), symbol="ETH/BTC"))
    scene.feed.trusts("ETH/USDT", bid=90, ask=90.1)
    scene.bench.tick()
    assert [flow.worth_quote for flow in scene.bench.written(FlowCounted)] == [0, 0]
    scene.finds(money(4_000), gone, Counted("ETH", Decimal(60), Decimal(90)))
    (trip,) = scene.bench.written(GuardTripped)
    assert (trip.guard, trip.equity_quote) == ("daily_loss", Decimal(9_400))


def test_trade_by_hand_of_what_is_not_counted_is_money_that_went(mixed: Scene) -> None:
    """What it bought is nobody's price here, so what it took is no loss."""
    for number, (quantity, asset) in enumerate((("900", "DOGE"), ("-900", "USDT")), start=1):
        mixed.executor.tells(replace(a_flow(number, quantity, asset=asset, kind="trade"), symbol="DOGE/USDT"))
    mixed.bench.tick()
    mixed.finds(money(3_100), *COINS, times=4)
    assert not mixed.bench.written(GuardTripped)
    assert mixed.bench.said().equity_peak_quote == Decimal(9_100)


def test_guards_that_have_nothing_to_count_from_are_blind(scene: Scene) -> None:
    """The executor never agreed: a fall would pass unseen, and that is said."""
    scene.bench.wait(10)  # what it said at its start is old by now
    scene.finds(money(4_000), *COINS, times=20, books=None)
    assert "guards_blind" not in scene.bench.against()
    scene.finds(money(4_000), *COINS, times=12, books=None)
    assert "the guards count from nothing yet" in scene.bench.against()["guards_blind"]
    assert alerts(scene) == [("critical", "guards-blind")]
    scene.finds(money(4_000), *COINS)
    assert "guards_blind" not in scene.bench.against()


def test_next_life_knows_what_was_there(mixed: Scene) -> None:
    """Risk is killed, the executor is dead: a fall of prices trips, and a withdrawal does not."""
    mixed.begin()
    mixed.finds(money(1_000), *COINS, times=40, books=None)
    assert not mixed.bench.written(GuardTripped)
    mixed.finds(money(1_000), Counted("ETH", Decimal(50), Decimal(80)), COINS[1], times=17, books=None)
    assert [trip.guard for trip in mixed.bench.written(GuardTripped)] == ["daily_loss"]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (COINS[:1], "BNB is not counted any more: -1000 is taken for money that came or went, and for no loss"),
        (COINS[1:], "ETH is not counted any more: -5000"),
        ((*COINS, Counted("SOL", Decimal(5), Decimal(100))), "SOL is counted from now on: 500"),
    ],
    ids=["a coin less", "half of it less", "a coin more"],
)
def test_other_symbols_after_a_restart_trip_nothing_and_are_told(
    mixed: Scene, left: tuple[Counted, ...], words: str
) -> None:
    """As `make demo`, `make down` and `make up` make it: what is not counted any more was not lost."""
    mixed.bench.wait(60)
    mixed.begin()
    mixed.flattener.begins_anew()
    mixed.finds(money(4_000), *left, times=20)
    assert not mixed.bench.written(GuardTripped)
    (told,) = [alerted for alerted in mixed.bench.written(Alerted) if alerted.name == "guards-recounted"]
    assert told.level == "warning"
    assert words in told.text
    shown = mixed.bench.said()
    assert shown.equity_peak_quote == shown.equity_quote


def test_true_loss_over_other_symbols_trips(mixed: Scene) -> None:
    """3 % before the restart and 3 % after it are over 5 %, though most of the coins are not counted any more."""
    mixed.finds(money(4_000), Counted("ETH", Decimal(50), Decimal(94)), COINS[1])
    mixed.begin()
    mixed.flattener.begins_anew()
    mixed.finds(money(4_000), COINS[1], times=4)
    assert not mixed.bench.written(GuardTripped)
    mixed.finds(money(4_000), Counted("BNB", Decimal(10), Decimal(85)))
    (trip,) = mixed.bench.written(GuardTripped)
    assert trip.guard == "daily_loss"


def test_other_account_after_a_restart_trips_nothing_and_is_told(mixed: Scene) -> None:
    """The exchange itself in place of the simulated one: its guards count from what is there."""
    mixed.begin(equity="500")
    mixed.flattener.begins_anew()
    there = a_reading(9, equity="500", venue_time_ns=mixed.bench.now.wall_ns)
    mixed.executor.says(replace(there, account_fingerprint=OTHER))
    for _ in range(20):
        mixed.bench.wait(2)
        mixed.flattener.reads("500", account_fingerprint=OTHER, counted=(money(500),))
        mixed.bench.tick()
    assert not mixed.bench.written(GuardTripped)
    assert ("warning", "guards-recounted") in alerts(mixed)


def test_wrong_account_in_the_settings_forgets_nothing_once_it_is_put_right(mixed: Scene) -> None:
    """The executor's books are of the old one, so it says nothing of any: a fall of 3 % before, and of 3 % after it."""
    mixed.finds(money(4_000), Counted("ETH", Decimal(50), Decimal(94)), COINS[1])
    mixed.bench.start()
    mixed.flattener.begins_anew()
    for _ in range(40):
        mixed.bench.wait(2)
        mixed.flattener.reads("4500", account_fingerprint=OTHER, counted=(money(4_500),))
        mixed.bench.tick()
    assert mixed.bench.against()["guards_blind"] == "another account is read than before: see venue.account"
    mixed.begin()
    mixed.flattener.begins_anew()
    mixed.finds(money(4_000), Counted("ETH", Decimal(50), Decimal(94)), COINS[1])
    assert "guards_blind" not in mixed.bench.against()
    assert mixed.bench.said().equity_peak_quote == Decimal(10_000)
    assert ("warning", "guards-recounted") not in alerts(mixed)
    mixed.finds(money(4_000), Counted("ETH", Decimal(50), Decimal(88)), COINS[1])
    assert [trip.guard for trip in mixed.bench.written(GuardTripped)] == ["daily_loss"]


def test_another_account_or_money_counts_nothing(guarded: Scene) -> None:
    """A key of another account would see another equity; and what it is worth in euros is no loss."""
    for _ in range(20):
        guarded.bench.wait(2)
        guarded.flattener.reads("100", account_fingerprint=OTHER)
        guarded.flattener.reads("100", quote_asset="EUR")
        guarded.bench.tick()
    assert not guarded.bench.written(GuardTripped)
    assert ("warning", "guards-recounted") not in alerts(guarded)
