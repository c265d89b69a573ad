"""Comes between the venue and its clients, and does what the rulebook says. The face asks it at every turn."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.face.account_layout import execution_report
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.interference import Call, Going, HangUpError, Outgoing, Reply
from services.sim_exchange.face.order_layout import canceled_answer
from services.sim_exchange.face.records import Records
from services.sim_exchange.faults import vocabulary as faults
from services.sim_exchange.faults.clock import SkewableClock
from services.sim_exchange.faults.events import EventFaults
from services.sim_exchange.faults.hand import Hand
from services.sim_exchange.faults.lasting import LastingFaults
from services.sim_exchange.faults.prices import WrongPrices
from services.sim_exchange.faults.replies import OK, reply_changed, reply_instead
from services.sim_exchange.faults.rulebook import Rule, Rulebook
from services.sim_exchange.faults.scenario import Scenario
from services.sim_exchange.faults.scope import CANCEL, PLACE, FaultRefusedError, Occasion, Point
from services.sim_exchange.faults.vocabulary import Fault
from services.sim_exchange.faults.waiting import Waiting
from services.sim_exchange.venue.vocabulary import Event, OrderChanged, OrderView

LATER_MAX: Final = 1_000  # things to be done to orders at once; one beyond that is done without delay


class Fired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault that struck, for the venue's log: which, the how manieth time, when by the true clock, and what."""

    time_ms: int
    fault_id: str
    kind: str
    fired: int
    occasion: Occasion


