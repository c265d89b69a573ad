"""What the venue's clock shows: what every request is stamped with, so that nobody's wall clock matters."""

import asyncio
from collections.abc import Callable
from typing import Final

from shared.core.service import FromOutside
from shared.execution.vocabulary import VenueClock
from shared.mesh.backoff import Backoff
from shared.mesh.clock import Clock
from shared.mesh.gateway.classification import Failure, answer_read
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.reply import Heard, Reply
from shared.mesh.gateway.rest import NS_PER_MS, Rest
from shared.mesh.gateway.venues.venue import Venue
from shared.mesh.venue_offset import VenueOffset


class VenueTime:
    """Measures how far the venue's clock is ahead of our boot clock, and says so."""

    def __init__(
        self,
        *,
        venue: Venue,
        rest: Rest,
        bring: Callable[[FromOutside], None],
        backoff: Backoff,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._venue: Final = venue
        self._rest: Final = rest
        self._bring: Final = bring
        self._backoff: Final = backoff
        self._clock: Final = clock
        self._pace: Final = pace
        self._offset: Final = VenueOffset()
        self._is_doubted: Final = asyncio.Event()

    async def keep(self) -> None:
        """Measure until cancelled: now and then, and at once where the time is doubted."""
        while True:
            self._is_doubted.clear()
            await self.measure()
            await self._until_doubted(self._pace.clock_seconds)

    async def measure(self) -> None:
        """Measure; what fails is tried again."""
        while True:
            if await self._is_measured():
                self._backoff.reset()
                return
            await asyncio.sleep(max(self._backoff.next_seconds(), self._rest.wait_seconds()))

    def heed(self, heard: Heard) -> None:
        """Forget what was measured, and measure anew, if the venue says that our stamp was wrong."""
        complaint = self._venue.complaint(heard.body) if isinstance(heard, Reply) else None
        if complaint is not None and complaint.code in self._venue.refusals.wrong_time:
            self._offset.forget()
            self._is_doubted.set()

    def stamp_ms(self) -> int | None:
        """Return what the venue's clock shows now, as requests are stamped; None while that is not known."""
        boot_ns = self._clock.boot_ns()
        estimate = self._offset.estimate(boot_ns=boot_ns)
        return None if estimate is None else estimate.venue_ns(boot_ns) // NS_PER_MS

    def at_least_ns(self) -> int:
        """Return a time that the venue's clock has passed by now, for sure; 0 while nothing is known of it."""
        boot_ns = self._clock.boot_ns()
        estimate = self._offset.estimate(boot_ns=boot_ns)
        return 0 if estimate is None else max(0, estimate.venue_ns(boot_ns) - estimate.uncertainty_ns)

    async def _until_doubted(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_doubted.wait()
        except TimeoutError:
            return

    async def _is_measured(self) -> bool:
        sent_boot_ns = self._clock.boot_ns()
        heard = await self._rest.ask(self._venue.time_asked, seconds=self._pace.read_seconds)
        received_boot_ns = self._clock.boot_ns()
        venue_ns = answer_read(heard, self._venue, self._venue.time_read)
        if isinstance(venue_ns, Failure):
            return False
        if self._offset.add(sent_boot_ns=sent_boot_ns, received_boot_ns=received_boot_ns, venue_ns=venue_ns):
            return False
        estimate = self._offset.estimate(boot_ns=self._clock.boot_ns())
        assert estimate is not None, "there is a sample"
        self._bring(VenueClock(estimate.offset_ns, estimate.uncertainty_ns))
        return True
