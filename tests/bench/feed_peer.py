"""Who reads, in the benchmark of the feed: a subscriber of the bus, or ccxt alone, each in a process of its own.

`python -m tests.bench.feed_peer subscriber ROOT` or `... ccxt URL SYMBOL...`. It takes a line for each flow: how many
messages that is. When they have come, or nothing comes any more, it answers which trades came and when.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from proto.codec import EnvelopeCodec
from proto.market import LinkOpened, MarketBody, QuoteSeen, TradeSeen
from services.feed_handler.link.client import venue_client
from services.feed_handler.link.pace import Pace
from services.feed_handler.venues.catalog import VENUES
from shared.core.continuity import Broken, Event, Seen, Synced
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.keys import load_key_ring
from shared.mesh.bus.requests import Requester
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import Subscriber
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.run_directory import RunDirectory
from tests.bench.lines import Row, answer, lines

QUIET_SECONDS: Final = 1.5


class Wanted(msgspec.Struct, frozen=True):
    """How many messages there will be."""

    count: int


class Came(msgspec.Struct):
    """What came of a flow."""

    trades: list[Row] = msgspec.field(default_factory=list)
    messages: int = 0
    first_ns: int = 0
    last_ns: int = 0
    breaks: int = 0  # of the stream of a topic: something was lost on the bus


class Log:
    """Notes what comes, and answers with it."""

    def __init__(self) -> None:
        self.came = Came()
        self._wanted = 0
        self._enough: Final = asyncio.Event()

    def note(self, trades: Sequence[Row], *, messages: int, now_ns: int) -> None:
        """Note messages, of which these are trades."""
        came = self.came
        came.trades += trades
        came.messages += messages
        came.first_ns, came.last_ns = came.first_ns or now_ns, now_ns
        if came.messages >= self._wanted:
            self._enough.set()

    async def answer_lines(self) -> None:
        """Answer each line, until there are no more."""
        async for line in lines():
            self._wanted = msgspec.json.decode(line, type=Wanted).count
            self._enough.clear()
            seen = -1
            while self.came.messages < self._wanted and self.came.messages > seen:
                seen = self.came.messages
                await asyncio.wait({asyncio.ensure_future(self._enough.wait())}, timeout=QUIET_SECONDS)
            came, self.came = self.came, Came()
            answer(came)


async def _subscribe(root: Path) -> None:
    log, opened = Log(), asyncio.Event()

    def take(events: Sequence[Event]) -> None:
        now_ns = time.perf_counter_ns()
        bodies: list[MarketBody] = []
        for event in events:
            match event:
                case Seen(envelope=envelope):
                    bodies.append(envelope.body)
                case Synced(latest=latest) if latest is not None and isinstance(latest.body, LinkOpened):
                    opened.set()
                case Broken(reason=reason) if reason != "joined":
                    log.came.breaks += 1
        trades = [Row(_id(body.symbol), int(body.trade_id), now_ns) for body in bodies if isinstance(body, TradeSeen)]
        messages = sum(isinstance(body, TradeSeen | QuoteSeen) for body in bodies)
        if messages:
            log.note(trades, messages=messages, now_ns=now_ns)
        if any(isinstance(body, LinkOpened) for body in bodies):
            opened.set()

    clock = SystemClock()
    keys = load_key_ring(PrivateDirectory(root / "var/keys"), "strategy")
    hub = Hub(loop=asyncio.get_running_loop(), keys=keys, run_directory=RunDirectory(root / "var/run"), overrides={})
    sender = Sender(instance="strategy", epoch=1, clock=clock)
    history = Requester(hub=hub, instance="feed", name="history", sender=sender, clock=clock, codec=EnvelopeCodec())
    Subscriber(hub=hub, instance="feed", topic_prefix=b"", requester=history, clock=clock, on_events=take)
    await opened.wait()
    answer("ready")
    await log.answer_lines()
    hub.close()


async def _watch(url: str, symbols: Sequence[str]) -> None:
    log = Log()
    client = venue_client(VENUES["binance"], url=url, pace=Pace())
    client.options["streamLimits"] = {"spot": 1}  # all on one connection, as the feed has them

    async def watch(symbol: str) -> None:
        market_id = _id(symbol)
        while True:
            trades: list[dict[str, Any]] = await client.watch_trades(symbol, params={"name": "aggTrade"})
            now_ns = time.perf_counter_ns()
            rows = [Row(market_id, int(trade["id"]), now_ns) for trade in trades]
            log.note(rows, messages=len(rows), now_ns=now_ns)

    await client.load_markets()
    watching = [asyncio.create_task(watch(symbol)) for symbol in symbols]
    answer("ready")
    await log.answer_lines()
    for task in watching:
        task.cancel()
    await client.close()


def _id(symbol: str) -> str:
    return symbol.replace("/", "")


def main(role: str, *words: str) -> None:
    """Play one role to its end."""
    match role:
        case "subscriber":
            uvloop.run(_subscribe(Path(words[0])))
        case _:
            uvloop.run(_watch(words[0], words[1:]))


if __name__ == "__main__":
    main(*sys.argv[1:])
