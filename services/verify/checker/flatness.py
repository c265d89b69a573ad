"""Whether what was said to be flat was so, and whether all is attributed."""

from collections import defaultdict
from decimal import Decimal
from math import gcd
from typing import Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import ZERO
from services.verify.checker.journal import Journal, Record
from services.verify.checker.positions import Holdings, base_of
from services.verify.checker.risk_words import (
    EntriesPaused,
    EntriesResumed,
    GuardTripped,
    KillCleared,
    KillLatched,
)
from services.verify.checker.verdict import Judge
from services.verify.checker.words import (
    ConditionCleared,
    ExitEnded,
    FlatnessTold,
    FlattenBegun,
    FlattenCalledOff,
    OrderEnded,
    OrderFilled,
    OutsideSeen,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
    Word,
)

DUST_QUOTE_MAX: Final = Decimal(10)  # a whole step that is worth more is nobody's remainder, whatever the venue takes
PLACES: Final = 18  # of which quantities are made at the most
WITHOUT_STEP: Final = Decimal("0.01")  # a part of what was held: crumbs, where the step of the symbol is not known


def judge_flatness(evidence: Evidence, judge: Judge) -> None:
    """Judge who acted, and each word about what is flat."""
    if evidence.risk is not None:
        _judge_actors(evidence.risk, judge)
    if evidence.executor is not None:
        _judge_actors(evidence.executor, judge)
        _Flatness(evidence, judge).over(evidence.executor)


def _judge_actors(journal: Journal, judge: Judge) -> None:
    """Each act that changes what may be done names who did it, and why."""
    for record in journal.records:
        match record.body:
            case KillLatched(latch=act):
                said = act.actor, act.reason
            case EntriesPaused() | EntriesResumed() | KillCleared() as body:
                said = body.actor, body.reason
            case FlattenBegun() | FlattenCalledOff() | ConditionCleared() as body:
                said = body.actor, body.reason
            case GuardTripped(reason=reason):
                said = "risk", reason
            case _:
                continue
        judge.hold("I28", f"it says neither who nor why: {said}", record.place(), holds=all(said))


