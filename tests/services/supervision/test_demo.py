"""What `bowline demo` says beside what `bowline up` says, and what it runs with."""

import io
import re
import shutil
from pathlib import Path

import pytest

from proto.risk import Latch
from services.config_command import run as config
from services.supervision.demo import FILE, tour, variables_of_demo
from shared.mesh.halt_file import HaltFile
from shared.mesh.program_file import read_program_file
from shared.mesh.settings import SettingsError, load_configuration
from shared.mesh.settings.strategy_faults import strategy_faults
from shared.mesh.settings.unread_markets import unread_markets
from shared.mesh.started_with import started_with
from tests.house.tree import CHECKOUT
from tests.services.supervision.conftest import MakeMesh
from tests.services.supervision.harness import SmallMesh
from tests.shared.mesh.settings.projects import a_project


def a_demo(root: Path, local: str | None = None) -> Path:
    """Return a project with the demonstration's settings in it."""
    shutil.copy(CHECKOUT / FILE, a_project(root, local=local) / FILE)
    return root


def test_tour_is_a_table() -> None:
    """Whatever the port, every command has its explanation in one column, at a distance from the longest."""
    for port in ("80", "65535"):
        settings = load_configuration(root=CHECKOUT, environment={"BOWLINE_METRICS__PORT": port}).settings
        lines = [re.fullmatch(r"  (.*\S) {3,}(\S.*)", line) for line in tour(settings).splitlines()]
        assert len({line.start(2) if line else None for line in lines}) == 1, lines
        assert f"  curl -s http://127.0.0.1:{port}/metrics   the same for Prometheus" in tour(settings)


def test_the_demo_is_a_configuration_without_faults(tmp_path: Path) -> None:
    """With its variables the settings load, its strategy takes its parameters, and the feed makes its bars."""
    configuration = load_configuration(root=tmp_path, environment=variables_of_demo(a_demo(tmp_path), {}))
    settings = configuration.settings
    assert (settings.risk.profile, settings.venue.url) == ("demo", "simulated")
    assert [group.instance for group in settings.strategies.groups] == ["strategy"]
    assert strategy_faults(configuration) == []
    assert unread_markets(configuration, read_program_file(CHECKOUT).instances) == []


def test_what_the_user_has_said_stays(tmp_path: Path) -> None:
    """His file and his environment win over the demonstration's."""
    root = a_demo(tmp_path, local="feed:\n  timeframes: [1s, 5s]\n")
    variables = variables_of_demo(root, {"BOWLINE_RISK__PROFILE": "standard"})
    assert "BOWLINE_FEED__TIMEFRAMES" not in variables
    assert "BOWLINE_RISK__PROFILE" not in variables
    assert variables["BOWLINE_VENUE__SYMBOLS"] == "BTC/USDT,ETH/USDT,BNB/USDT,SOL/USDT"


def test_without_its_file_there_is_no_demo(tmp_path: Path) -> None:
    """What is missing is named."""
    with pytest.raises(SettingsError, match=r"config/demo\.yaml: is missing"):
        variables_of_demo(a_project(tmp_path), {})


def assert_settings_are_shown_as_the_mesh_s(mesh: SmallMesh) -> None:
    """Hold that who looks at settings is told that the demonstration has others, and is shown them."""
    others = "The mesh that runs has others: venue.symbols, feed.timeframes"
    for words, profile, is_told in ((["check"], "small", True), (["check", "--mesh"], "demo", False)):
        output, errors = io.StringIO(), io.StringIO()
        assert config([*words, "--root", str(mesh.root)], environment={}, output=output, errors=errors) == 0
        assert f"profile {profile}:" in output.getvalue()
        assert (others in errors.getvalue()) == is_told, errors.getvalue()
    started = started_with(mesh.root / "var/run")
    assert started is not None
    assert (started.runs, started.variables["BOWLINE_RISK__PROFILE"]) == (True, "demo")


def test_a_mesh_with_other_settings_is_no_demo(make_mesh: MakeMesh) -> None:
    """One that `up` has started is not called the demonstration; one that `demo` has started is, again.

    Under the kill latch of an earlier one it is not well, and says what to type.
    """
    mesh = make_mesh(None, exchange="steady", feed="steady", strategy="steady")
    assert mesh.run("up").code == 0
    answer = mesh.run("demo")
    assert (answer.code, "without the settings of config/demo.yaml" in answer.errors) == (1, True), answer.everything
    assert mesh.run("down").code == 0
    for _ in range(2):
        answer = mesh.run("demo")
        assert answer.code == 0, answer.everything
    assert_settings_are_shown_as_the_mesh_s(mesh)
    HaltFile(mesh.root / "var").make(Latch("kill-7", "ada", "too wild", 1))
    answer = mesh.run("demo")
    assert answer.code == 3, answer.everything
    assert answer.errors.endswith(
        "\nThe kill latch kill-7 stands, set by ada: too wild\n"
        "Nothing is entered until a person has looked, and cleared it:\n"
        '    bowline clear-kill "why it is over" --yes kill-7\n'
    )
    assert mesh.run("down").code == 0
    started = started_with(mesh.root / "var/run")
    assert started is not None
    assert (started.runs, started.variables["BOWLINE_RISK__PROFILE"]) == (False, "demo"), "written down at its start"
