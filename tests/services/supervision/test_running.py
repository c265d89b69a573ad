"""A mesh from `up` to `down`, with a real supervisord; the tests go through its life in this order."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.supervision.judgement import SILENT_S
from tests.house.tree import CHECKOUT
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import PATIENCE_S, SmallMesh, eventually


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh of three, one of which does not end on SIGTERM."""
    changes = {"risk": {"stopwaitsecs": "1"}}
    mesh = make_mesh(changes, feed_1="steady", feed_2="steady", risk="stubborn")
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    assert "supervisord: started, process " in brought_up.output
    assert brought_up.output.splitlines()[-4].split() == [
        "process", "state", "pid", "uptime", "starts", "heartbeat", "epoch",
    ]  # fmt: skip
    return mesh


def rows_when_all_run(mesh: SmallMesh) -> dict[str, dict[str, Any]]:
    """Return the first table on which all run: on a busy machine one may be silent for a moment."""
    looks: list[dict[str, dict[str, Any]]] = []

    def all_run() -> bool:
        looks.append(mesh.rows())
        return {row["state"] for row in looks[-1].values()} == {"RUNNING"}

    eventually(all_run)
    return looks[-1]


def test_directories_are_made_for_us_alone(mesh: SmallMesh) -> None:
    """Every directory of the mesh has mode 0700, and every log and socket is closed to others."""
    directories = [mesh.root / "var", *(mesh.root / "var" / name for name in ("keys", "logs", "run", "seats"))]
    assert [stat.S_IMODE(path.stat().st_mode) for path in directories] == [0o700] * 5
    assert {stat.S_IMODE(log.stat().st_mode) for log in (mesh.root / "var/logs").iterdir()} == {0o600}
    assert stat.S_IMODE((mesh.root / "var/run/supervisor.sock").stat().st_mode) == 0o700


def test_status_of_a_mesh_that_is_well(mesh: SmallMesh) -> None:
    """Every process runs at its first start and epoch, its heart beats, and the code is 0."""
    eventually(lambda: mesh.run("status").code == 0)
    rows = rows_when_all_run(mesh)
    assert [(name, row["starts"], row["epoch"]) for name, row in rows.items()] == [
        ("feed-1", 1, 1),
        ("feed-2", 1, 1),
        ("risk", 1, 1),
    ]
    assert all(0 <= row["heartbeat_age_s"] <= SILENT_S for row in rows.values())


def test_up_again_changes_nothing(mesh: SmallMesh) -> None:
    """A second `up` says that all runs already, and touches no process."""
    before = mesh.process_ids()
    again = mesh.run("up")
    assert again.code == 0
    assert again.output.startswith(f"supervisord: runs already, process {mesh.supervisor_id()}\nprocess ")
    assert mesh.process_ids() == before


def test_environment_of_whoever_starts_stays_outside(mesh: SmallMesh) -> None:
    """The processes get an environment in which no other Python's paths stand."""
    seen = Path(f"/proc/{mesh.process_ids()['feed-1']}/environ").read_bytes().split(b"\0")
    assert {b"PYTHONPATH=", b"PYTHONHOME="} <= set(seen)
    assert not any(line.startswith(b"PYTEST") for line in seen)


def test_crashed_process_comes_back_alone(mesh: SmallMesh) -> None:
    """A process killed by force is started again with its next epoch, and nobody else notices."""
    before = mesh.process_ids()
    crashed = mesh.run("crash", "feed-1")
    assert crashed.code == 0, crashed.everything
    killed, back = crashed.output.splitlines()
    assert killed == f"feed-1: process {before['feed-1']}, epoch 1, was killed"
    assert back.startswith("feed-1: back after ")
    assert back.endswith(", epoch 2")
    eventually(lambda: mesh.run("status").code == 0)
    after = mesh.rows()
    assert (after["feed-1"]["starts"], after["feed-1"]["epoch"]) == (2, 2)
    assert {name: after[name]["process_id"] for name in ("feed-2", "risk")} == {
        name: before[name] for name in ("feed-2", "risk")
    }


def test_restart_looks_before_it_stops(mesh: SmallMesh) -> None:
    """With a setting that is wrong, or a key that is lost, `restart` says so, and everybody runs on."""
    before = mesh.process_ids()
    local, secret = mesh.root / "config/local.yaml", mesh.root / "var/keys/feed-1.secret"
    local.write_text("logs: {level: loud}\n")
    refused = mesh.run("restart", "feed-2", "feed-1")
    local.unlink()
    assert (refused.code, "logs.level: must be" in refused.errors) == (1, True)
    kept = secret.rename(mesh.root / "feed-1.secret")
    for verb in (("restart", "feed-2", "feed-1"), ("up",)):
        refused = mesh.run(*verb)
        assert (refused.code, "feed-1.secret is" in refused.errors) == (1, True)
    kept.rename(secret)
    epoch = mesh.root / "var/seats/feed-2.epoch"
    epoch.chmod(0o644)
    refused = mesh.run("restart", "feed-2")
    assert (refused.code, f"{epoch} has mode 0644" in refused.errors) == (1, True)
    epoch.chmod(0o600)
    assert mesh.process_ids() == before


def test_new_keys_are_news_to_what_runs(mesh: SmallMesh) -> None:
    """Where a whole pair was lost, `up` makes a new one, and says that nobody who runs knows it."""
    for half in ("public", "secret"):
        (mesh.root / f"var/keys/dashboard.{half}").unlink()
    again = mesh.run("up")
    assert (again.code, again.output.startswith("keys: created dashboard\n")) == (0, True)
    assert "what runs already knows older keys" in again.errors


