"""How many stops are on a symbol at the venue, ours and the owner's: an entry leaves room for its own."""

from dataclasses import replace
from decimal import Decimal

from proto.control import ResumeEntries
from proto.risk import Everything
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.execution.vocabulary import OpenOrdersRead, OrderTold, VenueOrder
from tests.shared.execution.desk import AHEAD_NS, BTC, Desk, an_instrument

NO_ROOM = "its stop: then 4 open stops would be on the symbol, more than 3"


def by_hand(name: str, *, is_stop: bool = True, symbol: str = BTC) -> VenueOrder:
    """Return an open order that the owner placed."""
    return VenueOrder(
        symbol=symbol,
        client_order_id=f"web-{name}",
        venue_order_id=name,
        side="sell",
        status="open",
        quantity=Decimal("0.1"),
        executed_quantity=Decimal(0),
        venue_time_ns=AHEAD_NS,
        is_stop=is_stop,
    )


def opened(*orders: VenueOrder, orders_max: int = 10) -> Desk:
    """Begin where these are told of, and an operator has looked at them."""
    desk = Desk(instrument=an_instrument(algo_orders_max=3, open_orders_max=orders_max)).open()
    for order in orders:
        desk.take(OrderTold(order, None))
    desk.ask(ResumeEntries("ann", "they are mine", Everything()), instance="operator")
    return desk


def why_declined(desk: Desk, name: str = "one", **changes: object) -> str | None:
    """Return why an entry is not taken, None if it is."""
    answer = desk.ask(desk.approval(name, **changes))
    if isinstance(answer, ApprovalTaken):
        return None
    assert isinstance(answer, ApprovalDeclined)
    assert answer.rule == "venue_would_take_it"
    return answer.reason


def test_entry_waits_where_the_owners_stops_leave_no_room_for_its_own() -> None:
    """It would be bought and sold at once, again and again, for nothing could cover it; one less, and it is taken."""
    stops = [by_hand(name) for name in ("1", "2", "3")]
    desk = opened(*stops)
    assert why_declined(desk) == NO_ROOM
    assert not desk.sent()
    desk.take(OrderTold(replace(stops[1], status="canceled"), None))
    assert why_declined(desk) is None


def test_reading_says_anew_what_is_there() -> None:
    """What was missed on the stream counts from the next reading on; one that failed says nothing."""
    stops = tuple(by_hand(name) for name in ("1", "2", "3"))
    desk = opened(*stops)
    desk.take(OpenOrdersRead(0, (), "no answer"))
    assert why_declined(desk) == NO_ROOM
    desk.take(OpenOrdersRead(0, stops[:2], None))
    assert why_declined(desk) is None


def test_only_stops_on_the_symbol_are_stops_on_the_symbol() -> None:
    """Limit orders of the owner count among all orders, and what is on other symbols does not count."""
    limits = [by_hand(name, is_stop=False) for name in ("1", "2", "3")]
    elsewhere = [by_hand(name, symbol="ETH/USDT") for name in ("4", "5", "6")]
    assert why_declined(opened(*limits, *elsewhere)) is None
    full = "then 4 open orders would be on the symbol, more than 3"
    assert full in (why_declined(opened(*limits, orders_max=3)) or "")


def test_every_place_of_ours_needs_a_stop_and_none_needs_two() -> None:
    """A further entry has its stop in the place of the first one's; another strategy's comes on top."""
    desk = opened(by_hand("1"), by_hand("2"))
    desk.entered()
    assert why_declined(desk, "other", strategy="other") == NO_ROOM
    assert why_declined(desk, "two") is None


def test_entry_that_is_too_little_for_a_stop_is_declined() -> None:
    """It is enough for a purchase at 100, and its stop at 95 would be refused."""
    few = Decimal("0.052")
    reason = "its stop: notional 4.94000 is below the least notional 5"
    desk = opened()
    assert why_declined(desk, quantity_max=few) == reason
    desk.entered()
    assert why_declined(desk, "two", quantity_max=few) is None, "the stop is then for all that is held"
