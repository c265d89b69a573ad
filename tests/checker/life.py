"""A life of executor, risk and exchange in which every promise is kept: what the tests then break, one by one.

Bought in two children under a stop, sold again with dust left; an entry that never arrived; one that a restart ended;
one that the exchange refused; a deposit by hand, a pause, a condition.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tests.checker.story import SYMBOL, Story, client_id
from tests.checker.wire import NS_PER_MS, START_WALL_NS, word

DAY_NS: Final = 86_400_000 * NS_PER_MS
NEXT_LIFE: Final = 8


def a_story() -> Story:
    """Return the life in which every promise is kept."""
    story = Story()
    story.venue.begin()
    midnight = START_WALL_NS // DAY_NS * DAY_NS
    story.risk_says(10, "day_begun.1", day_start_ns=midnight, equity_quote="10000")
    story.reconcile(50)
    for part in PARTS:
        part(story)
    story.reconcile(11_000)
    return story


def _bought_in_two(story: Story) -> None:
    story.approve(100, 1)
    story.send(160, "e1", "a1", "0.5", limit="100")
    story.fill(300, "e1", "0.2", "100", ("0.0002", "BTC"))
    story.position(311, "0.1998")
    story.cancel(330, "e1", "0.2", "100")
    story.send(360, "c1", "cover-1", "0.199", stop="95")
    story.position(381, "0.1998", "0.199")
    story.send(400, "e2", "a1", "0.3", child=2, limit="100.5")
    story.fill(410, "e2", "0.3", "100.5", ("0.0003", "BTC"))
    story.ended(421, "e2", "filled", "0.3", "100.5")
    story.position(422, "0.4995", "0.199")
    story.end_entry(450, 1, "0.5")
    story.cancel(470, "c1")
    story.send(500, "c2", "cover-1", "0.499", child=2, stop="95")
    story.position(521, "0.4995", "0.499")


def _sold_but_for_dust(story: Story) -> None:
    story.says(
        2_000,
        "exit_opened.1",
        exit_id="exit-1",
        strategy="trend",
        symbol=SYMBOL,
        target_quantity="0",
        asked_by="strategy-trend",
        reason="the trend is over",
    )
    story.cancel(2_010, "c2")
    story.send(2_040, "x1", "exit-1", "0.499")
    story.fill(2_045, "x1", "0.3", "102", ("0.0306", "USDT"))
    story.fill(2_046, "x1", "0.199", "101.5", ("0.0201985", "USDT"))
    story.executor.sort(key=lambda said: said.at_ms)
    story.ended(2_062, "x1", "filled", "0.499", str(Decimal("50.7985") / Decimal("0.499")))
    story.position(2_063, "0.0005")
    left = {"exit_id": "exit-1", "strategy": "trend", "symbol": SYMBOL, "quantity_left": "0.0005", "reason": "dust"}
    story.says(2_064, "exit_ended.1", **left)
    story.position(2_065, "0")


def _never_arrived(story: Story) -> None:
    story.approve(3_000, 2)
    story.mark(3_060, "e3", "a2", "0.5", limit="100")
    story.says(3_500, "order_doubted.1", order=story.key("e3"), http_status=504, venue_code="", reason="a page")
    for at_ms in (8_100, 8_300):
        story.venue.received(at_ms, "GET /api/v3/order", symbol="BTCUSDT", origClientOrderId=client_id("e3"))
    story.ended(8_400, "e3", "absent")
    story.end_entry(8_410, 2)


def _ended_by_a_restart(story: Story) -> None:
    story.approve(9_000, 3)
    story.send(9_060, "e4", "a3", "0.5", limit="99.5")
    story.epoch = NEXT_LIFE
    story.cancel(9_300, "e4")
    story.end_entry(9_330, 3)
    story.reconcile(9_340)


def _refused(story: Story) -> None:
    story.approve(9_400, 4)
    story.mark(9_460, "e5", "a4", "0.5", limit="100")
    story.venue.received(9_470, "POST /api/v3/order", symbol="BTCUSDT", newClientOrderId=client_id("e5"))
    story.ended(9_480, "e5", "rejected")
    story.end_entry(9_490, 4)


def _by_another_hand(story: Story) -> None:
    everything, why = ["everything"], {"actor": "ada", "reason": "it was I"}
    story.venue.transfer(9_600, "USDT", "100")
    story.says(
        9_610,
        "outside_seen.1",
        kind="transfer",
        reference="deposit-1",
        symbol=None,
        asset="USDT",
        quantity="100",
        venue_time_ns=START_WALL_NS,
    )
    held = word("Condition", name="outside_activity", scope=everything, permission="REDUCE_ONLY", reason="")
    story.says(9_611, "condition_set.1", condition=held)
    story.risk_says(9_700, "entries_paused.1", scope=["symbol", SYMBOL], **why)
    story.risk_says(9_800, "entries_resumed.1", scope=["symbol", SYMBOL], **why)
    story.says(9_900, "condition_cleared.1", name="outside_activity", scope=everything, **why)


PARTS: Final[tuple[Callable[[Story], None], ...]] = (
    _bought_in_two,
    _sold_but_for_dust,
    _never_arrived,
    _ended_by_a_restart,
    _refused,
    _by_another_hand,
)
