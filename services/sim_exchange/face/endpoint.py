"""What an endpoint is: how it is named, what it weighs, who may use it, and the function that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from services.sim_exchange.face.day import Days
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.keys import ApiKey, Permission
from services.sim_exchange.face.old_bars import OldBars
from services.sim_exchange.face.parameters import Parameters
from services.sim_exchange.face.records import Candles, Records
from services.sim_exchange.face.refusals import invalid_symbol
from services.sim_exchange.face.tape import Tape
from services.sim_exchange.face.weights import Limits, OrderCounts
from services.sim_exchange.venue.vocabulary import SymbolRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """All that the endpoints answer from."""

    desk: Desk
    tape: Tape
    days: Days
    candles: Candles
    old_bars: OldBars
    limits: Limits
    order_counts: OrderCounts


class ClientIds:
    """Ids for orders whose owner gave them none. They differ from one start of the venue to the next by their time."""

    def __init__(self) -> None:
        self._given = 0

    def next(self, now_ms: int) -> str:
        """Return an id that was not given before."""
        self._given += 1
        return f"sim{now_ms:x}-{self._given:x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that was let in."""

    parameters: Parameters
    records: Records
    venue: Venue
    client_ids: ClientIds
    now_ms: int
    key: ApiKey | None

    @property
    def owner(self) -> ApiKey:
        """Return the key of a signed request."""
        assert self.key is not None, "only signed endpoints ask for an account, and those are let in by their key"
        return self.key

    @property
    def account(self) -> str:
        """Return the account that asks."""
        return self.owner.account

    def rules(self, name: str = "symbol") -> SymbolRules:
        """Return the symbol that the request names, and refuse one that is not listed."""
        return self.listed(self.parameters.symbol(name))

    def listed(self, symbol: str) -> SymbolRules:
        """Return the rules of a symbol, and refuse one that is not listed."""
        rules = self.records.rules().get(symbol)
        if rules is None:
            raise invalid_symbol()
        return rules

    def fresh_id(self) -> str:
        """Return an id for what the client did not name."""
        return self.client_ids.next(self.now_ms)


Weigh = Callable[[Parameters], int]


def weight(amount: int) -> Weigh:
    """Return the weighing of an endpoint that always weighs the same."""
    return lambda _: amount


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may be asked. Without a permission it is public, and unsigned."""

    method: str
    path: str
    weigh: Weigh
    answer: Callable[[Asked], object]
    permission: Permission | None = None
    orders: int = 0  # how many orders it places
    fetch: Callable[[Asked], Awaitable[None]] | None = None  # gets what would take the answer too long to make itself

    @property
    def name(self) -> str:
        """Return how it is called, over REST and elsewhere."""
        return f"{self.method} {self.path}"

    @property
    def is_wallet(self) -> bool:
        """Say whether it belongs to the wallet, whose weight is counted apart."""
        return self.path.startswith(WALLET)


WALLET: Final = "/sapi/"
