"""Finishes the bars of one symbol and timeframe: each once, in a row, never before its close.

Pure. A bar may be known twice: built from the trades we saw, and told by the venue. The first that can be relied on is
final; the other is compared with it. One that was built over a hole waits for the venue's, and stands in when there is
none. What the venue keeps to itself, because a stream was down or we were, is fetched.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from proto.bars import BARS_MAX, Bar
from shared.market.bars import differences
from shared.market.timeframe import Timeframe

WAITING_MAX: Final = BARS_MAX
PATIENCE_NS: Final = 2_000_000_000  # after its close a venue tells a bar within this
TRIES_MAX: Final = 4
RETRY_NS: Final = 1_000_000_000
FAILURE_PAUSE_NS_MAX: Final = 30_000_000_000
WARM_UP_RETRY_NS: Final = 5_000_000_000


@dataclass(slots=True)
class Closed:
    """What came of an input: bars that are final now, and where a second telling of one differed."""

    bars: list[Bar] = field(default_factory=list)
    revised: list[tuple[Bar, Bar, tuple[str, ...]]] = field(default_factory=list)  # as published, as told later


@dataclass(frozen=True, slots=True)
class Wanted:
    """Candles to be fetched: the newest of so many that opened before a time."""

    before_open_time_ns: int
    candles_max: int
    is_warm_up: bool = False


class ClosingLine:
    """The row of one symbol's finished bars, and the memory of the last of them."""

    def __init__(self, timeframe: Timeframe, *, is_told_by_venue: bool) -> None:
        self.timeframe: Final = timeframe
        self._is_told_by_venue: Final = is_told_by_venue
        self._memory: Final[deque[Bar]] = deque(maxlen=BARS_MAX)
        self._final: Final[dict[int, Bar]] = {}  # that wait for one before them
        self._stand_ins: Final[dict[int, Bar]] = {}
        self._next_open_ns: int | None = None
        self._warm_up: Wanted | None = None  # until it was fetched
        self._fetching = False
        self._tries = 0
        self._failures = 0
        self._retry_at_ns = 0

    def begin(self, now_ns: int) -> Wanted | None:
        """Begin with the bar under way at this time; say what to fetch to know those before it."""
        self._next_open_ns = self.timeframe.open_time_ns(now_ns)
        if not self._is_told_by_venue:
            return None
        self._fetching = True
        self._warm_up = Wanted(self._next_open_ns, BARS_MAX, is_warm_up=True)
        return self._warm_up

    def warmed_up(self, bars: Sequence[Bar]) -> None:
        """Take what was before the beginning; none of it is published."""
        assert self._warm_up is not None, "it was asked for"
        self._fetching = False
        first_ns = self._memory[0].open_time_ns if self._memory else self._warm_up.before_open_time_ns
        self._warm_up = None
        for bar in reversed(bars):
            if bar.open_time_ns < first_ns and len(self._memory) < BARS_MAX:
                self._memory.appendleft(bar)
                first_ns = bar.open_time_ns

    def not_warmed_up(self, venue_now_ns: int) -> None:
        """Fetch what was before the beginning later: there is no answer."""
        self._fetching = False
        self._retry_at_ns = venue_now_ns + WARM_UP_RETRY_NS

    def offer(self, bar: Bar) -> Closed:
        """Take a finished bar, from wherever it came."""
        closed = Closed()
        if self._next_open_ns is None or bar.open_time_ns < self._next_open_ns:
            if not self._remembers_nothing_behind(bar):
                self._compare(bar, closed)
            elif not self._is_told_by_venue:  # of the minute we joined: for whoever asks, and not published
                self._memory.append(bar)
            return closed
        open_ns = bar.open_time_ns
        if open_ns not in self._final and (bar.gapless or not self._is_told_by_venue):
            self._keep(self._final, bar)
        elif open_ns in self._final:
            self._note_difference(self._final[open_ns], bar, closed)
        else:
            self._keep(self._stand_ins, bar)
        self._release(closed)
        return closed

    def due(self, venue_now_ns: int) -> Wanted | None:
        """Say what to fetch, when a bar should have been known for a while."""
        opening = self._next_open_ns
        if opening is None or not self._is_told_by_venue or self._fetching or venue_now_ns < self._retry_at_ns:
            return None
        if venue_now_ns < self.timeframe.close_time_ns(opening) + PATIENCE_NS:
            self._fetching = self._warm_up is not None
            return self._warm_up
        self._fetching = True
        length = self.timeframe.duration_ns
        closed = (self.timeframe.open_time_ns(venue_now_ns) - opening) // length
        count = min(closed, BARS_MAX)
        return Wanted(opening + count * length, count)

    def fetched(self, bars: Sequence[Bar], venue_now_ns: int) -> Closed:
        """Take what was fetched, oldest first; an empty answer is one more try that failed."""
        self._fetching, self._failures = False, 0
        closed = Closed()
        before = self._next_open_ns
        for bar in bars:
            offered = self.offer(bar)
            closed.bars += offered.bars
            closed.revised += offered.revised
        if self._next_open_ns != before:
            self._tries = self._retry_at_ns = 0
            return closed
        self._tries += 1
        self._retry_at_ns = venue_now_ns + RETRY_NS * self._tries
        if self._tries >= TRIES_MAX:
            self._tries = 0
            self._do_without(venue_now_ns, closed)
        return closed

    def not_fetched(self, venue_now_ns: int) -> None:
        """Ask again later, and later each time: that the venue cannot be asked says nothing about a bar."""
        self._fetching = False
        self._failures += 1
        self._retry_at_ns = venue_now_ns + min(RETRY_NS * self._failures, FAILURE_PAUSE_NS_MAX)

    def before(self, open_time_ns: int | None, bars_max: int) -> tuple[Bar, ...]:
        """Return the newest bars in memory that opened before a time, the oldest first."""
        known = [bar for bar in self._memory if open_time_ns is None or bar.open_time_ns < open_time_ns]
        return tuple(known[-bars_max:]) if bars_max else ()

    def _do_without(self, venue_now_ns: int, closed: Closed) -> None:
        """Go on without the venue's word on the next bar: ours with its hole, or the last price carried forward."""
        opening = self._next_open_ns
        assert opening is not None, "a bar was waited for"
        stand_in = self._stand_ins.get(opening)
        if stand_in is None and self._memory and venue_now_ns >= self.timeframe.close_time_ns(opening):
            stand_in = _carried_forward(self._memory[-1], opening)
        if stand_in is not None:
            self._final[opening] = msgspec.structs.replace(stand_in, gapless=False)
            self._release(closed)

    def _release(self, closed: Closed) -> None:
        if self._final and not self._is_told_by_venue:
            # Nobody can tell what is missing: begin anew behind it. Readers see the jump in the open times.
            self._next_open_ns = min(self._final)
        while self._next_open_ns in self._final:
            bar = self._final.pop(self._next_open_ns)
            stand_in = self._stand_ins.pop(self._next_open_ns, None)
            if stand_in is not None:
                self._note_difference(bar, stand_in, closed)
            self._memory.append(bar)
            closed.bars.append(bar)
            self._next_open_ns = self.timeframe.close_time_ns(bar.open_time_ns)

    def _remembers_nothing_behind(self, bar: Bar) -> bool:
        return not self._memory or self._memory[-1].open_time_ns < bar.open_time_ns

    def _compare(self, bar: Bar, closed: Closed) -> None:
        published = next((known for known in reversed(self._memory) if known.open_time_ns == bar.open_time_ns), None)
        if published is not None:
            self._note_difference(published, bar, closed)

    def _note_difference(self, published: Bar, told: Bar, closed: Closed) -> None:
        if not told.gapless:  # that it is not whole is known
            return
        if different := differences(published, told):
            closed.revised.append((published, told, different))

    def _keep(self, where: dict[int, Bar], bar: Bar) -> None:
        where[bar.open_time_ns] = bar
        if len(where) > WAITING_MAX:  # the furthest can be fetched once its turn comes
            del where[max(where)]


def _carried_forward(last: Bar, open_time_ns: int) -> Bar:
    nothing = last.base_volume - last.base_volume
    return msgspec.structs.replace(
        last,
        open_time_ns=open_time_ns,
        open_price=last.close_price,
        high_price=last.close_price,
        low_price=last.close_price,
        base_volume=nothing,
        quote_volume=nothing,
        trade_count=0,
        source="trades",
        gapless=False,
    )
