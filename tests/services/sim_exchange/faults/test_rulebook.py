"""The deciding core: which faults strike, when, how often, whom, and the same again with the same seed."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sim_exchange.faults.rulebook import FAULTS_MAX, Rulebook
from services.sim_exchange.faults.scope import FaultRefusedError, Occasion
from services.sim_exchange.faults.vocabulary import (
    Banned,
    DropReply,
    DropRequest,
    Fault,
    Halt,
    HttpStatus,
    ReportLost,
    StreamSilent,
    When,
    WrongPrice,
)

START_MS = 1_000_000
ORDER = Occasion(
    point="request", endpoint="POST /api/v3/order", called="order.place", account="alice", symbol="BTCUSDT"
)

numbers = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True)
probabilities = st.floats(0.01, 1)


def struck(fault: Fault, *, seed: int = 7, count: int = 40, occasion: Occasion = ORDER) -> list[int]:
    """Return which of so many occasions in a row a fault strikes, counted from one."""
    rulebook = Rulebook(seed=seed)
    rulebook.add(fault, START_MS)
    return [number for number in range(1, count + 1) if list(rulebook.firing(occasion, START_MS))]


@given(numbers)
def test_named_occurrences_are_struck_and_no_others(nth: list[int]) -> None:
    """`nth` strikes exactly the occurrences it names."""
    assert struck(DropRequest(when=When(nth=tuple(nth)))) == sorted(nth)


@given(st.integers(1, 10), st.integers(1, 5))
def test_every_nth_is_struck_as_often_as_allowed(every: int, most: int) -> None:
    """`every` strikes each multiple, and `most` ends it."""
    multiples = [number for number in range(1, 41) if number % every == 0]
    assert struck(DropRequest(when=When(every=every, most=most))) == multiples[:most]


@given(probabilities, st.integers(0, 2**32))
def test_chance_repeats_itself(probability: float, seed: int) -> None:
    """The same seed strikes the same occasions."""
    fault = DropRequest(when=When(probability=probability))
    assert struck(fault, seed=seed) == struck(fault, seed=seed)


def test_chance_is_as_likely_as_it_says() -> None:
    """A quarter of many occasions is struck where the probability is a quarter, and others by another seed."""
    fault = DropRequest(when=When(probability=0.25))
    first, second = (struck(fault, seed=seed, count=4_000) for seed in (1, 2))
    assert 900 < len(first) < 1_100
    assert first != second


@given(probabilities, st.lists(st.booleans(), min_size=1, max_size=40))
def test_faults_do_not_disturb_each_other(probability: float, within_scope: Sequence[bool]) -> None:
    """What a fault strikes depends neither on other faults nor on occasions that do not concern it."""
    fault = DropRequest(when=When(probability=probability, account="alice"))
    alone, crowded = Rulebook(seed=7), Rulebook(seed=7)
    alone.add(fault, START_MS, "mine")
    crowded.add(DropReply(when=When(probability=0.5)), START_MS, "other")
    crowded.add(fault, START_MS, "mine")
    tom = Occasion(point="request", endpoint=ORDER.endpoint, account="tom")
    for is_alice in within_scope:
        if is_alice:
            assert bool(list(alone.firing(ORDER, START_MS))) == bool(list(crowded.firing(ORDER, START_MS)))
        else:
            assert not list(crowded.firing(tom, START_MS))


@pytest.mark.parametrize(
    ("when", "is_hit"),
    [
        (When(), True),
        (When(account="alice"), True),
        (When(account="tom"), False),
        (When(symbol="BTCUSDT"), True),
        (When(symbol="ETHUSDT"), False),
        (When(endpoint="POST /api/v3/order"), True),
        (When(endpoint="order.place"), True),
        (When(endpoint="POST *"), True),
        (When(endpoint="GET *"), False),
        (When(endpoint="POST /api/v3/order/test"), False),
        (When(account="alice", symbol="ETHUSDT"), False),
        (When(since="+1ms"), False),
        (When(until="+1ms"), True),
    ],
)
def test_scope_of_requests(when: When, *, is_hit: bool) -> None:
    """A request is struck if everything that the scope names fits."""
    assert bool(struck(DropRequest(when=when), count=1)) == is_hit


@pytest.mark.parametrize(
    ("when", "is_hit"),
    [
        (When(), True),
        (When(stream="kline"), True),
        (When(stream="btcusdt@kline_1m"), True),
        (When(stream="*@kline_*"), True),
        (When(stream="trade"), False),
        (When(symbol="BTCUSDT"), True),
        (When(symbol="ETHUSDT"), False),
        (When(account="alice"), False),
    ],
)
def test_scope_of_streams(when: When, *, is_hit: bool) -> None:
    """An event is struck by the kind of its stream, its full name or its symbol."""
    event = Occasion(point="event", stream="btcusdt@kline_1m", symbol="BTCUSDT")
    assert bool(struck(StreamSilent(when=when), count=1, occasion=event)) == is_hit


def test_only_what_a_fault_is_about_is_counted() -> None:
    """A fault of reports counts no other event of the account."""
    rulebook = Rulebook(seed=7)
    rulebook.add(ReportLost(when=When(nth=(2,))), START_MS)
    report = Occasion(point="event", stream="executionReport", account="alice")
    position = Occasion(point="event", stream="outboundAccountPosition", account="alice")
    hits = [bool(list(rulebook.firing(event, START_MS))) for event in (report, position, position, report)]
    assert hits == [False, False, False, True]


def test_executed_or_not_decides_where_it_strikes() -> None:
    """A gateway's error strikes before the request is carried out, or after."""
    before, after = (HttpStatus(status=503, executed=executed) for executed in (False, True))
    reply = Occasion(point="reply", endpoint=ORDER.endpoint)
    assert (struck(before, count=1), struck(before, count=1, occasion=reply)) == ([1], [])
    assert (struck(after, count=1), struck(after, count=1, occasion=reply)) == ([], [1])


