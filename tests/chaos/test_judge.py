"""The judge of the chaos tests: it acquits an honest history, and objects to each way of breaking a promise."""

from collections.abc import Callable, Sequence
from typing import Final, get_args

import pytest

from tests.chaos.judge import Entry, History, judged
from tests.chaos.testimony import (
    AskedFor,
    Broke,
    GotAnswer,
    GotNothing,
    GotRefusal,
    Left,
    Line,
    Said,
    Saw,
    Stood,
    Synced,
    Took,
    WasTold,
    WasToldOfLoss,
    line_of,
    lines_in,
)

TOPIC: Final = "binance/BTC/USDT/trade_seen"
Lines = dict[str, list[Line]]
Journal = list[Entry]
Tamper = Callable[[Lines, Journal], object]


def run(epoch: int, *said: Said) -> list[Line]:
    """Return the lines of one run of a process; it ends in order when the last word says so."""
    return [Line(epoch, one) for one in (Took(100 + epoch, sole=True), *said)]


def saw(epoch: int, sequence: int) -> Saw:
    """Return an honest word about a message."""
    return Saw(TOPIC, epoch, sequence, f"{epoch}-{sequence}", 0)


def honest() -> tuple[Lines, Journal]:
    """Return a history in which every process died once and every promise was kept."""
    market = [
        *run(1, Synced(TOPIC, 1, 4), saw(1, 5), saw(1, 6), Stood(2), Broke(TOPIC, "slept"), Synced(TOPIC, 1, 9)),
        *run(2, Synced(TOPIC, 1, 12), saw(1, 13), Broke(TOPIC, "new epoch"), Synced(TOPIC, 0, 0), saw(2, 1), Left()),
    ]
    requests = [
        *run(1, AskedFor("a"), AskedFor("b"), GotAnswer("a", "1"), GotNothing("b"), AskedFor("b")),
        *run(2, AskedFor("b"), GotRefusal("b", "request_in_time"), AskedFor("b"), GotAnswer("b", "2"), Left()),
    ]
    told = [*run(1, WasTold(1, "a", "1")), *run(2, WasTold(2, "b", "2"), Left())]
    silent = [*run(1), *run(2, Left())]
    lines = {"metrics": market, "strategy": requests, "recorder": told, "executor": silent, "feed": list(silent)}
    return lines, [Entry(1, "a", "1"), Entry(2, "b", "2")]


def replaced(lines: list[Line], index: int, said: Said) -> None:
    """Put another word in the place of one."""
    lines[index] = Line(lines[index].epoch, said)


