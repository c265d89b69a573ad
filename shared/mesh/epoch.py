"""The epoch of a role: a number that grows with every start, so that what an earlier one said can be told apart.

Pure: what the role's own file should say next, given what it says now, and what else is known. `seat.py` reads and
writes the file while it holds the role's lock.

The file has two slots, each a block with the same sealed record. Both are written over in place, the second when the
first is durable, so that a role can start on a disk that is full. A write that a power cut tears leaves the other slot,
whose epoch is then the last that anybody had. One slot that goes bad later costs nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from shared.mesh.clock import BootTime
from shared.mesh.sealed_record import Damaged, seal, unseal

EPOCH_KIND: Final = "bowline-epoch-2"
SLOT_BYTES: Final = 4_096
EPOCH_FILE_BYTES: Final = 2 * SLOT_BYTES
EPOCH_MAX: Final = 2**62
DEATHS_KEPT_MAX: Final = 8
CRASH_LOOP_DEATHS: Final = 3
CRASH_LOOP_WINDOW_NS: Final = 60_000_000_000


class EpochUnknownError(Exception):
    """A role cannot start: no number can be chosen that was certainly never used. The text says what to do."""


class EpochVerdict(StrEnum):
    """What was found at the start. After anything but the first two, something was lost: reduce only, tell people."""

    FIRST = "first start: nobody knows of an earlier one"
    CONTINUED = "the epoch file was whole and nobody knows a higher epoch"
    MISSING = "the epoch file is gone; counted on from what others know"
    DAMAGED = "the epoch file is damaged; counted on from what others know"
    BEHIND = "a journal or peer knows a higher epoch than the file: an old copy was restored"


class RoleRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a role's epoch file holds. `running` is what a killed process leaves behind and a stopped one does not.

    A death is a run that ended without an orderly stop; it is timed when the next start notices.
    """

    role: str
    epoch: int
    starts: int
    running: bool
    deaths: tuple[BootTime, ...]


@dataclass(frozen=True, slots=True)
class WitnessedEpochs:
    """What others than the epoch file remember; 0 is nothing.

    The lock file is written just before the epoch file, so it may rightly be ahead of it by a start that died between.
    A journal or a peer saw only what was durable: if it is ahead, the file is not the last one.
    """

    by_lock_file: int
    by_journal_or_peer: int


def slot_of(record: RoleRecord) -> bytes:
    """Return the content of a slot."""
    return seal(EPOCH_KIND, record, size=SLOT_BYTES)


def record_in(content: bytes | None, *, role: str) -> RoleRecord | Damaged | None:
    """Return what an epoch file says; None for no file. Another role's file is an operator's slip, and raises.

    It is `Damaged` only when neither slot is whole.
    """
    if content is None:
        return None
    slots = _slots(content, role)
    newest = _newest(slots)
    return slots[0] if newest is None else slots[newest]


def first_slot(content: bytes | None, *, role: str) -> int | None:
    """Return the slot to write over first, the one that is not needed; None where the file has to be made anew."""
    newest = None if content is None else _newest(_slots(content, role))
    return None if newest is None else 1 - newest


def _slots(content: bytes, role: str) -> list[RoleRecord | Damaged]:
    return [_record_in(slot, role=role) for slot in (content[:SLOT_BYTES], content[SLOT_BYTES:])]


def _newest(slots: Sequence[RoleRecord | Damaged]) -> int | None:
    """Return the place of the newest whole record. A run writes when it starts, and perhaps again when it stops."""
    ages = {
        (record.epoch, not record.running): place
        for place, record in enumerate(slots)
        if isinstance(record, RoleRecord)
    }
    return ages[max(ages)] if ages else None


def _record_in(slot: bytes, *, role: str) -> RoleRecord | Damaged:
    record = unseal(EPOCH_KIND, slot, RoleRecord)
    if isinstance(record, Damaged):
        return record
    if record.role != role:
        raise EpochUnknownError(
            f"the epoch file of {role} is whole but belongs to {record.role}: put each in its place"
        )
    if not 0 < record.epoch <= EPOCH_MAX or record.starts < 0:
        return Damaged("holds numbers we never write")
    return record


def next_record(
    found: RoleRecord | Damaged | None,
    witnessed: WitnessedEpochs,
    *,
    role: str,
    own_start: bool,
    now: BootTime,
) -> tuple[RoleRecord, EpochVerdict]:
    """Return what the file shall say from this start on, and the verdict on what it said.

    `own_start` is false for a fencer, who takes the seat but is no restart of the role.
    """
    highest = max(witnessed.by_lock_file, witnessed.by_journal_or_peer)
    if isinstance(found, Damaged) and not highest:
        raise EpochUnknownError(
            f"the epoch file of {role}, {role}.epoch among the seats (var/seats, unless a setting says otherwise), "
            f"{found.reason}, and neither the lock file nor a journal or peer knows the last epoch: restore the file "
            "from its newest copy. Without a copy, run `bowline down`, and remove it together with "
            f"{role}.lock, so that {role} begins anew; that is safe only when no process of the mesh runs"
        )
    if max(highest, found.epoch if isinstance(found, RoleRecord) else 0) >= EPOCH_MAX:
        raise EpochUnknownError(f"the epochs of {role} are used up, which no honest count does: look at its files")
    if not isinstance(found, RoleRecord):
        verdict = EpochVerdict.DAMAGED if found is not None else EpochVerdict.MISSING if highest else EpochVerdict.FIRST
        return RoleRecord(role, highest + 1, int(own_start), running=True, deaths=()), verdict
    verdict = EpochVerdict.BEHIND if witnessed.by_journal_or_peer > found.epoch else EpochVerdict.CONTINUED
    noticed = (now,) if found.running else ()
    record = RoleRecord(
        role,
        max(highest, found.epoch) + 1,
        found.starts + int(own_start),
        running=True,
        deaths=(found.deaths + noticed)[-DEATHS_KEPT_MAX:],
    )
    return record, verdict


def stopped(record: RoleRecord) -> RoleRecord:
    """Return what the file says after an orderly stop."""
    return msgspec.structs.replace(record, running=False)


def crash_loop(deaths: Iterable[BootTime], *, now: BootTime) -> bool:
    """Tell whether three of these deaths lie within the last 60 s of this boot.

    A death is of the boot in which it was noticed: what the machine itself took down is no crash of the role, but the
    one it shows up as is counted once.
    """
    ages_ns = [death.age_ns(now) for death in deaths]
    recent = [age_ns for age_ns in ages_ns if age_ns is not None and 0 <= age_ns <= CRASH_LOOP_WINDOW_NS]
    return len(recent) >= CRASH_LOOP_DEATHS
