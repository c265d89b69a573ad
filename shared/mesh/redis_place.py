"""Where the Redis of the mesh is: its own, whose socket stands in the run directory, another, or none.

The settings say it, and the variable REDIS_URL says it better: there a password may stand. Nothing here shows one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from shared.mesh.run_directory import length_fault
from shared.mesh.settings import Configuration

VARIABLE: Final = "REDIS_URL"
SOCKET_NAME: Final = "redis.sock"
OWN: Final = "own"
OFF: Final = "off"
_RESTS: Final = "rests:"
_SCHEMES: Final = frozenset({"redis", "rediss", "unix"})


class RedisPlaceError(Exception):
    """Where Redis is said to be, none can be; the text says who says so and what to do, and repeats nothing."""


@dataclass(frozen=True, slots=True)
class OwnRedis:
    """The mesh's own server, at this socket."""

    socket: Path

    @property
    def shown(self) -> str:
        """Name it."""
        return str(self.socket)


@dataclass(frozen=True, slots=True)
class OtherRedis:
    """A server that somebody else runs; its address may hold a password."""

    url: SecretStr
    shown: str


@dataclass(frozen=True, slots=True)
class NoRedis:
    """None is wanted."""

    shown: str = "no Redis"


RedisPlace = OwnRedis | OtherRedis | NoRedis


def redis_place(configuration: Configuration, environment: Mapping[str, str]) -> RedisPlace:
    """Return where Redis is, by the environment first and then by the settings."""
    said = environment.get(VARIABLE, "") or configuration.settings.redis.url
    if said == OFF:
        return NoRedis()
    if said == OWN:
        return _own(configuration)
    parts = _parts(said)
    if parts is None:
        raise RedisPlaceError(
            f"{VARIABLE} is no address of a Redis: write redis://host:port/number, rediss:// for TLS, unix:///path, "
            f"or {OWN} or {OFF}"
        )
    return OtherRedis(SecretStr(said), _shown(parts))


def resting_words(place: OtherRedis | NoRedis) -> Sequence[str]:
    """Return what stands last on the command line of whatever rests in the place of the mesh's own server."""
    return (_RESTS, f"{place.shown} is wanted, by redis.url or {VARIABLE}")


def why_it_rests(command_line: Sequence[str]) -> str:
    """Return why a program with this command line is not the mesh's own server; empty where it is."""
    return command_line[-1] if _RESTS in command_line[-2:-1] else ""


def _own(configuration: Configuration) -> OwnRedis:
    path = configuration.run_directory.absolute() / SOCKET_NAME
    if fault := length_fault(path):
        raise RedisPlaceError(f"{path} {fault}")
    return OwnRedis(path)


def _parts(url: str) -> SplitResult | None:
    """Take an address apart; None when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # looked at here, since it is only now that a senseless one is refused
    except ValueError:
        return None
    place = parts.path if parts.scheme == "unix" else parts.hostname
    return parts if parts.scheme in _SCHEMES and place else None


def _shown(parts: SplitResult) -> str:
    """Return the address without what is nobody's business: name, password and options."""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
