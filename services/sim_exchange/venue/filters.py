"""The filters of a symbol: what an order must be like to be looked at by the matching at all, in the venue's order."""

from decimal import Decimal

from services.sim_exchange.venue import refusals
from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.amounts import decimals
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import PRICELESS_TYPES, TRIGGERED_TYPES
from services.sim_exchange.venue.vocabulary import PlaceOrder, Refused


def filtered(
    listing: Listing, account: Account, order: PlaceOrder, now_ms: int, *, beside: PlaceOrder | None = None
) -> Refused | None:
    """Return why an order is not let through, or None. Another one may be added together with it."""
    if listing.rules.status != "TRADING":
        return refusals.MARKET_CLOSED
    return (
        _price_refused(listing, order.price, "price")
        or _price_refused(listing, order.stop_price, "stopPrice")
        or _quantity_refused(listing, order)
        or _percent_refused(listing, order, now_ms)
        or _notional_refused(listing, order, now_ms)
        or _count_refused(listing, account, [order] if beside is None else [order, beside])
    )


def _price_refused(listing: Listing, price: Decimal | None, parameter: str) -> Refused | None:
    if price is None:
        return None
    rules = listing.rules
    if price <= 0:
        return refusals.INVALID_PRICE
    if not rules.price_min <= price <= rules.price_max:
        return refusals.PRICE_FILTER
    if price % rules.tick_size:
        fine = decimals(price) > rules.quote_precision
        return refusals.too_precise(parameter) if fine else refusals.PRICE_FILTER
    return None


def _quantity_refused(listing: Listing, order: PlaceOrder) -> Refused | None:
    rules, quantity = listing.rules, order.quantity
    if quantity is None:
        if order.quote_quantity is None or order.quote_quantity <= 0:
            return refusals.INVALID_QUANTITY
        fine = decimals(order.quote_quantity) > rules.quote_precision
        return refusals.too_precise("quoteOrderQty") if fine else None
    if quantity <= 0:
        return refusals.INVALID_QUANTITY
    if not rules.quantity_min <= quantity <= rules.quantity_max:
        return refusals.LOT_SIZE
    if quantity % rules.step_size:
        fine = decimals(quantity) > rules.base_precision
        return refusals.too_precise("quantity") if fine else refusals.LOT_SIZE
    if order.type in PRICELESS_TYPES and quantity > rules.market_quantity_max:
        return refusals.MARKET_LOT_SIZE
    return None


def _percent_refused(listing: Listing, order: PlaceOrder, now_ms: int) -> Refused | None:
    average = listing.average.fraction(now_ms)
    if order.price is None or average is None:
        return None
    quote, quantity = average
    priced = order.price * quantity
    if not listing.rules.percent_down * quote <= priced <= listing.rules.percent_up * quote:
        return refusals.PERCENT_PRICE
    return None


def _notional_refused(listing: Listing, order: PlaceOrder, now_ms: int) -> Refused | None:
    rules = listing.rules
    if order.quantity is None:
        assert order.quote_quantity is not None, "_quantity_refused let it through"
        return refusals.NOTIONAL if order.quote_quantity < rules.notional_min else None
    price = order.stop_price if order.price is None else order.price
    if price is not None:
        notional = price * order.quantity
        too_much = notional > rules.notional_max and order.type not in PRICELESS_TYPES
        return refusals.NOTIONAL if too_much or notional < rules.notional_min else None
    average = listing.average.fraction(now_ms)
    if average is None:
        return None
    quote, quantity = average
    return refusals.NOTIONAL if order.quantity * quote < rules.notional_min * quantity else None


def _count_refused(listing: Listing, account: Account, added: list[PlaceOrder]) -> Refused | None:
    order = added[0]
    if account.is_market or order.type == "MARKET":
        return None
    already = account.open_on(listing.symbol)
    if len(already) + len(added) > listing.rules.open_orders_max:
        return refusals.MAX_NUM_ORDERS
    if order.type in TRIGGERED_TYPES:
        waiting = sum(other.type in TRIGGERED_TYPES for other in already.values())
        if waiting + sum(other.type in TRIGGERED_TYPES for other in added) > listing.rules.algo_orders_max:
            return refusals.MAX_NUM_ALGO_ORDERS
    return None
