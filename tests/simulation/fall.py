"""In some seeds somebody keeps coins on the account, and their price falls: then a guard of the account has to trip.

How much prices have taken is reckoned here at every move of theirs, from what the venue holds for us: that is the truth
which each trip is held against, whoever read, told or knew what.
"""

from decimal import Decimal
from typing import Final

from services.sim_exchange.venue.vocabulary import PlaceOrder, Transfer
from tests.simulation.machine import Machine, Surroundings
from tests.simulation.market import Market
from tests.simulation.scheduler import BOOTED_NS, MILLISECOND_NS, SECOND_NS
from tests.simulation.venue import OUR_ACCOUNT, SYMBOLS, SimVenue

SHARE: Final = 0.15  # of the seeds
COINS: Final = 60  # so much does the owner keep: some 6000, beside 10000 in money
AT_MS: Final = (12_000, 22_000)  # before or after midnight
PERCENT: Final = (28, 45)
MOVES_MAX: Final = 6
ALONE_SHARE: Final = 0.3  # of these seeds: the executor is gone then, and the coins are bought meanwhile
BOUGHT_NS: Final = 6 * SECOND_NS  # before
AWAY_MS: Final = 44_000
PARTS, PART = 10, 6
TRUE: Final = Decimal("0.03")  # of equity: the limits are 4 and 4.5 %, readings lag, and fees are paid
CERTAIN: Final = Decimal("0.07")


class Fall:
    """Lets prices fall, and reckons what they take."""

    def __init__(self, around: Surroundings, venue: SimVenue, market: Market) -> None:
        self._venue: Final = venue
        self._market: Final = market
        self._scheduler: Final = around.scheduler
        self._sum = self._peak = Decimal(0)  # of all that prices gave and took
        self._lost = self._lost_most = Decimal(0)
        self._held = self._looked()
        market.on_move = self._moved
        dice = around.dice.of("fall")
        self._is_to_be: Final = dice.random() < SHARE
        self._at_ns: Final = BOOTED_NS + dice.randint(*AT_MS) * MILLISECOND_NS
        self._percent, self._moves = dice.randint(*PERCENT), dice.randint(1, MOVES_MAX)
        self._is_alone: Final = dice.random() < ALONE_SHARE and not around.weather.is_calm
        if self._is_to_be and not self._is_alone:
            self._transfer("BTC", COINS)

    def begin(self, executor: Machine) -> None:
        """Let it come; in some seeds the executor dies, and coins are bought, which it cannot tell of."""
        if not self._is_to_be:
            return
        self._scheduler.at(self._at_ns, lambda: self._market.fall(self._percent, self._moves))
        if self._is_alone:
            self._scheduler.at(self._at_ns - BOUGHT_NS, lambda: self._bought_alone(executor))

    @property
    def is_true(self) -> bool:
        """Say whether prices have ever taken so much that a guard may trip."""
        return self._lost_most >= TRUE

    @property
    def is_certain(self) -> bool:
        """Say whether they have taken so much, and not given it back, that one has to."""
        return self._lost >= CERTAIN

    def is_before(self) -> bool:
        """Say whether it is still to come, and the executor still to be heard."""
        return self._is_to_be and self._scheduler.now_ns < self._at_ns - BOUGHT_NS

    def _bought_alone(self, executor: Machine) -> None:
        """Let the executor die, and somebody else buy for half of the money, a little at each move."""
        executor.end(away_ms=AWAY_MS)
        for number in range(PARTS):
            self._scheduler.after(number * BOUGHT_NS // (PARTS + 1), self._buy_part)

    def _buy_part(self) -> None:
        self._venue.command(
            PlaceOrder(
                account=OUR_ACCOUNT,
                symbol=SYMBOLS["BTC/USDT"],
                side="BUY",
                type="MARKET",
                client_id=f"web-coins-{self._scheduler.now_ns}",
                quantity=Decimal(PART),
            )
        )

    def _transfer(self, asset: str, amount: int) -> None:
        self._venue.command(Transfer(account=OUR_ACCOUNT, asset=asset, amount=Decimal(amount)))

    def _moved(self) -> None:
        """Reckon what the move did to what was there before it."""
        before, self._held = self._held, self._looked()
        self._sum += sum((held * (self._held[one][1] - bid) for one, (held, bid) in before.items()), Decimal(0))
        self._peak = max(self._peak, self._sum)
        money = self._venue.held(self._scheduler.now_ns)["USDT"]
        equity = money.free + money.locked + sum((held * bid for held, bid in self._held.values()), Decimal(0))
        self._lost = (self._peak - self._sum) / (equity + self._peak - self._sum)
        self._lost_most = max(self._lost_most, self._lost)

    def _looked(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return how much there is of each coin, and its bid."""
        held = self._venue.held(self._scheduler.now_ns)
        coins = ((symbol, held.get(symbol.partition("/")[0])) for symbol in SYMBOLS)
        return {
            symbol: (Decimal(0) if coin is None else coin.free + coin.locked, self._market.bid(symbol))
            for symbol, coin in coins
        }