class Saboteur:
    """Brings the faults that were asked for between the venue and its clients."""

    def __init__(self, *, desk: Desk, clock: SkewableClock, seed: int, on_fired: Callable[[Fired], None]) -> None:
        self._desk: Final = desk
        self._clock: Final = clock
        self._on_fired: Final = on_fired
        self._rulebook: Final = Rulebook(seed=seed)
        self._hand: Final = Hand(desk)
        self._lasting: Final = LastingFaults(hand=self._hand, records=desk.core, clock=clock)
        self._prices: Final = WrongPrices()
        self._events: Final = EventFaults(firing=self._firing, prices=self._prices)
        self._waiting: Final = Waiting()
        self._later: Final[list[tuple[int, int, Callable[[], None]]]] = []
        self._delayed = 0
        self._outbox: Final[list[Going]] = []
        self._starting: deque[tuple[int, Rule]] = deque()  # which rule starts before which request
        self._requests = 0
        desk.listen(self._take)

    # --- what is asked for -----------------------------------------------------------------------------------------

    def add(self, fault: Fault, *, fault_id: str | None = None) -> Rule:
        """Take a fault up; it begins at once, unless it says otherwise."""
        self._check(fault)
        rule = self._rulebook.add(fault, self._clock.true_ms(), fault_id)
        self._turn()
        return rule

    def remove(self, fault_id: str) -> Rule | None:
        """Take a fault away, and let what lasts end; None if there is none of that id."""
        rule = self._rulebook.remove(fault_id)
        if rule is not None and rule.has_begun and not rule.has_ended:
            self._end(rule)
        return rule

    def rules(self) -> tuple[Rule, ...]:
        """Return every fault that was asked for and is not forgotten."""
        self._turn()
        return self._rulebook.rules()

    def play(self, scenario: Scenario) -> None:
        """Take up the faults of a scenario, all or none. It begins now: its requests are counted from here.

        What an earlier one had not started yet is dropped.
        """
        while self._starting:
            self._rulebook.remove(self._starting.popleft()[1].fault_id)
        self._rulebook.sow(scenario.seed)
        start_ms = self._clock.true_ms()
        added: list[tuple[int, Rule]] = []
        try:
            for step in scenario.steps:
                self._check(step.fault)
                starts_ms = None if step.request is not None else start_ms + step.after_ms
                added.append((step.request or 0, self._rulebook.add(step.fault, starts_ms, step.name)))
        except FaultRefusedError:
            for _, rule in added:
                self._rulebook.remove(rule.fault_id)
            raise
        self._requests = 0
        self._starting = deque(sorted((pair for pair in added if pair[0]), key=lambda pair: pair[0]))
        self._turn()

    # --- what the face asks ----------------------------------------------------------------------------------------

    async def before(self, call: Call) -> Reply | None:
        """Lose a request, hold it up, or answer in the venue's place."""
        self._count_request()
        if not self._rulebook.has("request"):
            return None
        self._turn()
        order = self._hand.canceled(call) if call.endpoint == CANCEL else None
        for rule in self._firing(_occasion("request", call, rests=order is not None)):
            now_ms = self._clock.true_ms()
            match rule.fault:
                case faults.LateArrival(delay_ms=delay_ms):
                    await self._waiting.until(now_ms + delay_ms)
                case faults.DropRequest(hold_ms=hold_ms):
                    await self._lose(hold_ms)
                case faults.FillAfterCancel(delay_ms=delay_ms):
                    assert order is not None, (
                        "the fault strikes only the cancellation of an order that can be filled yet"
                    )
                    return self._canceled_in_words(call, order, delay_ms)
                case _:
                    return reply_instead(rule, now_ms)
        return None

    async def after(self, call: Call, reply: Reply) -> Reply:
        """Lose an answer, or change it."""
        if not self._rulebook.has("reply"):
            return reply
        order = self._hand.placed(call, reply.body) if call.endpoint == PLACE and reply.status == OK else None
        occasion = _occasion("reply", call, rests=order is not None, is_refused=reply.status != OK)
        for rule in self._firing(occasion):
            match rule.fault:
                case faults.DropReply(hold_ms=hold_ms):
                    await self._lose(hold_ms)
                case faults.PartialThenCancel() as fault:
                    assert order is not None, "the fault strikes only orders in the book"
                    self._fill_then_cancel(order, fault)
                case faults.WrongPrice() as fault:
                    place = f"{call.endpoint} {sorted(call.sent.items())}"
                    told = self._prices.told(fault, rule.fault_id, place, msgspec.json.decode(reply.body))
                    reply = msgspec.structs.replace(reply, body=msgspec.json.encode(told))
                case _:
                    instead = reply_instead(rule, self._clock.true_ms())
                    if instead is not None:
                        return instead
                    reply = reply_changed(rule.fault, reply)
        return reply

    def records(self, call: Call, current: Records) -> Records:
        """Let a request read what was true a while ago."""
        if self._rulebook.has("read"):
            self._turn()
            for rule in self._firing(_occasion("read", call)):
                return self._lasting.past(rule)
        return current

    def told(self, outgoing: Outgoing) -> Sequence[Going]:
        """Return what is told in an event's place."""
        if not self._rulebook.has("event") and not self._events.held.is_holding:
            return (outgoing,)
        return self._events.told(outgoing, self._clock.true_ms())

    def tick(self) -> Sequence[Going]:
        """Do what has become due."""
        now_ms = self._clock.true_ms()
        self._turn()
        self._waiting.advance(now_ms)
        while self._later and self._later[0][0] <= now_ms:
            heapq.heappop(self._later)[2]()
        going = (*self._outbox, *self._events.held.due(now_ms))
        self._outbox.clear()
        return going

    # --- how it is done --------------------------------------------------------------------------------------------

    def _firing(self, occasion: Occasion) -> Iterator[Rule]:
        now_ms = self._clock.true_ms()
        for rule in self._rulebook.firing(occasion, now_ms):
            kind = str(rule.fault.__struct_config__.tag)
            self._on_fired(
                Fired(time_ms=now_ms, fault_id=rule.fault_id, kind=kind, fired=rule.fired, occasion=occasion)
            )
            yield rule

    def _turn(self) -> None:
        begun, ended = self._rulebook.turned(self._clock.true_ms())
        for rule in begun:
            hang_up = self._lasting.begin(rule)
            if hang_up is not None:
                self._outbox.append(hang_up)
        for rule in ended:
            self._end(rule)

    def _end(self, rule: Rule) -> None:
        self._prices.forget(rule.fault_id)
        self._lasting.end(rule)

    def _take(self, events: Sequence[Event], _: int) -> None:
        self._lasting.take(events)

    def _check(self, fault: Fault) -> None:
        if isinstance(fault, faults.RulesChange | faults.Halt):
            self._hand.check_listed(fault.symbol)

    def _count_request(self) -> None:
        self._requests += 1
        while self._starting and self._starting[0][0] <= self._requests:
            self._starting.popleft()[1].start(self._clock.true_ms())

    async def _lose(self, hold_ms: int) -> None:
        if hold_ms:
            await self._waiting.until(self._clock.true_ms() + hold_ms)
        raise HangUpError

    def _do_later(self, delay_ms: int, action: Callable[[], None]) -> None:
        if len(self._later) >= LATER_MAX:
            action()
            return
        self._delayed += 1
        heapq.heappush(self._later, (self._clock.true_ms() + delay_ms, self._delayed, action))

    def _canceled_in_words(self, call: Call, order: OrderView, delay_ms: int) -> Reply:
        now_ms = self._clock()
        cancel_client_id = call.sent.get("newClientOrderId") or f"sim-cancel-{order.order_id}"
        ended = msgspec.structs.replace(order, status="CANCELED", updated_ms=now_ms)
        told = OrderChanged(order=ended, execution="CANCELED", cancel_client_id=cancel_client_id)
        self._outbox.append(Outgoing(account=order.account, payload=execution_report(told, now_ms)))
        self._do_later(delay_ms, lambda: self._hand.complete(order))
        return Reply(status=OK, body=msgspec.json.encode(canceled_answer(ended, cancel_client_id)))

    def _fill_then_cancel(self, order: OrderView, fault: faults.PartialThenCancel) -> None:
        def fill_then_cancel() -> None:
            self._hand.fill(order, Decimal(str(fault.fraction)))
            self._hand.cancel(order)

        self._do_later(fault.delay_ms, fill_then_cancel)


def _occasion(point: Point, call: Call, *, rests: bool = False, is_refused: bool = False) -> Occasion:
    return Occasion(
        point=point,
        endpoint=call.endpoint,
        called=call.called,
        account=call.account,
        symbol=call.symbol,
        client_id=call.sent.get("newClientOrderId") or call.sent.get("origClientOrderId"),
        is_refused=is_refused,
        rests=rests,
    )
