"""The makers of one symbol: the orders they keep on both sides of a price, and what to change when it moves.

They move what has to move and leave the rest. Whatever of a client's is in their way they trade with: so a resting
order is filled when the price goes through it.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from math import ceil, floor, log10
from typing import Final, Literal, NamedTuple

import msgspec

from services.sim_exchange.market.settings import MarketSettings, SymbolMarket
from services.sim_exchange.venue.vocabulary import (
    CancelAll,
    CancelOrder,
    Done,
    Outcome,
    PlaceOrder,
    SymbolRules,
    Traded,
)

MAKERS: Final = "market-makers"
WORN: Final = Decimal("0.3")  # of what should rest at a price: with less left it is placed anew
STICKINESS: Final = 0.5  # of the half spread: a best price that is off by less stays
NICE: Final = (1, 2, 5, 10)
GOLDEN: Final = 2_654_435_761  # scatters prices over 32 bits
RESTING: Final = ("NEW", "PARTIALLY_FILLED")

Side = Literal["BUY", "SELL"]


class Spot(NamedTuple):
    """A place in the book."""

    side: Side
    ticks: int


class Resting(msgspec.Struct):
    """An order of the makers. Before its answer came, its id is not known."""

    client_id: str
    remaining: Decimal
    order_id: int | None = None


class Ladder:
    """The makers' orders on one symbol, as they know them from the answers to their commands and the public trades."""

    def __init__(self, *, market: SymbolMarket, settings: MarketSettings) -> None:
        self.rules = market.rules
        self._settings = settings
        self._trade_worth = market.quote_volume_per_minute / market.trades_per_minute
        self._orders: dict[Spot, Resting] = {}
        self._placed = 0
        self._must_sweep = False

    def follow_rules(self, rules: SymbolRules) -> None:
        """Quote by other rules from now on. Where prices or amounts count otherwise, everything is placed anew."""
        if (rules.tick_size, rules.step_size) != (self.rules.tick_size, self.rules.step_size):
            self._orders.clear()
            self._must_sweep = True
        self.rules = rules

    def requote(self, price: float, wildness: float) -> Iterator[PlaceOrder | CancelOrder | CancelAll]:
        """Yield what brings the orders around a price: first what ends, then what is placed, the best prices first."""
        if self._must_sweep:
            self._must_sweep = False
            yield CancelAll(account=MAKERS, symbol=self.rules.symbol)
        wanted = self._wanted(price, wildness)
        for spot, order in list(self._orders.items()):
            if spot not in wanted or order.remaining < wanted[spot] * WORN:
                del self._orders[spot]
                yield CancelOrder(account=MAKERS, symbol=self.rules.symbol, client_id=order.client_id)
        for spot, quantity in wanted.items():
            if spot not in self._orders:
                yield self._place(spot, quantity)

    def answered(self, command: PlaceOrder, outcome: Outcome) -> None:
        """Learn what became of an order."""
        spot = Spot(command.side, int((command.price or Decimal(0)) / self.rules.tick_size))
        order = self._orders.get(spot)
        if order is None or order.client_id != command.client_id:
            return
        view = outcome.answer.orders[0] if isinstance(outcome.answer, Done) else None
        if view is None or view.status not in RESTING:
            del self._orders[spot]
        else:
            order.order_id, order.remaining = view.order_id, view.quantity - view.filled

    def heard(self, trade: Traded) -> None:
        """Learn of a public trade; it may have been with one of these orders, which it then lessens."""
        ticks = int(trade.price / self.rules.tick_size)
        for spot, order_id in (
            (Spot("BUY", ticks), trade.buyer_order_id),
            (Spot("SELL", ticks), trade.seller_order_id),
        ):
            order = self._orders.get(spot)
            if order is not None and order.order_id == order_id:
                order.remaining -= trade.quantity
                if order.remaining <= 0:
                    del self._orders[spot]

    def _place(self, spot: Spot, quantity: Decimal) -> PlaceOrder:
        self._placed += 1
        client_id = f"maker-{self._placed}"
        self._orders[spot] = Resting(client_id, quantity)
        return PlaceOrder(
            account=MAKERS,
            symbol=self.rules.symbol,
            side=spot.side,
            type="LIMIT",
            client_id=client_id,
            time_in_force="GTC",
            quantity=quantity,
            price=spot.ticks * self.rules.tick_size,
        )

    def _wanted(self, price: float, wildness: float) -> dict[Spot, Decimal]:
        ticks = price / float(self.rules.tick_size)
        half = max(0.5, ticks * self._settings.half_spread * wildness)
        gap = _nice(ticks * self._settings.level_gap)
        wanted: dict[Spot, Decimal] = {}
        # Behind the best price the levels stand on a fixed grid, so that most of them outlast a move.
        bid = self._best("BUY", floor(ticks - half), half, ticks)
        ask = self._best("SELL", max(ceil(ticks + half), bid + 1), half, ticks)
        bids = [bid, *range((bid - 1) // gap * gap, 0, -gap)]
        asks = [ask, *range((ask // gap + 1) * gap, ask + (self._settings.levels + 1) * gap, gap)]
        for depth in range(self._settings.levels):
            if depth < len(bids) and bids[depth] * self.rules.tick_size >= self.rules.price_min:
                wanted[Spot("BUY", bids[depth])] = self._quantity(bids[depth], depth)
            if asks[depth] * self.rules.tick_size <= self.rules.price_max:
                wanted[Spot("SELL", asks[depth])] = self._quantity(asks[depth], depth)
        return wanted

    def _best(self, side: Side, ticks: int, half: float, middle: float) -> int:
        """Return the best price of a side: the one that is there, if it is near enough and not beyond the middle."""
        theirs = [spot.ticks for spot in self._orders if spot.side == side]
        if theirs:
            best = max(theirs) if side == "BUY" else min(theirs)
            near = abs(best - ticks) <= STICKINESS * half
            if near and (best < middle if side == "BUY" else best > middle):
                return best
        return ticks

    def _quantity(self, ticks: int, depth: int) -> Decimal:
        """Return what should rest at a price: it is the price's own, so that it is the same when it is asked again."""
        fancy = 0.5 + (ticks * GOLDEN % 2**32) / 2**32
        trades = self._settings.level_depth * (1 + 2 * depth / self._settings.levels) * fancy
        worth = max(Decimal(round(self._trade_worth * trades)), 2 * self.rules.notional_min)
        step = self.rules.step_size
        steps = (worth / (ticks * self.rules.tick_size) / step).to_integral_value(ROUND_CEILING)
        return min(max(steps * step, self.rules.quantity_min), self.rules.quantity_max)


def _nice(ticks: float) -> int:
    """Return a round number of ticks near this one, so that the grid stays while the price moves a little."""
    magnitude: int = 10 ** max(0, floor(log10(max(ticks, 1.0))))
    return min((nice * magnitude for nice in NICE), key=lambda gap: abs(gap - ticks))
