"""The market at the venue: a book whose two sides wander, trades that set off stops, and what the feed tells of it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from proto.envelope import MarketEnvelope
from proto.market import MarketBody, QuoteSeen, SymbolDoubted, SymbolTrusted
from services.sim_exchange.venue.vocabulary import CancelAll, OrderType, PlaceOrder, Side
from shared.core.continuity import Broken, Event, Seen
from shared.core.service import Happening, Watched
from tests.simulation.scheduler import MILLISECOND_NS, Dice, Scheduler
from tests.simulation.venue import SYMBOLS, SimVenue
from tests.simulation.weather import Weather

TICK: Final = Decimal("0.01")
FIRST_PRICES: Final = {"BTC/USDT": 10_000, "ETH/USDT": 5_000}  # in ticks
PAUSE_MS: Final = 500
LEVELS: Final = 2


class Market:
    """Quotes both sides, trades a little, and tells."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        weather: Weather,
        dice: Dice,
        venue: SimVenue,
        deliver: Callable[[Happening], None],
    ) -> None:
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of("market")
        self._venue: Final = venue
        self._deliver: Final = deliver
        self._middle: Final = dict(FIRST_PRICES)
        self._said = 0
        self._names = 0
        self.is_still = False
        self._doubted: Final[set[str]] = set()
        self._silent_until_ns: Final[dict[str, int]] = {}
        for symbol in SYMBOLS:
            self._quote(symbol)
        scheduler.every(lambda: PAUSE_MS * MILLISECOND_NS, self._move)

    def ask(self, symbol: str) -> Decimal:
        """Return the best price to buy at."""
        return (self._middle[symbol] + 1) * TICK

    def bid(self, symbol: str) -> Decimal:
        """Return the best price to sell at."""
        return (self._middle[symbol] - 1) * TICK

    def tell_all(self) -> None:
        """Say how everything stands: a reader that begins anew is told first."""
        for symbol in SYMBOLS:
            self._tell_trust(symbol)
            self._tell_quote(symbol)

    def _move(self) -> None:
        for symbol in SYMBOLS:
            before = self._middle[symbol]
            step = 0 if self.is_still else self._dice.randint(-before // 2_000 - 1, before // 2_000 + 1)
            if self._weather.strikes("price jumps"):
                step = self._weather.amount("price jumps", -before // 40, before // 40)
            self._middle[symbol] = max(1_000, before + step)
            self._quote(symbol)
            self._misinform(symbol)
            if self._scheduler.now_ns >= self._silent_until_ns.get(symbol, 0):
                self._tell_quote(symbol)

    def _quote(self, symbol: str) -> None:
        """Stand on both sides of the book anew, and let somebody trade at each."""
        self._venue.command(CancelAll(account="maker", symbol=SYMBOLS[symbol]))
        is_thin = self._weather.strikes("book thin")
        for level in range(1, LEVELS + 1):
            size = Decimal(self._dice.randint(1, 40) if is_thin else self._dice.randint(3_000, 9_000)) / 1_000
            self._order("maker", symbol, "SELL", size, self._middle[symbol] + level)
            self._order("maker", symbol, "BUY", size, self._middle[symbol] - level)
        self._order("crowd", symbol, "BUY", Decimal("0.001"), self._middle[symbol] + 1)
        self._order("crowd", symbol, "SELL", Decimal("0.001"), self._middle[symbol] - 1)

    def _order(self, account: str, symbol: str, side: Side, quantity: Decimal, ticks: int) -> None:
        self._names += 1
        kind: OrderType = "LIMIT"
        self._venue.command(
            PlaceOrder(
                account=account,
                symbol=SYMBOLS[symbol],
                side=side,
                type=kind,
                client_id=f"market-{self._names}",
                time_in_force="IOC" if account == "crowd" else "GTC",
                quantity=quantity,
                price=ticks * TICK,
            )
        )

    def _misinform(self, symbol: str) -> None:
        now_ns = self._scheduler.now_ns
        if self._weather.strikes("feed silent"):
            silent_ms = self._weather.amount("feed silent", 500, 6_000)
            self._silent_until_ns[symbol] = now_ns + silent_ms * MILLISECOND_NS
        if self._weather.strikes("feed doubts"):
            self._doubted.add(symbol)
            self._tell_trust(symbol)
            doubted_ms = self._weather.amount("feed doubts", 500, 6_000)
            self._scheduler.after(doubted_ms * MILLISECOND_NS, lambda: self._trust(symbol))
        if self._weather.strikes("feed broken"):
            self._bring(Broken(_topic(symbol, "quotes"), "gap"))

    def _trust(self, symbol: str) -> None:
        self._doubted.discard(symbol)
        self._tell_trust(symbol)

    def _tell_trust(self, symbol: str) -> None:
        is_doubted = symbol in self._doubted
        self._tell(symbol, "trust", SymbolDoubted(symbol, ("jumped",)) if is_doubted else SymbolTrusted(symbol))

    def _tell_quote(self, symbol: str) -> None:
        bid, ask = float(self.bid(symbol)), float(self.ask(symbol))
        self._tell(symbol, "quotes", QuoteSeen(symbol, bid, 1.0, ask, 1.0))

    def _tell(self, symbol: str, kind: str, body: MarketBody) -> None:
        self._said += 1
        wall_ns = self._scheduler.clock.wall_ns()
        self._bring(Seen(_topic(symbol, kind), MarketEnvelope(1, self._said, None, wall_ns, wall_ns, body)))

    def _bring(self, event: Event) -> None:
        self._deliver(Watched("feed", (event,)))


def _topic(symbol: str, kind: str) -> bytes:
    return f"sim/{symbol}/{kind}".encode()
