"""What the executor has told: the fold of its journal, read from its first record at every start. Pure.

So risk keeps no second account of positions that could come to differ from the first, whichever of the two journals an
older copy was put back of. How far the reports are read is held against what the executor's heartbeats announce.
"""

from decimal import Decimal
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fields import Id, Name, Symbol
from proto.health import Heartbeat
from proto.orders import (
    ConditionCleared,
    ConditionSet,
    EntryEnded,
    EntryOpened,
    FlattenBegun,
    PositionChanged,
)
from proto.risk import Condition, Everything, Latch, Scope
from proto.verdicts import Approval
from services.risk_watchdog.core.latch import KILL_LATCH, keep_newest
from services.risk_watchdog.core.terms import SECOND_NS

REPORTS: Final = "reports"
READ_NS_MAX: Final = 2 * SECOND_NS
WITHOUT_LATCH: Final = "flatten-"  # what the names of a flattening begin with that no latch asked for

Place = tuple[Name, Symbol]
Entries = dict[str, Approval]  # by the ids of the approvals
Conditions = dict[tuple[Name, Scope], Condition]


class Held(msgspec.Struct, frozen=True):
    """What a strategy holds of a symbol, and what a unit was bought for."""

    quantity: Decimal
    average_entry_price: Decimal | None


class ExecutorReports:
    """Positions, entries under way, and what stands against further ones, as the executor says."""

    def __init__(self) -> None:
        self.positions: Final[dict[Place, Held]] = {}
        self.opened: Final[Entries] = {}
        self.conditions: Final[Conditions] = {}
        self.set_by: Final[dict[tuple[Name, Scope], Id]] = {}  # the records that set them
        self.is_caught_up = False  # all that was told before we began is read: what comes is news
        self.read_until_ns: int | None = None  # everything said before this boot time is in here
        self._latch: Latch | None = None  # that the executor flattens for, or flattened for last
        self._names: Final[dict[Id, None]] = {}  # that its latches have had
        self._told = 0
        self._announced: tuple[int, int] | None = None  # when, and up to which number, but not read so far

    @property
    def latch(self) -> Latch | None:
        """The kill latch that stands in the executor's journal."""
        return self._latch if (KILL_LATCH, Everything()) in self.conditions else None

    def has_stood_as(self, latch_id: Id) -> bool:
        """Say whether a latch of the executor's has this name, or had it before another."""
        return latch_id in self._names

    def take(self, envelope: Envelope) -> None:
        """Take in a report."""
        match envelope.body:
            case EntryOpened(approval=approval):
                self.opened[approval.approval_id] = approval
            case EntryEnded(approval_id=approval_id):
                self.opened.pop(approval_id, None)
            case PositionChanged(strategy=strategy, symbol=symbol, quantity=quantity):
                self.positions.pop((strategy, symbol), None)
                if quantity:
                    self.positions[strategy, symbol] = Held(quantity, envelope.body.average_entry_price)
            case ConditionSet(condition=condition):
                self.conditions[condition.name, condition.scope] = condition
                self.set_by[condition.name, condition.scope] = envelope.id
            case ConditionCleared(name=name, scope=scope):
                self.conditions.pop((name, scope), None)
            case FlattenBegun(flatten_id=latch_id, symbol=None, actor=actor, reason=reason) if not latch_id.startswith(
                WITHOUT_LATCH
            ):
                self._latch = Latch(latch_id, actor, reason, envelope.sent_wall_ns)
                self._names[latch_id] = None
                keep_newest(self._names)
            case _:
                pass
        self._read_to(envelope.sequence)

    def lost(self, next_sequence: int) -> None:
        """Take in that the executor's journal has a hole before this number."""
        self._read_to(next_sequence - 1)

    def announced(self, heartbeat: Heartbeat, said_ns: int) -> None:
        """Take in how far the executor says that its reports have come."""
        for position in heartbeat.published:
            if position.stream == REPORTS and self._told >= position.sequence:
                self._is_read(said_ns)
            elif position.stream == REPORTS and self._announced is None:
                self._announced = (said_ns, position.sequence)

    def stood_still(self) -> None:
        """Believe nothing to be read before the executor is heard again."""
        self.read_until_ns = self._announced = None

    def trouble(self, boot_ns: int) -> str | None:
        """Say why positions are not known, None while they are."""
        if self.read_until_ns is None:
            return "the executor's reports have not been read up to the newest"
        age_ns = boot_ns - self.read_until_ns
        if age_ns > READ_NS_MAX:
            return f"the executor's reports are read as far as {age_ns / SECOND_NS:.1f} s ago"
        return None

    def _read_to(self, sequence: int) -> None:
        self._told = sequence
        if self._announced is not None and sequence >= self._announced[1]:
            self._is_read(self._announced[0])

    def _is_read(self, until_ns: int) -> None:
        self.read_until_ns, self._announced, self.is_caught_up = until_ns, None, True
