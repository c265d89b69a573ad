"""How what was told before a crash becomes the state it was told of.

An event about an order carries the whole order, one about a balance the whole balance: they are taken as they are, and
nothing is matched or moved again. So the fold cannot disagree with what clients were told.
"""

from collections.abc import Iterator
from typing import Final

from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.amounts import ZERO
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.matching import own_trade
from services.sim_exchange.venue.orders import Order, OrderList
from services.sim_exchange.venue.vocabulary import (
    FEES_ACCOUNT,
    NO_LIST,
    AccountOpened,
    BalanceChanged,
    Carried,
    ClientIdRemembered,
    ListChanged,
    ListView,
    OrderChanged,
    OrderView,
    RulesChanged,
    Traded,
    TradeRemembered,
)

OPEN: Final = frozenset({"NEW", "PARTIALLY_FILLED"})


def restore_balance(floor: Floor, told: BalanceChanged) -> None:
    """Take a balance as it was told."""
    wallet = floor.ledger.wallet(told.account, told.asset)
    wallet.free, wallet.locked = told.balance.free, told.balance.locked


def restore_trade(floor: Floor, trade: Traded) -> None:
    """Remember a public trade. Its numbers are not given again, also those of orders that nobody was told of."""
    floor.listings[trade.symbol].record(trade)
    floor.next_order_id = max(floor.next_order_id, trade.buyer_order_id + 1, trade.seller_order_id + 1)


def restore_own_trade(floor: Floor, told: TradeRemembered) -> None:
    """Remember a trade of an account, and that its number was given."""
    trade = told.trade
    floor.accounts[told.account].trades_on(trade.symbol).append(trade)
    listing = floor.listings[trade.symbol]
    listing.next_trade_id = max(listing.next_trade_id, trade.fill.trade_id + 1)


def carried_over(floor: Floor) -> Iterator[Carried]:
    """Yield what makes this state again when it is restored in this order: each order and list as it is now.

    Balances come last. Those of the market's accounts are left out, as is the market: it is made anew.
    """
    for listing in floor.listings.values():
        yield RulesChanged(rules=listing.rules)
    clients = [account for account in floor.accounts.values() if not account.is_market]
    for account in clients:
        yield AccountOpened(account=account.name, fees=account.fees)
        yield from _orders_and_lists(account)
        for trade in account.trades():
            yield TradeRemembered(account=account.name, trade=trade)
        for (symbol, client_id), used_ms in account.client_ids.used():
            yield ClientIdRemembered(account=account.name, symbol=symbol, client_id=client_id, used_ms=used_ms)
    for name in (*(account.name for account in clients), FEES_ACCOUNT):
        for asset, balance in floor.ledger.balances(name).items():
            yield BalanceChanged(account=name, asset=asset, balance=balance, reason="ORDER")


def _orders_and_lists(account: Account) -> Iterator[Carried]:
    # Also lists that are forgotten: an order of theirs that is not says which it belonged to.
    lists = {order.list_id: order.order_list for order in account.orders.values() if order.order_list is not None}
    lists |= account.lists
    by_age = [lists[list_id] for list_id in sorted(lists)]
    for order_list in by_age:
        yield ListChanged(list=order_list.view())
    for order in account.orders.values():
        yield OrderChanged(order=order.view(), execution="NEW")
    for order_list in by_age:
        if order_list.status == "ALL_DONE":
            yield ListChanged(list=order_list.view())


def restore_list(floor: Floor, view: ListView) -> None:
    """Begin an order list, or end it."""
    account = floor.accounts[view.account]
    order_list = account.lists.get(view.list_id)
    if order_list is None:
        floor.next_list_id = max(floor.next_list_id, view.list_id + 1)
        account.lists[view.list_id] = OrderList(
            account=view.account,
            symbol=view.symbol,
            list_id=view.list_id,
            list_client_id=view.list_client_id,
            order_ids=view.order_ids,
            client_ids=view.client_ids,
            time_ms=view.time_ms,
            is_told=True,
            orders=[],
        )
        return
    order_list.status, order_list.time_ms = view.status, view.time_ms
    if view.status == "ALL_DONE":
        account.end_list(order_list)


def restore_order(floor: Floor, told: OrderChanged) -> None:
    """Take an order as it was told, and what its last fill cost."""
    view = told.order
    account, listing = floor.accounts[view.account], floor.listings[view.symbol]
    order = account.orders.get(view.order_id)
    if order is None:
        order = _begun(floor, account, listing, view)
    _leave(listing, order, view)
    _become(order, view)
    floor.next_priority = max(floor.next_priority, view.priority + 1)
    if not order.is_open:
        account.end(order)
    elif view.working_ms is None:
        if not order.waits:
            listing.triggers.add(order)
    elif order.may_rest and not order.rests:
        listing.book.of(order).add_in_turn(order)
    listing.book.changes()  # nobody is told of them: whoever looks at the book from now on begins with all of it
    if told.fill is not None:
        restore_own_trade(floor, TradeRemembered(account=view.account, trade=own_trade(order, told.fill)))
        floor.ledger.wallet(FEES_ACCOUNT, told.fill.fee_asset).free += told.fill.fee


def _begun(floor: Floor, account: Account, listing: Listing, view: OrderView) -> Order:
    rules, is_buy = listing.rules, view.side == "BUY"
    floor.next_order_id = max(floor.next_order_id, view.order_id + 1)
    order = Order(
        account=view.account,
        symbol=view.symbol,
        order_id=view.order_id,
        client_id=view.client_id,
        side=view.side,
        is_buy=is_buy,
        type=view.type,
        time_in_force=view.time_in_force,
        quantity=view.quantity,
        quote_quantity=view.quote_quantity,
        price=view.price,
        stop_price=view.stop_price,
        self_trade_prevention=view.self_trade_prevention,
        placed_ms=view.placed_ms,
        updated_ms=view.updated_ms,
        is_told=True,
        pays=floor.ledger.wallet(view.account, rules.quote if is_buy else rules.base),
        gets=floor.ledger.wallet(view.account, rules.base if is_buy else rules.quote),
        remaining=view.quantity - view.filled,
    )
    if view.list_id != NO_LIST:
        order.join(account.lists[view.list_id])
        account.lists[view.list_id].orders.append(order)
    account.begin(order)
    return order


def _leave(listing: Listing, order: Order, view: OrderView) -> None:
    """Take out of the book what was filled or ended, so that the rest keeps its place; or end the waiting."""
    ended = view.status not in OPEN
    if order.rests:
        left = ZERO if ended else view.quantity - view.filled
        listing.book.of(order).reduce(order, order.remaining - left)
    elif order.waits and (ended or view.working_ms is not None):
        listing.triggers.remove(order)


def _become(order: Order, view: OrderView) -> None:
    order.status = view.status
    order.is_open = view.status in OPEN
    order.filled = view.filled
    order.filled_quote = view.filled_quote
    order.remaining = view.quantity - view.filled
    order.locked = view.locked
    order.updated_ms = view.updated_ms
    order.working_ms = view.working_ms
    order.priority = view.priority
