"""Keeps the trades of a symbol in a row, by their ids: what is missing is fetched, and nothing is passed on before it.

Pure. The venue numbers trades by one, so a jump says that some are missing: lost with a connection, or never sent. What
is ahead of its row is held back until the row has come so far. What cannot be had after all tries is given up, and
counted: never in silence. A single number that nothing confirms moves no row: it may be wild. Two that follow on each
other are believed, also when they are smaller than those before, or larger by more than anybody trades meanwhile: then
the venue has begun to count anew, and how many are lost nobody knows.
"""

from typing import Final

import msgspec

from services.feed_handler.vocabulary import FetchTrades
from shared.market.observations import Trade

HELD_MAX: Final = 50_000
LOST_MAX: Final = 1_000_000  # a larger hole that a venue cannot fill is none: it gives other numbers
PAGE_TRADES: Final = 1_000
TRIES_MAX: Final = 5
RETRY_NS: Final = 500_000_000


class Progress(msgspec.Struct):
    """What came of an input: the trades that are next in the row, and what became of others."""

    trades: list[Trade] = msgspec.field(default_factory=list)
    after_holes: set[int] = msgspec.field(default_factory=set)  # the ids of those before which some are missing
    lost: int = 0  # for good; after a new beginning nobody knows how many
    filled: int = 0
    repeated: int = 0
    wild: int = 0  # numbers that belong to no row
    dropped: list[Trade] = msgspec.field(default_factory=list)  # those that had them
    renumbered_from: int | None = None
    ask: FetchTrades | None = None

    @property
    def refused(self) -> tuple[tuple[str, int], ...]:
        """What did not become a part of the row, by the reason."""
        return ("repeated trade", self.repeated), ("wild trade number", self.wild), ("lost trade", self.lost)


