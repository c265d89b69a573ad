"""Anchors are kept in files of the keeper's own, and read by the owner with every byte checked."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from proto.risk import Anchor
from shared.mesh.anchors import ANCHOR_KIND, AnchorKeeper, KeptAnchor, Witnessed, anchors_of
from shared.mesh.epoch import EPOCH_MAX
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory, PrivateFileError
from shared.mesh.sealed_record import Damaged, seal

FIRST: Final = Witnessed(Anchor(sequence=7, digest="7" * 64), 1)
PATIENCE_SECONDS: Final = 90  # only a test that fails waits so long
SECOND: Final = Witnessed(Anchor(sequence=8, digest="8" * 64), 2)


def keep(directory: Path, keeper: str, owner: str, witnessed: Witnessed) -> None:
    """Keep an anchor, in the way of one process."""
    files = AnchorKeeper(directory, keeper)
    files.keep(owner, witnessed)
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
    keeper.close()
    assert list(anchors_of(tmp_path, "executor")) == [FIRST]


class SlowDirectory(PrivateDirectory):
    """A directory on a disk that hangs whenever it is written to, until it is let go; it notes who was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.names: Final[list[str]] = []
        self.writing: Final = threading.Semaphore(0)
        self.go: Final = threading.Semaphore(0)
        self.error: PrivateFileError | None = None

    def replace_file(self, name: str, content: bytes) -> None:
        """Hang, and write or fail."""
        self.names.append(name)
        self.writing.release()
        assert self.go.acquire(timeout=PATIENCE_SECONDS)
        if self.error is not None:
            raise self.error
        super().replace_file(name, content)


@contextmanager
def slow(directory: Path) -> Iterator[tuple[AnchorKeeper, SlowDirectory]]:
    """Keep anchors on a disk that hangs."""
    files = SlowDirectory(directory / "risk")
    keeper = AnchorKeeper(directory, "risk", opened=lambda _: files)
    try:
        yield keeper, files
    finally:
        for _ in range(10):
            files.go.release()
        keeper.close()


def test_nobody_waits_for_a_disk_that_hangs(tmp_path: Path) -> None:
    """Anchors are taken while one is written; of each owner only the newest waits, and is written afterwards."""
    with slow(tmp_path) as (keeper, files):
        keeper.keep("executor", FIRST)
        assert files.writing.acquire(timeout=PATIENCE_SECONDS)
        for sequence in range(1_000):
            for owner in ("executor", "flattener"):
                keeper.keep(owner, Witnessed(Anchor(sequence=sequence, digest="8" * 64), 1))
        assert files.names == ["executor"], "the first write still hangs"
        assert list(anchors_of(tmp_path, "executor")) == []
    newest = Witnessed(Anchor(sequence=999, digest="8" * 64), 1)
    assert files.names == ["executor", "executor", "flattener"]
    assert list(anchors_of(tmp_path, "executor")) == list(anchors_of(tmp_path, "flattener")) == [newest]


def test_same_anchor_is_not_written_again(tmp_path: Path) -> None:
    """A heartbeat that says nothing new costs the disk nothing; what could not be written is tried again."""
    with slow(tmp_path) as (keeper, files):
        files.error = FileUnusableError(tmp_path, "is full")
        keeper.keep("executor", FIRST)
        assert files.writing.acquire(timeout=PATIENCE_SECONDS)
        keeper.keep("executor", FIRST)
        files.go.release()
        assert files.writing.acquire(timeout=PATIENCE_SECONDS)
        files.error = None
        keeper.keep("executor", FIRST)
    assert files.names == ["executor", "executor"]
    assert list(anchors_of(tmp_path, "executor")) == [FIRST]


def test_disk_that_takes_none_is_told_once(tmp_path: Path) -> None:
    """The first failure is said, those after it are not, until it has worked again."""
    with capture_logs() as lines, slow(tmp_path) as (keeper, files):
        for number, failing in enumerate([True, True, False, True]):
            keeper.keep("executor", Witnessed(Anchor(sequence=number, digest="8" * 64), 1))
            assert files.writing.acquire(timeout=PATIENCE_SECONDS)
            files.error = FileUnusableError(tmp_path, "is full") if failing else None
            files.go.release()
    said = [line for line in lines if line["event"] == "an anchor cannot be kept"]
    assert [line["log_level"] for line in said] == ["critical", "critical"]
    assert said[0]["owner"] == "executor"
    assert str(said[0]["reason"]).endswith("is full")


