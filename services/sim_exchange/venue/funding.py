"""What an order needs of its account's balance, and what the book has for it: looked at before anything is matched."""

from collections.abc import Iterator
from decimal import Decimal

from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import PRICELESS_TYPES, Order
from services.sim_exchange.venue.vocabulary import SelfTradePrevention


def offers(
    listing: Listing, account: Account, *, is_buy: bool, limit: Decimal | None, prevention: SelfTradePrevention
) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield price and quantity of what an account can take, the best first, but for what self-trade prevention bars."""
    own = {} if prevention == "NONE" else account.open_on(listing.symbol)
    for level in listing.book.against(is_buy=is_buy).levels():
        if limit is not None and (level.price > limit if is_buy else level.price < limit):
            return
        if not own:
            yield level.price, level.quantity
            continue
        for maker in level.queue.values():
            if maker.order_id not in own:
                yield level.price, maker.remaining
            elif prevention != "EXPIRE_MAKER":
                return


def takeable(floor: Floor, listing: Listing, order: Order) -> tuple[Decimal, Decimal]:
    """Return how much of what an order wants it can take at once, and what that costs at most."""
    limit = None if order.type in PRICELESS_TYPES else order.price
    quantity = cost = ZERO
    account = floor.accounts[order.account]
    for price, offered in offers(
        listing, account, is_buy=order.is_buy, limit=limit, prevention=order.self_trade_prevention
    ):
        taken = min(offered, order.remaining - quantity)
        quantity += taken
        cost += listing.quote_of(price, taken)
        if quantity == order.remaining:
            break
    return quantity, cost


def needed(floor: Floor, listing: Listing, order: Order) -> Decimal:
    """Return what must be locked for an order to be accepted, or to go on."""
    if not order.is_buy:
        return order.quantity - order.filled
    if order.quote_quantity:
        return order.quote_quantity
    if order.type not in PRICELESS_TYPES:
        return listing.quote_of(order.price, order.remaining)
    if order.working_ms is None:
        return listing.quote_of(order.stop_price, order.remaining)
    return takeable(floor, listing, order)[1]


def lock_needed(floor: Floor, listing: Listing, order: Order) -> bool:
    """Lock what an order needs, no more and no less; False, and nothing locked, if the account has not got it."""
    if order.locked:
        floor.ledger.unlock(order.pays, order.locked)
        order.locked = ZERO
    need = needed(floor, listing, order)
    if order.pays.free < need:
        return False
    order.locked = need
    floor.ledger.lock(order.pays, need)
    return True
