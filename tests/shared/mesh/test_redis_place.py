"""Where Redis is: who says it, who wins, and what is never shown."""

from pathlib import Path

import pytest

from shared.mesh.redis_place import NoRedis, OtherRedis, OwnRedis, RedisPlaceError, redis_place
from tests.shared.mesh.settings.projects import a_configuration

ELSEWHERE = "redis: {url: 'redis://10.0.0.2:6379/0'}\n"


def test_by_default_it_is_the_mesh_s_own(tmp_path: Path) -> None:
    """Without a word it stands in the run directory; an empty variable is no word."""
    configuration = a_configuration(tmp_path)
    assert redis_place(configuration, {"REDIS_URL": ""}) == OwnRedis(tmp_path / "var/run/redis.sock")


def test_the_variable_wins(tmp_path: Path) -> None:
    """The settings name another Redis or none, and REDIS_URL takes precedence, in all its forms."""
    configuration = a_configuration(tmp_path, local=ELSEWHERE)
    place = redis_place(configuration, {})
    assert isinstance(place, OtherRedis)
    assert (place.url.get_secret_value(), place.shown) == ("redis://10.0.0.2:6379/0",) * 2
    assert redis_place(configuration, {"REDIS_URL": "off"}) == NoRedis()
    assert isinstance(redis_place(configuration, {"REDIS_URL": "own"}), OwnRedis)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:CANARY@host:6379/1", "redis://host:6379/1"),
        ("rediss://:CANARY@host", "rediss://host"),
        ("redis://host/0?password=CANARY&username=me", "redis://host/0"),
        ("unix://me:CANARY@/run/redis.sock?db=1", "unix:///run/redis.sock"),
        ("redis://me:CAN%40ARY@[::1]:6379", "redis://[::1]:6379"),
        ("redis://me:CANARY@half@host", "redis://host"),
    ],
)
def test_password_is_kept_and_not_shown(tmp_path: Path, url: str, shown: str) -> None:
    """The whole address is handed on; what is shown of it, also by accident, has no name, password or option."""
    place = redis_place(a_configuration(tmp_path), {"REDIS_URL": url})
    assert isinstance(place, OtherRedis)
    assert (place.url.get_secret_value(), place.shown) == (url, shown)
    assert [secret for secret in ("CANARY", "CAN%40ARY", "me:") if secret in repr(place)] == []


@pytest.mark.parametrize(
    "url", ["host:6379", "http://CANARY", "redis://", "unix://", "redis://CANARY:port", "redis://[CANARY", " "]
)
def test_what_is_no_address_is_refused_unrepeated(tmp_path: Path, url: str) -> None:
    """A word that leads to no Redis is refused with what to write, and not repeated."""
    with pytest.raises(RedisPlaceError, match="REDIS_URL is no address of a Redis: write redis://") as refused:
        redis_place(a_configuration(tmp_path), {"REDIS_URL": url})
    assert "CANARY" not in str(refused.value)
