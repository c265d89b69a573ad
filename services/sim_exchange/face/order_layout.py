"""Orders, order lists and an account's own trades as the venue answers them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal

from services.sim_exchange.face.layout import Payload, fixed
from services.sim_exchange.venue.vocabulary import NO_LIST, Done, Fill, ListView, OrderView, OwnTrade

ResponseType = Literal["ACK", "RESULT", "FULL"]

LIST_ORDER_STATUS: Final = {"EXEC_STARTED": "EXECUTING", "ALL_DONE": "ALL_DONE"}
WITHOUT_STOP: Final = frozenset({"LIMIT", "LIMIT_MAKER", "MARKET"})


def _named(order: OrderView) -> Payload:
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_id,
    }


def _state(order: OrderView) -> Payload:
    return {
        "price": fixed(order.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(order.quote_quantity),
        "cummulativeQuoteQty": fixed(order.filled_quote),
        "status": order.status,
        "timeInForce": order.time_in_force,
        "type": order.type,
        "side": order.side,
        **({} if order.type in WITHOUT_STOP else {"stopPrice": fixed(order.stop_price)}),
        "selfTradePreventionMode": order.self_trade_prevention,
    }


def order_answer(order: OrderView) -> Payload:
    """Return an order that was asked for."""
    return {
        **_named(order),
        **_state(order),
        "stopPrice": fixed(order.stop_price),
        "icebergQty": fixed(Decimal(0)),
        "time": order.placed_ms,
        "updateTime": order.updated_ms,
        "isWorking": order.working_ms is not None,
        "workingTime": -1 if order.working_ms is None else order.working_ms,
    }


def placed_answer(order: OrderView, fills: Iterable[Fill], response: ResponseType) -> Payload:
    """Return what the placing of an order is answered with."""
    answer: Payload = {**_named(order), "transactTime": order.updated_ms}
    if response == "ACK":
        return answer
    answer |= _state(order)
    answer["workingTime"] = -1 if order.working_ms is None else order.working_ms
    if response == "FULL":
        answer["fills"] = [_fill(fill) for fill in fills]
    return answer


def _fill(fill: Fill) -> Payload:
    return {
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }


def canceled_answer(order: OrderView, cancel_client_id: str) -> Payload:
    """Return what a cancellation is answered with: it has a client id of its own."""
    return {
        **_named(order),
        "origClientOrderId": order.client_id,
        "clientOrderId": cancel_client_id,
        "transactTime": order.updated_ms,
        **_state(order),
    }


def list_answer(orders: ListView) -> Payload:
    """Return an order list that was asked for."""
    return {
        "orderListId": orders.list_id,
        "contingencyType": "OCO",
        "listStatusType": orders.status,
        "listOrderStatus": LIST_ORDER_STATUS[orders.status],
        "listClientOrderId": orders.list_client_id,
        "transactionTime": orders.time_ms,
        "symbol": orders.symbol,
        "orders": [
            {"symbol": orders.symbol, "orderId": order_id, "clientOrderId": client_id}
            for order_id, client_id in zip(orders.order_ids, orders.client_ids, strict=True)
        ],
    }


def list_placed_answer(done: Done, response: ResponseType) -> Payload:
    """Return what the placing of an order list is answered with."""
    assert done.list is not None, "the core names the list that it placed"
    reports = [placed_answer(order, fills, response) for order, fills in zip(done.orders, done.fills, strict=True)]
    return {**list_answer(done.list), "orderReports": reports}


def list_canceled_answer(orders: ListView, legs: Sequence[OrderView], cancel_client_id: str) -> Payload:
    """Return what the cancellation of an order list is answered with."""
    return {**list_answer(orders), "orderReports": [canceled_answer(leg, cancel_client_id) for leg in legs]}


def all_canceled_answer(
    orders: Sequence[OrderView], lists: Mapping[int, ListView], cancel_client_id: str
) -> list[Payload]:
    """Return what the cancellation of everything is answered with: each list once, with its orders inside."""
    legs: dict[int, list[OrderView]] = {}
    for order in orders:
        legs.setdefault(order.list_id, []).append(order)
    alone = [canceled_answer(order, cancel_client_id) for order in legs.pop(NO_LIST, [])]
    return alone + [list_canceled_answer(lists[list_id], both, cancel_client_id) for list_id, both in legs.items()]


def own_trade_answer(trade: OwnTrade) -> Payload:
    """Return a trade of the account."""
    fill = trade.fill
    return {
        "symbol": trade.symbol,
        "id": fill.trade_id,
        "orderId": trade.order_id,
        "orderListId": trade.list_id,
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.quote_quantity),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": trade.side == "BUY",
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }
