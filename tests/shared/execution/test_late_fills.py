"""A stop that is filled although its cancellation was confirmed: the trade counts, and what it breaks is said."""

from decimal import Decimal

from proto.orders import ConditionSet, ExitEnded, OrderEnded, OrderFilled, PositionChanged
from proto.verdicts import ApprovalDeclined
from shared.core.service import Stalled
from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    CancelSent,
    OpenOrdersRead,
    OrderSent,
    ReadOpenOrders,
    ReadTrades,
    Rejected,
    SendOrder,
    TradesRead,
    TransferTold,
)
from shared.trading.amounts import ZERO
from tests.shared.execution.desk import AHEAD_NS, SECOND_NS, Desk, of

ONE = Decimal(1)
NO_COINS = Rejected("-2010", "Account has insufficient balance for requested action.")


def sold_behind_a_canceled_stop(desk: Desk, *, of_owner: Decimal = ZERO) -> tuple[SendOrder, SendOrder]:
    """Let a position be sold whose stop is confirmed to be cancelled, and return that stop and the sale."""
    stop = desk.entered()
    if of_owner:
        desk.take(TransferTold("BTC", of_owner, "the owner's", desk.now_ns + AHEAD_NS))
    desk.leave()
    desk.take(CancelSent(stop.client_order_id, Acknowledged(desk.shown(stop, "canceled"))))
    assert of(desk.reports, OrderEnded)[-1].ending == "canceled"
    return stop, desk.sent()[-1]


def refuse(desk: Desk, order: SendOrder) -> None:
    """Let the venue have no coins for an order."""
    desk.take(OrderSent(order.client_order_id, NO_COINS, desk.now_ns + AHEAD_NS))


def books(desk: Desk) -> tuple[Decimal, Decimal, Decimal]:
    """Return what was told of the position last, and what the books have of coin and money."""
    ledger = desk.core.books.ledger
    return of(desk.reports, PositionChanged)[-1].quantity, ledger.balance("BTC"), ledger.balance("USDT")


def test_the_stop_sells_and_the_sale_is_refused() -> None:
    """The venue kept the coin for the stop: its trade ends the exit, and no further sale leaves."""
    desk = Desk().open()
    stop, sale = sold_behind_a_canceled_stop(desk)
    refuse(desk, sale)
    sent = len(desk.sent())
    desk.fill(stop, price="95", then="filled")
    assert of(desk.reports, OrderFilled)[-1].order.client_order_id == stop.client_order_id
    assert books(desk) == (ZERO, ZERO, Decimal(9995))
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0
    desk.wait(5)
    assert len(desk.sent()) == sent


def test_a_stop_that_rests_on_is_cancelled_again() -> None:
    """Its end was written down, and the venue shows it in the next reading: it would sell what is bought then."""
    desk = Desk().open()
    stop, sale = sold_behind_a_canceled_stop(desk)
    refuse(desk, sale)
    (read,) = of(desk.take(Stalled(2 * SECOND_NS)), ReadOpenOrders)
    (trades,) = of(desk.take(OpenOrdersRead(read.read_number, (desk.shown(stop, "open"),), None)), ReadTrades)
    desk.take(TradesRead(read.read_number, trades.symbol, (), None))
    desk.account(read.read_number, usdt="9900", btc="1")
    assert [one.client_order_id for one in of(desk.effects, CancelOrder)] == [stop.client_order_id] * 2


def test_both_are_filled_from_coins_that_the_owner_had_besides() -> None:
    """One coin too much was sold: the books say so, entries wait for somebody who looks, and money is right."""
    desk = Desk().open()
    stop, sale = sold_behind_a_canceled_stop(desk, of_owner=ONE)
    desk.acknowledge(sale)
    desk.fill(sale, then="filled")
    assert of(desk.reports, ExitEnded)[-1].quantity_left == 0
    desk.fill(stop, price="95", then="filled")
    assert books(desk) == (-ONE, ZERO, Decimal(10_095))
    desk.reconcile(desk.take(Stalled(2 * SECOND_NS)), usdt="10095")
    told = [one.condition.name for one in of(desk.reports, ConditionSet)]
    assert told[-1] == "position_oversold"
    assert isinstance(desk.ask(desk.approval("two")), ApprovalDeclined)
