"""How secrets must be kept, and how each fault is told."""

import os
from pathlib import Path

import pytest

from shared.mesh.settings import Credentials, SettingsError, load_credentials
from tests.shared.mesh.settings.projects import API_KEY, API_SECRET, with_secrets

KEY_FILE = "binance.main.api_key"


def load(directory: Path) -> Credentials | None:
    """Load the credentials of binance.main from a directory."""
    return load_credentials(directory, venue="binance", account="main", shown_as="var/secrets")


def refusal(directory: Path) -> str:
    """Return the words with which loading is refused, having looked that they hold no secret."""
    with pytest.raises(SettingsError) as raised:
        load(directory)
    assert "CANARY" not in str(raised.value)
    assert "var/secrets" in str(raised.value)
    return str(raised.value)


def test_well_kept_secrets_are_read_and_hidden(tmp_path: Path) -> None:
    """A key pair of mode 0600 in a directory of mode 0700 is read, without its line end, and no repr shows it."""
    credentials = load(with_secrets(tmp_path))
    assert credentials is not None
    assert credentials.api_key.get_secret_value() == API_KEY
    assert credentials.api_secret.get_secret_value() == API_SECRET
    assert "CANARY" not in repr(credentials)


def test_no_secrets_is_no_error(tmp_path: Path) -> None:
    """Without a directory, or without files for this account, there are simply none: the demo needs none."""
    assert load(tmp_path / "nowhere") is None
    assert load(with_secrets(tmp_path, account="binance.other")) is None


def test_half_a_key_pair_is_refused(tmp_path: Path) -> None:
    """A key without its secret is named by the file that is missing."""
    directory = with_secrets(tmp_path)
    (directory / "binance.main.api_secret").unlink()
    words = (
        "var/secrets/binance.main.api_secret: is missing, its other half is there: put the secret into this file too"
    )
    assert words in refusal(directory)


@pytest.mark.parametrize("name", ["binance.main.api_secrt", "binance.main.api_secret.txt", "Binance.main.api_secret"])
def test_half_a_key_pair_beside_a_near_name_is_told_the_name(name: str, tmp_path: Path) -> None:
    """A secret under a misspelt name is found and named, not the other file of the pair."""
    directory = with_secrets(tmp_path)
    (directory / "binance.main.api_secret").rename(directory / name)
    assert f"is missing, did you mean {name}?" in refusal(directory)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o770, 0o777])
def test_an_open_directory_is_refused(mode: int, tmp_path: Path) -> None:
    """A directory that others may enter is refused, with the command that closes it."""
    assert "chmod 0700" in refusal(with_secrets(tmp_path, directory_mode=mode))


def machine_wide() -> list[Path]:
    """Return directories that everybody on the machine uses, as far as it has them."""
    return [path for path in map(Path, ("/", "/tmp", "/usr", "/etc", "/usr/bin", "/var/tmp")) if path.is_dir()]  # noqa: S108  # what a user might name, never written to


@pytest.mark.parametrize("directory", machine_wide(), ids=str)
def test_a_directory_of_the_machine_is_never_to_be_closed(directory: Path) -> None:
    """Who names `/` or `/tmp` is told to choose another; chmod 0700 there would break the machine."""
    told = refusal(directory)
    assert "chmod" not in told
    assert "choose a directory of its own" in told


def test_a_sticky_directory_is_never_to_be_closed(tmp_path: Path) -> None:
    """A sticky directory is one that many users share."""
    assert "chmod" not in refusal(with_secrets(tmp_path, directory_mode=0o1700))


def test_a_directory_with_other_things_is_never_to_be_closed(tmp_path: Path) -> None:
    """A home, or a project, is not closed for the sake of the secrets in it."""
    directory = with_secrets(tmp_path, directory_mode=0o755)
    (directory / "letters").mkdir()
    told = refusal(directory)
    assert "chmod" not in told
    assert "holds other things: choose a directory of its own" in told


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o700, 0o4600])
def test_an_open_file_is_refused(mode: int, tmp_path: Path) -> None:
    """A file that others may read, or anybody execute, is refused; both files are told at once."""
    assert refusal(with_secrets(tmp_path, mode=mode)).count("chmod 0600") == 2


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_closed_file_is_read(mode: int, tmp_path: Path) -> None:
    """A read-only secret is as good as a writable one."""
    assert load(with_secrets(tmp_path, mode=mode)) is not None


def test_a_linked_file_is_refused(tmp_path: Path) -> None:
    """A link is refused even where it leads to a well-kept file: who may turn it decides what we sign with."""
    directory = with_secrets(tmp_path)
    (directory / KEY_FILE).rename(tmp_path / "elsewhere")
    (directory / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    assert f"{KEY_FILE}: must be a plain file" in refusal(directory)


def test_a_linked_directory_is_refused(tmp_path: Path) -> None:
    """The same holds for the directory."""
    (tmp_path / "link").symlink_to(with_secrets(tmp_path))
    assert "must be a real directory" in refusal(tmp_path / "link")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A file where the directory should be is named as such."""
    (tmp_path / "file").write_text("x")
    assert "must be a real directory" in refusal(tmp_path / "file")


@pytest.mark.parametrize("strange", ["directory", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(strange: str, tmp_path: Path) -> None:
    """A directory or a pipe in place of a secret is refused at once; opening the pipe does not hang."""
    directory = with_secrets(tmp_path)
    (directory / KEY_FILE).unlink()
    if strange == "pipe":
        os.mkfifo(directory / KEY_FILE, 0o600)
    else:
        (directory / KEY_FILE).mkdir(mode=0o700)
    assert "must be a plain file" in refusal(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("given_away", ["", KEY_FILE])
def test_what_belongs_to_another_is_refused(given_away: str, tmp_path: Path) -> None:
    """A secret or a directory of another user could be replaced by him."""
    directory = with_secrets(tmp_path)
    os.chown(directory / given_away, 65534, 65534)
    assert "belongs to another user" in refusal(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_closed_directory_of_another_is_called_that(tmp_path: Path) -> None:
    """A directory we may not enter is not called a link or a file."""
    directory = with_secrets(tmp_path)
    tmp_path.chmod(0o700)
    os.seteuid(65534)
    try:
        told = refusal(directory)
    finally:
        os.seteuid(0)
    assert "belongs to another user" in told
    assert "link" not in told


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"CANARY CANARY", "on one line, without spaces"),
        (b"CANARYCANARY\nCANARYCANARY\n", "on one line, without spaces"),
        (b"CANARY\xc3\xa9\xff", "on one line, without spaces"),
        (b"CANARY\x00CANARY", "on one line, without spaces"),
        (b"short", "fewer than 8 characters"),
        (b"CANARY" * 1000, "is larger than"),
    ],
)
def test_what_is_no_secret_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    """A file that cannot hold one whole secret is refused, and its content never told."""
    directory = with_secrets(tmp_path)
    (directory / KEY_FILE).write_bytes(content)
    assert words in refusal(directory)
