"""Which approvals are taken, and what stands against an entry between its mark and its leaving."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.codec import EnvelopeCodec
from proto.control import ControlDone, ControlRefused, Flatten, Kill, PauseEntries, ResumeEntries
from proto.fields import TEXT_LENGTH_MAX
from proto.intents import ExitTaken, WatchCover
from proto.market import SymbolDoubted
from proto.orders import ConditionSet, EntryEnded, EntryOpened, OrderEnded, OrderFilled, SendMarked
from proto.risk import CONDITIONS_MAX, Condition, Everything, OfStrategy, OfSymbol
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.core.service import BeWary, JournalRoom, Stalled, Started
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import (
    CancelOrder,
    KeyRightsTold,
    OrderSent,
    OrderTold,
    SendOrder,
    StreamLost,
    TransferTold,
    Unproved,
    VenueClock,
    WeightTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, LIMITS, SECOND_NS, TREND, Desk, of

CODEC: Final = EnvelopeCodec()
PAUSED = (Condition("cooldown", OfStrategy(TREND), "REDUCE_ONLY", "three losses"),)


def test_approval_is_taken_with_its_mark_and_leaves_at_once() -> None:
    """Entry and send mark are written down together; the order has what was approved, rounded down."""
    desk = Desk().open()
    assert desk.ask(desk.approval()) == ApprovalTaken("approval-one")
    assert [type(body) for body in desk.reports[-2:]] == [EntryOpened, SendMarked]
    order = desk.sent()[-1]
    assert (order.side, order.order_type, order.quantity) == ("buy", "limit_ioc", Decimal("1.000"))
    assert order.limit_price == Decimal(105)


def test_order_is_signed_while_its_lease_is_young() -> None:
    """A lease of 1.9 s leaves a tenth of a second for the signature."""
    desk = Desk().open()
    desk.wait(1.9)
    desk.quote("99.99", "100.01")
    desk.ask(desk.approval())
    assert desk.sent()[-1].sign_by_boot_ns - desk.now_ns == SECOND_NS // 10


def test_what_stands_against_every_entry_is_shown() -> None:
    """A person reads it beside the process, in the words of whatever it waits for, until nothing is left."""
    desk = Desk()
    desk.take(Started("executor", 1, 0, ()))
    desk.take(StreamLost("there is no key"))
    assert of(desk.wait(0.1), BeWary) == [BeWary(("the private stream is lost: there is no key",))]
    assert not of(desk.wait(0.1), BeWary)
    desk.open()
    assert of(desk.wait(0.1), BeWary) == [BeWary(())]
    desk.ask(PauseEntries("ann", "to look", Everything()), instance="operator")
    assert of(desk.wait(0.1), BeWary) == [BeWary(("operator_pause: ann: to look",))]
    desk.take(Stalled(2 * SECOND_NS))
    assert of(desk.wait(0.1), BeWary)[-1].troubles[0] == "the books are not yet held against the venue's"


def kill(desk: Desk) -> object:
    """Set the latch at the executor itself."""
    return desk.ask(Kill("ada", "it looks wrong"), instance="operator")


def flatten(desk: Desk) -> object:
    """Have an operator close the symbol."""
    return desk.ask(Flatten("ada", "it is enough", BTC), instance="operator")


def enter_for_another(desk: Desk, strategy: str) -> SendOrder | None:
    """Enter for another strategy, and return the order; None where that is declined."""
    sent = len(desk.sent())
    desk.ask(desk.approval(f"{strategy}-{len(desk.reports)}", strategy=strategy))
    return desk.sent()[-1] if len(desk.sent()) > sent else None


def doubt(desk: Desk) -> None:
    """Let nobody know whether the venue has another strategy's entry."""
    if (entry := enter_for_another(desk, "doubted")) is not None:
        desk.take(OrderSent(entry.client_order_id, Unproved(504, "", "no reply"), desk.now_ns + AHEAD_NS))


def use_up(desk: Desk) -> None:
    """Let others enter as often in a minute as the governor lets anybody in this symbol."""
    for number in range(LIMITS.symbol_entries_max):
        if (entry := enter_for_another(desk, f"other-{number}")) is not None:
            desk.take(OrderTold(desk.shown(entry, "expired"), None))


