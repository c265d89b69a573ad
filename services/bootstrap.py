"""Builds the virtual environment in `.venv` and keeps it in step with the locks. Run by `make`, before every verb.

It runs on the system's Python, before any dependency exists, so it uses the standard library alone and imports
nothing of ours. A run with nothing to do costs two short processes: the environment's stamp records the checkout,
the interpreter and a hash of the inputs it was built from, and is written last, so an interrupted run leaves none.
It never touches anything outside `.venv`.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

INPUTS = ("requirements/research.txt", "requirements/dev.txt", "services/bootstrap.py")
# Of pyproject.toml only what installing the checkout reads: a lint setting re-installs nothing.
TABLES = (("build-system",), ("project",), ("tool", "hatch"))
FREE_BYTES_MIN = 1_200_000_000  # the environment takes 430 MB; pip holds the downloads and a cache beside it

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

LOCKED = ("--no-deps", "--no-compile", "--require-hashes", "--only-binary", ":all:")

# What pip is asked to do, in order, and what a failure means when pip's complaints are none of those below.
PIP_STEPS = (
    (
        ("install", *LOCKED, "-r", "requirements/research.txt", "-r", "requirements/dev.txt"),
        "the locked packages could not be installed; pip's own words stand above.",
    ),
    (
        ("install", "--no-deps", "--no-build-isolation", "--editable", "."),
        "the checkout itself could not be installed; pip's own words stand above.",
    ),
    (
        ("check",),
        "what pyproject.toml asks for and what is locked differ, as listed above. Renew the locks: make lock",
    ),
)

# What pip says, and what it means for the person who ran make. The first line that matches is the one to tell.
EXPLANATIONS = (
    (
        ("No space left on device", "Disk quota exceeded"),
        "the disk is full: pip needs room in this checkout, in its cache (`pip cache dir`) and in TMPDIR.",
    ),
    (
        ("DO NOT MATCH THE HASHES",),
        "a package is not the one that was locked. Do not go on: a mirror or a proxy may have altered it.",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "SSLError"),
        "the registry's certificate is not trusted here. Behind a company proxy: `pip config set global.cert FILE`.",
    ),
    (
        ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ReadTimeoutError", "ProxyError"),
        "the package registry cannot be reached. Check the network, HTTPS_PROXY, and your mirror (`pip config list`).",
    ),
    (
        ("403 Client Error", "401 Client Error", "HTTP error 403", "HTTP error 401"),
        "the package registry refuses to serve this machine. Check your mirror and its log-in (`pip config list`).",
    ),
    (
        ("No matching distribution found",),
        "no ready-made package for this Python on this machine. Try `make clean setup PYTHON=python3.12`.",
    ),
    (
        ("Read-only file system", "Permission denied"),
        "a file cannot be written. Were earlier runs made as another user? Then remove `.venv` as that user.",
    ),
)


class SetUpError(Exception):
    """Set-up cannot go on; the text tells the person what is wrong and what to do."""


@dataclass(frozen=True)
class Stamp:
    """What an environment was built from; equal stamps mean there is nothing to do."""

    checkout: str
    python: str
    inputs: str


@dataclass(frozen=True)
class Machine:
    """What set-up asks of the machine, gathered here so that tests can hand in a machine without it."""

    free_bytes: Callable[[Path], int]
    can_write: Callable[[Path], bool]
    has_module: Callable[[str], bool]
    has_command: Callable[[str], bool]


THIS_MACHINE = Machine(
    free_bytes=lambda path: shutil.disk_usage(path).free,
    can_write=lambda path: os.access(path, os.W_OK),
    has_module=lambda name: importlib.util.find_spec(name) is not None,
    has_command=lambda name: shutil.which(name) is not None,
)


def main() -> int:
    """Set up the checkout this file lies in; the exit code is 0, or 2 when a person must do something first."""
    checkout = Path(__file__).resolve().parent.parent
    for ending in ENDINGS:
        signal.signal(ending, signal.default_int_handler)  # as Ctrl-C: pip is ended too, and then the lock is freed
    try:
        set_up(checkout, THIS_MACHINE)
    except SetUpError as error:
        sys.stderr.write(f"set-up: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"set-up: {explanation(str(error), str(error))}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nset-up: interrupted; the next `make` starts it again.\n")
        return 130
    return 0


def set_up(checkout: Path, machine: Machine) -> None:
    """Bring `.venv` in step with the locks, doing as little as that takes; one run at a time in a checkout."""
    environment = checkout / ".venv"
    if is_up_to_date(checkout, environment):
        return
    check_machine(checkout, machine)
    with_lock(checkout, lambda: build(checkout, environment))


def is_up_to_date(checkout: Path, environment: Path) -> bool:
    """Say whether the environment was built here, by this interpreter, from these inputs."""
    stamp = read_stamp(environment)
    return stamp is not None and stamp == present_stamp(checkout, environment)


def read_stamp(environment: Path) -> Stamp | None:
    """Return the stamp a finished set-up left, or None."""
    try:
        return Stamp(**json.loads((environment / ".set-up").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def present_stamp(checkout: Path, environment: Path) -> Stamp:
    """Return the stamp a set-up finished now would leave; the interpreter is asked, as it may have been upgraded."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((checkout / name).read_bytes())
    digest.update(json.dumps(project_tables(checkout), sort_keys=True).encode())
    return Stamp(checkout=str(checkout), python=interpreter_version(environment), inputs=digest.hexdigest())


