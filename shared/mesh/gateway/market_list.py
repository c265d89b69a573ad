"""What the venue lists: the rules of each symbol, and how the venue calls it. Read at the start, and now and then."""

import asyncio
from collections.abc import Callable
from typing import Final

from proto.fields import Symbol
from shared.core.service import FromOutside
from shared.execution.vocabulary import InstrumentsKnown
from shared.mesh.backoff import Backoff
from shared.mesh.gateway.classification import Failure, answer_read
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.rest import Rest
from shared.mesh.gateway.venues.venue import Listing, Symbols, Venue


class MarketList:
    """Knows the symbols, and says when their rules have changed."""

    def __init__(
        self, *, venue: Venue, rest: Rest, bring: Callable[[FromOutside], None], backoff: Backoff, pace: Pace
    ) -> None:
        self._venue: Final = venue
        self._rest: Final = rest
        self._bring: Final = bring
        self._backoff: Final = backoff
        self._pace: Final = pace
        self._is_outdated: Final = asyncio.Event()
        self._listing = Listing({}, {})
        self._market_ids: dict[Symbol, str] = {}

    @property
    def symbols(self) -> Symbols:
        """Our symbols by the venue's."""
        return self._listing.symbols

    def market_id(self, symbol: Symbol) -> str:
        """Return how the venue calls a symbol; what it does not list had its name from there."""
        return self._market_ids.get(symbol, symbol)

    def lists(self, symbol: Symbol) -> bool:
        """Say whether the venue lists a symbol: it is not asked for the prices of another."""
        return symbol in self._market_ids

    async def load(self, on_failure: Callable[[str], None]) -> None:
        """Ask until there is an answer, and hand in why there is none."""
        while True:
            heard = await self._rest.ask(self._venue.listing_asked, seconds=self._pace.listing_read_seconds)
            # Some megabytes: the loop goes on meanwhile, for an order may have to be signed.
            listing = await asyncio.to_thread(answer_read, heard, self._venue, self._venue.listing_read)
            if not isinstance(listing, Failure):
                break
            on_failure(listing.reason)
            await asyncio.sleep(max(self._backoff.next_seconds(), self._rest.wait_seconds()))
        self._backoff.reset()
        self._take(listing)

    async def keep(self) -> None:
        """Ask again until cancelled: every hour, and soon after an order was refused for the rules."""
        while True:
            await asyncio.sleep(self._pace.listing_seconds_least)
            try:
                async with asyncio.timeout(self._pace.listing_seconds - self._pace.listing_seconds_least):
                    await self._is_outdated.wait()
            except TimeoutError:
                pass
            self._is_outdated.clear()
            await self.load(_unsaid)

    def doubt(self) -> None:
        """Ask again soon: the venue refused an order for rules that we do not know of."""
        self._is_outdated.set()

    def _take(self, listing: Listing) -> None:
        has_changed = listing.instruments != self._listing.instruments
        self._listing = listing
        self._market_ids = {symbol: market_id for market_id, symbol in listing.symbols.items()}
        if has_changed:
            self._bring(InstrumentsKnown(listing.instruments))


def _unsaid(reason: str) -> None:
    """Say nothing: the rules that are known stay in force."""
    del reason
