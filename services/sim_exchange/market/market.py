"""Those who trade: makers around the price of the source, and takers as its bars tell.

Each step asks where the price is now and returns commands; the shell hands them to the matching core in their order,
and tells each answer back before the next step, together with whatever clients brought about.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from services.sim_exchange.market.bars import HIGH, LOW, OPEN
from services.sim_exchange.market.intervals import MINUTE_MS
from services.sim_exchange.market.ladder import MAKERS, Ladder
from services.sim_exchange.market.script import Scripts, Taker
from services.sim_exchange.market.settings import MarketSettings, SymbolMarket
from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelOrder,
    Command,
    Event,
    Fees,
    OpenAccount,
    Outcome,
    PlaceOrder,
    RulesChanged,
    Traded,
    Transfer,
)

TAKERS: Final = "market-takers"
POCKET: Final = Decimal(10) ** 14  # of each asset: more than a market of this size moves in a thousand years
STALL_MS_MAX: Final = 1_000  # takers who should have come earlier than that stay away
DAY_MINUTES: Final = 1_440
WILDNESS: Final = (0.5, 20.0)
USUAL_RANGE: Final = 1.6  # a minute's range in standard deviations of its return, on average

MarketCommand = PlaceOrder | CancelOrder | CancelAll


class Market:
    """The makers and the takers of every symbol. What they do next depends on the answers they were given."""

    def __init__(self, *, settings: MarketSettings, scripts: Scripts) -> None:
        self._settings = settings
        self._scripts = scripts
        self._ladders = {market.rules.symbol: Ladder(market=market, settings=settings) for market in settings.symbols}
        self._stepped_ms: int | None = None
        self._taken = 0

    def opening(self) -> Iterator[Command]:
        """Yield what has to be done once before the first step, on a venue where the symbols are listed."""
        assets = {asset for ladder in self._ladders.values() for asset in (ladder.rules.base, ladder.rules.quote)}
        free_of_charge = Fees(maker=Decimal(0), taker=Decimal(0))
        for account in (MAKERS, TAKERS):
            yield OpenAccount(account=account, fees=free_of_charge, is_market=True)
            for asset in sorted(assets):
                yield Transfer(account=account, asset=asset, amount=POCKET)

    def step(self, now_ms: int) -> tuple[MarketCommand, ...]:
        """Return what makers and takers do, once per step of the settings; in between it is nothing."""
        if self._stepped_ms is not None and now_ms - self._stepped_ms < self._settings.step_ms:
            return ()
        since_ms = now_ms if self._stepped_ms is None else max(self._stepped_ms, now_ms - STALL_MS_MAX)
        self._stepped_ms = now_ms
        commands: list[MarketCommand] = []
        for market in self._settings.symbols:
            if self._ladders[market.rules.symbol].rules.status == "TRADING":
                commands += self._made(market, now_ms)
                commands += self._taken_from(market, since_ms, now_ms)
        return tuple(commands)

    def answered(self, command: MarketCommand, outcome: Outcome) -> None:
        """Learn what became of a command of a step, and what else it brought about."""
        self.heard(outcome.events)  # before the ids of what it placed are known: what that traded, its answer tells
        if isinstance(command, PlaceOrder) and command.account == MAKERS:
            self._ladders[command.symbol].answered(command, outcome)

    def heard(self, events: Iterable[Event]) -> None:
        """Learn what the commands of others brought about."""
        for event in events:
            if isinstance(event, Traded) and event.symbol in self._ladders:
                self._ladders[event.symbol].heard(event)
            elif isinstance(event, RulesChanged) and event.rules.symbol in self._ladders:
                self._ladders[event.rules.symbol].follow_rules(event.rules)

    def _made(self, market: SymbolMarket, now_ms: int) -> Iterator[MarketCommand]:
        symbol = market.rules.symbol
        price = self._scripts.minute(symbol, now_ms - now_ms % MINUTE_MS).price(now_ms)
        yield from self._ladders[symbol].requote(
            price * float(self._scripts.symbols[symbol].tick_size), self._wildness(market, now_ms)
        )

    def _wildness(self, market: SymbolMarket, now_ms: int) -> float:
        """Return how wild the last minute was, as a multiple of the average; this minute's end nobody knows."""
        opens_ms = now_ms - now_ms % MINUTE_MS
        columns = self._scripts.history.minutes(market.rules.symbol, opens_ms - MINUTE_MS, opens_ms).columns[:, 0]
        usual = USUAL_RANGE * market.daily_volatility / DAY_MINUTES**0.5
        wildness: float = int(columns[HIGH] - columns[LOW]) / int(columns[OPEN]) / usual
        return min(max(wildness, WILDNESS[0]), WILDNESS[1])

    def _taken_from(self, market: SymbolMarket, since_ms: int, now_ms: int) -> Iterator[PlaceOrder]:
        first_ms = since_ms - since_ms % MINUTE_MS
        for minute_ms in range(first_ms, now_ms, MINUTE_MS):
            for taker in self._scripts.minute(market.rules.symbol, minute_ms).takers(since_ms, now_ms):
                yield self._take(market, taker)

    def _take(self, market: SymbolMarket, taker: Taker) -> PlaceOrder:
        self._taken += 1
        rules = self._ladders[market.rules.symbol].rules
        quantity = taker.steps * market.rules.step_size
        quantity -= quantity % rules.step_size
        return PlaceOrder(
            account=TAKERS,
            symbol=rules.symbol,
            side="BUY" if taker.buys else "SELL",
            type="MARKET",
            client_id=f"taker-{self._taken}",
            quantity=min(max(quantity, rules.quantity_min), rules.market_quantity_max),
        )
