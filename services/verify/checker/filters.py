"""Whether each order fits the filters of its symbol, in any version of them that the exchange ever told."""

from services.verify.checker.evidence import Evidence
from services.verify.checker.exchange_log import Rules
from services.verify.checker.journal import Record
from services.verify.checker.verdict import Judge
from services.verify.checker.words import SendMarked


def judge_filters(evidence: Evidence, judge: Judge) -> None:
    """Judge the amounts of every send mark. That they are finite was seen when they were read."""
    if evidence.executor is None:
        return
    for mark in evidence.executor.of(SendMarked):
        place = mark.place(mark.body.order.client_order_id)
        judge.hold("I12", "it is for nothing", place, holds=mark.body.quantity > 0)
        needed = {
            "market": (False, False),
            "limit": (True, False),
            "limit_ioc": (True, False),
            "stop_market": (False, True),
            "stop_limit": (True, True),
        }[mark.body.order_type]
        has = (mark.body.limit_price is not None, mark.body.stop_price is not None)
        what = f"a {mark.body.order_type} order with limit {mark.body.limit_price} and stop {mark.body.stop_price}"
        judge.hold("I12", what, place, holds=needed == has)
        versions = [] if evidence.log is None else evidence.log.rules_of(mark.body.order.symbol)
        if versions:
            wrong = [_wrong(mark, rules) for rules in versions]
            judge.hold("I12", str(wrong[-1]), place, holds=None in wrong)


def _wrong(mark: Record[SendMarked], rules: Rules) -> str | None:
    """Say what of it the filters refuse."""
    quantity, price = mark.body.quantity, mark.body.limit_price
    if quantity % rules.step_size or quantity < rules.quantity_min:
        return f"{quantity} is no multiple of {rules.step_size} from {rules.quantity_min} up"
    for amount in (price, mark.body.stop_price):
        if amount is not None and amount % rules.tick_size:
            return f"{amount} is no multiple of {rules.tick_size}"
    if price is not None and price * quantity < rules.notional_min:
        return f"{quantity} at {price} are less than {rules.notional_min}"
    return None
