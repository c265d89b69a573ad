"""What stands in the journals of risk, executor and flattener while they run, and what follows from it."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from proto.codec import EnvelopeCodec
from proto.envelope import Body, Envelope
from proto.orders import (
    EntryEnded,
    EntryOpened,
    ExitEnded,
    ExitOpened,
    OrderAcknowledged,
    OrderEnded,
    OrderFilled,
    PositionChanged,
    SendMarked,
)
from proto.verdicts import IntentJudged, ReservationFreed
from shared.mesh.journal import Gap, RealDisk, journal_directory
from shared.mesh.journal.reader import JournalReader

Kind = TypeVar("Kind")
STEP: Final = Decimal("0.001")  # the largest of the symbols traded here
Place = tuple[str, str]  # of which strategy, in which symbol


class _Tail:
    """One journal, read as far as it goes."""

    def __init__(self, directory: Path) -> None:
        self._directory: Final = directory
        self._codec: Final = EnvelopeCodec()
        self._reader: JournalReader | None = None
        self.records: Final[list[Envelope]] = []

    def poll(self) -> list[Envelope]:
        """Return all that is durable by now."""
        if self._reader is None:
            if not self._directory.exists():
                return []
            self._reader = JournalReader(RealDisk(self._directory))
        while entries := self._reader.poll():
            self.records.extend(self._codec.decode_stored(one.payload) for one in entries if not isinstance(one, Gap))
        return self.records

    def close(self) -> None:
        """Give the files back."""
        if self._reader is not None:
            self._reader.close()


class Written:
    """Reads all three journals."""

    def __init__(self, var_directory: Path) -> None:
        self._risk: Final = _Tail(journal_directory(var_directory, "risk"))
        self._executor: Final = _Tail(journal_directory(var_directory, "executor"))
        self._flattener: Final = _Tail(journal_directory(var_directory, "flattener"))

    def close(self) -> None:
        """Give the files back."""
        self._risk.close()
        self._executor.close()
        self._flattener.close()

    def by_risk(self, kind: type[Kind]) -> list[Kind]:
        """Return what risk has written down of a kind."""
        return _of(kind, self._risk.poll())

    def by_executor(self, kind: type[Kind]) -> list[Kind]:
        """Return what the executor has written down of a kind."""
        return _of(kind, self._executor.poll())

    def by_flattener(self, kind: type[Kind]) -> list[Kind]:
        """Return what the flattener has written down of a kind."""
        return _of(kind, self._flattener.poll())

    def records(self) -> list[Envelope]:
        """Return all that the executor has written down."""
        return self._executor.poll()

    def marks_of(self, parent_id: str) -> list[SendMarked]:
        """Return the marks of the orders that work an approval, an exit or a cover."""
        return [mark for mark in self.by_executor(SendMarked) if mark.order.parent_id == parent_id]

    def ending_of(self, client_order_id: str) -> OrderEnded | None:
        """Return how an order ended, None while it has not."""
        ended = [end for end in self.by_executor(OrderEnded) if end.order.client_order_id == client_order_id]
        return ended[-1] if ended else None

    def entry_ended(self, approval_id: str) -> EntryEnded | None:
        """Return how an entry ended, None while it has not."""
        ended = [end for end in self.by_executor(EntryEnded) if end.approval_id == approval_id]
        return ended[-1] if ended else None

    def is_covered(self, place: Place) -> bool:
        """Tell whether one stop rests under all that is held at a place, but for what is below the venue's steps."""
        marks = {mark.order.client_order_id: mark for mark in self.by_executor(SendMarked)}
        resting = {one.order.client_order_id for one in self.by_executor(OrderAcknowledged)}
        resting -= {one.order.client_order_id for one in self.by_executor(OrderEnded)}
        ours = [marks[name] for name in resting if marks[name].order.purpose == "cover"]
        covered = [mark.quantity for mark in ours if (mark.order.strategy, mark.order.symbol) == place]
        changes = [one for one in self.by_executor(PositionChanged) if (one.strategy, one.symbol) == place]
        return bool(changes) and len(covered) == 1 and 0 <= changes[-1].quantity - covered[0] < STEP

    def under_way(self) -> list[str]:
        """Return what has begun and not ended: reservations, entries, exits, and orders."""
        freed = {one.approval_id for one in self.by_risk(ReservationFreed)}
        approvals = [one.approval.approval_id for one in self.by_risk(IntentJudged) if one.approval is not None]
        begun = {f"reservation {name}": None for name in approvals if name not in freed}
        for record in self.records():
            match record.body:
                case EntryOpened(approval=approval):
                    begun[f"entry {approval.approval_id}"] = None
                case EntryEnded(approval_id=approval_id):
                    begun.pop(f"entry {approval_id}", None)
                case ExitOpened(exit_id=exit_id):
                    begun[f"exit {exit_id}"] = None
                case ExitEnded(exit_id=exit_id):
                    begun.pop(f"exit {exit_id}", None)
                case SendMarked(order=order):
                    begun[f"order {order.client_order_id}"] = None
                case OrderEnded(order=order):
                    begun.pop(f"order {order.client_order_id}", None)
                case _:
                    pass
        return list(begun)

    def to_leave(self) -> list[Place]:
        """Return where something is held that no exit has brought down as far as it goes."""
        held: dict[Place, bool] = {}
        for record in self.records():
            match record.body:
                case PositionChanged(strategy=strategy, symbol=symbol, quantity=quantity):
                    held[strategy, symbol] = held.get((strategy, symbol), True) and quantity > 0
                case OrderFilled(order=order):
                    held[order.strategy, order.symbol] = True
                case ExitEnded(strategy=strategy, symbol=symbol):
                    held[strategy, symbol] = False  # what is left is too little for any order
                case _:
                    pass
        return [place for place, is_held in held.items() if is_held]


def _of(kind: type[Kind], records: Iterable[Envelope]) -> list[Kind]:
    bodies: Iterable[Body] = (record.body for record in records)
    return [body for body in bodies if isinstance(body, kind)]
