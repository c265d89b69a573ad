"""Reads exchange secrets from the secrets directory, the only place they may stand.

Called by the two processes that sign requests, once at start, and by `bowline config`. Every file is opened without
following links and judged by its open descriptor, so that nothing can be swapped between the look and the read.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from shared.mesh.settings.problems import Problem, SettingsError

SECRET_BYTES_MAX = 4096
# Shorter ones are typing slips, and the log redactor would find them inside ordinary words.
SECRET_CHARACTERS_MIN = 8
SECRET_NAMES = ("api_key", "api_secret")
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_SECRET = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Credentials:
    """The key pair of one account; SecretStr keeps it out of every repr."""

    api_key: SecretStr
    api_secret: SecretStr


def secret_file_name(venue: str, account: str, secret: str) -> str:
    """Return the file a secret of an account stands in."""
    return f"{venue}.{account}.{secret}"


def load_credentials(directory: Path, *, venue: str, account: str, shown_as: str) -> Credentials | None:
    """Return the account's key pair, None when neither file exists; anything half right or too open is refused.

    `shown_as` is how problems name the directory.
    """
    try:
        descriptor = os.open(directory, _OPEN | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    except OSError as error:
        text = "must be a real directory of yours, not a link or a file: make it with mode 0700"
        raise SettingsError([Problem(shown_as, "", text)]) from error
    try:
        _refuse([Problem(shown_as, "", text) for text in _exposure(os.fstat(descriptor), "0700")])
        found = {name: _secret(descriptor, secret_file_name(venue, account, name), shown_as) for name in SECRET_NAMES}
    finally:
        os.close(descriptor)
    return _pair(found, prefix=f"{shown_as}/{venue}.{account}")


def _pair(found: dict[str, SecretStr | Problem | None], *, prefix: str) -> Credentials | None:
    _refuse([value for value in found.values() if isinstance(value, Problem)])
    if not any(found.values()):
        return None
    _refuse(
        [Problem(f"{prefix}.{name}", "", "is missing: its other half is there") for name in found if not found[name]]
    )
    return Credentials(**{name: value for name, value in found.items() if isinstance(value, SecretStr)})


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
