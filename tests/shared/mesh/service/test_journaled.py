"""A service that owns a journal, as a real process: what it answered outlives it, and what it lost it says."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from proto.control import ControlDone, ControlRefused
from proto.risk import Anchor
from shared.mesh.anchors import AnchorKeeper, Witnessed, anchors_of
from tests.house.tree import CHECKOUT
from tests.services.supervision.harness import eventually
from tests.shared.mesh.journal.journals import durable_bytes
from tests.shared.mesh.service.running import Project, Running

FULL_DISK_MARGIN_BYTES = 64
FULL_DISK_TEST = """
mount -t tmpfs -o size=24m,mode=0700 none "$1" && TMPDIR="$1" exec "$2" -m tests.shared.mesh.service.full_disk
"""


def newest_segment(project: Project) -> Path:
    """Return the segment that is written to."""
    return max(project.journal.glob("[0-9]*"))


def kept(project: Project) -> list[int]:
    """Return the numbers of the anchors that others keep of the executor's journal."""
    found = anchors_of(project.root / "var/anchors", "executor")
    return [one.anchor.sequence for one in found if isinstance(one, Witnessed)]


def state(running: Running) -> dict[str, int]:
    """Return what a process knew when it had started."""
    folded: dict[str, int] = running.says("folded")["state"]
    return folded


def filled(project: Project, count: int) -> Running:
    """Start the executor and have that many requests answered."""
    running = project.start()
    running.says("running")
    for number in range(1, count + 1):
        assert project.pause(f"request-{number}") == ControlDone(summary=f"number {number}")
    return running


def test_what_was_answered_stands_in_the_journal(project: Project) -> None:
    """Killed right behind its answer, a process knows of it when it starts again, and answers the same again."""
    filled(project, 3).kill()
    again = project.start()
    assert state(again) == {"request-1": 1, "request-2": 2, "request-3": 3}
    assert project.pause("request-2") == ControlDone(summary="number 2")
    assert project.pause("request-4") == ControlDone(summary="number 4")
    assert again.stop() == 0


def test_same_id_is_one_record(project: Project) -> None:
    """Asked twice under one id, by the same process and by its successor, the journal has one record."""
    first = filled(project, 1)
    assert project.pause("request-1") == ControlDone(summary="number 1")
    first.kill()
    second = project.start()
    second.says("running")
    assert project.pause("request-1") == ControlDone(summary="number 1")
    second.kill()
    assert state(project.start()) == {"request-1": 1}


def test_lost_tail_is_said_to_all(project: Project) -> None:
    """An older copy of the journal, put back under a follower's anchor, is a trouble and a hole in the numbers."""
    follower = project.start("metrics")
    first = filled(project, 1)
    first.stop()
    shutil.copytree(project.journal, project.root / "copy")
    second = project.start()
    second.says("running")
    for number in (2, 3):
        project.pause(f"request-{number}")
    while follower.says("told")["sequence"] < 3:
        pass
    eventually(lambda: kept(project) == [3])
    second.stop()
    shutil.rmtree(project.journal)
    shutil.copytree(project.root / "copy", project.journal)
    third = project.start()
    folded = third.says("folded")
    assert folded["state"] == {"request-1": 1}
    assert [trouble for trouble in folded["troubles"] if "lost its tail" in trouble]
    assert project.pause("request-5") == ControlDone(summary="number 2")
    told = follower.says("told of loss")
    assert told["next_sequence"] == 5  # 4 is the gap record itself
    assert follower.says("told")["sequence"] == 5


def test_a_last_word_stands_in_the_journal(project: Project) -> None:
    """What is written down on the way out is durable, and who writes it ends in order, though nobody may hear of it."""
    running = project.start("executor", "with-a-last-word")
    running.says("running")
    assert project.pause("request-1") == ControlDone(summary="number 1")
    assert running.stop() == 0
    assert state(project.start()) == {"request-1": 1, "last-word": 2}


def test_old_epoch_file_is_overtaken(project: Project) -> None:
    """Where the journal knows a higher epoch than the file, the start takes one above both, and says so."""
    filled(project, 1).stop()
    epoch_file = project.root / "var/seats/executor.epoch"
    old = epoch_file.read_bytes()
    for number in (2, 3, 4):
        running = project.start()
        running.says("running")
        project.pause(f"request-{number}")
        running.stop()
    epoch_file.write_bytes(old)
    lock_file = project.root / "var/seats/executor.lock"
    lock_file.unlink()
    folded = project.start().says("folded")
    assert folded["epoch"] > 4
    assert [trouble for trouble in folded["troubles"] if "old copy" in trouble]
    assert folded["state"] == {f"request-{number}": number for number in (1, 2, 3, 4)}


