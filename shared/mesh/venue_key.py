"""Where the API key of an account is found: among the secrets, or at the exchange that this host simulates.

For the two processes that sign requests. The simulated exchange makes keys at its first start, one for each of them, in
a file of its own. Money that is none needs no set-up, so they are taken from there.
"""

from pathlib import Path
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta
from pydantic import SecretStr

from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.settings import Credentials, SettingsError, load_credentials
from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.secret_files import key_name

ACCOUNTS_FILE: Final = "accounts.json"
FILE_BYTES_MAX: Final = 256 * 1024

_Secret = Annotated[str, Meta(min_length=8, max_length=4_096)]


class _Key(msgspec.Struct, frozen=True):
    name: str
    key: _Secret
    secret: _Secret

    def __repr__(self) -> str:
        return f"_Key(name={self.name!r})"


class _Account(msgspec.Struct, frozen=True):
    keys: tuple[_Key, ...]


class KeySource(Protocol):
    """Where the key of an account is found."""

    @property
    def missing(self) -> str:
        """What to say as long as there is none."""

    def read(self) -> Credentials | None:
        """Return the key pair, None as long as there is none; raise `OutsideUnusableError` where it cannot be used."""


class SecretFiles:
    """The key pair of a process among the secrets."""

    def __init__(self, configuration: Configuration, *, name: str) -> None:
        self._configuration: Final = configuration
        self._account: Final = key_name(configuration.settings.venue.account, name)

    @property
    def missing(self) -> str:
        """What to say as long as a person has put none there."""
        settings = self._configuration.settings
        return (
            f"there is no key for {settings.venue.name} ({self._account}) in "
            f"{settings.paths.secrets_directory}; docs/how-to/keep-secrets.md says how it gets there"
        )

    def read(self) -> Credentials | None:
        """Return the key pair, None as long as there is none."""
        settings = self._configuration.settings
        try:
            return load_credentials(
                self._configuration.secrets_directory,
                venue=settings.venue.name,
                account=self._account,
                shown_as=settings.paths.secrets_directory,
            )
        except SettingsError as error:
            raise OutsideUnusableError(str(error)) from error


class KeyOfSimulatedExchange:
    """The key of a name that the simulated exchange made, of the first account that has one."""

    missing: Final = "there is no key yet: the exchange makes it at its first start"

    def __init__(self, directory: Path, *, name: str) -> None:
        self._directory: Final = directory
        self._name: Final = name

    def read(self) -> Credentials | None:
        """Return the key pair, None as long as the exchange has made none."""
        if not (self._directory / ACCOUNTS_FILE).exists():
            return None
        try:
            with PrivateDirectory(self._directory) as directory:
                content = directory.read_file(ACCOUNTS_FILE, bytes_max=FILE_BYTES_MAX)
        except PrivateFileError as error:
            raise OutsideUnusableError(str(error)) from error
        if content is None:
            return None
        path = self._directory / ACCOUNTS_FILE
        try:
            accounts = msgspec.json.decode(content, type=tuple[_Account, ...])
        except (ValueError, RecursionError) as error:
            raise OutsideUnusableError(f"{path} cannot be read ({error}): correct it, or move it away") from error
        for account in accounts:
            for key in account.keys:
                if key.name == self._name:
                    return Credentials(api_key=SecretStr(key.key), api_secret=SecretStr(key.secret))
        raise OutsideUnusableError(f"{path} has no key called {self._name}: add one, or move the file away")


def key_source(configuration: Configuration, *, name: str) -> KeySource:
    """Return where the key of a process is found; `name` is that of the process, which has its own."""
    found_there: dict[str, KeySource] = {
        "simulated": KeyOfSimulatedExchange(configuration.var_directory / "exchange", name=name)
    }
    return found_there.get(configuration.settings.venue.url) or SecretFiles(configuration, name=name)
