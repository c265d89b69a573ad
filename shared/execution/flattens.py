"""What shall be closed until nothing is left, the kill latch among it, and which latches were lifted. Pure.

A part of the books: it changes in `fold` and nowhere else. Under the latch everything shall be flat for as long as it
stands; what is asked for without a latch is over once it is told to be flat, or called off.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import ID_LENGTH_MAX, Symbol, clipped
from proto.orders import (
    ConditionCleared,
    ConditionSet,
    ExitEnded,
    FlatnessTold,
    FlattenBegun,
    FlattenCalledOff,
    OrderAcknowledged,
    OrderFilled,
    SendMarked,
)
from proto.risk import Latch

KILL_LATCH: Final = "kill_latch"
NAMES_MAX: Final = 256


class Flatten(msgspec.Struct):
    """What shall be closed, by whom and why, and what it left as dust."""

    flatten_id: str
    symbol: Symbol | None  # None: all of them
    actor: str
    reason: str
    begun_wall_ns: int
    is_flat: bool = False
    dust: dict[str, Decimal] = msgspec.field(default_factory=dict)

    def concerns(self, symbol: Symbol) -> bool:
        """Say whether a symbol shall be closed by it."""
        return self.symbol in {None, symbol}


class FlattensState(msgspec.Struct, frozen=True):
    """All that is known of them, from which the same can be made again."""

    going: tuple[Flatten, ...] = ()
    is_latched: bool = False
    latch_id: str | None = None
    names: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()


class Flattens:
    """Those that go on. The kill latch is one of them, and its flatten has the latch's own id.

    It stands under the name that came last; those before it are other names of the same standing, and lifted with it.
    """

    def __init__(self) -> None:
        self.going: Final[dict[str, Flatten]] = {}
        self.is_latched = False
        self._lifted: Final[dict[str, None]] = {}  # latches whose file may still be seen
        self._names: Final[dict[str, None]] = {}  # of the one that stands
        self._latch_id: str | None = None

    def state(self) -> FlattensState:
        """Return everything."""
        return FlattensState(
            going=tuple(self.going.values()),
            is_latched=self.is_latched,
            latch_id=self._latch_id,
            names=tuple(self._names),
            lifted=tuple(self._lifted),
        )

    def restore(self, known: FlattensState) -> None:
        """Begin with what `state` returned."""
        self.going.update((one.flatten_id, one) for one in known.going)
        self._lifted.update(dict.fromkeys(known.lifted))
        self._names.update(dict.fromkeys(known.names))
        self.is_latched, self._latch_id = known.is_latched, known.latch_id

    @property
    def latch(self) -> Latch | None:
        """The latch that stands, by the newest of its names."""
        found = None if self._latch_id is None else self.going[self._latch_id]
        return None if found is None else Latch(found.flatten_id, found.actor, found.reason, found.begun_wall_ns)

    def is_lifted(self, latch_id: str) -> bool:
        """Say whether a latch of this name was lifted."""
        return latch_id in self._lifted

    def is_known(self, latch_id: str) -> bool:
        """Say whether a latch of this name is nothing new: it stands, stood before another name, or was lifted."""
        return latch_id in self._names or latch_id in self._lifted

    def concerning(self, symbol: Symbol) -> Iterator[Flatten]:
        """Return those that a symbol shall be closed by."""
        return (one for one in self.going.values() if one.concerns(symbol))

    def without_latch(self) -> list[Flatten]:
        """Return those that were asked for without a latch."""
        return [one for one in self.going.values() if one.flatten_id != self._latch_id]

    def has_opened(self, exit_id: str) -> bool:
        """Say whether an exit is one that a flatten is closed by."""
        return any(exit_id.startswith(exit_id_of(flatten_id)) for flatten_id in self.going)

    def fold(self, envelope: Envelope) -> None:
        """Take in a record of the journal."""
        match envelope.body:
            case ConditionSet(condition=condition) if condition.name == KILL_LATCH:
                self.is_latched = True
            case ConditionCleared(name=name) if name == KILL_LATCH:
                self._lift(envelope.cause_id)
            case FlattenBegun() as begun:
                self._begun(begun, envelope)
            case FlattenCalledOff(flatten_id=flatten_id) if flatten_id != self._latch_id:
                self.going.pop(flatten_id, None)
            case FlatnessTold(flatten_id=flatten_id, is_flat=True):
                self._flat(flatten_id)
            case SendMarked(order=order) | OrderAcknowledged(order=order) | OrderFilled(order=order):
                for one in self.concerning(order.symbol):
                    one.is_flat = False
            case ExitEnded(strategy=strategy, symbol=symbol, quantity_left=left, reason=reason) if left:
                for one in self.concerning(symbol):
                    one.dust[f"{symbol} of {strategy} ({reason})"] = left
            case _:
                pass

    def _begun(self, begun: FlattenBegun, envelope: Envelope) -> None:
        flatten = Flatten(begun.flatten_id, begun.symbol, begun.actor, begun.reason, envelope.sent_wall_ns)
        if self.is_latched and begun.symbol is None:  # another name than before is the newest one
            if self._latch_id is not None:
                flatten.dust = self.going[self._latch_id].dust
            self._forget_latch()
            self._latch_id = begun.flatten_id
            _note(self._names, begun.flatten_id)
        self.going[begun.flatten_id] = flatten

    def _lift(self, latch_id: str) -> None:
        self._forget_latch()
        self.is_latched = False
        for name in (*self._names, latch_id):
            _note(self._lifted, name)
        self._names.clear()

    def _forget_latch(self) -> None:
        if self._latch_id is not None:
            del self.going[self._latch_id]
        self._latch_id = None

    def _flat(self, flatten_id: str) -> None:
        found = self.going.get(flatten_id)
        if found is not None and flatten_id == self._latch_id:
            found.is_flat = True
        elif found is not None:
            del self.going[flatten_id]


def exit_id_of(flatten_id: str, place: str = "") -> str:
    """Return the name of the exit by which a place is closed, or what all of them begin with."""
    return clipped(f"{flatten_id}:{place}", ID_LENGTH_MAX)


def _note(names: dict[str, None], name: str) -> None:
    """Add a name, or make it the newest one; the oldest goes where there are too many."""
    names.pop(name, None)
    names[name] = None
    if len(names) > NAMES_MAX:
        del names[next(iter(names))]