def test_end_does_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    """Who closes waits a moment, and leaves the directory to the write that still hangs."""
    with slow(tmp_path) as (keeper, files):
        keeper.keep("executor", FIRST)
        assert files.writing.acquire(timeout=PATIENCE_SECONDS)
        began = time.monotonic()
        keeper.close()
        assert 0.5 < time.monotonic() - began < PATIENCE_SECONDS
    assert list(anchors_of(tmp_path, "executor")) == [FIRST]


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


def test_new_epoch_is_written_though_the_anchor_is_the_same(tmp_path: Path) -> None:
    """An owner that started again and recorded nothing yet has used an epoch, which counts."""
    keeper = AnchorKeeper(tmp_path, "risk")
    keeper.keep("executor", FIRST)
    keeper.keep("executor", Witnessed(FIRST.anchor, 9))
    keeper.close()
    assert list(anchors_of(tmp_path, "executor")) == [Witnessed(FIRST.anchor, 9)]


@pytest.mark.parametrize("epoch", [-1, EPOCH_MAX])
def test_epoch_that_nobody_can_have_had_is_not_believed(tmp_path: Path, epoch: int) -> None:
    """An epoch out of range would keep the owner from ever choosing a higher one: such a file is damaged."""
    keep(tmp_path, "risk", "executor", FIRST)
    kept = KeptAnchor(owner="executor", keeper="risk", epoch=epoch, sequence=7, digest="7" * 64)
    (tmp_path / "risk/executor").write_bytes(seal(ANCHOR_KIND, kept))
    (reason,) = reasons(tmp_path, "executor")
    assert reason.startswith("the anchor that risk keeps of executor ")


@pytest.mark.parametrize(("keeper", "owner"), [("metrics", "executor"), ("risk", "flattener")])
def test_copy_from_elsewhere_is_no_anchor(tmp_path: Path, keeper: str, owner: str) -> None:
    """A whole file of another keeper, or about another owner, does not count where it was put."""
    keep(tmp_path, keeper, owner, FIRST)
    keep(tmp_path, "risk", "executor", SECOND)
    (tmp_path / "risk/executor").write_bytes((tmp_path / keeper / owner).read_bytes())
    assert "what risk keeps as the anchor of executor was copied from elsewhere" in reasons(tmp_path, "executor")


def open_directory(keeper: Path) -> None:
    """Let others look into the keeper's directory."""
    keeper.chmod(0o755)


def open_file(keeper: Path) -> None:
    """Let others read the keeper's file."""
    (keeper / "executor").chmod(0o644)


def link_directory(keeper: Path) -> None:
    """Put a link in the place of the keeper's directory."""
    keeper.rename(keeper.with_name(".elsewhere"))
    keeper.symlink_to(".elsewhere")


def link_file(keeper: Path) -> None:
    """Put a link in the place of the keeper's file."""
    (keeper / "executor").rename(keeper / "elsewhere")
    (keeper / "executor").symlink_to("elsewhere")


def make_directory(keeper: Path) -> None:
    """Put a directory in the place of the keeper's file."""
    (keeper / "executor").unlink()
    (keeper / "executor").mkdir()


def give_away_directory(keeper: Path) -> None:
    """Give the keeper's directory to another user."""
    os.chown(keeper, 65_534, -1)


def give_away_file(keeper: Path) -> None:
    """Give the keeper's file to another user."""
    os.chown(keeper / "executor", 65_534, -1)


NEEDS_ROOT: Final = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
OPEN_TO_OTHERS: Final = (
    (open_directory, "chmod 0700 it"),
    (open_file, "chmod 0600 it"),
    (link_directory, "not a link"),
    (link_file, "is a link"),
    (make_directory, "must be a plain file"),
    pytest.param(give_away_directory, "belongs to another user", marks=NEEDS_ROOT),
    pytest.param(give_away_file, "belongs to another user", marks=NEEDS_ROOT),
)


@pytest.mark.parametrize(("spoil", "reason"), OPEN_TO_OTHERS)
def test_what_others_could_have_written_is_told(tmp_path: Path, spoil: Callable[[Path], None], reason: str) -> None:
    """What others could have written is not believed, but ends no start: it is said what to do, and the rest counts."""
    keep(tmp_path, "metrics", "executor", SECOND)
    keep(tmp_path, "risk", "executor", FIRST)
    spoil(tmp_path / "risk")
    found = list(anchors_of(tmp_path, "executor"))
    assert [one for one in found if isinstance(one, Witnessed)] == [SECOND]
    (said,) = [one.reason for one in found if isinstance(one, Damaged) and "risk keeps" in one.reason]
    assert said.startswith("the anchor that risk keeps of executor cannot be believed: ")
    assert reason in said
