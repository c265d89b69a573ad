"""Whether anything was entered under the kill latch, and whether only a person's clear took it away."""

from collections.abc import Sequence
from typing import Any, Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import IntentJudged, KillCleared, KillLatched
from services.verify.checker.verdict import Judge
from services.verify.checker.words import ConditionCleared, ConditionSet, FlattenBegun, SendMarked, Word

LATCH: Final = "kill_latch"
PROGRAMS: Final = frozenset({"risk", "executor", "flattener", "overseer", "metrics"})
LEASE_NS_MAX: Final = 2_000_000_000  # an executor that does not hear of the latch has a lease for so long


def judge_latches(evidence: Evidence, judge: Judge) -> None:
    """Judge the latch in either journal, and the one against the other."""
    risk, executor = evidence.risk, evidence.executor
    if risk is not None:
        _judge_latch(risk, judge)
    if executor is None:
        return
    whole = None if risk is None or not risk.records or risk.gaps else risk
    _judge_own_latch(executor, whole, judge)
    if risk is None or not risk.records:
        return
    _judge_leases(risk, executor, judge)
    if risk.gaps:
        judge.skip("what risk cleared: its journal has gaps")


def _judge_latch(risk: Journal, judge: Judge) -> None:
    """Nothing is approved while the latch stands, and only a person clears the one that stands."""
    latch_id: str | None = None
    for record in risk.records:
        match record.body:
            case KillLatched(latch=latch):
                latch_id = latch.latch_id
            case KillCleared() as cleared:
                by_person = cleared.actor not in PROGRAMS and cleared.latch_id == latch_id
                what = f"{cleared.latch_id} is cleared by {cleared.actor}, and {latch_id} stands"
                judge.hold("I13", what, record.place(), holds=by_person)
                latch_id = None if cleared.latch_id == latch_id else latch_id
            case IntentJudged(intent=intent, approval=approval) if approval is not None:
                what = f"{intent.intent_id} is approved under the kill latch {latch_id}"
                judge.hold("I13", what, record.place(), holds=latch_id is None)
            case _:
                pass


def _judge_own_latch(executor: Journal, risk: Journal | None, judge: Judge) -> None:
    """No entry is marked under the executor's own copy of the latch, and it lifts what risk had cleared before."""
    stands, is_latched = "", False
    for record in executor.records:
        match record.body:
            case ConditionSet(condition=condition) if condition.name == LATCH:
                is_latched = True
            case FlattenBegun(flatten_id=flatten_id, symbol=None) if is_latched:
                stands = flatten_id
            case ConditionCleared(name=name) if name == LATCH:
                is_latched = False
                if risk is not None:
                    _judge_lifted(record, stands, risk, judge)
            case SendMarked(order=order) if order.purpose == "entry":
                what = "it is marked for an entry under the kill latch"
                judge.hold("I13", what, record.place(order.client_order_id), holds=not is_latched)
            case _:
                pass


def _judge_leases(risk: Journal, executor: Journal, judge: Judge) -> None:
    """No entry is marked later than a lease lasts after risk latched, whatever the executor knew of it."""
    acts = [record for record in risk.records if isinstance(record.body, KillLatched | KillCleared)]
    for mark in executor.of(SendMarked):
        if mark.body.order.purpose == "entry":
            since_ns = _latched_since_ns(acts, mark)
            what = f"it is marked for an entry {LEASE_NS_MAX} ns and more after risk set the kill latch"
            in_time = since_ns is None or mark.boot_ns <= since_ns + LEASE_NS_MAX
            judge.hold("I13", what, mark.place(mark.body.order.client_order_id), holds=in_time)


def _latched_since_ns(acts: Sequence[Record[Word]], mark: Record[SendMarked]) -> int | None:
    """Return when risk set the latch under which it stood at a mark, by the clock of that boot; None without one."""
    since_ns: int | None = None
    for act in acts:
        if act.boot_id == mark.boot_id and act.boot_ns <= mark.boot_ns:
            set_ns = act.boot_ns if since_ns is None else since_ns
            since_ns = None if isinstance(act.body, KillCleared) else set_ns
    return since_ns


def _judge_lifted(record: Record[Word], stands: str, risk: Journal, judge: Judge) -> None:
    """See that the executor lifts the latch under which it stands, and that risk had cleared it before."""
    if record.wall_ns >= risk.records[0].wall_ns:
        cleared = _cleared_before(risk, record)
        what = f"{record.cause_id} is lifted where {stands} stands, and risk had cleared {sorted(cleared)}"
        judge.hold("I13", what, record.place(), holds={record.cause_id, stands} <= cleared)


def _cleared_before(risk: Journal, record: Record[Any]) -> set[str]:
    """Return the latches that risk had cleared by then: whichever name was pressed while one stood goes with it."""
    names, cleared = set[str](), set[str]()
    for act in risk.records:
        if not _is_before(act, record):
            continue
        match act.body:
            case KillLatched(latch=latch):
                names.add(latch.latch_id)
            case KillCleared(latch_id=latch_id):
                cleared |= names | {latch_id}
                names.clear()
            case _:
                pass
    return cleared


def _is_before(cause: Record[Any], record: Record[Any]) -> bool:
    """Say whether one was written before the other; only clocks of one boot can be compared to the moment."""
    return cause.boot_id != record.boot_id or cause.boot_ns <= record.boot_ns
