"""The dispatcher, as a user meets it: a real process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
        timeout=90,
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


def test_ctrl_c_before_the_verb_is_there_is_no_trace() -> None:
    """Interrupted while a verb is still being imported, it says so in a word, with the code a shell has for that."""
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Impatient:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'services.watch.command': signal.raise_signal(signal.SIGINT)\n"
        "from services import cli\n"
        "sys.meta_path.insert(0, Impatient())\n"
        "sys.exit(cli.main(['watch']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=90
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "bowline: interrupted\n")


def test_a_verb_to_come_says_so() -> None:
    """A verb that is promised and not built is answered in one line, with code 2."""
    result = bowline("arm", "--now")
    assert (result.returncode, result.stderr) == (2, "bowline: arm is not built yet\n")


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


@pytest.mark.parametrize("verb", ["config show", "config check --json", "config check --help", "--help", "version"])
@pytest.mark.parametrize(("where", "why"), [(">/dev/full", "No space left"), (">&-", "standard output is closed")])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_cannot_be_written_is_one_sentence(verb: str, where: str, why: str, unbuffered: str) -> None:
    """A full disk or a closed output ends any verb with one sentence on standard error and code 74."""
    result = in_a_shell(f"{verb} {where}", unbuffered)
    assert result.returncode == 74
    assert result.stderr.startswith("bowline: ")
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("config show 2>&-", 0), ("config check --root / 2>&-", 1), ("config check --root / 2>/dev/full", 74)],
)
def test_errors_that_cannot_be_written_are_no_crash(arguments: str, code: int) -> None:
    """Whoever closes standard error is told nothing, and the code still says how it went."""
    assert in_a_shell(arguments).returncode == code


def in_a_shell(arguments: str, unbuffered: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as a shell does, with its redirections."""
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = ["sh", "-c", f'exec "$0" -m services.cli {arguments}', sys.executable]
    result = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    assert "Traceback" not in result.stderr
    return result


def test_help_says_what_is_to_come() -> None:
    """The verbs of config are listed, and the ones not built yet are said to be that."""
    help_text = bowline("--help").stdout
    assert "config show|check" in help_text
    to_come = next(line for line in help_text.splitlines() if line.startswith("Not built yet: "))
    assert all(verb in to_come for verb in NOT_BUILT_YET)


def test_a_verb_that_is_not_built_is_not_suggested_as_if_it_were() -> None:
    """Who tries a near word is told in the same breath that its verb is to come."""
    told = bowline("disram").stderr
    assert told == "bowline: unknown verb; the nearest is disarm, which is not built yet\n"
    assert "which is not built yet" in told
