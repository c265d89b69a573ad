"""A small exchange with a saboteur, on a real socket: what is asked for goes wrong, and the test knows the truth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from services.sim_exchange.face.desk import Desk
from services.sim_exchange.faults.clock import SkewableClock
from services.sim_exchange.faults.reading import read_fault
from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.faults.saboteur import Fired, Saboteur
from services.sim_exchange.venue.vocabulary import Event, OrderView
from tests.services.sim_exchange.face.venue import BTC, Binance, MovableClock, Venue, opened, served, until


@dataclass
class Sabotaged:
    """An exchange that serves, what may go wrong in it, and what did."""

    venue: Venue
    desk: Desk
    saboteur: Saboteur
    fired: list[Fired]

    def suffer(self, kind: str, /, *, when: dict[str, Any] | None = None, **fields: object) -> Rule:
        """Let something go wrong from now on."""
        return self.saboteur.add(read_fault({"kind": kind, "when": when or {}, **fields}))

    def orders(self) -> list[OrderView]:
        """Return alice's orders as they truly are."""
        return self.desk.core.orders("alice", BTC)

    def bought(self) -> Decimal:
        """Return how much alice has truly bought since the exchange opened, before any fee."""
        return sum((order.filled for order in self.orders()), Decimal(0))


@asynccontextmanager
async def sabotaged() -> AsyncIterator[Sabotaged]:
    """Open an exchange that can fail on command."""
    movable = MovableClock()
    clock = SkewableClock(movable)
    told: list[Event] = []
    fired: list[Fired] = []
    desk = opened(clock, told)
    saboteur = Saboteur(desk=desk, clock=clock, seed=7, on_fired=fired.append)
    async with served(desk, movable, told, saboteur) as venue:
        yield Sabotaged(venue=venue, desk=desk, saboteur=saboteur, fired=fired)


SYMBOL: Final = "BTC/USDT"
CLIENT_ID: Final = "mine"
OTHER_CLIENT_ID: Final = "somebody-elses"


async def buy(client: Binance, price: int = 59_000, amount: str = "0.1", **parameters: object) -> dict[str, Any]:
    """Place a limit order as alice, by default one that stays in the book."""
    chosen = {"newClientOrderId": CLIENT_ID, **parameters}
    order: dict[str, Any] = await client.create_order(SYMBOL, "limit", "buy", float(amount), price, chosen)
    return order


async def following(exchange: Sabotaged, client: Binance) -> "asyncio.Future[Any]":
    """Begin to watch alice's orders, and wait until the venue knows."""
    watched: asyncio.Future[Any] = asyncio.ensure_future(client.watch_orders(SYMBOL))
    await until(lambda: exchange.venue.face.user_streams.is_followed("alice"))
    return watched
