"""Seats of roles: one holder at a time, for as long as it lives and no longer. Real processes, real locks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.mesh.clock import SystemClock, VirtualClock
from shared.mesh.epoch import CRASH_LOOP_WINDOW_NS, EPOCH_FILE_BYTES, SLOT_BYTES, EpochUnknownError, EpochVerdict
from shared.mesh.private_directory import FileUnusableError, NotPrivateError, PrivateDirectory
from shared.mesh.role_lock import LockNote, RoleLock, kernel_holder, read_note
from shared.mesh.sealed_record import Damaged
from shared.mesh.seat import Post, Seat, Standby, patience, stand_by, take_seat
from tests.shared.mesh.crew import CHECKOUT, Crew

SECOND_NS = 1_000_000_000


def a_post(directory: Path, *, role: str = "executor", clock: VirtualClock | None = None) -> Post:
    """Return a post in this directory."""
    return Post(role, PrivateDirectory(directory), clock or VirtualClock())


def a_seat(post: Post, *, known_epoch: int = 0) -> Seat:
    """Take a seat that is free."""
    seat = take_seat(post, known_epoch=known_epoch)
    assert isinstance(seat, Seat)
    return seat


def die(seat: Seat) -> None:
    """Let go of a seat as the death of its holder does: the lock is free, and nothing was noted."""
    seat._lock.release()


def test_a_second_instance_stands_by_until_the_first_is_dead(crew: Crew, tmp_path: Path) -> None:
    """It says who holds the seat, and takes over with a higher epoch as soon as kill -9 ended the first."""
    first = crew.start("hold", tmp_path / "run")
    assert first.hear()["epoch"] == 1
    second = crew.start("hold", tmp_path / "run")
    assert second.hear()["standby"] == f"executor.lock is held by executor, process {first.process_id}"
    first.kill()
    assert second.await_seat() == {"epoch": 2, "verdict": "CONTINUED", "crash_loop": False, "restarts": 1}


def test_an_orderly_stop_frees_the_seat_at_once(crew: Crew, tmp_path: Path) -> None:
    """A holder that stops but lives on, as a process does that shuts down slowly, lets the next one in."""
    first = crew.start("hold", tmp_path / "run")
    first.hear()
    second = crew.start("hold", tmp_path / "run")
    assert "standby" in second.hear()
    first.say("stop")
    assert first.hear() == {"stopped": True}
    assert second.await_seat()["epoch"] == 2
    assert not first.is_dead()


def test_other_roles_are_not_in_the_way(tmp_path: Path) -> None:
    """Each role has its own seat in the same directory."""
    assert a_seat(a_post(tmp_path / "run")).is_intact()
    assert a_seat(a_post(tmp_path / "run", role="risk")).is_intact()


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_no_child_keeps_the_lock(how: str, crew: Crew, tmp_path: Path) -> None:
    """A child that outlives its killed parent leaves the seat free, whether it runs another program or ours."""
    first = crew.start("hold", tmp_path / "run")
    first.hear()
    child = first.ask(how)["child"]
    handle = os.pidfd_open(child)
    try:
        first.kill()
        assert crew.start("hold", tmp_path / "run").await_seat()["epoch"] == 2
        signal.pidfd_send_signal(handle, 0)  # it raises if the child is dead
    finally:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def test_a_forked_child_does_not_free_the_lock(crew: Crew, tmp_path: Path) -> None:
    """The parent's lock holds on when a child closes its copy of it."""
    first = crew.start("hold", tmp_path / "run")
    first.hear()
    handle = os.pidfd_open(first.ask("fork")["child"])
    assert first.ask("intact") == {"intact": True}
    assert "standby" in crew.start("hold", tmp_path / "run").hear()
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)


