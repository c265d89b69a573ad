"""Whether entries stopped where they had to: an operator's pause, a standing condition, books not yet reconciled."""

from typing import Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import (
    EntriesPaused,
    EntriesResumed,
    IntentJudged,
    OfStrategy,
    OfSymbol,
    Scope,
)
from services.verify.checker.verdict import Judge
from services.verify.checker.words import ConditionCleared, ConditionSet, ReconcileFinished, SendMarked, Word


def judge_permission(evidence: Evidence, judge: Judge) -> None:
    """Judge each approval by risk's pauses, and each order of an entry by the executor's conditions."""
    if evidence.risk is not None:
        _judge_pauses(evidence.risk, judge)
    if evidence.executor is not None:
        _Conditions(judge).over(evidence.executor)


def holds_for(scope: Scope, *, symbol: str, strategy: str) -> bool:
    """Say whether something is within a scope."""
    match scope:
        case OfSymbol():
            return scope.symbol == symbol
        case OfStrategy():
            return scope.strategy == strategy
        case _:
            return True


def _judge_pauses(risk: Journal, judge: Judge) -> None:
    paused: dict[Scope, str] = {}
    for record in risk.records:
        match record.body:
            case EntriesPaused(scope=scope, actor=actor):
                paused[scope] = actor
            case EntriesResumed(scope=scope):
                paused.pop(scope, None)
            case IntentJudged(intent=intent, approval=approval) if approval is not None:
                by = [
                    actor
                    for scope, actor in paused.items()
                    if holds_for(scope, symbol=intent.symbol, strategy=intent.strategy)
                ]
                what = f"{intent.intent_id} is approved though {', '.join(by)} has paused entries"
                judge.hold("I13", what, record.place(), holds=not by)
            case _:
                pass


class _Conditions:
    """Goes through the executor's journal with the conditions that stand, and whether this life has reconciled."""

    def __init__(self, judge: Judge) -> None:
        self._judge: Final = judge
        self._standing: Final[dict[tuple[str, Scope], str]] = {}
        self._reconciled_epoch: int | None = None

    def over(self, executor: Journal) -> None:
        """Walk it to its end."""
        for record in executor.records:
            match record.body:
                case ConditionSet(condition=condition):
                    if condition.permission != "RUN":
                        self._standing[condition.name, condition.scope] = condition.permission
                case ConditionCleared(name=name, scope=scope):
                    self._standing.pop((name, scope), None)
                case ReconcileFinished(clean=True):
                    self._reconciled_epoch = record.epoch
                case SendMarked(order=order) if order.purpose == "entry":
                    self._judge_entry(record, order.client_order_id, symbol=order.symbol, strategy=order.strategy)
                case _:
                    pass

    def _judge_entry(self, record: Record[Word], client_id: str, *, symbol: str, strategy: str) -> None:
        place = record.place(client_id)
        reconciled = self._reconciled_epoch == record.epoch
        what = f"in epoch {record.epoch} the books were not yet held against the venue's and found clean"
        self._judge.hold("I14", what, place, holds=reconciled)
        standing = [
            f"{name} ({permission})"
            for (name, scope), permission in self._standing.items()
            if holds_for(scope, symbol=symbol, strategy=strategy)
        ]
        what = f"it is sent for an entry under {', '.join(standing)}"
        self._judge.hold("I14", what, place, holds=not standing)
