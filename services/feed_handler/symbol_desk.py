"""Everything about one symbol: what the venue told goes through its gate and its rows, and comes out as messages.

Pure. `take` is the way of every tick: trades through the row of their ids and the gate to the stream and into the bars,
quotes through the gate to the stream, changes of the book into the book and to the stream.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from proto.market import MarketBody
from services.feed_handler.bar_desk import MINUTE, SHOWN_NS, BarDesk, BarNews, Revised
from services.feed_handler.book_line import BookLine, BookProgress
from services.feed_handler.silence import Silence
from services.feed_handler.standing import Standing
from services.feed_handler.trade_line import Progress, TradeLine
from services.feed_handler.vocabulary import BookFetched, CandlesFetched, StreamKind, Told, TradesFetched, Unreadable
from services.feed_handler.wording import book_changed, book_snapshot, gaps_noted, quote_seen, trade_seen
from shared.core.service import Effect, Note, Publish
from shared.market.bars import bar_closed
from shared.market.observations import BookChange, Candle, Quote, Trade
from shared.market.quality import Gate, GateSettings, Judged
from shared.market.timeframe import Timeframe

EARLY_NS: Final = 1_000_000_000  # the venue's clock is known to within this
MISSING_TRADES: Final = "missing trades"
MISSING_BOOK: Final = "missing book"


class Times(msgspec.Struct, frozen=True, gc=False):
    """When it is: by our boot-time clock, by our wall clock, and by the venue's."""

    boot_ns: int
    wall_ns: int
    venue_ns: int


@dataclass(frozen=True, kw_only=True)
class DeskSettings:
    """What is the same for every symbol of a feed."""

    venue: str
    timeframes: tuple[Timeframe, ...]
    told_by_venue: frozenset[str]  # timeframes of which the venue tells candles
    look_every_ns: int  # for trades that a silent stream may keep from us
    gate: GateSettings
    tells_seconds: bool = False  # of the past, on request


