"""What the mesh promised, held against what its processes testified and what the server's journal says. Pure.

Everything wrong is a sentence in the list that is returned; an empty list is an acquittal.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.testimony import (
    AskedFor,
    Broke,
    GotAnswer,
    GotNothing,
    GotRefusal,
    Left,
    Line,
    Saw,
    Stood,
    Synced,
    Took,
    WasTold,
    WasToldOfLoss,
)

REFUSALS_ALLOWED: Final = frozenset({"request_in_time"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the server's journal: what was decided on which request."""

    sequence: int
    request_id: str
    quantity: str


@dataclass(frozen=True, slots=True)
class History:
    """All there is to judge: the lines of each process, and the journal."""

    lines: Mapping[str, Sequence[Line]]
    journal: Sequence[Entry]


def judged(history: History) -> list[str]:
    """Return what is wrong."""
    wrong = [f"{instance}: {words}" for instance, lines in history.lines.items() for words in _seats(lines)]
    wrong += [f"metrics: {words}" for words in _market(history.lines["metrics"])]
    wrong += [f"strategy: {words}" for words in _requests(history.lines["strategy"], history.journal)]
    wrong += [f"journal: {words}" for words in _journal(history.lines["strategy"], history.journal)]
    wrong += [f"recorder: {words}" for words in _numbered(history.lines["recorder"], history.journal)]
    return wrong


def _seats(lines: Sequence[Line]) -> Iterator[str]:
    """One holder at a time, each with a higher epoch, and the last word of each run is its own."""
    epoch, left = 0, True
    if not lines:
        yield "it never had its seat"
    for line in lines:
        if isinstance(line.said, Took):
            if not line.said.sole:
                yield f"two holders of the seat at epoch {line.epoch}"
            if line.epoch <= epoch:
                yield f"epoch {line.epoch} came after epoch {epoch}"
            epoch, left = line.epoch, False
        elif line.epoch != epoch:
            yield f"epoch {line.epoch} spoke while epoch {epoch} had the seat"
        elif left:
            yield f"epoch {line.epoch} spoke after it had left"
        elif isinstance(line.said, Left):
            left = True
    if not left:
        yield f"epoch {epoch}, the last one, did not end in order"


@dataclass(slots=True)
class _Topic:
    """What a reader was told of one topic: flowing or not, and how far it has come."""

    flowing: bool = False
    slept: bool = False
    at: tuple[int, int] = (0, 0)
    from_the_beginning: bool = False


@dataclass(slots=True)
class _Run:
    """What one process of the subscriber knows."""

    topics: dict[str, _Topic] = field(default_factory=dict)

    def topic(self, name: str) -> _Topic:
        return self.topics.setdefault(name, _Topic())


def _market(lines: Sequence[Line]) -> Iterator[str]:
    """Each message once, in order, and none across a hole that the reader was not told of; every hole was closed."""
    run, newest, seen = _Run(), dict[str, tuple[int, int]](), 0
    for line in lines:
        match line.said:
            case Took():
                run = _Run()
            case Stood():
                for state in run.topics.values():
                    state.slept = state.flowing
            case Broke(topic=topic):
                run.topic(topic).flowing = run.topic(topic).slept = False
            case Synced():
                yield from _synced(run.topic(line.said.topic), line.said)
            case Saw(topic=topic):
                seen += 1
                yield from _saw(run.topic(topic), line.said)
                at = (line.said.epoch, line.said.sequence)
                if at <= newest.get(topic, (0, 0)):
                    yield f"{topic} {at} was seen after {newest[topic]}"
                newest[topic] = at
            case _:
                pass
    yield from (f"{topic} was never resynced" for topic, state in run.topics.items() if not state.flowing)
    if not seen:
        yield "it saw nothing"


def _synced(state: _Topic, said: Synced) -> Iterator[str]:
    if state.flowing:
        yield f"{said.topic} was synced without having been broken"
    state.flowing, state.slept = True, False
    state.at, state.from_the_beginning = (said.epoch, said.sequence), not said.sequence