changes: list[tuple[str, Callable[[Desk], object]]] = [
    ("lease_is_fresh", lambda desk: desk.wait(2.1)),
    ("approval_of_this_epoch", lambda desk: desk.lease(risk_epoch=2)),
    ("permission_is_run", lambda desk: desk.lease(permission="REDUCE_ONLY")),
    ("permission_is_run", lambda desk: desk.lease(conditions=PAUSED)),
    ("stream_is_open", lambda desk: (desk.take(StreamLost("it ended")), desk.core)),
    ("key_is_known", lambda desk: desk.take(KeyRightsTold("HTTP 503"))),
    ("books_are_reconciled", lambda desk: desk.take(Stalled(2 * SECOND_NS))),
    ("venue_time_is_known", lambda desk: desk.take(VenueClock(AHEAD_NS, 600_000_000))),
    ("weight_is_left", lambda desk: desk.take(WeightTold(4_300, None, None))),
    ("weight_is_left", lambda desk: desk.take(WeightTold(0, desk.now_ns + SECOND_NS, None))),
    ("weight_is_left", lambda desk: desk.take(WeightTold(0, None, desk.now_ns + SECOND_NS))),
    ("journal_has_room", lambda desk: desk.take(JournalRoom(for_everything=False))),
    ("prices_are_good", lambda desk: desk.tell(SymbolDoubted(BTC, ("jumped",)), "trust")),
    ("price_in_band", lambda desk: desk.quote("105.99", "106.01")),
    ("nothing_is_pending", lambda desk: desk.ask(PauseEntries("ann", "to look", OfSymbol(BTC)), instance="operator")),
    ("no_kill_latch", kill),
    ("nothing_is_flattened", flatten),
    ("no_order_in_doubt", doubt),
    ("egress_is_governed", use_up),
]


@pytest.mark.parametrize(("rule", "change"), changes)
def test_what_stands_against_every_entry(rule: str, change: Callable[[Desk], object]) -> None:
    """Each of these alone declines an approval, and says by which rule."""
    desk = Desk().open()
    change(desk)
    sent = len(desk.sent())
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    expected = {rule, "books_are_reconciled"} if rule == "stream_is_open" else {rule}  # either says the same
    assert answer.rule in expected
    assert len(desk.sent()) == sent


MANY: Final = tuple(
    Condition(f"one-{number}", Everything(), "REDUCE_ONLY", "r" * 64) for number in range(CONDITIONS_MAX)
)
long_winded: list[Callable[[Desk], object]] = [
    lambda desk: desk.ask(Flatten("a" * 48, "r" * TEXT_LENGTH_MAX, BTC), instance="operator"),
    lambda desk: desk.lease(permission="REDUCE_ONLY", conditions=MANY),
    lambda desk: desk.lease(conditions=MANY),
]


@pytest.mark.parametrize("change", long_winded)
def test_however_much_is_said_against_an_entry_risk_can_read_it(change: Callable[[Desk], object]) -> None:
    """An answer that it cannot read is none: it would ask until the approval is over, and give a wrong reason."""
    desk = Desk().open()
    change(desk)
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    envelope = desk.envelope("executor", answer)
    assert CODEC.decode(CODEC.encode(envelope)) == envelope


@given(st.lists(st.sampled_from([change for _, change in changes]), max_size=6))
def test_no_exit_is_ever_blocked(against: list[Callable[[Desk], object]]) -> None:
    """Whatever stands against entries: the stop is cancelled at once, and the sale leaves once the venue takes any.

    One thing holds sales back, and is none of these: the governor's bound of all orders of a minute together, below
    which entries leave room for two orders of each.
    """
    desk = Desk().open()
    stop = desk.entered()
    for change in against:
        change(desk)
    assert isinstance(desk.leave(), ExitTaken)
    assert stop.client_order_id in {cancel.client_order_id for cancel in of(desk.effects, CancelOrder)}
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    desk.wait(1.1)  # the longest that the venue wants to be left alone here: no order would be taken before
    (mark,) = [one for one in of(desk.reports, SendMarked) if one.order.purpose == "exit"]
    sale = desk.sent()[-1]
    assert (sale.client_order_id, mark.order.strategy) == (mark.order.client_order_id, TREND)
    assert (sale.side, sale.order_type, sale.quantity) == ("sell", "market", Decimal(1))


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("symbol_is_traded", {"symbol": "ETH/USDT"}),
        ("cover_is_a_stop", {"cover": WatchCover(Decimal(95))}),
        ("spot_is_bought_first", {"side": "sell"}),
        ("approval_in_time", {"start_by_boot_ns": 1}),
        ("approval_of_this_epoch", {"risk_epoch": 2}),
        ("price_in_band", {"price_high": Decimal(100)}),
        ("venue_would_take_it", {"quantity_max": Decimal("0.04")}),
        ("funds_are_there", {"quantity_max": Decimal(40)}),
    ],
)
def test_what_an_approval_itself_lacks(rule: str, changed: dict[str, object]) -> None:
    """An approval that cannot be worked is declined by the rule that it breaks."""
    desk = Desk().open(usdt="4000")
    answer = desk.ask(msgspec.structs.replace(desk.approval(), **changed))
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == rule


