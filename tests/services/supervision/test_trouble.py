"""What goes wrong at `up`, and in which words it is said."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from services.supervision.mesh import Mesh
from services.supervision.starting import prepare, start_supervisor
from tests.loopback import OUR_HOST, THIS_HOST, free_port
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import ENDS_TOO_SOON, PATIENCE_S, SmallMesh, eventually


def test_program_that_cannot_go_on_is_explained(make_mesh: MakeMesh) -> None:
    """A program that ends at once is FATAL: `up` and `status` end with code 3, and its last words are shown."""
    mesh = make_mesh({"risk": ENDS_TOO_SOON}, risk="brief", metrics="steady")
    brought_up = mesh.run("up")
    assert brought_up.code == 3, brought_up.everything
    rows = mesh.rows()
    assert (rows["risk"]["state"], rows["metrics"]["state"]) == ("FATAL", "RUNNING")
    words = "    risk is brief\n    cannot go on: the moon is in the wrong house\n"
    explained = (
        "\nrisk is FATAL: it ended each time within a second of its start, and supervisord has given up on it.\n"
        f"The end of {mesh.root}/var/logs/risk.log:\n"
        f"{2 * words}"
    )
    assert brought_up.errors == explained
    assert mesh.run("status").code == 3
    assert mesh.run("down").code == 0
    assert mesh.run("up").errors == explained, "what it said the first time is no news the second time"
    assert mesh.run("down").code == 0


def test_worry_that_passes_is_waited_for(make_mesh: MakeMesh) -> None:
    """What a process is wary of in its first seconds, as of an exchange that comes up beside it, `up` does not show."""
    mesh = make_mesh(None, risk="worried")
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    assert "the moon is behind a cloud" not in brought_up.output
    assert mesh.run("down").code == 0


def test_deaths_before_down_are_history(make_mesh: MakeMesh) -> None:
    """Who died again and again before the mesh was taken down is well once it is up again, and that is remarked."""
    mesh = make_mesh(None, risk="steady")
    assert mesh.run("up").code == 0
    for _ in range(3):
        assert mesh.run("crash", "risk").code == 0
    eventually(lambda: mesh.rows()["risk"]["state"] == "CRASH LOOP")
    assert mesh.run("down").code == 0
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    assert "died three times within 60 s before it was brought up" in brought_up.output
    assert mesh.run("down").code == 0


def test_feed_that_nobody_would_start_is_refused(make_mesh: MakeMesh) -> None:
    """`up` says the same as `config check`: an entry of feed.others without a program leaves its symbols unread."""
    mesh = make_mesh(None, feed="steady")
    (mesh.root / "config/local.yaml").write_text("feed: {others: [feed-2=binance ETH/USDT]}\n")
    assert "config/local.yaml:1: feed.others: feed-2 has no program, so nobody reads ETH/USDT" in refused(mesh)


@pytest.mark.parametrize("verb", ["up", "demo"])
def test_port_that_is_taken_starts_nothing(make_mesh: MakeMesh, verb: str) -> None:
    """Before anything is started each program is named whose port somebody else has, with the setting to change."""
    mesh = make_mesh(None, exchange="steady", metrics="steady", strategy="steady")
    with socket.socket() as exchange, socket.socket() as metrics:
        ports = {}
        for name, stranger in (("sim_exchange", exchange), ("metrics", metrics)):
            stranger.bind((THIS_HOST, 0))
            stranger.listen()
            ports[name] = stranger.getsockname()[1]
        (mesh.root / "config/local.yaml").write_text(
            "".join(f"{name}: {{port: {port}}}\n" for name, port in ports.items())
        )
        answer = mesh.run(verb)
    assert answer.code == 1
    assert f"exchange cannot start: port {ports['sim_exchange']} of 127.0.0.1 cannot be had" in answer.errors
    assert f"metrics cannot start: port {ports['metrics']} of 127.0.0.1 cannot be had" in answer.errors
    assert "or choose another in sim_exchange.port; " in answer.errors
    assert answer.errors.endswith("or choose another in metrics.port\n")
    assert not (mesh.root / "var/run/supervisord.pid").exists()
    assert mesh.run("up").code == 0
    assert mesh.run("up").code == 0, "what runs has its port itself"
    assert mesh.run("down").code == 0


def test_mesh_in_configured_directories(make_mesh: MakeMesh) -> None:
    """Where the settings put var and the run directory elsewhere, everything of the mesh is there."""
    mesh = make_mesh(None, metrics="steady")
    elsewhere = {
        "BOWLINE_PATHS__VAR_DIRECTORY": str(mesh.root / "my data"),
        "BOWLINE_PATHS__RUN_DIRECTORY": str(mesh.root / "sockets"),
    }
    assert mesh.run("up", environment=elsewhere).code == 0
    made = {str(path.relative_to(mesh.root)) for path in mesh.root.glob("*/*") if "keys" not in path.parts}
    assert {"sockets/supervisor.sock", "sockets/supervisord.pid", "my data/logs", "my data/seats"} <= made
    assert not (mesh.root / "var").exists()
    assert mesh.run("down", environment=elsewhere).code == 0


def test_heartbeats_at_a_configured_address(make_mesh: MakeMesh) -> None:
    """A process whose health socket stands at an address of the settings is heard there."""
    mesh = make_mesh(None, metrics="steady")
    endpoint = f"metrics.health=tcp://{OUR_HOST}:{free_port()}"
    (mesh.root / "config/local.yaml").write_text(f"mesh: {{endpoints: [{endpoint}]}}\n")
    assert mesh.run("up").code == 0
    eventually(lambda: mesh.rows()["metrics"]["state"] == "RUNNING")
    assert not (mesh.root / "var/run/metrics.health").exists()
    assert mesh.run("down").code == 0


def test_path_that_supervisord_cannot_have(make_mesh: MakeMesh) -> None:
    """A percent sign in a directory's name, which supervisord takes for one of its own, is refused in words."""
    mesh = make_mesh(None, metrics="steady")
    answer = mesh.run("up", environment={"BOWLINE_PATHS__VAR_DIRECTORY": str(mesh.root / "100%")})
    assert answer.code == 1
    assert "has a '%' in it" in answer.errors