def test_old_copies_of_everything_are_all_said(project: Project) -> None:
    """With the journal's tail and all files of the seat rolled back, an epoch that a peer saw is not used again.

    Both are said, though the journal is opened twice.
    """
    project.start("metrics")
    filled(project, 1).stop()
    epoch_file = project.root / "var/seats/executor.epoch"
    old = epoch_file.read_bytes()
    second = project.start()
    second.says("running")
    project.pause("request-2")
    second.stop()
    shutil.copytree(project.journal, project.root / "copy")
    third = project.start()
    third.says("running")
    project.pause("request-3")
    eventually(lambda: kept(project) == [3])
    third.stop()
    shutil.rmtree(project.journal)
    shutil.copytree(project.root / "copy", project.journal)
    epoch_file.write_bytes(old)
    (project.root / "var/seats/executor.lock").unlink()
    folded = project.start().says("folded")
    assert folded["epoch"] == 4
    assert [trouble for trouble in folded["troubles"] if "old copy" in trouble]
    assert [trouble for trouble in folded["troubles"] if "lost its tail" in trouble]


def test_full_disk_refuses_and_does_nothing(project: Project) -> None:
    """What there is no room for comes back to the core, was not answered as done, and is not known after a restart."""
    running = filled(project, 20)
    size = durable_bytes(project.journal)
    limit = (size + FULL_DISK_MARGIN_BYTES, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    unlimited = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, limit)
    refused = project.pause("request-21")
    assert isinstance(refused, ControlRefused)
    assert refused.rule == "no_room"
    assert running.says("not recorded")["bodies"] == 1
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, unlimited)
    running.kill()
    assert list(state(project.start())) == [f"request-{number}" for number in range(1, 21)]


def test_dead_owner_starts_on_a_full_disk() -> None:
    """Killed when the last byte of a real disk is taken, it comes up with its state, says so, and stops in order."""
    if os.geteuid() != 0:
        pytest.skip("in a user namespace of another user, root's directories above ours belong to a stranger")
    command = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*command, "true"], check=False).returncode:
        pytest.skip("this machine allows no mounts of one's own")
    with tempfile.TemporaryDirectory(prefix="bw-") as folder:  # short, for the paths of sockets
        told = subprocess.run(
            [*command, "sh", "-c", FULL_DISK_TEST, "sh", folder, sys.executable],
            cwd=CHECKOUT,
            check=False,
            capture_output=True,
            text=True,
        )
    assert told.stdout.splitlines() == [
        "full: epoch 2, knows {'request-1': 1}, []",
        "refused: no_room",
        "stopped: 0",
        "room again: epoch 3, knows {'request-1': 1}, []",
    ], told.stderr


def test_damaged_journal_asks_for_a_person(project: Project) -> None:
    """A journal with a flipped bit is not opened: the code is 78, and the reason names the place."""
    filled(project, 3).stop()
    segment = newest_segment(project)
    content = bytearray(segment.read_bytes())
    content[durable_bytes(project.journal) // 2] ^= 1
    segment.write_bytes(content)
    refused = project.start()
    assert refused.end() == 78
    (said,) = [line for line in refused.lines if line["event"] == "cannot start"]
    assert said["level"] == "critical"
    assert segment.name in said["reason"]


def test_damaged_anchor_is_a_trouble_and_no_more(project: Project) -> None:
    """A keeper's file that cannot be read any more is said, and the service works."""
    filled(project, 1).stop()
    keeper = project.root / "var/anchors/metrics"
    keeper.mkdir(mode=0o700, parents=True)
    (keeper / "executor").write_text("nonsense\n")
    (keeper / "executor").chmod(0o600)
    running = project.start()
    (trouble,) = running.says("folded")["troubles"]
    assert trouble.startswith("the anchor that metrics keeps of executor ")
    assert project.pause("request-2") == ControlDone(summary="number 2")


def test_anchor_open_to_others_is_a_trouble_and_no_more(project: Project) -> None:
    """A keeper's file that others could have read is said, and the owner starts."""
    filled(project, 1).stop()
    keeper = AnchorKeeper(project.root / "var/anchors", "metrics")
    keeper.keep("executor", Witnessed(Anchor(sequence=1, digest="7" * 64), 1))
    keeper.close()
    (project.root / "var/anchors/metrics/executor").chmod(0o644)
    running = project.start()
    (trouble,) = running.says("folded")["troubles"]
    assert trouble.endswith("has mode 0644: look who wrote it, then chmod 0600 it")
    assert project.pause("request-2") == ControlDone(summary="number 2")
