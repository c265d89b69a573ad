"""What the flattener did in the executor's name while it held its role: taken into the executor's own journal. Pure.

Only what it wrote while it held the role, word for word and in order, each record under the id of the original as its
cause. That cause is how a next life knows what stands in its journal already, wherever this one is killed. A hole in
what it wrote is adopted as well, as a condition whose cause says where: both ends know by its number who knows of it.
"""

import re
from collections import deque
from typing import Final

import msgspec

from proto.envelope import Body, Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.fields import clipped_short
from proto.orders import ConditionSet
from proto.risk import Condition, Everything
from shared.core.service import InheritanceUnread, Report

EXECUTOR: Final = "executor"
UNREAD: Final = "flattener_unread"
AT_ONCE: Final = 128  # recorded together: far from the bounds of a group
HOLES_KEPT_MAX: Final = 16  # a journal that is read has few of them, and an older one is only told of again
_ORIGINAL: Final = re.compile(r"flattener-([0-9]+)-reports-([0-9]+)")
_HOLE: Final = re.compile(r"lost-by-flattener-before-([0-9]+)")

# Epoch and number of a record: where the flattener's journal is lost, numbers begin anew.
Origin = tuple[int, int]


class Adopted(msgspec.Struct, frozen=True):
    """What the executor's journal has of the flattener's: everything up to `last`, and why some was `unread`.

    `holes` are the numbers before which something is lost, of those holes that are known: the newest of them.
    """

    last: Origin = (0, 0)
    unread: str = ""
    holes: tuple[int, ...] = ()

    def reaches(self, state: bytes) -> bool:
        """Say whether it has all that was written before a page of the flattener's journal that begins so."""
        holding = holding_in(state)
        return holding is not None and holding.newest <= self.last and self.knows(holding.hole)

    def knows(self, hole: int) -> bool:
        """Say whether it knows of a hole before this number, or there is none."""
        return not hole or hole in self.holes

    def and_then(self, envelope: Envelope) -> "Adopted":
        """Return what it has with one more record."""
        match envelope.body:
            case ConditionSet(condition=Condition(name=name, reason=reason)) if name == UNREAD:
                hole = _HOLE.fullmatch(envelope.cause_id)
                holes = self.holes if hole is None else (*self.holes, int(hole[1]))[-HOLES_KEPT_MAX:]
                return Adopted(self.last, reason, holes)
            case _:
                origin = _ORIGINAL.fullmatch(envelope.cause_id)
                return self if origin is None else self._with(int(origin[1]), int(origin[2]))

    def _with(self, epoch: int, sequence: int) -> "Adopted":
        # A number below that of a hole is one of a journal that was begun anew: its holes are others.
        return Adopted((epoch, sequence), self.unread, tuple(hole for hole in self.holes if hole <= sequence))


class Holding(msgspec.Struct, frozen=True):
    """What a page of the flattener's journal begins with, so that whoever adopts need not read those before.

    `newest` is what it wrote last while it held the role, and `holder_epoch` its life that holds the role there.
    `hole` is the number before which something is lost that it may have written in the role.
    """

    newest: Origin
    holder_epoch: int | None
    hole: int = 0

    def without(self, next_sequence: int) -> "Holding":
        """Return what holds once all before this number is lost that was not read."""
        return Holding(self.newest, self.holder_epoch, next_sequence)

    def and_then(self, envelope: Envelope) -> "Holding":
        """Return what holds with one more record."""
        # Whatever a life held, its end let go of it.
        holder_epoch = self.holder_epoch if self.holder_epoch == envelope.epoch else None
        match envelope.body:
            case RoleTaken(instance=instance):
                return Holding(self.newest, envelope.epoch if instance == EXECUTOR else holder_epoch, self.hole)
            case RoleReturned(instance=instance):
                return Holding(self.newest, None if instance == EXECUTOR else holder_epoch, self.hole)
            case _ if holder_epoch is not None:
                return Holding((envelope.epoch, envelope.sequence), holder_epoch, self.hole)
            case _:
                return Holding(self.newest, None, self.hole)


NOTHING_HELD: Final = Holding((0, 0), None)


def says_unread(body: Body) -> bool:
    """Say whether this is how a hole in what the flattener wrote stands in the executor's journal."""
    return isinstance(body, ConditionSet) and body.condition.name == UNREAD


def holding_in(state: bytes) -> Holding | None:
    """Return what a page of the flattener's journal begins with, None where that does not say it."""
    try:
        return msgspec.json.decode(state, type=Holding)
    except msgspec.DecodeError:
        return None


class Adoption:
    """What is still to be taken in: it is found out before the executor begins."""

    def __init__(self) -> None:
        self._holding = NOTHING_HELD
        self._left: Final[deque[Report]] = deque()

    def begin(self, state: bytes) -> None:
        """Take in what the first page begins with that is read of the flattener's journal."""
        self._holding = holding_in(state) or NOTHING_HELD

    def inherit(self, envelope: Envelope, adopted: Adopted) -> None:
        """Take in a record of the flattener's journal, all of which comes in order from that page on."""
        before, self._holding = self._holding, self._holding.and_then(envelope)
        if self._holding.newest != before.newest and self._holding.newest > adopted.last:
            self._left.append(Report(envelope.body, cause_id=envelope.id, reducing=True))

    def miss(self, unread: InheritanceUnread, adopted: Adopted) -> None:
        """Take in that some of it cannot be read: entries wait until somebody has looked, once for each hole.

        Once for each reason, where nobody knows what cannot be read.
        """
        condition = Condition(UNREAD, Everything(), "REDUCE_ONLY", clipped_short(unread.reason))
        hole = unread.next_sequence
        if not adopted.knows(hole):
            cause_id = f"lost-by-flattener-before-{hole}"
            self._left.append(Report(ConditionSet(condition), cause_id, reducing=True))
        elif not hole and condition.reason != adopted.unread:
            self._left.append(Report(ConditionSet(condition), reducing=True))

    def next(self) -> tuple[Report, ...]:
        """Return what is recorded next; nothing: everything that is known is in our journal."""
        return tuple(self._left[place] for place in range(min(AT_ONCE, len(self._left))))

    def recorded(self) -> None:
        """Take in that the first of it stands in our journal."""
        self._left.popleft()