def test_faults_begin_and_end_by_the_clock() -> None:
    """A fault strikes from `since` on, and from `until` on no more."""
    rulebook = Rulebook(seed=7)
    rule = rulebook.add(DropRequest(when=When(since="+1s", until="+3s")), START_MS)
    hits = [bool(list(rulebook.firing(ORDER, START_MS + after_ms))) for after_ms in (0, 999, 1_000, 2_999, 3_000)]
    assert hits == [False, False, True, True, False]
    assert rulebook.turned(START_MS) == ([], [])
    assert rulebook.turned(START_MS + 2_000) == ([rule], [])
    assert rulebook.turned(START_MS + 3_000) == ([], [rule])
    assert rulebook.turned(START_MS + 4_000) == ([], [])


def test_who_is_not_asked_counts_nothing() -> None:
    """Whoever takes only the first fault that fires leaves the count of the next as it was."""
    rulebook = Rulebook(seed=7)
    first = rulebook.add(DropRequest(when=When(nth=(1,))), START_MS)
    second = rulebook.add(DropRequest(), START_MS)
    assert next(rulebook.firing(ORDER, START_MS)) is first
    assert second.seen == 0
    assert list(rulebook.firing(ORDER, START_MS)) == [second]


def test_faults_are_bounded() -> None:
    """There are only so many faults: those that ended make room, and beyond them another is refused."""
    rulebook = Rulebook(seed=7)
    rulebook.add(DropRequest(when=When(until="+1s")), START_MS, "short")
    for _ in range(FAULTS_MAX - 1):
        rulebook.add(DropRequest(), START_MS)
    with pytest.raises(FaultRefusedError, match="take one away first"):
        rulebook.add(DropRequest(), START_MS)
    rulebook.turned(START_MS + 2_000)
    rulebook.add(DropRequest(), START_MS + 2_000)
    assert "short" not in {rule.fault_id for rule in rulebook.rules()}


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        (Banned(), "when.until"),
        (DropRequest(when=When(stream="kline")), "when.stream"),
        (ReportLost(when=When(endpoint="GET *")), "when.endpoint"),
        (Halt(symbol="BTCUSDT", when=When(symbol="BTCUSDT")), "when.symbol"),
        (Halt(symbol="BTCUSDT", when=When(probability=0.5)), "when.probability"),
        (Halt(symbol="BTCUSDT", when=When(account="alice")), "when.account"),
        (DropRequest(when=When(since="+2s", until="+1s")), "when.until"),
    ],
)
def test_scope_that_could_never_fit_is_refused(fault: Fault, where: str) -> None:
    """A fault that would wait for ever, or for what it cannot tell apart, is refused where it stands."""
    with pytest.raises(FaultRefusedError) as refused:
        Rulebook(seed=7).add(fault, START_MS)
    assert refused.value.where == where


def test_prices_are_struck_where_there_are_two_sides() -> None:
    """Crossed prices need a bid and an ask; zero needs any price."""
    trade, book = (Occasion(point="event", stream=f"btcusdt@{kind}") for kind in ("trade", "bookTicker"))
    crossed, zero = WrongPrice(price="crossed"), WrongPrice(price="zero")
    assert [bool(struck(fault, count=1, occasion=event)) for fault in (crossed, zero) for event in (trade, book)] == [
        False,
        True,
        True,
        True,
    ]
