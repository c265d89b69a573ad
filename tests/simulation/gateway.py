"""The gateway of one life of the executor: it speaks shared/execution/vocabulary.py over a network that misbehaves.

What comes back are the venue's bytes, and the real classification says what they prove. A reading is as of a moment at
most `READ_LAG_NS_MAX` ago, which is what the executor relies on, and each is of a moment of its own.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from services.sim_exchange.face.account_layout import account_events
from shared.core.service import FromOutside, Outward
from shared.execution.vocabulary import (
    CancelOrder,
    CancelSent,
    InstrumentsKnown,
    NotSent,
    OrderRead,
    OrderSent,
    OrderTold,
    ReadAccount,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    SendOrder,
    StreamLost,
    StreamOpened,
    TransferTold,
    VenueClock,
    WeightTold,
)
from shared.mesh.gateway.classification import canceling_outcome, sending_outcome
from shared.mesh.gateway.questions import OneRequest
from shared.mesh.gateway.reads import failed, told
from shared.mesh.gateway.reply import Heard, Reply
from shared.mesh.gateway.venues.catalog import VENUES
from tests.simulation import replies
from tests.simulation.machine import Surroundings
from tests.simulation.network import Network, Request
from tests.simulation.process import Process
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS
from tests.simulation.trace import words
from tests.simulation.venue import AHEAD_NS, OUR_ACCOUNT, OURS, VENUE, SimVenue, Told
from tests.simulation.witness import Witness

READ_LAG_NS_MAX: Final = 1_900 * MILLISECOND_NS
CLOCK_ERROR_NS_MAX: Final = 50 * MILLISECOND_NS
TABLE: Final = VENUES[VENUE]
PLACING, READING, OTHER = "POST /api/v3/order", "GET /api/v3/order", "DELETE /api/v3/order"


class Gateway:
    """The hands of one life at the venue."""

    def __init__(self, *, process: Process, venue: SimVenue, around: Surroundings, witness: Witness) -> None:
        self._process: Final = process
        self._venue: Final = venue
        self._scheduler: Final = around.scheduler
        self._weather: Final = around.weather
        self._dice: Final = around.dice.of("gateway")
        self._trace: Final = around.trace
        self._halt: Final = around.halt
        self._witness: Final = witness
        self._network: Final = Network(around.scheduler, around.weather, around.dice)
        self._is_streaming = False
        self._banned_until_ns = 0
        self._clock_error_ns = self._dice.randint(-CLOCK_ERROR_NS_MAX, CLOCK_ERROR_NS_MAX)

    def open(self) -> None:
        """Connect, and go on telling the time and losing the stream."""
        self._venue.listen(self._told)
        self._soon(300, lambda: self._bring(InstrumentsKnown(self._venue.instruments())))
        self._soon(400, self._tell_time)
        self._soon(500, self._open_stream)
        self._scheduler.every(lambda: SECOND_NS, self._weather_changes, lambda: self._process.is_alive)
        self._scheduler.every(lambda: 10 * SECOND_NS, self._tell_time, lambda: self._process.is_alive)

    def close(self) -> None:
        """End: what a dead process hears is lost."""

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
        if (why := self._why_not(order)) is not None:
            self._bring(OrderSent(order.client_order_id, NotSent(why), None))
            return
        stamp_ns = (now_ns + AHEAD_NS + self._clock_error_ns) // MILLISECOND_NS * MILLISECOND_NS
        self._witness.signed(order, stamp_ns)

        def arrived() -> Reply:
            if self._weather.strikes("turned away"):
                return self._network.turned_away()
            self._witness.arrived(order, stamp_ns)
            self._venue.received(PLACING, {"newClientOrderId": order.client_order_id})
            return replies.placed(self._venue.place(order, stamp_ns))

        def heard(reply: Heard) -> None:
            outcome = sending_outcome(reply, order, TABLE, OURS)
            self._bring(OrderSent(order.client_order_id, outcome, stamp_ns))

        Request(self._network, arrived, heard).send()

    def _why_not(self, order: SendOrder) -> str | None:
        """Say why an order is not signed now."""
        if order.is_entry and self._halt.latch is not None:
            return "the HALT file is there"
        if self._scheduler.now_ns > order.sign_by_boot_ns:
            return "it is too late to sign it"
        return "this address is banned" if self._scheduler.now_ns < self._banned_until_ns else None

    def _cancel(self, cancel: CancelOrder) -> None:
        if self._scheduler.now_ns < self._banned_until_ns:
            self._soon(1, lambda: self._bring(CancelSent(cancel.client_order_id, NotSent("this address is banned"))))
            return

        def arrived() -> Reply:
            self._venue.received(OTHER, {"origClientOrderId": cancel.client_order_id})
            if not self._venue.is_waiting(cancel) or not self._weather.strikes("filled though cancelled"):
                return replies.canceled(self._venue.cancel(cancel))
            late_ns = self._weather.amount("filled though cancelled", 0, 2_000) * MILLISECOND_NS
            self._scheduler.after(late_ns, lambda: self._venue.trigger(cancel))
            return replies.canceled(self._venue.canceled_in_words(cancel))

        def heard(reply: Heard) -> None:
            outcome = canceling_outcome(reply, cancel, TABLE, OURS)
            self._bring(CancelSent(cancel.client_order_id, outcome))

        Request(self._network, arrived, heard).send()

    def _read(self, read: OneRequest) -> None:
        if self._scheduler.now_ns < self._banned_until_ns:
            self._soon(1, lambda: self._bring(failed(read, "this address is banned")))
            return
        passed_ns = self._venue.time_ns - CLOCK_ERROR_NS_MAX

        def arrived() -> Reply:
            return self._network.spoiled() if self._weather.strikes("read failed") else self._answer(read)

        def heard(reply: Heard) -> None:
            answer = told(read, reply, passed_ns, TABLE, OURS)
            if isinstance(answer, OrderRead) and answer.order is None and answer.failure is None:
                self._witness.not_found(answer)
            self._bring(answer)

        Request(self._network, arrived, heard).send()

    def _answer(self, read: OneRequest) -> Reply:
        lag_ns = self._weather.amount("read lags", 0, READ_LAG_NS_MAX) if self._weather.strikes("read lags") else 0
        as_of_ns, venue = self._scheduler.now_ns - lag_ns, self._venue
        match read:
            case ReadOrder(client_order_id=name):
                venue.received(READING, {"origClientOrderId": name})
                return replies.order(venue.view(name, as_of_ns))
            case ReadOpenOrders():
                open_ones = ("NEW", "PARTIALLY_FILLED")
                return replies.orders(one for one in venue.views(as_of_ns) if one.status in open_ones)
            case ReadTrades(symbol=symbol, from_id=from_id, from_time_ns=from_time_ns):
                found = [
                    trade
                    for trade in venue.own_trades(symbol, as_of_ns)
                    if trade.fill.trade_id >= (from_id or 0)
                    and trade.fill.time_ms >= (from_time_ns or 0) // MILLISECOND_NS
                ]
                return replies.trades(found[:1_000])
            case ReadAccount():
                return replies.account(venue.held(as_of_ns))

    def _told(self, event: Told) -> None:
        """Pass on what the private stream tells, frame by frame."""
        if not (self._is_streaming and self._process.is_alive) or self._weather.strikes("told lost"):
            return
        for _, payload in account_events((event,), (OUR_ACCOUNT,), self._venue.time_ns // MILLISECOND_NS):
            frame = msgspec.json.encode({"subscriptionId": 0, "event": payload})
            read = TABLE.frame_read(frame, OURS)
            if isinstance(read, OrderTold | TransferTold):
                self._pass_on(read)

    def _pass_on(self, read: OrderTold | TransferTold) -> None:
        late_ns = self._weather.amount("told late", 0, 3 * SECOND_NS) if self._weather.strikes("told late") else 0
        self._scheduler.after(self._network.delay_ns() + late_ns, lambda: self._bring_told(read))
        if self._weather.strikes("told doubled"):
            again_ns = self._weather.amount("told doubled", 0, 2 * SECOND_NS)
            self._scheduler.after(self._network.delay_ns() + again_ns, lambda: self._bring_told(read))

    def _bring_told(self, read: OrderTold | TransferTold) -> None:
        if self._is_streaming:
            self._bring(read)

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

    def _bring(self, brought: FromOutside) -> None:
        if self._process.is_alive:
            self._trace.note("venue", words(brought))
            self._process.take(brought)
