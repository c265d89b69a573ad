"""The dispatcher, as a user meets it: a real process."""

import os
import subprocess
import sys
from pathlib import Path

from services.cli import BROKEN_PIPE, NOT_BUILT_YET, VERBS
from tests.shared.mesh.settings.projects import CHECKOUT, a_project, with_secrets


def bowline(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, and see that it never shows a traceback."""
    command = [sys.executable, "-m", "services.cli", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BOWLINE_")}
    result = subprocess.run(
        command,
        cwd=CHECKOUT,
        env={**clean, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "Traceback" not in result.stderr
    return result


def test_help_lists_the_verbs() -> None:
    """`--help` names every built verb with its line, on standard output."""
    result = bowline("--help")
    assert result.returncode == 0
    assert all(name in result.stdout and verb.help in result.stdout for name, verb in VERBS.items())


def test_no_verb_is_a_usage_error() -> None:
    """Without a verb the same list goes to standard error, and the code is 2."""
    result = bowline()
    assert (result.returncode, result.stdout) == (2, "")
    assert "config" in result.stderr


def test_version_is_told() -> None:
    """`version` prints name and number."""
    assert bowline("version").stdout.startswith("bowline ")


def test_an_unknown_verb_suggests_the_nearest() -> None:
    """A slip of the finger is answered with the verb that was probably meant."""
    result = bowline("confg")
    assert (result.returncode, result.stderr) == (2, "bowline: unknown verb, did you mean config?\n")


def test_a_verb_to_come_says_so() -> None:
    """A verb that is promised and not built is answered in one line, with code 2."""
    result = bowline("kill", "--now")
    assert (result.returncode, result.stderr) == (2, "bowline: kill is not built yet\n")


def test_no_verb_is_both_built_and_to_come() -> None:
    """A verb leaves the second list when it enters the first."""
    assert not NOT_BUILT_YET & VERBS.keys()


def test_a_verb_is_imported_only_when_asked_for() -> None:
    """The dispatcher by itself loads no verb, and nothing of the mesh."""
    program = "import sys, services.cli; sys.exit(bool({'shared', 'services.config_command'} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 0


def test_check_of_this_checkout_is_good() -> None:
    """What is shipped passes its own check, in a real process."""
    result = bowline("config", "check")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ok\nmoney hash ")


def test_a_bad_variable_stops_the_process() -> None:
    """The process environment is read: a misspelt variable ends in code 1 and one line."""
    result = bowline("config", "check", environment={"BOWLINE_RISK__POSITON_PCT": "CANARY"})
    assert (result.returncode, result.stdout) == (1, "")
    assert "did you mean BOWLINE_RISK__POSITION_PCT?" in result.stderr
    assert "CANARY" not in result.stderr


def test_no_secret_is_ever_shown(tmp_path: Path) -> None:
    """A real process that has read real secrets prints none of them."""
    with_secrets(a_project(tmp_path))
    result = bowline("config", "show", "--root", str(tmp_path))
    assert result.returncode == 0
    assert "CANARY" not in result.stdout + result.stderr


def test_a_reader_who_went_away_is_no_error() -> None:
    """`bowline config show | head -1` ends quietly, with the code of a program that found nobody reading."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "services.cli", "config", "show"]
    with os.fdopen(writer) as pipe:
        result = subprocess.run(command, cwd=CHECKOUT, stdout=pipe, stderr=subprocess.PIPE, text=True, check=False)
    assert (result.returncode, result.stderr) == (BROKEN_PIPE, "")
