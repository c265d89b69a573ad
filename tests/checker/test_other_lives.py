"""Lives that are unlike the ordinary one and keep every promise too: what the checker must not cry wolf about."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from services.verify.checker.checking import judged
from services.verify.checker.evidence import PREFIX, Evidence
from services.verify.checker.exchange_log import log_of
from services.verify.checker.verdict import Verdict
from tests.checker.changes import (
    SECOND_NS,
    both_approvals,
    later,
    log_line_of,
    mark,
    set_at_exchange,
    stop_doubted,
)
from tests.checker.life import a_story
from tests.checker.story import SYMBOL, Story
from tests.checker.venue import START_MS
from tests.checker.wire import NS_PER_MS, START_BOOT_NS, START_WALL_NS


def filled_after_its_cancel(story: Story, *, of: str = "0.1") -> None:
    """Let the exchange confirm a cancellation and fill the order all the same; the fill is heard of, and covered."""
    story.approve(10_000, 5)
    story.send(10_060, "e6", "a5", of, limit="100")
    story.says(10_090, "cancel_marked.1", order=story.key("e6"), reason="")
    story.ended(10_100, "e6", "canceled")
    story.fill(10_200, "e6", "0.1", "100", ("0.0001", "BTC"))
    story.position(10_211, "0.0999")
    story.send(10_300, "c3", "cover-2", "0.099", stop="95")
    story.end_entry(10_400, 5, "0.1")


def filled_in_part_after_its_cancel(story: Story) -> None:
    """Let nobody be there for the rest of it, so that the exchange calls it expired, and not filled."""
    filled_after_its_cancel(story, of="0.2")
    set_at_exchange(story, "e6", status="EXPIRED")


def never_sent(story: Story) -> None:
    """Give an order up before a byte of it has left: that needs no proof, and nobody asked."""
    story.without(story.nth("order_doubted.1"))
    story.venue.lines[:] = [line for line in story.venue.lines if not str(line.get("endpoint")).startswith("GET")]
    story.of_order("e3", "order_ended.1").at_ms = 3_070


def proved_by_the_next_life(story: Story) -> None:
    """Let the life that marked an order die before it hears anything; the next one proves it absent."""
    story.without(story.nth("order_doubted.1"))
    for said in (story.of_order("e3", "order_ended.1"), story.nth("entry_ended.1", 1)):
        story.executor.remove(said)
        place = next(place for place, other in enumerate(story.executor) if other.epoch == 8)
        said.epoch, said.at_ms = 8, 9_290
        story.executor.insert(place + (said.tag == "entry_ended.1"), said)


def watched(story: Story) -> None:
    """Enter under a watched level: no stop is needed at the exchange, however long it is held."""
    for said in (story.nth("entry_opened.1"), story.of_risk("intent_judged.1")):
        said.set(approval__cover=["watch", "95"])
    story.executor[:] = [said for said in story.executor if "bw-main-c" not in str(said.body)]
    story.venue.lines[:] = [line for line in story.venue.lines if "bw-main-c" not in str(line)]
    later(story, from_ms=2_000, by_ms=20_000)


def put_before(story: Story, tag: str) -> None:
    """Put what was said last before the first of that word."""
    said, later_one = story.executor.pop(), story.nth(tag)
    said.epoch = later_one.epoch
    story.executor.insert(story.executor.index(later_one), said)


def leaving_further(story: Story) -> None:
    """Ask for less twice: the second exit takes the place of the first, and one end ends both."""
    story.says(
        1_990,
        "exit_opened.1",
        exit_id="exit-0",
        strategy="trend",
        symbol=SYMBOL,
        target_quantity="0.2",
        asked_by="strategy-trend",
        reason="half of it at first",
    )
    put_before(story, "exit_opened.1")


def money_without_a_word(story: Story) -> None:
    """Receive money while the exchange's word is lost: it is found in the balances, and seen all the same."""
    story.nth("outside_seen.1").set(kind="unexplained")


