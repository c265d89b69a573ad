"""The outside of a feed-handler: one venue's streams and requests, for some symbols."""

import asyncio
import difflib
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any, Final

from services.feed_handler.link.client import Exchange, venue_client
from services.feed_handler.link.connection import Connection
from services.feed_handler.link.fetches import Fetches
from services.feed_handler.link.pace import Pace
from services.feed_handler.link.rest import Rest, RestError
from services.feed_handler.link.subscription import Subscription
from services.feed_handler.link.venue_time import VenueTime
from services.feed_handler.venues.catalog import VENUES
from services.feed_handler.vocabulary import (
    FetchBook,
    FetchCandles,
    FetchTrades,
    Reconnect,
    Resubscribe,
    StreamKind,
    StreamLost,
)
from shared.core.service import FromOutside, Outward
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.service.watching import watched

NUMBERS: Final = 1_000  # of connections, after which they begin again; a handful stands at a time


class VenueLink:
    """Brings what a venue tells, and fetches what the core wants. It judges nothing, and never gives up.

    With a `url` everything is there instead of at the venue's own hosts. `draws` are for the waits before attempts.
    """

    def __init__(
        self,
        *,
        venue: str,
        symbols: Sequence[str],
        book_symbols: Sequence[str],
        url: str,
        clock: Clock,
        draws: Random,
        pace: Pace | None = None,
    ) -> None:
        self._name: Final = venue
        self._venue: Final = VENUES[venue]
        self._symbols: Final = tuple(dict.fromkeys((*symbols, *book_symbols)))
        self._wanted: Final[dict[StreamKind, tuple[str, ...]]] = {
            "trades": tuple(symbols),
            "quotes": tuple(symbols),
            "book": tuple(book_symbols),
            "candles": tuple(symbols),
        }
        self._url: Final = url
        self._clock: Final = clock
        self._draws: Final = draws
        self._pace: Final = pace or Pace()
        self._numbers: Final = itertools.cycle(range(NUMBERS))
        self._subscriptions: list[Subscription] = []
        self._running: asyncio.Task[None] | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin: load the markets, then everything at once."""
        self._bring: Callable[[FromOutside], None] = bring
        self._fetches: Fetches = Fetches(venue=self._venue, bring=bring, pace=self._pace, draws=self._draws)
        self._subscriptions = self._subscriptions_to(self._symbols)
        self._running = watched(self._run())

    def perform(self, effect: Outward) -> None:
        """Do what the core wants; what comes of it is brought later."""
        match effect:
            case FetchTrades() | FetchBook() | FetchCandles():
                self._fetches.take(effect)
            case Resubscribe(kind, symbol):
                for subscription in self._subscriptions:
                    if subscription.kind == kind and symbol in subscription.symbols:
                        subscription.ask_anew(symbol)
            case Reconnect(kind):
                for subscription in self._subscriptions:
                    if subscription.kind == kind:
                        subscription.connect_anew()
            case _:
                raise AssertionError(f"nobody wants {effect} of a link to a venue")

    def close(self) -> None:
        """Hang up. What is under way is not finished."""
        if self._running is not None:
            self._running.cancel()

    async def _run(self) -> None:
        exchange = venue_client(self._venue, url=self._url, pace=self._pace)
        rest = Rest(exchange=exchange, venue=self._venue, clock=self._clock)
        time = VenueTime(
            venue=self._venue, bring=self._bring, backoff=self._backoff(), clock=self._clock, pace=self._pace
        )
        try:
            await self._load_markets(rest)
            ids = self._market_ids(exchange.markets)
            self._subscriptions = self._subscriptions_to(ids)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(time.keep(rest))
                tasks.create_task(self._fetches.run(rest, time, ids))
                for subscription in self._subscriptions:
                    channel = self._venue.channels[subscription.kind]
                    streams = {symbol: self._venue.stream_name(ids[symbol], channel) for symbol in subscription.symbols}
                    tasks.create_task(subscription.keep(self._connector(exchange, subscription, ids), streams))
        finally:
            await self._hang_up(exchange)

    async def _load_markets(self, rest: Rest) -> None:
        backoff = self._backoff()
        while True:
            try:
                await rest.load_markets()
            except RestError as error:
                for subscription in self._subscriptions:
                    subscription.lost(f"the venue does not say what it trades: {error}")
                await asyncio.sleep(max(backoff.next_seconds(), error.wait_seconds))
            else:
                return

    def _market_ids(self, markets: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Return the venue's names for our symbols. One that it does not trade is lost, and the others are read.

        So a symbol that was taken off the list takes no other with it. End where none is left.
        """
        ids = {symbol: str(markets[symbol]["id"]) for symbol in self._symbols if symbol in markets}
        for symbol in self._symbols:
            if symbol in ids:
                continue
            near = ", ".join(difflib.get_close_matches(symbol, markets, n=3)) or "none"
            reason = f"{self._name} does not trade {symbol} (names near it: {near}): change venue.symbols"
            if not ids:
                raise OutsideUnusableError(reason)
            for kind, symbols in self._wanted.items():
                if symbol in symbols:
                    self._bring(StreamLost(kind, (symbol,), reason))
        return ids

    def _wanted_of(self, symbols: Collection[str]) -> dict[StreamKind, tuple[str, ...]]:
        return {kind: tuple(one for one in wanted if one in symbols) for kind, wanted in self._wanted.items()}

    def _subscriptions_to(self, symbols: Collection[str]) -> list[Subscription]:
        share = self._venue.streams_per_connection_max
        return [
            Subscription(
                kind=kind,
                symbols=wanted[first : first + share],
                bring=self._bring,
                backoff=self._backoff(),
                clock=self._clock,
                pace=self._pace,
            )
            for kind, wanted in self._wanted_of(symbols).items()
            for first in range(0, len(wanted), share)
        ]

    def _connector(
        self, exchange: Exchange, subscription: Subscription, ids: Mapping[str, str]
    ) -> Callable[[], Connection]:
        channel = self._venue.channels[subscription.kind]
        address = exchange.get_ws_url(self._venue.market_type, exchange.get_future_ws_category(channel.route))
        symbols = {ids[symbol]: symbol for symbol in subscription.symbols}

        def connect() -> Connection:
            return Connection(
                exchange=exchange,
                venue=self._venue,
                address=address,
                number=next(self._numbers),
                read=lambda text: channel.read(text, symbols),
                bring=self._bring,
                clock=self._clock,
                pace=self._pace,
            )

        return connect

    def _backoff(self) -> Backoff:
        return self._pace.backoff(self._draws)

    async def _hang_up(self, exchange: Exchange) -> None:
        """Say goodbye to the venue if it listens, and let go of every socket."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pace.farewell_seconds):
                await exchange.close_ws_clients()
        if exchange.session is not None:
            await exchange.session.close()  # first, or ccxt would wait for the goodbyes of those who are dead
        await exchange.close()
