"""A venue that tells trades and quotes at a pace, for the benchmark of the feed: Binance's spot market for ccxt.

Each client has a stand, a port of its own with rows of its own, so that one is told while the others rest. The process
writes the addresses of its stands, then takes flows, and answers each with the trades and when they were sent.
"""

import asyncio
import contextlib
import itertools
import json
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from typing import Final, Literal, Self

import msgspec
import uvloop
from aiohttp import WSMsgType, web

from shared.market.timeframe import timeframe
from shared.mesh.clock import SystemClock
from tests.bench.lines import Row, answer, lines
from tests.loopback import OUR_HOST
from tests.services.feed_handler.link.stand_in import acknowledged, listed

Kind = Literal["aggTrade", "bookTicker"]

CLOCK: Final = SystemClock()
NS_PER_MS: Final = 1_000_000
SETTLED_NS: Final = 500_000_000
STANDS: Final = 3
MESSAGES_A_PRICE: Final = 7
PRICES: Final = ("61837.63000000", "61837.64000000", "61837.65000000", "61838.10000000", "61837.70000000")
TRADE: Final = (
    '{"e":"aggTrade","E":%(now_ms)d,"s":"%(market_id)s","a":%(number)d,"p":"%(price)s","q":"0.02140000",'
    '"f":%(number)d,"l":%(number)d,"T":%(now_ms)d,"m":true,"M":true}'
)
QUOTE: Final = (
    '{"u":%(number)d,"s":"%(market_id)s","b":"%(price)s","B":"3.78826000","a":"61839.64000000","A":"1.54698000"}'
)
CANDLE: Final = ("61837.63", "61839.64", "61830.10", "61837.7", "14.21410000", "878958.12731420", 1207, "0", "0", "0")


class Flow(msgspec.Struct, frozen=True):
    """What to tell: so many messages, of these symbols in turn, and of each all kinds; without a rate, a flood."""

    stand: int
    count: int
    per_second: int | None
    market_ids: tuple[str, ...]
    kinds: tuple[Kind, ...] = ("aggTrade",)


class Stand:
    """The venue as one client sees it."""

    def __init__(self) -> None:
        self._sockets: Final[dict[str, web.WebSocketResponse]] = {}
        self._numbers: Final[Counter[str]] = Counter()
        self._has_subscribed: Final = asyncio.Event()
        self._asked_ns = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer what a client asks: anything is traded here, and of what was before it came there are candles only."""
        if "/ws/" in request.path:
            return await self._serve_socket(request)
        self._asked_ns = time.perf_counter_ns()
        match request.path.rpartition("/")[2]:
            case "exchangeInfo":
                return web.json_response({"symbols": [listed(market_id) for market_id in sys.argv[1:]]})
            case "time":
                return web.json_response({"serverTime": CLOCK.wall_ns() // NS_PER_MS})
            case "klines":
                return web.json_response(_candles(request.query["interval"], int(request.query["limit"])))
            case _:
                return web.json_response([])

    async def until_settled(self, flow: Flow) -> None:
        """Wait until the client follows all that the flow tells, and asks for nothing more."""
        while not self._sockets.keys() >= {_stream(*turn) for turn in _turns(flow)}:
            self._has_subscribed.clear()
            await self._has_subscribed.wait()
        while time.perf_counter_ns() - self._asked_ns < SETTLED_NS:  # noqa: ASYNC110  # that nothing comes is no event
            await asyncio.sleep(SETTLED_NS / 1e10)

    async def tell(self, market_id: str, kind: Kind, price: str) -> Row:
        """Tell one trade or quote, and return which it was, and when it was sent; to whoever is gone it is lost."""
        stream = _stream(market_id, kind)
        number = self._numbers[stream] = self._numbers[stream] + 1
        now_ms = CLOCK.wall_ns() // NS_PER_MS
        form = TRADE if kind == "aggTrade" else QUOTE
        text = form % {"market_id": market_id, "number": number, "price": price, "now_ms": now_ms}
        sent_ns = time.perf_counter_ns()
        with contextlib.suppress(ConnectionError, LookupError):
            await self._sockets[stream].send_str(text)
        return Row(market_id, number, sent_ns)

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    asked = json.loads(message.data)
                    self._sockets.update(dict.fromkeys(asked["params"], socket))
                    self._has_subscribed.set()
                    await socket.send_str(acknowledged(asked["id"]))
        finally:
            for stream in [stream for stream, known in self._sockets.items() if known is socket]:
                del self._sockets[stream]
        return socket


class Pacer:
    """Says when it is time for the next message.

    The timers of a loop know milliseconds only; the kernel's interval timer knows a thousandth of that.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second: Final = per_second
        self._tick: Final = asyncio.Event()
        self._began_ns = 0

    def __enter__(self) -> Self:
        """Start the timer."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGALRM, self._tick.set)
        signal.setitimer(signal.ITIMER_REAL, 1 / self._per_second, 1 / self._per_second)
        self._began_ns = time.perf_counter_ns()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGALRM)

    async def until(self, number: int) -> None:
        """Wait until it is time for the message of this number; those that are late follow each other at once."""
        due_ns = self._began_ns + number * 1_000_000_000 // self._per_second
        while time.perf_counter_ns() < due_ns:
            self._tick.clear()
            await self._tick.wait()


class Haste:
    """Says that it is always time: the client alone says how fast it goes."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    async def until(self, number: int) -> None:
        """Wait for nothing."""


async def _told(stand: Stand, flow: Flow) -> list[Row]:
    """Tell all of a flow, and return its trades."""
    await stand.until_settled(flow)
    turns, rows = itertools.cycle(_turns(flow)), []
    with Haste() if flow.per_second is None else Pacer(flow.per_second) as pacer:
        for number, (market_id, kind) in zip(range(flow.count), turns, strict=False):
            await pacer.until(number)
            row = await stand.tell(market_id, kind, PRICES[number // MESSAGES_A_PRICE % len(PRICES)])
            if kind == "aggTrade":
                rows.append(row)
    return rows


def _candles(interval: str, limit: int) -> list[list[object]]:
    """Return the last candles, all alike; no two of their numbers are one object to whoever reads them."""
    frame, now_ns = timeframe(interval), CLOCK.wall_ns()
    opens_ns = [frame.open_time_ns(now_ns) - back * frame.duration_ns for back in reversed(range(limit))]
    return [
        [open_ns // NS_PER_MS, *CANDLE[:5], frame.close_time_ns(open_ns) // NS_PER_MS - 1, *CANDLE[5:]]
        for open_ns in opens_ns
    ]


def _turns(flow: Flow) -> list[tuple[str, Kind]]:
    return [(market_id, kind) for market_id in flow.market_ids for kind in flow.kinds]


def _stream(market_id: str, kind: Kind) -> str:
    return f"{market_id.lower()}@{kind}"


async def _serve() -> None:
    stands = [Stand() for _ in range(STANDS)]
    async with AsyncExitStack() as stack:
        urls = []
        for stand in stands:
            app = web.Application()
            app.router.add_get("/{path:.*}", stand.serve)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, OUR_HOST, 0).start()
            urls.append(f"http://{OUR_HOST}:{runner.addresses[0][1]}")
        answer(urls)
        async for line in lines():
            flow = msgspec.json.decode(line, type=Flow)
            answer(await _told(stands[flow.stand], flow))


if __name__ == "__main__":
    uvloop.run(_serve())
