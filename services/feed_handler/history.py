"""Answers what is asked at `history` beyond the latest: finished bars and the order book. From memory, else fetched.

Pure. A bar that the venue tells is never older than what was published: where both know one, ours is given. Whoever
asks is answered in time: with what is known, when the venue takes longer, and its answer is kept for the next asking.

Bars below a minute are built here, so of the time before us there are none; a venue that tells seconds is asked for
those, and they are folded.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from proto.bars import BARS_MAX, LEVELS_MAX, AskBars, AskBook, Bar, BarsGiven, BookGiven, Level
from proto.fields import clipped
from proto.streams import RequestRefused
from services.feed_handler.bar_desk import MINUTE, SHOWN_NS
from services.feed_handler.symbol_desk import SymbolDesk, Times
from services.feed_handler.vocabulary import CandlesFetched, FetchCandles
from shared.core.service import Answer, Asked, Effect
from shared.market.bars import BarFolder, bar_of
from shared.market.observations import Candle
from shared.market.timeframe import Timeframe, TimeframeRefusedError, timeframe

ASKERS_MAX: Final = 100
LATE_MAX: Final = 10
ANSWER_EARLIER_NS: Final = 400_000_000  # than the asking expires: the time between two looks, and the answer's way
PATIENCE_NS: Final = 1_000_000_000  # of whoever sets no time
SECOND: Final = timeframe("1s")


@dataclass(slots=True)
class _Fetch:
    """A question that the venue was asked, in its own bars, and who waits for the answer until when."""

    wanted: AskBars
    frame: Timeframe
    part: Timeframe
    askers: list[tuple[Asked, int]] = field(default_factory=list)


class History:
    """What the feed gives on request."""

    def __init__(
        self,
        desks: Mapping[str, SymbolDesk],
        *,
        told_by_venue: frozenset[str],
        tells_seconds: bool,
        fetch_id: Callable[[], int],
    ) -> None:
        self._desks: Final = desks
        self._told_by_venue: Final = told_by_venue
        self._tells_seconds: Final = tells_seconds
        self._fetch_id: Final = fetch_id
        self._fetches: Final[dict[int, _Fetch]] = {}
        self._late: Final[dict[AskBars, tuple[Bar, ...]]] = {}  # what came when nobody waited any more

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
        return self._bars(asked, body, frame, now)

    def fetched(self, fetched: CandlesFetched, now: Times) -> Sequence[Effect]:
        """Answer with what was fetched, and what we know beyond it."""
        fetch = self._fetches.pop(fetched.fetch_id, None)
        if fetch is None:
            return ()
        if fetched.failure is not None:
            return self._without_the_venue(fetch, fetch.askers, fetched.failure)
        desk = self._desks[fetched.symbol]
        sound = [candle for candle in fetched.candles if desk.is_sound(candle, now)]
        told = _folded(sound, fetch.frame, fetch.part)
        if not fetch.askers:
            if len(self._late) == LATE_MAX:
                del self._late[next(iter(self._late))]
            self._late[fetch.wanted] = told
        row = self._row(fetch.wanted, fetch.frame, told)
        return [_given(asked, fetch.wanted, row) for asked, _ in fetch.askers]

    def due(self, now: Times) -> Sequence[Effect]:
        """Answer those who cannot wait for the venue any longer."""
        effects: list[Effect] = []
        for fetch in self._fetches.values():
            late = [asker for asker in fetch.askers if asker[1] <= now.boot_ns]
            if late:
                fetch.askers = [asker for asker in fetch.askers if asker[1] > now.boot_ns]
                effects += self._without_the_venue(fetch, late, "it has not answered yet: ask again in a moment")
        return effects

    def _bars(self, asked: Asked, body: AskBars, frame: Timeframe, now: Times) -> Sequence[Effect]:
        part = self._told_part(frame)
        if frame.name not in self._told_by_venue and not self._desks[body.symbol].bars.knows(frame.name):
            reason = f"{frame.name} is neither told by the venue nor built here: add it to feed.timeframes"
            return (_refused(asked, "timeframe_is_known", reason),)
        wanted = min(body.bars_max, BARS_MAX)
        row = self._row(body, frame, self._late.pop(body, ()))
        closed_ns = frame.open_time_ns(now.venue_ns if part is frame else now.venue_ns - SHOWN_NS)
        before_ns = closed_ns if body.before_open_time_ns is None else min(body.before_open_time_ns, closed_ns)
        # The bar before that may still be closing.
        reaches = bool(row) and row[-1].open_time_ns >= before_ns - 2 * frame.duration_ns
        if part is None or wanted == 0 or (len(row) >= wanted and reaches):
            return (_given(asked, body, row),)
        return self._fetch(asked, _Fetch(body, frame, part), before_ns, now)

    def _told_part(self, frame: Timeframe) -> Timeframe | None:
        """Return the bars in which the venue tells this timeframe; None where it tells none that would do."""
        if frame.name in self._told_by_venue:
            return frame
        return SECOND if self._tells_seconds and frame.duration_ns < MINUTE.duration_ns else None

    def _fetch(self, asked: Asked, fetch: _Fetch, before_ns: int, now: Times) -> Sequence[Effect]:
        if sum(len(fetch.askers) for fetch in self._fetches.values()) >= ASKERS_MAX:
            return (_refused(asked, "not_too_many_at_once", f"{ASKERS_MAX} questions wait for the venue already"),)
        expires_ns = asked.envelope.expires_boot_ns
        answer_by_ns = now.boot_ns + PATIENCE_NS if expires_ns is None else expires_ns - ANSWER_EARLIER_NS
        under_way = next((other for other in self._fetches.values() if other.wanted == fetch.wanted), None)
        if under_way is not None:
            under_way.askers.append((asked, answer_by_ns))
            return ()
        fetch.askers.append((asked, answer_by_ns))
        fetch_id = self._fetch_id()
        self._fetches[fetch_id] = fetch
        parts = fetch.frame.duration_ns // fetch.part.duration_ns
        bars = min(fetch.wanted.bars_max, BARS_MAX // parts)
        before_ns = fetch.frame.open_time_ns(before_ns) if parts > 1 else before_ns
        return (FetchCandles(fetch_id, fetch.wanted.symbol, fetch.part.name, before_ns, bars * parts),)

    def _without_the_venue(self, fetch: _Fetch, askers: Iterable[tuple[Asked, int]], failure: str) -> Sequence[Effect]:
        known = self._row(fetch.wanted, fetch.frame, ())
        if known:
            return [_given(asked, fetch.wanted, known) for asked, _ in askers]
        return [_refused(asked, "venue_gives_bars", f"the venue gives no bars: {failure}") for asked, _ in askers]

    def _row(self, body: AskBars, frame: Timeframe, told: Iterable[Bar]) -> tuple[Bar, ...]:
        """Return the newest bars that follow on each other, of those told and those we know."""
        bars = {bar.open_time_ns: bar for bar in told}
        desk = self._desks[body.symbol]
        if desk.bars.knows(frame.name):
            known = desk.bars.before(frame.name, body.before_open_time_ns, BARS_MAX)
            bars |= {bar.open_time_ns: bar for bar in known}
        row = [bars[opening] for opening in sorted(bars)]
        first = len(row) - 1
        while first > 0 and frame.close_time_ns(row[first - 1].open_time_ns) == row[first].open_time_ns:
            first -= 1
        return tuple(row[max(first, 0) :])

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


def _folded(candles: Iterable[Candle], frame: Timeframe, part: Timeframe) -> tuple[Bar, ...]:
    """Return the bars that a venue's candles are, or make; none that a candle is missing from."""
    bars = [bar_of(candle) for candle in candles]
    if part is frame:
        return tuple(bars)
    folder = BarFolder(frame, part=part)
    return tuple(bar for told in bars for bar in folder.bar(told) if bar.gapless)


def _given(asked: Asked, body: AskBars, bars: Sequence[Bar]) -> Answer:
    wanted = min(body.bars_max, BARS_MAX)
    newest = tuple(bars[-wanted:]) if wanted else ()
    return Answer(asked, BarsGiven(symbol=body.symbol, timeframe=body.timeframe, bars=newest))


def _refused(asked: Asked, rule: str, reason: str) -> Answer:
    return Answer(asked, RequestRefused(rule=rule, reason=clipped(reason)))
