"""The gate: which observations of a symbol are believed, and whether the symbol is to be relied on.

The feed-handler's core asks it about everything that a venue tells. What is senseless by itself is refused at once; a
price far from those of the last minute is held back until others confirm that it is a move, or refute it as a spike.
"""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from typing import Final, Generic, Literal, TypeVar

import msgspec

from shared.market.bars import CandleFault, candle_fault
from shared.market.bounds import price_fault, quantity_fault
from shared.market.observations import Candle, Quote, Trade
from shared.market.price_band import PriceBand, Suspicion
from shared.market.symbol_health import SymbolHealth
from shared.market.timeframe import SECOND_NS, TimeframeRefusedError, timeframe

Refusal = (
    CandleFault
    | Literal["from the future", "wrong unit", "time backwards", "spike", "crossed", "locked", "empty", "repeated"]
)
# Two connections that overlap, as they do when one takes the other's place, tell everything twice.
HARMLESS: Final = frozenset({"repeated"})
SIDES_AT_ODDS: Final = frozenset({"crossed", "locked", "empty"})

# Seconds, milliseconds and microseconds taken for nanoseconds, or the other way round, lie far outside.
YEAR_2010_NS: Final = 1_262_304_000 * SECOND_NS
YEAR_2100_NS: Final = 4_102_444_800 * SECOND_NS

HALF: Final = Decimal("0.5")
_rounding: Final = Context(prec=36, traps=[InvalidOperation])

