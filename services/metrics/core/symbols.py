"""What is known of every symbol of every feed: who is told which event, and whose place is free again."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from proto.envelope import Envelope, MarketEnvelope
from proto.market import LinkLost, LinkOpened, MarketBody
from proto.measures import SYMBOLS_MAX, FeedCounted, SymbolMeasured
from services.metrics.core.places import Places
from services.metrics.core.symbol import SymbolState, VenueLink, tallied
from services.metrics.core.vocabulary import BreakCount, SymbolCounts
from shared.core.continuity import Broken, Event, Seen, Synced
from shared.core.service import Moment

# A symbol that its feed has not mentioned for so long, though it runs, was taken out of its settings.
FORGET_NS: Final = 3_600_000_000_000
VENUES_MAX: Final = 32
# Trades, quotes, book, link, trust, and a topic for the bars of each timeframe.
TOPICS_MAX: Final = SYMBOLS_MAX * 16

_Key = tuple[str, str, str]


class Symbols:
    """At most so many symbols, venues and topics; what is beyond is counted and looked at no further."""

    def __init__(self) -> None:
        self._symbols: Final[dict[_Key, SymbolState]] = {}
        self._places: Final[Places[_Key]] = Places(SYMBOLS_MAX)
        self._venues: Final[dict[tuple[str, str], VenueLink]] = {}
        self._connections: Final[dict[tuple[str, str], SymbolCounts]] = {}
        # What a topic is about, as its last message said: the name of a topic alone does not tell.
        self._topics: Final[dict[tuple[str, bytes], tuple[SymbolState | VenueLink, type[MarketBody]]]] = {}
        self._breaks: Final[Counter[tuple[str, str]]] = Counter()

    @property
    def left_out(self) -> int:
        """How many symbols there was no room for."""
        return self._places.left_out

    def take(self, feed: str, events: Sequence[Event], now: Moment) -> None:
        """Take in market data, in order."""
        for event in events:
            match event:
                case Seen(topic=topic, envelope=envelope):
                    self._told(feed, topic, envelope, now, SymbolState.see)
                case Synced(topic=topic, latest=latest) if latest is not None:
                    self._told(feed, topic, latest, now, SymbolState.resume)
                case Broken(topic=topic, reason=reason):
                    self._breaks[feed, reason] += 1
                    self._broken(feed, topic)
                case _:
                    pass  # a topic without a message since its feed began

    def count(self, feed: str, envelope: Envelope, now: Moment) -> None:
        """Take in what a feed counted."""
        counted = envelope.body
        if not isinstance(counted, FeedCounted):
            return
        if counted.symbol is not None:
            state = self._state(feed, counted.venue, counted.symbol, now)
            if state is not None:
                state.count(counted, now)
        elif self._venue(feed, counted.venue) is not None:
            took, refused = tallied(counted.took), tallied(counted.refused)
            self._connections[feed, counted.venue] = SymbolCounts(feed, counted.venue, None, 0, took, refused)

    def measured(self, now: Moment, is_silent: Callable[[str, Moment], bool]) -> tuple[SymbolMeasured, ...]:
        """Return all as they are, and forget those that are no longer there."""
        silent = {feed: is_silent(feed, now) for feed in {feed for feed, _, _ in self._symbols}}
        gone = [
            key
            for key, state in self._symbols.items()
            if now.boot_ns - state.heard_ns > FORGET_NS and not silent[state.feed]
        ]
        for key in gone:
            self._forget(key)
        return tuple(state.measured(now, silent=silent[key[0]]) for key, state in sorted(self._symbols.items()))

    def counts(self) -> tuple[SymbolCounts, ...]:
        """Return what only grows."""
        return (*(state.counts() for _, state in sorted(self._symbols.items())), *self._connections.values())

    def breaks(self) -> tuple[BreakCount, ...]:
        """Return how often market data broke off."""
        return tuple(BreakCount(feed, reason, count) for (feed, reason), count in self._breaks.items())

    def _told(
        self,
        feed: str,
        topic: bytes,
        envelope: MarketEnvelope,
        now: Moment,
        tell: Callable[[SymbolState, MarketEnvelope, Moment], None],
    ) -> None:
        body = envelope.body
        known = self._topics.get((feed, topic))
        about = known[0] if known is not None else None
        if about is None or about.symbol != body.symbol:
            about = self._about(feed, topic, body, now)
        if isinstance(about, SymbolState):
            tell(about, envelope, now)
        elif about is not None and isinstance(body, LinkOpened | LinkLost):
            about.hear(body)

    def _about(self, feed: str, topic: bytes, body: MarketBody, now: Moment) -> SymbolState | VenueLink | None:
        """Return whom a message on a topic is about: the topic's first part is the venue, the body has the rest."""
        venue = topic.partition(b"/")[0].decode(errors="replace")[:48] or "?"
        about: SymbolState | VenueLink | None
        if isinstance(body, LinkOpened | LinkLost) and body.symbol is None:
            about = self._venue(feed, venue)
        else:
            about = self._state(feed, venue, body.symbol or "", now)
        if about is not None and len(self._topics) < TOPICS_MAX:
            self._topics[feed, topic] = (about, type(body))
        return about

    def _broken(self, feed: str, topic: bytes) -> None:
        about, kind = self._topics.get((feed, topic), (None, None))
        if isinstance(about, SymbolState) and kind is not None:
            about.forget(kind)
        elif isinstance(about, VenueLink):
            about.forget()

    def _state(self, feed: str, venue: str, symbol: str, now: Moment) -> SymbolState | None:
        key = (feed, venue, symbol)
        state = self._symbols.get(key)
        if state is not None:
            return state
        venue_link = self._venue(feed, venue)
        if venue_link is None or not self._places.admits(key):
            return None
        self._symbols[key] = SymbolState(feed=feed, venue=venue, symbol=symbol, venue_link=venue_link, now=now)
        return self._symbols[key]

    def _venue(self, feed: str, venue: str) -> VenueLink | None:
        if (feed, venue) not in self._venues and len(self._venues) >= VENUES_MAX:
            return None
        return self._venues.setdefault((feed, venue), VenueLink())

    def _forget(self, key: _Key) -> None:
        state = self._symbols.pop(key)
        self._places.give_back(key)
        for topic in [topic for topic, (about, _) in self._topics.items() if about is state]:
            del self._topics[topic]
