"""Answers what is asked at `history` beyond the latest: finished bars and the order book. From memory, else fetched.

Pure. A bar that the venue tells is never older than what was published: where both know one, ours is given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proto.bars import BARS_MAX, LEVELS_MAX, AskBars, AskBook, Bar, BarsGiven, BookGiven, Level
from proto.streams import RequestRefused
from services.feed_handler.symbol_desk import SymbolDesk, Times
from services.feed_handler.vocabulary import CandlesFetched, FetchCandles
from shared.core.service import Answer, Asked, Effect
from shared.market.bars import bar_of, candle_fault
from shared.market.timeframe import Timeframe, TimeframeRefusedError, timeframe

FETCHES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class _Waiting:
    asked: Asked
    body: AskBars
    frame: Timeframe


class History:
    """What the feed gives on request."""

    def __init__(
        self, desks: Mapping[str, SymbolDesk], *, told_by_venue: frozenset[str], fetch_id: Callable[[], int]
    ) -> None:
        self._desks: Final = desks
        self._told_by_venue: Final = told_by_venue
        self._fetch_id: Final = fetch_id
        self._waiting: Final[dict[int, _Waiting]] = {}

    def asked(self, asked: Asked, body: AskBars | AskBook, now: Times) -> Sequence[Effect]:
        """Answer a question, or fetch what the answer takes."""
        desk = self._desks.get(body.symbol)
        if desk is None:
            reason = f"{body.symbol} is not read here; read are {', '.join(self._desks)}"
            return (_refused(asked, "symbol_is_read_here", reason),)
        if isinstance(body, AskBook):
            return (self._book(asked, desk),)
        try:
            frame = timeframe(body.timeframe)
        except TimeframeRefusedError as error:
            return (_refused(asked, "timeframe_is_known", str(error)),)
        return (self._bars(asked, body, desk, frame, now),)

    def fetched(self, fetched: CandlesFetched) -> Sequence[Effect]:
        """Answer with what was fetched, and what we know beyond it."""
        waiting = self._waiting.pop(fetched.fetch_id, None)
        if waiting is None:
            return ()
        if fetched.failure is not None:
            known = _newest_without_a_hole(self._known(waiting.body, self._desks[fetched.symbol]), waiting.frame)
            if known:
                return (_given(waiting.asked, waiting.body, known),)
            return (_refused(waiting.asked, "venue_gives_bars", fetched.failure),)
        sound = [candle for candle in fetched.candles if candle_fault(candle, waiting.frame) is None]
        bars = {candle.open_time_ns: bar_of(candle) for candle in sound}
        bars |= {bar.open_time_ns: bar for bar in self._known(waiting.body, self._desks[fetched.symbol])}
        row = _newest_without_a_hole([bars[opening] for opening in sorted(bars)], waiting.frame)
        return (_given(waiting.asked, waiting.body, row),)

    def _bars(self, asked: Asked, body: AskBars, desk: SymbolDesk, frame: Timeframe, now: Times) -> Effect:
        known = _newest_without_a_hole(self._known(body, desk), frame)
        is_told = frame.name in self._told_by_venue
        if not is_told and not desk.bars.knows(frame.name):
            reason = f"{frame.name} is neither told by the venue nor built here: add it to feed.timeframes"
            return _refused(asked, "timeframe_is_known", reason)
        wanted = min(body.bars_max, BARS_MAX)
        reaches = bool(known) and known[-1].open_time_ns >= self._last_opening(body, frame, now)
        if not is_told or wanted == 0 or (len(known) >= wanted and reaches):
            return _given(asked, body, known)
        if len(self._waiting) >= FETCHES_MAX:
            return _refused(asked, "not_too_many_at_once", f"{FETCHES_MAX} questions wait for the venue already")
        fetch_id = self._fetch_id()
        self._waiting[fetch_id] = _Waiting(asked, body, frame)
        return FetchCandles(fetch_id, body.symbol, frame.name, body.before_open_time_ns, wanted)

    def _last_opening(self, body: AskBars, frame: Timeframe, now: Times) -> int:
        """Return when the newest bar opened that the answer has to have, or the one before, which may be closing."""
        before_ns = frame.open_time_ns(now.venue_ns) - frame.duration_ns
        if body.before_open_time_ns is not None:
            before_ns = min(before_ns, body.before_open_time_ns)
        return before_ns - frame.duration_ns

    def _known(self, body: AskBars, desk: SymbolDesk) -> tuple[Bar, ...]:
        if not desk.bars.knows(body.timeframe):
            return ()
        return desk.bars.before(body.timeframe, body.before_open_time_ns, BARS_MAX)

    def _book(self, asked: Asked, desk: SymbolDesk) -> Effect:
        if desk.book is None:
            reason = f"no order book of {desk.symbol} is kept: add it to feed.books"
            return _refused(asked, "book_is_kept", reason)
        if not desk.book.is_whole:
            return _refused(asked, "book_is_whole", "the book is being fetched: ask again in a moment")
        assert desk.book.book.sequence is not None, "it is whole"
        bids, asks = desk.book.book.levels(LEVELS_MAX)
        given = BookGiven(
            symbol=desk.symbol,
            book_sequence=desk.book.book.sequence,
            bids=tuple(Level(price=price, quantity=quantity) for price, quantity in bids),
            asks=tuple(Level(price=price, quantity=quantity) for price, quantity in asks),
        )
        return Answer(asked, given)


def _given(asked: Asked, body: AskBars, bars: Sequence[Bar]) -> Answer:
    wanted = min(body.bars_max, BARS_MAX)
    newest = tuple(bars[-wanted:]) if wanted else ()
    return Answer(asked, BarsGiven(symbol=body.symbol, timeframe=body.timeframe, bars=newest))


def _refused(asked: Asked, rule: str, reason: str) -> Answer:
    return Answer(asked, RequestRefused(rule=rule, reason=reason))


def _newest_without_a_hole(bars: Sequence[Bar], frame: Timeframe) -> tuple[Bar, ...]:
    """Return the newest bars that follow on each other."""
    first = len(bars) - 1
    while first > 0 and frame.close_time_ns(bars[first - 1].open_time_ns) == bars[first].open_time_ns:
        first -= 1
    return tuple(bars[max(first, 0) :])
