"""Orders, cancellations and questions at an exchange on which all is well."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from shared.execution.vocabulary import (
    AccountRead,
    Acknowledged,
    InstrumentsKnown,
    NotSent,
    OpenOrdersRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadTrades,
    Rejected,
    SendOrder,
    TradesRead,
    VenueBalance,
    VenueClock,
    WeightTold,
)
from shared.mesh.halt_file import HaltFile
from tests.loopback import OUR_HOST, free_port
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import BRISK, CLIENT_ID, CLOCK, SYMBOL, Opened, an_order, opened

NS_PER_MS = 1_000_000
NS_PER_SECOND = 1_000_000_000


def acknowledged(sent: OrderSent) -> Acknowledged:
    """Return the outcome of what was acknowledged."""
    assert isinstance(sent.outcome, Acknowledged), sent
    return sent.outcome


async def test_limit_order_is_acknowledged(exchange: Sabotaged, ready: Opened) -> None:
    """An order that rests is acknowledged with the venue's id and ours, and the venue has it as it was wanted."""
    order = acknowledged(await ready.sent(an_order())).order
    (truth,) = exchange.orders()
    assert (order.symbol, order.client_order_id, order.venue_order_id) == (SYMBOL, CLIENT_ID, str(truth.order_id))
    assert (order.side, order.status) == ("buy", "open")
    assert (order.quantity, order.executed_quantity) == (Decimal("0.1"), Decimal(0))
    assert (truth.type, truth.time_in_force) == ("LIMIT", "GTC")
    assert truth.price == Decimal(59_000)
    assert truth.self_trade_prevention == "EXPIRE_MAKER"


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        (an_order(order_type="market", limit_price=None), "MARKET"),
        (an_order(side="sell", order_type="stop_market", limit_price=None, stop_price="58000"), "STOP_LOSS"),
        (an_order(side="sell", order_type="stop_limit", limit_price="57000", stop_price="58000"), "STOP_LOSS_LIMIT"),
    ],
)
async def test_order_of_each_type_arrives(exchange: Sabotaged, ready: Opened, order: SendOrder, kind: str) -> None:
    """Market orders and stops arrive with their prices and no others, and are acknowledged with their state."""
    answer = acknowledged(await ready.sent(renewed(order))).order
    (truth,) = exchange.orders()
    assert (truth.type, truth.quantity) == (kind, order.quantity)
    assert (truth.stop_price or None, truth.price or None) == (order.stop_price, order.limit_price)
    assert (answer.status, answer.executed_quantity) == (
        ("filled", truth.quantity) if kind == "MARKET" else ("open", 0)
    )


@pytest.mark.parametrize(("price", "bought"), [("60002.5", "2"), ("60000", "0")])
async def test_what_an_order_that_ends_at_once_leaves(
    exchange: Sabotaged, ready: Opened, price: str, bought: str
) -> None:
    """It takes what is offered up to its limit: a coin at each of two prices, or none. The rest of it expires."""
    answer = acknowledged(
        await ready.sent(an_order(order_type="limit_ioc", quantity="3.5", limit_price=price, is_entry=True))
    ).order
    assert (answer.status, answer.executed_quantity) == ("expired", Decimal(bought))
    (truth,) = exchange.orders()
    assert (truth.type, truth.time_in_force, truth.status) == ("LIMIT", "IOC", "EXPIRED")
    await ready.brought.first(OrderTold, lambda told: told.order.status == "expired")
    told = [told.trade for told in ready.brought.of(OrderTold) if told.trade is not None]
    assert sum(trade.quantity for trade in told) == Decimal(bought)
    assert all(trade.price <= Decimal(price) for trade in told)
    ready.gateway.perform(ReadOpenOrders(8))
    assert not (await ready.brought.first(OpenOrdersRead)).orders


def renewed(order: SendOrder) -> SendOrder:
    """Return an order that may be signed from now on: it was made when the tests were collected."""
    return replace(order, sign_by_boot_ns=CLOCK.boot_ns() + NS_PER_SECOND)


