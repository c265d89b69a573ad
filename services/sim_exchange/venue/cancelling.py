"""Cancels: one order, a list, all of a symbol, or one order in exchange for a new one. They work in a halt, too."""

import msgspec

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.endings import end
from services.sim_exchange.venue.filters import filtered
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.orders import Order
from services.sim_exchange.venue.placing import done, place
from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelList,
    CancelOrder,
    CancelReplace,
    Done,
    Refused,
    ReplaceRefused,
)


def cancel(floor: Floor, command: CancelOrder) -> Done | Refused:
    """End an open order, and with it the list it belongs to."""
    if floor.enter(command.symbol) is None:
        return refusals.INVALID_SYMBOL
    account = floor.accounts[command.account]
    order = find(account, command.symbol, command.order_id, command.client_id)
    if order is None or not order.is_open:
        return refusals.UNKNOWN_ORDER
    end(floor, order, "CANCELED", "CANCELED", cancel_client_id=command.cancel_client_id)
    if order.order_list is None:
        return done(order)
    return msgspec.structs.replace(done(*order.order_list.orders), list=order.order_list.view())


def find(account: Account, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
    """Return the order of an account that all the given ids mean, or None."""
    if order_id is not None:
        order = account.orders.get(order_id)
    else:
        order = None if client_id is None else account.newest(symbol, client_id)
    if order is None or order.symbol != symbol or client_id not in {None, order.client_id}:
        return None
    return order


def cancel_list(floor: Floor, command: CancelList) -> Done | Refused:
    """End the orders of a list that are open."""
    if floor.enter(command.symbol) is None:
        return refusals.INVALID_SYMBOL
    for order_list in floor.accounts[command.account].lists.values():
        asked = (command.list_id or order_list.list_id, command.list_client_id or order_list.list_client_id)
        if asked == (order_list.list_id, order_list.list_client_id) and order_list.symbol == command.symbol:
            still_open = next((order for order in order_list.orders if order.is_open), None)
            if still_open is not None:
                end(floor, still_open, "CANCELED", "CANCELED")
                return msgspec.structs.replace(done(*order_list.orders), list=order_list.view())
    return refusals.UNKNOWN_ORDER


def cancel_all(floor: Floor, command: CancelAll) -> Done | Refused:
    """End every open order of an account on a symbol."""
    if floor.enter(command.symbol) is None:
        return refusals.INVALID_SYMBOL
    orders = list(floor.accounts[command.account].open_on(command.symbol).values())
    for order in orders:
        if order.is_open:  # the other order of its list may have ended it
            end(floor, order, "CANCELED", "CANCELED")
    return done(*orders) if orders else refusals.UNKNOWN_ORDER


def cancel_replace(floor: Floor, command: CancelReplace) -> Done | Refused:
    """End an order and place another; whether the second is tried where the first failed is for the asker to say."""
    wanted = command.place
    assert (command.cancel.account, command.cancel.symbol) == (wanted.account, wanted.symbol), "two symbols or accounts"
    listing = floor.enter(wanted.symbol)
    if listing is None:
        return refusals.INVALID_SYMBOL
    refused = filtered(listing, floor.accounts[wanted.account], wanted, floor.now_ms)
    if refused is not None:
        return refused
    cancelled = cancel(floor, command.cancel)
    tried = isinstance(cancelled, Done) or command.cancel_replace_mode == "ALLOW_FAILURE"
    placed = place(floor, wanted) if tried else None
    if isinstance(cancelled, Done) and isinstance(placed, Done):
        return Done(orders=cancelled.orders + placed.orders, fills=cancelled.fills + placed.fills, list=cancelled.list)
    in_part = isinstance(cancelled, Done) or isinstance(placed, Done)
    code, message = refusals.REPLACE_FAILED_IN_PART if in_part else refusals.REPLACE_FAILED
    return ReplaceRefused(code=code, message=message, cancelled=cancelled, placed=placed)
