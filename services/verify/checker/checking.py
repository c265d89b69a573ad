"""The one way in: evidence goes in, a verdict comes out."""

from decimal import localcontext
from typing import Final

from services.verify.checker.absence import judge_absence
from services.verify.checker.all_ended import judge_all_ended
from services.verify.checker.approvals import judge_approvals
from services.verify.checker.balances import judge_balances
from services.verify.checker.cover import judge_cover
from services.verify.checker.cover_trips import judge_cover_trips
from services.verify.checker.endings import judge_endings
from services.verify.checker.entry_prices import judge_entry_prices
from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import EXACT
from services.verify.checker.exits import judge_exits
from services.verify.checker.fills import judge_fills
from services.verify.checker.filters import judge_filters
from services.verify.checker.flatness import judge_flatness
from services.verify.checker.guards import judge_guards
from services.verify.checker.journal import Journal
from services.verify.checker.latches import judge_latches
from services.verify.checker.limits_kept import judge_limits
from services.verify.checker.order_table import judge_order_table
from services.verify.checker.permission import judge_permission
from services.verify.checker.positions import judge_positions
from services.verify.checker.sending import judge_sending
from services.verify.checker.verdict import INVARIANTS, Judge, Verdict
from services.verify.checker.words import OrderFilled, SendMarked

JUDGES: Final = (
    judge_approvals,
    judge_entry_prices,
    judge_sending,
    judge_absence,
    judge_endings,
    judge_order_table,
    judge_fills,
    judge_positions,
    judge_balances,
    judge_filters,
    judge_permission,
    judge_limits,
    judge_guards,
    judge_exits,
    judge_cover,
    judge_cover_trips,
    judge_latches,
    judge_flatness,
    judge_all_ended,
)


def judged(evidence: Evidence) -> Verdict:
    """Hold the evidence against every promise."""
    judge = Judge()
    with localcontext(EXACT):
        for journal in evidence.written.values():
            if journal is not None:
                _judge_bytes(journal, judge)
        if evidence.log is not None:
            judge.checked["I26"] += evidence.log.lines
            judge.violations.extend(evidence.log.troubles)
        for judge_one in JUDGES:
            judge_one(evidence, judge)
    checked = {invariant: judge.checked[invariant] for invariant in INVARIANTS}
    return Verdict(tuple(judge.violations), _read(evidence), checked, tuple(judge.unchecked))


def _judge_bytes(journal: Journal, judge: Judge) -> None:
    judge.checked["I26"] += len(journal.records)
    judge.checked["I12"] += len(journal.records)
    judge.violations.extend(journal.troubles)
    for sequence, what in journal.gaps:
        judge.skip(f"the journal of {journal.name} admits at record {sequence} that {what}")
    for tag, count in journal.unknown.items():
        judge.skip(f"the journal of {journal.name} has {count} records of {tag}, a word that is not known here")


def _read(evidence: Evidence) -> dict[str, int]:
    """Count what was there to be judged."""
    executor, log = evidence.executor, evidence.log
    records = {name: 0 if journal is None else len(journal.records) for name, journal in evidence.written.items()}
    return {
        "records of the executor": records["executor"],
        "records of risk": records["risk"],
        "records of the flattener": records["flattener"],
        "lines of the exchange's log": 0 if log is None else log.lines,
        "orders marked": 0 if executor is None else len(executor.of(SendMarked)),
        "fills": 0 if executor is None else len(executor.of(OrderFilled)),
        "orders of ours at the exchange": len(evidence.at_exchange),
    }
