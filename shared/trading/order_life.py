"""The life of an order, as one table: state and event give the next state, and a pair that is not in it raises.

The executor asks it for every fact it learns about a child order, whether a reply, the stream or a question of its own
brought it. An order may be told of in any order and twice: fills before the acknowledgement, an echo after the end.
All that is in the table. What is not in it contradicts what is known, and nobody guesses which side is wrong.

How much of an order is filled is no part of its state: the executor counts that, by trades. It ends an order when the
trades it knows add up to what the venue says was executed; a trade that turns up after that is a late fill.
`docs/order-life.md` is written from this module.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

State = Literal[
    "marked",
    "doubted",
    "resting",
    "partly_filled",
    "cancel_marked",
    "filled",
    "canceled",
    "expired",
    "rejected",
    "absent",
]
# The last seven are the endings of `OrderEnded`, by their names, and what may still follow an ending.
Event = Literal[
    "acknowledged",
    "doubted",
    "partly_filled",
    "cancel_sent",
    "cancel_refused",
    "filled",
    "canceled",
    "expired",
    "rejected",
    "absent",
    "late_fill",
    "voided",
]

STATES: Final[Mapping[State, str]] = MappingProxyType(
    {
        "marked": "The send mark is durable. The order is about to be sent, or was, once: it may exist at the venue.",
        "doubted": "The answer to the sending proved nothing. The order reserves its quantity, blocks entries of its "
        "symbol, and the venue is asked until it is found or proved absent. It is not cancelled before: a cancellation "
        "could overtake it.",
        "resting": "The venue has the order, and nothing of it is filled as far as is known.",
        "partly_filled": "The venue has the order, and a part of it is filled.",
        "cancel_marked": "The mark to cancel is durable: a cancellation was sent, or is about to be, and the order may "
        "still fill. Only the venue's word ends this state; until then nothing replaces the order.",
        "filled": "All of it is filled.",
        "canceled": "It was cancelled, by us or by another hand; a part may be filled.",
        "expired": "The venue ended it: its time in force, an order beside it, a rule; a part may be filled.",
        "rejected": "The venue refused it, by an answer on the list of definite refusals. It never worked.",
        "absent": "It is proved that it never reached the venue and no longer can, or it was never sent.",
    }
)

EVENTS: Final[Mapping[Event, str]] = MappingProxyType(
    {
        "acknowledged": "The venue has the order: it said so in its reply or on the stream, or showed it when asked.",
        "doubted": "The reply to the sending, or its absence, proves nothing.",
        "partly_filled": "A trade, after which a part of the order is still open.",
        "cancel_sent": "A cancellation was marked and goes out: the first one, or another because nothing came of it.",
        "cancel_refused": "The venue refused a cancellation. That says nothing about the order: it may have ended, or "
        "the venue may be busy. It is asked, and the cancellation repeated.",
        "filled": "A trade, after which nothing of the order is open.",
        "canceled": "The venue says that the order was cancelled.",
        "expired": "The venue says that it ended the order itself.",
        "rejected": "The venue definitely refused the order.",
        "absent": "It is proved that the order is not at the venue and cannot arrive there any more.",
        "late_fill": "A trade of an order that was cancelled or expired, or said to be filled before its trades: the "
        "ending stands, what was executed grows.",
        "voided": "The venue shows what was held to be refused or absent: the ending was wrong, and it is worked on.",
    }
)

TERMINAL: Final = frozenset[State]({"filled", "canceled", "expired", "rejected", "absent"})

TABLE: Final[Mapping[State, Mapping[Event, State]]] = MappingProxyType(
    {
        "marked": {
            "acknowledged": "resting",
            "doubted": "doubted",
            "partly_filled": "partly_filled",
            "filled": "filled",
            "canceled": "canceled",
            "expired": "expired",
            "rejected": "rejected",
            "absent": "absent",
        },
        "doubted": {
            "acknowledged": "resting",
            "doubted": "doubted",
            "partly_filled": "partly_filled",
            "filled": "filled",
            "canceled": "canceled",
            "expired": "expired",
            "rejected": "rejected",
            "absent": "absent",
        },
        "resting": {
            "acknowledged": "resting",
            "doubted": "resting",
            "partly_filled": "partly_filled",
            "cancel_sent": "cancel_marked",
            "filled": "filled",
            "canceled": "canceled",
            "expired": "expired",
        },
        "partly_filled": {
            "acknowledged": "partly_filled",
            "doubted": "partly_filled",
            "partly_filled": "partly_filled",
            "cancel_sent": "cancel_marked",
            "filled": "filled",
            "canceled": "canceled",
            "expired": "expired",
        },
        "cancel_marked": {
            "acknowledged": "cancel_marked",
            "doubted": "cancel_marked",
            "partly_filled": "cancel_marked",
            "cancel_sent": "cancel_marked",
            "cancel_refused": "cancel_marked",
            "filled": "filled",
            "canceled": "canceled",
            "expired": "expired",
        },
        # Endings stay, whatever echoes arrive of the way there.
        "filled": {
            "acknowledged": "filled",
            "doubted": "filled",
            "cancel_refused": "filled",
            "filled": "filled",
            "late_fill": "filled",
        },
        "canceled": {
            "acknowledged": "canceled",
            "doubted": "canceled",
            "cancel_refused": "canceled",
            "canceled": "canceled",
            "late_fill": "canceled",
        },
        "expired": {
            "acknowledged": "expired",
            "doubted": "expired",
            "cancel_refused": "expired",
            "expired": "expired",
            "late_fill": "expired",
        },
        "rejected": {
            "doubted": "rejected",
            "rejected": "rejected",
            "voided": "resting",
        },
        "absent": {
            "doubted": "absent",
            "absent": "absent",
            "voided": "resting",
        },
    }
)


class OrderContradictionError(Exception):
    """What is said of an order cannot be, after what is known of it: ask the venue again, and let entries wait."""


def after(state: State, event: Event) -> State:
    """Return the state that follows."""
    following = TABLE[state].get(event)
    if following is None:
        raise OrderContradictionError(f"an order that is {state} cannot be {event}: ask the venue again.")
    return following


def event_of_fill(state: State, *, executed: Decimal, ordered: Decimal) -> Event:
    """Return which event a trade is that brings what was executed of an order in this state to so much."""
    if executed > ordered:
        raise OrderContradictionError(f"{executed:f} were executed of an order for {ordered:f}: quarantine the trade.")
    if state in {"canceled", "expired"} or (state == "filled" and executed < ordered):
        return "late_fill"
    return "filled" if executed == ordered else "partly_filled"
