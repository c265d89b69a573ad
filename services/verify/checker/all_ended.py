"""Whether in the end, when nothing is under way any more, everything has ended and the books agree."""

from services.verify.checker.evidence import Evidence
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import EntryOpened, ExitEnded, ExitOpened, ReconcileFinished


def judge_all_ended(evidence: Evidence, judge: Judge) -> None:
    """Judge entries, exits, orders and the last reconciliation, if the evidence is said to be settled."""
    executor, orders = evidence.executor, evidence.orders
    if not evidence.settled or executor is None:
        return
    for opened in executor.of(EntryOpened):
        ended = bool(orders.entries_ended[opened.body.approval.approval_id])
        judge.hold("I30", f"entry {opened.body.approval.approval_id} never ended", opened.place(), holds=ended)
    # A lower target takes the place of the one before it: what ends is the last that was opened.
    exits_ended = {(one.body.strategy, one.body.symbol): one.sequence for one in executor.of(ExitEnded)}
    for opened_exit in executor.of(ExitOpened):
        holder = opened_exit.body.strategy, opened_exit.body.symbol
        ended = exits_ended.get(holder, 0) > opened_exit.sequence
        judge.hold("I30", f"exit {opened_exit.body.exit_id} never ended", opened_exit.place(), holds=ended)
    for order in orders.all():
        protects = order.mark.body.order.purpose == "cover"
        what = "it never ended, and protects nothing"
        judge.hold("I30", what, order.last.place(order.client_id), holds=order.ended is not None or protects)
    passes = executor.of(ReconcileFinished)
    place = passes[-1].place() if passes else Place(executor.name)
    clean = bool(passes) and passes[-1].body.clean
    judge.hold("I30", "the books were last not clean, or never looked at", place, holds=clean)
