"""Whether each order ended as the exchange says, and no intent executed more than was approved, or two at a time."""

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import LogOrder
from services.verify.checker.orders import NEVER_WORKED, Order, Orders
from services.verify.checker.verdict import Judge

AVERAGE_FRACTION_OFF_MAX: Final = Decimal("1E-12")  # an average is a division, which somebody has to round


def judge_endings(evidence: Evidence, judge: Judge) -> None:
    """Judge every order of ours by what the exchange has of it."""
    if evidence.log is None or evidence.executor is None:
        return
    for placed in evidence.log.ours():
        order = evidence.orders.by_client_id.get(placed.client_id)
        if order is not None and not evidence.may_be_news(placed.last.at_ms, order):
            _judge_ending(order, placed, judge)
    for order in evidence.orders.all():
        worked = order.fills or (order.ended is not None and order.ended.body.ending not in NEVER_WORKED)
        if worked and evidence.log.covers(order.mark.wall_ns):
            there = order.client_id in evidence.at_exchange
            judge.hold("I5", "the exchange knows nothing of it", order.last.place(order.client_id), holds=there)
    _judge_executions(evidence, evidence.orders, judge)
    _judge_one_at_a_time(evidence, evidence.orders, judge)


def _judge_ending(order: Order, placed: LogOrder, judge: Judge) -> None:
    ending, place = placed.last.ending, order.last.place(order.client_id)
    if ending is None:
        ended = order.ended is not None and order.ended.body.ending not in NEVER_WORKED
        judge.hold("I5", "it is called ended, and is open at the exchange", place, holds=not ended)
    elif order.ended is None:
        judge.hold("I5", f"the exchange says {ending}, and it is not called ended", place, holds=False)
    else:
        ours = order.ended.body.ending
        late = ours in {"canceled", "expired"} and ending in {"filled", "expired"} and bool(order.fills)
        late = late and order.fills[-1].sequence > order.endings[0].sequence
        judge.hold("I5", f"it is called {ours}, and the exchange says {ending}", place, holds=late or ours == ending)
    executed, quote = order.executed, order.executed_quote
    what = f"{executed} for {quote} are known of it, {placed.last.filled} for {placed.last.filled_quote} were executed"
    same = (executed, quote) == (placed.last.filled, placed.last.filled_quote)
    judge.hold("I5", what, place, holds=same)


def _judge_executions(evidence: Evidence, orders: Orders, judge: Judge) -> None:
    executed: defaultdict[str, Decimal] = defaultdict(Decimal)
    approved: dict[str, Decimal] = {}
    last: dict[str, LogOrder] = {}
    for approval_id, opened in orders.opened.items():
        if not opened:
            continue
        approval = opened[0].body.approval
        approved.setdefault(approval.intent_id, approval.quantity_max)
        for order in orders.of_parent[approval_id]:
            for placed in evidence.at_exchange.get(order.client_id, []):
                executed[approval.intent_id] += placed.last.filled
                last[approval.intent_id] = placed
    for intent_id, placed in last.items():
        what = f"{executed[intent_id]} were executed for {intent_id}, {approved[intent_id]} are approved"
        judge.hold("I4", what, placed.place(), holds=executed[intent_id] <= approved[intent_id])


def _judge_one_at_a_time(evidence: Evidence, orders: Orders, judge: Judge) -> None:
    for children in list(orders.of_parent.values()):
        entries = [order for order in children if order.mark.body.order.purpose == "entry"]
        placed = sorted(
            (seen for order in entries for seen in evidence.at_exchange.get(order.client_id, [])),
            key=lambda seen: seen.first.number,
        )
        for before, after in pairwise(placed):
            ended = [state.number for state in before.states if state.ending is not None]
            holds = bool(ended) and ended[0] <= after.first.number
            judge.hold("I4", f"{before.client_id} of the same entry was still open", after.place(), holds=holds)


def is_average(price: Decimal | None, *, quote: Decimal, quantity: Decimal) -> bool:
    """Say whether a price is that average, as far as a division can be written down."""
    if not quantity:
        return price is None
    return price is not None and abs(price * quantity - quote) <= quote * AVERAGE_FRACTION_OFF_MAX
