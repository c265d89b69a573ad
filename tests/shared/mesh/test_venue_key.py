"""Where the key of an account is found."""

from pathlib import Path

import pytest

from services.sim_exchange.accounts_file import accounts_of
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.settings.loader import Configuration, load_configuration
from shared.mesh.venue_key import key_source


def configured(root: Path, local: str = "logs:\n  level: info\n") -> Configuration:
    """Return the configuration of a project with these local settings."""
    (root / "config").mkdir()
    (root / "config/bowline.yaml").write_text("logs:\n  level: info\n")
    (root / "config/local.yaml").write_text(local)
    return load_configuration(root=root, environment={})


def secrets_of(root: Path, **secrets: str) -> None:
    """Keep secrets as the how-to says."""
    (root / "var").mkdir(mode=0o700)
    (root / "var/secrets").mkdir(mode=0o700)
    for name, secret in secrets.items():
        file = root / "var/secrets" / f"binance.main.{name}"
        file.touch(mode=0o600)
        file.write_text(secret)


def test_simulated_exchange_has_a_key_for_each_process(tmp_path: Path) -> None:
    """The key that the exchange made for a process is found, and another process's is another one."""
    configuration = configured(tmp_path)
    source = key_source(configuration, name="executor")
    assert source.read() is None
    with PrivateDirectory(configuration.var_directory / "exchange") as directory:
        (account,) = accounts_of(directory)
    found = source.read()
    assert found is not None
    truth = next(key for key in account.keys if key.name == "executor")
    assert (found.api_key.get_secret_value(), found.api_secret.get_secret_value()) == (truth.key, truth.secret)
    assert key_source(configuration, name="flattener").read() != found
    assert truth.secret not in repr(found)


def test_accounts_without_the_key_are_refused(tmp_path: Path) -> None:
    """A file in which the key of this process is not says so, and what to do."""
    configuration = configured(tmp_path)
    with PrivateDirectory(configuration.var_directory / "exchange") as directory:
        directory.replace_file("accounts.json", b"[]")
    with pytest.raises(OutsideUnusableError, match="has no key called executor: add one"):
        key_source(configuration, name="executor").read()


@pytest.mark.parametrize("content", [b"", b"{", b'[{"keys":[{"name":"executor"}]}]'])
def test_accounts_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is none ends the process in plain words."""
    configuration = configured(tmp_path)
    with PrivateDirectory(configuration.var_directory / "exchange") as directory:
        directory.replace_file("accounts.json", content)
    with pytest.raises(OutsideUnusableError, match="cannot be read"):
        key_source(configuration, name="executor").read()


def test_accounts_that_others_can_read_are_refused(tmp_path: Path) -> None:
    """A file that is open to others is not used."""
    configuration = configured(tmp_path)
    with PrivateDirectory(configuration.var_directory / "exchange") as directory:
        directory.replace_file("accounts.json", b"[]")
    (configuration.var_directory / "exchange/accounts.json").chmod(0o644)
    with pytest.raises(OutsideUnusableError, match="chmod 0600"):
        key_source(configuration, name="executor").read()


def test_key_of_another_venue_is_among_the_secrets(tmp_path: Path) -> None:
    """Anywhere but at the simulated exchange the key is the one among the secrets."""
    secrets_of(tmp_path, api_key="k" * 64, api_secret="s" * 64)
    found = key_source(configured(tmp_path, "venue:\n  url: official\n"), name="executor").read()
    assert found is not None
    assert (found.api_key.get_secret_value(), found.api_secret.get_secret_value()) == ("k" * 64, "s" * 64)


def test_flattener_has_a_pair_of_its_own(tmp_path: Path) -> None:
    """The executor's key is not the flattener's, which says where its own belongs."""
    secrets_of(tmp_path, api_key="k" * 64, api_secret="s" * 64)
    source = key_source(configured(tmp_path, "venue:\n  url: official\n"), name="flattener")
    assert source.read() is None
    assert "(main-flattener)" in source.missing


def test_a_key_among_the_secrets_may_come_later(tmp_path: Path) -> None:
    """Who has none is told where it belongs, and it is found once it is there."""
    source = key_source(configured(tmp_path, "venue:\n  url: official\n"), name="executor")
    assert source.read() is None
    assert source.missing.startswith("there is no key for binance (main) in var/secrets; docs/how-to/keep-secrets.md")
    secrets_of(tmp_path, api_key="k" * 64, api_secret="s" * 64)
    assert source.read() is not None


def test_half_a_key_is_refused(tmp_path: Path) -> None:
    """A key without its secret ends the process in plain words."""
    secrets_of(tmp_path, api_key="k" * 64)
    with pytest.raises(OutsideUnusableError, match="missing"):
        key_source(configured(tmp_path, "venue:\n  url: official\n"), name="executor").read()
