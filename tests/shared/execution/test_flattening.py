"""What shall be flat is closed, and called FLAT only once the venue has shown it."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.control import ControlDone, ControlRefused, Flatten, Kill, LiftKill
from proto.orders import (
    EntryEnded,
    ExitEnded,
    ExitOpened,
    FlatnessTold,
    FlattenBegun,
    OrderEnded,
    OutsideSeen,
    ReconcileFinished,
)
from proto.risk import Latch
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.core.service import BeWary, ShowFlattenStep, Started
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelOrder,
    CancelSent,
    InstrumentsKnown,
    NotSent,
    OrderRead,
    OrderSent,
    SendOrder,
    Unproved,
    WeightTold,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, TREND, Desk, an_instrument, of
from tests.shared.execution.lives import DiedError, Life, Manner, SmallVenue, holding, judged, told

ALL: Final = Flatten("ada", "it is enough", None)
KILL: Final = Kill("ada", "it looks wrong")
ETH: Final = "ETH/USDT"


def test_kill_closes_everything_and_is_flat_once_the_venue_has_shown_it() -> None:
    """The stop is cancelled, the coin sold; FLAT has the number of a clean pass after the sale."""
    life = holding()
    life.ask(KILL, instance="operator")
    life.pass_time(6)
    assert not life.venue.amounts["BTC"]
    opened = of(life.reports, ExitOpened)[-1]
    assert (opened.asked_by, opened.reason, opened.target_quantity) == ("ada", "it looks wrong", Decimal(0))
    (flat,) = told(life)
    assert flat.is_flat
    assert flat.flatten_id == of(life.reports, FlattenBegun)[-1].flatten_id
    assert flat.pass_number == of(life.reports, ReconcileFinished)[-1].pass_number
    assert not judged(life)
    assert any(words.startswith("FLAT") for words in of(life.effects, BeWary)[-1].troubles)


def test_flatten_without_a_latch_ends_when_flat() -> None:
    """It is told once, and entries are taken again."""
    life = holding()
    assert isinstance(life.ask(Flatten("ada", "it is enough", BTC), instance="operator"), ControlDone)
    life.pass_time(6)
    assert [one.is_flat for one in told(life)] == [True]
    assert isinstance(life.ask(life.approval("after")), ApprovalTaken)
    assert not judged(life)


def test_no_entry_is_taken_while_its_symbol_is_flattened() -> None:
    """The one that is under way ends, another is declined; asking again for what is under way names it."""
    desk = Desk().open()
    desk.ask(desk.approval())
    desk.acknowledge(desk.sent()[-1])
    begun = desk.ask(Flatten("ada", "it is enough", BTC), instance="operator")
    assert isinstance(begun, ControlDone)
    assert of(desk.effects, CancelOrder)[-1].client_order_id == desk.sent()[0].client_order_id
    again = desk.ask(Flatten("ben", "as I say", BTC), instance="operator")
    assert again == ControlDone(f"it is under way: {of(desk.reports, FlattenBegun)[-1].flatten_id}")
    answer = desk.ask(desk.approval("meanwhile"))
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == "position_may_grow"


def test_what_holds_nothing_is_flattened_until_the_venue_has_shown_it() -> None:
    """No entry is taken before, though there is nothing to close."""
    desk = Desk().open()
    seen = len(desk.effects)
    desk.ask(ALL, instance="operator")
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == "nothing_is_flattened"
    desk.reconcile(desk.effects[seen:], usdt="10000")
    assert told(desk)[0].is_flat
    assert isinstance(desk.ask(desk.approval()), ApprovalTaken)


def test_what_is_not_traded_cannot_be_flattened() -> None:
    """A symbol that nobody knows is refused in words."""
    life = Life(SmallVenue()).run()
    answer = life.ask(Flatten("ada", "it is enough", "DOGE/USDT"), instance="operator")
    assert isinstance(answer, ControlRefused)
    assert "DOGE/USDT" in answer.reason


def test_refused_sales_are_not_flat_and_are_gone_on_with() -> None:
    """It is said at once, with the venue's reason, and again every half a minute; steps show that it goes on."""
    life = holding()
    life.venue.manner = "refuses"
    life.ask(KILL, instance="operator")
    life.pass_time(1)
    assert [(one.is_flat, "the market is closed" in one.reason) for one in told(life)] == [(False, True)]
    steps = [of(life.pass_time(2), ShowFlattenStep) for _ in range(5)]
    assert all(steps), "a second that is waited for a known reason is a step"
    assert any("NOT FLAT" in words for words in of(life.effects, BeWary)[-1].troubles)
    life.pass_time(55)
    assert len(told(life)) == 3
    life.venue.manner = "works"
    life.pass_time(40)
    assert told(life)[-1].is_flat
    assert not judged(life)