def test_restart_is_no_crash(mesh: SmallMesh) -> None:
    """Instances are restarted in the order given, each to its end, and the others stay."""
    before = mesh.process_ids()
    restarted = mesh.run("restart", "feed-2", "feed-1")
    assert restarted.code == 0, restarted.everything
    lines = [line.split(", process")[0] for line in restarted.output.splitlines()]
    assert lines == ["feed-2: stopped in order", "feed-2: runs", "feed-1: stopped in order", "feed-1: runs"]
    after = mesh.rows()
    assert [after[name]["epoch"] for name in ("feed-1", "feed-2", "risk")] == [3, 2, 1]
    assert after["risk"]["process_id"] == before["risk"]


def test_restart_says_who_did_not_stop_in_order(mesh: SmallMesh) -> None:
    """Who does not hear is killed when its time is over; that is said, and the code is of what runs again."""
    restarted = mesh.run("restart", "risk")
    assert restarted.code == 0, restarted.everything
    said = restarted.output.splitlines()[0]
    assert said == "risk: did not stop in order: it was killed, or crashed on the way"


def test_key_that_the_next_start_ends_with_is_no_secret(mesh: SmallMesh) -> None:
    """While all run, `status` has a remark for a key that is open to others or junk; `up` refuses, and nobody stops."""
    before = mesh.process_ids()
    secret = mesh.root / "var/keys/feed-1.secret"
    kept = secret.read_bytes()
    secret.chmod(0o644)
    shown = mesh.run("status")
    assert (shown.code, shown.output.count("RUNNING")) == (3, 3)
    assert f"\nfeed-1 cannot start again: {secret} has mode 0644" in shown.output
    secret.chmod(0o600)
    secret.write_text("junk\n")
    shown = mesh.run("status")
    assert (shown.code, f"\nfeed-1 cannot start again: {secret} holds no key" in shown.output) == (3, True)
    refused = mesh.run("up")
    assert (refused.code, f"{secret} holds no key" in refused.errors) == (1, True)
    secret.write_bytes(kept)
    eventually(lambda: mesh.run("status").code == 0)
    assert mesh.process_ids() == before


@pytest.mark.parametrize("verb", ["crash", "restart", "logs"])
@pytest.mark.parametrize("name", ["feed-3", "wizard", "../risk", ""])
def test_name_that_stands_for_nothing_is_refused(mesh: SmallMesh, verb: str, name: str) -> None:
    """A wrong name is answered in one line with those there are."""
    refused = mesh.run(verb, name)
    assert (refused.code, refused.output) == (1, "")
    assert refused.errors.startswith(f"bowline {verb}: ")
    assert refused.errors.count("\n") == 1
    assert "feed-1, feed-2, risk" in refused.errors


def test_logs_of_several_say_whose_they_are(mesh: SmallMesh) -> None:
    """The last lines of several logs have the instance in front; a single one is shown as it is."""
    both = mesh.run("logs", "feed-1", "risk", "--no-follow", "-n", "100").output.splitlines()
    assert {"feed-1 | feed-1 is steady", "risk   | risk is stubborn"} <= set(both)
    assert len(mesh.run("logs", "feed-1", "risk", "--no-follow", "-n", "1").output.splitlines()) == 2
    assert mesh.run("logs", "risk", "--no-follow").output.startswith("risk is stubborn\n")
    every = mesh.run("logs", "--no-follow").output
    assert "\nsupervisord | " in every


def test_logs_end_when_nobody_reads_them(mesh: SmallMesh) -> None:
    """`bowline logs | head -1` ends though nothing more is logged."""
    command = [sys.executable, "-m", "services.cli", "logs", "risk", "-n", "1", "--root", str(mesh.root)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert '"running"' in process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == ""


def test_frozen_process_is_silent(mesh: SmallMesh) -> None:
    """A process that lives and does not beat is shown as SILENT, until it moves again."""
    process_id = mesh.process_ids()["feed-2"]
    os.kill(process_id, signal.SIGSTOP)
    try:
        eventually(lambda: mesh.rows()["feed-2"]["state"] == "SILENT")
    finally:
        os.kill(process_id, signal.SIGCONT)
    eventually(lambda: mesh.run("status").code == 0)


def test_process_that_dies_again_and_again_is_shown(mesh: SmallMesh) -> None:
    """Three deaths within a minute are a crash loop: nothing to be content with, though the process runs."""
    for _ in range(3):
        assert mesh.run("crash", "feed-1").code == 0
    eventually(lambda: mesh.rows()["feed-1"]["state"] == "CRASH LOOP")
    shown = mesh.run("status")
    assert (shown.code, "died three times within 60 s" in shown.output) == (3, True)


def test_down_says_who_did_not_stop_in_order(mesh: SmallMesh) -> None:
    """Everything is stopped, whoever does not hear is killed when its time is over, and a second `down` is content."""
    ids, supervisor_id = mesh.process_ids(), mesh.supervisor_id()
    stopped = mesh.run("down")
    assert stopped.code == 0, stopped.everything
    assert stopped.output == (
        f"feed-1: process {ids['feed-1']} stopped in order\n"
        f"feed-2: process {ids['feed-2']} stopped in order\n"
        f"risk: process {ids['risk']} did not stop in order: it was killed, or crashed on the way\n"
        f"supervisord: process {supervisor_id} ended\n"
    )
    assert mesh.run("down").output == "nothing runs\n"
    assert {row["state"] for row in mesh.rows().values()} == {"STOPPED"}
    assert mesh.run("status").code == 3
    refused = mesh.run("crash", "risk")
    assert (refused.code, refused.errors.count("\n")) == (1, 1)
