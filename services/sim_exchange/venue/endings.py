"""How orders end: what they still had locked returns, they leave the book, and the orders of a list end together."""

from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.orders import Order, OrderList
from services.sim_exchange.venue.vocabulary import Execution, OrderStatus


def close(floor: Floor, order: Order, status: OrderStatus) -> None:
    """Let an order end, without a word and without its list."""
    listing = floor.listings[order.symbol]
    if order.rests:
        listing.book.of(order).reduce(order, order.remaining)
    elif order.waits:
        listing.triggers.remove(order)
    if order.locked:
        floor.ledger.unlock(order.pays, order.locked)
        order.locked = ZERO
    order.status = status
    order.is_open = False
    order.updated_ms = floor.now_ms
    floor.accounts[order.account].end(order)


def end(
    floor: Floor,
    order: Order,
    status: OrderStatus,
    execution: Execution,
    *,
    cancel_client_id: str = "",
    reason: str = "NONE",
) -> None:
    """Let an order end, and with it the others of its list: cancelled if it was cancelled, expired otherwise."""
    close(floor, order, status)
    floor.tell(order, execution, cancel_client_id=cancel_client_id, reason=reason)
    if order.order_list is not None:
        end_others(floor, order, status if status == "CANCELED" else "EXPIRED")
        end_list(floor, order.order_list)


def end_others(floor: Floor, order: Order, status: OrderStatus) -> None:
    """Let the other orders of an order's list end."""
    assert order.order_list is not None, "only a list has other orders"
    for other in order.order_list.orders:
        if other is not order and other.is_open:
            close(floor, other, status)
            floor.tell(other, "CANCELED" if status == "CANCELED" else "EXPIRED")


def end_list(floor: Floor, order_list: OrderList) -> None:
    """Say that a list is done, if no order of it is open any more."""
    if order_list.status != "ALL_DONE" and not order_list.is_open:
        order_list.status = "ALL_DONE"
        floor.accounts[order_list.account].end_list(order_list)
        floor.tell_list(order_list)
