"""Whether no coin of an entry could cost more than was approved, nor did.

Entries are sent at a limit. Versions before that sent them at the market, and nothing held those to a price.
"""

from services.verify.checker.evidence import Evidence
from services.verify.checker.orders import Order
from services.verify.checker.risk_words import Approval
from services.verify.checker.verdict import Judge


def judge_entry_prices(evidence: Evidence, judge: Judge) -> None:
    """Judge the price of every order sent for an entry that was opened, and of each of its trades."""
    entries = [order for order in evidence.orders.all() if order.mark.body.order.purpose == "entry"]
    older = [order for order in entries if order.mark.sequence < evidence.of_this_version_from]
    if older:
        judge.skip(
            f"{len(older)} entries up to record {older[-1].mark.sequence} are from before entries had a limit: "
            "at which price they might be filled, and were, is not judged (I1)"
        )
    for order in entries[len(older) :]:
        for opened in evidence.orders.opened[order.parent_id][:1]:
            _judge_price(order, opened.body.approval, judge)


def _judge_price(order: Order, approval: Approval, judge: Judge) -> None:
    mark, place = order.mark.body, order.mark.place(order.client_id)
    price = mark.limit_price
    in_band = price is not None and approval.price_low <= price <= approval.price_high
    what = f"its price {price} is not within {approval.price_low} and {approval.price_high}"
    judge.hold("I1", what, place, holds=in_band)
    for fill in order.fills:
        paid = fill.body.price
        no_worse = paid <= approval.price_high if mark.order.side == "buy" else paid >= approval.price_low
        what = f"it was filled at {paid}, between {approval.price_low} and {approval.price_high} is approved"
        judge.hold("I1", what, fill.place(order.client_id), holds=no_worse)
