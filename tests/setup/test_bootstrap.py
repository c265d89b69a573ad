"""Set-up does as little as it can, and says in plain words what it cannot do. No network, no pip: see first contact."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from services import bootstrap
from tests.house.tree import CHECKOUT

WHOLE_MACHINE = bootstrap.Machine(
    free_bytes=lambda _: 10**12,
    can_write=lambda _: True,
    has_module=lambda _: True,
    has_command=lambda _: True,
)


def a_program(path: Path, script: str) -> Path:
    """Write a shell script that can be run as a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def a_python(path: Path, version: str) -> Path:
    """Write a program that answers as a Python of that version does, and says so when it is handed a script."""
    old = int(int(version.split(".")[1]) < 11)
    return a_program(
        path, f'case "$2" in *print*) echo {version};; *exit*) exit {old};; *) echo "{version} ran $1";; esac'
    )


def find_python(programs: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the search for a Python where nothing but the given programs and the shell's own are on the PATH."""
    for name in ("cat", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    command = [str(shutil.which("sh")), "services/bootstrap.sh"]
    environment = {"PATH": str(programs), **environment}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, encoding="utf-8", check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout that is set up, with an interpreter that only tells its name."""
    for name in (*bootstrap.INPUTS, "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    environment = tmp_path / ".venv"
    a_program(environment / "bin/python", "echo cpython-311")
    stamp = bootstrap.present_stamp(tmp_path, environment)
    (environment / ".set-up").write_text(json.dumps(dataclasses.asdict(stamp)), encoding="utf-8")
    return tmp_path


def a_pip(checkout: Path, script: str) -> None:
    """Give the environment a pip that runs the script, and set-up a reason to call it."""
    with (checkout / "requirements/dev.txt").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    a_program(checkout / ".venv/bin/python", f'case "$2" in *cache_tag*) echo cpython-311;; *) {script};; esac')


def is_up_to_date(checkout: Path) -> bool:
    """Say whether set-up would find nothing to do."""
    return bootstrap.is_up_to_date(checkout, checkout / ".venv")


def test_too_old_a_python_is_named_with_what_to_install(tmp_path: Path) -> None:
    """When the only Python is too old, the message says which was found, which is needed and how to get it."""
    a_python(tmp_path / "python3", "3.8.10")
    refused = find_python(tmp_path, {})
    assert refused.returncode == 2
    assert "needs Python 3.11 or newer; found Python 3.8.10 (as python3)" in refused.stderr
    assert "apt install python3 python3-venv" in refused.stderr


def test_no_python_at_all_is_said(tmp_path: Path) -> None:
    """When there is no Python, the message says so instead of failing on a missing command."""
    assert "found no Python at all" in find_python(tmp_path, {}).stderr


def test_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    """When python3 is too old and python3.12 is there, python3.12 runs the set-up."""
    a_python(tmp_path / "python3", "3.8.10")
    a_python(tmp_path / "python3.12", "3.12.1")
    assert find_python(tmp_path, {}).stdout == "3.12.1 ran services/bootstrap.py\n"


def test_named_python_goes_first(tmp_path: Path) -> None:
    """The Python named by the variable PYTHON is taken before any other, also with a space in its path."""
    a_python(tmp_path / "python3", "3.11.0")
    named = a_python(tmp_path / "my own" / "python", "3.13.0")
    assert find_python(tmp_path, {"PYTHON": str(named)}).stdout.startswith("3.13.0 ran")


def test_second_run_asks_the_machine_nothing(checkout: Path) -> None:
    """A set-up with nothing to do looks at the stamp and ends: it measures no disk, and runs no pip."""

    def unexpected(_: object) -> bool:
        raise AssertionError("set-up went on although it was up to date")

    bootstrap.set_up(checkout, bootstrap.Machine(unexpected, unexpected, unexpected, unexpected))


def test_fresh_file_times_do_not_matter(checkout: Path) -> None:
    """A git checkout that rewrites the locks with the same content does not start set-up again."""
    for name in bootstrap.INPUTS:
        os.utime(checkout / name, (2_000_000_000, 2_000_000_000))
    assert is_up_to_date(checkout)


@pytest.mark.parametrize("name", bootstrap.INPUTS)
def test_changed_input_is_seen(checkout: Path, name: str) -> None:
    """A change in a lock or in set-up itself starts set-up again."""
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert not is_up_to_date(checkout)


PYPROJECT_EDITS = (
    ("line-length = 120", "line-length = 100", True),
    ("[tool.mypy]", "# a comment\n[tool.mypy]", True),
    ('bowline = "services.cli:main"', 'bowline = "services.cli:run"', False),
    ('"msgspec",', '"msgspec", "left-pad",', False),
    ('requires = ["hatchling"]', 'requires = ["setuptools"]', False),
    ('dev-mode-dirs = ["."]', 'dev-mode-dirs = ["src"]', False),
)


@pytest.mark.parametrize(("before", "after", "stays"), PYPROJECT_EDITS)
def test_only_what_set_up_reads_of_pyproject_counts(before: str, after: str, stays: bool, checkout: Path) -> None:  # noqa: FBT001 - a row of the table
    """A setting of a tool, or a comment, re-installs nothing; a dependency, a script or the build does."""
    text = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    assert before in text
    (checkout / "pyproject.toml").write_text(text.replace(before, after), encoding="utf-8")
    assert is_up_to_date(checkout) is stays


def test_broken_pyproject_is_told_in_words(checkout: Path) -> None:
    """A pyproject.toml that is no TOML is named with its line, without a traceback."""
    (checkout / "pyproject.toml").write_text("[project\n", encoding="utf-8")
    with pytest.raises(bootstrap.SetUpError, match=r"pyproject\.toml cannot be read: .* line 1"):
        bootstrap.set_up(checkout, WHOLE_MACHINE)


def test_moved_checkout_is_seen(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An environment that moved with its checkout is built anew: its scripts point to the old place."""
    moved = tmp_path_factory.mktemp("elsewhere") / "bowline"
    checkout.rename(moved)
    assert not is_up_to_date(moved)


@pytest.mark.parametrize("script", ["echo cpython-312", "exit 1", "exec /no/such/python"])
def test_python_changed_underneath_is_seen(checkout: Path, script: str) -> None:
    """An environment whose Python was upgraded, or does not run any more, is built anew."""
    a_program(checkout / ".venv/bin/python", script)
    assert not is_up_to_date(checkout)


@pytest.mark.parametrize("stamp", ["", "{}", "[]", '{"checkout": "here"'])
def test_damaged_stamp_counts_as_none(checkout: Path, stamp: str) -> None:
    """A stamp that was cut short or is of another shape starts set-up again, without a traceback."""
    (checkout / ".venv/.set-up").write_text(stamp, encoding="utf-8")
    assert not is_up_to_date(checkout)


def test_failed_run_leaves_no_stamp_and_explains(checkout: Path) -> None:
    """When pip fails half-way the stamp is gone, so the next run starts afresh, and the reason is in plain words."""
    a_pip(checkout, 'echo "OSError: No space left on device" >&2; exit 1')
    with pytest.raises(bootstrap.SetUpError, match="the disk is full"):
        bootstrap.set_up(checkout, WHOLE_MACHINE)
    assert not (checkout / ".venv/.set-up").exists()


def test_pip_may_say_what_is_no_text(checkout: Path) -> None:
    """A byte of pip's complaints that is not UTF-8 costs that byte, and no traceback."""
    a_pip(checkout, "printf '\\377 No space left on device\\n' >&2; exit 1")
    with pytest.raises(bootstrap.SetUpError, match="the disk is full"):
        bootstrap.set_up(checkout, WHOLE_MACHINE)


def test_pip_does_not_outlive_a_set_up_that_is_ended(checkout: Path) -> None:
    """When set-up is told to end it ends pip first, so that nobody else starts while pip still writes."""
    os.mkfifo(checkout / "started")
    a_pip(checkout, f"echo $$ > '{checkout}/started'; exec sleep 60")
    command = [sys.executable, "services/bootstrap.py"]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as set_up:
        pip = int((checkout / "started").read_text(encoding="utf-8"))
        set_up.terminate()
        _, errors = set_up.communicate(timeout=90)
    assert (set_up.returncode, errors.splitlines()[-1]) == (
        130,
        b"set-up: interrupted; the next `make` starts it again.",
    )
    with pytest.raises(ProcessLookupError):
        os.kill(pip, 0)


@pytest.mark.parametrize("ending", bootstrap.ENDINGS)
def test_end_waits_until_who_was_started_is_known(ending: signal.Signals) -> None:
    """Told to end while it starts pip, set-up ends behind that, or nobody would know of pip and end it."""
    before, known = signal.getsignal(ending), []

    def start() -> None:
        with bootstrap.undisturbed():
            signal.raise_signal(ending)
            known.append("pip")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert known == ["pip"]
    assert signal.getsignal(ending) == before


def test_environment_is_built_by_the_python_below_any_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python that makes the environment is the one Python itself names, whatever that program is called."""
    base = a_program(tmp_path / "my own python", f"echo \"$@\" > '{tmp_path}/asked'")
    monkeypatch.setattr(sys, "_base_executable", str(base))
    bootstrap.make_environment(tmp_path / ".venv")
    assert (tmp_path / "asked").read_text(encoding="utf-8") == f"-m venv --clear {tmp_path}/.venv\n"


MISSING = {
    "too little disk space": {"free_bytes": lambda _: 5_000_000},
    "cannot be written": {"can_write": lambda _: False},
    "sudo apt install python3-venv": {"has_module": lambda name: name != "ensurepip"},
}


@pytest.mark.parametrize(("words", "missing"), MISSING.items(), ids=MISSING)
def test_missing_part_of_the_machine_is_named_before_anything_changes(
    words: str, missing: dict[str, object], tmp_path: Path
) -> None:
    """What the machine lacks is said before a file is written."""
    machine = dataclasses.replace(WHOLE_MACHINE, **missing)  # type: ignore[arg-type]  # one field, named in the table
    with pytest.raises(bootstrap.SetUpError, match=words):
        bootstrap.check_machine(tmp_path, machine)
    assert list(tmp_path.iterdir()) == []


def test_missing_git_is_only_a_hint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Set-up goes on without git, and says what will not work."""
    bootstrap.check_machine(tmp_path, dataclasses.replace(WHOLE_MACHINE, has_command=lambda name: name != "git"))
    assert "git is not installed" in capsys.readouterr().out


def test_linked_environment_is_left_alone(checkout: Path) -> None:
    """A `.venv` that is a link belongs to somebody else: set-up refuses to rebuild what it points to."""
    environment = checkout / ".venv"
    environment.rename(checkout / "elsewhere")
    environment.symlink_to(checkout / "elsewhere")
    (environment / ".set-up").unlink()
    with pytest.raises(bootstrap.SetUpError, match="is a link"):
        bootstrap.set_up(checkout, WHOLE_MACHINE)
    assert (checkout / "elsewhere/bin/python").exists()


PIP_SAYS = {
    "WARNING: NameResolutionError\nERROR: No matching distribution found for uv": "reached",
    "WARNING: Retrying: NewConnectionError('Connection refused')": "reached",
    "WARNING: Retrying: SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))": "not trusted",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "Do not go on",
    "ERROR: HTTP error 403 while getting the index": "refuses to serve",
    "ERROR: No matching distribution found for ta-lib==0.8.2": "no ready-made package",
    "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied": "cannot be written",
    "ERROR: something new": "otherwise",
}


@pytest.mark.parametrize(("complaints", "words"), PIP_SAYS.items(), ids=PIP_SAYS.values())
def test_complaint_of_pip_is_put_in_plain_words(complaints: str, words: str) -> None:
    """Each complaint of pip that we know is explained by its cause; an unknown one is not guessed at."""
    assert words in bootstrap.explanation(complaints, "otherwise")
