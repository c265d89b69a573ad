"""Matching: an order takes from the other side of the book, best price first and first come first served at a price.

Each trade happens at the price of the order that was there. What trades trigger is worked off before the command ends,
one order after the other.
"""

from decimal import Decimal

from services.sim_exchange.venue import endings
from services.sim_exchange.venue.fees import take_fee
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.funding import lock_needed, needed, takeable
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import PRICELESS_TYPES, Order
from services.sim_exchange.venue.vocabulary import Fill, OwnTrade, Traded


def work(floor: Floor, listing: Listing, order: Order) -> None:
    """Let an order that was accepted take what it can; the rest waits in the book, or expires."""
    if order.time_in_force == "FOK" and takeable(floor, listing, order)[0] < order.remaining:
        endings.end(floor, order, "EXPIRED", "EXPIRED")
        return
    _take(floor, listing, order)
    if not order.is_open:
        return
    if order.may_rest:
        listing.book.of(order).add(order)
    else:
        endings.end(floor, order, "EXPIRED", "EXPIRED")


def work_triggered(floor: Floor, listing: Listing) -> None:
    """Let every order work that the last trades have triggered, and those that their trades trigger in turn."""
    while (order := listing.triggers.reached()) is not None:
        trigger(floor, listing, order)


def trigger(floor: Floor, listing: Listing, order: Order) -> None:
    """Let an order that waited for a price work."""
    listing.triggers.remove(order)
    floor.set_working(order)
    funded = claim(floor, listing, order)
    if funded and order.type in PRICELESS_TYPES:
        funded = lock_needed(floor, listing, order)
    floor.tell(order, "TRIGGERED")
    if funded:
        work(floor, listing, order)
    else:
        endings.end(floor, order, "EXPIRED", "EXPIRED", reason="INSUFFICIENT_BALANCES")


def claim(floor: Floor, listing: Listing, order: Order) -> bool:
    """Let an order that is the first of its list to be filled or triggered have for itself what the list had locked."""
    if order.order_list is None:
        return True
    endings.end_others(floor, order, "EXPIRED")
    return order.locked >= needed(floor, listing, order) or lock_needed(floor, listing, order)


def _take(floor: Floor, listing: Listing, taker: Order) -> None:
    side = listing.book.against(is_buy=taker.is_buy)
    limit = None if taker.type in PRICELESS_TYPES else taker.price
    while taker.is_open and (level := side.best()) is not None:
        if limit is not None and (level.price > limit if taker.is_buy else level.price < limit):
            return
        maker = level.first()
        if maker.account == taker.account and taker.self_trade_prevention != "NONE":
            _prevent(floor, taker, maker)
        else:
            trade_with(floor, listing, taker, maker)


def _prevent(floor: Floor, taker: Order, maker: Order) -> None:
    if taker.self_trade_prevention != "EXPIRE_TAKER":
        endings.end(floor, maker, "EXPIRED_IN_MATCH", "TRADE_PREVENTION")
    if taker.self_trade_prevention != "EXPIRE_MAKER":
        endings.end(floor, taker, "EXPIRED_IN_MATCH", "TRADE_PREVENTION")


def trade_with(floor: Floor, listing: Listing, taker: Order, maker: Order) -> None:
    """Let an order take what it can from another that is in the book, and settle it."""
    claim(floor, listing, maker)
    price = maker.price
    quantity = min(taker.remaining, maker.remaining)
    quote = listing.quote_of(price, quantity)
    listing.book.of(maker).reduce(maker, quantity)
    buyer, seller = (taker, maker) if taker.is_buy else (maker, taker)
    trade = Traded(
        symbol=listing.symbol,
        trade_id=listing.next_trade_id,
        price=price,
        quantity=quantity,
        buyer_order_id=buyer.order_id,
        seller_order_id=seller.order_id,
        buyer_is_maker=maker.is_buy,
        time_ms=floor.now_ms,
    )
    listing.record(trade)
    listing.triggers.saw(price)
    floor.events.append(trade)
    floor.ledger.pay(buyer.pays, seller.gets, quote)
    floor.ledger.pay(seller.pays, buyer.gets, quantity)
    buyer.locked -= quote
    seller.locked -= quantity
    _fill(floor, listing, taker, trade, quote)
    _fill(floor, listing, maker, trade, quote)


def _fill(floor: Floor, listing: Listing, order: Order, trade: Traded, quote: Decimal) -> None:
    account = floor.accounts[order.account]
    is_maker = order.is_buy == trade.buyer_is_maker
    order.remaining -= trade.quantity
    order.filled += trade.quantity
    order.filled_quote += quote
    order.updated_ms = floor.now_ms
    rate = account.fees.maker if is_maker else account.fees.taker
    fee, fee_asset = take_fee(floor, listing, order, quantity=trade.quantity, quote=quote, rate=rate)
    if not order.remaining:
        endings.close(floor, order, "FILLED")
    else:
        order.status = "PARTIALLY_FILLED"
        _unlock_saved(floor, listing, order)
    if order.is_told or order.fills is not None:
        fill = Fill(
            trade_id=trade.trade_id,
            price=trade.price,
            quantity=trade.quantity,
            quote_quantity=quote,
            fee=fee,
            fee_asset=fee_asset,
            is_maker=is_maker,
            time_ms=trade.time_ms,
        )
        if order.fills is not None:
            order.fills.append(fill)
        if order.is_told:
            account.trades_on(order.symbol).append(own_trade(order, fill))
            floor.tell(order, "TRADE", fill=fill)
    if order.order_list is not None:
        endings.end_list(floor, order.order_list)


def _unlock_saved(floor: Floor, listing: Listing, order: Order) -> None:
    """Free what a buyer saved because the price was better than its limit, or because money has a last digit."""
    if order.is_buy and order.type not in PRICELESS_TYPES:
        saved = order.locked - listing.quote_of(order.price, order.remaining)
        if saved:
            floor.ledger.unlock(order.pays, saved)
            order.locked -= saved


def own_trade(order: Order, fill: Fill) -> OwnTrade:
    """Return a fill as its owner's list of trades has it."""
    return OwnTrade(order_id=order.order_id, list_id=order.list_id, symbol=order.symbol, side=order.side, fill=fill)
