"""A small exchange behind its face, on a real socket, with a clock that a test may move: alice trades, tom too."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias, TypeVar

import ccxt.pro

from services.sim_exchange.face.app import Face
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.door import Notice, unnoticed
from services.sim_exchange.face.interference import Interference, NoInterference
from services.sim_exchange.face.keys import ApiKey, KeyRing
from services.sim_exchange.face.weights import Limits
from services.sim_exchange.market.candles import Candles
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings
from services.sim_exchange.market.source import History, PriceSource
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    Event,
    Fees,
    OpenAccount,
    Outcome,
    PlaceOrder,
    SetRules,
    Side,
    Transfer,
)
from shared.mesh.clock import SystemClock

Binance: TypeAlias = ccxt.pro.binance
_T = TypeVar("_T")

ALICE: Final = ApiKey(key="alice".ljust(64, "A"), secret="a" * 64, account="alice", may_trade=True)
READER: Final = ApiKey(key="reader".ljust(64, "R"), secret="r" * 64, account="alice")
BTC: Final = "BTCUSDT"
PRICE: Final = Decimal(60_000)
FEES: Final = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"))
PATIENCE_S: Final = 90  # only a test that fails waits so long
SETTINGS: Final = MarketSettings(seed=7, symbols=DEFAULT_SYMBOLS[:3])


class MovableClock:
    """The machine's time, or as far before or behind it as a test wants."""

    def __init__(self) -> None:
        self._clock: Final = SystemClock()
        self.offset_ms = 0

    def __call__(self) -> int:
        """Return the venue's time in milliseconds."""
        return self._clock.wall_ns() // 1_000_000 + self.offset_ms


@dataclass
class Venue:
    """An exchange that serves, and what a test reaches behind its counter."""

    desk: Desk
    face: Face
    clock: MovableClock
    keys: KeyRing
    port: int
    told: list[Event] = field(default_factory=list)

    def order(self, side: Side, quantity: str, price: str | None = None, *, account: str = "tom") -> Outcome:
        """Place an order behind the counter: a limit order, or without a price a market order."""
        return self.desk.carry_out(
            PlaceOrder(
                account=account,
                symbol=BTC,
                side=side,
                type="MARKET" if price is None else "LIMIT",
                client_id=f"{account}-{len(self.told)}",
                time_in_force=None if price is None else "GTC",
                quantity=Decimal(quantity),
                price=None if price is None else Decimal(price),
            )
        )

    def make_market(self) -> None:
        """Let max stand on both sides of the price."""
        for step in range(1, 6):
            self.order("BUY", "1", str(PRICE - step), account="max")
            self.order("SELL", "1", str(PRICE + step), account="max")


@asynccontextmanager
async def serving(
    interference: Interference | None = None,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    prices: PriceSource | None = None,
    on_request: Notice = unnoticed,
) -> AsyncIterator[Venue]:
    """Open an exchange with a market, three accounts and a few keys, on a port of its own."""
    clock = MovableClock()
    told: list[Event] = []
    desk = opened(clock, told)
    async with served(
        desk,
        clock,
        told,
        interference or NoInterference(),
        limits=limits,
        tls=tls,
        prices=prices,
        on_request=on_request,
    ) as venue:
        yield venue


def opened(clock: Callable[[], int], told: list[Event]) -> Desk:
    """Open the desk of an exchange with three symbols and three accounts."""
    desk = Desk(core=Exchange(opened_ms=clock()), clock=clock, on_told=told.extend)
    for rules in SETTINGS.rules().values():
        desk.carry_out(SetRules(rules=rules))
    for account in ("alice", "tom", "max"):
        desk.carry_out(OpenAccount(account=account, fees=FEES))
        for asset, amount in (("USDT", 1_000_000), ("BTC", 100), ("BNB", 10)):
            desk.carry_out(Transfer(account=account, asset=asset, amount=Decimal(amount)))
    return desk


@asynccontextmanager
async def served(
    desk: Desk,
    clock: MovableClock,
    told: list[Event],
    interference: Interference,
    *,
    limits: Limits | None = None,
    tls: ssl.SSLContext | None = None,
    prices: PriceSource | None = None,
    on_request: Notice = unnoticed,
) -> AsyncIterator[Venue]:
    """Serve a desk, and let max make a market."""
    scripts = Scripts(
        history=History(prices or SyntheticMarket(SETTINGS)), symbols=SETTINGS.rules(), seed=SETTINGS.seed
    )
    keys = KeyRing((ALICE, READER))
    face = Face(
        desk=desk,
        candles=Candles(scripts=scripts, opened_ms=clock()),
        keys=keys,
        interference=interference,
        limits=limits or Limits(),
        on_request=on_request,
    )
    port = await face.start("127.0.0.1", 0, tls=tls)
    venue = Venue(desk=desk, face=face, clock=clock, keys=keys, port=port, told=told)
    venue.make_market()
    try:
        yield venue
    finally:
        await face.stop()


# The product's own options: nothing but the spot market's rules is asked for when the markets are loaded.
OPTIONS: Final = {"fetchCurrencies": False, "fetchMargins": False, "fetchMarkets": {"types": ["spot"]}}


@asynccontextmanager
async def ccxt_client(venue: Venue, key: ApiKey = ALICE, **options: object) -> AsyncIterator[Binance]:
    """Connect an unmodified ccxt, and let it load the markets."""
    async with ccxt_at(venue.port, key, **options) as client:
        await client.load_markets()
        yield client


@asynccontextmanager
async def ccxt_at(port: int, key: ApiKey = ALICE, **options: object) -> AsyncIterator[Binance]:
    """Make an unmodified ccxt that differs by nothing but its addresses."""
    host = f"127.0.0.1:{port}"
    api = {
        "public": f"http://{host}/api/v3",
        "private": f"http://{host}/api/v3",
        "v1": f"http://{host}/api/v1",
        "sapi": f"http://{host}/sapi/v1",
        "ws": {"spot": f"ws://{host}/stream/ws", "ws-api": {"spot": f"ws://{host}/ws-api/v3"}},
    }
    client = ccxt.pro.binance(
        {
            "apiKey": key.key,
            "secret": key.secret,
            "enableRateLimit": False,
            "options": {**OPTIONS, **options},
            "urls": {"api": api},
        }
    )
    for kind in ("exact", "broad"):  # which it would find by the host's name
        client.exceptions[kind].update(client.exceptions["spot"].get(kind, {}))
    try:
        yield client
    finally:
        await client.close()


async def within(awaited: Awaitable[_T]) -> _T:
    """Wait for something with patience."""
    async with asyncio.timeout(PATIENCE_S):
        return await awaited


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110  # a state of the exchange, or of ccxt
            await asyncio.sleep(0.005)