def money_before_the_books(story: Story) -> None:
    """Receive money between the first record and the opening of the books: it is in what they were opened with."""
    story.venue.transfer(9_500, "USDT", "7")
    story.says(
        9_550,
        "outside_seen.1",
        kind="opening",
        reference="opening-USDT",
        symbol=None,
        asset="USDT",
        quantity="1",
        venue_time_ns=START_WALL_NS + 9_540 * NS_PER_MS,
    )
    put_before(story, "outside_seen.1")


def too_small_to_protect(story: Story) -> None:
    """Hold a position worth less than any order: a stop cannot rest, and need not."""
    story.approve(10_000, 5)
    story.send(10_060, "e6", "a5", "0.05", limit="101")
    story.fill(10_100, "e6", "0.05", "101", ("0.00005", "BTC"))
    story.ended(10_111, "e6", "filled", "0.05", "101")
    story.position(10_112, "0.04995")
    story.end_entry(10_400, 5, "0.05")
    story.executor[-1].at_ms = 10_400
    story.reconcile(20_000)


def another_on_the_same_exchange(story: Story) -> None:
    """Let another account trade and be given money: that is no business of ours."""
    line = story.venue.lines[log_line_of(story, "x1", "FILLED")]
    theirs = {**line, "events": [dict(event) for event in line["events"]]}
    for event in theirs["events"]:
        if "order" in event:
            event["order"] = {**event["order"], "account": "bob", "client_id": "his", "order_id": 7, "side": "BUY"}
        else:
            event["account"] = "bob"
    transfer = {"told": "BalanceChanged", "account": "bob", "asset": "USDT", "balance": {"free": "5", "locked": "0"}}
    theirs["events"].append({**transfer, "reason": "TRANSFER", "transferred": "5"})
    story.venue.lines.append({**theirs, "at_ms": START_MS + 10_500})


def a_manual_trade(story: Story) -> None:
    """Sell coins of the position by hand: it is seen, and the position is less without a fill of ours."""
    filled_after_its_cancel(story)
    story.venue.place(10_500, "by-hand", "SELL", kind="MARKET", quantity="0.0499")
    story.venue.fill(10_501, "by-hand", "0.0499", "100", fee=("0.00499", "USDT"))
    story.says(
        10_510,
        "outside_seen.1",
        kind="trade",
        reference="by-hand",
        symbol=SYMBOL,
        asset="BTC",
        quantity="-0.0499",
        venue_time_ns=START_WALL_NS,
    )
    story.position(10_511, "0.0500", "0.099")


def at_the_edges(story: Story) -> None:
    """Put everything exactly at its limit: that is within it."""
    sent = mark(story, "e1")
    sent.set(lease_age_ns=2 * SECOND_NS)
    sent_ns = START_BOOT_NS + sent.at_ms * NS_PER_MS
    both_approvals(story, work_until_boot_ns=sent_ns + 240 * NS_PER_MS, start_by_boot_ns=sent_ns, price_high="100.5")
    both_approvals(story, reserved_quote="50", price_low="100")
    story.of_risk("intent_judged.1").set(intent__price_worst="100.5", exposure_quote="2950")
    story.of_order("e3", "order_ended.1").at_ms = 8_060
    for place, line in enumerate([line for line in story.venue.lines if "GET" in str(line.get("endpoint"))]):
        line["at_ms"] = START_MS + 8_050 + place
    story.of_risk("intent_judged.1", 3).set(entries_today=9)


Life = Callable[[Story], None]


def stop_doubted_for_a_while(story: Story) -> None:
    """Let the answer to a stop prove nothing, and its order be found at the exchange nine seconds later."""
    stop_doubted(story, by_ms=9_000)


LIVES: Final[tuple[Life, ...]] = (
    stop_doubted_for_a_while,
    filled_after_its_cancel,
    filled_in_part_after_its_cancel,
    never_sent,
    proved_by_the_next_life,
    watched,
    leaving_further,
    money_without_a_word,
    money_before_the_books,
    too_small_to_protect,
    another_on_the_same_exchange,
    a_manual_trade,
    at_the_edges,
)


def whole(story: Story) -> Verdict:
    """Judge a story whose last word is a reconciliation; one of these lives goes on trading to the end."""
    last = story.executor[-1]
    if last.tag != "reconcile_finished.1" or last.at_ms < story.executor[-2].at_ms:
        story.reconcile(max(said.at_ms for said in story.executor) + 1)
    return story.verdict()


