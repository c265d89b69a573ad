"""When the books are held against the venue's, and what counts as a difference."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from proto.orders import OrderEnded, OutsideSeen, ReconcileFinished
from shared.core.service import BeWary, Effect, Note, Stalled
from shared.execution.enquiries import READ_LAG_NS
from shared.execution.vocabulary import (
    AccountRead,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    StreamOpened,
    TradesRead,
    TransferTold,
    Unproved,
    VenueBalance,
    VenueOrder,
    VenueTrade,
)
from tests.shared.execution.desk import AHEAD_NS, BTC, SECOND_NS, Desk, of

STALLED: Final = Stalled(2 * SECOND_NS)


def begun(desk: Desk, effects: list[Effect]) -> int:
    """Return the number of the pass that begins."""
    del desk
    (read,) = of(effects, ReadOpenOrders)
    return read.read_number


def ended(desk: Desk, number: int, *orders: VenueOrder, usdt: str = "10000", btc: str = "0") -> ReconcileFinished:
    """Answer every question of a pass, and return what it found."""
    for read in of(desk.take(OpenOrdersRead(number, orders, None)), ReadTrades):
        desk.take(TradesRead(number, read.symbol, (), None))
    nothing = Decimal(0)
    balances = (VenueBalance("USDT", Decimal(usdt), nothing), VenueBalance("BTC", Decimal(btc), nothing))
    desk.take(AccountRead(number, balances, desk.now_ns + AHEAD_NS, None))
    return of(desk.reports, ReconcileFinished)[-1]


def test_stop_that_came_while_a_pass_read_is_no_difference() -> None:
    """What was acknowledged after the open orders were read cannot be among them: the pass is clean."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    number = begun(desk, desk.take(STALLED))
    desk.fill(entry, then="filled")
    desk.acknowledge(desk.sent()[-1])
    assert ended(desk, number, usdt="9900", btc="1").clean


def test_order_that_a_venue_may_not_show_yet_is_no_difference() -> None:
    """A reading may be as old as the venue lags: what was sent within that time need not be in it."""
    desk = Desk().open()
    desk.entered()
    assert ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1").clean


def test_order_whose_cancellation_is_under_way_is_no_difference() -> None:
    """It may be gone at the venue already; its end is told by what came of the cancellation."""
    desk = Desk().open()
    desk.entered()
    desk.wait(READ_LAG_NS / SECOND_NS)
    desk.leave()
    assert ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1").clean


def test_order_that_rested_and_is_not_shown_is_a_difference() -> None:
    """What the venue acknowledged long before the reading has to be in it."""
    desk = Desk().open()
    stop = desk.entered()
    desk.wait(READ_LAG_NS / SECOND_NS)
    found = ended(desk, begun(desk, desk.take(STALLED)), usdt="9900", btc="1")
    assert not found.clean
    assert found.differences == (f"{stop.client_order_id} is not open at the venue",)


# When what is read.