def test_a_venue_that_takes_no_orders_is_not_flat() -> None:
    """A ban is a reason that is known at once."""
    life = holding()
    life.take(WeightTold(0, life.now_ns + 50_000_000_000, None))
    life.ask(ALL, instance="operator")
    life.pass_time(0.5)
    assert not told(life)[0].is_flat
    assert told(life)[0].reason == "the venue takes no orders for a while, another 50 s: there were too many requests"


def test_orders_that_are_used_up_are_a_reason() -> None:
    """The way out of an entry has room; what goes on in parts may have none for a minute."""
    desk = Desk(limits=EgressLimits(orders_max=3, entries_max=9, symbol_entries_max=9, entries_quote_max=Decimal(999)))
    stop = desk.open().entered()
    desk.ask(ALL, instance="operator")
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    assert not told(desk)
    desk.acknowledge(desk.sent()[-1])
    desk.fill(desk.sent()[-1], "0.4", then="expired")
    assert told(desk)[0].reason == "3 orders were sent in the last minute, at most 3 may be"


def test_what_was_refused_before_is_no_reason() -> None:
    """An entry that the venue refuses stands in no exit's way, nor does a sale that was refused until it was not."""
    life = holding()
    life.venue.manner = "refuses"
    life.ask(KILL, instance="operator")
    life.pass_time(1)
    life.venue.manner = "works"
    life.pass_time(40)
    life.ask(LiftKill("ben", "looked", of(life.reports, FlattenBegun)[-1].flatten_id))
    life.file(None)
    life.ask(life.approval("second"))
    life.pass_time(0.5)
    life.venue.manner = "refuses"
    life.ask(life.approval("third"))
    life.venue.manner = "works"
    said = len(told(life))
    life.ask(ALL, instance="operator")
    life.pass_time(6)
    assert [one.is_flat for one in told(life)[said:]] == [True]


def test_books_that_differ_are_not_flat() -> None:
    """A pass that is not clean shows nothing: it is said what differs, and FLAT once that is in the books."""
    life = holding()
    life.venue.amounts["USDT"] += 5
    life.ask(KILL, instance="operator")
    life.pass_time(40)
    assert told(life)[-1].is_flat
    assert told(life)[-1].pass_number > of(life.reports, ReconcileFinished)[0].pass_number
    assert not judged(life)


