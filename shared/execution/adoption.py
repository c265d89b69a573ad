"""What the flattener did in the executor's name while it held its role: taken into the executor's own journal. Pure.

Only what it wrote while it held the role, word for word and in order, each record under the id of the original as its
cause. That cause is how a next life knows what stands in its journal already, wherever this one is killed.
"""

import re
from collections import deque
from typing import Final

import msgspec

from proto.envelope import Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.fields import clipped
from proto.orders import ConditionSet
from proto.risk import Condition, Everything
from shared.core.service import Report

EXECUTOR: Final = "executor"
UNREAD: Final = "flattener_unread"
# Recorded together: far from the bounds of a group, and a tenure of days is still no endless recursion of groups.
AT_ONCE: Final = 128
REASON_LENGTH_MAX: Final = 64
_ORIGINAL: Final = re.compile(r"flattener-([0-9]+)-reports-([0-9]+)")

# Epoch and number of a record: where the flattener's journal is lost, numbers begin anew.
Origin = tuple[int, int]


class Adopted(msgspec.Struct, frozen=True):
    """What the executor's journal has of the flattener's: everything up to `last`, and why some was `unread`."""

    last: Origin = (0, 0)
    unread: str = ""

    def and_then(self, envelope: Envelope) -> "Adopted":
        """Return what it has with one more record."""
        match envelope.body:
            case ConditionSet(condition=Condition(name=name, reason=reason)) if name == UNREAD:
                return Adopted(self.last, reason)
            case _:
                origin = _ORIGINAL.fullmatch(envelope.cause_id)
                return self if origin is None else Adopted((int(origin[1]), int(origin[2])), self.unread)


class Adoption:
    """What is still to be taken in: it is found out before the executor begins."""

    def __init__(self) -> None:
        self._holder_epoch: int | None = None  # of the flattener's life that holds the executor's role
        self._left: Final[deque[Report]] = deque()

    def inherit(self, envelope: Envelope, adopted: Adopted) -> None:
        """Take in a record of the flattener's journal, all of which comes in order."""
        if envelope.epoch != self._holder_epoch:
            self._holder_epoch = None  # whatever a life held, its end let go of it
        match envelope.body:
            case RoleTaken(instance=instance):
                if instance == EXECUTOR:
                    self._holder_epoch = envelope.epoch
            case RoleReturned(instance=instance):
                if instance == EXECUTOR:
                    self._holder_epoch = None
            case _ if self._holder_epoch is not None and (envelope.epoch, envelope.sequence) > adopted.last:
                self._left.append(Report(envelope.body, cause_id=envelope.id, reducing=True))
            case _:
                pass

    def miss(self, reason: str, adopted: Adopted) -> None:
        """Take in that some of it cannot be read: entries wait until somebody has looked, once for each reason."""
        condition = Condition(UNREAD, Everything(), "REDUCE_ONLY", clipped(reason, REASON_LENGTH_MAX))
        if condition.reason != adopted.unread:
            self._left.append(Report(ConditionSet(condition), reducing=True))

    def next(self) -> tuple[Report, ...]:
        """Return what is recorded next; nothing: everything that is known is in our journal."""
        return tuple(self._left[place] for place in range(min(AT_ONCE, len(self._left))))

    def recorded(self) -> None:
        """Take in that the first of it stands in our journal."""
        self._left.popleft()
