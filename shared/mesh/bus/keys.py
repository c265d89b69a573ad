"""The key pair of every process: who it is on the wire, and whom it believes.

`bowline keys` creates them; every process loads its own secret and everybody's public key when it starts. An instance
is a role, or a role and a name (`feed-2`, `strategy-trend`) where several processes share one.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast, get_args

import zmq

from proto.fields import Role

INSTANCE: Final = re.compile(r"[a-z]+(-[a-z0-9_]{1,24})?")
KEY_CHARACTERS: Final = 40
_SECRET_MODE: Final = 0o600
_DIRECTORY_MODE: Final = 0o700


class KeysUnusableError(Exception):
    """A key that is missing, exposed or damaged; the message says where and what to do."""


@dataclass(frozen=True)
class KeyPair:
    """One CURVE key pair, as ZeroMQ writes keys: forty printable characters each."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        """Show the public half only."""
        return f"KeyPair(public={self.public!r})"


@dataclass(frozen=True)
class KeyRing:
    """What one process knows: its own pair, and the public key of every instance."""

    instance: str
    own: KeyPair
    public_keys: Mapping[str, bytes]

    def instance_of(self, public_key: bytes) -> str | None:
        """Name the instance that owns a public key, or nobody."""
        return next((instance for instance, key in self.public_keys.items() if key == public_key), None)


def role_of(instance: str) -> Role:
    """Read the role off an instance's name; a name without a known role is refused."""
    role = instance.partition("-")[0]
    if role not in get_args(Role) or not INSTANCE.fullmatch(instance):
        known = ", ".join(get_args(Role))
        raise KeysUnusableError(f"{instance!r} is no instance: use a role ({known}), or a role, a dash and a name")
    return cast("Role", role)


def create_keys(directory: Path, instances: Iterable[str]) -> list[str]:
    """Create a pair for every instance that has none and name those; existing pairs are left alone."""
    directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
    _check_private(directory, _DIRECTORY_MODE)
    created = []
    for instance in instances:
        role_of(instance)
        if not (directory / f"{instance}.secret").exists():
            public, secret = zmq.curve_keypair()
            _write(directory / f"{instance}.secret", secret)
            _write(directory / f"{instance}.public", public)
            created.append(instance)
    return created


def load_key_ring(directory: Path, instance: str) -> KeyRing:
    """Load what one process needs, checking that its secret is nobody else's to read."""
    role_of(instance)
    if not directory.is_dir():
        raise KeysUnusableError(f"no keys in {directory}: run `bowline keys create`")
    _check_private(directory, _DIRECTORY_MODE)
    secret_file = directory / f"{instance}.secret"
    if not secret_file.exists():
        raise KeysUnusableError(f"{secret_file} is missing: run `bowline keys create {instance}`")
    _check_private(secret_file, _SECRET_MODE)
    public_keys = {file.stem: _read(file) for file in sorted(directory.glob("*.public"))}
    secret = _read(secret_file)
    if zmq.curve_public(secret) != public_keys.get(instance):
        raise KeysUnusableError(
            f"{secret_file} does not belong to {instance}.public: remove both and create them again"
        )
    return KeyRing(instance=instance, own=KeyPair(public=public_keys[instance], secret=secret), public_keys=public_keys)


def _check_private(path: Path, mode: int) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise KeysUnusableError(f"{path} is a symbolic link: put the real file there")
    if found.st_uid != os.geteuid():
        raise KeysUnusableError(f"{path} belongs to another user: chown it to the one who runs the mesh")
    if stat.S_IMODE(found.st_mode) & ~mode:
        raise KeysUnusableError(f"{path} is open to others: chmod {mode:o} {path}")


def _write(path: Path, key: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _SECRET_MODE), "wb") as file:
        file.write(key + b"\n")


def _read(path: Path) -> bytes:
    key = path.read_bytes().strip()
    if len(key) != KEY_CHARACTERS:
        raise KeysUnusableError(f"{path} holds no key: remove it with its other half and run `bowline keys create`")
    return key