def test_an_answer_about_an_order_is_a_step() -> None:
    """While a sale is in doubt nothing is written down for seconds: that the venue answers shows that it goes on."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(KILL, instance="operator")
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    sale = desk.sent()[-1].client_order_id
    desk.take(OrderSent(sale, Unproved(504, "", "no reply"), desk.now_ns + AHEAD_NS))
    desk.wait(0.5)
    assert of(desk.take(OrderRead(sale, None, desk.now_ns + AHEAD_NS, None)), ShowFlattenStep)
    assert not of(desk.take(OrderRead(sale, None, 0, "no reply")), ShowFlattenStep)


def test_a_venue_that_says_nothing_is_not_flat_and_takes_no_step() -> None:
    """Nobody knows what stands in the way: it is said after ten seconds, and whoever watches sees no step."""
    desk = Desk().open()
    desk.entered()
    desk.ask(KILL, instance="operator")
    shown = [of(desk.wait(0.1), ShowFlattenStep) for _ in range(99)]
    assert not any(shown)
    assert not told(desk)
    desk.wait(0.2)
    assert told(desk)[0].reason == f"at work: 1.0000 {BTC} of {TREND}"


def test_a_venue_that_cannot_be_reached_is_the_reason_and_no_step() -> None:
    """For how long and why stands before what is left, until the venue answers. It is no step."""
    desk = Desk().open()
    stop = desk.entered()
    desk.ask(KILL, instance="operator")
    desk.wait(4)
    desk.take(AccountRead(0, (), 0, "no answer within 5 s"))
    desk.take(CancelSent(stop.client_order_id, Unproved(None, "", "ConnectionResetError")))
    shown = [of(desk.wait(0.5), ShowFlattenStep) for _ in range(14)]
    assert not any(shown)
    at_work = f"at work: 1.0000 {BTC} of {TREND}"
    assert told(desk)[0].reason == f"the venue has given no answer of use for 6 s: ConnectionResetError; {at_work}"
    desk.take(CancelSent(stop.client_order_id, NotSent("it was signed too late")))
    desk.wait(31)
    assert told(desk)[1].reason.startswith("the venue has given no answer of use for 38 s: ")
    desk.take(AccountRead(0, (), desk.now_ns + AHEAD_NS, None))
    desk.wait(31)
    assert told(desk)[2].reason == at_work


def test_a_venue_that_was_never_reached_is_the_reason() -> None:
    """Without its time nothing is asked of it: that nothing was answered is all that is known."""
    life = holding()
    following = Life(life.venue, life)
    following.take(Started("executor", 2, 1, ()))
    following.ask(KILL, instance="operator")
    for _ in range(102):
        following.wait(0.1)
    assert told(following)[-1].reason == f"the venue has answered nothing yet; at work: 1.0000 {BTC} of {TREND}"


def test_an_entry_in_doubt_is_closed_as_far_as_it_is_known() -> None:
    """What is held is sold at once, and the rest when it is known to be there."""
    desk = Desk().open()
    desk.entered()
    desk.fill(desk.sent()[-1], price="95", then="filled")
    desk.ask(desk.approval("two"))
    entry = desk.sent()[-1]
    desk.take(OrderSent(entry.client_order_id, Unproved(504, "", "no reply"), desk.now_ns + AHEAD_NS))
    desk.ask(KILL, instance="operator")
    desk.wait(1)
    assert not told(desk)
    desk.acknowledge(entry)
    desk.fill(entry, then="filled")
    sale = desk.sent()[-1]
    assert (sale.side, sale.order_type, sale.quantity) == ("sell", "market", Decimal(1))
    desk.fill(sale, then="filled")
    assert of(desk.reports, EntryEnded)[-1].approval_id == "approval-two"
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0
    assert not told(desk), "the venue has not shown it yet"


def test_what_comes_after_flat_is_closed_as_well() -> None:
    """Under the latch it goes on: an order that was lost comes back, is closed, and FLAT is told anew."""
    life = Life(SmallVenue()).run()
    life.venue.manner = "loses"
    life.ask(life.approval())
    life.ask(KILL, instance="operator")
    life.pass_time(12)
    assert [one.is_flat for one in told(life)][-1:] == [True]
    life.take(life.venue.late(of(life.effects, SendOrder)[0], life.now_ns))
    assert life.venue.trades[-1].side == "sell"
    life.pass_time(6)
    assert [one.is_flat for one in told(life)][-2:] == [True, True]
    assert not judged(life)


@pytest.mark.parametrize("raised", [{"notional_min": Decimal(200)}, {"quantity_min": Decimal(2)}])
def test_what_is_worth_money_and_cannot_be_sold_is_not_flat(raised: dict[str, Decimal]) -> None:
    """The venue raises its least order above a position: that is no dust. It keeps its stop until it can be sold."""
    life = holding()
    life.take(InstrumentsKnown({BTC: an_instrument(**raised)}))
    life.ask(KILL, instance="operator")
    life.pass_time(40)
    assert [one.is_flat for one in told(life)] == [False, False]
    (rule, least), *_ = raised.items()
    words = f"1.0000 {BTC} of {TREND} cannot be sold, and is no dust: {rule} is {least}"
    assert words in told(life)[-1].reason
    assert not of(life.reports, ExitEnded)
    assert [order.key.purpose for order in life.core.books.working()] == ["cover"]
    life.take(InstrumentsKnown({BTC: an_instrument()}))
    life.pass_time(6)
    assert told(life)[-1].is_flat
    assert not life.venue.amounts["BTC"]
    assert not judged(life)


@pytest.mark.parametrize(("fee", "step", "left"), [("0.0005", "0.001", "0.0005"), ("0.05", "0.2", "0.1500")])
def test_crumbs_are_named(fee: str, step: str, left: str) -> None:
    """What no order of the venue may be of is nobody's, and FLAT says so; be it of a step that is worth 20."""
    venue = SmallVenue()
    venue.coin_fee = Decimal(fee)
    steps = dict.fromkeys(("quantity_step", "quantity_min", "market_quantity_min"), Decimal(step))
    life = Life(venue, instrument=an_instrument(**steps)).run()
    life.ask(life.approval())
    life.ask(ALL, instance="operator")
    life.pass_time(6)
    (flat,) = told(life)
    assert flat.is_flat
    assert f"{left} {BTC} of {TREND} (it is below the venue's least order)" in flat.reason
    assert not judged(life)


