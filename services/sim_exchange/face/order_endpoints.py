"""The endpoints of orders: placing, canceling, replacing, and looking at them, one by one and in lists."""

from collections.abc import Callable
from typing import Final

from services.sim_exchange.face import refusals
from services.sim_exchange.face.endpoint import Asked, Endpoint, Weigh, weight
from services.sim_exchange.face.keys import Permission
from services.sim_exchange.face.layout import Payload
from services.sim_exchange.face.order_layout import (
    ResponseType,
    all_canceled_answer,
    canceled_answer,
    list_answer,
    list_canceled_answer,
    list_placed_answer,
    order_answer,
    placed_answer,
)
from services.sim_exchange.face.order_requests import place_oco_of, place_order_of, response_of, usual_response
from services.sim_exchange.face.parameters import Parameters
from services.sim_exchange.face.refusals import CONFLICT, RefusalError
from services.sim_exchange.venue.vocabulary import CancelAll, CancelList, CancelOrder, Done, ListView, PlaceOrder

ROWS_USUAL: Final = 500
ROWS_MAX: Final = 1_000
REPLACE_MODES: Final = ("STOP_ON_FAILURE", "ALLOW_FAILURE")
CANCEL_RESTRICTIONS: Final = ("ONLY_NEW", "ONLY_PARTIALLY_FILLED")


def place(asked: Asked) -> Payload:
    """Place an order."""
    order = place_order_of(asked)
    response = response_of(asked, usual=usual_response(order.type))
    asked.parameters.check_all_read(is_signed=True)
    done = asked.venue.desk.done(order)
    return placed_answer(done.orders[0], done.fills[0], response)


def place_in_test(asked: Asked) -> Payload:
    """Check an order as far as this can be done without the book, and place none."""
    order = place_order_of(asked)
    response_of(asked, usual=usual_response(order.type))
    asked.parameters.flag("computeCommissionRates")
    return {}


def cancel(asked: Asked) -> Payload:
    """Cancel an order; of a list, the whole list."""
    command = _cancel_of(asked, "orderId", "origClientOrderId", "newClientOrderId")
    asked.parameters.check_all_read(is_signed=True)
    return _canceled(asked.venue.desk.done(command), command)


def _canceled(done: Done, command: CancelOrder) -> Payload:
    if done.list is not None:
        return list_canceled_answer(done.list, done.orders, command.cancel_client_id)
    return canceled_answer(done.orders[0], command.cancel_client_id)


def _cancel_of(asked: Asked, id_name: str, client_id_name: str, cancel_id_name: str) -> CancelOrder:
    parameters = asked.parameters
    order_id, client_id = parameters.integer(id_name), parameters.client_id(client_id_name)
    if order_id is None and client_id is None:
        raise refusals.one_of_two_missing(client_id_name, id_name)
    return CancelOrder(
        account=asked.account,
        symbol=asked.rules().symbol,
        order_id=order_id,
        client_id=client_id,
        cancel_client_id=parameters.client_id(cancel_id_name) or asked.fresh_id(),
    )


def replace(asked: Asked) -> Payload:
    """Cancel an order and place another; what happens to the second when the first fails is the mode's to say."""
    mode = asked.parameters.word("cancelReplaceMode", REPLACE_MODES, RefusalError(-1130, "Invalid cancelReplaceMode."))
    if mode is None:
        raise refusals.mandatory_missing("cancelReplaceMode")
    order = place_order_of(asked)
    response = response_of(asked, usual=usual_response(order.type))
    cancel_of = _cancel_of(asked, "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId")
    asked.parameters.check_all_read(is_signed=True)
    canceled, is_canceled = _tried(lambda: _canceled(asked.venue.desk.done(cancel_of), cancel_of))
    if not is_canceled and mode == "STOP_ON_FAILURE":
        raise _replace_failed(canceled, None, is_canceled=False)
    placed, is_placed = _tried(lambda: _placed(asked, order, response))
    if not (is_canceled and is_placed):
        raise _replace_failed(canceled, placed, is_canceled=is_canceled, is_placed=is_placed)
    return _replaced("SUCCESS", "SUCCESS", canceled, placed)


def _placed(asked: Asked, order: PlaceOrder, response: ResponseType) -> Payload:
    done = asked.venue.desk.done(order)
    return placed_answer(done.orders[0], done.fills[0], response)


def _tried(step: Callable[[], Payload]) -> tuple[Payload, bool]:
    """Return the answer of a step, or its refusal, and whether it was done."""
    try:
        return step(), True
    except RefusalError as refusal:
        return refusal.body(), False


def _replaced(cancel_result: str, order_result: str, canceled: Payload, placed: Payload | None) -> Payload:
    return {
        "cancelResult": cancel_result,
        "newOrderResult": order_result,
        "cancelResponse": canceled,
        "newOrderResponse": placed,
    }


def _replace_failed(
    canceled: Payload, placed: Payload | None, *, is_canceled: bool, is_placed: bool = False
) -> RefusalError:
    order_result = "NOT_ATTEMPTED" if placed is None else ("SUCCESS" if is_placed else "FAILURE")
    data = _replaced("SUCCESS" if is_canceled else "FAILURE", order_result, canceled, placed)
    if is_canceled or is_placed:
        return RefusalError(-2021, "Order cancel-replace partially failed.", status=CONFLICT, data=data)
    return RefusalError(-2022, "Order cancel-replace failed.", data=data)


