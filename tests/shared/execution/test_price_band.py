"""No coin of an entry is paid with more than was approved, whatever the book behind the quote looks like."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.orders import EntryEnded, OrderEnded, OrderFilled
from proto.risk import Everything
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    Done,
    Fees,
    OpenAccount,
    OrderType,
    PlaceOrder,
    SetRules,
    TimeInForce,
    Transfer,
)
from shared.execution.outside import CONTRADICTED
from shared.execution.vocabulary import Acknowledged, CancelOrder, CancelSent, OrderTold, ReadOrder, SendOrder
from shared.mesh.gateway.venues.binance import STATUS
from shared.mesh.gateway.venues.catalog import VENUES
from tests.services.sim_exchange.venue.builders import rules
from tests.shared.execution.desk import BTC, TREND, Desk, an_instrument, of

NOTHING: Final = Decimal(0)
LATE_MS: Final = 1_790_000_000_000
RULES: Final = rules(percent_up=Decimal(5), percent_down=Decimal("0.2"))
Offers = list[tuple[Decimal, Decimal]]  # so much at such a price


class Book:
    """The simulated exchange with offers at several prices, and an order of ours as the gateway would send it."""

    def __init__(self, offers: Offers) -> None:
        self._exchange: Final = Exchange(opened_ms=LATE_MS)
        self._exchange.handle(SetRules(rules=RULES), LATE_MS)
        for account in ("ours", "maker"):
            free = Fees(maker=NOTHING, taker=NOTHING)
            self._exchange.handle(OpenAccount(account=account, fees=free), LATE_MS)
            for asset in ("BTC", "USDT"):
                self._exchange.handle(Transfer(account=account, asset=asset, amount=Decimal(1_000_000)), LATE_MS)
        for number, (price, quantity) in enumerate(offers):
            offer = PlaceOrder(
                account="maker",
                symbol="BTCUSDT",
                side="SELL",
                type="LIMIT",
                client_id=f"offer-{number}",
                time_in_force="GTC",
                quantity=quantity,
                price=price,
            )
            assert isinstance(self._exchange.handle(offer, LATE_MS).answer, Done)

    def meet(self, desk: Desk, order: SendOrder) -> None:
        """Let an order meet the book, and tell its trades one by one, and then how it ended."""
        done = self._placed(order)
        shown, bought = done.orders[0], NOTHING
        desk.acknowledge(order)
        for fill in done.fills[0]:
            bought += fill.quantity
            told = desk.shown(order, "filled" if bought == order.quantity else "open", executed=bought)
            desk.take(OrderTold(told, desk.trade(told, fill.quantity, fill.price)))
        desk.take(OrderTold(desk.shown(order, STATUS[shown.status], executed=bought), None))

    def _placed(self, order: SendOrder) -> Done:
        asked = VENUES["binance"].placing(order, "BTCUSDT").parameters
        types: dict[object, OrderType] = {"LIMIT": "LIMIT", "MARKET": "MARKET"}
        in_force: dict[object, TimeInForce | None] = {"IOC": "IOC", "GTC": "GTC", None: None}
        answer = self._exchange.handle(
            PlaceOrder(
                account="ours",
                symbol="BTCUSDT",
                side="BUY",
                type=types[asked["type"]],
                client_id=order.client_order_id,
                time_in_force=in_force[asked.get("timeInForce")],
                quantity=order.quantity,
                price=order.limit_price,
            ),
            LATE_MS,
        ).answer
        assert isinstance(answer, Done), answer
        return answer


def entered(offers: Offers, price_high: str) -> tuple[Desk, SendOrder]:
    """Let an entry of one coin, approved up to a price, meet a book."""
    desk = Desk().open()
    approval = desk.approval(price_high=Decimal(price_high), quantity_max=Decimal(1))
    assert isinstance(desk.ask(approval), ApprovalTaken)
    entry = desk.sent()[-1]
    Book(offers).meet(desk, entry)
    for _ in range(3):  # a stop that covers one trade is replaced by one that covers all of them
        covered(desk)
        desk.quote("99.99", "100.01")
        desk.wait(1.1)
    return desk, entry


def covered(desk: Desk) -> None:
    """Let the venue take the newest stop, and cancel what shall be cancelled."""
    stop = desk.sent()[-1]
    if stop.order_type == "stop_market":
        desk.acknowledge(stop)
        if stop.client_order_id in {cancel.client_order_id for cancel in of(desk.effects, CancelOrder)}:
            desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))


def test_thin_book_is_bought_as_far_as_was_approved() -> None:
    """The rest expires: what was bought has its stop, and the loss at it is what was reckoned with."""
    desk, entry = entered([(Decimal("100.01"), Decimal("0.1")), (Decimal(130), Decimal(5))], "100.50")
    assert (entry.order_type, entry.limit_price) == ("limit_ioc", Decimal("100.50"))
    assert [(fill.price, fill.quantity) for fill in of(desk.reports, OrderFilled)] == [
        (Decimal("100.01"), Decimal("0.1"))
    ]
    assert [(ended.ending, ended.executed_quantity) for ended in of(desk.reports, OrderEnded)] == [
        ("expired", Decimal("0.1"))
    ]
    ended = of(desk.reports, EntryEnded)[-1]
    assert ended.filled_quantity == Decimal("0.1")
    assert ended.reason == "its order expired: 0.100 of 1.000 was bought, at 100.50 at most"
    stop = desk.sent()[-1]
    assert (stop.side, stop.order_type, stop.quantity) == ("sell", "stop_market", Decimal("0.1"))
    assert desk.core.books.is_entered((TREND, BTC)) is False


def test_nothing_within_the_band_is_no_entry() -> None:
    """It ends with nothing bought, says so, and leaves neither stop nor pause: the next approval is taken."""
    desk, entry = entered([(Decimal("100.51"), Decimal(5))], "100.50")
    assert desk.sent()[-1] == entry
    ended = of(desk.reports, EntryEnded)[-1]
    assert (ended.filled_quantity, ended.reason) == (
        NOTHING,
        "its order expired: nothing of 1.000 was bought, at 100.50 at most",
    )
    assert desk.core.books.conditions == {}
    desk.lease()
    assert isinstance(desk.ask(desk.approval("two")), ApprovalTaken)


def test_fill_above_the_limit_is_no_secret() -> None:
    """A venue that does what cannot be is counted, covered, and waits for an operator: more is lost at the stop."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    desk.fill(entry, price="130", then="filled")
    ((name, scope), condition), *others = desk.core.books.conditions.items()
    assert (name, scope, condition.permission, others) == (CONTRADICTED, Everything(), "REDUCE_ONLY", [])
    assert condition.reason.startswith("filled at 130, above its limit")
    assert desk.sent()[-1].order_type == "stop_market"


def test_an_entry_that_is_said_to_rest_is_asked_about() -> None:
    """It ends at once: where the venue says that it is open, a word of it is on its way, or was missed."""
    desk = Desk().open()
    desk.ask(desk.approval())
    entry = desk.sent()[-1]
    desk.acknowledge(entry)
    assert [read.client_order_id for read in of(desk.wait(2), ReadOrder)] == [entry.client_order_id]


def test_approved_price_between_ticks_is_rounded_down() -> None:
    """Upwards it would be dearer than what was approved."""
    desk = Desk().open()
    desk.ask(desk.approval(price_high=Decimal("100.019")))
    assert desk.sent()[-1].limit_price == Decimal("100.01")


@pytest.mark.parametrize(
    ("tick", "price_high", "words"),
    [
        ("0.02", "100.015", "the ask is 100.01, the highest whole tick that is approved 100.000"),
        ("200", "105", "the ask is 100.01, the highest whole tick that is approved 0"),
    ],
)
def test_no_whole_tick_up_to_the_approved_price(tick: str, price_high: str, words: str) -> None:
    """Where the venue's tick has become too coarse for the band, the approval is declined."""
    desk = Desk(instrument=an_instrument(price_tick=Decimal(tick))).open()
    answer = desk.ask(desk.approval(price_high=Decimal(price_high)))
    assert isinstance(answer, ApprovalDeclined)
    assert (answer.rule, answer.reason) == ("price_in_band", words)
    assert not desk.sent()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"market_quantity_max": Decimal("0.9")}, "quantity 1.0000 is above the greatest quantity 0.9"),
        ({"notional_max": Decimal(104)}, "notional 105.000000 is above the greatest notional 104"),
    ],
)
def test_entry_keeps_the_filters_of_what_it_is_sold_with(rules: dict[str, Decimal], words: str) -> None:
    """It is bought with a limit, and sold at market: the bounds of both hold. Its notional is that at its limit."""
    desk = Desk(instrument=an_instrument(**rules)).open()
    answer = desk.ask(desk.approval())
    assert isinstance(answer, ApprovalDeclined)
    assert (answer.rule, answer.reason) == ("venue_would_take_it", words)


PRICES: Final = st.integers(9_900, 10_600).map(lambda ticks: Decimal(ticks) / 100)
QUANTITIES: Final = st.integers(60, 900).map(lambda steps: Decimal(steps) / 1_000)


@given(st.lists(st.tuples(PRICES, QUANTITIES), max_size=6), st.integers(100_010, 105_000))
def test_no_coin_is_dearer_than_approved(offers: Offers, thousandths: int) -> None:
    """Whatever the book: all of it up to the approved price is bought if there is need, and nothing beyond."""
    price_high = Decimal(thousandths) / 1_000
    desk, _ = entered(offers, str(price_high))
    fills = of(desk.reports, OrderFilled)
    assert all(fill.price <= price_high for fill in fills)
    offered = sum((quantity for price, quantity in offers if price <= price_high), NOTHING)
    bought = sum((fill.quantity for fill in fills), NOTHING)
    assert bought == min(offered, Decimal(1))
    covers = [order.open_quantity for order in desk.core.books.working() if order.key.purpose == "cover"]
    assert covers == ([bought] if bought else [])
    assert of(desk.reports, EntryEnded)[-1].filled_quantity == bought
