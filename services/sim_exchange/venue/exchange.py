"""The door of the matching core: commands in, what came of them out. Its state is a fold of the commands it took.

The time is an argument, nothing is drawn by lot, and nothing here depends on a set's order. So the same commands give
the same events, in any process. What is traded here is spot; perpetuals would be listings of another kind beside these.
"""

from collections.abc import Iterator
from decimal import Decimal, getcontext, localcontext, setcontext
from typing import Final

from services.sim_exchange.venue.amounts import EXACT
from services.sim_exchange.venue.cancelling import cancel, cancel_all, cancel_list, cancel_replace, find
from services.sim_exchange.venue.filling import fill_by_force, trigger_by_force
from services.sim_exchange.venue.floor import Floor
from services.sim_exchange.venue.listing import Listing
from services.sim_exchange.venue.order_lists import place_oco
from services.sim_exchange.venue.placing import place
from services.sim_exchange.venue.refusals import INSUFFICIENT_BALANCE
from services.sim_exchange.venue.restoring import (
    carried_over,
    restore_balance,
    restore_list,
    restore_order,
    restore_own_trade,
    restore_trade,
)
from services.sim_exchange.venue.vocabulary import (
    AccountOpened,
    Balance,
    BalanceChanged,
    CancelAll,
    CancelList,
    CancelOrder,
    CancelReplace,
    Carried,
    ClientIdRemembered,
    ClientIdRule,
    Command,
    Depth,
    Done,
    Fees,
    FillOrder,
    LevelChanged,
    ListChanged,
    ListView,
    OpenAccount,
    OrderChanged,
    OrderView,
    Outcome,
    OwnTrade,
    PlaceOco,
    PlaceOrder,
    Refused,
    RulesChanged,
    SetRules,
    SymbolRules,
    Traded,
    TradeRemembered,
    Transfer,
    TriggerOrder,
)

IDS_PER_MS: Final = 1_000  # far more than it gives, and few enough for any reader of JSON to count exactly


