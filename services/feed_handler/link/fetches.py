"""What the core wants fetched: a few at a time, the others wait in line, and each is answered once."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Final, TypeVar

from services.feed_handler.link.pace import Pace
from services.feed_handler.link.rest import Rest, RestError
from services.feed_handler.link.venue_time import VenueTime
from services.feed_handler.venues.venue import Parameters, Venue
from services.feed_handler.vocabulary import (
    BookFetched,
    CandlesFetched,
    FetchBook,
    FetchCandles,
    FetchTrades,
    TradesFetched,
    Unreadable,
)
from shared.core.service import FromOutside
from shared.market.observations import BookWhole, Candle, Trade

Fetch = FetchTrades | FetchBook | FetchCandles
Fetched = TradesFetched | BookFetched | CandlesFetched
_Found = TypeVar("_Found")


class _FailedError(Exception):
    """Nothing can be fetched; the message says why."""


class Fetches:
    """Fetches what is wanted, in the order in which it was wanted; candles behind everything else."""

    def __init__(self, *, venue: Venue, bring: Callable[[FromOutside], None], pace: Pace, draws: Random) -> None:
        self._venue: Final = venue
        self._bring: Final = bring
        self._pace: Final = pace
        self._draws: Final = draws
        self._waiting: Final[asyncio.PriorityQueue[tuple[int, int, Fetch]]] = asyncio.PriorityQueue()
        self._numbers: Final = itertools.count()
        self._counts: Final[Counter[type[Fetch]]] = Counter()

    def take(self, wanted: Fetch) -> None:
        """Fetch something as soon as its turn has come, or say at once that too much is waiting."""
        if self._counts[type(wanted)] >= self._pace.fetches_waiting_max:
            self._bring(_failed(wanted, f"{self._pace.fetches_waiting_max} others like it are waiting"))
            return
        self._counts[type(wanted)] += 1
        urgency = 1 if isinstance(wanted, FetchCandles) else 0  # nobody's row waits for history
        self._waiting.put_nowait((urgency, next(self._numbers), wanted))

    async def run(self, rest: Rest, time: VenueTime, ids: Mapping[str, str]) -> None:
        """Fetch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._pace.fetches_at_once):
                tasks.create_task(self._work_off(rest, time, ids))

    async def _work_off(self, rest: Rest, time: VenueTime, ids: Mapping[str, str]) -> None:
        while True:
            _, _, wanted = await self._waiting.get()
            self._counts[type(wanted)] -= 1
            try:
                fetched = await self._fetched(wanted, rest, time, ids)
            except _FailedError as error:
                fetched = _failed(wanted, str(error))
            self._bring(fetched)

    async def _fetched(self, wanted: Fetch, rest: Rest, time: VenueTime, ids: Mapping[str, str]) -> Fetched:
        venue, symbol = self._venue, wanted.symbol
        if symbol not in ids:
            raise _FailedError("the venue does not trade this symbol")
        market_id = ids[symbol]
        match wanted:
            case FetchTrades():
                parameters = venue.trades.parameters(wanted, market_id)
                trades: tuple[Trade, ...] = await self._found(
                    rest, venue.trades.method, parameters, lambda answer: venue.trades_fetched(answer, symbol)
                )
                return TradesFetched(symbol, trades, None)
            case FetchBook():
                parameters = venue.book.parameters(wanted, market_id)
                book: BookWhole = await self._found(
                    rest, venue.book.method, parameters, lambda answer: venue.book_fetched(answer, symbol)
                )
                return BookFetched(symbol, book, None)
            case FetchCandles(fetch_id, _, timeframe, _, candles_max):

                def closed(answer: object) -> tuple[Candle, ...] | Unreadable:
                    venue_time_ms = time.at_least_ms()
                    if venue_time_ms is None:
                        return Unreadable(symbol, "the venue's time is not known yet")
                    return venue.closed_candles_fetched(answer, symbol, timeframe, venue_time_ms)

                parameters = venue.candles.parameters(wanted, market_id)
                candles = await self._found(rest, venue.candles.method, parameters, closed)
                return CandlesFetched(fetch_id, symbol, timeframe, candles[-candles_max:], None)

    async def _found(
        self, rest: Rest, method: str, parameters: Parameters, read: Callable[[object], _Found | Unreadable]
    ) -> _Found:
        """Ask until there is an answer that can be read, a bounded number of times."""
        backoff = self._pace.backoff(self._draws)
        attempts_left = self._pace.fetch_attempts
        while True:
            attempts_left -= 1
            wait_seconds = 0.0
            try:
                found = read(await rest.ask(method, parameters))
            except RestError as error:
                failure, wait_seconds = str(error), error.wait_seconds
            else:
                if not isinstance(found, Unreadable):
                    return found
                failure = f"the answer cannot be read: {found.reason}"
            if not attempts_left or wait_seconds > self._pace.fetch_patience_seconds:
                raise _FailedError(failure)
            await asyncio.sleep(max(backoff.next_seconds(), wait_seconds))


def _failed(wanted: Fetch, failure: str) -> Fetched:
    match wanted:
        case FetchTrades(symbol):
            return TradesFetched(symbol, (), failure)
        case FetchBook(symbol):
            return BookFetched(symbol, None, failure)
        case FetchCandles(fetch_id, symbol, timeframe):
            return CandlesFetched(fetch_id, symbol, timeframe, (), failure)
