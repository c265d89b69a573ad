"""What an epoch file may say, and what follows from it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.clock import BootTime
from shared.mesh.epoch import (
    CRASH_LOOP_WINDOW_NS,
    DEATHS_KEPT_MAX,
    EPOCH_FILE_BYTES,
    EPOCH_MAX,
    SLOT_BYTES,
    EpochUnknownError,
    EpochVerdict,
    RoleRecord,
    WitnessedEpochs,
    crash_loop,
    first_slot,
    next_record,
    record_in,
    slot_of,
    stopped,
)
from shared.mesh.process_identity import ProcessIdentity
from shared.mesh.sealed_record import Damaged, seal

NOW = BootTime("boot", 10**12)
epochs = st.integers(1, EPOCH_MAX - 1)


def a_record(*, epoch: int = 7, starts: int = 5, running: bool = True, deaths: tuple[BootTime, ...] = ()) -> RoleRecord:
    """Return a record of the executor."""
    return RoleRecord("executor", epoch, starts, running, deaths)


def a_file(first: RoleRecord, second: RoleRecord | None = None) -> bytes:
    """Return a file with these records in its slots, or one that was just made."""
    return slot_of(first) + slot_of(second or first)


def found(content: bytes) -> tuple[RoleRecord | Damaged | None, int | None]:
    """Return what the executor's file says, and which slot is written over first."""
    return record_in(content, role="executor"), first_slot(content, role="executor")


def test_what_is_written_is_read() -> None:
    """A record comes back from its file as it was."""
    record = a_record(deaths=(NOW,))
    content = slot_of(record) * 2
    assert len(content) == EPOCH_FILE_BYTES
    assert found(content)[0] == record


def test_newest_of_two_slots_counts() -> None:
    """A death between the two writes leaves both slots whole: the newest counts, a stop after its own start."""
    before, started = a_record(epoch=7, running=False), a_record(epoch=8)
    assert found(slot_of(before) + slot_of(started)) == (started, 0)
    assert found(slot_of(stopped(started)) + slot_of(started)) == (stopped(started), 1)
    assert found(slot_of(started) + slot_of(stopped(started))) == (stopped(started), 0)


def test_every_cut_and_every_flip_leaves_the_other_slot() -> None:
    """A slot cut anywhere, or with any byte changed, is never taken for a record: the other counts, and is kept."""
    first, second = a_record(epoch=7, deaths=(NOW, NOW)), a_record(epoch=8)
    whole = slot_of(first) + slot_of(second)
    for position in range(0, SLOT_BYTES, 7):
        assert found(whole[: SLOT_BYTES + position]) == (first, 1)
        for slot, left in enumerate((second, first)):
            flipped = bytearray(whole)
            flipped[slot * SLOT_BYTES + position] ^= 1 << position % 8
            assert found(bytes(flipped)) == (left, slot)


@given(st.binary(max_size=200))
def test_garbage_is_damage(content: bytes) -> None:
    """Whatever else stands in the file is damage, in words, and no exception; such a file is made anew."""
    damage, slot = found(content)
    assert isinstance(damage, Damaged)
    assert damage.reason
    assert slot is None


@pytest.mark.parametrize(
    "slot",
    [
        b" " * SLOT_BYTES,
        seal("bowline-lock-1", a_record(), size=SLOT_BYTES),
        seal("bowline-epoch-2", ProcessIdentity(1, 1, "boot", "pid:[1]"), size=SLOT_BYTES),
        slot_of(a_record(epoch=0)),
        slot_of(a_record(epoch=-1)),
        slot_of(a_record(epoch=EPOCH_MAX + 1)),
        slot_of(a_record(starts=-1)),
    ],
)
def test_whole_slots_that_we_never_write_are_damage(slot: bytes) -> None:
    """A slot of another kind or shape, or with numbers out of range, is not believed though its checksum fits."""
    assert found(slot + slot_of(a_record())) == (a_record(), 0)
    assert found(slot_of(a_record()) + slot) == (a_record(), 1)
    assert isinstance(found(slot + slot)[0], Damaged)


def test_file_that_is_too_long_is_mended() -> None:
    """What stands behind the second slot is none of ours: that slot does not count, and is written over first."""
    assert found(slot_of(a_record()) * 2 + b" ") == (a_record(), 1)


