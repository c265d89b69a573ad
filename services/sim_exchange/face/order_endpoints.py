"""The endpoints of orders: placing, canceling, replacing, and looking at them, one by one and in lists."""

from collections.abc import Callable
from typing import Final, get_args

import msgspec

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
from services.sim_exchange.face.refusals import BAD_REQUEST, CONFLICT, RefusalError
from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelList,
    CancelOrder,
    CancelReplace,
    Done,
    ListView,
    Refused,
    ReplaceMode,
    ReplaceRefused,
)

ROWS_USUAL: Final = 500
ROWS_MAX: Final = 1_000
REPLACE_MODES: Final[tuple[ReplaceMode, ...]] = get_args(ReplaceMode)


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
    mode = asked.parameters.word(
        "cancelReplaceMode",
        REPLACE_MODES,
        RefusalError(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid."),
    )
    if mode is None:
        raise refusals.mandatory_missing("cancelReplaceMode")
    order = place_order_of(asked)
    response = response_of(asked, usual=usual_response(order.type))
    command = CancelReplace(
        cancel=_cancel_of(asked, "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId"),
        place=order,
        cancel_replace_mode=mode,
    )
    asked.parameters.check_all_read(is_signed=True)
    answer = asked.venue.desk.carry_out(command).answer
    match answer:
        case Done():  # the new order is the last of those it names
            cancelled = msgspec.structs.replace(answer, orders=answer.orders[:-1], fills=answer.fills[:-1])
            placed = Done(orders=answer.orders[-1:], fills=answer.fills[-1:])
            return _replaced(command, cancelled, placed, response)
        case ReplaceRefused():
            data = _replaced(command, answer.cancelled, answer.placed, response)
            in_part = isinstance(answer.cancelled, Done) or isinstance(answer.placed, Done)
            status = CONFLICT if in_part else BAD_REQUEST
            raise RefusalError(answer.code, answer.message, status=status, data=data)
        case Refused():
            raise RefusalError(answer.code, answer.message)


def _replaced(
    command: CancelReplace, cancelled: Done | Refused, placed: Done | Refused | None, response: ResponseType
) -> Payload:
    return {
        "cancelResult": _result(cancelled),
        "newOrderResult": _result(placed),
        "cancelResponse": _canceled(cancelled, command.cancel) if isinstance(cancelled, Done) else _refused(cancelled),
        "newOrderResponse": placed_answer(placed.orders[0], placed.fills[0], response)
        if isinstance(placed, Done)
        else _refused(placed),
    }


def _result(answer: Done | Refused | None) -> str:
    if answer is None:
        return "NOT_ATTEMPTED"
    return "SUCCESS" if isinstance(answer, Done) else "FAILURE"


def _refused(answer: Refused | None) -> Payload | None:
    return None if answer is None else {"code": answer.code, "msg": answer.message}


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