class Exchange:
    """Every book, every account and every order, with nothing around them."""

    def __init__(self, *, client_ids: ClientIdRule = "unique while open", opened_ms: int = 0) -> None:
        """Open it empty at a time. Every number it gives grows from there, so that a restart gives none twice."""
        self._first_id = opened_ms * IDS_PER_MS + 1
        self._floor = Floor(client_ids, self._first_id)

    def handle(self, command: Command, now_ms: int) -> Outcome:
        """Carry out a command, or refuse it and change nothing."""
        context = getcontext()
        setcontext(EXACT)  # a third of what localcontext costs, and this is done for every command
        try:
            self._floor.now_ms = now_ms
            return Outcome(answer=self._answer(command), events=self._floor.told())
        finally:
            setcontext(context)

    def _answer(self, command: Command) -> Done | Refused:
        match command:
            case PlaceOrder():
                return place(self._floor, command)
            case CancelOrder():
                return cancel(self._floor, command)
            case CancelReplace():
                return cancel_replace(self._floor, command)
            case PlaceOco():
                return place_oco(self._floor, command)
            case CancelList():
                return cancel_list(self._floor, command)
            case CancelAll():
                return cancel_all(self._floor, command)
            case FillOrder():
                return fill_by_force(self._floor, command)
            case TriggerOrder():
                return trigger_by_force(self._floor, command)
            case Transfer() | OpenAccount() | SetRules():
                return self._administer(command)

    def _administer(self, command: Transfer | OpenAccount | SetRules) -> Done | Refused:
        match command:
            case Transfer():
                return self._transfer(command)
            case OpenAccount():
                return self._open(command)
            case SetRules():
                self._set_rules(command.rules)
                self._floor.events.append(RulesChanged(rules=command.rules))
                return Done()

    def _transfer(self, command: Transfer) -> Done | Refused:
        account = self._floor.accounts[command.account]
        wallet = self._floor.ledger.wallet(command.account, command.asset)
        if wallet.free + command.amount < 0:
            return INSUFFICIENT_BALANCE
        self._floor.ledger.transfer(wallet, command.amount)
        if not account.is_market:
            self._floor.events.append(
                BalanceChanged(
                    account=command.account,
                    asset=command.asset,
                    balance=wallet.balance(),
                    reason="TRANSFER",
                    transferred=command.amount,
                )
            )
        return Done()

    def _open(self, command: OpenAccount) -> Done:
        self._floor.keep_account(command.account, command.fees, is_market=command.is_market)
        if not command.is_market:
            self._floor.events.append(AccountOpened(account=command.account, fees=command.fees))
        return Done()

    def _set_rules(self, rules: SymbolRules) -> None:
        listing = self._floor.listings.get(rules.symbol)
        if listing is None:
            self._floor.listings[rules.symbol] = Listing(rules, self._first_id)
        else:
            listing.set_rules(rules)

    def carried_over(self) -> Iterator[Carried]:
        """Yield what makes this exchange again when it is restored in this order, but for the market's own accounts."""
        yield from carried_over(self._floor)

    def restore(self, told: Carried) -> None:
        """Take back, in order, what was told before a crash: accounts, open orders and trades are then as they were."""
        with localcontext(EXACT):
            self._take_back(told)

    def _take_back(self, told: Carried) -> None:
        match told:
            case AccountOpened():
                self._floor.keep_account(told.account, told.fees, is_market=False)
            case RulesChanged():
                self._set_rules(told.rules)
            case BalanceChanged():
                restore_balance(self._floor, told)
            case OrderChanged():
                restore_order(self._floor, told)
            case ListChanged():
                restore_list(self._floor, told.list)
            case Traded():
                restore_trade(self._floor, told)
            case TradeRemembered():
                restore_own_trade(self._floor, told)
            case ClientIdRemembered():
                account = self._floor.accounts[told.account]
                account.client_ids.use((told.symbol, told.client_id), told.used_ms)
            case LevelChanged():
                pass  # the orders that are restored make the book

    def rules(self) -> dict[str, SymbolRules]:
        """Return every symbol."""
        return {symbol: listing.rules for symbol, listing in self._floor.listings.items()}

    def accounts(self) -> dict[str, Fees]:
        """Return every account that was opened, with what trading costs it."""
        return {name: account.fees for name, account in self._floor.accounts.items()}

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what an account has, by asset; `FEES_ACCOUNT` is one, too."""
        return self._floor.ledger.balances(account)

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> OrderView | None:
        """Return the order with this id, or the newest with this client id."""
        order = find(self._floor.accounts[account], symbol, order_id, client_id)
        return None if order is None else order.view()

    def orders(self, account: str, symbol: str | None = None, *, only_open: bool = False) -> list[OrderView]:
        """Return the orders of an account that are remembered, oldest first."""
        return [
            order.view()
            for order in self._floor.accounts[account].orders.values()
            if symbol in {None, order.symbol} and (order.is_open or not only_open)
        ]

    def own_trades(self, account: str, symbol: str) -> list[OwnTrade]:
        """Return the trades of an account on a symbol that are remembered, oldest first."""
        return list(self._floor.accounts[account].trades_on(symbol))

    def lists(self, account: str) -> list[ListView]:
        """Return the order lists of an account that are remembered, oldest first."""
        return [order_list.view() for order_list in self._floor.accounts[account].lists.values()]

    def trades(self, symbol: str) -> list[Traded]:
        """Return the public trades that are remembered, oldest first."""
        return list(self._floor.listings[symbol].trades)

    def average_price(self, symbol: str, now_ms: int) -> Decimal | None:
        """Return the average of the last minutes' trades, or else the last price; None before the first trade."""
        with localcontext(EXACT):
            return self._floor.listings[symbol].average.price(now_ms)

    def depth(self, symbol: str, levels: int) -> Depth:
        """Return the best levels of a book."""
        return self._floor.listings[symbol].book.depth(levels)