class _Flatness:
    """Goes through the executor's journal with what is held, what is worked, and since when books and venue agreed."""

    def __init__(self, evidence: Evidence, judge: Judge) -> None:
        self._judge: Final = judge
        self._evidence: Final = evidence
        self._held: Final = Holdings(evidence.log)
        self._most: Final[dict[tuple[str, str], Decimal]] = {}
        self._working: Final[dict[str, tuple[str, str]]] = {}
        self._scopes: Final[dict[str, str | None]] = {}
        self._sold_at_end: Final[dict[str, Decimal]] = {}  # by its id: what the venue said of an order as it ended it
        self._filled_of: Final[defaultdict[str, Decimal]] = defaultdict(Decimal)
        # What is gone of each position: sold by the venue beyond what it had said, or by others. And how much of it was
        # when an order was marked.
        self._gone: Final[defaultdict[tuple[str, str], Decimal]] = defaultdict(Decimal)
        self._gone_at_mark: Final[dict[str, Decimal]] = {}
        self._lowest: Final[dict[str, Decimal]] = {}  # price of each symbol's fills
        self._balances: Final[defaultdict[str, Decimal]] = defaultdict(Decimal)  # of coins, as the journal has them
        self._divisors: Final[dict[str, int]] = {}  # of all quantities that were ordered: a step is never more
        self._clean_pass: tuple[int, int] | None = None  # of which epoch, and its number; None since something changed

    def over(self, executor: Journal) -> None:
        """Walk it to its end."""
        for record in executor.records:
            self._count(record.body)
            match record.body:
                case OrderFilled(order=order) as fill:
                    self._filled(fill, record)
                    self._clean_pass = None
                case SendMarked(order=order):
                    holder = order.strategy, order.symbol
                    self._working[order.client_order_id] = holder
                    self._gone_at_mark[order.client_order_id] = self._gone[holder]
                    self._clean_pass = None
                case OrderEnded(order=order, executed_quantity=executed):
                    self._working.pop(order.client_order_id, None)
                    self._sold_at_end[order.client_order_id] = executed
                case ExitEnded(quantity_left=left) as ended if left:
                    self._left_as_dust(ended, record)
                case PositionChanged(strategy=strategy, symbol=symbol, quantity=quantity):
                    holder = strategy, symbol
                    self._gone[holder] += max(self._held.quantities[holder] - quantity, ZERO)
                    self._held.quantities[holder] = quantity
                case ReconcileFinished(pass_number=number, clean=clean):
                    self._clean_pass = (record.epoch, number) if clean else None
                case FlattenBegun(flatten_id=flatten_id, symbol=symbol):
                    self._scopes[flatten_id] = symbol
                case FlatnessTold(is_flat=True) as told:
                    self._told_flat(told, record)
                case _:
                    pass

    def _count(self, body: Word) -> None:
        """Count what the account has of each coin, and in which steps it is ordered."""
        match body:
            case OutsideSeen(kind=kind, asset=asset, quantity=quantity) if kind != "order":
                self._balances[asset] += quantity
            case OrderFilled(order=order, quantity=quantity) as fill:
                self._balances[self._base(order.symbol)] += quantity if order.side == "buy" else -quantity
                self._balances[fill.fee_asset] -= fill.fee
            case SendMarked(order=order, quantity=quantity):
                self._divisors[order.symbol] = gcd(int(quantity * 10**PLACES), self._divisors.get(order.symbol, 0))
            case _:
                pass

    def _filled(self, fill: OrderFilled, record: Record[Word]) -> None:
        """Judge that a sale sells no more than is there: what reduces never turns a position over.

        What the venue sells of an order that it had called ended with less is the venue's doing, and what others sell
        theirs: so much may be missing from any sale that was marked before it was known.
        """
        holder = fill.order.strategy, fill.order.symbol
        self._lowest[fill.order.symbol] = min(fill.price, self._lowest.get(fill.order.symbol, fill.price))
        before = self._held.quantities[holder]
        self._held.fold(fill)
        after = self._held.quantities[holder]
        self._most[holder] = max(self._most.get(holder, ZERO), before, after)
        name = fill.order.client_order_id
        self._filled_of[name] += fill.quantity
        filled = self._filled_of[name]
        past_end = min(fill.quantity, max(filled - self._sold_at_end.get(name, filled), ZERO))
        if fill.order.side == "sell":
            self._gone[holder] += past_end
        if fill.order.purpose != "entry" and not past_end:
            what = f"{holder[0]} held {before} {holder[1]}, and {after} after this"
            missing = self._gone[holder] - self._gone_at_mark.get(name, self._gone[holder])
            kept = -missing <= after <= before or before <= ZERO
            self._judge.hold("I15", what, record.place(fill.order.client_order_id), holds=kept)

    def _left_as_dust(self, ended: ExitEnded, record: Record[Word]) -> None:
        """Judge that what is let go is worth little, or less than one step, but for coins that the account has not.

        They may have paid fees, or another strategy may have sold them as its own.
        """
        asset, quantities = self._base(ended.symbol), self._held.quantities.items()
        owned = sum((held for (_, symbol), held in quantities if held > 0 and self._base(symbol) == asset), ZERO)
        gone = max(owned - max(self._balances[asset], ZERO), ZERO)
        left = ended.quantity_left - gone
        worth = left * self._lowest.get(ended.symbol, ZERO)
        what = f"{ended.quantity_left} {ended.symbol} of {ended.strategy} is called dust, and is worth {worth}"
        is_dust = worth <= DUST_QUOTE_MAX or left < self._step(ended.symbol)
        self._judge.hold("I28", what, record.place(), holds=is_dust)

    def _base(self, symbol: str) -> str:
        return base_of(symbol, self._evidence.log)

    def _step(self, symbol: str) -> Decimal:
        """Return the coarsest step that the exchange told, or else what all that was ordered is a multiple of."""
        told = [] if self._evidence.log is None else self._evidence.log.rules_of(symbol)
        divisor = Decimal(self._divisors.get(symbol, 0)) / 10**PLACES
        return max((rules.step_size for rules in told), default=divisor)

    def _told_flat(self, told: FlatnessTold, record: Record[Word]) -> None:
        read_back = self._clean_pass is not None and self._clean_pass == (record.epoch, told.pass_number)
        what = f"FLAT is said, and pass {told.pass_number} did not show it after the last order"
        self._judge.hold("I28", what, record.place(), holds=read_back)
        scope = self._scopes.get(told.flatten_id)
        working = sorted(name for name, (_, symbol) in self._working.items() if scope in {None, symbol})
        self._judge.hold("I28", f"FLAT is said, and at work are {working}", record.place(), holds=not working)
        held = [
            f"{quantity} {symbol} of {strategy}"
            for (strategy, symbol), quantity in self._held.quantities.items()
            if scope in {None, symbol} and quantity > WITHOUT_STEP * self._most.get((strategy, symbol), ZERO)
        ]
        self._judge.hold("I28", f"FLAT is said, and held are {held}", record.place(), holds=not held)
