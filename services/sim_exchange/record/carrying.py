"""What a new segment of the log begins with: all that is needed to be the exchange of this moment again. Pure.

A segment stands for itself, so the older ones may be thrown away. What is carried over are the events themselves, but
those of orders and lists that the exchange has forgotten; of a balance, a filter or a fee the last word is enough.
"""

from collections.abc import Iterable, Sequence

from services.sim_exchange.record.lines import Lasting
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    FEES_ACCOUNT,
    AccountOpened,
    BalanceChanged,
    ListChanged,
    OrderChanged,
    RulesChanged,
)


def carried_over(events: Iterable[Lasting], exchange: Exchange) -> Sequence[Lasting]:
    """Return of all events that made this exchange those that make it again."""
    orders = {(view.symbol, view.order_id) for account in exchange.accounts() for view in exchange.orders(account)}
    lists = {view.list_id for account in exchange.accounts() for view in exchange.lists(account)}
    rules: dict[str, Lasting] = {}
    accounts: dict[str, Lasting] = {}
    balances: dict[tuple[str, str], Lasting] = {}
    remembered: list[Lasting] = []
    for event in events:
        match event:
            case RulesChanged():
                rules[event.rules.symbol] = event
            case AccountOpened():
                accounts[event.account] = event
            case BalanceChanged():
                balances[event.account, event.asset] = event
            case OrderChanged():
                if (event.order.symbol, event.order.order_id) in orders:
                    remembered.append(event)
            case ListChanged():
                if event.list.list_id in lists:
                    remembered.append(event)
    # The venue's own account is told by nobody: it follows from the fills, also from those that are left out here.
    for asset, balance in exchange.balances(FEES_ACCOUNT).items():
        balances[FEES_ACCOUNT, asset] = BalanceChanged(
            account=FEES_ACCOUNT, asset=asset, balance=balance, reason="ORDER"
        )
    return [*rules.values(), *accounts.values(), *remembered, *balances.values()]
