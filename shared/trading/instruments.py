"""What a venue lets be ordered of a symbol: its steps and bounds as plain data, and what is wrong with an order.

The executor shapes prices and quantities here and asks for the fault before it marks an order as sent. Of an entry, and
of the stop that is to cover it, nothing is sent that the venue must refuse, as far as that can be known here. What
reduces risk is held only against the filters of its own price and quantity: how many orders are open may have changed,
and there the venue has the word. Whoever reads the venue's rules makes the instruments; nothing here asks a venue.

Rounding errs to the safe side. What is safe depends on what the number is for:

- A quantity is rounded down: never more than was approved, never more than is held.
- The price that an order may not be worse than: a buy's down and a sell's up. Never dearer than was approved.
- The price that triggers a protective stop: towards the market, a sell's up and a buy's down. It fires a fraction of
  a tick early; the other way a stop would lose more than the size of the position was reckoned with.
"""

from decimal import Decimal, localcontext
from typing import Final, Literal

import msgspec

from proto.fields import Asset, Side, Symbol
from shared.trading.amounts import EXACT, is_multiple, rounded_down, rounded_up

OrderType = Literal["market", "limit", "limit_ioc", "stop_market", "stop_limit"]
ORDER_QUOTE_MIN: Final = Decimal(10)  # a smaller one is not worth its bookkeeping, whatever the venue takes
LIMITED: Final = frozenset[OrderType]({"limit", "limit_ioc", "stop_limit"})
IMMEDIATE: Final = frozenset[str]({"market", "limit_ioc"})  # what these cannot take at once expires: they never rest
STOPS: Final = frozenset[OrderType]({"stop_market", "stop_limit"})  # what a venue calls algo orders

FilterRule = Literal[
    "price_min",
    "price_max",
    "price_tick",
    "quantity_min",
    "quantity_max",
    "quantity_step",
    "price_band_low",
    "price_band_high",
    "notional_min",
    "notional_max",
    "open_orders_max",
    "algo_orders_max",
]
_WORDS: Final[dict[FilterRule, str]] = {
    "price_min": "is below the lowest price",
    "price_max": "is above the highest price",
    "price_tick": "is no multiple of the price tick",
    "quantity_min": "is below the least quantity",
    "quantity_max": "is above the greatest quantity",
    "quantity_step": "is no multiple of the quantity step",
    "price_band_low": "is too far below the market, the lowest price is",
    "price_band_high": "is too far above the market, the highest price is",
    "notional_min": "is below the least notional",
    "notional_max": "is above the greatest notional",
    "open_orders_max": "open orders would be on the symbol, more than",
    "algo_orders_max": "open stops would be on the symbol, more than",
}


class InstrumentError(ValueError):
    """The venue's rules of a symbol make no sense: do not trade it before somebody has looked at them."""