def refused(mesh: SmallMesh, environment: dict[str, str] | None = None) -> str:
    """Return the one line in which `up` says why it does nothing."""
    answer = mesh.run("up", environment=environment)
    assert (answer.code, answer.output) == (1, "")
    assert answer.errors.count("\n") == 1
    return answer.errors


def test_run_directory_too_long_for_a_socket(make_mesh: MakeMesh) -> None:
    """A path that no socket can have is refused before anything is started, with its length and the limit."""
    mesh = make_mesh(None, metrics="steady")
    said = refused(mesh, {"BOWLINE_PATHS__RUN_DIRECTORY": str(mesh.root / ("a" * 90))})
    assert "a unix socket's path has at most 107" in said
    assert not (mesh.root / "var/logs").exists()


def test_no_logs_are_said(make_mesh: MakeMesh) -> None:
    """Before the first start `logs` says that there are none, and where it looked."""
    mesh = make_mesh(None, metrics="steady")
    answer = mesh.run("logs", "--no-follow")
    assert (answer.code, answer.output) == (0, "")
    assert answer.errors == f"bowline logs: nothing in {mesh.root}/var/logs yet; `bowline up` starts the mesh\n"


def test_file_that_supervisord_cannot_read(make_mesh: MakeMesh) -> None:
    """A file that is missing, or damaged, or names a program that is no instance, is refused in words."""
    mesh = make_mesh(None, metrics="steady")
    file = mesh.root / "supervisord.conf"
    whole = file.read_text()
    file.write_text(whole.replace("[program:metrics]", "[program:wizard]"))
    assert "'wizard' is no instance" in refused(mesh)
    file.write_text(whole + "nonsense\n")
    assert f"{file} cannot be used" in refused(mesh)
    file.write_text(whole.partition("[program:metrics]")[0])
    assert "names no program" in refused(mesh)
    file.write_text(whole.replace("startsecs=1", "startsecs=soon"))
    assert "supervisord does not start: Error: " in refused_after_keys(mesh)
    file.unlink()
    assert "take it from the repository" in refused(mesh)


def refused_after_keys(mesh: SmallMesh) -> str:
    """Return why supervisord is not started, once the directories and keys are there."""
    answer = mesh.run("up")
    assert answer.code == 1
    return answer.errors


def test_directory_open_to_others_is_refused(make_mesh: MakeMesh) -> None:
    """A run directory that others may enter is refused, and says what to do."""
    mesh = make_mesh(None, metrics="steady")
    directory = mesh.root / "var/run"
    directory.mkdir(parents=True)
    directory.chmod(0o755)
    assert "chmod 0700" in refused(mesh)


