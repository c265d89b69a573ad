"""Orders and cancellations on their way to the venue: each is stamped, signed and sent once, and never again."""

from collections.abc import Callable
from typing import Final

from shared.core.service import FromOutside
from shared.execution.vocabulary import (
    Acknowledged,
    CancelOrder,
    CancelSent,
    NotSent,
    OrderSent,
    Rejected,
    SendOrder,
)
from shared.mesh.clock import Clock
from shared.mesh.gateway.classification import Outcome, canceling_outcome, sending_outcome
from shared.mesh.gateway.market_list import MarketList
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.rest import NS_PER_MS, NS_PER_SECOND, Rest
from shared.mesh.gateway.venue_time import VenueTime
from shared.mesh.gateway.venues.venue import Venue

MS_PER_SECOND: Final = 1_000
NO_TIME: Final = NotSent("the venue's time is not known yet")
HALTED: Final = NotSent("the HALT file is there")


class Orders:
    """Sends at once, side by side: nothing stands in a line in which it could grow old."""

    def __init__(
        self,
        *,
        venue: Venue,
        rest: Rest,
        time: VenueTime,
        markets: MarketList,
        clock: Clock,
        is_halted: Callable[[], bool],
        pace: Pace,
        bring: Callable[[FromOutside], None],
        on_acknowledged: Callable[[str], None],
    ) -> None:
        self._venue: Final = venue
        self._rest: Final = rest
        self._time: Final = time
        self._markets: Final = markets
        self._clock: Final = clock
        self._is_halted: Final = is_halted
        self._pace: Final = pace
        self._bring: Final = bring
        self._on_acknowledged: Final = on_acknowledged

    async def send(self, wanted: SendOrder) -> None:
        """Send an order, if it is still time, and say what came of it."""
        outcome, stamp_ms = await self._sent(wanted)
        if isinstance(outcome, Acknowledged):
            self._on_acknowledged(wanted.client_order_id)
        elif isinstance(outcome, Rejected) and int(outcome.code) in self._venue.refusals.wrong_terms:
            self._markets.doubt()
        self._bring(OrderSent(wanted.client_order_id, outcome, None if stamp_ms is None else stamp_ms * NS_PER_MS))

    async def cancel(self, wanted: CancelOrder) -> None:
        """Send a cancellation, and say what came of it."""
        self._bring(CancelSent(wanted.client_order_id, await self._canceled(wanted)))

    async def _sent(self, wanted: SendOrder) -> tuple[Outcome, int | None]:
        request = self._venue.placing(wanted, self._markets.market_id(wanted.symbol))
        late_ns = self._clock.boot_ns() - wanted.sign_by_boot_ns
        if late_ns > 0:
            return NotSent(f"it would have been signed {late_ns / NS_PER_MS:.0f} ms too late"), None
        stamp_ms = self._time.stamp_ms()
        if stamp_ms is None:
            return NO_TIME, None
        if wanted.is_entry and self._is_halted():
            return HALTED, None
        heard = await self._rest.place(
            request,
            stamp_ms=stamp_ms,
            window_ms=wanted.window_ns // NS_PER_MS,
            seconds=wanted.window_ns / NS_PER_SECOND,
        )
        self._time.heed(heard)
        outcome = sending_outcome(heard, wanted, self._venue, self._markets.symbols)
        return outcome, None if isinstance(outcome, NotSent) else stamp_ms

    async def _canceled(self, wanted: CancelOrder) -> Outcome:
        stamp_ms = self._time.stamp_ms()
        if stamp_ms is None:
            return NO_TIME
        heard = await self._rest.ask_signed(
            self._venue.canceling(wanted, self._markets.market_id(wanted.symbol)),
            stamp_ms=stamp_ms,
            window_ms=self._pace.cancel_window_seconds * MS_PER_SECOND,
            seconds=self._pace.cancel_window_seconds,
        )
        self._time.heed(heard)
        return canceling_outcome(heard, wanted, self._venue, self._markets.symbols)
