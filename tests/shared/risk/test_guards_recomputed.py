"""The guards trip, and a day's entries end, exactly as somebody says who goes through it with pencil and paper."""

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.account import Counted
from shared.risk.guards import DayLost, GuardState, Trip, due, folded
from tests.proto.examples import DIGEST
from tests.shared.risk.readings import LIMITS, Tape
from tests.shared.risk.recomputed import ENTRIES, expected

OTHER = "0" * 64
EQUITIES = st.sampled_from([1000, 1000, 970, 950, 850, 800, 400, 1500, 0])
BOOKS = st.sampled_from(["same", "same", "near", "other", "none"])
AFTER = st.sampled_from([2, 2, 2, 0.4, 16, -5])
READ = st.tuples(st.just("read"), EQUITIES, BOOKS, AFTER, st.sampled_from([1, 2, 2, 16]))
MONEY = st.tuples(st.just("money"), st.sampled_from([0, 100, 300, -200]))
OTHERS = st.tuples(st.just("others"), st.sampled_from([(), ("ETH",), ("ETH", "SOL"), ("SOL",)]))
FLOW = st.tuples(st.just("flow"), st.sampled_from([-1000, -400, -9, 0, 9, 300, 600, 5000]))
DAY = st.just(("day",))
REST = st.sampled_from([("clear",), ("again",), ("life",), ("account",)])
ACT = st.one_of(READ, READ, READ, FLOW, MONEY, OTHERS, DAY, REST)
ACTS = st.lists(ACT, min_size=2, max_size=10)


def acted(tape: Tape, act: tuple[object, ...]) -> None:
    """Write what an act stands for."""
    match act:
        case ("read", int(equity), str(books), float(after) | int(after), int(times)):
            said = {"same": equity, "near": equity * Decimal("0.995"), "other": equity + 100, "none": None}[books]
            for _ in range(times):
                tape.reads(equity, books=None if said is None else str(said), after=after)
                held(tape)
        case ("flow", int(worth)):
            tape.flows_in(worth, quantity=worth or 300)
        case ("money", int(amount)):
            tape.money = Decimal(max(amount, 0))
            tape.coins = Decimal("0.5") if amount < 0 else Decimal(1)
        case ("others", tuple(assets)):
            tape.others = tuple(Counted(str(asset), Decimal(2), Decimal(30)) for asset in assets)
        case ("account",):
            tape.account = OTHER if tape.account == DIGEST else DIGEST
        case ("day",):
            tape.day_begins()
        case ("clear",):
            tape.clears()
        case ("again",):
            tape.writes(tape.a_reading(500, 500))
        case _:
            tape.epoch, tape.number = tape.epoch + 1, 0
    held(tape)


def held(tape: Tape) -> None:
    """Hold what is due against the recomputation, and write it down."""
    due_now = tape.due()
    tripped = {one.guard for one in due_now if isinstance(one, Trip)}
    ended = {ENTRIES for one in due_now if isinstance(one, DayLost)}
    assert tripped | ended == expected([record.body for record in tape.records])
    assert set(tape.trips()) == tripped


@settings(max_examples=600)
@given(ACTS)
def test_guards_trip_exactly_when_the_journal_says_so(acts: list[tuple[object, ...]]) -> None:
    """At every record: what is due is what the records lead to, no more and no less."""
    tape = Tape()
    tape.reads(1000, 1000)
    for act in acts:
        acted(tape, act)


@given(ACTS, st.data())
def test_state_after_a_crash_is_the_state_without_one(acts: list[tuple[object, ...]], data: st.DataObject) -> None:
    """Whatever was in the segment's head, and whatever has to be read behind it."""
    tape = Tape()
    tape.reads(1000, 1000)
    for act in acts:
        acted(tape, act)
    place = data.draw(st.integers(0, len(tape.records)))
    state = GuardState()
    for record in tape.records[:place]:
        state = folded(state, record)
    state = msgspec.json.decode(msgspec.json.encode(state), type=GuardState)
    for record in tape.records[place:]:
        state = folded(state, record)
    assert state == tape.state
    assert due(state, LIMITS) == tape.due()