def _saw(state: _Topic, said: Saw) -> Iterator[str]:
    where = f"{said.topic} {said.epoch}-{said.sequence}"
    if not state.flowing:
        yield f"{where} was seen while the topic was broken"
    if state.slept:
        yield f"{where} was seen after standing still, and before a resync"
    epoch = said.epoch if state.from_the_beginning else state.at[0]
    if (said.epoch, said.sequence) != (epoch, state.at[1] + 1):
        yield f"{where} was seen after {state.at[0]}-{state.at[1]}, across a hole nobody told of"
    if said.text != f"{said.epoch}-{said.sequence}":
        yield f"{where} says {said.text}"
    state.at, state.from_the_beginning = (said.epoch, said.sequence), False


def _requests(lines: Sequence[Line], journal: Sequence[Entry]) -> Iterator[str]:
    """Every request has its answer, one and the same whenever it is asked; each asking has one outcome."""
    decided = {entry.request_id: entry.quantity for entry in journal}
    waiting, asked, answers = set[str](), set[str](), dict[str, str]()
    for line in lines:
        match line.said:
            case Took():
                waiting = set()
            case AskedFor(ask_id=ask_id):
                if ask_id in waiting:
                    yield f"{ask_id} was asked while it was being asked"
                waiting.add(ask_id)
                asked.add(ask_id)
            case GotAnswer(ask_id=ask_id) | GotNothing(ask_id=ask_id) | GotRefusal(ask_id=ask_id):
                if ask_id not in waiting:
                    yield f"{ask_id} had an outcome nobody waited for"
                waiting.discard(ask_id)
                yield from _outcome(line.said, answers, decided)
            case _:
                pass
    yield from (f"{ask_id} was never answered" for ask_id in sorted(asked - answers.keys()))
    if not asked:
        yield "it asked nothing"


def _outcome(
    said: GotAnswer | GotNothing | GotRefusal, answers: dict[str, str], decided: Mapping[str, str]
) -> Iterator[str]:
    if isinstance(said, GotRefusal) and said.rule not in REFUSALS_ALLOWED:
        yield f"{said.ask_id} was refused by {said.rule}"
    if isinstance(said, GotAnswer):
        if answers.setdefault(said.ask_id, said.quantity) != said.quantity:
            yield f"{said.ask_id} was answered {answers[said.ask_id]}, and then {said.quantity}"
        if decided.get(said.ask_id) != said.quantity:
            yield f"{said.ask_id} was answered {said.quantity}, and decided as {decided.get(said.ask_id)}"


def _journal(lines: Sequence[Line], journal: Sequence[Entry]) -> Iterator[str]:
    """See that no number is missing, and that every request was decided once, knowing all that was decided before."""
    asked = {line.said.ask_id for line in lines if isinstance(line.said, AskedFor)}
    for number, entry in enumerate(journal, start=1):
        if entry.sequence != number:
            yield f"record {entry.sequence} stands where {number} should"
        if entry.quantity != str(number):
            yield f"record {entry.sequence} was decided as {entry.quantity}, without what was decided before"
        if entry.request_id not in asked:
            yield f"record {entry.sequence} is on {entry.request_id}, which nobody asked"
    counts = Counter(entry.request_id for entry in journal)
    yield from (f"{request_id} was decided {count} times" for request_id, count in counts.items() if count > 1)


def _numbered(lines: Sequence[Line], journal: Sequence[Entry]) -> Iterator[str]:
    """See that the follower was told every record once and in order, whatever died meanwhile."""
    expected = 1
    for line in lines:
        if isinstance(line.said, WasToldOfLoss):
            yield f"it was told that what stood before {line.said.next_sequence} is lost"
        if isinstance(line.said, WasTold):
            said = line.said
            if said.sequence != expected:
                yield f"it was told {said.sequence} where {expected} was due"
            expected = said.sequence + 1
            if not 1 <= said.sequence <= len(journal):
                yield f"it was told {said.sequence}, which is not in the journal"
            elif Entry(said.sequence, said.request_id, said.quantity) != journal[said.sequence - 1]:
                yield f"it was told {said.sequence} otherwise than it stands in the journal"
    if expected != len(journal) + 1:
        yield f"it was told up to {expected - 1} of {len(journal)}"
