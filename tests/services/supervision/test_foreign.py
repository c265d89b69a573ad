"""A program that is no process of the mesh, under the verbs; the tests go through its life in this order."""

import re
import sys

import pytest

from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import SmallMesh, eventually


@pytest.fixture(scope="module")
def mesh(make_mesh: MakeMesh) -> SmallMesh:
    """Bring up a mesh of one process, with a program beside it that knows nothing of meshes."""
    mesh = make_mesh({"redis": {"command": "sleep 600"}}, feed="steady", redis="")
    brought_up = mesh.run("up")
    assert brought_up.code == 0, brought_up.everything
    return mesh


def test_it_is_shown_without_heartbeat_and_epoch(mesh: SmallMesh) -> None:
    """It is well when supervisord says so, and nobody made keys for it."""
    eventually(lambda: mesh.run("status").code == 0)
    redis = mesh.rows()["redis"]
    assert (redis["state"], redis["epoch"], redis["starts"], redis["heartbeat_age_s"]) == ("RUNNING", None, None, None)
    assert not (mesh.root / "var/keys/redis.public").exists()
    assert mesh.run("up").code == 0


def test_it_is_killed_and_back(mesh: SmallMesh) -> None:
    """`crash` kills the process that supervisord names, and waits for the next."""
    before = mesh.process_ids()
    crashed = mesh.run("crash", "redis")
    assert crashed.code == 0, crashed.everything
    killed, back = crashed.output.splitlines()
    assert killed == f"redis: process {before['redis']} was killed"
    assert back.startswith("redis: back after ")
    eventually(lambda: mesh.run("status").code == 0)
    after = mesh.process_ids()
    assert (after["feed"], after["redis"] != before["redis"]) == (before["feed"], True)


def test_it_is_restarted(mesh: SmallMesh) -> None:
    """`restart` stops it and starts it, with and without processes of the mesh beside it."""
    restarted = mesh.run("restart", "redis", "feed")
    assert restarted.code == 0, restarted.everything
    lines = [line.split(", process")[0] for line in restarted.output.splitlines()]
    assert lines == ["redis: stopped", "redis: runs", "feed: stopped in order", "feed: runs"]


def test_it_ends_with_the_mesh(mesh: SmallMesh) -> None:
    """`down` ends it, and then there is nobody to kill."""
    process_id = mesh.process_ids()["redis"]
    assert mesh.run("down").code == 0
    assert mesh.rows()["redis"]["state"] == "STOPPED"
    refused = mesh.run("crash", "redis")
    assert (refused.code, "redis does not run" in refused.errors) == (1, True), refused.everything
    assert process_id not in mesh.process_ids().values()


def test_redis_that_is_not_wanted_is_off(make_mesh: MakeMesh) -> None:
    """Where the settings want none, or another, the table says so in place of RUNNING, and all is well."""
    mesh = make_mesh(feed="steady", redis="")
    file = mesh.root / "supervisord.conf"
    file.write_text(
        re.sub(
            r"command=.* redis $",
            f'command="{sys.executable}" -m services.redis_server --root {mesh.root}',
            file.read_text(),
            flags=re.MULTILINE,
        )
    )
    assert mesh.run("up", environment={"REDIS_URL": "off"}).code == 0
    redis = mesh.rows()["redis"]
    assert (redis["state"], redis["remark"]) == ("OFF", "no Redis is wanted, by redis.url or REDIS_URL")
    restarted = mesh.run("restart", "redis")
    assert (restarted.code, "redis: is off" in restarted.output) == (0, True), restarted.everything
    assert mesh.run("down").code == 0
