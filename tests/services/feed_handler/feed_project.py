"""The feed-handler as a real process, reading the simulated exchange, and somebody who reads the feed-handler."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from proto.bars import AskBars, Bar, BarsGiven
from proto.codec import EnvelopeCodec
from proto.envelope import Body, Envelope, MarketEnvelope
from proto.market import BarClosed, LinkLost, LinkOpened, MarketBody, SymbolDoubted, SymbolTrusted, TradeSeen
from proto.measures import FeedCounted
from services.sim_exchange.process import FOLDER
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
from tests.house.tree import CHECKOUT
from tests.loopback import free_port
from tests.services.sim_exchange.exchange_process import PATIENCE_S, ExchangeProject

RUNNING: Final = "running"


class FeedProject(ExchangeProject):
    """A project with an exchange and a feed in it."""

    def __init__(self, *, symbols: str = "[BTC/USDT, ETH/USDT]", feed: str = "timeframes: [1s, 1m]") -> None:
        super().__init__()
        self.admin_port: Final = free_port()
        self.set(
            f"sim_exchange: {{port: {self.port}, admin: on, admin_port: {self.admin_port}}}\n"
            f"venue: {{url: 'http://127.0.0.1:{self.port}', symbols: {symbols}}}\n"
            f"feed: {{{feed}}}\nlogs: {{format: json}}\n"
        )

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def start_feed(self) -> subprocess.Popen[str]:
        """Start the feed, and wait until it runs."""
        return self._start_service("feed_handler")

    def start_metrics(self) -> subprocess.Popen[str]:
        """Start metrics, and wait until it runs."""
        return self._start_service("metrics")

    def _start_service(self, name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"services.{name}", "--root", str(self.root)]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        self.says(process, RUNNING)
        return process

    def fault(self, **fault: object) -> str:
        """Have the exchange fail, and return the name of the fault."""
        name: str = self._admin("POST", "/faults", fault)["id"]
        return name

    def fired(self, name: str) -> int:
        """Return how often a fault has struck."""
        (found,) = [fault for fault in self._admin("GET", "/faults", None)["faults"] if fault["id"] == name]
        count: int = found["fired"]
        return count

    def end_fault(self, name: str) -> None:
        """Let the exchange behave again."""
        self._admin("DELETE", f"/faults/{name}", None)

    def end_faults(self) -> None:
        """Let the exchange behave again altogether."""
        self._admin("DELETE", "/faults", None)

    def aggregates(self, symbol: str) -> list[dict[str, Any]]:
        """Return every trade that the exchange remembers, as it tells them."""
        rows: list[dict[str, Any]] = []
        while True:
            first = rows[-1]["a"] + 1 if rows else 1
            url = f"http://127.0.0.1:{self.port}/api/v3/aggTrades?symbol={symbol}&limit=1000&fromId={first}"
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # our own exchange
                page = json.load(answer)
            if not page:
                return rows
            rows += page

    def _admin(self, method: str, path: str, body: object) -> Any:  # noqa: ANN401  # whatever it answers
        token = (self.root / "var" / FOLDER / "sim-exchange-admin.token").read_text().strip()
        request = urllib.request.Request(  # our own exchange
            f"http://127.0.0.1:{self.admin_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310  # our own exchange
            return json.loads(answer.read() or b"null")


class Reader:
    """A strategy that remembers everything the feed told it. It ends as a context."""

    def __init__(self, project: FeedProject, instance: str = "feed") -> None:
        self.bodies: Final[defaultdict[str, list[MarketBody]]] = defaultdict(list)
        self.envelopes: Final[defaultdict[str, list[MarketEnvelope]]] = defaultdict(list)
        self.broken: Final[list[Broken]] = []
        self.counts: Final[dict[str | None, FeedCounted]] = {}
        run_directory = RunDirectory(project.root / "var/run")
        clock, self._codec = SystemClock(), EnvelopeCodec()
        self.hub: Final = Hub(
            loop=asyncio.get_running_loop(),
            keys=load_key_ring(PrivateDirectory(project.root / "var/keys"), "strategy"),
            run_directory=run_directory,
            overrides={},
        )
        sender = Sender(instance="strategy", epoch=1, clock=clock)
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
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110  # what is waited for is a state, not an event of ours
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


def kill(process: subprocess.Popen[str]) -> None:
    """End a process as kill -9 does."""
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=PATIENCE_S)
