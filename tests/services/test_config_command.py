"""`bowline config show | check`, with everything it touches handed in."""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.config_command import run
from shared.mesh.settings.model import settings_keys
from tests.shared.mesh.settings.projects import a_project, with_secrets


def config(
    root: Path, *arguments: str, local: str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run the verb in a project with this local.yaml; return exit code, output and errors."""
    if not (root / "config").exists():
        a_project(root, local=local)
    output, errors = io.StringIO(), io.StringIO()
    action, *options = arguments
    code = run([action, "--root", str(root), *options], environment=environment or {}, output=output, errors=errors)
    assert "CANARY" not in output.getvalue() + errors.getvalue()
    return code, output.getvalue(), errors.getvalue()


def test_show_tells_every_value_and_its_origin(tmp_path: Path) -> None:
    """One aligned line for each key: name, value in force, origin."""
    environment = {"BOWLINE_LOGS__LEVEL": "debug"}
    code, output, _ = config(tmp_path, "show", local="risk:\n  position_pct: 9.50\n", environment=environment)
    lines = {line.split()[0]: line for line in output.splitlines()}
    assert code == 0
    assert list(lines) == [*settings_keys(), "secrets.api_key", "secrets.api_secret"]
    assert lines["risk.position_pct"].split() == ["risk.position_pct", "9.5", "config/local.yaml:2"]
    assert lines["logs.level"].endswith("environment BOWLINE_LOGS__LEVEL")
    assert len({len(start) for start in re.findall(r"^\S+ +", output, re.MULTILINE)}) == 1


def test_show_hides_secrets(tmp_path: Path) -> None:
    """A secret is only said to be there, or where to put it."""
    assert "(missing: put it in var/secrets/binance.main.api_key)" in config(tmp_path, "show")[1]
    with_secrets(tmp_path)
    assert config(tmp_path, "show")[1].count("(set, hidden)") == 2


def test_show_in_json(tmp_path: Path) -> None:
    """With --json each key has its value and origin."""
    shown = json.loads(config(tmp_path, "show", "--json")[1])
    assert shown["risk.exposure_pct"] == {"value": "30", "origin": "profile small"}


@pytest.mark.parametrize(
    ("equity", "line"),
    [
        ("1000", "position: 10 % = 100.00 USDT"),
        ("1000", "order: at most 100.00 USDT"),
        ("1234.56", "risk per trade: 0.5 % = 6.17 USDT"),
        ("50000", "position: 10 % = 5000.00 USDT, capped at 1000.00 USDT"),
        ("8000", "order: at most 500.00 USDT"),
        ("1000", "drawdown kill: 15 % from the peak = 150.00 USDT"),
    ],
)
def test_check_tells_the_limits_in_money(equity: str, line: str, tmp_path: Path) -> None:
    """A good configuration is answered with ok, the money hash, and each limit for an example equity, rounded down."""
    code, output, _ = config(tmp_path, "check", "--equity", equity)
    assert code == 0
    assert output.startswith("ok\nmoney hash ")
    assert line in [" ".join(shown.split()) for shown in output.splitlines()]


def test_check_in_json(tmp_path: Path) -> None:
    """With --json the answer is one object, good or bad."""
    good = json.loads(config(tmp_path, "check", "--json")[1])
    assert good["ok"] is True
    assert len(good["money_hash"]) == 64
    assert good["limits"]["position"] == "10 % = 100.00 USDT"
    code, output, errors = config(tmp_path, "check", "--json", environment={"BOWLINE_X": "CANARY"})
    assert (code, errors) == (1, "")
    assert json.loads(output)["problems"][0]["where"] == "environment BOWLINE_X"


def test_check_tells_every_problem(tmp_path: Path) -> None:
    """A bad configuration is answered on standard error, a line for each problem, with code 1."""
    code, output, errors = config(tmp_path, "check", local="risk:\n  x: CANARY\n  position_pct: 0.1\n")
    assert (code, output) == (1, "")
    assert [line.split(": ")[0] for line in errors.splitlines()] == ["config/local.yaml:2", "config/local.yaml:3"]


@pytest.mark.parametrize("action", ["show", "check"])
def test_badly_kept_secrets_are_a_bad_configuration(action: str, tmp_path: Path) -> None:
    """A secret that others can read fails both verbs."""
    a_project(tmp_path)
    with_secrets(tmp_path, mode=0o644)
    code, _, errors = config(tmp_path, action)
    assert code == 1
    assert "var/secrets/binance.main.api_key: is open to others" in errors


@pytest.mark.parametrize(
    "arguments",
    [["check", "--equity", text] for text in ("0", "-5", "nan", "1e9", "many", "9999999999", "")]
    + [["show", "--x"], ["up"]],
)
def test_wrong_usage_is_code_2(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong arguments end in argparse's usage line and code 2."""
    with pytest.raises(SystemExit) as raised:
        config(tmp_path, *arguments)
    assert raised.value.code == 2
    assert "usage: bowline config" in capsys.readouterr().err


def test_a_root_that_is_no_project_is_told(tmp_path: Path) -> None:
    """A root without configuration is a bad configuration, and no traceback."""
    output, errors = io.StringIO(), io.StringIO()
    code = run(["check", "--root", str(tmp_path / "nowhere")], environment={}, output=output, errors=errors)
    assert code == 1
    assert "config/bowline.yaml: is missing" in errors.getvalue()
