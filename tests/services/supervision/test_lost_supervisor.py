"""A supervisord that lives and cannot be asked, or is not ours; the tests go through a mesh's life in order."""

import os
import signal
import socket

import pytest

from shared.mesh.process_identity import command_line_of
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import SmallMesh, eventually


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh of two."""
    mesh = make_mesh(executor="steady", risk="steady")
    assert mesh.run("up").code == 0
    return mesh


def lives(process_id: int) -> bool:
    """Tell whether there is such a process, and not only what is left of it until its parent looks."""
    return bool(command_line_of(process_id))


@pytest.mark.parametrize("shared", [("RUN",), ("VAR",), ("RUN", "VAR")])
def test_another_project_is_not_touched(mesh: SmallMesh, make_mesh: MakeMesh, shared: tuple[str, ...]) -> None:
    """A checkout that shares a directory with a mesh that runs does nothing to it, and says whose it is."""
    other = make_mesh(executor="steady", risk="steady")
    places = {"RUN": str(mesh.root / "var/run"), "VAR": str(mesh.root / "var")}
    environment = {f"BOWLINE_PATHS__{name}_DIRECTORY": places[name] for name in shared}
    before, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    for verb in (("up",), ("down",), ("restart", "risk"), ("crash", "risk"), ("status",)):
        refused = other.run(*verb, environment=environment)
        assert (refused.code, refused.errors.count("\n")) == (1, 1), refused.everything
        assert f"process {supervisor_id}, started with {mesh.root}/supervisord.conf, belongs to" in refused.errors
    assert mesh.process_ids() == before


def test_stopped_supervisord_is_named_with_the_remedy(mesh: SmallMesh) -> None:
    """The table is shown all the same, with who is stopped and how it goes on; `up` starts no second one."""
    supervisor_id = mesh.supervisor_id()
    os.kill(supervisor_id, signal.SIGSTOP)
    try:
        shown = mesh.run("status")
        refused = mesh.run("up")
    finally:
        os.kill(supervisor_id, signal.SIGCONT)
    assert shown.code == 3
    assert f"`kill -CONT {supervisor_id}`" in shown.output
    assert shown.output.count("RUNNING") == 2
    assert (refused.code, f"`kill -CONT {supervisor_id}`" in refused.errors) == (1, True)
    eventually(lambda: mesh.run("status").code == 0)


@pytest.mark.parametrize("files", [("supervisor.sock",), ("supervisor.sock", "supervisord.pid")])
def test_supervisord_without_its_socket_is_found(mesh: SmallMesh, files: tuple[str, ...]) -> None:
    """`status` finds it by its pid file or its children, `up` starts no second one, and `down` ends it."""
    assert mesh.run("up").code == 0
    ids, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    for name in files:
        (mesh.root / "var/run" / name).unlink()
    shown, refused = mesh.run("status"), mesh.run("up")
    words = f"supervisord, process {supervisor_id}, lives, but nobody can speak to it"
    assert (shown.code, words in shown.output, shown.output.count("RUNNING")) == (3, True, 2)
    assert (refused.code, words in refused.errors) == (1, True)
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    assert stopped.output.splitlines() == [
        *(f"{name}: process {ids[name]} stopped in order" for name in sorted(ids)),
        f"supervisord: process {supervisor_id} could not be asked, was sent SIGTERM, and ended",
    ]
    assert not any(lives(process_id) for process_id in (supervisor_id, *ids.values()))


def test_stopped_supervisord_is_ended(mesh: SmallMesh) -> None:
    """`down` lets a supervisord go on that is stopped, so that it can end, with its children."""
    assert mesh.run("up").code == 0
    supervisor_id = mesh.supervisor_id()
    os.kill(supervisor_id, signal.SIGSTOP)
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    assert not lives(supervisor_id)
    assert mesh.run("status").output.endswith("supervisord does not run. `bowline up` starts it, and the whole mesh.\n")


def test_killed_supervisord_leaves_a_word(mesh: SmallMesh) -> None:
    """After a kill -9 `status` says who died, who still runs without it, and what takes the mesh up again."""
    assert mesh.run("up").code == 0
    supervisor_id = mesh.supervisor_id()
    mesh.kill(supervisor_id)
    assert (
        f"\nsupervisord does not run: process {supervisor_id} was killed, or crashed. "
        "Nobody starts again what dies of these, which still run: executor, risk. `bowline up` starts it"
    ) in mesh.run("status").output
    assert mesh.run("down").code == 0


def test_supervisord_that_does_not_come_to_an_end_is_killed(make_mesh: MakeMesh) -> None:
    """Where even SIGTERM ends no supervisord in time, `down` kills it, and then ends what it left."""
    mesh = make_mesh({"risk": {"stopwaitsecs": "600"}}, risk="stubborn")
    assert mesh.run("up").code == 0
    ids, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    file = mesh.root / "supervisord.conf"
    file.write_text(file.read_text().replace("stopwaitsecs=600", "stopwaitsecs=1"))
    os.kill(supervisor_id, signal.SIGTERM)  # somebody else's hand: from now on it waits for ten minutes
    eventually(lambda: ("was asked", "risk") in mesh.witnessed())
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    assert f"supervisord, process {supervisor_id}, is stopping and does not come to an end" in stopped.errors
    assert f"supervisord: process {supervisor_id} did not end and was killed" in stopped.output
    assert not any(lives(process_id) for process_id in (supervisor_id, *ids.values()))


def test_stranger_at_the_socket_is_called_one(mesh: SmallMesh) -> None:
    """Who listens where supervisord should, and is none, is said to be none, and nothing is started beside it."""
    path = mesh.root / "var/run/supervisor.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        refused = mesh.run("up")
    assert refused.code == 1
    assert f"a program that is no supervisord of ours listens at {path}" in refused.errors
    path.unlink()
