"""Keys are made once, kept from others, and refused with plain words where they cannot be trusted."""

from pathlib import Path

import pytest

from shared.mesh.bus.keys import KeysUnusableError, create_keys, load_key_ring, role_of
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError


def test_keys_are_created_once(tmp_path: Path) -> None:
    """Creating again makes the missing pairs and leaves the others as they are."""
    keys = PrivateDirectory(tmp_path / "keys")
    assert create_keys(keys, ["risk", "feed-2"]) == ["risk", "feed-2"]
    before = load_key_ring(keys, "risk")
    assert create_keys(keys, ["risk", "executor"]) == ["executor"]
    after = load_key_ring(keys, "risk")
    assert after.own == before.own
    assert set(after.public_keys) == {"risk", "feed-2", "executor"}


def test_a_lost_public_half_is_made_from_the_secret(tmp_path: Path) -> None:
    """Without its public file a pair is completed, and is the pair that everybody knows; a death left it, or a hand."""
    keys = PrivateDirectory(tmp_path / "keys")
    create_keys(keys, ["risk"])
    before = load_key_ring(keys, "risk").own
    (tmp_path / "keys/risk.public").unlink()
    assert create_keys(keys, ["risk"]) == []
    assert load_key_ring(keys, "risk").own == before


def test_a_lost_secret_is_not_replaced(tmp_path: Path) -> None:
    """Whoever runs knows the public half of a lost secret: it is refused with the way back, and the way on."""
    keys = PrivateDirectory(tmp_path / "keys")
    create_keys(keys, ["risk"])
    (tmp_path / "keys/risk.secret").unlink()
    with pytest.raises(KeysUnusableError, match=r"risk.secret is lost.*Put the file back.*remove .*risk.public"):
        create_keys(keys, ["risk"])
    (tmp_path / "keys/risk.public").unlink()
    assert create_keys(keys, ["risk"]) == ["risk"]


def test_a_key_ring_knows_whose_a_public_key_is(tmp_path: Path) -> None:
    """A public key leads to its instance, and a stranger's to nobody."""
    create_keys(PrivateDirectory(tmp_path / "keys"), ["risk", "executor"])
    ring = load_key_ring(PrivateDirectory(tmp_path / "keys"), "risk")
    assert ring.instance_of(ring.public_keys["executor"]) == "executor"
    assert ring.instance_of(b"x" * 40) is None


def test_a_key_pair_never_shows_its_secret(tmp_path: Path) -> None:
    """Printing a ring, as a log or a traceback would, shows no secret."""
    create_keys(PrivateDirectory(tmp_path / "keys"), ["risk"])
    ring = load_key_ring(PrivateDirectory(tmp_path / "keys"), "risk")
    assert ring.own.secret.decode() not in repr(ring)


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """The directory is 0700 and every file in it 0600."""
    keys = tmp_path / "keys"
    create_keys(PrivateDirectory(keys), ["risk"])
    assert keys.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in keys.iterdir()} == {0o600}


@pytest.mark.parametrize("instance", ["", "wizard", "risk-", "Risk", "risk-A", "risk/../x", "feed-" + "x" * 60])
def test_only_roles_have_keys(tmp_path: Path, instance: str) -> None:
    """A name that is no role, or not spelled as one, gets no key and no place in a path."""
    with pytest.raises(KeysUnusableError, match="is no instance"):
        create_keys(PrivateDirectory(tmp_path / "keys"), [instance])


@pytest.mark.parametrize(("instance", "role"), [("risk", "risk"), ("feed-2", "feed"), ("strategy-trend_1", "strategy")])
def test_the_role_is_the_beginning_of_the_name(instance: str, role: str) -> None:
    """Several processes of one role differ by what follows the dash."""
    assert role_of(instance) == role


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda keys: (keys / "risk.secret").unlink(), "run `bowline keys create risk`"),
        (lambda keys: (keys / "risk.secret").chmod(0o644), "chmod 0600"),
        (lambda keys: keys.chmod(0o755), "chmod 0700"),
        (lambda keys: (keys / "risk.secret").write_text("short"), "holds no key"),
        (lambda keys: (keys / "risk.public").unlink(), "which makes it from the secret"),
        (lambda keys: (keys / "risk.public").write_text("x" * 40), "does not belong"),
        (
            lambda keys: (keys / "risk.secret").rename(keys / "x") and (keys / "risk.secret").symlink_to(keys / "x"),
            "link",
        ),
    ],
    ids=["missing", "readable by others", "open directory", "damaged", "half a pair", "two halves", "a link"],
)
def test_keys_that_cannot_be_trusted_are_refused(tmp_path: Path, damage: object, words: str) -> None:
    """Each refusal says what is wrong and what to do."""
    keys = tmp_path / "keys"
    create_keys(PrivateDirectory(keys), ["risk", "executor"])
    assert callable(damage)
    damage(keys)
    with pytest.raises((KeysUnusableError, PrivateFileError), match=words):
        load_key_ring(PrivateDirectory(keys), "risk")


def test_no_keys_at_all_is_said_plainly(tmp_path: Path) -> None:
    """Before the first `bowline keys create` the message names the command."""
    with pytest.raises(KeysUnusableError, match="run `bowline keys create risk`"):
        load_key_ring(PrivateDirectory(tmp_path / "keys"), "risk")
