"""The feed in the benchmark of the order path: tells, when it is asked to, a bar every ten milliseconds.

What is noted of an entry here and in the other processes goes by the id of its intent, which a bar is enough to know.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from proto.bars import AskBars, Bar, BarsGiven
from proto.market import BarClosed, LinkOpened, MarketBody, QuoteSeen, SymbolTrusted
from shared.core.service import (
    Answer,
    Asked,
    Effect,
    FromOutside,
    Happening,
    Moment,
    Outward,
    Publish,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.market.timeframe import SECOND_NS
from shared.mesh.service.watching import watched
from shared.strategies.intent_ids import intent_id
from tests.bench.lines import answer, lines

HOSTS: Final = ("strategy", "strategy-2")  # one decides on fifty symbols at most
SYMBOLS: Final = tuple(f"COIN{number:02}/USDT" for number in range(100))
A_SECOND: Final = len(SYMBOLS)  # decisions: one for each symbol
TICK_NS: Final = SECOND_NS // (2 * A_SECOND)  # bars and quotes take turns
WARMING_SECONDS: Final = 2  # of a flow: prices become known, and the bars that were missed are asked for


def host_of(symbol: str) -> str:
    """Return which of the hosts decides on a symbol."""
    return HOSTS[SYMBOLS.index(symbol) * len(HOSTS) // len(SYMBOLS)]


class Stamps:
    """When something came by, by the boot clock: by what it was, and by the intent it is about."""

    def __init__(self) -> None:
        self.taken: Final[dict[str, dict[str, int]]] = {}

    def take(self, what: str, intent: str, at_ns: int) -> None:
        """Note it."""
        self.taken.setdefault(what, {})[intent] = at_ns


class Flow(msgspec.Struct, frozen=True):
    """Tell bars for so many seconds that shall be decided on."""

    seconds: int


@dataclass(frozen=True, slots=True)
class FlowAsked(FromOutside):
    """Somebody wants bars to flow."""

    flow: Flow


@dataclass(frozen=True, slots=True)
class FlowEnded(Outward):
    """All of them are told."""


class FlowOrders:
    """The outside of the feed: takes lines of standard input, each of which orders a flow."""

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin."""
        self._reading = watched(self._read(bring))

    def perform(self, effect: Outward) -> None:
        """Say that a flow has ended."""
        assert isinstance(effect, FlowEnded), effect
        answer("ended")

    def close(self) -> None:
        """End."""
        self._reading.cancel()

    async def _read(self, bring: Callable[[FromOutside], None]) -> None:
        answer("ready")
        async for line in lines():
            bring(FlowAsked(msgspec.json.decode(line, type=Flow)))


class PacedFeed:
    """Tells a bar of each symbol in turn, all within a second, and between two bars a quote."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps: Final = stamps
        self._ticks_left = self._tick = 0
        self._began_boot_ns = self._closed_ns = 0
        self._marked: Final[list[tuple[str, int, int]]] = []  # a bar's symbol and close, and when it was told

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Tell the next, where a flow is wanted."""
        match happening:
            case Started():
                links: list[tuple[str, MarketBody]] = [("link", LinkOpened(symbol)) for symbol in SYMBOLS]
                trust: list[tuple[str, MarketBody]] = [("trust", SymbolTrusted(symbol)) for symbol in SYMBOLS]
                return [_published(f"{symbol}/{kind}", body, now) for symbol, (kind, body) in _paired(links, trust)]
            case FlowAsked(flow=flow):
                self._tick, self._ticks_left = 0, 2 * A_SECOND * (WARMING_SECONDS + flow.seconds)
                self._began_boot_ns, self._closed_ns = now.boot_ns, now.wall_ns // SECOND_NS * SECOND_NS
                return (WakeAt("tick", now.boot_ns),)
            case Woken():
                return self._told(now)
            case Asked(envelope=envelope) if isinstance(envelope.body, AskBars):
                return (Answer(happening, self._past(envelope.body)),)
            case StopAsked():
                return (Stop(),)
            case _:
                return ()

    def _told(self, now: Moment) -> Sequence[Effect]:
        if self._tick == self._ticks_left:
            self._stamp()
            return (FlowEnded(),)
        turn, place = divmod(self._tick, 2 * A_SECOND)
        symbol, is_bar = SYMBOLS[place // 2], place % 2 == 0
        self._tick += 1
        again = WakeAt("tick", self._began_boot_ns + self._tick * TICK_NS)
        if not is_bar:
            return _published(f"{symbol}/quotes", QuoteSeen(symbol, 99.99, 1.0, 100.0, 1.0), now), again
        closed_ns, is_marked = self._closed_ns + turn * SECOND_NS, turn >= WARMING_SECONDS
        if is_marked:
            self._marked.append((symbol, closed_ns, now.boot_ns))
        return _published(f"{symbol}/bars/1s", _bar_closed(symbol, closed_ns, is_marked=is_marked), now), again

    def _stamp(self) -> None:
        """Note the bars by their intents; not as each is told, since that is what is measured."""
        for symbol, closed_ns, told_ns in self._marked:
            named = intent_id(strategy=host_of(symbol), symbol=symbol, bar_close_time_ns=closed_ns, side="buy")
            self._stamps.take("told", named, told_ns)
        self._marked.clear()

    def _past(self, wanted: AskBars) -> BarsGiven:
        end_ns = wanted.before_open_time_ns or self._closed_ns
        opens_ns = (end_ns - back * SECOND_NS for back in range(wanted.bars_max, 0, -1))
        price = Decimal(100)
        bars = tuple(
            Bar(open_ns, price, price, price, price, Decimal(0), Decimal(0), 0, "trades", gapless=True)
            for open_ns in opens_ns
        )
        return BarsGiven(wanted.symbol, wanted.timeframe, bars)


def _paired(*columns: Sequence[tuple[str, MarketBody]]) -> list[tuple[str, tuple[str, MarketBody]]]:
    return [pair for column in columns for pair in zip(SYMBOLS, column, strict=True)]


def _published(topic: str, body: MarketBody, now: Moment) -> Publish:
    return Publish(f"binance/{topic}".encode(), body, exchange_time_ns=now.wall_ns, received_wall_ns=now.wall_ns)


def _bar_closed(symbol: str, closed_ns: int, *, is_marked: bool) -> BarClosed:
    return BarClosed(
        symbol=symbol,
        timeframe="1s",
        open_time_ns=closed_ns - SECOND_NS,
        close_time_ns=closed_ns,
        open_price=100.0,
        high_price=100.0,
        low_price=100.0,
        close_price=100.0,
        base_volume=1.0 if is_marked else 0.0,
        quote_volume=0.0,
        trade_count=0,
        source="trades",
        gapless=True,
    )
