"""How patient a link is, and how long it waits before it tries again."""

from dataclasses import dataclass
from random import Random

from shared.mesh.backoff import Backoff


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What passes between one thing and the next; in tests, less."""

    dial_seconds: int = 10
    keep_alive_ms: int = 1_000  # a socket is dead when two pings in a row went unanswered, so in about three seconds
    answer_seconds: float = 5.0  # until the venue has acknowledged what it was asked for on a connection
    farewell_seconds: float = 1.0
    retry_seconds_first: float = 0.2
    retry_seconds_max: float = 30.0
    healthy_seconds: float = 60.0  # after which the next trouble is a new one
    stay_seconds: float = 23 * 3_600.0  # on a connection; the venue ends it after a day
    overlap_seconds: float = 2.0  # the old connection goes on: what is on its way there is not yet on the new one
    between_requests_seconds: float = 1.0  # on a connection: the venue takes five frames a second, pings included
    clock_seconds: float = 60.0
    request_seconds: float = 10.0
    fetch_attempts: int = 4
    fetch_patience_seconds: float = 10.0  # a venue that asks for a longer pause is not waited for
    fetches_at_once: int = 4
    fetches_waiting_max: int = 400  # of each kind

    def backoff(self, draws: Random) -> Backoff:
        """Return what says how long to wait before attempts at one thing."""
        return Backoff(first_seconds=self.retry_seconds_first, longest_seconds=self.retry_seconds_max, draws=draws)
