"""Requests to the venue, each sent once and never ahead of what it wants: left alone, it is not asked."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from shared.core.service import FromOutside
from shared.execution.vocabulary import WeightTold
from shared.mesh.clock import Clock
from shared.mesh.gateway.client import Exchange
from shared.mesh.gateway.once import ATTEMPT, Attempt, SentAlreadyError, note_reply
from shared.mesh.gateway.pace import Pace
from shared.mesh.gateway.reply import Heard, Reply, Silence
from shared.mesh.gateway.venues.venue import Request, Venue
from shared.mesh.lean_ccxt import ccxt
from shared.mesh.venue_pause import believed_seconds

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
REASON_CHARACTERS_MAX: Final = 200
MINUTE_NS: Final = 60 * NS_PER_SECOND  # after which the venue has begun to count anew
TOO_MANY: Final = frozenset({418, 429})

# Its own errors, and what its parsing raises where an answer is not what it expects. Whatever it is says nothing of
# what was done: the reply that was noted does.
CCXT_ERRORS: Final = (
    ccxt.BaseError,
    SentAlreadyError,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class Rest:
    """Asks one venue, and heeds what it says about being asked."""

    def __init__(
        self, *, exchange: Exchange, venue: Venue, clock: Clock, pace: Pace, bring: Callable[[FromOutside], None]
    ) -> None:
        self._exchange: Final = exchange
        self._venue: Final = venue
        self._clock: Final = clock
        self._pace: Final = pace
        self._bring: Final = bring
        self._closed_until_boot_ns = 0
        self._orders_closed_until_boot_ns = 0
        self._used_weight = 0
        self._kept_until_boot_ns = 0
        self._told = WeightTold(0, None, None)
        exchange.on_rest_response = note_reply

    def wait_seconds(self) -> float:
        """Return how long the venue wants to be left alone."""
        return max(0, self._closed_until_boot_ns - self._clock.boot_ns()) / NS_PER_SECOND

    @property
    def is_kept(self) -> bool:
        """Whether what is left of the minute is kept for orders, cancellations and what an order's fate hangs on."""
        return self._clock.boot_ns() < self._kept_until_boot_ns

    async def ask(self, request: Request, *, seconds: float) -> Heard:
        """Ask, and wait for the answer for so long."""
        if self.wait_seconds():
            return Silence(self._left_alone(self._closed_until_boot_ns), may_have_left=False)
        attempt = Attempt()
        token = ATTEMPT.set(attempt)
        failure = ""
        try:
            async with asyncio.timeout(seconds):
                await getattr(self._exchange, request.method)(dict(request.parameters))
        except TimeoutError:
            failure = f"no answer within {seconds:g} s"
        except CCXT_ERRORS as error:
            failure = type(error.__cause__ or error).__name__
        finally:
            ATTEMPT.reset(token)
        if attempt.reply is None:
            reason = (attempt.failure or failure)[:REASON_CHARACTERS_MAX]
            return Silence(reason, may_have_left=attempt.is_sent and not attempt.has_never_left)
        self._heed(attempt.reply)
        return attempt.reply

    async def ask_signed(self, request: Request, *, stamp_ms: int, window_ms: int, seconds: float) -> Heard:
        """Ask with our signature; the venue takes it no later than the window after the stamp, by its own clock."""
        stamped = {**request.parameters, "timestamp": stamp_ms, "recvWindow": window_ms}
        return await self.ask(Request(request.method, stamped), seconds=seconds)

    async def place(self, request: Request, *, stamp_ms: int, window_ms: int, seconds: float) -> Heard:
        """Send an order: of those the venue may have had enough for a while, and of nothing else."""
        if self._clock.boot_ns() < self._orders_closed_until_boot_ns:
            return Silence(self._left_alone(self._orders_closed_until_boot_ns), may_have_left=False)
        return await self.ask_signed(request, stamp_ms=stamp_ms, window_ms=window_ms, seconds=seconds)

    def _left_alone(self, until_boot_ns: int) -> str:
        seconds = (until_boot_ns - self._clock.boot_ns()) / NS_PER_SECOND
        return f"the venue wants to be left alone for {seconds:.0f} s"

    def _heed(self, reply: Reply) -> None:
        boot_ns = self._clock.boot_ns()
        if reply.status in TOO_MANY:
            complaint = self._venue.complaint(reply.body)
            seconds = believed_seconds(self._pause_seconds(reply.headers), by_venue=complaint is not None)
            until_boot_ns = boot_ns + seconds * NS_PER_SECOND
            if complaint is not None and complaint.code in self._venue.refusals.too_many_orders:
                self._orders_closed_until_boot_ns = max(self._orders_closed_until_boot_ns, until_boot_ns)
            else:
                self._closed_until_boot_ns = max(self._closed_until_boot_ns, until_boot_ns)
                # What waited to reduce risk is first, once this is over: the next answer says what is used then.
                self._kept_until_boot_ns = until_boot_ns + MINUTE_NS
        used = reply.headers.get(self._venue.weight_header, "")
        if _is_number(used):
            self._used_weight = int(used)
            if reply.status not in TOO_MANY:
                is_much = self._used_weight > self._venue.routine_weight_max
                self._kept_until_boot_ns = boot_ns + MINUTE_NS if is_much else 0
        told = WeightTold(
            self._used_weight,
            _yet_to_come(self._closed_until_boot_ns, boot_ns),
            _yet_to_come(self._orders_closed_until_boot_ns, boot_ns),
        )
        if told != self._told:
            self._told = told
            self._bring(told)

    def _pause_seconds(self, headers: Mapping[str, str]) -> int:
        seconds = headers.get("retry-after", "")
        return int(seconds) if _is_number(seconds) else self._pace.pause_seconds_unsaid


def _yet_to_come(until_boot_ns: int, boot_ns: int) -> int | None:
    return until_boot_ns if until_boot_ns > boot_ns else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(10**9))
