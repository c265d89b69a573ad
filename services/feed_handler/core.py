"""The feed-handler's core: hands what came to the desk of its symbol, keeps the time, and answers at `history`. Pure.

The way of a tick: the link brings it (`Came`), the symbol's desk judges it and returns `Publish`.
"""

from collections.abc import Sequence
from itertools import count
from typing import Final

from proto.bars import AskBars, AskBook
from proto.measures import TALLIES_MAX, FeedCounted, Tally
from services.feed_handler.history import History
from services.feed_handler.symbol_desk import DeskSettings, SymbolDesk, Times
from services.feed_handler.vocabulary import (
    BookFetched,
    Came,
    CandlesFetched,
    Reconnect,
    StreamKind,
    StreamLost,
    StreamOpened,
    TradesFetched,
    VenueClock,
)
from shared.core.service import (
    Asked,
    Effect,
    Happening,
    Moment,
    Note,
    Say,
    Stalled,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)

TICK_NS: Final = 200_000_000
TICKS_PER_COUNT: Final = 5
LEAP_NS: Final = 1_000_000_000
CLOCK: Final = "clock"
KINDS: Final[tuple[StreamKind, ...]] = ("trades", "quotes", "book", "candles")


class FeedCore:
    """Reads one venue's data for some symbols."""

    def __init__(self, settings: DeskSettings, symbols: Sequence[str], *, books: Sequence[str]) -> None:
        self._venue: Final = settings.venue
        fetch_ids = count(1)
        self._desks: Final = {
            symbol: SymbolDesk(symbol, settings, wants_book=symbol in books, fetch_id=lambda: next(fetch_ids))
            for symbol in symbols
        }
        self._history: Final = History(
            self._desks,
            told_by_venue=settings.told_by_venue,
            tells_seconds=settings.tells_seconds,
            fetch_id=lambda: next(fetch_ids),
        )
        self._venue_ahead_ns: int | None = None  # of the boot-time clock, which nobody sets
        self._leap_ns: int | None = None  # what it would be by a measurement that nobody confirmed yet
        self._early: list[StreamOpened] = []  # before the venue's clock is known nothing can be said of bars
        self._link: Final = {"streams opened": 0, "streams lost": 0, "unreadable": 0}
        self._ticks = 0

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""
        match happening:
            case Came():
                return self._came(happening, self._times(now))
            case Woken():
                return self._tick(self._times(now))
            case TradesFetched() | CandlesFetched() | BookFetched():
                return self._fetched(happening, self._times(now))
            case StreamOpened() | StreamLost():
                return self._stream_changed(happening, self._times(now))
            case VenueClock(ahead_ns=ahead_ns):
                return self._clock_measured(now.wall_ns + ahead_ns - now.boot_ns, now)
            case Asked(envelope=envelope) if isinstance(envelope.body, AskBars | AskBook):
                return self._history.asked(happening, envelope.body, self._times(now))
            case Stalled():
                # Begin anew: what waited while we stood still is old, and not everything says how old it is.
                return tuple(Reconnect(kind) for kind in KINDS)
            case Started():
                return (WakeAt(CLOCK, now.boot_ns + TICK_NS),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()

    def _came(self, came: Came, now: Times) -> list[Effect]:
        effects: list[Effect] = []
        for told in came.told:
            desk = self._desks.get(told.symbol) if told.symbol is not None else None
            if desk is None:
                self._link["unreadable"] += 1
            else:
                effects += desk.take(told, came.received_wall_ns, now)
        return effects

    def _tick(self, now: Times) -> list[Effect]:
        effects: list[Effect] = [WakeAt(CLOCK, now.boot_ns + TICK_NS)]
        well = frozenset(kind for kind in KINDS if any(desk.is_heard(kind, now) for desk in self._desks.values()))
        for desk in self._desks.values():
            effects += desk.clock(now, well)
        effects += self._history.due(now)
        self._ticks += 1
        if self._ticks % TICKS_PER_COUNT == 0:
            effects += self._counted()
        return effects

    def _clock_measured(self, ahead_ns: int, now: Moment) -> list[Effect]:
        """Believe the venue's time; a leap only when it is measured a second time."""
        known_ns, leap_ns, self._leap_ns = self._venue_ahead_ns, self._leap_ns, ahead_ns
        is_leap = known_ns is not None and abs(ahead_ns - known_ns) > LEAP_NS
        if is_leap and (leap_ns is None or abs(ahead_ns - leap_ns) > LEAP_NS):
            return [Note("warning", "the venue's clock leaps", {"by_ns": ahead_ns - (known_ns or 0)})]
        self._venue_ahead_ns = ahead_ns
        early, self._early = self._early, []
        effects: list[Effect] = []
        for opened in early:
            effects += self._stream_changed(opened, self._times(now))
        return effects

    def _stream_changed(self, change: StreamOpened | StreamLost, now: Times) -> list[Effect]:
        effects: list[Effect] = []
        if isinstance(change, StreamOpened) and self._venue_ahead_ns is None:
            self._early.append(change)
            return effects
        self._early = [left for early in self._early if (left := _without(early, change)).symbols]
        details: dict[str, object] = {"stream": change.kind, "symbols": len(change.symbols)}
        if isinstance(change, StreamOpened):
            self._link["streams opened"] += 1
            effects.append(Note("info", "a stream flows", details))
            for symbol in change.symbols:
                effects += self._desks[symbol].opened(change.kind, now)
        else:
            self._link["streams lost"] += 1
            effects.append(Note("warning", "a stream is lost", details | {"reason": change.reason}))
            for symbol in change.symbols:
                effects += self._desks[symbol].lost(change.kind, change.reason)
        return effects

    def _fetched(self, fetched: TradesFetched | CandlesFetched | BookFetched, now: Times) -> Sequence[Effect]:
        desk = self._desks[fetched.symbol]
        match fetched:
            case TradesFetched():
                return desk.trades_fetched(fetched, now)
            case BookFetched():
                return desk.book_fetched(fetched, now)
            case CandlesFetched():
                if desk.bars.wants(fetched.fetch_id):
                    return desk.candles_fetched(fetched, now)
                return self._history.fetched(fetched, now)

    def _counted(self) -> list[Effect]:
        effects: list[Effect] = [
            Say(FeedCounted(venue=self._venue, symbol=None, took=_tallies(self._link), refused=()))
        ]
        effects += [
            Say(FeedCounted(venue=self._venue, symbol=symbol, took=_tallies(desk.took), refused=_tallies(desk.refused)))
            for symbol, desk in self._desks.items()
        ]
        return effects

    def _times(self, now: Moment) -> Times:
        ahead_ns = now.wall_ns - now.boot_ns if self._venue_ahead_ns is None else self._venue_ahead_ns
        return Times(boot_ns=now.boot_ns, wall_ns=now.wall_ns, venue_ns=now.boot_ns + ahead_ns)


def _without(early: StreamOpened, change: StreamOpened | StreamLost) -> StreamOpened:
    """Return what is left of a stream that was opened, after some of it changed."""
    if early.kind != change.kind:
        return early
    return StreamOpened(early.kind, tuple(symbol for symbol in early.symbols if symbol not in change.symbols))


def _tallies(counts: dict[str, int]) -> tuple[Tally, ...]:
    return tuple(Tally(what=what, count=number) for what, number in counts.items() if number)[:TALLIES_MAX]
