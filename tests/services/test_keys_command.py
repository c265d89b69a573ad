"""`bowline keys` makes what is missing and shows nothing secret."""

import io
from pathlib import Path

import pytest

from services.keys_command import run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project with settings of its own."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "bowline.yaml").write_text("risk:\n  profile: small\n")
    return tmp_path


def keys(root: Path, *arguments: str) -> tuple[int, str, str]:
    """Run the verb there and return its exit code and what it said."""
    output, errors = io.StringIO(), io.StringIO()
    code = run([*arguments, "--root", str(root)], environment={}, output=output, errors=errors)
    return code, output.getvalue(), errors.getvalue()


def test_keys_are_created_for_every_role_and_once(root: Path) -> None:
    """The first call makes a pair for every role, the second finds them all."""
    code, said, _ = keys(root, "create")
    assert code == 0
    assert "risk" in said
    assert "executor" in said
    assert "all there already" in keys(root, "create")[1]


def test_a_further_instance_gets_its_own_pair(root: Path) -> None:
    """Where several processes share a role, each has a key."""
    keys(root, "create")
    assert keys(root, "create", "feed-2")[1].endswith("created feed-2\n")


def test_the_public_keys_are_shown_and_no_secret(root: Path) -> None:
    """What is shown may be shown to anybody."""
    keys(root, "create")
    code, said, _ = keys(root, "show")
    assert code == 0
    secrets = [file.read_text().strip() for file in (root / "var" / "keys").glob("*.secret")]
    assert len(secrets) == len(said.splitlines())
    assert not any(secret in said for secret in secrets)


@pytest.mark.parametrize("arguments", [("show",), ("create", "wizard")], ids=["no keys yet", "no role"])
def test_what_cannot_be_done_is_said_in_one_line(root: Path, arguments: tuple[str, ...]) -> None:
    """A missing directory or an unknown role ends in one line that says what to do."""
    code, _, complaint = keys(root, *arguments)
    assert code == 1
    assert complaint.startswith("bowline keys: ")
    assert complaint.count("\n") == 1
