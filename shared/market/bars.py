"""Bars: from trades, from shorter bars and from a venue's candles, each finished once and never changed after.

Who builds bars hands trades and the venue's time in, and gets the bars that these close. A bar comes at its close or
later, never before; `gapless` says whether every trade of it is known to be in it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from typing import Final, Literal

from proto.bars import Bar
from proto.fields import DECIMAL_DIGITS_MAX, INTEGER_MAX
from proto.market import BarClosed
from shared.market.bounds import QUANTITY_LARGEST, SMALLEST, NumberFault, price_fault, quantity_fault
from shared.market.observations import Candle, Trade
from shared.market.timeframe import Timeframe

DOUBTS_MAX: Final = 100  # apart from each other: beyond that, what lies between them is doubted as well
EMPTY_BARS_MAX: Final = 1_000  # what one silence may make: a longer one is no quiet market but a lost one

CandleFault = NumberFault | Literal["high below others", "low above others", "open time off the grid"]

NOTHING: Final = Decimal(0)

# Two numbers of 36 digits and 63 decimals multiply, and a bar's worth of them adds up, without rounding; were it ever
# otherwise, this would raise.
_sums: Final = Context(prec=250, traps=[Inexact, InvalidOperation])
_rounding: Final = Context(prec=250, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_fitting: Final = Context(prec=DECIMAL_DIGITS_MAX, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])


@dataclass(slots=True)
class _Sum:
    """A bar under way."""

    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    close_price: Decimal
    base_volume: Decimal = NOTHING
    quote_volume: Decimal = NOTHING
    trade_count: int = 0

    def trade(self, trade: Trade) -> None:
        """Take a trade in."""
        price = self.close_price = trade.price
        if price > self.high_price:
            self.high_price = price
        elif price < self.low_price:
            self.low_price = price
        self.base_volume = _sums.add(self.base_volume, trade.quantity)
        self.quote_volume = _sums.fma(price, trade.quantity, self.quote_volume)
        self.trade_count += trade.trade_count

    def bar(self, bar: Bar) -> None:
        """Take a shorter bar in. One without a trade repeats a price from before it, which is none of this bar's."""
        if not bar.base_volume:
            return
        if not self.base_volume:
            self.open_price, self.high_price, self.low_price = bar.open_price, bar.high_price, bar.low_price
        self.high_price = max(self.high_price, bar.high_price)
        self.low_price = min(self.low_price, bar.low_price)
        self.close_price = bar.close_price
        self.base_volume = _sums.add(self.base_volume, bar.base_volume)
        self.quote_volume = _sums.add(self.quote_volume, bar.quote_volume)
        self.trade_count += bar.trade_count

    def finished(self, open_time_ns: int, *, source: Literal["trades", "venue"], gapless: bool) -> Bar:
        """Return the bar."""
        return Bar(
            open_time_ns=open_time_ns,
            open_price=self.open_price,
            high_price=self.high_price,
            low_price=self.low_price,
            close_price=self.close_price,
            base_volume=_fitted(self.base_volume),
            quote_volume=_fitted(self.quote_volume),
            trade_count=min(self.trade_count, INTEGER_MAX),
            source=source,
            gapless=gapless,
        )


def _sum_from(price: Decimal) -> _Sum:
    return _Sum(price, price, price, price)


def _fitted(volume: Decimal) -> Decimal:
    """Return a volume as a bar can carry it: to 36 digits, half to even, at most 1E18; below 1E-28 is nothing.

    What trades on a venue fits as it is, since a price and a quantity of it hardly have 18 digits each.
    """
    return min(_fitting.plus(volume), QUANTITY_LARGEST) if volume >= SMALLEST else NOTHING


