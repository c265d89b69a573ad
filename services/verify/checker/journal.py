"""A journal as the checker works on it: its records as words, and whatever is wrong with its bytes."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, cast

import msgpack

from services.verify.checker.decoding import UnreadableError, reader_of_word
from services.verify.checker.frames import (
    GAP,
    HEAD,
    MARK_NAME,
    SUFFIX,
    Frame,
    JournalBrokenError,
    Mark,
    durable_frames,
    gap_words,
    mark_of,
    state_of,
)
from services.verify.checker.verdict import Place, Violation
from services.verify.checker.words import WORDS, Word

ENVELOPE_FIELDS: Final = 11
MARK_READS_MAX: Final = 100  # it is overwritten in place, so one that is read half is read again
_SCHEMA: Final = 1
_READERS: Final = {tag: reader_of_word(word) for tag, word in WORDS.items()}

Body = TypeVar("Body", covariant=True)  # noqa: PLC0105 -- it is the body of a record, and no other name says more
Wanted = TypeVar("Wanted")


@dataclass(frozen=True, slots=True)
class Record(Generic[Body]):
    """One record: what was said, by whom, when by which clock. `group` is the commit it became durable with."""

    journal: str
    sequence: int
    group: int
    sender: str
    epoch: int
    wall_ns: int
    boot_id: str
    boot_ns: int
    id: str
    cause_id: str
    body: Body

    def place(self, client_id: str = "") -> Place:
        """Return where it stands."""
        return Place(self.journal, self.sequence, client_id)


class Journal:
    """The records of one role, in order. `unknown` counts what this checker has no word for.

    Behind record `of_account_from` the pages say of which account they are, which those of older versions do not.
    """

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.records: Final[list[Record[Word]]] = []
        self.gaps: Final[list[tuple[int, str]]] = []
        self.troubles: Final[list[Violation]] = []
        self.unknown: Final[Counter[str]] = Counter()
        self.of_account_from: int | None = None
        self._by_word: Final[defaultdict[type[Any], list[Record[Word]]]] = defaultdict(list)

    def add(self, record: Record[Word]) -> None:
        """Take the next record."""
        self.records.append(record)
        self._by_word[type(record.body)].append(record)

    def begin_page(self, sequence: int, state: bytes) -> None:
        """Begin a segment behind a record, with the state at its head."""
        if self.of_account_from is None and _names_account(state):
            self.of_account_from = sequence

    @property
    def last_wall_ns(self) -> int:
        """Return when the newest record was written, by its writer's clock; 0 where there is none."""
        return self.records[-1].wall_ns if self.records else 0

    def of(self, word: type[Wanted]) -> Sequence[Record[Wanted]]:
        """Return the records of one word, in order."""
        return cast("Sequence[Record[Wanted]]", self._by_word[word])

    def trouble(self, invariant: str, what: str, sequence: int | None = None) -> None:
        """Note what is wrong with the journal itself."""
        self.troubles.append(Violation(invariant, what, Place(self.name, sequence)))


def read_journal(name: str, directory: Path) -> Journal:
    """Read all that is durable in a directory, also beside a living writer. The mark is read first."""
    mark = _mark_in(directory)
    files = {path.name: path.read_bytes() for path in directory.glob(f"*{SUFFIX}") if path.name[:8].isdecimal()}
    return journal_of(name, files, mark)


def _mark_in(directory: Path) -> Mark | None:
    path = directory / MARK_NAME
    if not path.exists():
        return None
    return next(filter(None, (mark_of(path.read_bytes()) for _ in range(MARK_READS_MAX))), None)


def journal_of(name: str, files: Mapping[str, bytes], mark: Mark | None) -> Journal:
    """Read a journal from its segments' contents by name."""
    journal = Journal(name)
    if mark is None:
        journal.trouble("I26", "no readable mark says how far it is durable, so nothing of it was read")
        return journal
    group = 0
    try:
        for frame in durable_frames(files, mark):
            if frame.tag == HEAD:
                journal.begin_page(frame.sequence, state_of(frame.payload))
                continue
            group += frame.position == 0
            if frame.tag == GAP:
                after, reason = gap_words(frame.payload)
                journal.gaps.append((frame.sequence, f"nothing after record {after} is here: {reason}"))
            else:
                _take(journal, frame, group)
    except JournalBrokenError as error:
        journal.trouble("I26", str(error))
    return journal


def _names_account(state: bytes) -> bool:
    try:
        said = json.loads(state)
    except ValueError:
        return False  # of a role whose state has another form
    return isinstance(said, dict) and bool(said.get("account"))


def _take(journal: Journal, frame: Frame, group: int) -> None:
    try:
        record = _record_of(journal, frame, group)
    except UnreadableError as error:
        journal.trouble("I12", f"a record that cannot be read: {error}", frame.sequence)
    else:
        if record is not None:
            journal.add(record)


def _record_of(journal: Journal, frame: Frame, group: int) -> Record[Word] | None:
    schema, sender, epoch, sequence, own_id, cause_id, wall_ns, boot_id, boot_ns, _, body = _envelope(frame.payload)
    numbers = (epoch, sequence, wall_ns, boot_ns)
    if schema != _SCHEMA or not all(isinstance(number, int) and number >= 0 for number in numbers):
        raise UnreadableError("its envelope is not as the page on messages lays it out")
    if sequence != frame.sequence:
        journal.trouble("I26", f"its envelope says number {sequence}", frame.sequence)
    tag = body[0] if isinstance(body, list) and body else None
    reader = _READERS.get(str(tag))
    if reader is None:
        journal.unknown[str(tag)[:48]] += 1
        return None
    said = cast("Word", reader(body))
    ids = str(own_id), str(cause_id)
    return Record(journal.name, frame.sequence, group, sender, epoch, wall_ns, boot_id, boot_ns, *ids, said)


def _envelope(payload: bytes) -> list[Any]:
    try:
        array = msgpack.unpackb(payload, raw=False, strict_map_key=True)
    except ValueError as error:
        raise UnreadableError(f"no MessagePack: {error}") from error
    if not isinstance(array, list) or len(array) != ENVELOPE_FIELDS:
        raise UnreadableError("no envelope")
    if msgpack.packb(array, use_bin_type=True) != payload:
        raise UnreadableError("it is spelled in another way than the one there is")
    return array
