"""Whether each entry was approved before it was sent, worked within its approval, and worked once."""

from collections import Counter
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.exchange_log import ZERO
from services.verify.checker.journal import Journal, Record
from services.verify.checker.orders import Order, Orders
from services.verify.checker.risk_words import Approval, IntentJudged
from services.verify.checker.verdict import Judge
from services.verify.checker.words import EntryOpened

LEASE_AGE_NS_MAX: Final = 2 * NS_PER_SECOND


def judge_approvals(evidence: Evidence, judge: Judge) -> None:
    """Judge what risk approved, which of it the executor opened, and every order sent for an entry."""
    if evidence.risk is not None:
        _judge_verdicts(evidence.risk, judge)
    if evidence.executor is None:
        return
    if evidence.risk is None:
        judge.skip("there is no journal of risk: whether it approved what the executor worked is not judged (I1)")
    _judge_openings(evidence.executor, evidence.risk, judge)
    for order in evidence.orders.all():
        if order.mark.body.order.purpose == "entry":
            _judge_entry_order(order, evidence.orders, judge)


def _judge_verdicts(risk: Journal, judge: Judge) -> None:
    approvals: Counter[str] = Counter()
    for judged in risk.of(IntentJudged):
        intent, approval, place = judged.body.intent, judged.body.approval, judged.place()
        both = (approval is None) != (judged.body.refusal is None)
        judge.hold("I1", f"{intent.intent_id} is neither approved nor refused, or both", place, holds=both)
        if approval is None:
            continue
        approvals[approval.approval_id] += 1
        once = approvals[approval.approval_id] == 1
        judge.hold("I2", f"approval {approval.approval_id} was given a second time", place, holds=once)
        asked = (intent.intent_id, intent.strategy, intent.symbol, intent.side)
        given = (approval.intent_id, approval.strategy, approval.symbol, approval.side)
        judge.hold("I1", f"{given} was approved where {asked} was asked for", place, holds=asked == given)
        within = (
            approval.price_high <= intent.price_worst
            if intent.side == "buy"
            else (approval.price_low >= intent.price_worst)
        )
        judge.hold("I1", f"the approval lets pay worse than {intent.price_worst}", place, holds=within)
        of_now = approval.risk_epoch == judged.epoch
        judge.hold("I25", f"epoch {judged.epoch} approved under epoch {approval.risk_epoch}", place, holds=of_now)


def _judge_openings(executor: Journal, risk: Journal | None, judge: Judge) -> None:
    approvals, intents = Counter[str](), Counter[str]()
    verdicts = (
        {}
        if risk is None
        else {
            judged.body.approval.approval_id: judged
            for judged in risk.of(IntentJudged)
            if judged.body.approval is not None
        }
    )
    for opened in executor.of(EntryOpened):
        approval, place = opened.body.approval, opened.place()
        approvals[approval.approval_id] += 1
        intents[approval.intent_id] += 1
        once = approvals[approval.approval_id] == intents[approval.intent_id] == 1
        judge.hold("I2", f"the intent {approval.intent_id} was opened a second time", place, holds=once)
        if risk is not None:
            _judge_opening(opened, verdicts.get(approval.approval_id), judge)


def _judge_opening(opened: Record[EntryOpened], verdict: Record[IntentJudged] | None, judge: Judge) -> None:
    approval, place = opened.body.approval, opened.place()
    if not judge.hold("I1", f"risk never approved {approval.approval_id}", place, holds=verdict is not None):
        return
    assert verdict is not None, "it was held to be there"
    same = verdict.body.approval == approval
    judge.hold("I1", f"{approval.approval_id} is opened with other words than risk approved", place, holds=same)
    same_boot = verdict.boot_id == opened.boot_id
    judge.hold("I25", f"{approval.approval_id} was approved before this boot", place, holds=same_boot)
    in_time = not same_boot or verdict.boot_ns <= opened.boot_ns
    judge.hold("I1", f"{approval.approval_id} was opened before it was approved", place, holds=in_time)


def _judge_entry_order(order: Order, orders: Orders, judge: Judge) -> None:
    mark, place = order.mark, order.mark.place(order.client_id)
    before = [opened for opened in orders.opened[order.parent_id] if opened.sequence < mark.sequence]
    what = f"it is sent under {order.parent_id}, of which {len(before)} were opened before"
    if not judge.hold("I1", what, place, holds=len(before) == 1):
        return
    opened = before[0]
    approval = opened.body.approval
    _judge_order_within(order, approval, judge)
    earlier = [other for other in orders.of_parent[order.parent_id] if other.mark.sequence < mark.sequence]
    _judge_order_in_time(order, opened, judge, is_first=not earlier)
    reserved = sum((other.not_proved_unfilled(mark.sequence) for other in earlier), ZERO)
    total = reserved + mark.body.quantity
    what = f"with it {total} may be filled under {order.parent_id}, {approval.quantity_max} are approved"
    judge.hold("I1", what, place, holds=total <= approval.quantity_max)
    over = any(ended.sequence < mark.sequence for ended in orders.entries_ended[order.parent_id])
    judge.hold("I2", f"the entry {order.parent_id} had ended", place, holds=not over)


def _judge_order_within(order: Order, approval: Approval, judge: Judge) -> None:
    mark, place = order.mark.body, order.mark.place(order.client_id)
    sent = (mark.order.strategy, mark.order.symbol, mark.order.side)
    approved = (approval.strategy, approval.symbol, approval.side)
    judge.hold("I1", f"{sent} is sent, {approved} is approved", place, holds=sent == approved)
    age_ns = mark.lease_age_ns
    fresh = age_ns is not None and age_ns <= LEASE_AGE_NS_MAX
    judge.hold("I1", f"the lease was {age_ns} ns old, {LEASE_AGE_NS_MAX} is the most", place, holds=fresh)


def _judge_order_in_time(order: Order, opened: Record[EntryOpened], judge: Judge, *, is_first: bool) -> None:
    mark, approval, place = order.mark, opened.body.approval, order.mark.place(order.client_id)
    same_boot = mark.boot_id == opened.boot_id
    in_time = same_boot and mark.boot_ns <= approval.work_until_boot_ns
    judge.hold("I1", "it is sent after work_until, or after another boot", place, holds=in_time)
    begun = not is_first or (same_boot and mark.boot_ns <= approval.start_by_boot_ns)
    judge.hold("I25", "the first order of its entry is sent after start_by", place, holds=begun)
    resumed = mark.epoch != opened.epoch
    what = f"epoch {mark.epoch} works an entry that epoch {opened.epoch} opened: none is resumed"
    judge.hold("I25", what, place, holds=not resumed)