class BarBuilder:
    """Makes the bars of one timeframe from trades, which come in the order of their time.

    A bar without a trade repeats the close before it. A silence that leaps over more than 1,000 bars at once makes
    none: bars begin anew with the next trade.
    """

    def __init__(self, timeframe: Timeframe) -> None:
        self._timeframe: Final = timeframe
        self._open_ns: int | None = None  # of the bar under way, which may have no trade yet
        self._sum: _Sum | None = None
        self._close_before: Decimal | None = None
        self._doubts: Final[list[tuple[int, int]]] = []  # when the first and the last bar opens of each doubted row
        self.late_count = 0

    def begin(self, time_ns: int) -> None:
        """Count trades from this time on. The bar that it lies in lacks those before."""
        self._open_ns = self._timeframe.open_time_ns(time_ns)
        if self._open_ns != time_ns:
            self.doubt(self._open_ns, time_ns)

    def trade(self, trade: Trade) -> list[Bar]:
        """Return the bars that a trade closes by its coming, and take it into the one that it lies in."""
        assert self._open_ns is not None, "a builder begins before it takes trades"
        open_ns = self._timeframe.open_time_ns(trade.exchange_time_ns)
        if open_ns < self._open_ns:
            self.late_count += 1
            return []
        closed = self._closed(open_ns) if open_ns > self._open_ns else []
        if self._sum is None:
            self._sum = _sum_from(trade.price)
        self._sum.trade(trade)
        return closed

    def reached(self, time_ns: int) -> list[Bar]:
        """Return the bars that are over, now that every trade up to this time has been handed in."""
        assert self._open_ns is not None, "a builder begins before it is told the time"
        open_ns = self._timeframe.open_time_ns(time_ns)
        return self._closed(open_ns) if open_ns > self._open_ns else []

    def is_over(self, time_ns: int) -> bool:
        """Say whether a bar waits to be closed at this time, whose trades may not all have been handed in."""
        is_known = self._sum is not None or self._close_before is not None
        return is_known and self._open_ns is not None and self._timeframe.close_time_ns(self._open_ns) <= time_ns

    def doubt(self, from_ns: int, until_ns: int) -> None:
        """Hold no bar for gapless that a trade between these times would belong to: one of them may be missing."""
        first, last = self._timeframe.open_time_ns(from_ns), self._timeframe.open_time_ns(until_ns)
        if self._doubts and (
            len(self._doubts) == DOUBTS_MAX or first <= self._timeframe.close_time_ns(self._doubts[-1][1])
        ):
            first_before, last_before = self._doubts.pop()
            first, last = min(first, first_before), max(last, last_before)
        self._doubts.append((first, last))

    def _closed(self, open_ns: int) -> list[Bar]:
        """Close every bar before the one that opens then, which is under way from now on."""
        assert self._open_ns is not None
        empty_from_ns, closed = self._open_ns, list[Bar]()
        if self._sum is not None:
            closed.append(self._finished(self._sum, self._open_ns))
            self._close_before, self._sum = self._sum.close_price, None
            empty_from_ns = self._timeframe.close_time_ns(self._open_ns)
        if (open_ns - empty_from_ns) // self._timeframe.duration_ns > EMPTY_BARS_MAX:
            self._close_before = None
        if self._close_before is not None:
            empty = _sum_from(self._close_before)
            closed += [
                self._finished(empty, empty_ns)
                for empty_ns in range(empty_from_ns, open_ns, self._timeframe.duration_ns)
            ]
        self._open_ns = open_ns
        self._doubts[:] = [doubt for doubt in self._doubts if doubt[1] >= open_ns]
        return closed

    def _finished(self, under_way: _Sum, open_ns: int) -> Bar:
        is_doubted = any(first <= open_ns <= last for first, last in self._doubts)
        return under_way.finished(open_ns, source="trades", gapless=not is_doubted)


