"""What a supervisord killed by force leaves behind, and how the next one gets its mesh back."""

import pytest

from shared.mesh.clock import SystemClock
from shared.mesh.orphans import Patience, retire_orphans
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import SmallMesh

INSTANCES = ("executor", "feed-1", "risk")


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh in which one process does not hear SIGTERM, and kill its supervisord."""
    changes = {instance: {"stopwaitsecs": "1"} for instance in INSTANCES}
    mesh = make_mesh(changes, executor="steady", feed_1="stubborn", risk="steady")
    assert mesh.run("up").code == 0
    mesh.kill(mesh.supervisor_id())
    return mesh


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
    endless = Patience(drain_ns=3_600_000_000_000, successor_ns=3_600_000_000_000)
    looks = iter([True, True, True])  # at the lock, before SIGTERM, and once while waiting for the death
    with PrivateDirectory(mesh.root / "var/seats") as seats:
        posts = [Post(name, seats, SystemClock()) for name in ("feed-1", "risk")]
        retired = retire_orphans(
            posts, supervisor_id=None, supervised=INSTANCES, patience=endless, wanted=lambda: next(looks, False)
        )
        assert list(retired) == []
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