TAMPERED: Final[Sequence[tuple[str, Tamper]]] = (
    ("feed: it never had its seat", lambda lines, _: lines["feed"].clear()),
    ("feed: two holders of the seat at epoch 2", lambda lines, _: replaced(lines["feed"], 1, Took(7, sole=False))),
    ("feed: epoch 1 came after epoch 1", lambda lines, _: lines["feed"].insert(1, lines["feed"][0])),
    ("feed: epoch 1 spoke while epoch 2 had the seat", lambda lines, _: lines["feed"].insert(2, Line(1, Stood(1)))),
    ("feed: epoch 2 spoke after it had left", lambda lines, _: lines["feed"].append(Line(2, Stood(1)))),
    ("feed: epoch 2, the last one, did not end in order", lambda lines, _: lines["feed"].pop()),
    (
        f"metrics: {TOPIC} 1-6 was seen after 1-4, across a hole nobody told of",
        lambda lines, _: lines["metrics"].pop(2),
    ),
    (
        f"metrics: {TOPIC} 1-5 was seen after 1-5, across a hole nobody told of",
        lambda lines, _: lines["metrics"].insert(2, lines["metrics"][2]),
    ),
    (f"metrics: {TOPIC} 1-13 was seen while the topic was broken", lambda lines, _: lines["metrics"].pop(8)),
    (
        f"metrics: {TOPIC} 2-2 was seen after 1-13, across a hole nobody told of",
        lambda lines, _: lines["metrics"].insert(10, Line(2, saw(2, 2))),
    ),
    (
        f"metrics: {TOPIC} 1-7 was seen after standing still, and before a resync",
        lambda lines, _: lines["metrics"].insert(5, Line(1, saw(1, 7))),
    ),
    (f"metrics: {TOPIC} was synced without having been broken", lambda lines, _: lines["metrics"].pop(5)),
    (
        f"metrics: {TOPIC} was never resynced",
        lambda lines, _: lines["metrics"].insert(-1, Line(2, Broke(TOPIC, "gap"))),
    ),
    (f"metrics: {TOPIC} (1, 5) was seen after (1, 6)", lambda lines, _: replaced(lines["metrics"], 9, saw(1, 5))),
    (f"metrics: {TOPIC} 1-5 says 2-5", lambda lines, _: replaced(lines["metrics"], 2, Saw(TOPIC, 1, 5, "2-5", 0))),
    ("metrics: it saw nothing", lambda lines, _: lines.update(metrics=[*run(1, Left())])),
    ("strategy: b was never answered", lambda lines, _: lines["strategy"].pop(-2)),
    (
        "strategy: a was answered 1, and then 2",
        lambda lines, _: again(lines, "a", "2"),
    ),
    (
        "strategy: b was answered 3, and decided as 2",
        lambda lines, _: replaced(lines["strategy"], -2, GotAnswer("b", "3")),
    ),
    (
        "strategy: b was asked while it was being asked",
        lambda lines, _: lines["strategy"].insert(3, Line(1, AskedFor("b"))),
    ),
    (
        "strategy: a had an outcome nobody waited for",
        lambda lines, _: lines["strategy"].insert(5, Line(1, GotNothing("a"))),
    ),
    (
        "strategy: b was refused by sender_may_ask",
        lambda lines, _: replaced(lines["strategy"], -4, GotRefusal("b", "sender_may_ask")),
    ),
    ("strategy: it asked nothing", lambda lines, _: lines.update(strategy=[*run(1, Left())])),
    ("journal: b was decided 2 times", lambda _, journal: journal.append(Entry(3, "b", "3"))),
    ("journal: record 2 stands where 1 should", lambda _, journal: journal.pop(0)),
    (
        "journal: record 2 was decided as 1, without what was decided before",
        lambda _, journal: journal.__setitem__(1, Entry(2, "b", "1")),
    ),
    ("journal: record 3 is on c, which nobody asked", lambda _, journal: journal.append(Entry(3, "c", "3"))),
    ("recorder: it was told 2 where 1 was due", lambda lines, _: lines["recorder"].pop(1)),
    ("recorder: it was told 1 where 2 was due", lambda lines, _: lines["recorder"].insert(2, lines["recorder"][1])),
    ("recorder: it was told up to 1 of 2", lambda lines, _: lines["recorder"].pop(3)),
    ("recorder: it was told 3, which is not in the journal", lambda lines, _: tell(lines, WasTold(3, "c", "3"))),
    (
        "recorder: it was told 2 otherwise than it stands in the journal",
        lambda lines, _: replaced(lines["recorder"], 3, WasTold(2, "a", "2")),
    ),
    ("recorder: it was told that what stood before 3 is lost", lambda lines, _: tell(lines, WasToldOfLoss(3))),
)


def again(lines: Lines, ask_id: str, quantity: str) -> None:
    """Have a request asked again after all, and answered so."""
    lines["strategy"][-1:-1] = [Line(2, AskedFor(ask_id)), Line(2, GotAnswer(ask_id, quantity))]


def tell(lines: Lines, said: Said) -> None:
    """Have the follower say something before it ends."""
    lines["recorder"].insert(-1, Line(2, said))


def test_honest_history_is_acquitted() -> None:
    """Processes that died, streams that were resynced and requests asked again break no promise."""
    assert judged(History(*honest())) == []


@pytest.mark.parametrize(("objection", "tamper"), TAMPERED, ids=[row[0] for row in TAMPERED])
def test_broken_promise_is_seen(objection: str, tamper: Tamper) -> None:
    """Each way of breaking a promise is objected to, in the words for it."""
    lines, journal = honest()
    tamper(lines, journal)
    assert objection in judged(History(lines, journal))


def test_lines_survive_their_file() -> None:
    """Every kind of testimony reads as it was written."""
    lines, _ = honest()
    tell(lines, WasToldOfLoss(3))
    said = [line for of_one in lines.values() for line in of_one]
    assert lines_in(b"".join(map(line_of, said))) == said
    assert {type(line.said) for line in said} == set(get_args(Said))
