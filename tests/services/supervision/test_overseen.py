"""A mesh with its overseer, under a real supervisord; the tests go through its life in this order."""

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any, Final

import pytest

from services.supervision.mesh import Mesh
from services.supervision.starting import prepare
from tests.house.tree import CHECKOUT
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import ENDS_TOO_SOON, SmallMesh, eventually

INSTANCES: Final = ("executor", "feed-1", "risk")


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh of three and their overseer."""
    mesh = make_mesh(overseen=True, executor="steady", feed_1="steady", risk="steady")
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    return mesh


def events(mesh: SmallMesh, *levels: str) -> list[tuple[str, str]]:
    """Return what the overseer has said about whom at these levels."""
    return [(line["event"], line.get("instance", "")) for line in mesh.logged("overseer") if line["level"] in levels]


def detail(mesh: SmallMesh, event: str, instance: str) -> dict[str, Any]:
    """Return the last line with that event."""
    return [line for line in mesh.logged("overseer") if (line["event"], line.get("instance")) == (event, instance)][-1]


def start_plainly(mesh: SmallMesh) -> None:
    """Start supervisord as systemd or a person would, with nothing but its file."""
    command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(mesh.root / "supervisord.conf")]
    subprocess.run(command, cwd=mesh.root, check=True)


def others(mesh: SmallMesh) -> dict[str, int]:
    """Return the processes of all but the overseer."""
    return {name: number for name, number in mesh.process_ids().items() if name != "overseer"}


def test_overseer_is_one_of_the_mesh(mesh: SmallMesh) -> None:
    """The overseer has a row of its own, and beats."""
    eventually(lambda: mesh.rows()["overseer"]["state"] == "RUNNING")
    row = mesh.rows()["overseer"]
    assert (row["epoch"], row["starts"]) == (1, 1)
    assert row["heartbeat_age_s"] is not None


def test_death_is_said_with_its_process(mesh: SmallMesh) -> None:
    """A process that is killed is a warning with its number, and comes back without another word."""
    victim = mesh.process_ids()["risk"]
    assert mesh.run("crash", "risk").code == 0
    eventually(lambda: ("process died", "risk") in events(mesh, "warning"))
    assert detail(mesh, "process died", "risk")["process_id"] == victim
    assert events(mesh, "critical") == []


def test_overseer_killed_by_force_comes_back_alone(mesh: SmallMesh) -> None:
    """The overseer's death costs nobody anything: supervisord goes on, starts it again, and is heard by it."""
    before, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    mesh.kill(before["overseer"])
    eventually(lambda: mesh.run("status").code == 0)
    after = mesh.rows()
    assert after["overseer"]["epoch"] == 2
    assert {name: after[name]["process_id"] for name in INSTANCES} == {name: before[name] for name in INSTANCES}
    assert mesh.supervisor_id() == supervisor_id
    victim = after["executor"]["process_id"]
    assert mesh.run("crash", "executor").code == 0
    eventually(lambda: ("process died", "executor") in events(mesh, "warning"))
    assert detail(mesh, "process died", "executor")["process_id"] == victim


def test_death_of_supervisord_ends_the_overseer_alone(mesh: SmallMesh) -> None:
    """When supervisord is killed the overseer ends in order, and the children live on.

    What it says then nobody hears: its log is a pipe that supervisord read.
    """
    eventually(lambda: mesh.run("status").code == 0)
    before = mesh.process_ids()
    mesh.kill(mesh.supervisor_id())
    eventually(lambda: mesh.rows()["overseer"]["state"] == "STOPPED")
    epoch_file = (mesh.root / "var/seats/overseer.epoch").read_text()
    assert json.loads(epoch_file.splitlines()[1])["running"] is False
    rows = mesh.rows()
    assert {name: (rows[name]["state"], rows[name]["process_id"]) for name in INSTANCES} == {
        name: ("ORPHAN", before[name]) for name in INSTANCES
    }


