"""How patient the gateway is, and how long it waits before it tries again."""

from dataclasses import dataclass
from random import Random

from shared.mesh.backoff import Backoff


@dataclass(frozen=True, kw_only=True)
class Pace:
    """What passes between one thing and the next; in tests, less."""

    cancel_window_seconds: int = 3  # how late the venue may take a cancellation; an order brings its own
    read_window_seconds: int = 5
    read_seconds: float = 5.0
    listing_read_seconds: float = 20.0  # of some megabytes
    reads_at_once: int = 3
    urgent_reads_at_once: int = 1  # beside them, of questions that an order's fate hangs on
    reads_waiting_max: int = 200  # in each of the two lines
    sends_at_once_max: int = 100
    clock_seconds: float = 30.0
    listing_seconds: float = 3_600.0
    listing_seconds_least: float = 10.0  # between two that an order's refusal asked for
    pause_seconds_unsaid: int = 5  # after a 429 that does not say how long
    dial_seconds: float = 10.0
    heartbeat_seconds: float = 4.0  # a ping, and half of it later the connection is dead if nothing came
    answer_seconds: float = 5.0  # until the venue has said that the account's events flow
    report_seconds: float = 5.0  # within which the stream has to tell of what the venue acknowledged
    farewell_seconds: float = 1.0
    retry_seconds_first: float = 0.2
    retry_seconds_max: float = 30.0
    final_seconds: float = 30.0  # after what asking again soon does not mend: a key without the right
    healthy_seconds: float = 60.0  # after which the next trouble is a new one
    stay_seconds: float = 23 * 3_600.0  # on a connection; the venue ends it after a day
    overlap_seconds: float = 2.0  # the old connection goes on: what is on its way there is not yet on the new one

    def backoff(self, draws: Random) -> Backoff:
        """Return what says how long to wait before attempts at one thing."""
        return Backoff(first_seconds=self.retry_seconds_first, longest_seconds=self.retry_seconds_max, draws=draws)
