"""OCO: two orders around the price, of which the first to be filled or triggered ends the other.

What they need is locked once: by the order that needs more, until one of them has it for itself.
"""

import msgspec

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.filters import filtered
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.funding import lock_needed, needed
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import PROFIT_TYPES, STOP_TYPES, TRIGGERED_TYPES, OrderList
from services.sim_exchange.venue.placing import done, enter, new_order, rejected
from services.sim_exchange.venue.vocabulary import Done, OcoLeg, PlaceOco, PlaceOrder, Refused


def place_oco(floor: Floor, command: PlaceOco) -> Done | Refused:
    """Accept both orders, or say why neither."""
    listing = floor.enter(command.symbol)
    if listing is None:
        return refusals.INVALID_SYMBOL
    account = floor.accounts[command.account]
    legs = [_leg_order(command, leg) for leg in (command.above, command.below)]
    filters = (
        filtered(listing, account, leg, floor.now_ms, beside=other)
        for leg, other in zip(legs, reversed(legs), strict=True)
    )
    refused = (
        _types_refused(command)
        or next(filter(None, filters), None)
        or _list_refused(listing, account, command)
        or next(filter(None, (rejected(listing, account, leg, floor.now_ms) for leg in legs)), None)
    )
    return _accept(floor, listing, command, legs) if refused is None else refused


def _leg_order(command: PlaceOco, leg: OcoLeg) -> PlaceOrder:
    return PlaceOrder(
        account=command.account,
        symbol=command.symbol,
        side=command.side,
        type=leg.type,
        client_id=leg.client_id,
        time_in_force=leg.time_in_force,
        quantity=command.quantity,
        price=leg.price,
        stop_price=leg.stop_price,
        self_trade_prevention=command.self_trade_prevention,
    )


def _types_refused(command: PlaceOco) -> Refused | None:
    is_buy = command.side == "BUY"
    profit, stop = (command.below, command.above) if is_buy else (command.above, command.below)
    types = {profit.type, stop.type}
    if not types <= TRIGGERED_TYPES | {"LIMIT_MAKER"}:
        return refusals.OCO_TYPE
    if types == {"LIMIT_MAKER"}:
        return refusals.OCO_BOTH_LIMIT
    if stop.type == "LIMIT_MAKER":
        return refusals.OCO_BUY_LIMIT if is_buy else refusals.OCO_SELL_LIMIT
    if profit.type in STOP_TYPES:
        return refusals.OCO_BUY_STOP if is_buy else refusals.OCO_SELL_STOP
    if stop.type in PROFIT_TYPES:
        return refusals.OCO_BUY_PROFIT if is_buy else refusals.OCO_SELL_PROFIT
    return None


def _list_refused(listing: Listing, account: Account, command: PlaceOco) -> Refused | None:
    ids = {other.list_client_id for other in account.lists.values() if other.status == "EXEC_STARTED"}
    if command.list_client_id in ids or command.above.client_id == command.below.client_id:
        return refusals.DUPLICATE_ORDER
    above, below = (
        leg.price if leg.type == "LIMIT_MAKER" else leg.stop_price for leg in (command.above, command.below)
    )
    assert above is not None, "the face checked that it is there"
    assert below is not None, "the face checked that it is there"
    last = listing.average.last_price
    if not (below < above if last is None else below < last < above):
        return refusals.PRICES_UNRELATED
    return None


def _accept(floor: Floor, listing: Listing, command: PlaceOco, legs: list[PlaceOrder]) -> Done | Refused:
    orders = [new_order(floor, listing, leg) for leg in legs]
    holder = max(orders, key=lambda order: needed(floor, listing, order))
    if not lock_needed(floor, listing, holder):
        return refusals.INSUFFICIENT_BALANCE
    for order in orders:
        order.order_id = floor.next_order_id
        floor.next_order_id += 1
    order_list = OrderList(
        account=command.account,
        symbol=command.symbol,
        list_id=floor.next_list_id,
        list_client_id=command.list_client_id,
        order_ids=tuple(order.order_id for order in orders),
        client_ids=tuple(order.client_id for order in orders),
        time_ms=floor.now_ms,
        is_told=orders[0].is_told,
        orders=orders,
    )
    floor.next_list_id += 1
    floor.accounts[command.account].lists[order_list.list_id] = order_list
    floor.tell_list(order_list)
    for order in orders:
        order.join(order_list)
        if order.type not in TRIGGERED_TYPES:
            floor.set_working(order)
        floor.begin(order)
    for order in orders:
        enter(floor, listing, order)
    return msgspec.structs.replace(done(*orders), list=order_list.view())
