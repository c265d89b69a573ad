"""Trades that are not the market's doing: for faults in which an order is filled that should not be, or not now."""

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.cancelling import find
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.funding import lock_needed
from services.sim_exchange.venue.matching import trade_with, trigger, work_triggered
from services.sim_exchange.venue.placing import done, new_order
from services.sim_exchange.venue.vocabulary import Done, FillOrder, PlaceOrder, Refused, TriggerOrder


def fill_by_force(floor: Floor, command: FillOrder) -> Done | Refused:
    """Fill an order in the book, as far as the quantity goes. The trade itself is like any other."""
    listing = floor.enter(command.symbol)
    if listing is None:
        return refusals.INVALID_SYMBOL
    maker = find(floor.accounts[command.account], command.symbol, command.order_id, None)
    if maker is None or not maker.rests:
        return refusals.UNKNOWN_ORDER
    wanted = PlaceOrder(
        account=command.against,
        symbol=command.symbol,
        side="SELL" if maker.is_buy else "BUY",
        type="LIMIT",
        client_id=f"by-force-{floor.next_order_id}",
        time_in_force="IOC",
        quantity=min(command.quantity, maker.remaining),
        price=maker.price,
    )
    taker = new_order(floor, listing, wanted)
    floor.set_working(taker)
    if not lock_needed(floor, listing, taker):
        return refusals.INSUFFICIENT_BALANCE
    floor.next_order_id += 1
    floor.begin(taker)
    trade_with(floor, listing, taker, maker)
    work_triggered(floor, listing)
    return done(maker)


def trigger_by_force(floor: Floor, command: TriggerOrder) -> Done | Refused:
    """Let an order work that waits for a price. What it takes, and at what prices, the book says."""
    listing = floor.enter(command.symbol)
    if listing is None:
        return refusals.INVALID_SYMBOL
    order = find(floor.accounts[command.account], command.symbol, command.order_id, None)
    if order is None or not order.waits:
        return refusals.UNKNOWN_ORDER
    trigger(floor, listing, order)
    work_triggered(floor, listing)
    return done(order)
