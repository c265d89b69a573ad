"""What the flattener's core and its hands say to each other of the executor's role and of its records."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.service import FromOutside, Moment, Outward, Recorded, RecordsLost


@dataclass(frozen=True, slots=True)
class Past:
    """What the executor wrote down, and what we did, as it stood when it was read; its records begin with `state`.

    Of our own journal it is all that there is: what of it the executor has adopted stands in its records.
    """

    state: bytes | None
    records: Sequence[Recorded | RecordsLost]
    own: Sequence[Recorded]

    def quiet_ns(self, now: Moment) -> int:
        """Return how old the executor's newest record is; one of another boot is older than this one."""
        newest = next((one.envelope for one in reversed(self.records) if isinstance(one, Recorded)), None)
        if newest is None or newest.boot_id != now.boot_id:
            return now.boot_ns
        return now.boot_ns - newest.sent_boot_ns


# What the core wants of its hands.


@dataclass(frozen=True, slots=True)
class ReadRecords(Outward):
    """Read what the executor wrote down, and take nothing."""


@dataclass(frozen=True, slots=True)
class TakeRole(Outward):
    """End the executor, take its role under a raised epoch, and read what it wrote down."""


@dataclass(frozen=True, slots=True)
class GiveRoleBack(Outward):
    """Let the executor's next process in."""


# What they bring.


@dataclass(frozen=True, slots=True)
class RecordsRead(FromOutside):
    """What came of `ReadRecords`: what stands there, or in words why it could not be read."""

    past: Past | None
    trouble: str


@dataclass(frozen=True, slots=True)
class RoleHeld(FromOutside):
    """The role is ours: its holder is dead, and no other begins before it is given back."""

    epoch: int
    past: Past


@dataclass(frozen=True, slots=True)
class RoleNotHeld(FromOutside):
    """Nothing was taken, and why."""

    words: str


@dataclass(frozen=True, slots=True)
class RoleIsFree(FromOutside):
    """The executor's next process may begin."""