async def test_stamp_is_told(ready: Opened) -> None:
    """The stamp told is the venue's time at the sending, in the milliseconds that were signed."""
    sent = await ready.sent(an_order())
    assert sent.signed_venue_time_ns is not None
    assert sent.signed_venue_time_ns % NS_PER_MS == 0
    clock = ready.brought.of(VenueClock)[-1]
    venue_ns = CLOCK.boot_ns() + clock.ahead_of_boot_ns
    assert abs(venue_ns - sent.signed_venue_time_ns) < NS_PER_SECOND


async def test_order_is_not_signed_too_late(exchange: Sabotaged, ready: Opened) -> None:
    """What may not be signed any more is not sent, and has no stamp."""
    sent = await ready.sent(an_order(sign_within_ns=-1))
    assert isinstance(sent.outcome, NotSent)
    assert sent.signed_venue_time_ns is None
    assert not exchange.orders()


async def test_no_entry_is_signed_while_the_halt_file_is_there(exchange: Sabotaged, fast_path: Path) -> None:
    """It is looked for right then, whatever was seen before; what reduces risk leaves all the same."""
    file = HaltFile(fast_path)
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", is_halted=file.is_there) as gateway:
        await gateway.is_ready()
        (fast_path / "HALT").touch()
        sent = await gateway.sent(an_order(is_entry=True))
        assert sent.outcome == NotSent("the HALT file is there")
        assert sent.signed_venue_time_ns is None
        assert not exchange.orders()
        assert isinstance((await gateway.sent(an_order())).outcome, Acknowledged)


async def test_definite_refusal_is_told(exchange: Sabotaged, ready: Opened) -> None:
    """What the venue refuses by its rules is rejected, with its code and its words, and the rules are read anew."""
    exchange.suffer("rules_change", symbol="BTCUSDT", tick_size="10")
    sent = await ready.sent(an_order(limit_price="59001"))
    assert sent.outcome == Rejected("-1013", "Filter failure: PRICE_FILTER")
    known = await ready.brought.first(InstrumentsKnown, lambda one: one.instruments[SYMBOL].price_tick == 10)
    assert known.instruments[SYMBOL].symbol == SYMBOL


async def test_insufficient_balance_is_a_refusal(ready: Opened) -> None:
    """An order for more than the account has is definitely refused."""
    sent = await ready.sent(an_order(quantity="99"))
    assert sent.outcome == Rejected("-2010", "Account has insufficient balance for requested action.")


async def test_open_id_is_no_refusal(exchange: Sabotaged, ready: Opened) -> None:
    """That an order with this id is open already proves nothing about the one that was sent."""
    await ready.sent(an_order())
    sent = await ready.sent(an_order())
    assert not isinstance(sent.outcome, Rejected | Acknowledged)
    assert len(exchange.orders()) == 1


async def test_cancellation_is_acknowledged(exchange: Sabotaged, ready: Opened) -> None:
    """A cancelled order comes back as cancelled, under its own client id."""
    await ready.sent(an_order())
    outcome = (await ready.canceled()).outcome
    assert isinstance(outcome, Acknowledged)
    assert (outcome.order.client_order_id, outcome.order.status) == (CLIENT_ID, "canceled")
    assert exchange.orders()[0].status == "CANCELED"
    assert (await ready.canceled()).outcome == Rejected("-2011", "Unknown order sent.")


async def test_order_is_read(ready: Opened) -> None:
    """An order is found by our id; one that the venue does not have is a good negative; both with its time."""
    nothing = await ready.read()
    assert (nothing.order, nothing.failure) == (None, None)
    acknowledgement = acknowledged(await ready.sent(an_order())).order
    found = await ready.read()
    assert found.failure is None
    assert found.order is not None
    assert found.order.venue_order_id == acknowledgement.venue_order_id
    assert found.venue_time_ns > nothing.venue_time_ns > 0


async def test_time_of_a_reading_has_passed(exchange: Sabotaged, ready: Opened) -> None:
    """The time told with a reading is one that the venue's clock had passed when it answered."""
    asked_ms = exchange.venue.clock()
    read = await ready.read()
    # It says less than has passed by as much as is not known of the venue's clock.
    assert asked_ms * NS_PER_MS - NS_PER_SECOND < read.venue_time_ns <= exchange.venue.clock() * NS_PER_MS


async def test_account_is_read(ready: Opened) -> None:
    """Every balance is told, with what open orders lock."""
    await ready.sent(an_order())
    ready.gateway.perform(ReadAccount(7))
    read = await ready.brought.first(AccountRead)
    assert (read.read_number, read.failure) == (7, None)
    assert VenueBalance("USDT", Decimal(994_100), Decimal(5_900)) in read.balances
    assert read.venue_time_ns > 0


async def test_open_orders_of_all_symbols_are_read(exchange: Sabotaged, ready: Opened) -> None:
    """Every open order of the account is told, those of others' making as well."""
    await ready.sent(an_order())
    exchange.venue.order("BUY", "0.2", "58000", account="alice")
    ready.gateway.perform(ReadOpenOrders(8))
    read = await ready.brought.first(OpenOrdersRead)
    assert (read.read_number, read.failure) == (8, None)
    assert {order.quantity for order in read.orders} == {Decimal("0.1"), Decimal("0.2")}
    assert {order.client_order_id for order in read.orders} == {one.client_id for one in exchange.orders()}


async def test_trades_are_read_from_an_id_on(exchange: Sabotaged, ready: Opened) -> None:
    """Trades come from an id on or from a time on, by their ids, with what they cost."""
    for number in range(2):
        await ready.sent(
            an_order(order_type="market", quantity="0.2", limit_price=None, client_order_id=f"{CLIENT_ID}{number}")
        )
    ready.gateway.perform(ReadTrades(1, SYMBOL, None, exchange.venue.clock() * NS_PER_MS - 60 * NS_PER_SECOND))
    every = (await ready.brought.first(TradesRead)).trades
    assert [trade.trade_id for trade in every] == sorted(trade.trade_id for trade in every)
    assert sum(trade.quantity for trade in every) == Decimal("0.4")
    first = every[0]
    assert (first.side, first.liquidity, first.fee_asset) == ("buy", "taker", "BTC")
    assert first.quote_quantity == first.price * first.quantity
    ready.gateway.perform(ReadTrades(2, SYMBOL, every[-1].trade_id, None))
    rest = await ready.brought.first(TradesRead, lambda read: read.read_number == 2)
    assert rest.trades == every[-1:]


async def test_weight_is_told(ready: Opened) -> None:
    """How much of its limit the venue says that is used, is told whenever it changes."""
    ready.gateway.perform(ReadOpenOrders(1))
    await ready.brought.first(WeightTold, lambda told: told.used_weight >= 80)
    assert all(told.banned_until_boot_ns is None for told in ready.brought.of(WeightTold))


async def test_questions_beyond_the_bound_fail_at_once(exchange: Sabotaged) -> None:
    """Of more questions than may wait, each is answered: those beyond the bound as failed, the others in turn."""
    pace = replace(BRISK, reads_waiting_max=5)
    async with opened(f"http://127.0.0.1:{exchange.venue.port}", pace=pace) as gateway:
        for number in range(8):
            gateway.gateway.perform(ReadAccount(number))
        await gateway.brought.until(lambda: len(gateway.brought.of(AccountRead)) == 8)
        failed = [read.read_number for read in gateway.brought.of(AccountRead) if read.failure is not None]
        assert failed == [5, 6, 7]


async def test_order_overtakes_questions(exchange: Sabotaged, ready: Opened) -> None:
    """However many questions are held up, an order goes out at once."""
    exchange.suffer("late_arrival", delay_ms=4_000, when={"endpoint": "GET /api/v3/openOrders"})
    for number in range(20):
        ready.gateway.perform(ReadOpenOrders(number))
    acknowledged(await ready.sent(an_order()))
    assert not ready.brought.of(OpenOrdersRead)


async def test_orders_before_the_venue_is_reached_are_not_sent() -> None:
    """As long as nothing is known of the venue, orders and cancellations come back at once, unsent."""
    async with opened(f"http://{OUR_HOST}:{free_port()}") as gateway:
        assert isinstance((await gateway.sent(an_order())).outcome, NotSent)
        assert isinstance((await gateway.canceled()).outcome, NotSent)
