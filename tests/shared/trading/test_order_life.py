"""The life of an order is a table: whatever the order of the news, it ends where it must, and contradictions raise."""

from decimal import Decimal
from itertools import product
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.orders import OrderEnded
from shared.trading.order_life import (
    EVENTS,
    STATES,
    TABLE,
    TERMINAL,
    Event,
    OrderContradictionError,
    State,
    after,
    event_of_fill,
)
from tests.shared.trading.order_life_page import PAGE, with_written_part

ALL_STATES: Final[tuple[State, ...]] = get_args(State)
ALL_EVENTS: Final[tuple[Event, ...]] = get_args(Event)


def lived(*events: Event) -> State:
    """Return the state after some events in the life of an order."""
    state: State = "marked"
    for event in events:
        state = after(state, event)
    return state


def reachable(state: State) -> set[State]:
    """Return the states that an order in this one may still come to."""
    found, open_ends = set[State](), [state]
    while open_ends:
        following = set(TABLE[open_ends.pop()].values()) - found
        found |= following
        open_ends += following
    return found


@pytest.mark.parametrize(("state", "event"), list(product(ALL_STATES, ALL_EVENTS)))
def test_every_pair_leads_somewhere_or_raises(state: State, event: Event) -> None:
    """There is no third answer, and none that is guessed."""
    if event in TABLE[state]:
        assert after(state, event) == TABLE[state][event]
    else:
        with pytest.raises(OrderContradictionError, match=f"{state} cannot be {event}"):
            after(state, event)


def test_every_state_and_event_is_in_the_table_and_explained() -> None:
    """Nothing is named that cannot happen."""
    assert set(TABLE) == set(STATES) == set(ALL_STATES) == {"marked"} | reachable("marked")
    assert {event for row in TABLE.values() for event in row} == set(EVENTS) == set(ALL_EVENTS)


def test_an_ending_of_the_messages_is_an_event_and_a_state() -> None:
    """`OrderEnded` names endings by the words of the table."""
    endings = set(get_args(OrderEnded.__annotations__["ending"]))
    assert endings == TERMINAL
    assert endings <= set(ALL_EVENTS)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_an_ending_stays(state: State) -> None:
    """Whatever follows leaves it as it is, but for the voiding of an order that never worked."""
    leaving = {event for event, following in TABLE[state].items() if following != state}
    assert leaving == ({"voided"} if state in {"rejected", "absent"} else set())


@pytest.mark.parametrize("state", [state for state in ALL_STATES if state not in TERMINAL])
def test_every_order_can_end(state: State) -> None:
    """From everywhere it can be filled, cancelled and expired; only what the venue never showed can be absent."""
    ends = reachable(state) & TERMINAL
    assert {"filled", "canceled", "expired"} <= ends
    assert (ends == TERMINAL) == (state in {"marked", "doubted"})


def test_a_refused_cancellation_settles_nothing() -> None:
    """The order may have been filled before, or still be open: only the venue's word on the order itself counts."""
    assert lived("acknowledged", "cancel_sent", "cancel_refused") == "cancel_marked"
    assert lived("acknowledged", "cancel_sent", "cancel_refused", "filled") == "filled"
    assert lived("acknowledged", "cancel_sent", "cancel_refused", "cancel_sent", "canceled") == "canceled"
    assert lived("acknowledged", "cancel_sent", "filled", "cancel_refused") == "filled"


def test_a_fill_may_come_before_the_acknowledgement() -> None:
    """The stream is faster than the reply, or the reply is lost."""
    assert lived("partly_filled", "acknowledged", "filled") == "filled"
    assert lived("doubted", "partly_filled", "acknowledged") == "partly_filled"
    assert lived("filled", "acknowledged", "doubted") == "filled"


def test_a_fill_after_the_end_is_late() -> None:
    """The ending stands, what was executed grows."""
    ended = lived("acknowledged", "cancel_sent", "partly_filled", "canceled")
    late = event_of_fill(ended, executed=Decimal(2), ordered=Decimal(2))
    assert late == "late_fill"
    assert after(ended, late) == "canceled"


def test_what_was_held_for_absent_can_be_voided_only() -> None:
    """A trade of it is a contradiction until the venue has shown the order; from there on it lives as any other."""
    assert lived("doubted", "absent", "voided", "partly_filled", "cancel_sent", "canceled") == "canceled"
    trade = event_of_fill("absent", executed=Decimal(1), ordered=Decimal(2))
    with pytest.raises(OrderContradictionError):
        after("absent", trade)


def test_an_overfill_is_a_contradiction() -> None:
    """More than was ordered is not filled, whatever the venue says."""
    with pytest.raises(OrderContradictionError, match="quarantine"):
        event_of_fill("resting", executed=Decimal("1.001"), ordered=Decimal(1))


NEWS: Final = st.permutations(["reply", "stream", "fill", "fill", "fill", "timeout"])


@given(NEWS, st.integers(0, 6))
def test_the_order_of_the_news_does_not_matter(news: list[str], cancelled_at: int) -> None:
    """The same facts, told in any order and with a cancellation in between that comes too late, end in `filled`."""
    state, executed = lived(), Decimal(0)
    facts: dict[str, Event] = {"reply": "acknowledged", "stream": "acknowledged", "timeout": "doubted"}
    for number, fact in enumerate(news):
        if number >= cancelled_at and "cancel_sent" in TABLE[state]:
            state = after(state, "cancel_sent")
        if fact == "fill":
            executed += 1
            state = after(state, event_of_fill(state, executed=executed, ordered=Decimal(3)))
        else:
            state = after(state, facts[fact])
    assert state == "filled"


def test_the_page_says_what_the_table_does() -> None:
    """`docs/order-life.md` is in step; `python -m tests.shared.trading.order_life_page` brings it there."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_written_part(page)