class Day:
    """A desk whose venue answers as told, and what it was asked, by the second."""

    def __init__(self, desk: Desk, **answers: str) -> None:
        self.orders: list[VenueOrder] = []
        self.found: VenueOrder | None = None  # what is shown of whatever order is asked for
        self.trades: tuple[VenueTrade, ...] = ()
        self.failing: type | None = None  # the questions that are answered with a failure
        self.failure = ""
        self.asked: dict[str, list[int]] = {"orders": [], "trades": [], "account": [], "order": []}
        self._desk: Final = desk
        self._answers: Final = answers
        self._begun_ns: Final = desk.now_ns

    def passes(self, seconds: int) -> None:
        """Let so many seconds pass, in which every question is answered at once."""
        for _ in range(seconds * 10):
            self.answer(self._desk.wait(0.1))

    def answer(self, effects: list[Effect]) -> None:
        """Answer every question among these, and those that follow from the answers."""
        desk = self._desk
        for effect in effects:
            failure = self.failure if self.failing is type(effect) else None
            match effect:
                case ReadOpenOrders(read_number=number):
                    self._note("orders")
                    self.answer(desk.take(OpenOrdersRead(number, tuple(self.orders), failure)))
                case ReadTrades(read_number=number, symbol=symbol):
                    self._note("trades")
                    self.answer(desk.take(TradesRead(number, symbol, self.trades, failure)))
                case ReadAccount(read_number=number):
                    if number:
                        self._note("account")
                    balances = tuple(
                        VenueBalance(asset, Decimal(total), Decimal(0)) for asset, total in self._answers.items()
                    )
                    self.answer(desk.take(AccountRead(number, balances, desk.now_ns + AHEAD_NS, failure)))
                case ReadOrder(client_order_id=name):
                    self._note("order")
                    self.answer(desk.take(OrderRead(name, self.found, desk.now_ns + AHEAD_NS, None)))
                case _:
                    pass

    def _note(self, what: str) -> None:
        self.asked[what].append((self._desk.now_ns - self._begun_ns) // SECOND_NS)


def quiet() -> Desk:
    """Return a desk whose books were opened, and then compared for the first time."""
    desk = Desk().open()
    Day(desk, USDT="10000").passes(5)
    desk.lease()
    desk.quote("99.99", "100.01")
    return desk


def test_open_orders_trades_and_everything_have_each_its_own_time() -> None:
    """With an order resting: open orders every 10 s, trades of what is held every 30 s, balances every 5 min."""
    desk = quiet()
    stop = desk.entered()
    day = Day(desk, USDT="9900", BTC="1")
    day.orders = [desk.shown(stop, "open")]
    day.passes(600)
    assert day.asked["account"] == [299, 599]
    assert len(day.asked["trades"]) == 20
    assert len(day.asked["orders"]) == 60
    assert not day.asked["order"]
    assert all(found.clean for found in of(desk.reports, ReconcileFinished))


def test_where_nothing_is_held_everything_is_read_now_and_then() -> None:
    """Without an order or a position nothing but the whole pass every five minutes is asked for."""
    day = Day(quiet(), USDT="10000")
    day.passes(600)
    assert day.asked == {"orders": [299, 599], "trades": [299, 599], "account": [299, 599], "order": []}


def test_order_that_is_gone_is_asked_for_at_the_next_look() -> None:
    """A look at the open orders that does not show one leads to a question, and is no pass that found a difference."""
    desk = quiet()
    desk.entered()
    day = Day(desk, USDT="9900", BTC="1")
    day.passes(11)
    assert day.asked["order"]
    assert not day.asked["account"]
    assert all(found.clean for found in of(desk.reports, ReconcileFinished))


def test_a_trade_that_may_have_been_of_an_order_in_doubt_is_read_again_soon() -> None:
    """Somebody else buys while it is not known whose trades are whose: it is in the books when the doubt is over."""
    desk = quiet()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.take(OrderSent(entry.client_order_id, Unproved(504, "", "gateway"), desk.now_ns + AHEAD_NS))
    other = replace(desk.shown(entry, "filled", executed=entry.quantity), client_order_id="web-1", venue_order_id="w-1")
    trade = desk.trade(other, entry.quantity, Decimal(100))
    desk.take(OrderTold(other, trade))
    assert not of(desk.reports, OutsideSeen)[1:], "it may be ours"
    day = Day(desk, USDT="9900", BTC="1")
    day.trades = (trade,)
    day.passes(20)
    assert of(desk.reports, OrderEnded)[-1].ending == "absent"
    assert [seen.asset for seen in of(desk.reports, OutsideSeen) if seen.kind == "trade"] == ["BTC", "USDT"]


def test_what_happened_before_the_books_were_opened_is_in_what_they_began_with() -> None:
    """A trade and a transfer from before, told late, are counted once: in the balances that were read after them."""
    desk = quiet()
    before_ns = desk.now_ns + AHEAD_NS - 3_600 * SECOND_NS
    other = VenueOrder(
        symbol=BTC,
        client_order_id="web-1",
        venue_order_id="w-1",
        side="buy",
        status="filled",
        quantity=Decimal(1),
        executed_quantity=Decimal(1),
        venue_time_ns=before_ns,
    )
    desk.take(OrderTold(other, replace(desk.trade(other, Decimal(1), Decimal(100)), venue_time_ns=before_ns)))
    desk.take(TransferTold("USDT", Decimal(5), "deposit-1", before_ns))
    assert {seen.kind for seen in of(desk.reports, OutsideSeen)} == {"opening"}
    desk.take(TransferTold("USDT", Decimal(5), "deposit-2", desk.now_ns + AHEAD_NS))
    assert of(desk.reports, OutsideSeen)[-1].reference == "deposit-2"


def not_listed() -> tuple[Desk, Day]:
    """Return a desk whose stop is at the venue whenever it is asked for, and never among the open orders."""
    desk = quiet()
    stop = desk.entered()
    desk.wait(READ_LAG_NS / SECOND_NS)
    day = Day(desk, USDT="9900", BTC="1")
    day.found = desk.shown(stop, "open")
    day.answer(desk.take(STALLED))
    return desk, day


def test_same_difference_is_looked_at_less_and_less() -> None:
    """A difference that stays takes a few passes at first, and few from there: every reading weighs at the venue."""
    desk, day = not_listed()
    day.passes(1_000)
    assert not any(found.clean for found in of(desk.reports, ReconcileFinished)[2:])
    assert day.asked["account"] == [0, 2, 6, 14, 30, 62, 126, 254, 510, 810]
    assert len(day.asked["order"]) <= 110


def test_other_difference_is_looked_at_soon() -> None:
    """Where something else differs than before it is looked at again soon, and then less soon again."""
    desk, day = not_listed()
    day.passes(40)
    other = Day(desk, USDT="9800", BTC="1")
    other.found = day.found
    other.passes(31)
    assert other.asked["account"] == [22, 24, 28, 30]


def test_money_that_differs_is_believed_within_seconds_however_often_it_was_looked_at() -> None:
    """What stands for some seconds is believed then, and FLAT waits no longer: looks in between delay nothing."""
    desk = quiet()
    day = Day(desk, USDT="10100")
    for _ in range(5):
        day.answer(desk.take(STALLED))
    day.passes(15)
    assert of(desk.reports, OutsideSeen)[-1].kind == "unexplained"
    assert of(desk.reports, ReconcileFinished)[-1].clean


def test_money_that_went_without_a_word_is_found_within_seconds() -> None:
    """Risk is told of the balances every five seconds: where they differ twice, no pass waits for its five minutes."""
    desk = quiet()
    day = Day(desk, USDT="9900")
    day.passes(20)
    assert day.asked["account"]
    (seen,) = [seen for seen in of(desk.reports, OutsideSeen) if seen.kind == "unexplained"]
    assert (seen.asset, seen.quantity) == ("USDT", Decimal(-100))
    assert of(desk.reports, ReconcileFinished)[-1].clean
    rest = Day(desk, USDT="9900")
    rest.passes(200)
    assert not rest.asked["account"], "nothing differs any more"


def test_balances_that_differ_once_are_no_reason_for_a_pass() -> None:
    """A venue may lag behind its own word."""
    desk = quiet()
    for _ in range(5):
        for usdt in ("9900", "10000"):
            day = Day(desk, USDT=usdt)
            day.passes(5)
            assert not day.asked["account"]


UNREAD: Final = "the books are not yet held against the venue's"


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        (ReadOpenOrders, "the open orders cannot be read: HTTP 400: Invalid symbol. (-1121)"),
        (ReadTrades, "the trades of BTC/USDT cannot be read: HTTP 400: Invalid symbol. (-1121)"),
        (ReadAccount, "the balances cannot be read: HTTP 400: Invalid symbol. (-1121)"),
    ],
)
def test_what_cannot_be_read_is_said(failing: type, words: str) -> None:
    """Entries wait for ever: a person sees for what, in the venue's words, and is told once; until it is read."""
    desk = Desk()
    desk.begin()
    day = Day(desk, USDT="10000")
    day.failing, day.failure = failing, "HTTP 400: Invalid symbol. (-1121)"
    day.answer(desk.take(StreamOpened()))
    day.passes(60)
    assert of(desk.effects, BeWary)[-1].troubles == (f"{UNREAD}: {words}",)
    assert [note.event for note in of(desk.effects, Note)] == [f"{UNREAD}: {words}"]
    day.failure = "HTTP 503: nothing of the venue's"
    day.passes(10)
    assert of(desk.effects, BeWary)[-1].troubles[0].endswith("HTTP 503: nothing of the venue's")
    assert len(of(desk.effects, Note)) == 1
    day.failing = None
    day.passes(20)
    assert of(desk.effects, BeWary)[-1].troubles == ()
