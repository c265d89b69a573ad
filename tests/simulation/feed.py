"""The feed: it publishes what the market does, numbered per topic, and remembers the bars. A script, with real readers.

What its readers make of holes and of a stall is the real bookkeeping of numbers (shared/core/continuity.py).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from proto.bars import AskBars, Bar, BarsGiven
from proto.envelope import Envelope, MarketEnvelope
from proto.market import BarClosed, MarketBody
from proto.streams import StreamPosition
from shared.core.continuity import Continuity, Event
from shared.core.service import Happening, Watched
from shared.mesh.bus.requests import ATTEMPT_TIMEOUT_NS
from shared.mesh.bus.sender import Sender
from shared.mesh.service.pulse import BEAT_NS
from tests.simulation.process import Process
from tests.simulation.requests import Reply
from tests.simulation.scheduler import Scheduler
from tests.simulation.wire import Wire

FEED: Final = "feed"
EPOCH: Final = 1

Snapshot = list[tuple[StreamPosition, MarketEnvelope]]


class Feed:
    """Says and remembers."""

    def __init__(self, scheduler: Scheduler, wire: Wire) -> None:
        self.instance: Final = FEED
        self._clock: Final = scheduler.clock
        self._wire: Final = wire
        self._sender: Final = Sender(instance=FEED, epoch=EPOCH, clock=scheduler.clock)
        self._latest: Final[dict[bytes, MarketEnvelope]] = {}
        self._readers: list[Reader] = []
        self._bars: Final[dict[str, list[BarClosed]]] = {}
        scheduler.every(lambda: BEAT_NS, self.beat)

    def join(self, reader: "Reader") -> None:
        """Let somebody read."""
        self._readers = [one for one in self._readers if one.is_there]
        self._readers.append(reader)

    def publish(self, topic: bytes, body: MarketBody) -> None:
        """Say something to whoever reads that topic."""
        known = self._latest.get(topic)
        wall_ns = self._clock.wall_ns()
        sequence = 1 if known is None else known.sequence + 1
        envelope = self._latest[topic] = MarketEnvelope(EPOCH, sequence, wall_ns, wall_ns, wall_ns, body)
        for reader in self._readers:
            if reader.reads(topic):
                self._wire.send("market", partial(reader.hear, topic, envelope))

    def beat(self) -> None:
        """Say how far every topic has come: so a reader notices that it missed the last word of one."""
        positions = [StreamPosition(topic.decode(), EPOCH, known.sequence) for topic, known in self._latest.items()]
        for reader in self._readers:
            self._wire.send("beat", partial(reader.announced, positions))

    def remember(self, bar: BarClosed) -> None:
        """Take a bar into the past that can be asked for."""
        self._bars.setdefault(bar.symbol, []).append(bar)

    def bars(self, symbol: str) -> list[BarClosed]:
        """Return all bars there were."""
        return self._bars[symbol]

    def snapshot(self, reader: "Reader") -> Snapshot:
        """Return how far the topics of a reader have come, with the latest of each."""
        return [
            (StreamPosition(topic.decode(), EPOCH, envelope.sequence), envelope)
            for topic, envelope in self._latest.items()
            if reader.reads(topic)
        ]

    def arrive(self, envelope: Envelope, asker: str, reply: Reply) -> None:
        """Answer for the bars of the past, to whoever asks."""
        del asker
        asked = envelope.body
        assert isinstance(asked, AskBars), "the feed is asked for nothing else"
        before_ns = asked.before_open_time_ns
        older = [bar for bar in self._bars[asked.symbol] if before_ns is None or bar.open_time_ns < before_ns]
        bars = tuple(_bar(bar) for bar in older[-asked.bars_max :])
        reply(self._sender.envelope(BarsGiven(asked.symbol, asked.timeframe, bars), cause_id=envelope.id))


class Reader:
    """What one life reads of the feed."""

    def __init__(self, *, process: Process, feed: Feed, scheduler: Scheduler, wire: Wire) -> None:
        self._process: Final = process
        self._feed: Final = feed
        self._scheduler: Final = scheduler
        self._wire: Final = wire
        self._prefixes: Final[list[bytes]] = []
        self._continuity: Final = Continuity()
        self._is_asking = False
        self._round = 0

    @property
    def is_there(self) -> bool:
        """Whether its process lives."""
        return self._process.is_alive

    def reads(self, topic: bytes) -> bool:
        """Say whether it is about something that is watched."""
        return any(topic.startswith(prefix) for prefix in self._prefixes)

    def watch(self, prefix: bytes) -> None:
        """Read every topic that begins so."""
        if not self._prefixes:
            self._feed.join(self)
        self._prefixes.append(prefix)
        self._continuity.wants_snapshot = True
        self._heal()

    def hear(self, topic: bytes, envelope: MarketEnvelope) -> None:
        """Take a message off the wire."""
        self._process.receive(lambda: self._come(self._continuity.heard(topic, (envelope,))), grows_old=True)

    def announced(self, positions: Sequence[StreamPosition]) -> None:
        """Hold what the feed says against what came."""
        ours = [position for position in positions if self.reads(position.stream.encode())]
        self._process.receive(
            lambda: self._come([event for one in ours for event in self._continuity.announced(one)]), grows_old=True
        )

    def slept(self) -> None:
        """Give up what was queued, and begin again from a snapshot."""
        self._process.receive(lambda: self._come(self._continuity.dropped_everything("slept")))

    def _come(self, events: list[Event]) -> Iterable[Happening]:
        if self._continuity.wants_snapshot:
            self._heal()
        return (Watched(FEED, tuple(events)),) if events else ()

    def _heal(self) -> None:
        if not self._is_asking and self._prefixes:
            self._is_asking = True
            self._round += 1
            self._ask(self._round)

    def _ask(self, of_round: int) -> None:
        if not (self._process.is_alive and self._is_asking and of_round == self._round):
            return
        self._continuity.wants_snapshot = False
        self._wire.send("market", lambda: self._arrive(of_round))
        self._scheduler.after(ATTEMPT_TIMEOUT_NS, lambda: self._ask(of_round))

    def _arrive(self, of_round: int) -> None:
        snapshot = self._feed.snapshot(self)
        self._wire.send("market", lambda: self._process.receive(lambda: self._given(snapshot, of_round)))

    def _given(self, snapshot: Snapshot, of_round: int) -> Iterable[Happening]:
        if not self._is_asking or of_round != self._round:
            return ()  # it was asked twice, and answered before
        self._is_asking = False
        events: list[Event] = []
        for position, latest in snapshot:
            events += self._continuity.snapshot(position, latest)
        events += self._continuity.unmentioned(EPOCH, {position.stream.encode() for position, _ in snapshot})
        return self._come(events)


def _bar(bar: BarClosed) -> Bar:
    return Bar(
        open_time_ns=bar.open_time_ns,
        open_price=_decimal(bar.open_price),
        high_price=_decimal(bar.high_price),
        low_price=_decimal(bar.low_price),
        close_price=_decimal(bar.close_price),
        base_volume=_decimal(bar.base_volume),
        quote_volume=_decimal(bar.quote_volume),
        trade_count=bar.trade_count,
        source=bar.source,
        gapless=bar.gapless,
    )


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))