T = TypeVar("T")


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How strict a gate is."""

    spike_band_fraction: Decimal = Decimal("0.03")  # the least half-width of the band, of its middle
    spike_deviations: Decimal = Decimal(20)  # the half-width in median absolute deviations, where that is more
    spike_window_ns: int = 60 * SECOND_NS
    confirmations: int = 2
    stale_after_ns: int = 2 * SECOND_NS
    future_ns_max: int = SECOND_NS
    faults_for_doubt: int = 5
    doubt_window_ns: int = 10 * SECOND_NS
    crossed_for_doubt_ns: int = 3 * SECOND_NS


class Judged(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """What passes, in order, and how many were refused for which reason. What is in neither is held back."""

    passed: tuple[T, ...] = ()
    refused: tuple[tuple[Refusal, int], ...] = ()


class Gate:
    """Judges the observations of one symbol, handed in as they come."""

    def __init__(self, symbol: str, settings: GateSettings) -> None:
        self.symbol: Final = symbol
        self._settings: Final = settings
        self._band: Final = PriceBand(
            fraction=settings.spike_band_fraction,
            deviations=settings.spike_deviations,
            window_ns=settings.spike_window_ns,
        )
        self._trades: Final[Suspicion[Trade]] = Suspicion(confirmations=settings.confirmations)
        self._quotes: Final[Suspicion[Quote]] = Suspicion(confirmations=settings.confirmations)
        self._health: Final = SymbolHealth(
            stale_after_ns=settings.stale_after_ns,
            faults_for_doubt=settings.faults_for_doubt,
            doubt_window_ns=settings.doubt_window_ns,
            crossed_for_doubt_ns=settings.crossed_for_doubt_ns,
        )
        self._trade_time_ns = 0
        self._quote_sequence: int | None = None
        self._first_prices = 0  # counted until the first one is confirmed

    @property
    def trades_held(self) -> int:
        """Return how many trades are held back: bars that close meanwhile may lack them."""
        return len(self._trades.held)

    def trade(self, trade: Trade, *, venue_now_ns: int, received_ns: int) -> Judged[Trade]:
        """Judge a trade."""
        fault = self._trade_fault(trade, venue_now_ns)
        if fault is not None:
            return self._refused(fault, received_ns)
        price, held = trade.price, self._trades.held
        if self._band.holds(price):
            self._believe(price, trade.exchange_time_ns)
            if not held:
                self._trade_time_ns = trade.exchange_time_ns
                return Judged((trade,))
            passed, spikes = self._trades.settled(self._band)
            return self._trades_in_time([*passed, trade], spikes, received_ns)
        if any(trade.trade_id == other.trade_id for _, other in held):
            return self._refused("repeated", received_ns)
        self._quotes.confirm(price)
        crowded_out = self._trades.hold(price, trade, self._band)
        if not self._trades.is_move:
            return self._held(crowded_out, received_ns)
        passed, spikes = self._trades.moved(self._band)
        self._band.begin_anew(price, trade.exchange_time_ns)
        return self._trades_in_time(passed, spikes + crowded_out, received_ns)

    def quote(self, quote: Quote, *, venue_now_ns: int, received_ns: int) -> Judged[Quote]:
        """Judge the best bid and ask."""
        fault = self._quote_fault(quote, venue_now_ns)
        if fault is not None:
            if fault in SIDES_AT_ODDS:
                self._health.crossed(received_ns)
            return self._refused(fault, received_ns)
        self._health.uncrossed()
        held = self._quotes.held
        price = _rounding.multiply(_rounding.add(quote.bid_price, quote.ask_price), HALF)
        time_ns = venue_now_ns if quote.exchange_time_ns is None else quote.exchange_time_ns
        if self._band.holds(price):
            self._believe(price, time_ns)
            if not held:
                self._quote_sequence = quote.sequence
                self._health.quoted(quote.exchange_time_ns, venue_now_ns=venue_now_ns, received_ns=received_ns)
                return Judged((quote,))
            passed, spikes = self._quotes.settled(self._band)
            passed.append(quote)
        else:
            if any(quote.sequence == other.sequence for _, other in held):
                return self._refused("repeated", received_ns)
            crowded_out = self._quotes.hold(price, quote, self._band)
            if not self._quotes.is_move:
                return self._held(crowded_out, received_ns)
            passed, spikes = self._quotes.moved(self._band)
            spikes += crowded_out
            self._band.begin_anew(price, time_ns)
        return self._quotes_in_sequence(passed, spikes, venue_now_ns=venue_now_ns, received_ns=received_ns)

    def candle(self, candle: Candle) -> Refusal | None:
        """Judge a venue's candle. Its prices are held against the band if that is of the same time."""
        if not YEAR_2010_NS <= candle.open_time_ns < YEAR_2100_NS:
            return "wrong unit"
        try:
            frame = timeframe(candle.timeframe)
        except TimeframeRefusedError:
            return "out of range"
        if fault := candle_fault(candle, frame):
            return fault
        newest_ns = self._band.newest_ns
        if (
            newest_ns is None
            or abs(newest_ns - frame.close_time_ns(candle.open_time_ns)) > self._settings.spike_window_ns
        ):
            return None
        prices = (candle.open_price, candle.high_price, candle.low_price, candle.close_price)
        return None if all(map(self._band.holds, prices)) else "spike"

    def doubts(self, venue_now_ns: int, received_now_ns: int) -> tuple[str, ...]:
        """Return the reasons to distrust the symbol now, none when it can be relied on."""
        doubts = self._health.doubts(venue_now_ns, received_now_ns)
        # The first price of all has nothing to be compared with, so it is as suspect as one that is held back.
        unconfirmed = 0 < self._first_prices <= self._settings.confirmations
        if unconfirmed or self._trades.held or self._quotes.held:
            doubts.append("suspect price")
        return tuple(doubts)

    def next_look_ns(self, received_now_ns: int) -> int | None:
        """Return when a doubt may begin or end though nothing is heard, by the receive clock; None is: never."""
        return self._health.next_look_ns(received_now_ns)

    def trades_lost(self) -> int:
        """Forget the trades that are held back, and return how many they were: nobody will confirm them any more."""
        forgotten = len(self._trades.held)
        self._trades.forget()
        return forgotten

    def quotes_lost(self) -> None:
        """Forget which quotes are held back and fresh. The band stays: the next prices show whether it still stands."""
        self._quotes.forget()
        self._health.link_lost()
        self._quote_sequence = None  # a venue that began anew may count anew

    def sound_time(self, time_ns: int | None, venue_now_ns: int) -> int | None:
        """Return a time of the venue's, None where there is none that makes sense."""
        return time_ns if time_ns is not None and self._time_fault(time_ns, venue_now_ns) is None else None

    def time_refusal(self, trade: Trade, *, venue_now_ns: int, received_ns: int) -> Judged[Trade] | None:
        """Refuse a trade for its time alone, None if nothing is wrong with that."""
        fault = self._time_fault(trade.exchange_time_ns, venue_now_ns)
        return None if fault is None else self._refused(fault, received_ns)

    def look_again(self, *, venue_now_ns: int, received_ns: int) -> Judged[Trade] | None:
        """Judge anew trades that are held: quotes have moved the band to them, or nobody confirmed them in time."""
        held = self._trades.held
        if not held:
            return None
        is_old = venue_now_ns - held[0][1].exchange_time_ns > self._settings.spike_window_ns
        if not is_old and not any(self._band.holds(price) for price, _ in held):
            return None
        passed, spikes = self._trades.settled(self._band)
        return self._trades_in_time(passed, spikes, received_ns)

    def _trade_fault(self, trade: Trade, venue_now_ns: int) -> Refusal | None:
        fault: Refusal | None = price_fault(trade.price) or quantity_fault(trade.quantity)
        if fault is not None:
            return fault
        if not trade.quantity:
            return "zero"
        if trade.trade_count < 1:
            return "zero" if trade.trade_count == 0 else "negative"
        fault = self._time_fault(trade.exchange_time_ns, venue_now_ns)
        if fault is not None:
            return fault
        return "time backwards" if trade.exchange_time_ns < self._trade_time_ns else None

    def _quote_fault(self, quote: Quote, venue_now_ns: int) -> Refusal | None:
        fault: Refusal | None = None
        for price, quantity in ((quote.bid_price, quote.bid_quantity), (quote.ask_price, quote.ask_quantity)):
            fault = price_fault(price) or quantity_fault(quantity)
            if fault is not None and fault != "zero":
                return fault
            if not price or not quantity:
                return "empty"
        if quote.exchange_time_ns is not None:
            fault = self._time_fault(quote.exchange_time_ns, venue_now_ns)
            if fault is not None:
                return fault
        if self._quote_sequence is not None and quote.sequence <= self._quote_sequence:
            return "repeated"
        if quote.bid_price >= quote.ask_price:
            return "crossed" if quote.bid_price > quote.ask_price else "locked"
        return None

    def _time_fault(self, time_ns: int, venue_now_ns: int) -> Refusal | None:
        if not YEAR_2010_NS <= time_ns < YEAR_2100_NS:
            return "wrong unit"
        return "from the future" if time_ns > venue_now_ns + self._settings.future_ns_max else None

    def _believe(self, price: Decimal, time_ns: int) -> None:
        self._band.believe(price, time_ns)
        if self._first_prices <= self._settings.confirmations:
            self._first_prices += 1

    def _trades_in_time(self, trades: Iterable[Trade], spikes: int, received_ns: int) -> Judged[Trade]:
        """Let trades pass that were held back; each has to be later than the one that passed before it."""
        passed, backwards = list[Trade](), 0
        for trade in trades:
            if trade.exchange_time_ns < self._trade_time_ns:
                backwards += 1
                continue
            self._trade_time_ns = trade.exchange_time_ns
            passed.append(trade)
        return Judged(tuple(passed), self._counted({"spike": spikes, "time backwards": backwards}, received_ns))

    def _quotes_in_sequence(
        self, quotes: Iterable[Quote], spikes: int, *, venue_now_ns: int, received_ns: int
    ) -> Judged[Quote]:
        """Let quotes pass, each with a higher number than the one that passed before it."""
        passed, repeated = list[Quote](), 0
        for quote in quotes:
            if self._quote_sequence is not None and quote.sequence <= self._quote_sequence:
                repeated += 1
                continue
            self._quote_sequence = quote.sequence
            self._health.quoted(quote.exchange_time_ns, venue_now_ns=venue_now_ns, received_ns=received_ns)
            passed.append(quote)
        return Judged(tuple(passed), self._counted({"spike": spikes, "repeated": repeated}, received_ns))

    def _refused(self, reason: Refusal, received_ns: int) -> Judged[T]:
        return Judged((), self._counted({reason: 1}, received_ns))

    def _held(self, crowded_out: int, received_ns: int) -> Judged[T]:
        return Judged((), self._counted({"spike": crowded_out}, received_ns))

    def _counted(self, refusals: dict[Refusal, int], received_ns: int) -> tuple[tuple[Refusal, int], ...]:
        counted = tuple((reason, count) for reason, count in refusals.items() if count)
        for reason, count in counted:
            if reason not in HARMLESS:
                self._health.faulted(received_ns, count)
        return counted
