"""The gateway of one life of the executor: it speaks services/executor/vocabulary.py over a network that misbehaves.

What a request does at the venue and what is heard of it are two things, and a fault may strike either. A reading is as
of a moment at most `READ_LAG_NS_MAX` ago, which is what the executor relies on, and each is of a moment of its own.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

from services.executor.vocabulary import (
    AccountRead,
    Acknowledged,
    CancelOrder,
    CancelSent,
    InstrumentsKnown,
    NotSent,
    OpenOrdersRead,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    Rejected,
    SendOrder,
    StreamLost,
    StreamOpened,
    TradesRead,
    TransferTold,
    Unproved,
    VenueClock,
    WeightTold,
)
from shared.core.service import FromOutside, Outward
from tests.simulation.process import Process
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Dice, Scheduler
from tests.simulation.trace import Trace, words
from tests.simulation.venue import AHEAD_NS, SimVenue
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness

READ_LAG_NS_MAX: Final = 1_900 * MILLISECOND_NS
TIMEOUT_NS: Final = 3 * SECOND_NS
HELD_NS_MAX: Final = 8 * SECOND_NS
CLOCK_ERROR_NS_MAX: Final = 50 * MILLISECOND_NS
NO_HTTP_STATUS: Final = None

Heard = TypeVar("Heard")
Outcome = Acknowledged | Rejected | Unproved


class Network:
    """What lies between the gateway and the venue."""

    def __init__(self, scheduler: Scheduler, weather: Weather, dice: Dice) -> None:
        self.after: Final = scheduler.after
        self.weather: Final = weather
        self._dice: Final = dice.of("network")

    def delay_ns(self) -> int:
        """Return how long one way takes."""
        return self._dice.randint(5, 40) * MILLISECOND_NS + self.late_ns("latency", 800 * MILLISECOND_NS)

    def late_ns(self, fault: str, longest_ns: int) -> int:
        """Return by how much a fault delays something, if it strikes."""
        return self.weather.amount(fault, 0, longest_ns) if self.weather.strikes(fault) else 0


class Request(Generic[Heard]):
    """One request: what arrives, and what is heard of it. `heard` may be called twice, `unheard` once, never both."""

    def __init__(
        self,
        network: Network,
        arrived: Callable[[], Heard],
        heard: Callable[[Heard], None],
        unheard: Callable[[int | None, str], None],
    ) -> None:
        self._network: Final = network
        self._arrived: Final = arrived
        self._heard: Final = heard
        self._unheard: Final = unheard
        self._is_open = True

    def send(self) -> None:
        """Send it, once."""
        network = self._network
        network.after(TIMEOUT_NS, lambda: self._give_up(NO_HTTP_STATUS, "no reply in time"))
        if not network.weather.strikes("request lost"):
            network.after(network.delay_ns() + network.late_ns("request held", HELD_NS_MAX), self._arrive)

    def _arrive(self) -> None:
        network, strikes = self._network, self._network.weather.strikes
        if strikes("error and not done"):
            network.after(network.delay_ns(), lambda: self._give_up(503, "Service Unavailable"))
            return
        what = self._arrived()
        if strikes("error though done"):
            network.after(network.delay_ns(), lambda: self._give_up(504, "Gateway Timeout"))
        elif not strikes("reply lost"):
            late_ns = network.late_ns("reply late", 2 * TIMEOUT_NS)
            network.after(network.delay_ns() + late_ns, lambda: self._answer(what))
            if strikes("reply doubled"):
                again_ns = late_ns + network.weather.amount("reply doubled", 0, SECOND_NS)
                network.after(network.delay_ns() + again_ns, lambda: self._answer(what, is_again=not self._is_open))

    def _give_up(self, status: int | None, reason: str) -> None:
        if self._is_open:
            self._is_open = False
            self._unheard(status, reason)

    def _answer(self, what: Heard, *, is_again: bool = False) -> None:
        if self._is_open or is_again:
            self._is_open = False
            self._heard(what)


class Gateway:
    """The hands of one life at the venue."""

    def __init__(
        self,
        *,
        process: Process,
        venue: SimVenue,
        scheduler: Scheduler,
        weather: Weather,
        dice: Dice,
        trace: Trace,
        witness: Witness,
    ) -> None:
        self._process: Final = process
        self._venue: Final = venue
        self._scheduler: Final = scheduler
        self._weather: Final = weather
        self._dice: Final = dice.of("gateway")
        self._trace: Final = trace
        self._witness: Final = witness
        self._network: Final = Network(scheduler, weather, dice)
        self._is_streaming = False
        self._banned_until_ns = 0
        self._clock_error_ns = self._dice.randint(-CLOCK_ERROR_NS_MAX, CLOCK_ERROR_NS_MAX)
        venue.listen(self._told)

    def open(self) -> None:
        """Connect, and go on telling the time and losing the stream."""
        self._soon(300, lambda: self._bring(InstrumentsKnown(self._venue.instruments())))
        self._soon(400, self._tell_time)
        self._soon(500, self._open_stream)
        self._scheduler.every(lambda: SECOND_NS, self._weather_changes, lambda: self._process.is_alive)
        self._scheduler.every(lambda: 10 * SECOND_NS, self._tell_time, lambda: self._process.is_alive)

    def perform(self, effect: Outward) -> None:
        """Do what the core wants of the venue."""
        match effect:
            case SendOrder():
                self._send(effect)
            case CancelOrder():
                self._cancel(effect)
            case ReadOrder() | ReadOpenOrders() | ReadTrades() | ReadAccount():
                self._read(effect)
            case _:
                raise AssertionError(f"nobody does {effect}")

    def _send(self, order: SendOrder) -> None:
        slow_ms = self._weather.amount("signing slow", 0, 300) if self._weather.strikes("signing slow") else 0
        self._scheduler.after((self._dice.randint(0, 3) + slow_ms) * MILLISECOND_NS, lambda: self._sign(order))

    def _sign(self, order: SendOrder) -> None:
        if not self._process.is_alive:
            return
        if self._process.is_frozen:
            self._soon(10, lambda: self._sign(order))
            return
        now_ns = self._scheduler.now_ns
        if now_ns > order.sign_by_boot_ns or now_ns < self._banned_until_ns:
            why = "it is too late to sign it" if now_ns > order.sign_by_boot_ns else "this address is banned"
            self._bring(OrderSent(order.client_order_id, NotSent(why), None))
            return
        stamp_ns = now_ns + AHEAD_NS + self._clock_error_ns
        self._witness.signed(order, stamp_ns)

        def arrived() -> Outcome:
            if self._weather.strikes("turned away"):
                return Rejected("-1015", "Too many new orders.")
            self._witness.arrived(order, stamp_ns)
            return self._venue.place(order, stamp_ns)

        def heard(outcome: Outcome) -> None:
            self._bring(OrderSent(order.client_order_id, outcome, stamp_ns))

        def unheard(status: int | None, reason: str) -> None:
            self._bring(OrderSent(order.client_order_id, Unproved(status, "", reason), stamp_ns))

        Request(self._network, arrived, heard, unheard).send()

    def _cancel(self, cancel: CancelOrder) -> None:
        if self._scheduler.now_ns < self._banned_until_ns:
            self._soon(1, lambda: self._bring(CancelSent(cancel.client_order_id, NotSent("this address is banned"))))
            return
        Request(
            self._network,
            lambda: self._venue.cancel(cancel),
            lambda outcome: self._bring(CancelSent(cancel.client_order_id, outcome)),
            lambda status, reason: self._bring(CancelSent(cancel.client_order_id, Unproved(status, "", reason))),
        ).send()

    def _read(self, read: ReadOrder | ReadOpenOrders | ReadTrades | ReadAccount) -> None:
        if self._scheduler.now_ns < self._banned_until_ns:
            self._soon(1, lambda: self._bring(self._answer(read, "this address is banned")))
            return
        Request(
            self._network,
            lambda: self._answer(read, "the venue is busy" if self._weather.strikes("read failed") else None),
            self._bring_read,
            lambda _, reason: self._bring(self._answer(read, reason)),
        ).send()

    def _bring_read(self, answer: FromOutside) -> None:
        if isinstance(answer, OrderRead) and answer.order is None and answer.failure is None:
            self._witness.not_found(answer)
        self._bring(answer)

    def _answer(self, read: ReadOrder | ReadOpenOrders | ReadTrades | ReadAccount, failure: str | None) -> FromOutside:
        lag_ns = self._weather.amount("read lags", 0, READ_LAG_NS_MAX) if self._weather.strikes("read lags") else 0
        as_of_ns, venue_ns = self._scheduler.now_ns - lag_ns, self._venue.time_ns - CLOCK_ERROR_NS_MAX
        match read:
            case ReadOrder(client_order_id=name):
                order = None if failure else self._venue.order(name, as_of_ns)
                return OrderRead(name, order, venue_ns, failure)
            case ReadOpenOrders(read_number=number):
                open_orders = tuple(one for one in self._venue.orders(as_of_ns) if one.status == "open")
                return OpenOrdersRead(number, () if failure else open_orders, failure)
            case ReadTrades(read_number=number, symbol=symbol, from_id=from_id, from_time_ns=from_time_ns):
                trades = tuple(
                    trade
                    for trade in self._venue.trades(symbol, as_of_ns)
                    if trade.trade_id >= (from_id or 0) and trade.venue_time_ns >= (from_time_ns or 0)
                )
                return TradesRead(number, symbol, () if failure else trades[:1_000], failure)
            case ReadAccount(read_number=number):
                return AccountRead(number, () if failure else self._venue.balances(as_of_ns), venue_ns, failure)

    def _told(self, told: OrderTold | TransferTold) -> None:
        """Pass on what the private stream tells."""
        if not (self._is_streaming and self._process.is_alive) or self._weather.strikes("told lost"):
            return
        late_ns = self._weather.amount("told late", 0, 3 * SECOND_NS) if self._weather.strikes("told late") else 0
        self._scheduler.after(self._network.delay_ns() + late_ns, lambda: self._bring_told(told))
        if self._weather.strikes("told doubled"):
            again_ns = self._weather.amount("told doubled", 0, 2 * SECOND_NS)
            self._scheduler.after(self._network.delay_ns() + again_ns, lambda: self._bring_told(told))

    def _bring_told(self, told: OrderTold | TransferTold) -> None:
        if self._is_streaming:
            self._bring(told)

    def _weather_changes(self) -> None:
        if self._is_streaming and self._weather.strikes("stream lost"):
            self._is_streaming = False
            self._bring(StreamLost("the connection ended"))
            self._soon(self._weather.amount("stream lost", 100, 6_000), self._open_stream)
        if self._weather.strikes("banned"):
            until_ns = self._scheduler.now_ns + self._weather.amount("banned", 1_000, 6_000) * MILLISECOND_NS
            self._banned_until_ns = until_ns
            self._bring(WeightTold(6_000, until_ns, None))
            self._scheduler.at(until_ns, lambda: self._bring(WeightTold(100, None, None)))

    def _open_stream(self) -> None:
        self._is_streaming = True
        self._bring(StreamOpened())

    def _tell_time(self) -> None:
        self._bring(VenueClock(AHEAD_NS + self._clock_error_ns, CLOCK_ERROR_NS_MAX))

    def _soon(self, milliseconds_max: int, action: Callable[[], None]) -> None:
        self._scheduler.after(self._dice.randint(1, max(1, milliseconds_max)) * MILLISECOND_NS, action)

    def _bring(self, told: FromOutside) -> None:
        if self._process.is_alive:
            self._trace.note("venue", words(told))
            self._process.take(told)
