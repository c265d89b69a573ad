"""Somebody who reads a feed-handler over its real sockets, and remembers everything."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from proto.bars import AskBars, Bar, BarsGiven
from proto.codec import EnvelopeCodec
from proto.envelope import Body, Envelope, MarketEnvelope
from proto.market import BarClosed, LinkLost, LinkOpened, MarketBody, SymbolDoubted, SymbolTrusted, TradeSeen
from proto.measures import FeedCounted
from shared.core.continuity import Broken, Event, Seen, Synced
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.latest import Listener
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import Subscriber
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.services.sim_exchange.exchange_process import PATIENCE_S


class Reader:
    """Somebody who remembers everything the feed told it. It ends as a context."""

    def __init__(self, root: Path, instance: str = "feed") -> None:
        self.bodies: Final[defaultdict[str, list[MarketBody]]] = defaultdict(list)
        self.envelopes: Final[defaultdict[str, list[MarketEnvelope]]] = defaultdict(list)
        self.broken: Final[list[Broken]] = []
        self.counts: Final[dict[str | None, FeedCounted]] = {}
        run_directory = RunDirectory(root / "var/run")
        clock, self._codec = SystemClock(), EnvelopeCodec()
        self.hub: Final = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(PrivateDirectory(root / "var/keys"), "operator"),
            run_directory=run_directory,
            overrides={},
        )
        sender = Sender(instance="operator", epoch=1, clock=clock)
        self.history: Final = Requester(
            hub=self.hub, instance=instance, name="history", sender=sender, clock=clock, codec=self._codec
        )
        self._subscriber: Final = Subscriber(
            hub=self.hub, instance=instance, topic_prefix=b"", requester=self.history, clock=clock, on_events=self._take
        )
        self._listener: Final = Listener(
            hub=self.hub, instance=instance, name="counts", codec=self._codec, on_envelope=self._count
        )

    async def __aenter__(self) -> Self:
        """Enter."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        self.hub.close()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, which what is read makes so."""
        async with self.patience():
            while not holds():
                await self.pause()

    def patience(self, seconds: float = PATIENCE_S) -> asyncio.Timeout:
        """Return for how long something is waited for."""
        return asyncio.timeout(seconds)

    async def pause(self) -> None:
        """Let what is read come in."""
        await asyncio.sleep(0.01)

    def trade_ids(self, symbol: str = "BTC/USDT") -> list[int]:
        """Return the ids of the trades told, in order."""
        return [int(body.trade_id) for body in self.bodies[f"binance/{symbol}/trades"] if isinstance(body, TradeSeen)]

    def bars(self, timeframe: str = "1s", symbol: str = "BTC/USDT") -> list[BarClosed]:
        """Return the bars told, in order."""
        return [body for body in self.bodies[f"binance/{symbol}/bars/{timeframe}"] if isinstance(body, BarClosed)]

    def link(self, symbol: str = "BTC/USDT") -> list[str]:
        """Return what became of the link, in words."""
        told = self.bodies[f"binance/{symbol}/link"]
        return [{LinkOpened: "opened", LinkLost: "lost"}.get(type(body), "?") for body in told]

    def was_doubted(self, reason: str, symbol: str = "BTC/USDT") -> bool:
        """Tell whether there ever was such a doubt, however soon another one took its place."""
        told = self.bodies[f"binance/{symbol}/trust"]
        return any(reason in body.reasons for body in told if isinstance(body, SymbolDoubted))

    def doubts(self, symbol: str = "BTC/USDT") -> tuple[str, ...] | None:
        """Return the doubts about a symbol as they were last told, None if nothing was."""
        told = self.bodies[f"binance/{symbol}/trust"]
        match told[-1] if told else None:
            case SymbolDoubted(reasons=reasons):
                return reasons
            case SymbolTrusted():
                return ()
            case _:
                return None

    def refused(self, reason: str, symbol: str = "BTC/USDT") -> int:
        """Return how often the feed says it refused something for a reason."""
        counted = self.counts.get(symbol)
        return sum(tally.count for tally in counted.refused if tally.what == reason) if counted else 0

    def counted(self, what: str, symbol: str | None = None) -> int:
        """Return how often the feed says that something happened; without a symbol, to its connections."""
        counted = self.counts.get(symbol)
        return sum(tally.count for tally in counted.took if tally.what == what) if counted else 0

    async def ask(self, body: Body) -> Body:
        """Ask at `history`, again while nobody answers."""
        while True:
            try:
                return (await self.history.ask(body)).envelope.body
            except RequestTimedOutError:
                continue

    async def ask_bars(self, timeframe: str, bars_max: int, symbol: str = "BTC/USDT") -> tuple[Bar, ...]:
        """Ask for the newest bars."""
        given = await self.ask(AskBars(symbol=symbol, timeframe=timeframe, before_open_time_ns=None, bars_max=bars_max))
        assert isinstance(given, BarsGiven), given
        return given.bars

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Seen(topic=topic, envelope=envelope):
                    self.bodies[topic.decode()].append(envelope.body)
                    self.envelopes[topic.decode()].append(envelope)
                case Synced(topic=topic, latest=MarketEnvelope() as latest):
                    known = self.envelopes[topic.decode()]
                    if not known or (known[-1].epoch, known[-1].sequence) != (latest.epoch, latest.sequence):
                        self.bodies[topic.decode()].append(latest.body)
                        known.append(latest)
                case Synced():
                    pass
                case Broken():
                    self.broken.append(event)

    def _count(self, envelope: Envelope) -> None:
        if isinstance(envelope.body, FeedCounted):
            self.counts[envelope.body.symbol] = envelope.body