@given(
    found=st.none() | epochs.map(lambda epoch: a_record(epoch=epoch)) | st.just(Damaged("is torn")),
    by_lock_file=st.integers(0, EPOCH_MAX - 1),
    by_journal_or_peer=st.integers(0, EPOCH_MAX - 1),
    own_start=st.booleans(),
)
def test_the_epoch_grows_above_all_that_anybody_knows(
    found: RoleRecord | Damaged | None, by_lock_file: int, by_journal_or_peer: int, *, own_start: bool
) -> None:
    """Whatever was found, the next epoch is above the file's, the lock file's and the peers', or none is given."""
    witnessed = WitnessedEpochs(by_lock_file, by_journal_or_peer)
    if isinstance(found, Damaged) and not by_lock_file and not by_journal_or_peer:
        with pytest.raises(EpochUnknownError):
            next_record(found, witnessed, role="executor", own_start=own_start, now=NOW)
        return
    record, verdict = next_record(found, witnessed, role="executor", own_start=own_start, now=NOW)
    known = [found.epoch if isinstance(found, RoleRecord) else 0, by_lock_file, by_journal_or_peer]
    assert record.epoch == max(known) + 1
    assert (verdict is EpochVerdict.FIRST) is (found is None and max(known) == 0)
    assert (verdict is EpochVerdict.BEHIND) is (isinstance(found, RoleRecord) and by_journal_or_peer > found.epoch)
    assert isinstance(record_in(slot_of(record), role="executor"), RoleRecord)


def test_a_start_that_died_before_its_epoch_was_kept_is_no_loss() -> None:
    """The lock file one ahead of the epoch file is how such a start looks: counted past, and no cause for alarm."""
    record, verdict = next_record(a_record(epoch=7), WitnessedEpochs(8, 7), role="executor", own_start=True, now=NOW)
    assert (record.epoch, verdict) == (9, EpochVerdict.CONTINUED)


def test_epochs_that_are_used_up_are_refused() -> None:
    """A number no honest count reaches stops the start instead of wrapping."""
    with pytest.raises(EpochUnknownError, match="used up"):
        next_record(a_record(epoch=EPOCH_MAX), WitnessedEpochs(0, 0), role="executor", own_start=True, now=NOW)


def test_a_fencer_is_no_restart() -> None:
    """Taking the seat to fence raises the epoch and notes the death of the one killed, not a start of the role."""
    record, _ = next_record(a_record(), WitnessedEpochs(0, 0), role="executor", own_start=False, now=NOW)
    assert (record.epoch, record.starts, record.deaths) == (8, 5, (NOW,))


def test_the_list_of_deaths_is_bounded() -> None:
    """However often a role dies, its file keeps the last few deaths and stays small."""
    record = a_record()
    for _ in range(100):
        record, _ = next_record(record, WitnessedEpochs(0, 0), role="executor", own_start=True, now=NOW)
    assert len(record.deaths) == DEATHS_KEPT_MAX
    assert len(slot_of(record)) == SLOT_BYTES


def test_a_stop_leaves_no_death() -> None:
    """After an orderly stop the next start finds nobody dead."""
    record, _ = next_record(stopped(a_record()), WitnessedEpochs(0, 0), role="executor", own_start=True, now=NOW)
    assert record.deaths == ()


@pytest.mark.parametrize(
    ("deaths", "loops"),
    [
        ([0, 0, 0], True),
        ([0, 0, CRASH_LOOP_WINDOW_NS], True),
        ([0, 0, CRASH_LOOP_WINDOW_NS + 1], False),
        ([0, 0, -1], False),
        ([0, 0], False),
    ],
)
def test_a_crash_loop_is_three_deaths_in_the_window(deaths: list[int], *, loops: bool) -> None:
    """Three deaths at most 60 s old are a loop; a death from the future is not of this boot's clock, and no death."""
    told = tuple(BootTime(NOW.boot_id, NOW.boot_ns - age_ns) for age_ns in deaths)
    assert crash_loop(told, now=NOW) is loops
    assert not crash_loop(told, now=BootTime("other", NOW.boot_ns))
