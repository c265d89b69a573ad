"""Whether what was bought under a stop had a protective order at the exchange, or an exit under way, within seconds."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.exchange_log import ZERO
from services.verify.checker.journal import Journal, Record
from services.verify.checker.orders import Orders
from services.verify.checker.positions import Holder, Holdings
from services.verify.checker.risk_words import StopCover
from services.verify.checker.verdict import Judge
from services.verify.checker.words import (
    ExitEnded,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    PositionChanged,
    SendMarked,
    Word,
)

COVER_NS_MAX: Final = 5 * NS_PER_SECOND
# While it is not known whether a stop is at the exchange, another one could be one too many: that is waited for.
DOUBT_NS_MAX: Final = 15 * NS_PER_SECOND
STOPS: Final = frozenset({"stop_market", "stop_limit"})
UNCOVERED_FRACTION_MAX: Final = Decimal("0.01")  # where the step of the symbol is not known


@dataclass(slots=True)
class _Protection:
    """A protective order: what is left of it, who sent it, and whether the exchange is known to have it, or not to."""

    holder: Holder
    left: Decimal
    epoch: int
    is_there: bool = False
    is_doubted: bool = False

    def is_in_doubt(self, epoch: int) -> bool:
        """Tell whether nobody knows if it is there: its answer proved nothing, or a life before heard it."""
        return not self.is_there and (self.is_doubted or self.epoch != epoch)


@dataclass(slots=True)
class _Bare:
    """Since when a position is bare, at all and in this life; since when a stop can be sent; whether it is too long."""

    first: Record[Word]
    since: Record[Word]
    free_since: Record[Word]
    is_late: bool = False

    def lasted_ns(self, until: Record[Word]) -> int:
        """Return for how long, over all lives that can be compared."""
        from_ns = self.first.boot_ns if self.first.boot_id == until.boot_id else self.since.boot_ns
        return until.boot_ns - from_ns


def judge_cover(evidence: Evidence, judge: Judge) -> None:
    """Judge every position whose entry declared a stop, at every moment that the executor wrote something down."""
    if evidence.executor is not None:
        _Walk(evidence, evidence.orders, judge).over(evidence.executor, settled=evidence.settled)


class _Walk:
    """Goes through the journal with what is held, what protects it, and since when something is bare."""

    def __init__(self, evidence: Evidence, orders: Orders, judge: Judge) -> None:
        self._evidence: Final = evidence
        self._orders: Final = orders
        self._judge: Final = judge
        self._held: Final = Holdings(evidence.log)
        self._stops: Final[dict[Holder, Decimal]] = {}  # where the stop of what is held is, by its approval
        self._protections: Final[dict[str, _Protection]] = {}
        self._exits: Final[set[Holder]] = set()  # that are brought down
        self._bare: Final[dict[Holder, _Bare]] = {}

    def over(self, executor: Journal, *, settled: bool) -> None:
        """Walk it to its end."""
        for record in executor.records:
            self._time_passed(record)
            holder = self._take(record)
            if holder is not None:
                self._look(holder, record)
        for holder, bare in self._bare.items():
            if settled:
                self._judge.hold("I19", "in the end it is bare", bare.since.place(), holds=False)
            elif bare.is_late:
                self._was_bare(holder, bare, executor.records[-1])

    def _time_passed(self, record: Record[Word]) -> None:
        for holder, bare in self._bare.items():
            if (record.epoch, record.boot_id) != (bare.since.epoch, bare.since.boot_id):
                bare.since = bare.free_since = record  # a new life knows of it from here on
            if self._is_in_doubt(holder, record.epoch):
                bare.free_since = record
            is_over = record.boot_ns - bare.since.boot_ns > DOUBT_NS_MAX
            bare.is_late |= is_over or record.boot_ns - bare.free_since.boot_ns > COVER_NS_MAX

    def _take(self, record: Record[Word]) -> Holder | None:
        """Take a record, and return whom it concerns."""
        match record.body:
            case SendMarked(order=order) as mark:
                holder = order.strategy, order.symbol
                if order.purpose == "cover" and mark.order_type in STOPS:
                    self._protections[order.client_order_id] = _Protection(holder, mark.quantity, record.epoch)
                return None
            case OrderAcknowledged(order=order) | OrderDoubted(order=order) | OrderEnded(order=order):
                self._told(record.body)
            case OrderFilled(order=order) as fill:
                self._filled(fill)
            case ExitOpened() as exit_:
                self._exits.add((exit_.strategy, exit_.symbol))
                return exit_.strategy, exit_.symbol
            case ExitEnded() as exit_:
                self._exits.discard((exit_.strategy, exit_.symbol))
                return exit_.strategy, exit_.symbol
            case PositionChanged() as told:
                self._held.quantities[told.strategy, told.symbol] = told.quantity
                return told.strategy, told.symbol
            case _:
                return None
        return order.strategy, order.symbol

    def _told(self, told: OrderAcknowledged | OrderDoubted | OrderEnded) -> None:
        protection = self._protections.get(told.order.client_order_id)
        match told:
            case OrderEnded():
                self._protections.pop(told.order.client_order_id, None)
            case OrderAcknowledged() if protection is not None:
                protection.is_there = True
            case OrderDoubted() if protection is not None:
                protection.is_doubted = True
            case _:
                pass

    def _filled(self, fill: OrderFilled) -> None:
        self._held.fold(fill)
        protection = self._protections.get(fill.order.client_order_id)
        if protection is not None:
            protection.left, protection.is_there = protection.left - fill.quantity, True
        opened = self._orders.opened.get(fill.order.parent_id)
        if fill.order.purpose == "entry" and opened and isinstance(opened[0].body.approval.cover, StopCover):
            self._stops[fill.order.strategy, fill.order.symbol] = opened[0].body.approval.cover.stop_price

    def _look(self, holder: Holder, record: Record[Word]) -> None:
        quantity = self._held.quantities[holder]
        if quantity <= 0:
            self._stops.pop(holder, None)
        if holder not in self._stops:
            bare = self._bare.pop(holder, None)
            if bare is not None and bare.is_late:
                self._was_bare(holder, bare, record)
            return
        protected = sum(
            (order.left for order in self._protections.values() if order.holder == holder and order.is_there), ZERO
        )
        covered = holder in self._exits or self._is_little(holder, quantity, quantity - protected)
        if covered:
            bare = self._bare.pop(holder, None)
            if bare is not None and bare.is_late:
                self._was_bare(holder, bare, record)
            else:
                self._judge.hold("I19", "", record.place(), holds=True)
        else:
            self._bare.setdefault(holder, _Bare(record, record, record))

    def _was_bare(self, holder: Holder, bare: _Bare, until: Record[Word]) -> None:
        strategy, symbol = holder
        what = f"what {strategy} holds of {symbol} is bare for {bare.lasted_ns(until)} ns, without stop or exit"
        self._judge.hold("I19", what, bare.since.place(), holds=False)

    def _is_in_doubt(self, holder: Holder, epoch: int) -> bool:
        return any(one.holder == holder and one.is_in_doubt(epoch) for one in self._protections.values())

    def _is_little(self, holder: Holder, quantity: Decimal, uncovered: Decimal) -> bool:
        """Say whether what is uncovered is below a step, or the whole too little for any order."""
        rules = [] if self._evidence.log is None else self._evidence.log.rules_of(holder[1])
        if not rules:
            return uncovered <= quantity * UNCOVERED_FRACTION_MAX
        small = any(quantity * self._stops[holder] < version.notional_min for version in rules)
        return small or any(uncovered < version.step_size for version in rules)
