"""What the flattener's core and its hands say to each other of the executor's role and of its records."""

from dataclasses import dataclass

from services.flattener.core.past import Past
from shared.core.service import FromOutside, Outward

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