class TradeLine:
    """The row of one symbol's trades."""

    def __init__(self, symbol: str) -> None:
        self._symbol: Final = symbol
        self._next_id: int | None = None
        self._from_time_ns = 0
        self._passed_time_ns = 0  # the exchange's, of the last trade passed on
        self._held: Final[dict[int, Trade]] = {}  # ahead of the row
        self._is_judged = False  # the venue was asked often enough what is before those held, and has nothing
        self._has_moved_on = False  # the row has, since they are held
        self._behind: Trade | None = None  # a number that was passed, of a later time
        self._asked: FetchTrades | None = None
        self._retry_at_ns: int | None = None
        self._tries = 0
        self._is_looking = False  # whether there is anything missing: nothing waits for the answer
        self._again = False  # what is under way was asked for too early: ask once more
        self._is_void = False  # and its answer tells nothing

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is known to be missing."""
        return not self._held and self._behind is None and (self._asked is None or self._is_looking)

    @property
    def _is_free(self) -> bool:
        return self._asked is None and not self._held

    def opened(self, from_time_ns: int) -> Progress:
        """Fetch what was missed while the stream did not flow; at the beginning, what there was since a time."""
        self._is_looking = False
        self._from_time_ns = from_time_ns
        if self._asked is not None:  # before the stream was lost again
            self._again = True
            return Progress()
        return Progress(ask=self._ask())

    def looked_for(self) -> Progress:
        """Fetch what a silent stream may have kept from us."""
        if self._asked is not None:
            return Progress()
        self._is_looking = True
        return Progress(ask=self._ask())

    def came(self, trade: Trade) -> Progress:
        """Take a trade off the stream."""
        progress = Progress()
        if trade.trade_id == self._next_id or (self._next_id is None and self._is_free):
            self._has_moved_on = bool(self._held)
            self._pass(trade, progress)
            self._run_on(progress)
            self._drop_the_refuted(progress)
        elif self._next_id is None or trade.trade_id > self._next_id:
            self._hold(trade, progress)
        elif trade.exchange_time_ns <= self._passed_time_ns:
            progress.repeated = 1
        else:
            self._begins_anew(trade, progress)
        return progress

    def fetched(self, trades: tuple[Trade, ...], now_ns: int) -> Progress:
        """Take what was fetched, and go on with what was held back as soon as it follows."""
        progress = Progress()
        for trade in () if self._is_void else trades:
            if self._next_id is None or trade.trade_id == self._next_id:
                self._pass(trade, progress)
            elif trade.trade_id > self._next_id:
                self._keep(trade)
        self._is_void = False
        progress.filled = len(progress.trades)
        self._tries = 0 if progress.filled else self._tries + 1
        if self._next_id is None and self._held:
            self._pass(self._held.pop(min(self._held)), progress)
        self._run_on(progress)
        if self._again or (len(trades) == PAGE_TRADES and progress.filled and len(progress.trades) == progress.filled):
            self._again = False
            progress.ask = self._asked = self._from_next()
        elif not self._held:
            self._settle()
        elif self._is_judged:  # asked once more, and still nothing leads there
            self._settle()
            self._drop(self._held, progress)
        elif self._tries < TRIES_MAX:
            self._retry_at_ns = now_ns + RETRY_NS  # the venue is a little behind itself
        else:
            self._judge(progress)
        return progress

    def failed(self, now_ns: int) -> Progress:
        """Nothing could be fetched: try again, and at last go on without."""
        progress = Progress()
        self._is_void = False
        self._tries += 1
        if self._is_looking:
            self._settle()
        elif self._tries < TRIES_MAX or not self._held:  # with nothing to go on with, nothing else can be done
            self._retry_at_ns = now_ns + RETRY_NS * min(self._tries, TRIES_MAX)
        else:
            self._judge(progress)
        return progress

    def due(self, now_ns: int) -> Progress:
        """Ask again if it is time to."""
        if self._retry_at_ns is None or now_ns < self._retry_at_ns or self._asked is None:
            return Progress()
        self._retry_at_ns = None
        self._asked = self._from_next()
        return Progress(ask=self._asked)

    def _hold(self, trade: Trade, progress: Progress) -> None:
        """Hold back a trade that is ahead of its row, and see to what is before it."""
        if trade.trade_id in self._held:
            progress.repeated = 1
            return
        self._keep(trade)
        if len(self._held) > HELD_MAX or (self._is_judged and self._first_in_a_row() is not None):
            self._judge(progress)
        elif self._asked is None:
            progress.ask = self._ask()

    def _keep(self, trade: Trade) -> None:
        if not self._held:
            self._is_judged = self._has_moved_on = False
        self._is_looking = False
        self._held[trade.trade_id] = trade

    def _begins_anew(self, trade: Trade, progress: Progress) -> None:
        """Take a number that was passed, of a later time: with the second such one in a row the venue counts anew."""
        before, self._behind = self._behind, trade
        if before is None:
            return
        if trade.trade_id != before.trade_id + 1:
            self._drop({before.trade_id: before}, progress)
            return
        self._behind = None
        for held_id in sorted(self._held):
            self._pass(self._held.pop(held_id), progress)
        self._again = self._is_void = self._asked is not None  # by numbers of before
        self._next_id = before.trade_id
        progress.renumbered_from = before.trade_id
        progress.after_holes.add(before.trade_id)
        self._pass(before, progress)
        self._pass(trade, progress)

    def _pass(self, trade: Trade, progress: Progress) -> None:
        if self._next_id is not None and trade.trade_id > self._next_id:
            if trade.trade_id - self._next_id > LOST_MAX:
                progress.renumbered_from = trade.trade_id
            else:
                progress.lost += trade.trade_id - self._next_id
            progress.after_holes.add(trade.trade_id)
        self._next_id, self._passed_time_ns = trade.trade_id + 1, max(self._passed_time_ns, trade.exchange_time_ns)
        progress.trades.append(trade)

    def _run_on(self, progress: Progress) -> None:
        """Pass on what was held back and is next in the row by now."""
        if self._next_id is None:
            return
        for known in [held_id for held_id in self._held if held_id < self._next_id]:
            del self._held[known]
            progress.repeated += 1
        while (following := self._held.pop(self._next_id, None)) is not None:
            self._pass(following, progress)

    def _judge(self, progress: Progress) -> None:
        """Decide about what is held back, since what is before it cannot be had."""
        first = self._first_in_a_row()
        if first is not None:
            self._drop({held_id: held for held_id, held in self._held.items() if held_id < first}, progress)
            self._pass(self._held.pop(first), progress)
            self._run_on(progress)
        self._settle()
        self._is_judged = True
        if self._has_moved_on or len(self._held) > HELD_MAX:
            self._drop_the_refuted(progress)
        if self._held and first is not None:
            self._is_judged = self._has_moved_on = False
            progress.ask = self._ask()

    def _first_in_a_row(self) -> int | None:
        """Return the smallest number held that is confirmed by the one that follows on it."""
        return min((held_id for held_id in self._held if held_id + 1 in self._held), default=None)

    def _drop_the_refuted(self, progress: Progress) -> None:
        """Drop numbers that lead nowhere, now that the row goes on without them."""
        if self._behind is not None:
            self._drop({self._behind.trade_id: self._behind}, progress)
            self._behind = None
        if self._is_judged:
            self._drop(self._held, progress)

    def _drop(self, wild: dict[int, Trade], progress: Progress) -> None:
        progress.wild += len(wild)
        progress.dropped += wild.values()
        for trade_id in list(wild):
            self._held.pop(trade_id, None)

    def _settle(self) -> None:
        self._asked = self._retry_at_ns = None
        self._is_looking = self._again = self._is_void = False

    def _from_next(self) -> FetchTrades:
        """Return the question about what follows; before the first trade, about what there was since the beginning."""
        from_time_ns = self._from_time_ns if self._next_id is None else None
        return FetchTrades(self._symbol, from_id=self._next_id, from_time_ns=from_time_ns)

    def _ask(self) -> FetchTrades:
        assert self._asked is None, "one question at a time"
        self._asked, self._tries = self._from_next(), 0
        return self._asked
