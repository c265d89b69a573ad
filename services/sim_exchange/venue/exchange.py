"""The door of the matching core: commands in, what came of them out. Its state is a fold of the commands it took."""

from services.sim_exchange.venue.vocabulary import (
    Balance,
    Command,
    Depth,
    Event,
    ListView,
    OrderView,
    Outcome,
    OwnTrade,
    SymbolRules,
    Traded,
)


class Exchange:
    """Every book, every account and every order, with nothing around them."""

    def handle(self, command: Command, now_ms: int) -> Outcome:
        """Carry out a command, or refuse it and change nothing."""
        raise NotImplementedError

    def restore(self, told: Event) -> None:
        """Take back, in order, what was told before a crash: accounts, open orders and trades are then as they were."""
        raise NotImplementedError

    def rules(self) -> dict[str, SymbolRules]:
        """Return every symbol."""
        raise NotImplementedError

    def balances(self, account: str) -> dict[str, Balance]:
        """Return what an account has, by asset."""
        raise NotImplementedError

    def order(
        self, account: str, symbol: str, *, order_id: int | None = None, client_id: str | None = None
    ) -> OrderView | None:
        """Return the order with this id, or the newest with this client id."""
        raise NotImplementedError

    def orders(self, account: str, symbol: str | None = None, *, only_open: bool = False) -> list[OrderView]:
        """Return the orders of an account that are remembered, oldest first."""
        raise NotImplementedError

    def own_trades(self, account: str, symbol: str) -> list[OwnTrade]:
        """Return the trades of an account on a symbol that are remembered, oldest first."""
        raise NotImplementedError

    def lists(self, account: str) -> list[ListView]:
        """Return the order lists of an account that are remembered."""
        raise NotImplementedError

    def trades(self, symbol: str) -> list[Traded]:
        """Return the public trades that are remembered, oldest first."""
        raise NotImplementedError

    def depth(self, symbol: str, levels: int) -> Depth:
        """Return the best levels of a book."""
        raise NotImplementedError