@pytest.mark.parametrize("live", LIVES, ids=lambda live: str(live.__name__))
def test_other_life_keeps_every_promise(live: Life) -> None:
    """Nothing is said to be broken where nothing is."""
    story = a_story()
    live(story)
    assert whole(story).violations == ()


def test_log_that_begins_later_is_judged_from_there() -> None:
    """What stood before the log begins is taken from what it carries over, and older orders need not be in it."""
    story = a_story()
    story.settled = False
    cut = log_line_of(story, "e4", "NEW") - 1
    before = story.venue.lines[:cut]
    carried = [event for line in before for event in line.get("events", [])]
    rules = [event for event in carried if event["told"] == "RulesChanged"]
    balances = {event["asset"]: event for event in carried if event["told"] == "BalanceChanged"}
    first = {"line": "Opened", "carried_over": 1, "at_ms": START_MS + 9_000}
    heads = [{**first, "line": "CarriedOver", "carried": event} for event in (*rules, *balances.values())]
    story.venue.lines[:] = [first, *heads, *story.venue.lines[cut:]]
    assert story.verdict().violations == ()


def test_old_trades_stay_in_the_balance_they_were_carried_over_in() -> None:
    """A fill that the log carries over as remembered is in its opening balances, and does not count again."""
    story = a_story()
    story.settled = False
    cut = log_line_of(story, "e4", "NEW") - 1
    events = [event for line in story.venue.lines[:cut] for event in line.get("events", [])]
    balances = {event["asset"]: event for event in events if event["told"] == "BalanceChanged"}
    orders = {event["order"]["client_id"]: {**event, "fill": None} for event in events if "order" in event}
    fills = [(event["order"], dict(event["fill"])) for event in events if event.get("fill")]
    trades = [{"told": "TradeRemembered", "account": "demo", "trade": {**order, "fill": fill}} for order, fill in fills]
    carried = [events[0], *orders.values(), *trades, *balances.values()]
    first = {"line": "Opened", "carried_over": len(carried), "at_ms": START_MS + 9_000}
    heads = [{**first, "line": "CarriedOver", "carried": event} for event in carried]
    story.venue.lines[:] = [first, *heads, *story.venue.lines[cut:]]
    for skew_ms in (0, 20_000):  # the venue's own clock may be ahead of the one that the log is stamped by
        for _, fill in fills:
            fill["time_ms"] += skew_ms
        for told in [said for said in story.executor if said.tag == "order_filled.1"]:
            told.set(venue_time_ns=told.get("venue_time_ns") + skew_ms * NS_PER_MS)
        assert story.verdict().violations == ()


def test_fill_that_is_told_after_its_acknowledgement_is_news() -> None:
    """An order that the executor has spoken of may have been filled before that; it has a minute to hear of it."""
    story = a_story()
    story.settled = False
    story.executor.sort(key=lambda said: said.at_ms)
    known = story.of_order("x1", "order_acknowledged.1")
    fills = [said for said in story.executor if said.tag == "order_filled.1" and "bw-main-x1" in str(said.body)]
    del story.executor[story.executor.index(fills[0]) :]
    story.executor.append(known) if known not in story.executor else None
    del story.venue.lines[log_line_of(story, "x1", "FILLED") + 1 :]
    assert story.verdict().violations == ()
    story.nth("reconcile_finished.1").at_ms = 50
    story.reconcile(63_000)
    assert {"I5", "I8", "I11"} <= {violation.invariant for violation in story.verdict().violations}


def test_trade_that_is_news_is_believed() -> None:
    """While the mesh runs, a trade that the journal has not heard of yet does not unbalance the books."""
    story = a_story()
    story.settled = False
    heard = story.executor.index(story.of_order("x1", "order_filled.1"))
    del story.executor[heard:]
    del story.venue.lines[log_line_of(story, "x1", "FILLED") + 1 :]
    assert story.verdict().violations == ()
    story.settled = True
    assert {"I5", "I8", "I11", "I30"} <= {violation.invariant for violation in story.verdict().violations}