def test_a_holder_notices_that_its_lock_guards_nothing(crew: Crew, tmp_path: Path) -> None:
    """Removing the lock file frees nobody's lock but opens the seat to others: the holder sees it and can die."""
    first = crew.start("hold", tmp_path / "run")
    first.hear()
    assert first.ask("intact") == {"intact": True}
    (tmp_path / "run" / "executor.lock").unlink()
    assert first.ask("intact") == {"intact": False}
    second = crew.start("hold", tmp_path / "run")
    assert second.await_seat()["epoch"] == 2
    assert first.ask("intact") == {"intact": False}
    # Its late stop must not write over what the second one keeps.
    assert first.ask("stop") == {"stopped": True}
    second.kill()
    assert crew.start("hold", tmp_path / "run").await_seat()["epoch"] == 3


def test_the_lock_file_says_who_holds_it(crew: Crew, tmp_path: Path) -> None:
    """Role, process, epoch; the kernel names the same process; and after an orderly stop nobody is named."""
    holder = crew.start("hold", tmp_path / "run")
    holder.hear()
    directory = PrivateDirectory(tmp_path / "run")
    note = read_note(directory, "executor.lock")
    assert isinstance(note, LockNote)
    assert note.holder is not None
    assert (note.holder.role, note.holder.process.process_id, note.epoch) == ("executor", holder.process_id, 1)
    assert note.holder.process.boot_id == SystemClock().boot_id
    assert kernel_holder(directory, "executor.lock") in {holder.process_id, None}
    gate = read_note(directory, "executor.gate")
    assert isinstance(gate, LockNote)
    assert gate.holder is None
    holder.ask("stop")
    note = read_note(directory, "executor.lock")
    assert isinstance(note, LockNote)
    assert (note.holder, note.epoch) == (None, 1)
    assert kernel_holder(directory, "executor.lock") is None


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """Whoever waits can have enough, and has then taken nothing and noted nothing."""
    seat = a_seat(a_post(tmp_path / "run"))
    attempts = 0

    def attempt() -> Seat | Standby:
        nonlocal attempts
        attempts += 1
        return take_seat(a_post(tmp_path / "run"))

    assert isinstance(stand_by(attempt, patience(attempts=3, pause_ns=1)), Standby)
    assert attempts == 4
    die(seat)
    assert a_seat(a_post(tmp_path / "run")).epoch == 2


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"file": "executor.gate"}, "executor.gate is held by executor, process"),
        ({"file": "executor.lock", "signed": False}, "held by a process unknown, since the file is empty"),
        ({"file": "executor.lock", "holder": {"role": "flattener"}}, "executor.lock is held by flattener"),
    ],
)
def test_standby_tells_what_it_can(order: dict[str, object], words: str, crew: Crew, tmp_path: Path) -> None:
    """Whoever is in the way, at the gate or at the lock, is named as far as the file names anybody."""
    crew.start("impostor", tmp_path / "run", **order).hear()
    standby = take_seat(a_post(tmp_path / "run"))
    assert isinstance(standby, Standby)
    assert words in standby.words
    standby.wait(timeout_ns=1)


def test_three_deaths_in_a_minute_are_a_crash_loop(crew: Crew, tmp_path: Path) -> None:
    """Killed three times in a row, the role is told so at its fourth start, and not before."""
    told = []
    for _ in range(4):
        holder = crew.start("hold", tmp_path / "run")
        told.append(holder.hear()["crash_loop"])
        holder.kill()
    assert told == [False, False, False, True]


def test_orderly_stops_are_no_deaths(tmp_path: Path) -> None:
    """However often a role is stopped in order, and killed twice in between, it is in no crash loop."""
    post = a_post(tmp_path / "run")
    for start in range(10):
        seat = a_seat(post)
        assert not seat.crash_loop
        assert (seat.restarts, seat.died) == (start, start - 1 in {3, 7})
        if start in {3, 7}:
            die(seat)
        else:
            seat.stop()


def test_a_crash_loop_is_told_by_the_boot_clock(tmp_path: Path) -> None:
    """Deaths leave the window as boot time passes, sleep included; setting the wall clock moves nothing."""
    clock = VirtualClock()
    post = a_post(tmp_path / "run", clock=clock)
    for _ in range(3):
        die(a_seat(post))
        clock.step_wall(-7_200 * SECOND_NS)
        clock.advance(SECOND_NS)
    seat = a_seat(post)
    assert seat.crash_loop
    seat.stop()
    clock.suspend(CRASH_LOOP_WINDOW_NS - 2 * SECOND_NS)
    seat = a_seat(post)
    assert seat.crash_loop
    seat.stop()
    clock.advance(1)
    assert not a_seat(post).crash_loop


