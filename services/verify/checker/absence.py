"""Whether what the executor called absent, or refused, could not have been at the exchange after all."""

from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.exchange_log import NS_PER_MS, PLACING, READING, ZERO
from services.verify.checker.journal import Record
from services.verify.checker.orders import NEVER_WORKED, Order
from services.verify.checker.verdict import Judge
from services.verify.checker.words import OrderAcknowledged, OrderEnded, OrderFilled

READ_LAG_NS: Final = 2 * NS_PER_SECOND
GOOD_READS: Final = 2


def judge_absence(evidence: Evidence, judge: Judge) -> None:
    """Judge every order that is said never to have worked."""
    for order in evidence.orders.all():
        for ending in order.endings:
            if ending.body.ending not in NEVER_WORKED:
                continue
            place = ending.place(order.client_id)
            worked = [seen for seen in evidence.at_exchange.get(order.client_id, []) if seen.last.ending != "rejected"]
            executed = sum((seen.last.filled for seen in worked), ZERO)
            what = f"it is called {ending.body.ending}, and the exchange has it, with {executed} executed"
            judge.hold("I7", what, place, holds=not worked)
            _judge_not_taken_back(order, ending, judge)
            if ending.body.ending == "absent":
                _judge_proof(evidence, order, ending, judge)


def _judge_not_taken_back(order: Order, ending: Record[OrderEnded], judge: Judge) -> None:
    back = [
        told.sequence
        for told in order.told
        if told.sequence > ending.sequence and isinstance(told.body, OrderAcknowledged | OrderFilled)
    ]
    what = f"it was called {ending.body.ending}, and record {back[:1]} knows it to be at the exchange"
    judge.hold("I7", what, ending.place(order.client_id), holds=not back)


def _judge_proof(evidence: Evidence, order: Order, ending: Record[OrderEnded], judge: Judge) -> None:
    """Without doubt, in the life that marked it, absent means that it was not sent. Else it takes time and readings."""
    mark, place = order.mark, ending.place(order.client_id)
    doubted = any(doubt.sequence < ending.sequence for doubt in order.doubts) or ending.epoch != mark.epoch
    log = evidence.log if evidence.log is not None and evidence.log.covers(mark.wall_ns) else None
    if not doubted:
        if log is not None:
            received = log.requests_of(order.client_id, PLACING)
            what = "it is said never to have been sent, and the exchange received it"
            judge.hold("I7", what, place, holds=not received)
        return
    same_boot = ending.boot_id == mark.boot_id
    passed_ns = ending.boot_ns - mark.boot_ns if same_boot else ending.wall_ns - mark.wall_ns
    needed_ns = mark.body.window_ns + READ_LAG_NS
    what = f"it was proved absent after {passed_ns} ns, when it could still arrive for {needed_ns} ns"
    judge.hold("I7", what, place, holds=passed_ns >= needed_ns)
    if log is not None:
        asked = log.requests_of(order.client_id, READING)
        reads = [request.at_ms * NS_PER_MS for request in asked if request.at_ms * NS_PER_MS <= ending.wall_ns]
        after_ns = mark.wall_ns + needed_ns - evidence.clock_bound_ns
        good = len(reads) >= GOOD_READS and reads[-1] >= after_ns
        judge.hold("I7", f"it was proved absent by {len(reads)} readings, or too early ones", place, holds=good)
