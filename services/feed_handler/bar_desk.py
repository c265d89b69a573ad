"""The bars of one symbol, in every timeframe: from trades below a minute, from trades and the venue's candles above.

Pure. The minute stands in the middle: shorter bars are built from trades alone, longer ones are folded from finished
minutes, so a minute that was mended mends them as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from proto.bars import Bar
from services.feed_handler.closing_line import Closed, ClosingLine, Wanted
from services.feed_handler.vocabulary import FetchCandles
from shared.market.bars import BarBuilder, BarFolder, bar_of
from shared.market.observations import Candle, Trade
from shared.market.timeframe import Timeframe, timeframe

MINUTE: Final = timeframe("1m")
SHOWN_NS: Final = 1_000_000_000  # the venue shows a trade within this, to whoever asks for its trades


@dataclass(frozen=True, slots=True)
class Revised:
    """A bar that was published, and then told differently."""

    timeframe: str
    published: Bar
    told: Bar
    fields: tuple[str, ...]


class BarNews(msgspec.Struct):
    """What came of an input."""

    closed: list[tuple[str, Bar]] = msgspec.field(default_factory=list)
    revised: list[Revised] = msgspec.field(default_factory=list)
    fetches: list[FetchCandles] = msgspec.field(default_factory=list)


class BarDesk:
    """Builds, compares, finishes and remembers the bars of a symbol."""

    def __init__(
        self,
        symbol: str,
        timeframes: Iterable[Timeframe],
        *,
        told_by_venue: frozenset[str],
        fetch_id: Callable[[], int],
    ) -> None:
        self._symbol: Final = symbol
        self._fetch_id: Final = fetch_id
        chosen = {frame.name: frame for frame in timeframes}
        self.published: Final = frozenset(chosen)
        every = {MINUTE.name: MINUTE} | chosen
        self._lines: Final = {
            name: ClosingLine(frame, is_told_by_venue=name in told_by_venue) for name, frame in every.items()
        }
        longer = {name: frame for name, frame in every.items() if name != MINUTE.name and frame.holds(MINUTE)}
        self._folders: Final = {name: BarFolder(frame, part=MINUTE) for name, frame in longer.items()}
        self._builders: Final = {name: BarBuilder(frame) for name, frame in every.items() if name not in longer}
        self._trades_until_ns: int | None = None  # all up to this time have come; None before the first
        self._asked: Final[dict[int, tuple[str, Wanted]]] = {}

    def begin(self, venue_now_ns: int) -> BarNews:
        """Open every row with the bar under way, and ask for what was before."""
        news = BarNews()
        for name, line in self._lines.items():
            self._want(name, line.begin(venue_now_ns), news)
        return news

    def from_the_minute(self, venue_now_ns: int) -> int:
        """Return since when trades are needed, so that the minute under way is whole."""
        return MINUTE.open_time_ns(venue_now_ns)

    def trades_begin(self, from_time_ns: int) -> None:
        """Count trades from this time on, unless that has begun."""
        if self._trades_until_ns is None:
            self._trades_until_ns = from_time_ns
            for builder in self._builders.values():
                builder.begin(from_time_ns)

    def trades(self, trades: Sequence[Trade]) -> BarNews:
        """Take trades in their row."""
        news = BarNews()
        if trades and self._trades_until_ns is None:  # nobody told what was traded before
            self.trades_begin(trades[0].exchange_time_ns)
            self.doubt_at(trades[0].exchange_time_ns)
        for name, builder in self._builders.items():
            for trade in trades:
                self._offer(name, builder.trade(trade), news)
        if trades:
            self._trades_until_ns = trades[-1].exchange_time_ns
        return news

    def reached(self, venue_time_ns: int) -> BarNews:
        """Close what is over by a time up to which every trade has come."""
        news = BarNews()
        if self._trades_until_ns is not None and venue_time_ns > self._trades_until_ns:
            self._trades_until_ns = venue_time_ns
            for name, builder in self._builders.items():
                self._offer(name, builder.reached(venue_time_ns), news)
        return news

    def doubt_at(self, time_ns: int) -> None:
        """Note that a trade of this time was refused."""
        for builder in self._builders.values():
            builder.doubt(time_ns, time_ns)

    def doubt_until(self, time_ns: int) -> None:
        """Note that trades are lost, of times between the last one that came and this."""
        from_ns = time_ns if self._trades_until_ns is None else min(self._trades_until_ns, time_ns)
        for builder in self._builders.values():
            builder.doubt(from_ns, time_ns)

    def wait_for_trades(self, venue_now_ns: int) -> bool:
        """Say whether a bar is over that only trades can close, and the venue shows all of its trades by now."""
        return any(
            builder.is_over(venue_now_ns - SHOWN_NS) for name, builder in self._builders.items() if name != MINUTE.name
        )

    def candle(self, candle: Candle) -> BarNews:
        """Take a closed minute of the venue."""
        news = BarNews()
        self._offer(MINUTE.name, [bar_of(candle)], news)
        return news

    def close_time_ns(self, candle: Candle) -> int:
        """Return when a candle closes, by its own timeframe."""
        return timeframe(candle.timeframe).close_time_ns(candle.open_time_ns)

    def clock(self, venue_now_ns: int) -> BarNews:
        """Ask for what is overdue."""
        news = BarNews()
        for name, line in self._lines.items():
            self._want(name, line.due(venue_now_ns), news)
        return news

    def wants(self, fetch_id: int) -> bool:
        """Say whether we wait for what comes of a fetch."""
        return fetch_id in self._asked

    def fetched(self, fetch_id: int, candles: Sequence[Candle] | None, venue_now_ns: int) -> BarNews:
        """Take what came of a fetch that we wanted; no candles where it failed."""
        news = BarNews()
        name, wanted = self._asked.pop(fetch_id)
        bars, line = [bar_of(candle) for candle in candles or ()], self._lines[name]
        if candles is None:
            (line.not_warmed_up if wanted.is_warm_up else line.not_fetched)(venue_now_ns)
            return news
        if not wanted.is_warm_up:
            self._told(name, line.fetched(bars, venue_now_ns), news)
            return news
        line.warmed_up(bars)
        if name == MINUTE.name:
            for longer, folder in self._folders.items():
                opening = self._lines[longer].timeframe.open_time_ns(venue_now_ns)
                for bar in line.before(None, len(bars)):
                    if bar.open_time_ns >= opening:
                        self._offer(longer, folder.bar(bar), news)
        return news

    @property
    def late_trades(self) -> int:
        """How many trades came when a bar that they belong to was final, of whichever bars that was so most often."""
        return max(builder.late_count for builder in self._builders.values())

    def before(self, name: str, open_time_ns: int | None, bars_max: int) -> tuple[Bar, ...]:
        """Return bars in memory."""
        return self._lines[name].before(open_time_ns, bars_max)

    def knows(self, name: str) -> bool:
        """Say whether there are bars of this timeframe here."""
        return name in self._lines

    def _offer(self, name: str, bars: Iterable[Bar], news: BarNews) -> None:
        for bar in bars:
            self._told(name, self._lines[name].offer(bar), news)

    def _told(self, name: str, closed: Closed, news: BarNews) -> None:
        news.revised += [Revised(name, published, told, fields) for published, told, fields in closed.revised]
        for bar in closed.bars:
            if name in self.published:
                news.closed.append((name, bar))
            if name == MINUTE.name:
                for longer, folder in self._folders.items():
                    self._offer(longer, folder.bar(bar), news)

    def _want(self, name: str, wanted: Wanted | None, news: BarNews) -> None:
        if wanted is None:
            return
        fetch_id = self._fetch_id()
        self._asked[fetch_id] = (name, wanted)
        news.fetches.append(FetchCandles(fetch_id, self._symbol, name, wanted.before_open_time_ns, wanted.candles_max))