def project_tables(checkout: Path) -> list[object]:
    """Return the tables of pyproject.toml on which the installed checkout depends."""
    try:
        project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    except ValueError as error:
        raise SetUpError(f"pyproject.toml cannot be read: {error}") from error
    found: list[object] = []
    for path in TABLES:
        table: object = project
        for name in path:
            table = table.get(name) if isinstance(table, dict) else None
        found.append(table)
    return found


def interpreter_version(environment: Path) -> str:
    """Return what the environment's interpreter calls itself ("cpython-311"), or nothing when it does not run."""
    command = [str(environment / "bin/python"), "-c", "import sys, pip; print(sys.implementation.cache_tag)"]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except OSError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def check_machine(checkout: Path, machine: Machine) -> None:
    """Refuse, in plain words and before anything is changed, what would fail half-way."""
    if (checkout / ".venv").is_symlink():
        raise SetUpError("`.venv` is a link to another place, which set-up leaves alone. Remove the link: rm .venv")
    if not machine.can_write(checkout):
        raise SetUpError(f"{checkout} cannot be written. Clone it to a folder of your own.")
    if not (machine.has_module("venv") and machine.has_module("ensurepip")):
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        raise SetUpError(
            f"{sys.executable} cannot make virtual environments: Debian and Ubuntu ship that part separately.\n"
            f"  as root:    apt install python3-venv\n"
            f"  otherwise:  sudo apt install python3-venv\n"
            f"  for a Python beside the distribution's own, the package is {version}-venv"
        )
    free_bytes = machine.free_bytes(checkout)
    if free_bytes < FREE_BYTES_MIN:
        raise SetUpError(
            f"too little disk space for the environment: {free_bytes // 1_000_000} MB free in {checkout}, "
            f"{FREE_BYTES_MIN // 1_000_000} MB needed."
        )
    if not machine.has_command("git"):
        say("git is not installed: everything here runs without it, but you cannot update or contribute.")


def with_lock(checkout: Path, work: Callable[[], None]) -> None:
    """Do the work while no other set-up runs in this checkout, such as that of a `make` in another terminal."""
    folder = os.open(checkout, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        work()
    finally:
        os.close(folder)


def build(checkout: Path, environment: Path) -> None:
    """Install what is locked, into a fresh environment unless the one at hand is ours and whole."""
    if is_up_to_date(checkout, environment):
        return  # another `make` did it while this one waited for the lock
    say("setting up .venv, about a minute; only when the locked requirements change")
    found, wanted = read_stamp(environment), present_stamp(checkout, environment)
    (environment / ".set-up").unlink(missing_ok=True)
    if found is None or (found.checkout, found.python) != (wanted.checkout, wanted.python):
        make_environment(environment)
    for arguments, failure in PIP_STEPS:
        run_pip(checkout, environment, arguments, failure)
    stamp = present_stamp(checkout, environment)
    (environment / ".set-up").write_text(json.dumps(asdict(stamp)) + "\n", encoding="utf-8")
    say("done")


def make_environment(environment: Path) -> None:
    """Make an empty environment in place of whatever is there: half-built, moved, or of a Python that went away."""
    command = [base_executable(), "-m", "venv", "--clear", str(environment)]
    made = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False
    )
    if made.returncode != 0:
        sys.stderr.write(made.stdout)
        raise SetUpError(explanation(made.stdout, "the virtual environment could not be made; see above."))


def base_executable() -> str:
    """Return the program of the Python below any environment: the one running this may be in what is cleared."""
    return str(getattr(sys, "_base_executable", sys.executable))  # no public name has it; the module venv asks the same


def run_pip(checkout: Path, environment: Path, arguments: tuple[str, ...], failure: str) -> None:
    """Run pip with its output left visible as progress; the user's own pip settings (mirror, certificate) hold."""
    command = [str(environment / "bin/python"), "-m", "pip", "--disable-pip-version-check", *arguments]
    complaints: list[str] = []
    with ExitStack() as held:
        with undisturbed():  # an end that came before we know the process would leave it behind
            pip = subprocess.Popen(command, cwd=checkout, stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
            held.enter_context(pip)
            held.callback(end, pip)  # when we are interrupted it must not outlive the lock
        for line in pip.stderr or ():
            sys.stderr.write(line)
            complaints.append(line)
        pip.wait()
    if pip.returncode != 0:
        raise SetUpError(explanation("".join(complaints), failure))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off what would end us until this is over."""
    came: list[int] = []
    handlers = {ending: signal.signal(ending, lambda number, _: came.append(number)) for ending in ENDINGS}
    yield
    for ending, handler in handlers.items():
        signal.signal(ending, handler)
    if came:
        raise KeyboardInterrupt


def end(pip: "subprocess.Popen[str]") -> None:
    """End pip, if it has not ended by itself, and wait until it has."""
    pip.terminate()
    pip.wait()


def explanation(complaints: str, otherwise: str) -> str:
    """Return what the complaints mean for the person at the terminal, or the other words when they are unknown."""
    for marks, meaning in EXPLANATIONS:
        if any(mark in complaints for mark in marks):
            return meaning
    return otherwise


def say(sentence: str) -> None:
    """Tell the person at the terminal; flushed, so that it stands before the output of pip."""
    sys.stdout.write(f"set-up: {sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