def test_deaths_of_another_boot_are_past(tmp_path: Path) -> None:
    """After a reboot the old deaths do not count, though the boot clock shows the same minute again."""
    clock = VirtualClock(boot_ns=100 * SECOND_NS)
    post = a_post(tmp_path / "run", clock=clock)
    for _ in range(4):
        die(a_seat(post))
    clock.reboot(boot_id="virtual-boot-2")
    clock.advance(100 * SECOND_NS)
    assert not a_seat(post).crash_loop


def test_a_lost_epoch_file_is_made_up_from_the_lock_file(tmp_path: Path) -> None:
    """The lock file remembers the last epoch, so that removing the other never leads back to 1; the loss is told."""
    post = a_post(tmp_path / "run")
    for _ in range(3):
        a_seat(post).stop()
    (tmp_path / "run" / "executor.epoch").unlink()
    seat = a_seat(post)
    assert (seat.epoch, seat.verdict) == (4, EpochVerdict.MISSING)


def test_when_all_files_are_lost_a_journal_or_peer_knows(tmp_path: Path) -> None:
    """A directory restored empty, or a new disk, goes on above the highest epoch anybody has seen."""
    seat = a_seat(a_post(tmp_path / "run"), known_epoch=41)
    assert (seat.epoch, seat.verdict) == (42, EpochVerdict.MISSING)


def test_an_old_copy_of_the_files_is_noticed(tmp_path: Path) -> None:
    """A directory as it was yesterday is behind what a journal or peer knows: the epoch still grows, and it is told."""
    post = a_post(tmp_path / "run")
    a_seat(post).stop()
    seat = a_seat(post, known_epoch=9)
    assert (seat.epoch, seat.verdict) == (10, EpochVerdict.BEHIND)


def test_a_first_start_is_the_only_one_at_epoch_one(tmp_path: Path) -> None:
    """Without any file, and with nobody who knows better, a role begins at 1 and says that this is the first."""
    seat = a_seat(a_post(tmp_path / "run"))
    assert (seat.epoch, seat.verdict, seat.restarts) == (1, EpochVerdict.FIRST, 0)


def test_a_torn_epoch_file_never_leads_back(fast_path: Path) -> None:
    """Cut anywhere, the epoch file never leads back, is told when nothing of it is left, and is mended by the start."""
    post = a_post(fast_path / "run")
    a_seat(post).stop()
    file = fast_path / "run" / "executor.epoch"
    whole = file.read_bytes()
    epoch = 1
    for length in range(0, len(whole), 37):
        file.write_bytes(whole[:length])
        nothing_left = length < SLOT_BYTES
        for verdict in (EpochVerdict.DAMAGED if nothing_left else EpochVerdict.CONTINUED, EpochVerdict.CONTINUED):
            seat = a_seat(post)
            epoch += 1
            assert (seat.epoch, seat.verdict) == (epoch, verdict)
            seat.stop()


@pytest.mark.parametrize("slot", [0, 1])
def test_either_slot_that_is_lost_leads_nowhere(slot: int, tmp_path: Path) -> None:
    """With one slot damaged after every death, and no lock file to remember, each start counts on by one."""
    post = a_post(tmp_path / "run")
    for epoch in range(1, 6):
        seat = a_seat(post)
        assert seat.epoch == epoch
        assert seat.verdict in {EpochVerdict.FIRST, EpochVerdict.CONTINUED}
        die(seat)
        (tmp_path / "run" / "executor.lock").unlink()
        file = tmp_path / "run" / "executor.epoch"
        content = bytearray(file.read_bytes())
        content[slot * SLOT_BYTES + 100] ^= 1
        file.write_bytes(content)


