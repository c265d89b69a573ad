"""Reads exchange secrets from the secrets directory, the only place they may stand.

Called by the two processes that sign requests, once at start, and by `bowline config`. Every file is opened without
following links and judged by its open descriptor, so that nothing can be swapped between the look and the read.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from shared.mesh.settings.problems import Problem, SettingsError, nearest

SECRET_BYTES_MAX = 4096
# Shorter ones are typing slips, and the log redactor would find them inside ordinary words.
SECRET_CHARACTERS_MIN = 8
SECRET_NAMES = ("api_key", "api_secret")
SIGNERS = ("executor", "flattener")  # each has a key pair of its own
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_SECRET_FILE = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*\.(api_key|api_secret)")
_NEAR = 0.8
_HOW_TO = "docs/how-to/keep-secrets.md"
_SECRET = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Credentials:
    """The key pair of one account; SecretStr keeps it out of every repr."""

    api_key: SecretStr
    api_secret: SecretStr


def secret_file_name(venue: str, account: str, secret: str) -> str:
    """Return the file a secret of an account stands in."""
    return f"{venue}.{account}.{secret}"


def key_name(account: str, signer: str) -> str:
    """Return what stands for the account in the names of a process's secret files: the executor's is the plain one."""
    return account if signer == SIGNERS[0] else f"{account}-{signer}"


def load_credentials(directory: Path, *, venue: str, account: str, shown_as: str) -> Credentials | None:
    """Return the account's key pair, None when neither file exists; anything half right or too open is refused.

    `shown_as` is how problems name the directory.
    """
    try:
        descriptor = os.open(directory, _OPEN | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        text = f"belongs to another user, or lies in a directory of one: {_another(shown_as)}"
        raise SettingsError([Problem(shown_as, "", text)]) from error
    except OSError as error:
        text = f"must be a real directory of yours, not a link or a file: make it with mode 0700, see {_HOW_TO}"
        raise SettingsError([Problem(shown_as, "", text)]) from error
    try:
        entries = os.listdir(descriptor)  # noqa: PTH208  # by descriptor: behind a path another directory may stand by now
        faults = _directory_faults(directory.resolve(), os.fstat(descriptor), entries, shown_as)
        _refuse([Problem(shown_as, "", text) for text in faults])
        found = {name: _secret(descriptor, secret_file_name(venue, account, name), shown_as) for name in SECRET_NAMES}
    finally:
        os.close(descriptor)
    _refuse([value for value in found.values() if isinstance(value, Problem)])
    files = {name: secret_file_name(venue, account, name) for name in SECRET_NAMES}
    return _pair(found, files, set(entries) - set(files.values()), shown_as)


def _directory_faults(directory: Path, status: os.stat_result, entries: Iterable[str], shown_as: str) -> list[str]:
    """Say how others could get into the directory; advise to close it only when it serves nothing but secrets.

    A mode of 0700 on `/`, on `/tmp` or on a home would shut out everybody else on the machine.
    """
    faults = _exposure(status, "0700")
    if not faults:
        return []
    if directory.parent == directory.parent.parent or status.st_mode & stat.S_ISVTX:
        return [f"serves the whole machine: {_another(shown_as)}"]
    if status.st_uid != os.geteuid():
        return [f"belongs to another user: {_another(shown_as)}"]
    if not all(_SECRET_FILE.fullmatch(entry) for entry in entries):
        return [f"is open to others and holds other things: {_another(shown_as)}"]
    return faults


def _another(shown_as: str) -> str:
    """Advise another directory than the one at hand."""
    example = "var/secrets" if shown_as != "var/secrets" else "var/keys"
    return f"choose a directory of its own, such as {example} (paths.secrets_directory, {_HOW_TO})"


def _pair(
    found: Mapping[str, SecretStr | Problem | None], files: Mapping[str, str], others: Iterable[str], shown_as: str
) -> Credentials | None:
    if not any(found.values()):
        return None
    missing = [files[name] for name in found if not found[name]]
    _refuse([Problem(f"{shown_as}/{file}", "", _missing(file, others)) for file in missing])
    return Credentials(**{name: value for name, value in found.items() if isinstance(value, SecretStr)})


def _missing(file: str, others: Iterable[str]) -> str:
    near = nearest(file, (other for other in others if other.isprintable()), cutoff=_NEAR)
    if near:
        return f"is missing, did you mean {near}? Rename that file, its other half is there"
    return f"is missing, its other half is there: put the secret into this file too ({_HOW_TO})"


def _secret(directory: int, name: str, shown_as: str) -> SecretStr | Problem | None:
    where = f"{shown_as}/{name}"
    try:
        descriptor = os.open(name, _OPEN, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError:
        return Problem(where, "", "must be a plain file you can read, not a link: replace it by the file itself")
    try:
        status = os.fstat(descriptor)
        faults = ["must be a plain file"] if not stat.S_ISREG(status.st_mode) else list(_exposure(status, "0600"))
        content = b"" if faults else os.read(descriptor, SECRET_BYTES_MAX + 1)
    finally:
        os.close(descriptor)
    fault = faults[0] if faults else _fault(content)
    return Problem(where, "", fault) if fault else SecretStr(content.decode("ascii").strip())


def _exposure(status: os.stat_result, mode: str) -> list[str]:
    """Say how others could read or replace what the descriptor stands for."""
    faults = []
    if status.st_uid != os.geteuid():
        faults.append("belongs to another user: make it yours (chown)")
    if stat.S_IMODE(status.st_mode) & ~int(mode, 8):
        faults.append(f"is open to others: set its mode to {mode} (chmod {mode})")
    return faults


def _fault(content: bytes) -> str:
    """Say why the content cannot be a secret; empty when it can."""
    if len(content) > SECRET_BYTES_MAX:
        return f"is larger than {SECRET_BYTES_MAX} bytes: a file holds one secret and nothing else"
    text = content.decode("ascii", errors="replace").strip()
    if not text:
        return "is empty: write the secret into it"
    if not text.isascii() or not _SECRET.fullmatch(text):
        return "must hold one secret on one line, without spaces"
    if len(text) < SECRET_CHARACTERS_MIN:
        return f"holds fewer than {SECRET_CHARACTERS_MIN} characters: that is not a whole secret"
    return ""


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise SettingsError(problems)
