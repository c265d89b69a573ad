"""What a supervisord killed by force leaves behind, and how the next one gets its mesh back."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.supervision.mesh import Mesh
from shared.mesh.clock import SystemClock
from shared.mesh.orphans import Patience, Succession, patience_of, retire_orphans
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post
from shared.mesh.supervisor import Program
from tests.house.tree import CHECKOUT
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import SmallMesh, eventually

INSTANCES = ("executor", "feed-1", "risk")
STOP_WAIT_S = 5  # who hears ends in that time, on a busy machine too; who does not is waited for so long


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh in which one process does not hear SIGTERM, and kill its supervisord."""
    changes = {instance: {"stopwaitsecs": str(STOP_WAIT_S)} for instance in INSTANCES}
    mesh = make_mesh(changes, executor="steady", feed_1="stubborn", risk="steady")
    assert mesh.run("up").code == 0
    mesh.kill(mesh.supervisor_id())
    return mesh


@contextmanager
def standing_by(mesh: SmallMesh, instance: str) -> Iterator[Program]:
    """Start a process that stands by for a seat as a child of ours, with what a supervisord would say of it."""
    command = [sys.executable, "-m", "tests.services.supervision.program", str(mesh.root), instance, "steady"]
    with subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.DEVNULL) as child:
        try:
            yield Program(name=instance, state="RUNNING", process_id=child.pid, start=0, now=1, spawn_error="")
        finally:
            child.kill()


def was_asked_to_end(mesh: SmallMesh, instance: str) -> bool:
    """Tell whether SIGTERM has reached a process that does not end on it."""
    return ("was asked", instance) in mesh.witnessed()


def test_status_shows_orphans(mesh: SmallMesh) -> None:
    """Without supervisord the processes live on, are shown as orphans, and the code is 3."""
    shown = mesh.run("status")
    assert shown.code == 3
    assert "supervisord does not run" in shown.output
    assert {row["state"] for row in mesh.rows().values()} == {"ORPHAN"}


def test_nobody_starts_again_what_is_crashed_now(mesh: SmallMesh) -> None:
    """What needs a supervisord says that none runs, and what to do."""
    restarted = mesh.run("restart", "risk")
    assert (restarted.code, restarted.errors.count("\n")) == (1, 1)
    assert "`bowline up`" in restarted.errors


def test_retiring_stops_when_it_is_no_longer_wanted(mesh: SmallMesh) -> None:
    """An overseer that ends waits for no orphan and kills none, even one that it has asked to end."""
    orphans = mesh.process_ids()
    long = Patience(drain_ns=60_000_000_000, successor_ns=60_000_000_000)
    with PrivateDirectory(mesh.root / "var/seats") as seats, standing_by(mesh, "feed-1") as program:
        posts = [Post(name, seats, SystemClock()) for name in ("feed-1", "risk")]
        succession = Succession(os.getpid(), lambda: [program])
        retired = retire_orphans(
            posts, succession=succession, patience=long, wanted=lambda: not was_asked_to_end(mesh, "feed-1")
        )
        assert list(retired) == []
    assert was_asked_to_end(mesh, "feed-1")
    assert mesh.process_ids() == orphans


def test_up_retires_orphans_one_by_one(mesh: SmallMesh) -> None:
    """A new supervisord's children get their seats one after the other, and no seat ever has two holders."""
    orphans = mesh.process_ids()
    already = len(mesh.witnessed())
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    rows = mesh.rows()
    assert {name: row["epoch"] for name, row in rows.items()} == dict.fromkeys(INSTANCES, 2)
    retired = [line for line in brought_up.output.splitlines() if "orphan" in line]
    assert retired == [
        f"{name}: orphan {orphans[name]} {how}; process {rows[name]['process_id']} has its seat"
        for name, how in (
            ("executor", "ended in order"),
            ("feed-1", "was killed, for it did not end in time"),
            ("risk", "ended in order"),
        )
    ]
    # One seat at a time is empty: whoever left, or was killed, is followed before the next one leaves.
    assert mesh.witnessed()[already:] == [
        ("left", "executor"),
        ("took", "executor"),
        ("took", "feed-1"),
        ("left", "risk"),
        ("took", "risk"),
    ]


def test_patience_is_what_supervisord_was_told(mesh: SmallMesh) -> None:
    """Whoever retires an orphan gives it as long as supervisord would: the longest `stopwaitsecs` of its file."""
    with Mesh.of(mesh.root, {}).supervisor() as supervisor:
        assert patience_of(supervisor).drain_ns == STOP_WAIT_S * 1_000_000_000


def test_no_orphan_is_touched_without_a_successor(make_mesh: MakeMesh) -> None:
    """Where every new child ends at once, overseer and `up` leave all orphans alone, and say so of each."""
    names = ("executor", "flattener", "risk")
    changes = {name: {"startretries": "1"} for name in names}
    mesh = make_mesh(changes, overseen=True, executor="steady", flattener="steady", risk="steady")
    assert mesh.run("up").code == 0
    mesh.kill(mesh.supervisor_id())
    eventually(lambda: mesh.rows()["overseer"]["state"] == "STOPPED")
    orphans = {name: mesh.process_ids()[name] for name in names}
    file = mesh.root / "supervisord.conf"
    # As after an error in the settings.
    file.write_text(re.sub(r"command=.* -m tests\.services.*", "command=false", file.read_text()))
    brought_up = mesh.run("up")
    assert brought_up.code == 3, brought_up.everything
    words = {
        f"{name}: orphan {orphans[name]} was left alone, for no child of supervisord stands by "
        f"to take its seat; see the log of {name}"
        for name in names
    }
    assert words <= set(brought_up.output.splitlines())
    eventually(lambda: words <= {line.get("reason") for line in mesh.logged("overseer")})
    rows = mesh.rows()
    assert {name: rows[f"{name} ORPHAN"]["process_id"] for name in names} == orphans
    assert {word for word, _ in mesh.witnessed()} == {"took"}


def test_down_ends_orphans_too(mesh: SmallMesh) -> None:
    """Without a supervisord `down` asks the orphans to end, and kills whoever does not."""
    orphans = mesh.process_ids()
    mesh.kill(mesh.supervisor_id())
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    assert stopped.output == (
        f"executor: process {orphans['executor']} stopped in order\n"
        f"feed-1: process {orphans['feed-1']} did not stop in order: it was killed, or crashed on the way\n"
        f"risk: process {orphans['risk']} stopped in order\n"
    )
    assert mesh.run("down").output == "nothing runs\n"