def test_role_that_has_its_file_needs_no_room(tmp_path: Path) -> None:
    """Starts and stops write the file in place: it stays the file it is, with the size it has."""
    post = a_post(tmp_path / "run")
    file = tmp_path / "run" / "executor.epoch"
    a_seat(post).stop()
    made = file.stat()
    for _ in range(5):
        a_seat(post).stop()
    assert (file.stat().st_ino, file.stat().st_size) == (made.st_ino, EPOCH_FILE_BYTES)


def test_without_any_witness_a_damaged_epoch_is_refused(tmp_path: Path) -> None:
    """With the lock file torn as well nothing starts and nothing is held, until a journal or peer knows an epoch."""
    post = a_post(tmp_path / "run")
    a_seat(post).stop()
    for name in ("executor.epoch", "executor.lock"):
        file = tmp_path / "run" / name
        file.write_bytes(file.read_bytes()[:700])
    for _ in range(2):
        with pytest.raises(EpochUnknownError, match="restore the file"):
            take_seat(post)
    assert a_seat(post, known_epoch=1).epoch == 2


def test_the_epoch_file_of_another_role_is_refused(tmp_path: Path) -> None:
    """A file that was copied between roles is an operator's slip: its name is told, nothing starts, nothing is held."""
    a_seat(a_post(tmp_path / "run", role="risk")).stop()
    (tmp_path / "run" / "risk.epoch").rename(tmp_path / "run" / "executor.epoch")
    for _ in range(2):
        with pytest.raises(EpochUnknownError, match="belongs to risk"):
            take_seat(a_post(tmp_path / "run"), known_epoch=5)


def test_a_lock_file_of_another_role_is_no_witness(tmp_path: Path) -> None:
    """A copied lock file locks as any file does, but its epoch is not believed."""
    post = a_post(tmp_path / "run", role="risk")
    for _ in range(5):
        a_seat(post).stop()
    (tmp_path / "run" / "risk.lock").rename(tmp_path / "run" / "executor.lock")
    assert isinstance(read_note(post.directory, "executor.lock"), Damaged)
    assert a_seat(a_post(tmp_path / "run")).verdict is EpochVerdict.FIRST


@pytest.mark.parametrize("name", ["executor.gate", "executor.lock", "executor.epoch"])
def test_a_planted_file_is_refused_and_nothing_is_held(name: str, tmp_path: Path) -> None:
    """A link where one of the three files belongs stops the start in plain words; removed, the start succeeds."""
    post = a_post(tmp_path / "run")
    (tmp_path / "run" / name).symlink_to(tmp_path / "goal")
    with pytest.raises(NotPrivateError, match="remove it"):
        take_seat(post)
    (tmp_path / "run" / name).unlink()
    assert a_seat(post).epoch > 0
    assert not (tmp_path / "goal").exists()


def test_a_lock_file_that_vanishes_each_time_is_told(tmp_path: Path) -> None:
    """A directory renamed away under an open post has no lock to give, and says so instead of giving a void one."""
    post = a_post(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "away")
    with pytest.raises(FileUnusableError, match="removed again and again"):
        RoleLock.try_take(post.directory, "executor.lock")


DISK_TEST = """
mount -t tmpfs -o size=64k,mode=0700 none "$1" && exec "$2" -m tests.shared.mesh.full_disk "$1"
"""


def test_a_full_disk_refuses_only_the_first_start(tmp_path: Path) -> None:
    """On a real file system that is full a role starts that ever did; on a read-only one none. No epoch goes back."""
    if os.geteuid() != 0:
        pytest.skip("in a user namespace of another user, root's directories above ours belong to a stranger")
    (tmp_path / "disk").mkdir(mode=0o700)
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine allows no mounts of one's own")
    told = subprocess.run(
        [*command, "sh", "-c", DISK_TEST, "sh", str(tmp_path / "disk"), sys.executable],
        cwd=CHECKOUT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [
        "full before the first start: FileUnusableError, No space left on device",
        "room again: epoch 1",
        "full: epoch 2",
        "room again: epoch 3",
        "read-only: FileUnusableError, Read-only file system",
        "writable again: epoch 4",
    ], told.stderr
