"""What a trade costs each side: taken from what it received, or in BNB at a discount where the account asks for that.

A fee is rounded up to the last digit that is counted, so that nobody trades for nothing in small pieces.
"""

from decimal import Decimal
from typing import Final

from services.sim_exchange.venue.amounts import ONE, ZERO, rounded_up, share_rounded_up
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import Order

BNB: Final = "BNB"

Fee = tuple[Decimal, str]  # how much, of which asset


def take_fee(floor: Floor, listing: Listing, order: Order, *, quantity: Decimal, quote: Decimal, rate: Decimal) -> Fee:
    """Take the fee for what an order just received, and say how much of which asset it was."""
    received = order.gets
    if not rate:
        return ZERO, received.asset
    costs = floor.accounts[order.account].fees
    price = _bnb_price(floor, listing) if costs.in_bnb else None
    if price is not None:
        wallet = floor.ledger.wallet(order.account, BNB)
        fee = share_rounded_up(quote * rate * (1 - costs.bnb_discount), price)
        if wallet.free >= fee:
            floor.ledger.pay_fee(wallet, fee)
            return fee, BNB
    fee = rounded_up((quantity if order.is_buy else quote) * rate)
    floor.ledger.pay_fee(received, fee)
    return fee, received.asset


def _bnb_price(floor: Floor, listing: Listing) -> Decimal | None:
    quote = listing.rules.quote
    if quote == BNB:
        return ONE
    against_bnb = floor.listings.get(BNB + quote)
    return None if against_bnb is None else against_bnb.average.last_price