def test_next_overseer_retires_the_orphans(mesh: SmallMesh) -> None:
    """Started without `bowline up`, a new supervisord's overseer retires one orphan after another, and says each."""
    orphans, already = others(mesh), len(mesh.witnessed())
    start_plainly(mesh)
    eventually(lambda: mesh.run("status").code == 0)
    # The last word comes when the last successor has kept its seat for a moment.
    eventually(lambda: events(mesh, "warning").count(("orphan retired", INSTANCES[-1])) == 1)
    retired = [line for line in mesh.logged("overseer") if line["event"] == "orphan retired"]
    seated = others(mesh)
    assert [(line["instance"], line["process_id"], line["killed"], line["successor_id"]) for line in retired] == [
        (name, orphans[name], False, seated[name]) for name in INSTANCES
    ]
    witnessed = mesh.witnessed()[already:]
    assert witnessed == [(word, name) for name in INSTANCES for word in ("left", "took")]
    assert not [word for word, _ in mesh.witnessed() if word == "TWO HOLDERS"]


def test_overseer_of_nobody_touches_nobody(mesh: SmallMesh) -> None:
    """Started by hand beside a mesh whose supervisord did not start it, an overseer takes no child for an orphan."""
    before = others(mesh)
    overseer_id = mesh.process_ids()["overseer"]
    os.kill(mesh.supervisor_id(), signal.SIGSTOP)  # or it would start its own overseer again
    mesh.kill(overseer_id)
    command = [sys.executable, "-m", "services.overseer", "--root", str(mesh.root)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stderr is not None
        next(line for line in stranger.stderr if '"running"' in line)
        os.kill(mesh.supervisor_id(), signal.SIGCONT)
        said = next(line for line in stranger.stderr if "an orphan could not be retired" in line)
        stranger.terminate()
    assert "we were started by" in said
    eventually(lambda: mesh.run("status").code == 0)
    assert others(mesh) == before


def test_seats_removed_under_a_mesh_that_runs_cost_no_epoch(mesh: SmallMesh) -> None:
    """Everybody begins anew above the epoch that the overseer wrote down; a lower one would be an alarm."""
    before = mesh.rows()
    eventually(lambda: {path.name for path in (mesh.root / "var/overseer").iterdir()} == before.keys())
    shutil.rmtree(mesh.root / "var/seats")
    eventually(lambda: all((row["epoch"] or 0) > before[name]["epoch"] for name, row in mesh.rows().items()))
    assert any("the epoch file is gone" in line.get("reason", "") for line in mesh.logged("risk"))
    assert ("an epoch is lower than before", "risk") not in events(mesh, "critical")
    eventually(lambda: all(row["state"] in {"RUNNING", "CRASH LOOP"} for row in mesh.rows().values()))


def test_program_that_dies_before_it_has_its_seat_is_a_crash_loop(make_mesh: MakeMesh) -> None:
    """Who runs for more than a second each time, and never has a seat, is shown as what it is."""
    mesh = make_mesh(overseen=True, risk="fleeting")
    prepare(Mesh.of(mesh.root, {}))
    start_plainly(mesh)
    eventually(lambda: mesh.rows()["risk"]["state"] == "CRASH LOOP")
    eventually(lambda: ("process dies again and again", "risk") in events(mesh, "critical"))
    assert mesh.run("down").code == 0


def test_down_ends_the_overseer_too(mesh: SmallMesh) -> None:
    """`bowline down` stops the overseer in order like everybody else."""
    ids, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    lines = [f"{name}: process {ids[name]} stopped in order\n" for name in sorted(ids)]
    assert stopped.output == "".join([*lines, f"supervisord: process {supervisor_id} ended\n"])


def test_program_given_up_is_an_alarm(make_mesh: MakeMesh) -> None:
    """A program that dies at each start is said so each time, and given up aloud, by a later overseer too."""
    mesh = make_mesh({"risk": ENDS_TOO_SOON}, overseen=True, risk="brief", metrics="steady")
    assert mesh.run("up").code == 3
    given_up = ("process is down, and supervisord has given up on it", "risk")
    eventually(lambda: given_up in events(mesh, "critical"))
    deaths = [event for event in events(mesh, "warning") if event == ("process died at its start", "risk")]
    assert len(deaths) == 2
    mesh.kill(mesh.process_ids()["overseer"])  # the next one was not there when it happened
    eventually(lambda: events(mesh, "critical").count(given_up) == 2)
    assert mesh.run("down").code == 0
