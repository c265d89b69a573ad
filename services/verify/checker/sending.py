"""Whether all of ours at the exchange was marked before, sent once, in turn, by one writer and not too often."""

from collections import deque
from typing import Final

from services.verify.checker.adoption import judge_adoption
from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.exchange_log import LOG, NS_PER_MS, PLACING, ExchangeLog
from services.verify.checker.journal import Journal, Record
from services.verify.checker.orders import Order, Orders
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import SendMarked

MINUTE_NS: Final = 60 * NS_PER_SECOND


def judge_sending(evidence: Evidence, judge: Judge) -> None:
    """Judge each send mark, and each trace of ours at the exchange."""
    for journal in evidence.written.values():
        if journal is not None:
            _judge_writer(journal, judge)
    executor, flattener = evidence.written["executor"], evidence.written["flattener"]
    judge_adoption(executor, flattener, judge, settled=evidence.settled)
    if evidence.executor is None:
        return
    for again in evidence.orders.marked_again:
        client_id = again.body.order.client_order_id
        judge.hold("I4", "its name was used before", again.place(client_id), holds=False)
    for order in evidence.orders.all():
        _judge_turn(order, evidence.orders, judge)
    _judge_pace(evidence, evidence.executor, judge)
    if evidence.log is not None:
        _judge_marked_before(evidence, evidence.log, evidence.orders, judge)
        _judge_sent_once(evidence, evidence.log, judge)


def _judge_writer(journal: Journal, judge: Judge) -> None:
    highest = 0
    for record in journal.records:
        holds = record.epoch >= highest and record.sender == journal.name
        what = f"written by {record.sender} in epoch {record.epoch}, after epoch {highest}"
        judge.hold("I21", what, record.place(), holds=holds)
        highest = max(highest, record.epoch)


def _judge_turn(order: Order, orders: Orders, judge: Judge) -> None:
    """Within an entry or an exit one order follows the end of another; no child is sent again."""
    mark, place = order.mark, order.mark.place(order.client_id)
    is_entry = mark.body.order.purpose == "entry"
    for other in orders.of_parent[order.parent_id]:
        if other.mark.sequence >= mark.sequence:
            continue
        again = f"it is child {mark.body.child_number} of its parent, as {other.client_id} was"
        judge.hold("I6", again, place, holds=mark.body.child_number != other.mark.body.child_number)
        if mark.body.order.purpose != "cover":
            ended = other.ended_before(mark.sequence)
            judge.hold("I6", f"{other.client_id}, which it follows, had not ended", place, holds=ended)
        if is_entry:
            doubted = any(doubt.sequence < mark.sequence for doubt in other.doubts)
            judge.hold("I6", f"its entry ended when {other.client_id} was in doubt", place, holds=not doubted)


def _judge_pace(evidence: Evidence, executor: Journal, judge: Judge) -> None:
    most = evidence.limits.orders_per_minute_max
    if most is None:
        judge.skip("no limit of orders a minute was given (I17)")
        return
    recent: deque[Record[SendMarked]] = deque()
    for mark in executor.of(SendMarked):
        recent.append(mark)
        while recent[0].boot_id != mark.boot_id or mark.boot_ns - recent[0].boot_ns >= MINUTE_NS:
            recent.popleft()
        place = mark.place(mark.body.order.client_order_id)
        judge.hold("I17", f"it is number {len(recent)} within a minute", place, holds=len(recent) <= most)


def _judge_marked_before(evidence: Evidence, log: ExchangeLog, orders: Orders, judge: Judge) -> None:
    seen: dict[str, tuple[int, int]] = {}
    for client_id in log.requests:
        for request in log.requests_of(client_id, PLACING)[:1]:
            seen[client_id] = (request.number, request.at_ms)
    for placed in log.ours():
        first = (placed.first.number, placed.first.at_ms)
        seen[placed.client_id] = min(first, seen.get(placed.client_id, first))
    for client_id, (number, at_ms) in seen.items():
        if evidence.is_newer_than_journals(number):
            continue
        place = Place(LOG, number, client_id)
        order = orders.by_client_id.get(client_id)
        if judge.hold("I3", "it was never marked in the journal of the executor", place, holds=order is not None):
            assert order is not None, "it was held to be there"
            late_ns = order.mark.wall_ns - at_ms * NS_PER_MS
            what = f"it was at the exchange {late_ns} ns before record {order.mark.sequence} marked it"
            judge.hold("I3", what, place, holds=late_ns <= evidence.clock_bound_ns)


def _judge_sent_once(evidence: Evidence, log: ExchangeLog, judge: Judge) -> None:
    for client_id in log.requests:
        sent = log.requests_of(client_id, PLACING)
        if sent:
            place = Place(LOG, sent[-1].number, client_id)
            judge.hold("I4", f"it was sent {len(sent)} times", place, holds=len(sent) == 1)
    for orders in evidence.at_exchange.values():
        what = f"the exchange has {len(orders)} orders of this name"
        judge.hold("I4", what, orders[-1].place(), holds=len(orders) == 1)