def test_bad_settings_start_nothing(make_mesh: MakeMesh) -> None:
    """With a setting that is wrong nothing is started, and `down` is not content with having found nothing."""
    mesh = make_mesh(None, metrics="steady")
    shutil.copy(Path(__file__), mesh.root / "config/local.yaml")
    for verb in ("up", "down"):
        answer = mesh.run(verb)
        assert answer.code == 1
        assert answer.errors.startswith(f"bowline {verb}: config/local.yaml")


def test_what_runs_is_seen_and_ended_whatever_is_wrong(make_mesh: MakeMesh) -> None:
    """Slips in the settings, a damaged program file and lost keys are said, and `status` and `down` do their work."""
    mesh = make_mesh(None, metrics="steady", risk="steady")
    elsewhere = {"BOWLINE_PATHS__RUN_DIRECTORY": str(mesh.root / "sockets")}
    assert mesh.run("up", environment=elsewhere).code == 0
    (mesh.root / "config/local.yaml").write_text("logs: {level: loud}\nriks: {profile: small}\n")
    shown = mesh.run("status", environment=elsewhere)
    assert (shown.code, shown.output.count("RUNNING")) == (3, 2)
    assert "logs.level: must be" in shown.output
    assert f"so this is of {mesh.root / 'var'}, and the mesh may be elsewhere" in shown.output
    assert "did you mean risk?" in shown.output
    (mesh.root / "supervisord.conf").write_text("nonsense")
    (mesh.root / "var/keys/operator.secret").unlink()
    shown = mesh.run("status", environment=elsewhere)
    assert (shown.code, shown.output.count("UNKNOWN")) == (3, 2)
    assert "no heartbeat can be heard: " in shown.output
    stopped = mesh.run("down", environment=elsewhere)
    assert stopped.code == 0, stopped.everything
    assert stopped.output.count("stopped in order") == 2
    assert all(word in stopped.errors for word in ("logs.level", "supervisord.conf cannot be used"))


def test_down_ends_supervisord_where_the_seats_cannot_be_read(make_mesh: MakeMesh) -> None:
    """With a directory open to others supervisord is ended all the same, and the code says that it may not be all."""
    mesh = make_mesh(None, metrics="steady")
    assert mesh.run("up").code == 0
    (mesh.root / "var/seats").chmod(0o755)
    shown = mesh.run("status")
    assert (shown.code, shown.output.count("UNKNOWN")) == (3, 1)
    assert "who has which seat cannot be known" in shown.output
    stopped = mesh.run("down")
    assert (stopped.code, stopped.output.startswith("supervisord: process ")) == (1, True)
    assert "chmod 0700" in stopped.errors
    (mesh.root / "var/seats").chmod(0o700)
    assert mesh.run("down").output == "nothing runs\n"


def test_process_that_never_beats_is_not_well(make_mesh: MakeMesh) -> None:
    """Who has its seat and no heartbeat is STARTING for a moment, and NO HEARTBEAT after it, with what to do."""
    mesh = make_mesh(None, metrics="mute")
    start_supervisor(prepared(mesh))
    eventually(lambda: mesh.rows()["metrics"]["state"] == "STARTING")
    eventually(lambda: mesh.rows()["metrics"]["state"] == "NO HEARTBEAT")
    shown = mesh.run("status")
    assert (shown.code, "`bowline restart metrics`" in shown.output) == (3, True)
    assert mesh.run("down").code == 0


def prepared(mesh: SmallMesh) -> Mesh:
    """Return the mesh with its directories and keys, and nothing started."""
    made = Mesh.of(mesh.root, {})
    prepare(made)
    return made


def test_supervisord_started_by_systemd(make_mesh: MakeMesh) -> None:
    """Supervisord in the foreground, given nothing but the file, is a mesh like any other, and ends with code 0."""
    mesh = make_mesh(None, metrics="steady")
    prepared(mesh)
    command = [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", "supervisord.conf"]
    with subprocess.Popen(command, cwd=mesh.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as supervisord:
        try:
            eventually(lambda: mesh.run("status").code == 0)
            assert mesh.run("up").output.splitlines()[0] == f"supervisord: runs already, process {supervisord.pid}"
            supervisord.terminate()
            assert supervisord.wait(PATIENCE_S) == 0
        finally:
            supervisord.kill()  # or a failure would wait for it for ever
    assert mesh.rows()["metrics"]["state"] == "STOPPED"
