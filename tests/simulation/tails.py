"""Numbered events as shared/mesh/bus/numbered.py has them: told as hints, and what is missing read from the journal."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from proto.envelope import Envelope
from proto.streams import TAIL_RECORDS_MAX
from shared.core.service import Happening, Told, ToldOfLoss
from shared.mesh.bus.numbered import TAIL_BYTES_MAX, Stretch
from shared.mesh.bus.requests import ATTEMPT_TIMEOUT_NS
from shared.mesh.journal_records import JournalRecords
from tests.simulation.process import CODEC, Process
from tests.simulation.scheduler import Scheduler
from tests.simulation.wire import Wire


class Owner(Protocol):
    """A process that has a journal, as its readers find it."""

    @property
    def process(self) -> Process:
        """Return its process."""

    def records(self) -> JournalRecords:
        """Return what is durable in its journal."""


FindOwner = Callable[[str], Owner | None]


class Tail:
    """One reader of one journal."""

    def __init__(
        self,
        *,
        process: Process,
        owner_name: str,
        find: FindOwner,
        next_sequence: int,
        scheduler: Scheduler,
        wire: Wire,
    ) -> None:
        self._process: Final = process
        self._owner_name: Final = owner_name
        self._find: Final = find
        self._next_sequence = next_sequence
        self._known_last = 0
        self._is_catching_up = False
        self._questions = 0
        self._scheduler: Final = scheduler
        self._wire: Final = wire
        self._catch_up()

    def hint(self, envelopes: Sequence[Envelope]) -> None:
        """Take what its owner just wrote, if it comes next in line."""
        self._process.receive(lambda: self._hinted(envelopes))

    def announced(self, last_sequence: int) -> None:
        """Take the owner's word for how far it has come."""
        self._known_last = max(self._known_last, last_sequence)
        if self._known_last >= self._next_sequence:
            self._catch_up()

    def _hinted(self, envelopes: Sequence[Envelope]) -> Iterable[Happening]:
        told = self._in_line(envelopes)
        self.announced(envelopes[-1].sequence)
        return told

    def _in_line(self, envelopes: Iterable[Envelope]) -> list[Happening]:
        told: list[Happening] = []
        for envelope in envelopes:
            if envelope.sequence == self._next_sequence:
                told.append(Told(self._owner_name, envelope))
                self._next_sequence += 1
        return told

    def _catch_up(self) -> None:
        if not self._is_catching_up:
            self._is_catching_up = True
            self._ask()

    def _ask(self) -> None:
        """Ask, and again until it is answered or not wanted any more."""
        self._questions += 1
        number, wanted = self._questions, self._next_sequence
        if not self._process.is_frozen:
            self._wire.send("tail", lambda: self._arrive(wanted))
        self._scheduler.after(ATTEMPT_TIMEOUT_NS, lambda: self._ask_again(number))

    def _ask_again(self, number: int) -> None:
        if self._process.is_alive and self._is_catching_up and number == self._questions:
            self._ask()

    def _arrive(self, wanted: int) -> None:
        owner = self._find(self._owner_name)
        if owner is not None:
            owner.process.receive(lambda: self._serve(owner, wanted))

    def _serve(self, owner: Owner, wanted: int) -> Iterable[Happening]:
        """Read what is asked for, in the owner's place."""
        records = owner.records()
        stretch = records.stretch(wanted, records_max=TAIL_RECORDS_MAX, bytes_max=TAIL_BYTES_MAX)
        last = records.last_sequence
        self._wire.send("tail", lambda: self._process.receive(lambda: self._given(stretch, last)))
        return ()

    def _given(self, stretch: Stretch, last: int) -> Iterable[Happening]:
        told: list[Happening] = []
        if stretch.first_sequence > self._next_sequence:
            self._next_sequence = stretch.first_sequence
            told.append(ToldOfLoss(self._owner_name, stretch.first_sequence))
        told += self._in_line(CODEC.decode_stored(frame) for frame in stretch.frames)
        self._known_last = max(self._known_last, last)
        if self._known_last < self._next_sequence:
            self._is_catching_up = False
        elif told:
            self._ask()
        return told
