"""What is told of being flat, as it stands in the journals of those who flatten: on the disk, whoever is dead."""

import select
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Self

from proto.codec import BadFrame, EnvelopeCodec
from proto.envelope import Envelope
from proto.fields import Id, Symbol
from proto.orders import FlatnessTold, FlattenBegun, FlattenCalledOff
from proto.risk import Latch
from proto.topics import tag_of
from shared.mesh.clock import Clock
from shared.mesh.journal import Gap, JournalDamaged, JournalReader, RealDisk, journal_directory, mark_on
from shared.mesh.verb import Streams

WITHOUT_LATCH: Final = "flatten-"  # so begins the id of what an operator wanted flat without any latch
FLATTENERS: Final = ("executor", "flattener")
WAIT_SECONDS: Final = 20.0
# So far back it is looked for what was told before: of a latch that stood already, FLAT was told once.
RECORDS_BACK_MAX: Final = 100_000
PAUSE_MS: Final = 100
_NS_PER_S: Final = 1_000_000_000
_TAGS: Final = tuple(tag_of(kind).encode() for kind in (FlattenBegun, FlattenCalledOff, FlatnessTold))


class FlatnessWatch:
    """Reads on in their journals. It is a context: the files are given back with it."""

    def __init__(self, var: Path, streams: Streams, clock: Clock) -> None:
        self._streams: Final = streams
        self._clock: Final = clock
        self._codec: Final = EnvelopeCodec()
        self._held: Final = ExitStack()
        self._readers: Final = {instance: self._reader(var, instance) for instance in FLATTENERS}
        self._told: Final[dict[Id, tuple[Envelope, FlatnessTold]]] = {}
        self._latched: tuple[Envelope, FlattenBegun] | None = None  # what was begun last for a latch
        self._called_off: Final[dict[Id, FlattenCalledOff]] = {}
        self._begun: Final[dict[Symbol | None, tuple[Envelope, FlattenBegun]]] = {}

    def __enter__(self) -> Self:
        """Enter."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the files back."""
        self._held.close()

    def is_latch_flat(self, latch: Latch, within_s: float) -> bool:
        """Wait until FLAT is told of a latch, or of one that came after it, and say whatever is told meanwhile."""
        return self._is_flat(lambda: self._latch_last(latch), within_s)

    def is_flat(self, symbol: Symbol | None, within_s: float) -> bool:
        """Wait for it of what was begun last that closes this symbol, or everything, and say what is told meanwhile."""
        return self._is_flat(lambda: self._begun_last(symbol), within_s)

    def _is_flat(self, flatten_id: Callable[[], Id | None], within_s: float) -> bool:
        deadline_ns = self._clock.boot_ns() + int(within_s * _NS_PER_S)
        said: Id = ""
        while True:
            self._look()
            called_off = self._called_off.get(flatten_id() or "")
            if called_off is not None:
                self._streams.complain(f"{called_off.actor} has called it off: {called_off.reason}")
                return False
            told = self._told.get(flatten_id() or "")
            if told is not None and told[0].id != said:
                said = told[0].id
                self._say(*told)
            if told is not None and told[1].is_flat:
                return True
            if self._clock.boot_ns() >= deadline_ns:
                break
            select.poll().poll(PAUSE_MS)
        if not said:
            waited = f"within {within_s:g} s nobody has said" if within_s else "nobody has said yet"
            self._streams.complain(
                f"{waited} that it is flat, or why it is not: `bowline positions` shows what is open"
            )
        return False

    def _latch_last(self, latch: Latch) -> Id:
        """Return the name that is flattened under: the newest one, which whoever pressed later has given."""
        if self._latched is None or self._latched[0].sent_wall_ns < latch.set_wall_ns:
            return latch.latch_id
        return self._latched[1].flatten_id

    def _begun_last(self, symbol: Symbol | None) -> Id | None:
        """Return what was begun last of those that close it: where one was under way, no other was begun."""
        found = [self._begun[one] for one in {None, symbol} if one in self._begun]
        return max(found, key=lambda begun: begun[0].sent_wall_ns)[1].flatten_id if found else None

    def _say(self, envelope: Envelope, told: FlatnessTold) -> None:
        why = f": {told.reason}" if told.reason else ""
        self._streams.say(f"{'FLAT' if told.is_flat else 'NOT FLAT'}, says {envelope.sender}{why}")

    def _reader(self, var: Path, instance: str) -> JournalReader:
        disk = RealDisk(journal_directory(var, instance))
        mark = mark_on(disk)
        first = 1 if mark is None else max(1, mark.sequence - RECORDS_BACK_MAX)
        return self._held.enter_context(closing(JournalReader(disk, from_sequence=first)))

    def _look(self) -> None:
        """Read on. What cannot be read is said, and looked at no more."""
        for instance, reader in tuple(self._readers.items()):
            try:
                while entries := reader.poll():
                    for entry in entries:
                        if not isinstance(entry, Gap) and any(tag in entry.payload for tag in _TAGS):
                            self._take(self._codec.decode_stored(entry.payload))
            except (BadFrame, JournalDamaged, OSError) as error:
                self._streams.complain(f"{instance}'s journal cannot be read, so what it says is not seen: {error}")
                del self._readers[instance]

    def _take(self, envelope: Envelope) -> None:
        match envelope.body:
            case FlattenBegun(symbol=symbol) as begun:
                if _is_newer(envelope, self._begun.get(symbol)):
                    self._begun[symbol] = (envelope, begun)
                is_latch = symbol is None and not begun.flatten_id.startswith(WITHOUT_LATCH)
                if is_latch and _is_newer(envelope, self._latched):
                    self._latched = (envelope, begun)
            case FlattenCalledOff(flatten_id=flatten_id) as called_off:
                self._called_off[flatten_id] = called_off
            case FlatnessTold(flatten_id=flatten_id) as told:
                if _is_newer(envelope, self._told.get(flatten_id)):
                    self._told[flatten_id] = (envelope, told)
            case _:
                pass  # the words stood in a text


def _is_newer(envelope: Envelope, known: tuple[Envelope, object] | None) -> bool:
    return known is None or envelope.sent_wall_ns >= known[0].sent_wall_ns
