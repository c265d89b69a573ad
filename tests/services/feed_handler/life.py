"""A feed's core by itself, and the time that passes for it, with no venue and no socket."""

from collections.abc import Sequence
from typing import Final

from services.feed_handler.core import FeedCore
from services.feed_handler.silence import QUIET_NS
from services.feed_handler.symbol_desk import DeskSettings
from services.feed_handler.vocabulary import Came, FetchTrades, StreamOpened, Told, TradesFetched, VenueClock
from shared.core.service import Effect, Happening, Moment, Publish, Started, Woken
from shared.market.observations import Trade
from shared.market.quality import GateSettings
from shared.market.timeframe import timeframe
from tests.services.feed_handler.builders import NOON_NS, SECOND_NS, SYMBOL

TICK_NS: Final = SECOND_NS // 5


class Life:
    """A core, and the time that passes for it; wall, boot and venue agree but for their beginnings."""

    def __init__(self, *, bar_length: str = "1s", tells_seconds: bool = False) -> None:
        self.settings: Final = DeskSettings(
            venue="venue",
            timeframes=(timeframe(bar_length),),
            told_by_venue=frozenset({"1m"}),
            look_every_ns=QUIET_NS["trades"],
            tells_seconds=tells_seconds,
            gate=GateSettings(),
        )
        self.core = FeedCore(self.settings, [SYMBOL], books=())
        self.now_ns = NOON_NS
        self.venue_has: Final = list[Trade]()  # beyond what its streams tell
        self.is_answered = True
        self.effects: Final[list[Effect]] = []
        self.take(Started("feed", 1, 0, ()))
        self.take(VenueClock(0))

    @property
    def boot_ns(self) -> int:
        """What our boot-time clock shows."""
        return self.now_ns - NOON_NS + SECOND_NS

    def take(self, happening: Happening) -> Sequence[Effect]:
        """Hand something in, and keep what comes of it."""
        found = self.core.handle(happening, Moment(self.now_ns, self.boot_ns, "boot"))
        self.effects.extend(found)
        return found

    def opened(self) -> None:
        """Let trades and quotes flow, with nothing before."""
        for kind in ("trades", "quotes"):
            self.take(StreamOpened("trades" if kind == "trades" else "quotes", (SYMBOL,)))
        self.take(TradesFetched(SYMBOL, (), None))

    def told(self, told: Told) -> Sequence[Effect]:
        """Let the venue tell something now."""
        return self.take(Came(self.now_ns, (told,)))

    def passes(self, duration_ns: int) -> None:
        """Let time pass, tick by tick, while the venue answers what is asked."""
        until_ns = self.now_ns + duration_ns
        while self.now_ns < until_ns:
            self.now_ns += TICK_NS
            if any(isinstance(effect, FetchTrades) for effect in self.take(Woken("clock"))) and self.is_answered:
                self.take(TradesFetched(SYMBOL, tuple(self.venue_has), None))

    def published(self, kind: type) -> list[object]:
        """Return what was published of a kind."""
        return [one.body for one in self.effects if isinstance(one, Publish) and isinstance(one.body, kind)]