class PriceBand(msgspec.Struct, frozen=True, kw_only=True):
    """How far a limit price may lie from the venue's average price, as multiples of it, for either side."""

    buy_low: Decimal
    buy_high: Decimal
    sell_low: Decimal
    sell_high: Decimal


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an order asks of the venue. A price is there exactly if the type takes it."""

    side: Side
    order_type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None

    def __post_init__(self) -> None:
        """Make sure that the order can be judged at all; one that cannot is our own mistake."""
        for number in (self.quantity, self.limit_price, self.stop_price):
            assert number is None or number.is_finite(), f"an order of {number}"
        assert (self.limit_price is not None) == (self.order_type in LIMITED), f"{self.order_type}: a wrong limit price"
        assert (self.stop_price is not None) == (self.order_type in STOPS), f"{self.order_type}: a wrong stop price"


class FilterFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why the venue would refuse an order: the rule, the number it saw, and the limit it holds that to."""

    rule: FilterRule
    subject: str  # what the number is: "limit price", "quantity", ...
    value: Decimal
    limit: Decimal

    @property
    def reason(self) -> str:
        """Return the fault as a sentence."""
        return f"{self.subject} {self.value:f} {_WORDS[self.rule]} {self.limit:f}"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol with the filters of its venue. A least bound of 0 and a greatest of None bound nothing.

    Where market orders have a coarser step than others, `quantity_step` is the coarser one.
    """

    symbol: Symbol
    base: Asset
    quote: Asset
    price_tick: Decimal
    price_min: Decimal
    price_max: Decimal | None
    quantity_step: Decimal
    quantity_min: Decimal
    quantity_max: Decimal | None
    market_quantity_min: Decimal
    market_quantity_max: Decimal | None
    notional_min: Decimal
    notional_max: Decimal | None
    price_band: PriceBand | None
    open_orders_max: int | None
    algo_orders_max: int | None

    def __post_init__(self) -> None:
        """Refuse rules that no order could keep, or that would let anything pass."""
        numbers = [getattr(self, name) for name in self.__struct_fields__]
        if any(isinstance(number, Decimal) and not (number.is_finite() and number >= 0) for number in numbers):
            raise InstrumentError(f"{self.symbol} has a rule that is negative or no number.")
        if not self.price_tick or not self.quantity_step:
            raise InstrumentError(f"{self.symbol} has no price tick or no quantity step: nothing could be rounded.")
        if self.base == self.quote:
            raise InstrumentError(f"{self.symbol} trades {self.base} for itself.")

    def quantity_floored(self, quantity: Decimal) -> Decimal:
        """Return as much of a quantity as can be ordered."""
        return rounded_down(quantity, self.quantity_step)

    def limit_price(self, side: Side, price: Decimal) -> Decimal:
        """Return the price limit of an order, never worse than this one."""
        return rounded_down(price, self.price_tick) if side == "buy" else rounded_up(price, self.price_tick)

    def stop_price(self, side: Side, price: Decimal) -> Decimal:
        """Return the price that triggers a protective stop, never later than this one."""
        return rounded_down(price, self.price_tick) if side == "buy" else rounded_up(price, self.price_tick)

    def filter_fault(
        self, order: OrderTerms, *, reference_price: Decimal | None, open_orders: int | None, algo_orders: int | None
    ) -> FilterFault | None:
        """Return why the venue would refuse an order, None if nothing is known against it.

        `reference_price` stands for the average price that the venue itself measures with, and is near it at best: at
        the very edge of a band the venue has the last word. None is "not known": an exit must not wait for a price, so
        what needs one is then left to the venue. The counts are those of the orders that are open on the symbol; None
        leaves it to the venue whether one more is too many.
        """
        with localcontext(EXACT):
            return (
                self._price_fault("limit price", order.limit_price)
                or self._price_fault("stop price", order.stop_price)
                or self._quantity_fault(order)
                or self._band_fault(order, reference_price)
                or self._notional_fault(order, reference_price)
                or self._count_fault(order, open_orders, algo_orders)
            )

    def _price_fault(self, subject: str, price: Decimal | None) -> FilterFault | None:
        if price is None:
            return None
        low = max(self.price_min, self.price_tick)
        fault = _bounds_fault(subject, price, ("price_min", low), ("price_max", self.price_max))
        if fault is None and not is_multiple(price, self.price_tick):
            return FilterFault(rule="price_tick", subject=subject, value=price, limit=self.price_tick)
        return fault

    def _quantity_fault(self, order: OrderTerms) -> FilterFault | None:
        low, high = max(self.quantity_min, self.quantity_step), self.quantity_max
        if order.order_type not in LIMITED:
            low = max(low, self.market_quantity_min)
            high = _lesser(high, self.market_quantity_max)
        fault = _bounds_fault("quantity", order.quantity, ("quantity_min", low), ("quantity_max", high))
        if fault is None and not is_multiple(order.quantity, self.quantity_step):
            return FilterFault(rule="quantity_step", subject="quantity", value=order.quantity, limit=self.quantity_step)
        return fault

    def _band_fault(self, order: OrderTerms, reference_price: Decimal | None) -> FilterFault | None:
        if order.limit_price is None or self.price_band is None or reference_price is None:
            return None
        band = self.price_band
        low, high = (band.buy_low, band.buy_high) if order.side == "buy" else (band.sell_low, band.sell_high)
        return _bounds_fault(
            "limit price",
            order.limit_price,
            ("price_band_low", low * reference_price),
            ("price_band_high", high * reference_price),
        )

    def _notional_fault(self, order: OrderTerms, reference_price: Decimal | None) -> FilterFault | None:
        price = next((p for p in (order.limit_price, order.stop_price, reference_price) if p is not None), None)
        if price is None:
            return None
        high = self.notional_max if order.order_type in LIMITED else None
        notional = price * order.quantity
        return _bounds_fault("notional", notional, ("notional_min", self.notional_min), ("notional_max", high))

    def _count_fault(self, order: OrderTerms, open_orders: int | None, algo_orders: int | None) -> FilterFault | None:
        if order.order_type == "market":
            return None  # it never rests; of a limit the venue does not ask for how long it would
        counts: list[tuple[FilterRule, int | None, int | None]] = [
            ("open_orders_max", open_orders, self.open_orders_max)
        ]
        if order.order_type in STOPS:
            counts.append(("algo_orders_max", algo_orders, self.algo_orders_max))
        for rule, count, count_max in counts:
            if count is not None and count_max is not None and count >= count_max:
                return FilterFault(rule=rule, subject="then", value=Decimal(count + 1), limit=Decimal(count_max))
        return None


def is_remainder(quantity: Decimal, price: Decimal, quantity_step: Decimal) -> bool:
    """Say whether so much is nobody's once no order can sell it: it is worth little, or no whole step of the venue's.

    A purchase is of whole steps, and what a fee in coins leaves of one can never be ordered, whatever a step is worth.
    """
    return quantity < quantity_step or EXACT.multiply(quantity, price) <= ORDER_QUOTE_MIN


def _lesser(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return the lesser of two greatest bounds, of which None bounds nothing."""
    return min((bound for bound in (one, other) if bound is not None), default=None)


def _bounds_fault(
    subject: str, value: Decimal, lowest: tuple[FilterRule, Decimal], highest: tuple[FilterRule, Decimal | None]
) -> FilterFault | None:
    (low_rule, low), (high_rule, high) = lowest, highest
    if value < low:
        return FilterFault(rule=low_rule, subject=subject, value=value, limit=low)
    if high is not None and value > high:
        return FilterFault(rule=high_rule, subject=subject, value=value, limit=high)
    return None


def assets_of(symbol: Symbol) -> tuple[Asset, Asset]:
    """Return what is traded of a spot symbol, and what for."""
    base, _, quote = symbol.partition("/")
    return base, quote