def test_two_accounts_of_ours_are_no_riddle() -> None:
    """Where our orders are on two accounts, no balance is judged, and that is said."""
    story = a_story()
    for event in story.log_events("e4"):
        event["order"]["account"] = "other"
    verdict = story.verdict()
    assert verdict.checked["I11"] == 0
    assert any("on 2 accounts" in what for what in verdict.unchecked)


def test_account_without_orders_is_judged_by_its_balance() -> None:
    """Before the first order there is one account, and its money is what was brought in."""
    story = Story()
    story.venue.begin()
    story.reconcile(10)
    assert story.verdict().violations == ()
    story.venue.lines[-1]["events"][0]["balance"]["free"] = "2"
    assert {violation.invariant for violation in story.verdict().violations} == {"I11"}


def test_minute_is_any_minute_of_one_boot() -> None:
    """The governor looks at every minute, wherever it begins, and at nothing from before a boot."""
    story = a_story()
    story.limits = replace(story.limits, orders_per_minute_max=8)
    assert story.verdict().violations == ()
    story.limits = replace(story.limits, orders_per_minute_max=6)
    assert {violation.invariant for violation in story.verdict().violations} == {"I17"}
    another_boot = a_story()
    another_boot.limits = story.limits
    for said in (*another_boot.executor, *another_boot.risk):
        said.boot_id = "boot-1" if said.at_ms < 9_000 else "boot-2"
    assert another_boot.verdict().violations == ()
    later(story, from_ms=9_000, by_ms=60_000 - (9_060 - 360))
    assert story.verdict().violations == ()


def test_average_is_as_exact_as_a_division() -> None:
    """An average price may be rounded in its last digits, and no more."""
    story = a_story()
    ended = story.of_order("x1", "order_ended.1")
    exact = Decimal("50.7985") / Decimal("0.499")
    ended.set(average_price=str(exact.quantize(Decimal("1E-14"))))
    assert story.verdict().violations == ()
    ended.set(average_price=str(exact.quantize(Decimal("1E-8"))))
    assert {violation.invariant for violation in story.verdict().violations} == {"I8"}


def test_log_alone_says_nothing_of_what_was_marked() -> None:
    """A log without a journal is read, and no promise about orders is called kept by it."""
    story = a_story()
    log = log_of([("00000001.jsonl", story.log_bytes())], PREFIX)
    verdict = judged(Evidence(executor=None, risk=None, log=log, settled=True))
    assert (verdict.violations, verdict.checked["I3"], verdict.checked["I5"]) == ((), 0, 0)


@pytest.mark.parametrize(("opened_ms", "broken"), [(9_000, set()), (4_000, {"I11"})])
def test_money_that_moves_while_the_books_are_opened_may_be_in_them_already(opened_ms: int, broken: set[str]) -> None:
    """A deposit right after the opening's time may have been read with it; one of seconds later has to be seen."""
    story = a_story()
    story.nth("outside_seen.1").set(kind="opening", venue_time_ns=START_WALL_NS + opened_ms * NS_PER_MS)
    assert {violation.invariant for violation in story.verdict().violations} == broken


@pytest.mark.parametrize(
    ("opened_ms", "times", "broken"),
    [(10_600, 1, set()), (13_000, 1, {"I11"}), (10_400, -1, set()), (5_300, -1, {"I11"})],
)
def test_what_was_traded_as_the_books_were_opened_may_be_found_later(
    opened_ms: int, times: int, broken: set[str]
) -> None:
    """The balances that the books begin with may be of a moment ago, and without a trade that is not counted any more.

    Or they are of a moment later than they say, and have a trade that is counted again, until it is found that it was.
    """
    story = a_story()
    a_manual_trade(story)
    story.nth("outside_seen.1").set(kind="opening", venue_time_ns=START_WALL_NS + opened_ms * NS_PER_MS)
    for asset, change in (("BTC", Decimal("-0.0499")), ("USDT", Decimal("4.98501"))):
        story.says(
            14_000,
            "outside_seen.1",
            kind="unexplained",
            reference=f"unexplained-{asset}",
            symbol=None,
            asset=asset,
            quantity=str(times * change),
            venue_time_ns=START_WALL_NS,
        )
    assert {violation.invariant for violation in whole(story).violations} == broken
