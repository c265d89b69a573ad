"""The trading floor: what the parts of the core share while they carry out a command, and what they tell meanwhile."""

from services.sim_exchange.venue.accounts import Account
from services.sim_exchange.venue.ledger import Ledger
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.orders import Order, OrderList
from services.sim_exchange.venue.vocabulary import (
    FEES_ACCOUNT,
    BalanceChanged,
    ClientIdRule,
    Event,
    Execution,
    Fees,
    Fill,
    ListChanged,
    OrderChanged,
)


class Floor:
    """All that is there, the time of the command, and the events it has caused so far."""

    def __init__(self, client_ids: ClientIdRule) -> None:
        self._client_ids = client_ids
        self.accounts: dict[str, Account] = {}
        self.listings: dict[str, Listing] = {}
        self.ledger = Ledger()
        self.now_ms = 0
        self.events: list[Event] = []
        self.next_order_id = 1
        self.next_list_id = 1
        self.next_priority = 1
        self._entered: Listing | None = None

    def enter(self, symbol: str) -> Listing | None:
        """Return the symbol that the command is about; None if there is no such symbol."""
        self._entered = self.listings.get(symbol)
        return self._entered

    def keep_account(self, name: str, fees: Fees, *, is_market: bool) -> None:
        """Let somebody trade, or change what it costs."""
        assert name != FEES_ACCOUNT, f"`{FEES_ACCOUNT}` is the venue's own account: take another name"
        assert all(0 <= rate < 1 for rate in (fees.maker, fees.taker, fees.bnb_discount)), "fees are fractions"
        account = self.accounts.get(name)
        if account is None:
            self.accounts[name] = Account(name, fees, is_market=is_market, client_ids=self._client_ids)
        else:
            assert account.is_market == is_market, f"`{name}` stays of the market, or not of the market"
            account.fees = fees

    def begin(self, order: Order) -> None:
        """Accept an order."""
        self.accounts[order.account].begin(order)
        self.tell(order, "NEW")

    def set_working(self, order: Order) -> None:
        """Let an order take part in matching from now on, behind all that did before."""
        order.working_ms = order.updated_ms = self.now_ms
        order.priority = self.next_priority
        self.next_priority += 1

    def tell(
        self,
        order: Order,
        execution: Execution,
        *,
        fill: Fill | None = None,
        cancel_client_id: str = "",
        reason: str = "NONE",
    ) -> None:
        """Tell the owner of an order what became of it."""
        if order.is_told:
            order.told = order.view()
            self.events.append(
                OrderChanged(
                    order=order.told,
                    execution=execution,
                    fill=fill,
                    cancel_client_id=cancel_client_id,
                    reason=reason,
                )
            )

    def tell_list(self, order_list: OrderList) -> None:
        """Tell the owner of a list that it began, or is done."""
        order_list.time_ms = self.now_ms
        if order_list.is_told:
            self.events.append(ListChanged(list=order_list.view()))

    def told(self) -> tuple[Event, ...]:
        """Close a command: add which levels and balances it changed, and return everything that happened."""
        if self._entered is not None:
            self.events += self._entered.book.changes()
            self._entered = None
        for wallet in self.ledger.changed():
            if not self.accounts[wallet.account].is_market:
                self.events.append(
                    BalanceChanged(account=wallet.account, asset=wallet.asset, balance=wallet.balance(), reason="ORDER")
                )
        events = tuple(self.events)
        self.events.clear()
        return events