class SymbolDesk:
    """One symbol of one venue."""

    def __init__(self, symbol: str, settings: DeskSettings, *, wants_book: bool, fetch_id: Callable[[], int]) -> None:
        self.symbol: Final = symbol
        self.took: Final[Counter[str]] = Counter()
        self.refused: Final[Counter[str]] = Counter()
        self.bars: Final = BarDesk(symbol, settings.timeframes, told_by_venue=settings.told_by_venue, fetch_id=fetch_id)
        self.book: Final = BookLine(symbol) if wants_book else None
        self._gate: Final = Gate(symbol, settings.gate)
        self._trades: Final = TradeLine(symbol)
        self._silence: Final = Silence(symbol, look_every_ns=settings.look_every_ns)
        self._trades_from_ns: int | None = None  # since the streams first flowed
        self._asked_trades_ns = 0  # the venue's time when it was last asked for trades
        self._well: frozenset[StreamKind] = frozenset()
        self._standing: Final = Standing(symbol)
        self._out: list[Effect] = []
        self._received_wall_ns = 0
        place = f"{settings.venue}/{symbol}"
        self._topics: Final = {
            kind: f"{place}/{kind}".encode() for kind in ("trades", "quotes", "book", "link", "trust")
        }
        self._timeframes: Final = {frame.name: frame for frame in settings.timeframes}
        self._bar_topics: Final = {name: f"{place}/bars/{name}".encode() for name in self.bars.published}

    def take(self, told: Told, received_wall_ns: int, now: Times) -> list[Effect]:
        """Take one message off a stream."""
        self._received_wall_ns = received_wall_ns
        match told:
            case Trade():
                self._trade(told, now)
            case Quote():
                self._quote(told, now)
            case BookChange():
                self._silence.heard("book", now.boot_ns)
                if self.book is not None:
                    self._book_told(self.book.came(told), now)
            case Candle():
                self._silence.heard("candles", now.boot_ns)
                self._candle(told, now)
            case Unreadable():
                self.refused["unreadable"] += 1
        return self._taken()

    def opened(self, kind: StreamKind, now: Times) -> list[Effect]:
        """Messages of a kind flow (again)."""
        if self._trades_from_ns is None:
            self._trades_from_ns = self.bars.from_the_minute(now.venue_ns)
            self._bar_news(self.bars.begin(now.venue_ns), now)
        self._silence.opened(kind, now.boot_ns)
        if kind == "trades":
            self._follow(self._trades.opened(self._trades_from_ns), now)
        elif kind == "book" and self.book is not None:
            self._book_told(self.book.opened(), now)
        self._say("link", self._standing.opened(kind))
        return self._taken()

    def lost(self, kind: StreamKind, reason: str) -> list[Effect]:
        """Messages of a kind flow no longer."""
        self._silence.lost(kind)
        if kind == "book" and self.book is not None:
            self.book.lost()
        if kind == "trades" and (forgotten := self._gate.trades_lost()):
            self.refused["unconfirmed trade"] += forgotten
        elif kind == "quotes":
            self._gate.quotes_lost()
        self._say("link", self._standing.lost(kind, reason))
        return self._taken()

    def trades_fetched(self, fetched: TradesFetched, now: Times) -> list[Effect]:
        """Take trades that were fetched."""
        self._received_wall_ns = now.wall_ns
        if fetched.failure is not None:
            self.refused["fetch of trades failed"] += 1
            self._follow(self._trades.failed(now.boot_ns), now)
        else:
            assert self._trades_from_ns is not None, "trades are fetched once their stream was opened"
            self.bars.trades_begin(self._trades_from_ns)
            shown_ns = self._asked_trades_ns - SHOWN_NS
            progress = self._trades.fetched(fetched.trades, now.boot_ns)
            kept_from_us = any(trade.exchange_time_ns < shown_ns for trade in progress.trades[: progress.filled])
            self._out += self._silence.looked(found=kept_from_us, well=self._well)
            self._follow(progress, now)
            if self._trades.is_whole and progress.ask is None and not self._gate.trades_held:
                self._bar_news(self.bars.reached(shown_ns), now)
        return self._taken()

    def book_fetched(self, fetched: BookFetched, now: Times) -> list[Effect]:
        """Take the book that was fetched."""
        self._received_wall_ns = now.wall_ns
        if self.book is not None:
            if fetched.failure is not None:
                self.refused["fetch of book failed"] += 1
            self._book_told(self.book.fetched(fetched.book), now)
        return self._taken()

    def candles_fetched(self, fetched: CandlesFetched, now: Times) -> list[Effect]:
        """Take candles that the bars want."""
        self._received_wall_ns = now.wall_ns
        sound: list[Candle] | None = None
        if fetched.failure is None:
            sound = [candle for candle in fetched.candles if self.is_sound(candle, now)]
        else:
            self.refused["fetch of candles failed"] += 1
        self._bar_news(self.bars.fetched(fetched.fetch_id, sound, now.venue_ns), now)
        return self._taken()

    def is_heard(self, kind: StreamKind, now: Times) -> bool:
        """Say whether a stream of this symbol spoke of late."""
        return self._silence.is_heard(kind, now.boot_ns)

    def clock(self, now: Times, well: frozenset[StreamKind]) -> list[Effect]:
        """Let the time pass; streams of these kinds speak at least of other symbols."""
        self._well = well
        self._received_wall_ns = now.wall_ns
        self._follow(self._trades.due(now.boot_ns), now)
        if self.book is not None:
            self._book_told(self.book.due(now.boot_ns), now)
        self._bar_news(self.bars.clock(now.venue_ns), now)
        trades_matter = self.bars.wait_for_trades(now.venue_ns)
        silence = self._silence.due(now.boot_ns, well, trades_matter=trades_matter)
        self._out += silence.effects
        if silence.look_for_trades and (looked := self._trades.looked_for()).ask is not None:
            self._silence.looks()
            self._follow(looked, now)
        if (judged := self._gate.look_again(venue_now_ns=now.venue_ns, received_ns=now.boot_ns)) is not None:
            self._judged(judged, now)
        self.refused["late trade"] = self.bars.late_trades
        self._say_trust(now)
        return self._taken()

    def _quote(self, quote: Quote, now: Times) -> None:
        judged = self._gate.quote(quote, venue_now_ns=now.venue_ns, received_ns=now.boot_ns)
        self._count_refused(judged.refused)
        for passed in judged.passed:
            self._silence.heard("quotes", now.boot_ns)  # what is refused is no sign of life
            self.took["quotes"] += 1
            self._publish("quotes", quote_seen(passed), passed.exchange_time_ns)
        if judged.refused:
            self._say_trust(now)

    def _trade(self, trade: Trade, now: Times) -> None:
        if self._trades_from_ns is None:
            return  # its stream is not opened yet: it is fetched then
        refusal = self._gate.time_refusal(trade, venue_now_ns=now.venue_ns, received_ns=now.boot_ns)
        if refusal is not None:  # before it moves the row; its number is fetched
            self._count_refused(refusal.refused)
            return
        self._silence.heard("trades", now.boot_ns)  # what is refused is no sign of life
        self._follow(self._trades.came(trade), now)

    def _follow(self, progress: Progress, now: Times) -> None:
        """Judge the trades that are next in their row, tell them, and build bars of them."""
        if progress.ask is not None:
            self._asked_trades_ns = now.venue_ns
            self._out.append(progress.ask)
        self.took["trades fetched"] += progress.filled
        self._count_refused(progress.refused)
        self._out += gaps_noted(self.symbol, progress.lost, progress.renumbered_from)
        for trade in progress.trades:
            if trade.trade_id in progress.after_holes:
                self.bars.doubt_until(trade.exchange_time_ns)
            judged = self._gate.trade(trade, venue_now_ns=now.venue_ns, received_ns=now.boot_ns)
            if trade not in judged.passed:  # held back or refused
                self._doubt_bars_of(trade, now)
            self._judged(judged, now)
        for trade in progress.dropped:
            self._doubt_bars_of(trade, now)

    def _judged(self, judged: Judged[Trade], now: Times) -> None:
        for passed in judged.passed:
            self.took["trades"] += 1
            self._publish("trades", trade_seen(passed), passed.exchange_time_ns)
        if judged.refused or self._gate.trades_held:
            self._count_refused(judged.refused)
            self._say_trust(now)
        if judged.passed:
            self._bar_news(self.bars.trades(judged.passed), now)

    def _doubt_bars_of(self, trade: Trade, now: Times) -> None:
        """Doubt the bar that a trade is missing in; without a time that makes sense, all until now."""
        if self._gate.sound_time(trade.exchange_time_ns, now.venue_ns) is None:
            self.bars.doubt_until(now.venue_ns)
        else:
            self.bars.doubt_at(trade.exchange_time_ns)

    def _book_told(self, progress: BookProgress, now: Times) -> None:
        assert self.book is not None, "it is asked for only where there is one"
        if progress.ask is not None:
            self._out.append(progress.ask)
        if progress.refused is not None:
            self._count_refused(((progress.refused, 1),))
            self._say_trust(now)
        if progress.is_new:
            self.took["books"] += 1
            self._publish("book", book_snapshot(self.symbol, self.book.book), None)
            return  # what changed since it was fetched is in it
        for change in progress.changes:
            self.took["book changes"] += 1
            self._publish("book", book_changed(change), self._gate.sound_time(change.exchange_time_ns, now.venue_ns))

    def _candle(self, candle: Candle, now: Times) -> None:
        if candle.is_closed and candle.timeframe == MINUTE.name and self.is_sound(candle, now):
            self.took["candles"] += 1
            self._bar_news(self.bars.candle(candle), now)

    def is_sound(self, candle: Candle, now: Times) -> bool:
        """Judge a closed candle, and count what is refused."""
        refusal: str | None = self._gate.candle(candle)
        if refusal is None and self.bars.close_time_ns(candle) > now.venue_ns + EARLY_NS:
            refusal = "closed before its time"
        if refusal is not None:
            self._count_refused(((f"candle {refusal}", 1),))
        return refusal is None

    def _bar_news(self, news: BarNews, now: Times) -> None:
        self._out += news.fetches
        for name, bar in news.closed:
            self.took["bars"] += 1
            body = bar_closed(self.symbol, self._timeframes[name], bar)
            self._out.append(Publish(self._bar_topics[name], body, body.close_time_ns, now.wall_ns))
        self.refused["revised bar"] += len(news.revised)
        self._out += [_told_differently(self.symbol, revised) for revised in news.revised]

    def _say_trust(self, now: Times) -> None:
        reasons = list(self._gate.doubts(venue_now_ns=now.venue_ns, received_now_ns=now.boot_ns))
        if not self._trades.is_whole:
            reasons.append(MISSING_TRADES)
        if self.book is not None and not self.book.is_whole:
            reasons.append(MISSING_BOOK)
        self._say("trust", self._standing.doubted(reasons))

    def _count_refused(self, refused: Iterable[tuple[str, int]]) -> None:
        for reason, count in refused:
            self.refused[reason] += count

    def _say(self, kind: str, news: MarketBody | None) -> None:
        if news is not None:
            self._publish(kind, news, None)

    def _publish(self, kind: str, body: MarketBody, exchange_time_ns: int | None) -> None:
        self._out.append(Publish(self._topics[kind], body, exchange_time_ns, self._received_wall_ns))

    def _taken(self) -> list[Effect]:
        out, self._out = self._out, []
        return out


def _told_differently(symbol: str, revised: Revised) -> Note:
    details = {
        "symbol": symbol,
        "timeframe": revised.timeframe,
        "open_time_ns": revised.published.open_time_ns,
        "published": revised.published.source,
        "differs_in": {
            name: f"{getattr(revised.published, name)} and {getattr(revised.told, name)}" for name in revised.fields
        },
    }
    return Note("warning", "a bar was told differently after it was published", details)
