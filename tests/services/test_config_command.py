"""`bowline config show | check`, with everything it touches handed in."""

import io
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.config_command import beside, run
from shared.mesh.settings import load_configuration
from shared.mesh.settings.model import settings_keys
from shared.mesh.started_with import FILE_NAME, StartedWith, keep
from tests.shared.mesh.settings.projects import CHECKOUT, a_project, with_secrets


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
    assert list(lines) == [
        *settings_keys(),
        *(f"secrets.{signer}.{name}" for signer in ("executor", "flattener") for name in ("api_key", "api_secret")),
    ]
    assert lines["risk.position_pct"].split() == ["risk.position_pct", "9.5", "config/local.yaml:2"]
    assert lines["logs.level"].endswith("environment BOWLINE_LOGS__LEVEL")
    assert len({len(start) for start in re.findall(r"^\S+ +", output, re.MULTILINE)}) == 1


def test_settings_of_the_mesh_that_ran_last(tmp_path: Path) -> None:
    """With --mesh they are shown in the place of the shell's; where none was ever started that is said."""
    code, _, errors = config(tmp_path, "show", "--mesh")
    assert (code, "no mesh was started here" in errors) == (1, True)
    keep(tmp_path / "var/run", {"BOWLINE_RISK__PROFILE": "demo"})
    keep(tmp_path / "var/run", {"BOWLINE_PATHS__VAR_DIRECTORY": "\udcff"})  # what is no text ends nobody's start
    shell = {"BOWLINE_LOGS__LEVEL": "debug"}
    shown = json.loads(config(tmp_path, "show", "--mesh", "--json", environment=shell)[1])
    assert shown["risk.profile"] == {"value": "demo", "origin": "environment BOWLINE_RISK__PROFILE"}
    assert shown["logs.level"]["value"] == "info"
    (tmp_path / "var/run" / FILE_NAME).write_text("{")
    assert config(tmp_path, "show", "--mesh")[0] == 1


def test_show_hides_secrets(tmp_path: Path) -> None:
    """A secret is only said to be there, or where to put it."""
    shown = config(tmp_path, "show")[1]
    assert all(f"(missing: put it in var/secrets/binance.{key}.api_key)" in shown for key in ("main", "main-flattener"))
    with_secrets(tmp_path)
    assert config(tmp_path, "show")[1].count("(set, hidden)") == 2


def test_show_in_json(tmp_path: Path) -> None:
    """With --json each key has its value and origin."""
    shown = json.loads(config(tmp_path, "show", "--json")[1])
    assert shown["risk.exposure_pct"] == {"value": "30", "origin": "profile small"}
    assert shown["venue.symbols"]["value"] == ["BTC/USDT", "ETH/USDT"]


@pytest.mark.parametrize("place", ["file", "file/below/it"])
def test_a_run_directory_that_is_a_file_is_told(place: str, tmp_path: Path) -> None:
    """`check` looks whether the run directory can be one, and says beside it what else is wrong on the disk."""
    (tmp_path / "file").write_text("x")
    local = f"paths:\n  secrets_directory: file\n  var_directory: {place}\n"
    code, _, errors = config(tmp_path, "check", local=local)
    assert code == 1
    assert re.search(r"config/local\.yaml:3: paths\.var_directory: .*not a directory", errors)
    assert "must be a real directory of yours" in errors


def test_a_run_directory_too_long_for_sockets_is_told(tmp_path: Path) -> None:
    """The limit of a socket's path is known before anything starts, with how much shorter the directory must be."""
    local = f"paths:\n  run_directory: /tmp/{'a' * 90}\n"
    code, _, errors = config(tmp_path, "check", local=local)
    assert code == 1
    assert re.search(r"config/local\.yaml:2: paths\.run_directory: the path of a socket in it is 119 bytes", errors)
    assert "at least 12 bytes shorter" in errors


@pytest.mark.parametrize(
    ("local", "words"),
    [
        (
            "feed:\n  others: [feed-2=binance ETH/USDT SOL/USDT]\n",
            (
                "config/local.yaml:2: feed.others: feed-2 has no program, so nobody reads ETH/USDT, SOL/USDT: copy "
                "[program:feed] of supervisord.conf as [program:feed-2], with feed-2 behind its module, or "
                "take the entry out"
            ),
        ),
        (
            "feed:\n  others: [feed-3=binance ETH/USDT BTC/USDT]\n",
            "config/local.yaml:2: feed.others: reads every symbol of venue.symbols, so that the feed called feed has",
        ),
        (
            "feed:\n  books: [BTC/USDT, SOL/USDT, XRP/USDT]\n  others: [feed-3=binance XRP/USDT]\n",
            (
                "config/local.yaml:2: feed.books: SOL/USDT is read by no feed: add it to venue.symbols or to an "
                "entry of feed.others, or take it out"
            ),
        ),
        (
            "strategies:\n  run: [strategy-fast=trend_continuation 1m BTC/USDT]\n",
            "config/local.yaml:2: strategies.run: strategy-fast has no program, so nobody decides: copy [program:str",
        ),
        (
            "strategies:\n  run: [strategy=trend_continuation 1m DOGE/USDT]\n",
            "config/local.yaml:2: strategies.run: entry 1: DOGE/USDT is not traded: add it to venue.symbols, or take",
        ),
        (
            "strategies:\n  run: [strategy=trend_continuation 5s BTC/USDT]\n",
            "config/local.yaml:2: strategies.run: entry 1: nobody makes its bars of 5s, for feed.timeframes has",
        ),
        (
            "strategies:\n  run: [strategy=trend_continuation 1m BTC/USDT stop_atr=99]\n",
            "config/local.yaml:2: strategies.run: entry 1: trend_continuation: stop_atr is 99, and may be 0.5 to 20",
        ),
    ],
)
def test_what_nobody_would_read_is_told(local: str, words: str, tmp_path: Path) -> None:
    """A feed or a strategy that nobody starts, and what they lack: a line for each."""
    programs = (CHECKOUT / "supervisord.conf").read_text().replace("[program:metrics]", "[program:feed-3]")
    (tmp_path / "supervisord.conf").write_text(programs)
    code, _, errors = config(tmp_path, "check", local=local)
    assert (code, len(errors.splitlines()), errors.startswith(words)) == (1, 1, True), errors


