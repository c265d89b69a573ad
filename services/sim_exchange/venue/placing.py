"""New orders: what the venue looks at before it accepts one, and how it enters the matching."""

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.filters import filtered
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.funding import lock_needed, offers
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.matching import work, work_triggered
from services.sim_exchange.venue.orders import TRIGGERED_TYPES, Order
from services.sim_exchange.venue.triggers import would_fire
from services.sim_exchange.venue.vocabulary import Done, PlaceOrder, Refused


def place(floor: Floor, command: PlaceOrder) -> Done | Refused:
    """Accept an order and match it, or say why not."""
    listing = floor.enter(command.symbol)
    if listing is None:
        return refusals.INVALID_SYMBOL
    account = floor.accounts[command.account]
    refused = filtered(listing, account, command, floor.now_ms) or rejected(listing, account, command, floor.now_ms)
    if refused is not None:
        return refused
    order = new_order(floor, listing, command)
    if not order.quantity:
        refused = _size_by_quote(listing, account, order)
        if refused is not None:
            return refused
    if command.type not in TRIGGERED_TYPES:
        floor.set_working(order)
    if not lock_needed(floor, listing, order):
        return refusals.INSUFFICIENT_BALANCE
    floor.next_order_id += 1
    order.fills = []
    floor.begin(order)
    enter(floor, listing, order)
    work_triggered(floor, listing)
    return done(order)


def rejected(listing: Listing, account: Account, command: PlaceOrder, now_ms: int) -> Refused | None:
    """Return why the matching itself does not accept an order that passed the filters, or None."""
    if account.is_used(command.symbol, command.client_id, now_ms):
        return refusals.DUPLICATE_ORDER
    if command.type in TRIGGERED_TYPES:
        assert command.stop_price is not None, "the face checked that it is there"
        if would_fire(command.side, command.type, command.stop_price, listing.average.last_price):
            return refusals.WOULD_TRIGGER
    if command.type == "LIMIT_MAKER":
        is_buy = command.side == "BUY"
        best = listing.book.against(is_buy=is_buy).best()
        assert command.price is not None, "the face checked that it is there"
        if best is not None and (best.price <= command.price if is_buy else best.price >= command.price):
            return refusals.WOULD_TAKE
    return None


def new_order(floor: Floor, listing: Listing, command: PlaceOrder) -> Order:
    """Make an order of what was asked, with the number that the next one gets."""
    rules, ledger, is_buy = listing.rules, floor.ledger, command.side == "BUY"
    quantity = ZERO if command.quantity is None else command.quantity.quantize(listing.quantity_unit)
    return Order(  # with more names than these a call builds a dict first
        command.account,
        command.symbol,
        floor.next_order_id,
        command.client_id,
        command.side,
        is_buy,
        command.type,
        command.time_in_force or "GTC",
        quantity=quantity,
        quote_quantity=command.quote_quantity or ZERO,
        price=ZERO if command.price is None else command.price.quantize(listing.price_unit),
        stop_price=ZERO if command.stop_price is None else command.stop_price.quantize(listing.price_unit),
        self_trade_prevention=command.self_trade_prevention,
        placed_ms=floor.now_ms,
        updated_ms=floor.now_ms,
        is_told=not floor.accounts[command.account].is_market,
        pays=ledger.wallet(command.account, rules.quote if is_buy else rules.base),
        gets=ledger.wallet(command.account, rules.base if is_buy else rules.quote),
        remaining=quantity,
    )


def _size_by_quote(listing: Listing, account: Account, order: Order) -> Refused | None:
    """Work out how much a market order by quote quantity is of, or say why it is of nothing."""
    left, quantity, all_there = order.quote_quantity, ZERO, True
    best = None
    for price, offered in offers(
        listing, account, is_buy=order.is_buy, limit=None, prevention=order.self_trade_prevention
    ):
        best = best or price
        taken = min(offered, listing.affordable(left, price))
        quantity += taken
        left -= price * taken
        if taken < offered:
            break
    else:
        all_there = False
    if best is None:
        return refusals.EMPTY_BOOK
    if quantity < listing.rules.quantity_min:
        return refusals.THIN_BOOK if not all_there else refusals.LOT_SIZE
    order.quantity = quantity
    # One that takes all there is and wanted more is to end as expired, not as filled.
    order.remaining = quantity if all_there else quantity + listing.rules.step_size
    return None


def enter(floor: Floor, listing: Listing, order: Order) -> None:
    """Let an order that was accepted wait for its trigger, or work."""
    if order.type in TRIGGERED_TYPES:
        listing.triggers.add(order)
    else:
        work(floor, listing, order)


def done(*orders: Order) -> Done:
    """Answer with orders as they are now, and forget which fills this command gave them."""
    answer = Done(
        orders=tuple([order.told or order.view() for order in orders]),
        fills=tuple([tuple(order.fills or ()) for order in orders]),
    )
    for order in orders:
        order.fills = None
    return answer
