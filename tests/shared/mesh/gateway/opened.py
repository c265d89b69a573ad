"""A gateway to an exchange on this host, and what it brought."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final, TypeVar

from pydantic import SecretStr

from services.sim_exchange.face.keys import ApiKey
from shared.core.service import FromOutside
from shared.execution.vocabulary import (
    CancelOrder,
    CancelSent,
    OrderRead,
    OrderSent,
    ReadOrder,
    SendOrder,
    StreamOpened,
    VenueClock,
)
from shared.mesh.clock import SystemClock
from shared.mesh.gateway.gateway import Gateway
from shared.mesh.gateway.pace import Pace
from shared.mesh.settings import Credentials
from shared.mesh.venue_key import KeySource
from tests.services.sim_exchange.face.venue import ALICE

SYMBOL: Final = "BTC/USDT"
CLIENT_ID: Final = "bw-main-k3v9q2m7x1abcd-12"
PATIENCE_S: Final = 90.0  # only a test that fails waits so long
CLOCK: Final = SystemClock()
# As fast as a test wants it, and otherwise as the product has it.
BRISK: Final = Pace(
    cancel_window_seconds=1,
    listing_seconds_least=0.05,
    clock_seconds=0.2,
    answer_seconds=2.0,
    farewell_seconds=0.2,
    retry_seconds_first=0.01,
    retry_seconds_max=0.1,
    final_seconds=0.1,
    overlap_seconds=0.2,
    pause_seconds_unsaid=1,
)

_Happened = TypeVar("_Happened", bound=FromOutside)


class Brought:
    """What a gateway brought, in order."""

    def __init__(self) -> None:
        self.all: Final[list[FromOutside]] = []
        self._more: Final = asyncio.Event()

    def __call__(self, happening: FromOutside) -> None:
        """Take it in."""
        self.all.append(happening)
        self._more.set()

    def of(self, kind: type[_Happened]) -> list[_Happened]:
        """Return what was brought of a kind."""
        return [happening for happening in self.all if isinstance(happening, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds of what was brought."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._more.clear()
                await self._more.wait()

    async def first(
        self, kind: type[_Happened], holds: Callable[[_Happened], object] = bool, *, since: int = 0
    ) -> _Happened:
        """Wait for something of a kind among all that was brought, or since so many."""

        def found() -> list[_Happened]:
            return [one for one in self.all[since:] if isinstance(one, kind) and holds(one)]

        await self.until(found)
        return found()[0]


@dataclass
class Opened:
    """A gateway that is open."""

    gateway: Gateway
    brought: Brought

    async def is_ready(self) -> None:
        """Wait until orders can be sent and the stream flows."""
        await self.brought.first(StreamOpened)
        await self.brought.first(VenueClock)

    async def sent(self, order: SendOrder) -> OrderSent:
        """Send an order and wait for what came of it."""
        seen = len(self.brought.all)
        self.gateway.perform(order)
        return await self.brought.first(OrderSent, since=seen)

    async def canceled(self, client_order_id: str = CLIENT_ID, symbol: str = SYMBOL) -> CancelSent:
        """Send a cancellation and wait for what came of it."""
        seen = len(self.brought.all)
        self.gateway.perform(CancelOrder(client_order_id, symbol))
        return await self.brought.first(CancelSent, since=seen)

    async def read(self, client_order_id: str = CLIENT_ID, symbol: str = SYMBOL) -> OrderRead:
        """Ask for an order."""
        seen = len(self.brought.all)
        self.gateway.perform(ReadOrder(client_order_id, symbol))
        return await self.brought.first(OrderRead, since=seen)


class KeyAtHand:
    """A key that is there at once."""

    missing: Final = ""

    def __init__(self, key: ApiKey = ALICE) -> None:
        self._key: Final = key

    def read(self) -> Credentials | None:
        """Return it."""
        return Credentials(api_key=SecretStr(self._key.key), api_secret=SecretStr(self._key.secret))


@asynccontextmanager
async def opened(
    url: str, *, key: KeySource | None = None, pace: Pace = BRISK, is_halted: Callable[[], bool] = lambda: False
) -> AsyncIterator[Opened]:
    """Open a gateway, and see it close."""
    gateway = Gateway(
        venue="binance",
        url=url,
        key=key or KeyAtHand(),
        clock=CLOCK,
        draws=Random(7),  # noqa: S311  # waits that can be repeated
        is_halted=is_halted,
        pace=pace,
    )
    brought = Brought()
    gateway.open(brought)
    try:
        yield Opened(gateway, brought)
    finally:
        gateway.close()
        running = gateway._running
        assert running is not None
        await asyncio.wait({running}, timeout=PATIENCE_S)
        assert running.done()


async def passed(until_boot_ns: int | None) -> None:
    """Wait until our clock has passed a time, and a little more: the loop's own clock may wake up just before it."""
    assert until_boot_ns is not None
    await asyncio.sleep((until_boot_ns - CLOCK.boot_ns()) / 1_000_000_000 + 0.01)


def an_order(
    *,
    side: str = "buy",
    order_type: str = "limit",
    quantity: str = "0.1",
    limit_price: str | None = "59000",
    stop_price: str | None = None,
    is_entry: bool = False,
    client_order_id: str = CLIENT_ID,
    window_ns: int = 3_000_000_000,
    sign_within_ns: int = 10_000_000_000,
) -> SendOrder:
    """Make an order: unless told otherwise, one that stays in the book."""
    return SendOrder(
        client_order_id=client_order_id,
        symbol=SYMBOL,
        side="buy" if side == "buy" else "sell",
        order_type=order_type,  # type: ignore[arg-type]  # the tests name those that there are
        quantity=Decimal(quantity),
        limit_price=None if limit_price is None else Decimal(limit_price),
        stop_price=None if stop_price is None else Decimal(stop_price),
        is_entry=is_entry,
        sign_by_boot_ns=CLOCK.boot_ns() + sign_within_ns,
        window_ns=window_ns,
    )
