"""Whether what a strategy is said to hold is the sum of its fills, and of what it let go without a trade."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import ZERO, ExchangeLog
from services.verify.checker.journal import Journal, Record
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import (
    ConditionCleared,
    ExitEnded,
    OrderFilled,
    OutsideSeen,
    PositionChanged,
    Word,
)

Holder = tuple[str, str]  # strategy and symbol


def base_of(symbol: str, log: ExchangeLog | None) -> str:
    """Return the asset that a symbol trades."""
    rules = [] if log is None else log.rules_of(symbol)
    return rules[0].base if rules else symbol.partition("/")[0]


class Holdings:
    """What each strategy holds of each symbol, by its fills. A fee in the asset itself is paid from the position."""

    def __init__(self, log: ExchangeLog | None) -> None:
        self.quantities: Final[defaultdict[Holder, Decimal]] = defaultdict(Decimal)
        self._log: Final = log

    def fold(self, fill: OrderFilled) -> None:
        """Count a fill."""
        holder = fill.order.strategy, fill.order.symbol
        quantity = self.quantities[holder] + (fill.quantity if fill.order.side == "buy" else -fill.quantity)
        if fill.fee_asset == base_of(fill.order.symbol, self._log):
            quantity -= min(fill.fee, max(quantity, ZERO))  # of what is not there, other coins of the account paid
        self.quantities[holder] = quantity


def judge_positions(evidence: Evidence, judge: Judge) -> None:
    """Judge every position that was told."""
    if evidence.executor is not None:
        _Walk(evidence, judge).over(evidence.executor)


class _Walk:
    """Goes through the journal with the positions as they must be."""

    def __init__(self, evidence: Evidence, judge: Judge) -> None:
        self._evidence: Final = evidence
        self._judge: Final = judge
        self._held: Final = Holdings(evidence.log)
        self._untold: Final[dict[Holder, Place]] = {}
        self._excuses: Final[set[Holder | str]] = set()

    def over(self, executor: Journal) -> None:
        """Walk it to its end."""
        for record in executor.records:
            self._take(record)
        for place in self._untold.values() if self._evidence.settled else ():
            self._judge.hold("I10", "after it nobody was told of the position", place, holds=False)

    def _take(self, record: Record[Word]) -> None:
        match record.body:
            case OrderFilled() as fill:
                self._held.fold(fill)
                self._untold[fill.order.strategy, fill.order.symbol] = record.place(fill.order.client_order_id)
            case ExitEnded() as ended if ended.quantity_left:
                self._excuses.add((ended.strategy, ended.symbol))
            case OutsideSeen() as seen:
                self._excuses.add(seen.asset)
            case ConditionCleared():
                self._excuses.add("an operator looked")
            case PositionChanged() as told:
                self._position_told(told, record)
            case _:
                pass

    def _position_told(self, told: PositionChanged, record: Record[Word]) -> None:
        holder = told.strategy, told.symbol
        summed = self._held.quantities[holder]
        excuses = {holder, base_of(told.symbol, self._evidence.log), "an operator looked"}
        let_go = bool(excuses & self._excuses) and abs(told.quantity) < abs(summed) and told.quantity * summed >= 0
        what = f"{told.strategy} is said to hold {told.quantity} {told.symbol}, its fills are {summed} together"
        self._judge.hold("I10", what, record.place(), holds=told.quantity == summed or let_go)
        self._held.quantities[holder] = told.quantity
        self._untold.pop(holder, None)
        self._excuses.difference_update(excuses)
