"""Whether every order lived by the table of docs/order-life.md, which is written out here a second time, by hand."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from services.verify.checker.evidence import Evidence
from services.verify.checker.journal import Record
from services.verify.checker.orders import NEVER_WORKED, Order
from services.verify.checker.verdict import Judge
from services.verify.checker.words import (
    CancelMarked,
    OfOrder,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
)

_FIRST_WORDS: Final = {
    "acknowledged": "resting",
    "doubted": "doubted",
    "partly_filled": "partly_filled",
    "filled": "filled",
    "canceled": "canceled",
    "expired": "expired",
    "rejected": "rejected",
    "absent": "absent",
}
_AT_THE_VENUE: Final = {"partly_filled": "partly_filled", "cancel_sent": "cancel_marked"}
_ENDS: Final = {"filled": "filled", "canceled": "canceled", "expired": "expired"}

TABLE: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "marked": _FIRST_WORDS,
        "doubted": _FIRST_WORDS,
        "resting": {"acknowledged": "resting", "doubted": "resting", **_AT_THE_VENUE, **_ENDS},
        "partly_filled": {"acknowledged": "partly_filled", "doubted": "partly_filled", **_AT_THE_VENUE, **_ENDS},
        "cancel_marked": {
            **dict.fromkeys(
                ("acknowledged", "doubted", "partly_filled", "cancel_sent", "cancel_refused"), "cancel_marked"
            ),
            **_ENDS,
        },
        "filled": dict.fromkeys(("acknowledged", "doubted", "cancel_refused", "filled", "late_fill"), "filled"),
        "canceled": dict.fromkeys(("acknowledged", "doubted", "cancel_refused", "canceled", "late_fill"), "canceled"),
        "expired": dict.fromkeys(("acknowledged", "doubted", "cancel_refused", "expired", "late_fill"), "expired"),
        "rejected": {"doubted": "rejected", "rejected": "rejected", "voided": "resting"},
        "absent": {"doubted": "absent", "absent": "absent", "voided": "resting"},
    }
)


def judge_order_table(evidence: Evidence, judge: Judge) -> None:
    """Walk every order through the table."""
    if evidence.executor is None:
        return
    for order in evidence.orders.all():
        _walk(order, judge)
    if evidence.executor.gaps:  # marks may be among what was lost: the orders are found again by their names
        judge.skip("records of the executor are lost: of orders marked in the gap only what came after is judged (I9)")
        return
    for told in evidence.orders.never_marked:
        client_id = told.body.order.client_order_id
        judge.hold("I9", "something is said of an order that was not marked before", told.place(client_id), holds=False)


def _walk(order: Order, judge: Judge) -> None:
    state = "marked"
    for told in order.told:
        place = told.place(order.client_id)
        same = told.body.order == order.mark.body.order
        judge.hold("I9", "it is described in other words than when it was marked", place, holds=same)
        event = _event(told, order, state)
        following = TABLE[state].get(event)
        if not judge.hold("I9", f"it was {state} and cannot be {event}", place, holds=following is not None):
            return
        assert following is not None, "it was held to be there"
        state = following


def _event(told: Record[OfOrder], order: Order, state: str) -> str:
    match told.body:
        case OrderAcknowledged():
            return "voided" if state in NEVER_WORKED else "acknowledged"
        case OrderDoubted():
            return "doubted"
        case CancelMarked():
            return "cancel_sent"
        case OrderFilled() as fill:
            is_all = fill.cumulative_quantity == order.mark.body.quantity
            if state in {"canceled", "expired"} or (state == "filled" and not is_all):
                return "late_fill"
            return "filled" if is_all else "partly_filled"
        case OrderEnded() as ended:
            return ended.ending
        case _:
            return "marked again"