def status(asked: Asked) -> Payload:
    """Answer an order."""
    parameters, symbol = asked.parameters, asked.rules().symbol
    order_id, client_id = parameters.integer("orderId"), parameters.client_id("origClientOrderId")
    if order_id is None and client_id is None:
        raise refusals.one_of_two_missing("origClientOrderId", "orderId")
    order = asked.records.order(asked.account, symbol, order_id=order_id, client_id=client_id)
    if order is None:
        raise RefusalError(-2013, "Order does not exist.")
    return order_answer(order)


def open_orders(asked: Asked) -> list[Payload]:
    """Answer the orders that still work."""
    symbol = asked.rules().symbol if asked.parameters.has("symbol") else None
    return [order_answer(order) for order in asked.records.orders(asked.account, symbol, only_open=True)]


def cancel_all(asked: Asked) -> list[Payload]:
    """Cancel everything on a symbol."""
    command = CancelAll(account=asked.account, symbol=asked.rules().symbol)
    asked.parameters.check_all_read(is_signed=True)
    done = asked.venue.desk.done(command)
    return all_canceled_answer(done.orders, _lists(asked), asked.fresh_id())


def all_orders(asked: Asked) -> list[Payload]:
    """Answer the orders of a symbol: from an id on, within a time, or the last ones."""
    parameters, symbol = asked.parameters, asked.rules().symbol
    limit = parameters.bounded("limit", usual=ROWS_USUAL, most=ROWS_MAX)
    from_id, start_ms, end_ms = (parameters.integer(name) for name in ("orderId", "startTime", "endTime"))
    found = [
        order
        for order in asked.records.orders(asked.account, symbol)
        if (from_id is None or order.order_id >= from_id)
        and (start_ms is None or order.placed_ms >= start_ms)
        and (end_ms is None or order.placed_ms <= end_ms)
    ]
    is_from_start = from_id is not None or start_ms is not None
    return [order_answer(order) for order in (found[:limit] if is_from_start else found[-limit:])]


def place_oco(asked: Asked) -> Payload:
    """Place two orders of which one ends the other."""
    command = place_oco_of(asked)
    response = response_of(asked, usual="RESULT")
    asked.parameters.check_all_read(is_signed=True)
    return list_placed_answer(asked.venue.desk.done(command), response)


def cancel_list(asked: Asked) -> Payload:
    """Cancel both orders of a list."""
    parameters = asked.parameters
    list_id, list_client_id = _list_named(asked, "listClientOrderId")
    cancel_client_id = parameters.client_id("newClientOrderId") or asked.fresh_id()
    command = CancelList(
        account=asked.account, symbol=asked.rules().symbol, list_id=list_id, list_client_id=list_client_id
    )
    parameters.check_all_read(is_signed=True)
    done = asked.venue.desk.done(command)
    assert done.list is not None, "the core names the list that it canceled"
    return list_canceled_answer(done.list, done.orders, cancel_client_id)


def list_status(asked: Asked) -> Payload:
    """Answer an order list."""
    list_id, list_client_id = _list_named(asked, "origClientOrderId")
    for orders in reversed(asked.records.lists(asked.account)):
        if list_id in {None, orders.list_id} and list_client_id in {None, orders.list_client_id}:
            return list_answer(orders)
    raise RefusalError(-2018, "Order list does not exist.")


def open_lists(asked: Asked) -> list[Payload]:
    """Answer the order lists that still work."""
    return [list_answer(orders) for orders in _lists(asked).values() if orders.status != "ALL_DONE"]


def _list_named(asked: Asked, client_id_name: str) -> tuple[int | None, str | None]:
    list_id, list_client_id = asked.parameters.integer("orderListId"), asked.parameters.client_id(client_id_name)
    if list_id is None and list_client_id is None:
        raise refusals.one_of_two_missing(client_id_name, "orderListId")
    return list_id, list_client_id


def _lists(asked: Asked) -> dict[int, ListView]:
    return {orders.list_id: orders for orders in asked.records.lists(asked.account)}


def _weigh_open(parameters: Parameters) -> int:
    return 6 if parameters.has("symbol") else 80


def _weigh_test(parameters: Parameters) -> int:
    return 20 if parameters.flag("computeCommissionRates") else 1


def _endpoint(
    method: str,
    path: str,
    weigh: Weigh,
    answer: Callable[[Asked], object],
    permission: Permission = "read",
    *,
    orders: int = 0,
) -> Endpoint:
    return Endpoint(
        method=method, path=f"/api/v3/{path}", weigh=weigh, answer=answer, permission=permission, orders=orders
    )


ORDER_ENDPOINTS: Final = (
    _endpoint("POST", "order", weight(1), place, "trade", orders=1),
    _endpoint("POST", "order/test", _weigh_test, place_in_test, "trade"),
    _endpoint("GET", "order", weight(4), status),
    _endpoint("DELETE", "order", weight(1), cancel, "trade"),
    _endpoint("POST", "order/cancelReplace", weight(1), replace, "trade", orders=1),
    _endpoint("GET", "openOrders", _weigh_open, open_orders),
    _endpoint("DELETE", "openOrders", weight(1), cancel_all, "trade"),
    _endpoint("GET", "allOrders", weight(20), all_orders),
    _endpoint("POST", "orderList/oco", weight(1), place_oco, "trade", orders=2),
    _endpoint("GET", "orderList", weight(4), list_status),
    _endpoint("DELETE", "orderList", weight(1), cancel_list, "trade"),
    _endpoint("GET", "openOrderList", weight(6), open_lists),
)
