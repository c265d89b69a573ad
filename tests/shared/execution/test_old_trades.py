"""A trade of ours that the books can no longer tell from a repetition."""

from decimal import Decimal
from typing import Final

from proto.orders import ConditionSet, OrderFilled
from shared.execution.vocabulary import OrderTold, SendOrder, VenueTrade
from shared.trading.fills import TRADES_REMEMBERED
from tests.shared.execution.desk import Desk, of

PIECE: Final = Decimal("0.0001")


def told(desk: Desk, order: SendOrder, trade_id: int) -> None:
    """Let the venue tell of a small trade of an order that is still open."""
    shown = desk.shown(order, "open", executed=PIECE * trade_id)
    trade = VenueTrade(
        symbol=order.symbol,
        trade_id=trade_id,
        venue_order_id=shown.venue_order_id,
        side=order.side,
        price=Decimal(100),
        quantity=PIECE,
        quote_quantity=PIECE * 100,
        fee=Decimal(0),
        fee_asset="USDT",
        liquidity="taker",
        venue_time_ns=shown.venue_time_ns,
    )
    desk.take(OrderTold(shown, trade))


def test_a_trade_older_than_those_remembered_waits_for_somebody() -> None:
    """It is not counted, for it may have been; and nothing is entered before an operator has looked."""
    desk = Desk().open()
    desk.ask(desk.approval())
    (order,) = desk.sent()
    desk.acknowledge(order)
    for trade_id in range(1, TRADES_REMEMBERED + 2):
        told(desk, order, trade_id)
    filled = len(of(desk.reports, OrderFilled))
    told(desk, order, TRADES_REMEMBERED)
    assert not of(desk.reports, ConditionSet)
    told(desk, order, 1)
    (condition,) = [one.condition for one in of(desk.reports, ConditionSet)]
    assert (condition.name, condition.permission) == ("trade_forgotten", "REDUCE_ONLY")
    assert len(of(desk.reports, OrderFilled)) == filled
