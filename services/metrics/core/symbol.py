"""What is known of one symbol of one feed."""

from collections.abc import Mapping
from typing import Final, Literal

from proto.envelope import MarketEnvelope
from proto.fields import clipped
from proto.market import (
    BarClosed,
    LinkLost,
    LinkOpened,
    MarketBody,
    QuoteSeen,
    SymbolDoubted,
    SymbolTrusted,
    TradeSeen,
)
from proto.measures import DOUBTS_MAX, REASON_LENGTH_MAX, FeedCounted, SymbolMeasured, Tally
from services.metrics.core.amounts import price_of, quote_of
from services.metrics.core.rate import Rate
from services.metrics.core.vocabulary import SymbolCounts
from shared.core.service import Moment
from shared.core.texts import in_a_line

NOT_SAID: Final = "it does not say why"

Link = Literal["unknown", "open", "lost"]


class VenueLink:
    """What a feed says of its link to a venue: as a whole, or for one symbol."""

    symbol: Final = None

    def __init__(self) -> None:
        self.state: Link = "unknown"
        self.lost_reason: str | None = None

    def hear(self, body: LinkOpened | LinkLost) -> None:
        """Take in how it is from now on."""
        match body:
            case LinkOpened():
                self.state, self.lost_reason = "open", None
            case LinkLost(reason=reason):
                self.state, self.lost_reason = "lost", clipped(in_a_line(reason) or NOT_SAID, REASON_LENGTH_MAX)

    def forget(self) -> None:
        """Let go of what was said: some of it is missing."""
        self.state, self.lost_reason = "unknown", None


class SymbolState:
    """The latest of everything. Ages grow with the boot clock, so that setting the wall clock changes none."""

    def __init__(self, *, feed: str, venue: str, symbol: str, venue_link: VenueLink, now: Moment) -> None:
        self.feed: Final = feed
        self.venue: Final = venue
        self.symbol: Final = symbol
        self.heard_ns = now.boot_ns
        self._venue_link: Final = venue_link
        self._link: Final = VenueLink()
        self._doubts: tuple[str, ...] = ()
        # As they came: numbers are made of them once a second, and not with every tick.
        self._quote: QuoteSeen | None = None
        self._trade: TradeSeen | None = None
        self._rate: Final = Rate(now.boot_ns)
        self._received_ns: int | None = None
        self._exchange_ns: int | None = None
        self._took: Mapping[str, int] = {}
        self._refused: Mapping[str, int] = {}

    def see(self, envelope: MarketEnvelope, now: Moment) -> None:
        """Take in the next message about it."""
        if self._take(envelope, now):
            self._rate.add(1, now.boot_ns)

    def resume(self, latest: MarketEnvelope, now: Moment) -> None:
        """Take in what was the latest when a topic came to flow again: it is current, and no new arrival."""
        self._take(latest, now)

    def forget(self, kind: type[MarketBody]) -> None:
        """Let go of what messages of a kind have said: some are missing. A doubt stays, until trust is heard."""
        if kind is QuoteSeen:
            self._quote = None
        elif kind is TradeSeen:
            self._trade = None
        elif kind in {LinkOpened, LinkLost}:
            self._link.forget()

    def count(self, counted: FeedCounted, now: Moment) -> None:
        """Take in what the feed counted."""
        self.heard_ns = now.boot_ns
        self._took, self._refused = tallied(counted.took), tallied(counted.refused)

    def measured(self, now: Moment, *, silent: bool) -> SymbolMeasured:
        """Return it as it is; while its feed is silent nobody knows of the link."""
        link = self._effective_link()
        quote = quote_of(self._quote.bid_price, self._quote.ask_price) if self._quote is not None else None
        return SymbolMeasured(
            feed=self.feed,
            venue=self.venue,
            symbol=self.symbol,
            link="unknown" if silent else link.state,
            lost_reason=None if silent else link.lost_reason,
            doubts=self._doubts,
            bid_price=quote.bid if quote is not None else None,
            ask_price=quote.ask if quote is not None else None,
            mid_price=quote.mid if quote is not None else None,
            spread_bps=quote.spread_bps if quote is not None else None,
            last_price=price_of(self._trade.price) if self._trade is not None else None,
            messages_per_second=self._rate.per_second(now.boot_ns),
            received_age_ns=_age(self._received_ns, now),
            exchange_age_ns=_age(self._exchange_ns, now),
            refused_count=sum(self._refused.values()),
        )

    def counts(self) -> SymbolCounts:
        """Return what only grows."""
        return SymbolCounts(self.feed, self.venue, self.symbol, self._rate.count, self._took, self._refused)

    def _effective_link(self) -> VenueLink:
        """Return what counts: a venue that is lost is lost for all; of an open one those speak that say nothing."""
        own, whole = self._link, self._venue_link
        return own if own.state == "lost" or (own.state == "open" and whole.state != "lost") else whole

    def _take(self, envelope: MarketEnvelope, now: Moment) -> bool:
        """Take in a message, and tell whether it is one of the market: not of the link to it, nor made from others."""
        self.heard_ns = now.boot_ns
        match envelope.body:
            case TradeSeen() as trade:
                self._trade = trade
            case QuoteSeen() as quote:
                self._quote = quote
            case LinkOpened() | LinkLost() as news:
                self._link.hear(news)
                return False
            case SymbolDoubted(reasons=reasons):
                self._doubts = reasons[:DOUBTS_MAX]
                return False
            case SymbolTrusted():
                self._doubts = ()
                return False
            case BarClosed():
                return False
            case _:
                pass  # the book: only that it came
        self._received_ns = _on_boot_clock(envelope.received_wall_ns, now)
        if envelope.exchange_time_ns is not None:
            self._exchange_ns = _on_boot_clock(envelope.exchange_time_ns, now)
        return True


def tallied(tallies: tuple[Tally, ...]) -> Mapping[str, int]:
    """Return tallies by name."""
    return {tally.what: tally.count for tally in tallies}


def _on_boot_clock(wall_ns: int, now: Moment) -> int:
    return now.boot_ns - (now.wall_ns - wall_ns)


def _age(then_ns: int | None, now: Moment) -> int | None:
    """Return how long ago it was; a stamp of a clock ahead of ours is as good as now."""
    return None if then_ns is None else max(now.boot_ns - then_ns, 0)
