"""Whether the data of a symbol can be relied on now: how fresh it is, and how much of it was refused.

Times of our side are of the receive clock, which only goes forward; a venue's stamps are held against its own time.
"""

from collections import deque
from typing import Final, Literal

Doubt = Literal["never seen", "stale quotes", "old quotes", "many faults", "crossed", "suspect price"]


class SymbolHealth:
    """What is remembered of one symbol's quotes and faults. Every doubt ends by itself when its reason does."""

    def __init__(
        self, *, stale_after_ns: int, faults_for_doubt: int, doubt_window_ns: int, crossed_for_doubt_ns: int
    ) -> None:
        self._stale_after_ns: Final = stale_after_ns
        self._doubt_window_ns: Final = doubt_window_ns
        self._crossed_for_doubt_ns: Final = crossed_for_doubt_ns
        self._faults: Final[deque[int]] = deque(maxlen=faults_for_doubt)
        self._quoted_ns: int | None = None
        self._stamped_ns: int | None = None  # the newest stamp, in the venue's time
        self._stamp_stale_ns = 0  # when that stamp is too old, by the receive clock
        self._crossed_since_ns: int | None = None

    def faulted(self, received_ns: int, count: int) -> None:
        """Take note of refusals."""
        self._faults.extend([received_ns] * count)

    def crossed(self, received_ns: int) -> None:
        """Take note of a quote whose sides make no sense together."""
        if self._crossed_since_ns is None:
            self._crossed_since_ns = received_ns

    def uncrossed(self) -> None:
        """Take note of a quote whose sides do."""
        self._crossed_since_ns = None

    def quoted(self, stamp_ns: int | None, *, venue_now_ns: int, received_ns: int) -> None:
        """Take note of a quote that passed."""
        self._quoted_ns = received_ns
        if stamp_ns is not None and (self._stamped_ns is None or stamp_ns >= self._stamped_ns):
            self._stamped_ns = stamp_ns
            self._stamp_stale_ns = received_ns + self._stale_after_ns - (venue_now_ns - stamp_ns)

    def link_lost(self) -> None:
        """Forget what is fresh."""
        self._quoted_ns = self._stamped_ns = self._crossed_since_ns = None

    def doubts(self, venue_now_ns: int, received_now_ns: int) -> list[Doubt]:
        """Return the reasons to distrust the symbol now."""
        doubts: list[Doubt] = []
        if self._quoted_ns is None:
            doubts.append("never seen")
        elif received_now_ns - self._quoted_ns >= self._stale_after_ns:
            doubts.append("stale quotes")
        if self._stamped_ns is not None and venue_now_ns - self._stamped_ns >= self._stale_after_ns:
            doubts.append("old quotes")
        if self._many_faults_until_ns() > received_now_ns:
            doubts.append("many faults")
        since_ns = self._crossed_since_ns
        if since_ns is not None and received_now_ns - since_ns >= self._crossed_for_doubt_ns:
            doubts.append("crossed")
        return doubts

    def next_look_ns(self, received_now_ns: int) -> int | None:
        """Return when a doubt may begin or end though nothing is heard, by the receive clock; None is: never."""
        times = [self._many_faults_until_ns()]
        if self._quoted_ns is not None:
            times.append(self._quoted_ns + self._stale_after_ns)
        if self._stamped_ns is not None:
            times.append(self._stamp_stale_ns)
        if self._crossed_since_ns is not None:
            times.append(self._crossed_since_ns + self._crossed_for_doubt_ns)
        return min((time_ns for time_ns in times if time_ns > received_now_ns), default=None)

    def _many_faults_until_ns(self) -> int:
        return self._faults[0] + self._doubt_window_ns if len(self._faults) == self._faults.maxlen else 0