def test_a_feed_of_another_host_needs_no_program_here(tmp_path: Path) -> None:
    """Whose sockets stand at an address of mesh.endpoints is started where that is."""
    (tmp_path / "supervisord.conf").write_text((CHECKOUT / "supervisord.conf").read_text())
    local = "mesh: {endpoints: [feed-2.market=tcp://10.0.0.2:5557]}\nfeed: {others: [feed-2=binance SOL/USDT]}\n"
    assert config(tmp_path, "check", local=local)[0] == 0


def test_a_program_file_that_is_none_is_told(tmp_path: Path) -> None:
    """What supervisord could not read is said by `check` too."""
    (tmp_path / "supervisord.conf").write_text("[program:feed\n")
    code, _, errors = config(tmp_path, "check", local="logs: {level: info}\n")
    assert (code, "supervisord.conf cannot be used" in errors) == (1, True)


@pytest.mark.parametrize("action", ["show", "check"])
def test_each_verb_describes_itself(action: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` says what the verb does and what its JSON holds."""
    with pytest.raises(SystemExit):
        config(tmp_path, action, "--help")
    assert "With --json: {" in capsys.readouterr().out


BY_SIZE = "by the size of the account; risk.daily_loss_breaker_pct alone would allow 3 %"


@pytest.mark.parametrize(
    ("equity", "line"),
    [
        ("1000", "position: 10 % = 100.00 USDT, by risk.position_pct"),
        ("1000", "order: 10 % = 100.00 USDT, by risk.position_pct; risk.order_quote_max alone would allow 500"),
        ("1234.56", "risk per trade: 0.5 % = 6.17 USDT"),
        ("50000", "position: 1000.00 USDT, by risk.position_quote_max"),
        ("50000", "Profile small is meant for an equity of at most 10000 USDT."),
        ("0.001", "risk per trade: 0.5 % = 0.000005 USDT"),
        ("1000", "Never binding while equity is at most 10000 USDT:"),
        ("1000", "risk.daily_loss_breaker_pct: risk.daily_loss_by_size is reached first"),
        ("5000", f"daily loss breaker: 0.5 % = 25.00 USDT; {BY_SIZE}"),
        ("8000", "order: 500.00 USDT, by risk.order_quote_max"),
        ("1000", "drawdown kill: 15 % = 150.00 USDT; counted from the peak"),
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
    limits = {limit["name"]: limit for limit in good["limits"]}
    position = {"key": "risk.position_pct", "percent": "10", "amount": "100", "asset": "USDT"}
    assert position.items() <= limits["position"].items()
    assert (limits["positions"]["count"], limits["positions"]["asset"]) == (2, None)
    assert "risk.position_quote_max" in [limit["key"] for limit in good["never_binding"]]
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


def test_a_mesh_that_runs_with_what_is_refused_now_makes_no_good_settings_bad(tmp_path: Path) -> None:
    """As one of a version that had a setting more, which nobody who looks has set: that is said, and no fault."""
    root, variables = a_project(tmp_path), {"BOWLINE_RISK__GONE_BY_NOW": "3"}
    configuration = load_configuration(root=root, environment={})
    (said,) = beside(configuration, StartedWith(variables, runs=True), root, {})
    assert "was started with is refused" in said
    keep(root / "var/run", variables)
    code, _, errors = config(tmp_path, "check", "--mesh")
    assert (code, "GONE_BY_NOW" in errors) == (1, True)


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


def test_the_readme_shows_what_check_says(tmp_path: Path) -> None:
    """The example on the first page is the answer for what is shipped, word for word."""
    _, output, _ = config(tmp_path, "check")
    assert f"```\n$ .venv/bin/bowline config check\n{output}```\n" in (CHECKOUT / "README.md").read_text()


def test_the_commands_of_the_secrets_page_keep_a_secret(tmp_path: Path) -> None:
    """The commands a user copies make a directory and files that the loader accepts."""
    page = (CHECKOUT / "docs/how-to/keep-secrets.md").read_text()
    commands = re.findall(r"^install .*$", page, re.MULTILINE)
    assert len(commands) == 5
    (a_project(tmp_path) / "var").mkdir()
    for command in commands:
        subprocess.run(command.split(), cwd=tmp_path, input="CANARYcanaryCANARY\n", text=True, check=True)
    assert config(tmp_path, "show")[1].count("(set, hidden)") == 4
