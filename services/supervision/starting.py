"""Starts supervisord as a daemon, in directories and an environment that are as they should be."""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from proto.fields import Role
from services.supervision.asking import asked
from services.supervision.doors import taken_doors
from services.supervision.mesh import Mesh
from shared.mesh.bus.keys import KeysUnusableError, create_keys, load_key_ring
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.program_file import FOREIGN, file_to_run
from shared.mesh.redis_place import VARIABLE as REDIS_VARIABLE
from shared.mesh.settings import SettingsError
from shared.mesh.settings.unread_markets import unread_markets
from shared.mesh.settings.unusable_paths import unusable_paths
from shared.mesh.started_with import keep
from shared.mesh.verb import NotDoneError
from shared.mesh.webhook_place import VARIABLE as WEBHOOK_VARIABLE

START_TIMEOUT_S: Final = 30.0
# What the processes may know of the shell they were started from; the rest of it is none of their business.
PASSED_ON: Final = frozenset(
    {"HOME", "LANG", "LOGNAME", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR", "TZ", "USER"}
    | {REDIS_VARIABLE, WEBHOOK_VARIABLE}
    | {"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"}
)
PASSED_ON_BEGINNINGS: Final = ("BOWLINE_", "LC_")


def _refuse_settings(mesh: Mesh) -> None:
    configuration = mesh.configuration
    if problems := [*unusable_paths(configuration), *unread_markets(configuration, mesh.programs.instances)]:
        raise SettingsError(problems)


def prepare(mesh: Mesh) -> list[str]:
    """Make the directories and keys that are missing, refuse those that will not do, and name the keys made."""
    configuration = mesh.configuration
    _refuse_settings(mesh)
    for path in (configuration.run_directory, configuration.seats_directory, configuration.logs_directory):
        PrivateDirectory(path).close()
    with PrivateDirectory(configuration.keys_directory) as keys:
        return create_keys(keys, dict.fromkeys([*get_args(Role), *mesh.programs.instances]))


def refuse_what_cannot_start(mesh: Mesh, instances: Sequence[str]) -> None:
    """Raise what these processes would end with at their start, while those that they replace still run."""
    configuration = mesh.configuration
    _refuse_settings(mesh)
    for path in (configuration.run_directory, configuration.seats_directory, configuration.anchors_directory):
        PrivateDirectory(path).close()
    with PrivateDirectory(configuration.keys_directory) as keys:
        for instance in instances:
            if instance not in FOREIGN:
                load_key_ring(keys, instance)
    with mesh.seats() as seats:
        if troubles := list(taken_doors(mesh, seats, instances)):
            raise NotDoneError("; ".join(troubles))


def key_faults(mesh: Mesh, instances: Iterable[str]) -> list[str]:
    """Say which keys these processes would end with at their next start, however well they run; a look makes none."""
    directory = mesh.configuration.keys_directory
    if not directory.exists():
        return []
    hit: dict[str, list[str]] = {}
    try:
        with PrivateDirectory(directory) as keys:
            for instance in dict.fromkeys(one for one in instances if one not in FOREIGN):
                try:
                    load_key_ring(keys, instance)
                except (KeysUnusableError, PrivateFileError) as error:
                    hit.setdefault(str(error), []).append(instance)
    except PrivateFileError as error:
        return [f"nothing can start again: {error}"]
    return [f"{', '.join(names)} cannot start again: {fault}" for fault, names in hit.items()]


def start_supervisor(mesh: Mesh) -> int:
    """Start supervisord, wait until it answers, and return its process number."""
    with PrivateDirectory(mesh.configuration.run_directory) as run_directory:
        file = file_to_run(mesh.programs, mesh.configuration, run_directory)
    environment = clean(mesh.environment)
    refused = _daemonized(file, environment)
    if not refused:
        keep(mesh.configuration.run_directory, environment)
    # Another `bowline up` may have been faster; then that one's supervisord is as good.
    if not mesh.wait_until(lambda: _answers(mesh), within_s=0 if refused else START_TIMEOUT_S):
        log = mesh.log("supervisord")
        raise NotDoneError(f"supervisord does not start: {refused or f'it does not answer; {log} may say why'}")
    supervisor_id = asked(mesh).supervisor_id
    if supervisor_id is None:
        raise NotDoneError(f"supervisord ended as soon as it had started; {mesh.log('supervisord')} may say why")
    return supervisor_id


def _answers(mesh: Mesh) -> bool:
    supervision = asked(mesh)
    return supervision.supervisor_id is not None and not supervision.trouble


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what of an environment reaches the processes."""
    return {
        name: value for name, value in environment.items() if name in PASSED_ON or name.startswith(PASSED_ON_BEGINNINGS)
    }


def _daemonized(file: Path, environment: Mapping[str, str]) -> str:
    """Run supervisord until it is in the background; return what it said if it refused, empty if not."""
    try:
        started = subprocess.run(  # noqa: S603  # the interpreter we run in, and a file of our own
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)],
            cwd=file.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            umask=0o077,
            timeout=START_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it was not in the background after {START_TIMEOUT_S:g} s"
    if not started.returncode:
        return ""
    lines = (started.stderr + started.stdout).strip().splitlines()
    said = [line for line in lines if line.startswith("Error:")] or lines[-1:]
    return " ".join(said) or f"it ended with code {started.returncode}"
