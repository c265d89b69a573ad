"""What the venue's clock shows, asked for now and then."""

import asyncio
from collections.abc import Callable
from typing import Final

from services.feed_handler.link.pace import Pace
from services.feed_handler.link.rest import Rest, RestError
from services.feed_handler.venues.venue import Venue
from services.feed_handler.vocabulary import Unreadable, VenueClock
from shared.core.service import FromOutside
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock, read_clocks
from shared.mesh.venue_offset import VenueOffset

NS_PER_MS: Final = 1_000_000


class VenueTime:
    """Measures how far the venue's clock is ahead of ours, and says so."""

    def __init__(
        self, *, venue: Venue, bring: Callable[[FromOutside], None], backoff: Backoff, clock: Clock, pace: Pace
    ) -> None:
        self._venue: Final = venue
        self._bring: Final = bring
        self._backoff: Final = backoff
        self._clock: Final = clock
        self._pace: Final = pace
        self._offset: Final = VenueOffset()

    async def keep(self, rest: Rest) -> None:
        """Measure until cancelled; what fails is tried again sooner."""
        while True:
            try:
                measured = await self._measure(rest)
            except RestError as error:
                await asyncio.sleep(max(self._backoff.next_seconds(), error.wait_seconds))
                continue
            if measured:
                self._backoff.reset()
                await asyncio.sleep(self._pace.clock_seconds)
            else:
                await asyncio.sleep(self._backoff.next_seconds())

    def at_least_ms(self) -> int | None:
        """Return what the venue's clock shows, the doubt taken off; None before the first measurement."""
        boot_ns = self._clock.boot_ns()
        estimate = self._offset.estimate(boot_ns=boot_ns)
        return None if estimate is None else (estimate.venue_ns(boot_ns) - estimate.uncertainty_ns) // NS_PER_MS

    async def _measure(self, rest: Rest) -> bool:
        sent_boot_ns = self._clock.boot_ns()
        venue_ns = self._venue.venue_time_fetched(await rest.ask(self._venue.time_method, {}))
        received_boot_ns = self._clock.boot_ns()
        if isinstance(venue_ns, Unreadable):
            return False
        if self._offset.add(sent_boot_ns=sent_boot_ns, received_boot_ns=received_boot_ns, venue_ns=venue_ns):
            return False
        now = read_clocks(self._clock)
        estimate = self._offset.estimate(boot_ns=now.boot_ns)
        assert estimate is not None, "there is a sample"
        self._bring(VenueClock(estimate.venue_ns(now.boot_ns) - now.wall_ns))
        return True
