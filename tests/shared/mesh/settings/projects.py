"""Builders: a project directory with the shipped configuration and whatever a test changes in it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from shared.mesh.settings import Configuration, load_configuration

CHECKOUT = Path(__file__).parents[4]
API_KEY = "CANARYkeyCANARYkey0123456789"
API_SECRET = "CANARYsecretCANARY+/=9876543210"  # noqa: S105 - a canary, looked for in every output


def a_project(root: Path, *, shipped: str | bytes | None = None, local: str | bytes | None = None) -> Path:
    """Return a project root with our shipped configuration, unless a test brings its own, and a local one."""
    config = root / "config"
    config.mkdir()
    shutil.copy(CHECKOUT / "config/bowline.yaml", config)
    for name, content in (("bowline.yaml", shipped), ("local.yaml", local)):
        if content is not None:
            (config / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def a_configuration(
    root: Path,
    *,
    shipped: str | None = None,
    local: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """Return the configuration of such a project."""
    return load_configuration(root=a_project(root, shipped=shipped, local=local), environment=environment or {})


def with_secrets(root: Path, *, account: str = "binance.main", directory_mode: int = 0o700, mode: int = 0o600) -> Path:
    """Write a key pair under the root, kept with the modes given, and return its directory."""
    directory = root / "var/secrets"
    directory.mkdir(parents=True, mode=0o700)
    for name, value in (("api_key", API_KEY), ("api_secret", API_SECRET)):
        file = directory / f"{account}.{name}"
        file.write_text(f"{value}\n")
        file.chmod(mode)
    directory.chmod(directory_mode)
    return directory
