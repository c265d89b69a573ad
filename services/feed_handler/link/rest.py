"""Requests to the venue, each sent once: what it answers, or why there is nothing. All of them respect a ban."""

from collections.abc import Mapping
from typing import Final

from services.feed_handler.link.client import Exchange
from services.feed_handler.venues.venue import Parameters, Venue
from shared.core.texts import in_a_line
from shared.mesh.clock import Clock
from shared.mesh.lean_ccxt import ccxt
from shared.mesh.venue_pause import believed_seconds

NS_PER_SECOND: Final = 1_000_000_000
EARLY_NS: Final = 5_000_000  # so much too early a loop may end a sleep; who slept as told shall not be told again
REASON_CHARACTERS_MAX: Final = 200
TOO_MANY: Final = frozenset({418, 429})

# Its own errors, and what its parsing raises where an answer is not what it expects.
CCXT_ERRORS: Final = (ccxt.BaseError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


class RestError(Exception):
    """There is no answer; the message says why, and how long the venue wants to be left alone."""

    def __init__(self, reason: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(in_a_line(reason)[:REASON_CHARACTERS_MAX])
        self.wait_seconds: Final = wait_seconds


class Rest:
    """Asks one venue."""

    def __init__(self, *, exchange: Exchange, venue: Venue, clock: Clock) -> None:
        self._exchange: Final = exchange
        self._venue: Final = venue
        self._clock: Final = clock
        self._closed_until_boot_ns = 0
        exchange.on_rest_response = self._look_at  # ccxt's hook for whoever wants to see an answer before it is parsed

    async def ask(self, method: str, parameters: Parameters) -> object:
        """Return what one of ccxt's raw methods is answered."""
        self._wait_if_told()
        try:
            answer: object = await getattr(self._exchange, method)(dict(parameters))
        except CCXT_ERRORS as error:
            raise self._described(error) from error
        return answer

    async def load_markets(self) -> None:
        """Let ccxt load what is traded, in one request."""
        self._wait_if_told()
        try:
            await self._exchange.load_markets(reload=True)
        except CCXT_ERRORS as error:
            raise self._described(error) from error
        if not self._exchange.markets:
            raise RestError("the venue lists no markets")

    def _wait_if_told(self) -> None:
        if self._wait_seconds() > 0:
            raise RestError(
                f"the venue wants to be left alone for {self._wait_seconds():.0f} s", wait_seconds=self._wait_seconds()
            )

    def _wait_seconds(self) -> float:
        left_ns = self._closed_until_boot_ns - self._clock.boot_ns()
        return (left_ns + EARLY_NS) / NS_PER_SECOND if left_ns > 0 else 0.0

    def _described(self, error: Exception) -> RestError:
        return RestError(f"{type(error).__name__}: {error}", wait_seconds=self._wait_seconds())

    def _look_at(
        self,
        status: int,
        _reason: str,
        _url: str,
        _method: str,
        headers: Mapping[str, str],
        body: str,
        _sent_headers: object,
        _sent_body: object,
    ) -> str:
        if status in TOO_MANY:
            seconds = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
            if seconds.isascii() and seconds.isdecimal():
                wait_seconds = believed_seconds(int(seconds), by_venue=self._venue.is_complaint(body))
                until_boot_ns = self._clock.boot_ns() + wait_seconds * NS_PER_SECOND
                self._closed_until_boot_ns = max(self._closed_until_boot_ns, until_boot_ns)
        return body.strip()