class BarFolder:
    """Makes the bars of a timeframe from finished bars of a shorter one that it holds."""

    def __init__(self, timeframe: Timeframe, *, part: Timeframe) -> None:
        assert timeframe.holds(part), f"{timeframe.name} is not made of whole bars of {part.name}"
        self._timeframe: Final = timeframe
        self._part: Final = part
        self._open_ns = 0
        self._next_ns = 0  # the earliest part that can still count
        self._sum: _Sum | None = None
        self._gapless = True
        self._of_venue = True

    def bar(self, bar: Bar) -> list[Bar]:
        """Return the bars that a part finishes: the one before, which lost its last part, and the one it completes.

        A part that came before, or belongs to a bar already returned, is ignored.
        """
        if bar.open_time_ns < self._next_ns:
            return []
        open_ns = self._timeframe.open_time_ns(bar.open_time_ns)
        finished = []
        if self._sum is not None and open_ns != self._open_ns:
            self._gapless = False
            finished.append(self._finish(self._sum))
        if self._sum is None:
            self._sum = _sum_from(bar.close_price)
            self._open_ns = self._next_ns = open_ns
            self._gapless = self._of_venue = True
        self._gapless = self._gapless and bar.gapless and bar.open_time_ns == self._next_ns
        self._of_venue = self._of_venue and bar.source == "venue"
        self._sum.bar(bar)
        self._next_ns = self._part.close_time_ns(bar.open_time_ns)
        if self._next_ns == self._timeframe.close_time_ns(open_ns):
            finished.append(self._finish(self._sum))
        return finished

    def _finish(self, under_way: _Sum) -> Bar:
        self._sum = None
        self._next_ns = self._timeframe.close_time_ns(self._open_ns)
        source: Literal["trades", "venue"] = "venue" if self._of_venue else "trades"
        return under_way.finished(self._open_ns, source=source, gapless=self._gapless)


def differences(ours: Bar, theirs: Bar) -> tuple[str, ...]:
    """Return the names of the fields in which the venue's bar and ours differ in value.

    The quote volume is compared to as many decimals as theirs has: a venue sums what it rounds.
    """
    exact = ("open_price", "high_price", "low_price", "close_price", "base_volume")
    differing = [name for name in exact if getattr(ours, name) != getattr(theirs, name)]
    if _rounded_like(ours.quote_volume, theirs.quote_volume) != theirs.quote_volume:
        differing.append("quote_volume")
    if ours.trade_count != theirs.trade_count:
        differing.append("trade_count")
    return tuple(differing)


def _rounded_like(volume: Decimal, pattern: Decimal) -> Decimal:
    exponent = pattern.as_tuple().exponent
    assert isinstance(exponent, int), "a bar holds finite numbers"
    return _rounding.quantize(volume, Decimal((0, (1,), min(exponent, 0))))


def bar_of(candle: Candle) -> Bar:
    """Return a venue's finished candle as a bar. It was judged before: `candle_fault` has nothing against it."""
    assert candle.is_closed, "a candle under way is no bar"
    return Bar(
        open_time_ns=candle.open_time_ns,
        open_price=candle.open_price,
        high_price=candle.high_price,
        low_price=candle.low_price,
        close_price=candle.close_price,
        base_volume=candle.base_volume,
        quote_volume=candle.quote_volume,
        trade_count=candle.trade_count,
        source="venue",
        gapless=True,
    )


def bar_closed(symbol: str, timeframe: Timeframe, bar: Bar) -> BarClosed:
    """Return a bar as it is published: its prices and volumes are floats from here on (decision 0002)."""
    return BarClosed(
        symbol=symbol,
        timeframe=timeframe.name,
        open_time_ns=bar.open_time_ns,
        close_time_ns=timeframe.close_time_ns(bar.open_time_ns),
        open_price=float(bar.open_price),
        high_price=float(bar.high_price),
        low_price=float(bar.low_price),
        close_price=float(bar.close_price),
        base_volume=float(bar.base_volume),
        quote_volume=float(bar.quote_volume),
        trade_count=bar.trade_count,
        source=bar.source,
        gapless=bar.gapless,
    )


def candle_fault(candle: Candle, timeframe: Timeframe) -> CandleFault | None:
    """Return the first thing that is senseless about a candle, None when nothing is."""
    for price in (candle.open_price, candle.high_price, candle.low_price, candle.close_price):
        if fault := price_fault(price):
            return fault
    for volume in (candle.base_volume, candle.quote_volume):
        if fault := quantity_fault(volume):
            return fault
    if candle.trade_count < 0:
        return "negative"
    if candle.trade_count > INTEGER_MAX or not 0 <= candle.open_time_ns <= INTEGER_MAX:
        return "out of range"
    if candle.open_time_ns != timeframe.open_time_ns(candle.open_time_ns):
        return "open time off the grid"
    if candle.high_price < max(candle.open_price, candle.low_price, candle.close_price):
        return "high below others"
    if candle.low_price > min(candle.open_price, candle.close_price):
        return "low above others"
    return None
