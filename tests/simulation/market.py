"""The market at the venue: a book whose two sides wander, trades that set off stops, and what the feed tells of it."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from proto.market import BarClosed, LinkOpened, MarketBody, QuoteSeen, SymbolDoubted, SymbolTrusted
from services.sim_exchange.venue.vocabulary import CancelAll, OrderType, PlaceOrder, Side
from tests.simulation.feed import Feed
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.venue import SYMBOLS, VENUE, SimVenue
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from collections.abc import Callable

TICK: Final = Decimal("0.01")
FIRST_PRICES: Final = {"BTC/USDT": 10_000, "ETH/USDT": 5_000}  # in ticks
PAUSE_MS: Final = 500
MOVES_PER_BAR: Final = 2
BAR_LENGTH: Final = "1s"
PAST_BARS: Final = 40
LEVELS: Final = 2
STEP_FRACTION: Final = 500  # a price moves by at most a part of itself each time


class Market:
    """Quotes both sides, trades a little, and tells."""

    def __init__(self, *, scheduler: Scheduler, weather: Weather, dice: Dice, venue: SimVenue, feed: Feed) -> None:
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of("market")
        self._venue: Final = venue
        self._feed: Final = feed
        self._middle: Final = dict(FIRST_PRICES)
        self._growing: Final[dict[str, list[int]]] = {symbol: [price] for symbol, price in FIRST_PRICES.items()}
        self._names = 0
        self.is_still = False  # and the strategy shall want to enter
        self.on_move: Callable[[], None] = lambda: None
        self._falls: list[int] = []  # by so many thousandths, move by move
        self._doubted: Final[set[str]] = set()
        self._silent_until_ns: Final[dict[str, int]] = {}
        for symbol in SYMBOLS:
            self._remember_past(symbol)
            self._quote(symbol)
            self._publish(symbol, "link", LinkOpened(symbol))
            self._tell_trust(symbol)
            self._tell_quote(symbol)
        scheduler.every(lambda: PAUSE_MS * MILLISECOND_NS, self._move)

    def bid(self, symbol: str) -> Decimal:
        """Return the best price to sell at."""
        return (self._middle[symbol] - 1) * TICK

    def fall(self, percent: int, moves: int) -> None:
        """Let all prices fall by so much, in so many moves."""
        self._falls = [percent * 10 // moves] * moves

    def _move(self) -> None:
        fallen = self._falls.pop() if self._falls else 0
        for symbol in SYMBOLS:
            self._close_bar(symbol)
            before = self._middle[symbol]
            most = before // STEP_FRACTION + 1
            step = 0 if self.is_still else self._dice.randint(-most, most)
            if self._weather.strikes("price jumps"):
                step = self._weather.amount("price jumps", -before // 40, before // 40)
            self._middle[symbol] = max(1_000, before + step - before * fallen // 1_000)
            self._growing[symbol].append(self._middle[symbol])
            self._quote(symbol)
            self._misinform(symbol)
            if not self._is_silent(symbol):
                self._tell_quote(symbol)
        self.on_move()

    def _quote(self, symbol: str) -> None:
        """Stand on both sides of the book anew, and let somebody trade at each."""
        self._venue.command(CancelAll(account="maker", symbol=SYMBOLS[symbol]))
        is_thin = self._weather.strikes("book thin")
        for level in range(1, LEVELS + 1):
            size = Decimal(self._dice.randint(1, 40) if is_thin else self._dice.randint(3_000, 9_000)) / 1_000
            self._order("maker", symbol, "SELL", size, self._middle[symbol] + level)
            self._order("maker", symbol, "BUY", size, self._middle[symbol] - level)
        if is_thin:  # whoever buys whatever there is pays far more than the quote says
            self._order("maker", symbol, "SELL", Decimal(9), self._middle[symbol] * 21 // 20)
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

    def _remember_past(self, symbol: str) -> None:
        """Let there be bars from before the run."""
        price = float(self._middle[symbol] * TICK)
        now_ns = self._scheduler.clock.wall_ns()
        for before in range(PAST_BARS, 0, -1):
            open_ns = now_ns - before * SECOND_NS
            self._feed.remember(self._bar(symbol, open_ns, (price, price, price, price)))

    def _close_bar(self, symbol: str) -> None:
        """Tell of the bar that is over, unless the feed is silent: then it is to be asked for."""
        if len(self._growing[symbol]) < MOVES_PER_BAR:
            return
        prices = [float(ticks * TICK) for ticks in self._growing[symbol]]
        self._growing[symbol].clear()
        shape = prices[0], max(prices), min(prices), prices[-1]
        bar = self._bar(symbol, self._scheduler.clock.wall_ns() - SECOND_NS, shape)
        self._feed.remember(bar)
        if not self._is_silent(symbol):
            self._publish(symbol, f"bars/{BAR_LENGTH}", bar)

    def _bar(self, symbol: str, open_ns: int, shape: tuple[float, float, float, float]) -> BarClosed:
        volume = self._dice.randint(1, 1_000) * (15 if self.is_still else 1)  # which is what the strategy looks at
        return BarClosed(
            symbol=symbol,
            timeframe=BAR_LENGTH,
            open_time_ns=open_ns,
            close_time_ns=open_ns + SECOND_NS,
            open_price=shape[0],
            high_price=shape[1],
            low_price=shape[2],
            close_price=shape[3],
            base_volume=float(volume),
            quote_volume=volume * shape[3],
            trade_count=volume,
            source="trades",
            gapless=not self._weather.strikes("bar doubtful"),
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

    def _is_silent(self, symbol: str) -> bool:
        return self._scheduler.now_ns < self._silent_until_ns.get(symbol, 0)

    def _trust(self, symbol: str) -> None:
        self._doubted.discard(symbol)
        self._tell_trust(symbol)

    def _tell_trust(self, symbol: str) -> None:
        is_doubted = symbol in self._doubted
        self._publish(symbol, "trust", SymbolDoubted(symbol, ("jumped",)) if is_doubted else SymbolTrusted(symbol))

    def _tell_quote(self, symbol: str) -> None:
        bid, ask = float(self.bid(symbol)), float((self._middle[symbol] + 1) * TICK)
        self._publish(symbol, "quotes", QuoteSeen(symbol, bid, 1.0, ask, 1.0))

    def _publish(self, symbol: str, kind: str, body: MarketBody) -> None:
        self._feed.publish(f"{VENUE}/{symbol}/{kind}".encode(), body)
