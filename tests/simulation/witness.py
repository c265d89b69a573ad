"""Watches the executor as it goes, from outside: what is durable, what leaves, what arrives, what must never be.

It believes journals and the venue, and of the executor's memory only what it compares with them. What risk approved it
knows from risk's own journal (tests/simulation/risk_witness.py).
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from proto.envelope import Body, Envelope
from proto.orders import (
    EntryEnded,
    EntryOpened,
    ExitEnded,
    ExitOpened,
    OrderEnded,
    OrderFilled,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
)
from proto.risk import AskLease, LeaseAnswered
from shared.core.service import Answered, Ask, Effect, HaltSeen, Happening, Stalled
from shared.execution.vocabulary import OrderRead, SendOrder, StreamLost, StreamOpened
from tests.simulation.halt import SimHalt
from tests.simulation.latch_witness import LatchWitness
from tests.simulation.scheduler import MILLISECOND_NS, SECOND_NS, Scheduler
from tests.simulation.trace import Trace
from tests.simulation.venue import AHEAD_NS

if TYPE_CHECKING:
    from proto.verdicts import Approval

LEASE_NS_MAX: Final = 2 * SECOND_NS
WINDOW_NS: Final = 3 * SECOND_NS
LAG_NS: Final = 2 * SECOND_NS
OF_THE_FLATTENER: Final = "flattener-"
SIGN_NS_MAX: Final = {"entry": 250 * MILLISECOND_NS, "exit": 5 * SECOND_NS, "cover": 5 * SECOND_NS}
NEGATIVES_MIN: Final = 2


class Witness:
    """Holds every step against what it must rest on."""

    def __init__(
        self, scheduler: Scheduler, trace: Trace, halt: SimHalt, on_position: Callable[[PositionChanged], None]
    ) -> None:
        self._scheduler: Final = scheduler
        self._trace: Final = trace
        self._halt: Final = halt
        self._on_position: Final = on_position
        self.approvals: Final[dict[str, Approval]] = {}  # what risk granted, by its journal
        self.freed: Final[set[str]] = set()  # and what of that it took back
        self.opened: Final[set[str]] = set()  # approvals that were worked, and those that are no longer
        self.ended: Final[dict[str, Decimal]] = {}
        self.held: Final[dict[tuple[str, str], Decimal]] = {}  # by strategy and symbol
        self.entries: Final[Counter[str]] = Counter()  # by symbol
        self.marks: Final[dict[str, Envelope]] = {}
        self.fills: Final[dict[str, list[OrderFilled]]] = {}
        self._positions: Final[list[tuple[int, PositionChanged]]] = []
        self.fill_records: Final[list[tuple[int, OrderFilled]]] = []  # with their numbers
        self.endings: Final[dict[str, OrderEnded]] = {}
        self.worked: Final[dict[str, list[str]]] = {}  # by intent, the approvals that were worked for it
        self.exits_ns: Final[list[int]] = []  # how long each took
        self.records = 0
        self._marked: Final[dict[str, SendMarked]] = {}
        self._left: Final[set[str]] = set()
        self._stamps: Final[dict[str, int]] = {}
        self._arrived: Final[set[str]] = set()
        self._negatives: Final[dict[str, list[int]]] = {}
        self._lease: tuple[int, int, LeaseAnswered] | None = None  # its number, when it was asked for, and what it says
        self._exit_opened_ns: Final[dict[tuple[str, str], int]] = {}
        self._asked_ns: Final[dict[tuple[int, int], int]] = {}
        self._is_reconciled = False
        self.adopted: Final[set[str]] = set()  # by the ids that the flattener gave
        self._originals: Final[set[str]] = set()
        self.latch: Final = LatchWitness(trace)
        self._seen_latch: str | None = None  # what the executor knows of the HALT file

    def told_until(self, sequence: int, place: tuple[str, str]) -> Decimal:
        """Return what a position is by the reports up to a number."""
        told = (one for number, one in reversed(self._positions) if number <= sequence)
        return next((one.quantity for one in told if (one.strategy, one.symbol) == place), Decimal(0))

    # What it is told of.

    def began(self) -> None:
        """Take note that the executor begins anew: it has no lease, and has compared nothing."""
        self._lease, self._is_reconciled, self._seen_latch = None, False, None

    def taken(self, happening: Happening, epoch: int) -> None:
        """Take note of what the core is handed: something the venue said may have been missed; a lease is heard."""
        match happening:
            case StreamOpened() | StreamLost() | Stalled():
                self._is_reconciled = False
            case HaltSeen(latch=latch):
                self._seen_latch = None if latch is None else latch.latch_id
            case Answered(envelope=envelope) if isinstance(envelope.body, LeaseAnswered):
                answer = envelope.body
                if self._lease is None or answer.number >= self._lease[0]:
                    self._lease = (answer.number, self._asked_ns[epoch, answer.number], answer)
            case _:
                pass

    def performed(self, effect: Effect, epoch: int) -> None:
        """Take note that a lease is asked for, or that an order leaves."""
        match effect:
            case Ask(body=AskLease(number=number)):
                self._asked_ns[epoch, number] = self._scheduler.now_ns
            case SendOrder():
                self._left_core(effect)
            case _:
                pass

    def not_found(self, answer: OrderRead) -> None:
        """Take note that the venue said well that it has no such order."""
        self._negatives.setdefault(answer.client_order_id, []).append(answer.venue_time_ns)

    def acted(self, envelope: Envelope) -> None:
        """Take note of a durable record of the flattener's, made in the executor's name."""
        if envelope.id not in self._originals:
            self._originals.add(envelope.id)
            self._happened(envelope)

    def recorded(self, envelope: Envelope) -> None:
        """Take note of a durable record. What was adopted has happened before, but for what only its finder saw."""
        self.records += 1
        if isinstance(envelope.body, PositionChanged):
            self._positions.append((envelope.sequence, envelope.body))
        if isinstance(envelope.body, OrderFilled):
            self.fill_records.append((envelope.sequence, envelope.body))
        original = envelope.cause_id
        if not original.startswith(OF_THE_FLATTENER):
            self._happened(envelope)
            return
        self._expect(original not in self.adopted, "I26", f"{original} is adopted twice")
        self.adopted.add(original)
        self.acted(msgspec.structs.replace(envelope, id=original))

    def _happened(self, envelope: Envelope) -> None:
        match envelope.body:
            case SendMarked() as mark:
                self._mark(mark, envelope)
            case EntryOpened(approval=approval):
                self._expect(approval.approval_id not in self.freed, "I18", f"{approval.approval_id} was freed before")
                self.entries[approval.symbol] += 1
                self.opened.add(approval.approval_id)
                worked = self.worked.setdefault(approval.intent_id, [])
                worked.append(approval.approval_id)
                self._expect(len(worked) == 1, "I2", f"intent {approval.intent_id} is worked by {worked}")
            case EntryEnded(approval_id=approval_id, filled_quantity=filled):
                self.ended[approval_id] = filled
            case ExitOpened(strategy=strategy, symbol=symbol):
                self._exit_opened_ns.setdefault((strategy, symbol), self._scheduler.now_ns)
            case ExitEnded(strategy=strategy, symbol=symbol):
                self.exits_ns.append(self._scheduler.now_ns - self._exit_opened_ns.pop((strategy, symbol)))
            case PositionChanged() as changed:
                self.held[changed.strategy, changed.symbol] = changed.quantity
                self._on_position(changed)
            case ReconcileFinished(clean=clean):
                self._is_reconciled = clean
            case told:
                self.latch.told(envelope)
                self._order_told(told)

    def signed(self, order: SendOrder, stamp_ns: int) -> None:
        """Look at an order that is signed."""
        name, now_ns = order.client_order_id, self._scheduler.now_ns
        self._stamps[name] = stamp_ns
        if name in self.marks:
            age_ns = now_ns - self.marks[name].sent_boot_ns
            purpose = self._marked[name].order.purpose
            in_time = age_ns <= SIGN_NS_MAX[purpose]
            self._expect(in_time, "I3", f"{name} is signed {age_ns / SECOND_NS:.3f} s after its mark")
            if purpose == "entry":
                self._lease_is_young(name)  # what else risk says after it left reaches it no more
                approval = self.approvals.get(self._marked[name].order.parent_id)
                in_time = approval is None or now_ns <= approval.start_by_boot_ns
                self._expect(in_time, "I25", f"{name} is signed after start_by")
                self._expect(self._halt.latch is None, "I13", f"{name} is signed while the HALT file is there")

    def arrived(self, order: SendOrder, stamp_ns: int) -> None:
        """Look at an order that reaches the venue."""
        name = order.client_order_id
        ended = self.endings.get(name)
        is_late = self._scheduler.now_ns + AHEAD_NS > stamp_ns + order.window_ns
        self._expect(name in self.marks, "I3", f"{name} arrives without a durable mark")
        self._expect(is_late or ended is None, "I7", f"{name} arrives after it was said to be {ended and ended.ending}")

    # What it holds against each other.

    def _order_told(self, told: Body) -> None:
        match told:
            case OrderFilled() as fill:
                self._filled(fill)
            case OrderEnded() as ended:
                self._ended(ended)
            case _:
                pass

    def _left_core(self, order: SendOrder) -> None:
        name = order.client_order_id
        self._expect(name in self.marks, "I3", f"{name} leaves without a durable mark")
        self._expect(name not in self._left, "I4", f"{name} leaves a second time")
        self._left.add(name)
        if name in self.marks and self._marked[name].order.purpose == "entry":
            self._entry_left(self._marked[name])

    def _mark(self, mark: SendMarked, envelope: Envelope) -> None:
        name = mark.order.client_order_id
        self._expect(name not in self.marks, "I6", f"the id {name} is used again")
        for other, before in self._marked.items():
            same_parent = before.order.parent_id == mark.order.parent_id
            both_sell = before.order.side == mark.order.side == "sell"
            same_place = (before.order.strategy, before.order.symbol) == (mark.order.strategy, mark.order.symbol)
            if other not in self.endings and (same_parent or (both_sell and same_place)):
                self._expect(False, "I6", f"{name} is marked while {other} has not ended")  # noqa: FBT003  # it is so
        if mark.order.purpose == "entry":
            siblings = [one for one in self._marked.values() if one.order.parent_id == mark.order.parent_id]
            self._expect(not siblings, "I4", f"{name} is a second order of its entry")
        self._marked[name], self.marks[name] = mark, envelope

    def _entry_left(self, mark: SendMarked) -> None:
        name, now_ns = mark.order.client_order_id, self._scheduler.now_ns
        approval = self.approvals.get(mark.order.parent_id)
        if approval is None:
            self._trace.violated("I1", f"{name} leaves without an approval")
            return
        terms = (approval.symbol, approval.side, approval.strategy)
        self._expect(terms == (mark.order.symbol, mark.order.side, mark.order.strategy), "I1", f"{name} is another")
        self._expect(mark.quantity <= approval.quantity_max, "I1", f"{name} is of {mark.quantity}")
        self._expect(now_ns <= approval.start_by_boot_ns, "I25", f"{name} leaves after start_by")
        self._expect(not self.latch.stands, "I13", f"{name} leaves under the kill latch")
        self._expect(self._seen_latch is None, "I13", f"{name} leaves under the HALT file {self._seen_latch}")
        self._expect(self._is_reconciled, "I14", f"{name} leaves before the books were held against the venue's")
        self._lease_stands(mark)

    def _lease_stands(self, mark: SendMarked) -> None:
        name, approval = mark.order.client_order_id, self.approvals.get(mark.order.parent_id)
        lease = self._lease_is_young(name)
        if lease is None:
            return
        self._expect(lease.permission == "RUN", "I1", f"{name} leaves under {lease.permission}")
        epoch = None if approval is None else approval.risk_epoch
        self._expect(lease.risk_epoch == epoch, "I1", f"{name} leaves for an approval of epoch {epoch}")

    def _lease_is_young(self, name: str) -> LeaseAnswered | None:
        if self._lease is None:
            self._trace.violated("I1", f"{name} leaves without a lease")
            return None
        _, asked_at_ns, lease = self._lease
        age_ns = self._scheduler.now_ns - asked_at_ns
        self._expect(age_ns <= LEASE_NS_MAX, "I1", f"{name} leaves on a lease {age_ns / SECOND_NS:.3f} s old")
        return lease

    def _filled(self, fill: OrderFilled) -> None:
        name = fill.order.client_order_id
        known = self.fills.setdefault(name, [])
        self._expect(all(one.trade_id != fill.trade_id for one in known), "I8", f"trade {fill.trade_id} counts twice")
        known.append(fill)
        total = sum((one.quantity for one in known), Decimal(0))
        self._expect(total <= self._marked[name].quantity, "I8", f"{name} has filled {total}")
        self._expect(
            total == fill.cumulative_quantity, "I8", f"{name} is said to have filled {fill.cumulative_quantity}"
        )

    def _ended(self, ended: OrderEnded) -> None:
        name = ended.order.client_order_id
        self._expect(name not in self.endings, "I9", f"{name} ends twice")
        self.endings[name] = ended
        if ended.ending == "absent" and not ended.reason.startswith("not sent"):
            marked_at = self.marks[name].sent_boot_ns + AHEAD_NS
            fence_ns = self._stamps.get(name, marked_at) + WINDOW_NS + LAG_NS
            negatives = self._negatives.get(name, [])
            is_proved = len(negatives) >= NEGATIVES_MIN and negatives[-1] >= fence_ns
            self._expect(is_proved, "I7", f"{name} is held to be absent after {len(negatives)} readings, or too early")

    def _expect(self, holds: bool, invariant: str, what: str) -> None:  # noqa: FBT001  # it reads as a sentence
        if not holds:
            self._trace.violated(invariant, what)
