"""Keeps the trades of a symbol in a row, by their ids: what is missing is fetched, and nothing is passed on before it.

Pure. The venue numbers trades by one, so a jump says that some are missing: lost with a connection, or never sent. What
comes meanwhile is held back. What cannot be had after all tries is given up, and counted: never in silence.
"""

from collections import deque
from typing import Final

import msgspec

from services.feed_handler.vocabulary import FetchTrades
from shared.market.observations import Trade

HELD_MAX: Final = 50_000
PAGE_TRADES: Final = 1_000
PAGES_MAX: Final = 100  # in a row; whoever missed more than that many trades has missed the market
TRIES_MAX: Final = 5
RETRY_NS: Final = 500_000_000


class Progress(msgspec.Struct):
    """What came of an input: trades that are next in the row, and how many are lost for good before the first."""

    trades: list[Trade] = msgspec.field(default_factory=list)
    lost: int = 0
    filled: int = 0
    repeated: int = 0
    is_renumbered: bool = False  # the venue counts anew: how many are missing nobody knows
    ask: FetchTrades | None = None


class TradeLine:
    """The row of one symbol's trades."""

    def __init__(self, symbol: str) -> None:
        self._symbol: Final = symbol
        self._next_id: int | None = None
        self._passed_time_ns = 0  # the exchange's, of the last trade passed on
        self._held: Final[deque[Trade]] = deque()
        self._asked: FetchTrades | None = None
        self._retry_at_ns: int | None = None
        self._tries = 0
        self._pages = 0
        self._is_looking = False  # whether there is anything missing: nothing waits for the answer
        self._again = False

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is known to be missing."""
        return self._asked is None or self._is_looking

    def opened(self, from_time_ns: int) -> Progress:
        """Fetch what was missed while the stream did not flow; at the beginning, what there was since a time."""
        self._is_looking = False
        if self._asked is not None:  # what is under way was asked before the stream was lost again
            self._again = True
            return Progress()
        if self._next_id is None:
            return self._ask(FetchTrades(self._symbol, from_id=None, from_time_ns=from_time_ns))
        return self._ask(self._from_next())

    def looked_for(self) -> Progress:
        """Fetch what a silent stream may have kept from us."""
        if self._next_id is None or self._asked is not None:
            return Progress()
        self._is_looking = True
        return self._ask(self._from_next())

    def came(self, trade: Trade) -> Progress:
        """Take a trade off the stream."""
        if self._is_looking and trade.trade_id == self._next_id:
            return self._in_row(trade)
        if self._asked is not None:
            self._is_looking = self._is_looking and trade.trade_id < (self._next_id or 0)
            return self._hold(trade)
        if self._next_id is None or trade.trade_id == self._next_id:
            return self._in_row(trade)
        if trade.trade_id < self._next_id:
            return self._behind(trade)
        self._held.append(trade)
        return self._ask(self._from_next())

    def fetched(self, trades: tuple[Trade, ...], now_ns: int) -> Progress:
        """Take what was fetched, and go on with what was held back as soon as it follows."""
        progress = Progress()
        for trade in trades:
            if self._next_id is None or trade.trade_id >= self._next_id:
                progress.lost += 0 if self._next_id is None else trade.trade_id - self._next_id
                self._next_id, self._passed_time_ns = trade.trade_id + 1, trade.exchange_time_ns
                progress.trades.append(trade)
        progress.filled = len(progress.trades)
        self._tries = 0 if progress.filled else self._tries + 1
        follows = self._drop_known(progress)
        if len(trades) == PAGE_TRADES and self._pages < PAGES_MAX and not follows:
            self._pages += 1
            progress.ask = self._asked = self._from_next()
        elif self._again and self._next_id is not None:
            self._again = False
            progress.ask = self._asked = self._from_next()
        elif follows or not self._held:
            self._release(progress)
        elif self._tries < TRIES_MAX and self._pages < PAGES_MAX:
            self._retry_at_ns = now_ns + RETRY_NS  # the venue is a little behind itself
        else:
            self._give_up(progress)
        return progress

    def failed(self, now_ns: int) -> Progress:
        """Nothing could be fetched: try again, and at last go on without."""
        progress = Progress()
        self._tries += 1
        if self._tries < TRIES_MAX:
            self._retry_at_ns = now_ns + RETRY_NS * self._tries
        else:
            self._give_up(progress)
        return progress

    def due(self, now_ns: int) -> Progress:
        """Ask again if it is time to."""
        if self._retry_at_ns is None or now_ns < self._retry_at_ns or self._asked is None:
            return Progress()
        self._retry_at_ns = None
        asked = self._asked if self._next_id is None else self._from_next()
        self._asked = asked
        return Progress(ask=asked)

    def _behind(self, trade: Trade) -> Progress:
        """Take a trade with a number that was passed: it is one of those, unless it is later than all of them."""
        if trade.exchange_time_ns <= self._passed_time_ns:
            return Progress(repeated=1)
        self._next_id = trade.trade_id
        progress = self._in_row(trade)
        progress.is_renumbered = True
        return progress

    def _in_row(self, trade: Trade) -> Progress:
        self._next_id, self._passed_time_ns = trade.trade_id + 1, trade.exchange_time_ns
        return Progress(trades=[trade])

    def _from_next(self) -> FetchTrades:
        return FetchTrades(self._symbol, from_id=self._next_id, from_time_ns=None)

    def _ask(self, fetch: FetchTrades) -> Progress:
        if self._asked is not None:
            return Progress()
        self._asked, self._tries, self._pages = fetch, 0, 1
        return Progress(ask=fetch)

    def _hold(self, trade: Trade) -> Progress:
        progress = Progress()
        if len(self._held) == HELD_MAX:
            self._give_up(progress)
            self._held.append(trade)
            self._release(progress)
        elif self._held and trade.trade_id <= self._held[-1].trade_id:
            progress.repeated = 1
        else:
            self._held.append(trade)
        return progress

    def _drop_known(self, progress: Progress) -> bool:
        """Drop what was held and has been fetched as well, and say whether the rest follows."""
        while self._held and self._next_id is not None and self._held[0].trade_id < self._next_id:
            self._held.popleft()
            progress.repeated += 1
        return bool(self._held) and (self._next_id is None or self._held[0].trade_id == self._next_id)

    def _give_up(self, progress: Progress) -> None:
        if self._held and self._next_id is not None:
            progress.lost += self._held[0].trade_id - self._next_id
        self._release(progress)

    def _release(self, progress: Progress) -> None:
        """Let the row run on with what was held back, as far as it has no other hole."""
        self._asked = self._retry_at_ns = None
        self._is_looking = self._again = False
        while self._held:
            trade = self._held.popleft()
            if progress.trades and trade.trade_id > progress.trades[-1].trade_id + 1:
                self._held.appendleft(trade)
                progress.ask = self._ask(self._from_next()).ask
                return
            self._next_id, self._passed_time_ns = trade.trade_id + 1, trade.exchange_time_ns
            progress.trades.append(trade)
