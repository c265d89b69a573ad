"""What a slip of a user's pen is answered with, and that a secret pasted in the wrong place is not repeated."""

from pathlib import Path

import pytest

from shared.mesh.settings import SettingsError, load_configuration
from tests.shared.mesh.settings.projects import a_configuration, a_project

SECRET = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2z"  # noqa: S105  # a canary in the shape of a key, looked for in every output


def refusal(root: Path, *, local: str = "", environment: dict[str, str] | None = None) -> str:
    """Return what a project with this local.yaml and environment is told."""
    with pytest.raises(SettingsError) as raised:
        a_configuration(root, local=local, environment=environment)
    assert SECRET not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("risk.position_pct: 5\n", "config/local.yaml:1: a key here holds a dot: write `risk:` and below it"),
        ("risk:\n  position_pct:5\n", "config/local.yaml:1: risk: a space is missing after the colon"),
        ("risk:\n  profile: small\n  position_pct:5\n", "config/local.yaml:3: a word alone"),
        ("risk:\n  position_pct:5\n  profile: small\n", "config/local.yaml:3: not valid YAML: check the indentation"),
        ("risk:5\n", "config/local.yaml:1: a space is missing after the colon"),
        ("logs:\n  level: DEBUG\n", "must be debug or info or warning or error, in small letters"),
        ("venue:\n  name: binanse\n", "must be binance (all that is supported today), did you mean binance?"),
        ("venue:\n  name: Binance\n", "in small letters"),
        ("venue:\n  symbols: [BTC/USDT, ETHUSDT, SOL/USDT]\n", "entry 2 is not written BASE/QUOTE"),
        ("venue:\n  symbols: [BTC, ETH/USDT, SOL]\n", "entries 1, 3 are not written BASE/QUOTE"),
        ("risk:\n  Position_Pct: 5\n", "risk.Position_Pct: unknown key, did you mean position_pct?"),
    ],
)
def test_a_slip_in_a_file_is_answered_with_what_to_write(local: str, words: str, tmp_path: Path) -> None:
    """The line, and what was probably meant, in words that fit the slip."""
    assert words in refusal(tmp_path, local=local)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), (" ", "is empty"), ("1000USDT", "write a number only"), ("5 %", "write a number only")],
)
def test_a_slip_in_a_variable_is_answered_for_a_variable(text: str, words: str, tmp_path: Path) -> None:
    """A variable is told to hold a number only; quotes, which a shell takes away, are not spoken of."""
    told = refusal(tmp_path, environment={"BOWLINE_RISK__POSITION_PCT": text})
    assert words in told
    assert "quote" not in told


@pytest.mark.parametrize(
    "local",
    [
        f"venue:\n  {SECRET}: x\n",
        f"venue:\n  {SECRET}:\n",
        f"venue:\n  {SECRET}: 1\n  {SECRET}: 2\n",
        f"venue:\n  {SECRET}:5\n",
        f"venue:\n  api_key_{SECRET}: x\n",
        f"{SECRET}: x\n",
        f"{SECRET}:5\n",
        f"{SECRET}.{SECRET}: x\n",
        f"risk.{SECRET}: x\n",
        f"risk:\n  position_pct:\n    {SECRET}: 5\n",
    ],
)
def test_a_secret_pasted_as_a_key_is_not_repeated(local: str, tmp_path: Path) -> None:
    """The line is told, the name is not."""
    assert "config/local.yaml:" in refusal(tmp_path, local=local)


@pytest.mark.parametrize(
    "name",
    [
        f"BOWLINE_{SECRET}",
        f"BOWLINE_RISK__{SECRET}",
        f"BOWLINE_{SECRET.upper()}",
        f"BOWLINE_VENUE__API_KEY__{SECRET}",
        f"BOWLINE_RISK__POSITION_PCT_{SECRET}",
    ],
)
def test_a_secret_pasted_into_a_variables_name_is_not_repeated(name: str, tmp_path: Path) -> None:
    """Only the prefix is told."""
    told = refusal(tmp_path, environment={name: "x"})
    assert told.startswith("environment BOWLINE_... (not shown): ")
    assert SECRET.upper() not in told


def test_problems_are_told_in_the_order_of_the_lines(tmp_path: Path) -> None:
    """File by file and line by line, with line 10 behind line 2."""
    filler = "# nothing\n" * 7
    told = refusal(tmp_path, local=f"risk:\n  x: 1\n{filler}  y: 2\n", environment={"BOWLINE_X": "x"})
    assert [line.split(": ")[0] for line in told.splitlines()] == [
        "config/local.yaml:2",
        "config/local.yaml:10",
        "environment BOWLINE_X",
    ]


@pytest.mark.parametrize("name", ["local.yml", "locl.yaml", "Local.yaml", "local.YAML"])
def test_a_file_that_is_nearly_the_local_one_is_told(name: str, tmp_path: Path) -> None:
    """Limits written into a file that is not read would silently not hold."""
    (a_project(tmp_path) / "config" / name).write_text("risk:\n  position_pct: 1\n")
    with pytest.raises(SettingsError, match=rf"config/{name}: is not read, did you mean local\.yaml\?"):
        load_configuration(root=tmp_path, environment={})


@pytest.mark.parametrize("name", ["prometheus.yml", "local.example.yaml", "local.yaml.bak", "notes.md"])
def test_other_files_beside_the_configuration_are_left_alone(name: str, tmp_path: Path) -> None:
    """What nobody takes for the local file may stand beside it."""
    (a_project(tmp_path) / "config" / name).write_text("x\n")
    assert load_configuration(root=tmp_path, environment={}).settings.risk.profile == "small"
