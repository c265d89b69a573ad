"""What the overseer writes down of an instance, and what is made of files that are not as they should be."""

from pathlib import Path

from shared.mesh.clock import BootTime
from shared.mesh.past_lives import PastLives, remember, remembered
from shared.mesh.private_directory import PrivateDirectory

PAST = PastLives("risk", 7, (BootTime("boot", 1), BootTime("boot", 2)))


def test_what_was_written_is_remembered(tmp_path: Path) -> None:
    """The whole record comes back, and of an instance without a file nothing is known."""
    with PrivateDirectory(tmp_path / "overseer") as directory:
        remember(directory, PAST)
    assert remembered(tmp_path / "overseer", "risk") == PAST
    assert remembered(tmp_path / "overseer", "executor") == PastLives("executor", 0, ())
    assert remembered(tmp_path / "nowhere", "risk") == PastLives("risk", 0, ())
    assert not (tmp_path / "nowhere").exists()


def test_what_cannot_be_believed_is_forgotten(tmp_path: Path) -> None:
    """A damaged file, another instance's, and one that others could write say nothing."""
    directory = tmp_path / "overseer"
    with PrivateDirectory(directory) as files:
        remember(files, PAST)
    (directory / "risk").rename(directory / "executor")
    assert remembered(directory, "executor").epoch == 0
    (directory / "executor").write_text("torn")
    assert remembered(directory, "executor").epoch == 0
    directory.chmod(0o755)
    assert remembered(directory, "executor").epoch == 0
