"""Journals in real processes on real disks: killed while writing, followed while writing, and out of room.

The environment variable JOURNAL_KILL_ROUNDS asks for more rounds of killing than an ordinary run takes.
"""

import errno
import json
import multiprocessing
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from proto.risk import Anchor
from shared.mesh.journal import Journal, JournalFull, JournalReader, Opening, RealDisk, Record, examine, open_journal
from shared.mesh.journal.disk import RealFile, write_all
from tests.shared.mesh.journal.journals import a_journal, a_real_disk, anything, commit, numbered, payloads
from tests.shared.mesh.journal.processes import payload_of, write
from tests.shared.mesh.settings.projects import CHECKOUT

ROUNDS = int(os.environ.get("JOURNAL_KILL_ROUNDS", "50"))
ENDLESS = 10**9
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]

# Processes are forked from a server that has imported everything already, so that a round takes milliseconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.shared.mesh.journal.processes"])


class Writer:
    """A writer in a process of its own, and the pipe it says its anchors through."""

    def __init__(self, directory: Path, *, seed: int = 1, last: int = ENDLESS) -> None:
        self._pipe, said = _processes.Pipe(duplex=False)
        self.process = _processes.Process(target=write, args=(directory, seed, last, said), daemon=True)
        self.process.start()
        said.close()
        self._ended = False

    def anchors(self) -> Iterator[Anchor]:
        """Yield what it acknowledges, to the end of the pipe: what it said before it was killed is all there."""
        while True:
            try:
                sequence, digest = self._pipe.recv()
            except EOFError:
                return
            yield Anchor(sequence=sequence, digest=digest)

    def listen(self) -> None:
        """Take from the pipe what is there, or it would fill up and stop the writer."""
        while self._pipe.poll() and not self._ended:
            try:
                self._pipe.recv_bytes()
            except EOFError:
                self._ended = True

    def kill(self) -> None:
        """Kill it, wherever it is."""
        self.process.kill()
        self.process.join()


def successor(directory: Path, *anchors: Anchor) -> Journal:
    """Open the journal as the process that comes after."""
    return open_journal(Opening(disk=RealDisk(directory), prove=anything, anchors=anchors, reserve_bytes=0))


def test_killed_again_and_again(tmp_path: Path) -> None:
    """A writer killed at any instant of its work leaves everything it ever acknowledged, and its successor goes on."""
    directory, dice = tmp_path / "journal", Random(7)  # noqa: S311 -- a seed
    acknowledged = Anchor(sequence=0, digest="00" * 32)
    seen = 0
    for round_number in range(ROUNDS):
        writer = Writer(directory, seed=round_number)
        anchors = writer.anchors()
        for _ in range(dice.randint(1, 8)):
            acknowledged = next(anchors)
        for _ in range(dice.choice((0, 100, 1000, 5000))):
            pass  # the instant of the kill is somewhere in the next commits
        writer.kill()
        for anchor in anchors:
            acknowledged = anchor
        journal = successor(directory, acknowledged)
        entries = list(journal.records(seen + 1))
        assert journal.anchor.sequence >= acknowledged.sequence > seen
        assert payloads(entries) == [payload_of(seen + 1 + place) for place in range(len(entries))]
        seen = journal.anchor.sequence
        journal.close()
    journal = successor(directory, acknowledged)
    assert payloads(journal.records(1)) == [payload_of(number + 1) for number in range(seen)]
    assert not examine(RealDisk(directory), [acknowledged], segments_walked=10**6).faults
    journal.close()


def test_readers_follow_a_living_writer(tmp_path: Path) -> None:
    """Readers beside a writer in another process get every record once, in order and whole, across many segments."""
    directory, last = tmp_path / "journal", 2000
    writer = Writer(directory, last=last)
    next(writer.anchors())
    readers = [JournalReader(RealDisk(directory)) for _ in range(3)]
    found: list[list[bytes]] = [[] for _ in readers]
    alive = True
    while alive:
        alive = writer.process.is_alive()  # asked first, so that the last look comes after the last commit
        for reader, mine in zip(readers, found, strict=True):
            while entries := reader.poll(limit=97):
                assert all(isinstance(entry, Record) for entry in entries)
                mine.extend(payloads(entries))
        writer.listen()
    assert found == [[payload_of(number + 1) for number in range(last)]] * len(readers)
    for reader in readers:
        reader.close()


def test_verify_beside_a_living_writer(tmp_path: Path) -> None:
    """Examining a journal that is being written finds nothing wrong with it, at any moment."""
    directory = tmp_path / "journal"
    writer = Writer(directory)
    for count, anchor in enumerate(writer.anchors()):
        assert examine(RealDisk(directory), [anchor]).faults == ()
        if count == 60:
            break
    writer.kill()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """On a small file system entries are refused when it is full, exits go into the reserve, and nothing is lost."""
    script = 'mount -t tmpfs -o size=256k,mode=700 none "$1" && exec "$2" -m tests.shared.mesh.journal.processes "$1"'
    command = [*NAMESPACE, script, "sh", str(tmp_path), sys.executable]
    trial = [*NAMESPACE, 'mount -t tmpfs none "$1"', "sh", str(tmp_path)]
    if subprocess.run(trial, check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a file system of their own")
    result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=90)
    told = json.loads(result.stdout)
    assert "No space left on device" in told["refused"]
    assert told["entries"] > 100
    assert (told["entry_taken"], told["exits"], told["intact"], told["findings"]) == (False, 10, True, [])


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    """Under a limit on the size of files the journal is full and cut back; it goes on when there is no limit."""
    disk = a_real_disk(tmp_path)
    journal = a_journal(disk, numbered(3))
    before = journal.segment_bytes
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 * 1024, limits[1]))
    try:
        for _ in range(8):
            journal.append(bytes(60_000))
        with pytest.raises(JournalFull, match="File too large"):
            journal.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "journal" / "00000001-2026-03-01.journal").stat().st_size == before
    assert journal.refill_reserve()
    assert commit(journal, numbered(1, start=4)).sequence == 4
    journal.close()


def test_a_device_that_is_always_full() -> None:
    """The real disk tells a full device by its number."""
    file = RealFile(os.open("/dev/full", os.O_RDWR))
    with pytest.raises(OSError, match="No space left") as raised:
        write_all(file, 0, b"x" * 100)
    assert raised.value.errno == errno.ENOSPC
    file.close()