def test_approval_of_another_boot_is_void() -> None:
    """Its deadlines are by a clock that cannot be compared with ours."""
    desk = Desk().open()
    answer = desk.ask(desk.approval(), boot_id="another")
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == "approval_in_time"


def test_intent_is_worked_once() -> None:
    """The same approval again is taken again and works nothing; another one for its intent never is."""
    desk = Desk().open()
    first = desk.approval()
    desk.ask(first)
    assert desk.ask(first) == ApprovalTaken(first.approval_id)
    desk.fill(desk.sent()[-1], then="filled")
    again = desk.ask(desk.approval("two", intent_id=first.intent_id))
    assert isinstance(again, ApprovalDeclined)
    assert again.rule == "intent_is_worked_once"
    assert len([order for order in desk.sent() if order.side == "buy"]) == 1


def test_governor_declines_what_is_too_much_for_a_minute() -> None:
    """The worth of the entries of a minute is bounded, whatever was approved."""
    desk = Desk(
        limits=EgressLimits(orders_max=9, entries_max=9, symbol_entries_max=9, entries_quote_max=Decimal(100))
    ).open()
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == "egress_is_governed"


def test_entry_whose_lease_ages_at_its_mark_never_leaves() -> None:
    """What waits for a slow disk is looked at again: the order ends as never sent, and the entry with it."""
    desk = Desk().open()
    desk.wait(1.5)
    desk.quote("99.99", "100.01")
    desk.disk_takes(1.0)
    desk.ask(desk.approval())
    assert not desk.sent()
    desk.wait(0.1)
    ended = of(desk.reports, OrderEnded)[-1]
    assert ended.ending == "absent"
    assert not ended.executed_quantity
    assert "lease_is_fresh" in ended.reason
    assert of(desk.reports, EntryEnded)


def test_nothing_is_entered_by_books_that_are_behind() -> None:
    """What the venue told does not fit into one turn of a slow disk: by what is left there may be no money any more."""
    desk = Desk().open()
    desk.ask(desk.approval())
    desk.disk_takes(0.3)
    desk.fill(desk.sent()[-1], then="filled")
    assert not of(desk.reports, OrderFilled)
    behind = desk.ask(desk.approval("two", strategy="another"))
    assert isinstance(behind, ApprovalDeclined)
    assert behind.rule == "facts_come_first"
    desk.disk_takes(0)
    desk.wait(0.1)
    assert of(desk.reports, OrderFilled)
    desk.acknowledge(desk.sent()[-1])
    assert desk.ask(desk.approval("three", strategy="another")) == ApprovalTaken("approval-three")


def test_a_flood_of_facts_does_not_hold_a_stop_back() -> None:
    """On a disk that is too slow for all that others do on the account, what was bought is covered all the same."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.disk_takes(0.3)
    for number in range(20):
        if number == 2:
            desk.fill(entry, then="filled")
        desk.take(TransferTold("USDT", Decimal(1), f"transfer-{number}", desk.now_ns + AHEAD_NS))
        desk.wait(0.05)
    assert [(order.side, order.order_type) for order in desk.sent()] == [("buy", "limit_ioc"), ("sell", "stop_market")]


def test_pauses_of_two_scopes_are_two() -> None:
    """A second pause does not lift the first; one for everything is lifted by name of its scope."""
    desk = Desk().open()
    desk.ask(PauseEntries("ann", "to look", Everything()), instance="operator")
    desk.ask(PauseEntries("bob", "to look", OfSymbol(BTC)), instance="operator")
    desk.ask(ResumeEntries("bob", "looked", OfSymbol(BTC)), instance="operator")
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    assert "ann" in answer.reason


def test_a_pause_of_a_symbol_is_shown_with_it() -> None:
    """Whoever reads what the executor holds sees of what; what it does not know it does not pretend to pause."""
    desk = Desk().open()
    assert isinstance(desk.ask(PauseEntries("bob", "news", OfSymbol(BTC)), instance="operator"), ControlDone)
    assert of(desk.wait(0.1), BeWary)[-1].troubles == (f"operator_pause: bob: news, of {BTC}",)
    for scope in (OfSymbol("BTCUSDT"), OfStrategy(TREND)):
        assert isinstance(desk.ask(PauseEntries("bob", "news", scope), instance="operator"), ControlRefused)
    assert len(of(desk.reports, ConditionSet)) == 1
