"""The key pair of every process: who it is on the wire, and whom it believes.

`bowline keys` creates them; every process loads its own secret and everybody's public key when it starts. An instance
is a role, or a role and a name (`feed-2`, `strategy-trend`) where several processes share one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import zmq

from proto.fields import Role
from shared.mesh.instances import EXPECTED, INSTANCE
from shared.mesh.private_directory import PrivateDirectory

KEY_CHARACTERS: Final = 40
_FILE_BYTES_MAX: Final = 64


class KeysUnusableError(Exception):
    """A key that is missing or damaged; the message says where and what to do."""


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


@lru_cache(maxsize=256)  # asked for every message
def role_of(instance: str) -> Role:
    """Read the role off an instance's name; a name without a known role is refused."""
    if not INSTANCE.fullmatch(instance):
        raise KeysUnusableError(f"{instance!r} is no instance: {EXPECTED}")
    return cast("Role", instance.partition("-")[0])


def create_keys(directory: PrivateDirectory, instances: Iterable[str]) -> list[str]:
    """Create a pair for every instance that has none and name those; a lost public half follows from the secret.

    A secret that is lost is refused, not replaced: whoever runs knows the public half of the old one, and would not
    speak to the holder of a new one.
    """
    created = []
    for instance in instances:
        role_of(instance)
        has_secret, has_public = (
            directory.read_file(f"{instance}.{half}", bytes_max=_FILE_BYTES_MAX) is not None
            for half in ("secret", "public")
        )
        if not has_secret and has_public:
            raise KeysUnusableError(_lost(directory, instance))
        if not has_secret:
            # The secret first: a death between the two must not look like a secret that was lost.
            directory.replace_file(f"{instance}.secret", zmq.curve_keypair()[1] + b"\n")
            created.append(instance)
        if not has_public:
            public = zmq.curve_public(_read(directory, f"{instance}.secret"))
            directory.replace_file(f"{instance}.public", public + b"\n")
    return created


def _lost(directory: PrivateDirectory, instance: str) -> str:
    path = directory.path / instance
    return (
        f"{path}.secret is lost, and its other half is there: every process that runs knows {instance} by it. Put the "
        f"file back from a copy; or, to make {instance} a new pair, remove {path}.public, run `bowline down` and then "
        "`bowline up`, so that all of them learn the new one"
    )


def load_key_ring(directory: PrivateDirectory, instance: str) -> KeyRing:
    """Load what one process needs: its own pair, and everybody's public key."""
    role_of(instance)
    secret = _read(directory, f"{instance}.secret")
    names = sorted(file.name for file in directory.path.iterdir() if file.suffix == ".public")
    public_keys = {name.removesuffix(".public"): _read(directory, name) for name in names}
    if instance not in public_keys:
        raise KeysUnusableError(
            f"{directory.path / instance}.public is missing: run `bowline keys create {instance}`, which makes it from "
            "the secret"
        )
    if zmq.curve_public(secret) != public_keys[instance]:
        raise KeysUnusableError(
            f"{directory.path / instance}.secret does not belong to {instance}.public: put back the one that was "
            "changed; or remove both, run `bowline down` and then `bowline up`, so that all learn the new pair"
        )
    return KeyRing(instance=instance, own=KeyPair(public=public_keys[instance], secret=secret), public_keys=public_keys)


def _read(directory: PrivateDirectory, name: str) -> bytes:
    content = directory.read_file(name, bytes_max=_FILE_BYTES_MAX)
    instance = name.partition(".")[0]
    if content is None:
        raise KeysUnusableError(f"{directory.path / name} is missing: run `bowline keys create {instance}`")
    if len(content.strip()) != KEY_CHARACTERS:
        raise KeysUnusableError(
            f"{directory.path / name} holds no key: remove it with its other half and run `bowline keys create`"
        )
    return content.strip()