@pytest.mark.parametrize("record", range(1, 40))
def test_a_death_at_any_record_changes_nothing(record: int) -> None:
    """Whatever is the last that a life makes durable: the next one sells what is held, and is flat."""
    before = holding()
    dying = Life(before.venue, before, dies_at=len(before.recorded) + record)
    try:
        dying.run()
        dying.ask(KILL, instance="operator")
        dying.pass_time(8)
    except DiedError:
        pass
    following = Life(before.venue, dying, of_state=record % 2 == 0).run()
    following.ask(KILL, instance="operator")
    following.pass_time(12)
    assert not before.venue.amounts["BTC"]
    assert told(following)[-1].is_flat
    assert not judged(following)


acts = st.sampled_from(["enter", "enter", "kill", "file", "no file", "lift", "flatten", "leave", "restart", "wait"])
manners: st.SearchStrategy[Manner] = st.sampled_from(["works", "works", "refuses", "is silent", "loses"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(acts, manners), max_size=14))
def test_no_entry_under_the_latch_and_no_sale_beyond_what_is_held(days: list[tuple[str, Manner]]) -> None:
    """Whatever the order of kill, file, lift and restart, and however the venue takes orders meanwhile."""
    life = Life(SmallVenue()).run()
    for number, (act, manner) in enumerate(days):
        life.venue.manner = manner
        life = lived(life, act, number)
    life.venue.manner = "works"
    life.ask(KILL, instance="operator")
    life.pass_time(45)
    assert not life.venue.amounts["BTC"]
    assert told(life)[-1].is_flat
    assert all(Decimal(0) <= sum_before for sum_before in held_after_each_trade(life.venue))
    assert not judged(life)


def lived(life: Life, act: str, number: int) -> Life:
    """Do one act, and return the life that goes on."""
    match act:
        case "enter":
            life.ask(life.approval(f"{number}"))
        case "kill":
            life.ask(Kill("ada", f"number {number}"), instance="operator")
        case "file":
            life.file(Latch(f"halt-{number}", "unknown", "by hand", 1))
        case "no file":
            life.file(None)
        case "lift":
            begun = of(life.reports, FlattenBegun)
            life.ask(LiftKill("ben", "looked", begun[-1].flatten_id if begun else "kill-0"), instance="risk")
        case "flatten":
            life.ask(ALL, instance="operator")
        case "leave":
            life.leave()
        case "restart":
            return Life(life.venue, life, of_state=number % 2 == 0).run()
        case _:
            pass
    life.pass_time(1.5)
    return life


def held_after_each_trade(venue: SmallVenue) -> list[Decimal]:
    """Return what the account held after each of its trades."""
    held, sums = Decimal(0), []
    for trade in venue.trades:
        held += trade.quantity if trade.side == "buy" else -trade.quantity
        sums.append(held)
    return sums


def test_flat_rests_on_a_pass_that_held_the_balances_against_the_books() -> None:
    """While another symbol's order is in doubt money may move, and nothing is compared: that shows nothing flat."""
    life = Life(SmallVenue()).run()
    life.take(InstrumentsKnown({BTC: an_instrument(), ETH: an_instrument(symbol=ETH, base="ETH")}))
    life.venue.manner = "loses"
    life.ask(life.approval())
    assert life.core.books.working()[0].is_in_doubt
    life.venue.amounts["ETH"] = Decimal(3)  # of which our books know nothing
    life.ask(Flatten("ada", "it is enough", ETH), instance="operator")
    life.pass_time(40)
    order = [type(body) for body in life.reports if isinstance(body, FlatnessTold | OrderEnded | OutsideSeen)]
    assert [one.is_flat for one in told(life)][-1]
    assert order[-2:] == [OutsideSeen, FlatnessTold], "what nobody knew of is in the books first"
    assert not judged(life)
