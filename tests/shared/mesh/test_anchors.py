"""Anchors are kept in files of the keeper's own, and read by the owner with every byte checked."""

import resource
from pathlib import Path
from typing import Final

import pytest
import structlog.testing

from proto.risk import Anchor
from shared.mesh.anchors import AnchorKeeper, anchors_of
from shared.mesh.private_directory import NotPrivateError
from shared.mesh.sealed_record import Damaged

FIRST: Final = Anchor(sequence=7, digest="7" * 64)
SECOND: Final = Anchor(sequence=8, digest="8" * 64)


def keep(directory: Path, keeper: str, owner: str, anchor: Anchor) -> None:
    """Keep an anchor, in the way of one process."""
    files = AnchorKeeper(directory, keeper)
    files.keep(owner, anchor)
    files.close()


def reasons(directory: Path, owner: str) -> list[str]:
    """Return why what is kept of an owner cannot be read."""
    return [found.reason for found in anchors_of(directory, owner) if isinstance(found, Damaged)]


def test_nobody_keeps_anything_at_first(tmp_path: Path) -> None:
    """Without a directory, or with one in which nobody keeps this owner's, there are no anchors."""
    assert list(anchors_of(tmp_path / "anchors", "executor")) == []
    keep(tmp_path, "risk", "flattener", FIRST)
    assert list(anchors_of(tmp_path, "executor")) == []


def test_every_keeper_is_read(tmp_path: Path) -> None:
    """The owner gets what each of its followers keeps, and nothing of another owner's."""
    keep(tmp_path, "risk", "executor", SECOND)
    keep(tmp_path, "metrics", "executor", FIRST)
    keep(tmp_path, "metrics", "flattener", SECOND)
    assert list(anchors_of(tmp_path, "executor")) == [FIRST, SECOND]


def test_newest_anchor_replaces_the_last(tmp_path: Path) -> None:
    """One anchor is kept for each owner: the one that was said last, even a lower one."""
    keeper = AnchorKeeper(tmp_path, "risk")
    for anchor in (FIRST, SECOND, FIRST):
        keeper.keep("executor", anchor)
        assert list(anchors_of(tmp_path, "executor")) == [anchor]
    keeper.close()


def test_same_anchor_is_not_written_again(tmp_path: Path) -> None:
    """A heartbeat that says nothing new costs the disk nothing."""
    keeper = AnchorKeeper(tmp_path, "risk")
    keeper.keep("executor", FIRST)
    written = (tmp_path / "risk/executor").stat()
    keeper.keep("executor", FIRST)
    assert (tmp_path / "risk/executor").stat().st_ino == written.st_ino
    keeper.keep("executor", SECOND)
    assert (tmp_path / "risk/executor").stat().st_ino != written.st_ino
    keeper.close()


def test_damage_is_told_with_its_keeper(tmp_path: Path) -> None:
    """Whichever bit is flipped, and wherever the file ends, it is no anchor, and the sentence names the keeper."""
    keep(tmp_path, "risk", "executor", FIRST)
    file = tmp_path / "risk/executor"
    whole = file.read_bytes()
    flipped = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole))]
    for content in [*flipped, *(whole[:length] for length in range(len(whole)))]:
        file.write_bytes(content)
        (reason,) = reasons(tmp_path, "executor")
        assert reason.startswith("the anchor that risk keeps of executor ")


@pytest.mark.parametrize(("keeper", "owner"), [("metrics", "executor"), ("risk", "flattener")])
def test_copy_from_elsewhere_is_no_anchor(tmp_path: Path, keeper: str, owner: str) -> None:
    """A whole file of another keeper, or about another owner, does not count where it was put."""
    keep(tmp_path, keeper, owner, FIRST)
    keep(tmp_path, "risk", "executor", SECOND)
    (tmp_path / "risk/executor").write_bytes((tmp_path / keeper / owner).read_bytes())
    assert "what risk keeps as the anchor of executor was copied from elsewhere" in reasons(tmp_path, "executor")


def test_directory_open_to_others_is_refused(tmp_path: Path) -> None:
    """What others could have written is not read: a start ends there, with a sentence."""
    keep(tmp_path, "risk", "executor", FIRST)
    (tmp_path / "risk").chmod(0o755)
    with pytest.raises(NotPrivateError, match="chmod 0700"):
        list(anchors_of(tmp_path, "executor"))


def test_full_disk_does_not_end_the_keeper(tmp_path: Path) -> None:
    """What cannot be written leaves the last anchor as it is, is said once, and is written when there is room again."""
    keeper = AnchorKeeper(tmp_path, "risk")
    keeper.keep("executor", FIRST)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with structlog.testing.capture_logs() as said:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
        try:
            keeper.keep("executor", SECOND)
            keeper.keep("executor", SECOND)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(line["log_level"], line["event"]) for line in said] == [("critical", "an anchor cannot be kept")]
    assert list(anchors_of(tmp_path, "executor")) == [FIRST]
    keeper.keep("executor", SECOND)
    keeper.close()
    assert list(anchors_of(tmp_path, "executor")) == [SECOND]
