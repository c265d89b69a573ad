"""Power cuts and kills at every operation of a simulated disk: nothing acknowledged is lost, no group is halved."""

import contextlib
import hashlib
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proto.risk import Anchor
from shared.mesh.journal import Journal, JournalAbsent, Record, create_journal, open_journal
from tests.shared.mesh.journal.journals import DAY, an_opening, payloads
from tests.shared.mesh.journal.sim_disk import PowerCut, SimDisk

# A step is a group of payload sizes to commit, or the word for beginning a segment.
Step = tuple[int, ...] | str
ROOMS = (0, 100, 5000)  # taken ahead: none, less than a record, more than all of them
STEPS = st.lists(
    st.one_of(st.lists(st.sampled_from((0, 10, 300, 2000)), min_size=1, max_size=4).map(tuple), st.just("segment")),
    max_size=8,
)


class Owner:
    """A writer and its memory: what was acknowledged, what is in flight, and the last anchor."""

    def __init__(self, disk: SimDisk, *, room_ahead_bytes: int = 0) -> None:
        self.disk = disk
        self._room_ahead_bytes = room_ahead_bytes
        self.acknowledged: list[bytes] = []
        self.in_flight: list[bytes] = []
        self.anchor = Anchor(sequence=0, digest="00" * 32)

    def start(self, anchors: Sequence[Anchor]) -> Journal:
        """Open the journal, or create it where there is none, and take what is there for acknowledged."""
        try:
            journal = open_journal(an_opening(self.disk, *anchors, room_ahead_bytes=self._room_ahead_bytes))
        except JournalAbsent:
            opening = an_opening(self.disk, room_ahead_bytes=self._room_ahead_bytes)
            journal = create_journal(opening, date=DAY, state=fold(b"", []))
        self.acknowledged, self.in_flight = payloads(journal.records(1)), []
        self.anchor = journal.anchor
        return journal

    def work(self, journal: Journal, steps: Sequence[Step], dice: Random) -> None:
        """Do what the steps say."""
        for step in steps:
            if isinstance(step, str):
                journal.begin_segment(date=DAY, state=fold(b"", self.acknowledged))
                continue
            self.in_flight = [dice.randbytes(size) for size in step]
            for payload in self.in_flight:
                journal.append(payload)
            self.anchor = journal.commit().anchor
            self.acknowledged, self.in_flight = self.acknowledged + self.in_flight, []


def fold(state: bytes, records: Sequence[bytes]) -> bytes:
    """Return the state after these records: the simplest that depends on each of them and their order."""
    for payload in records:
        state = hashlib.sha256(state + payload).digest()
    return state


def folded(journal: Journal) -> bytes:
    """Return the state as a boot finds it: the newest snapshot, and the records after it."""
    return fold(journal.snapshot.state, payloads(journal.records(journal.snapshot.sequence + 1)))


def survives(before: Owner, later: SimDisk) -> None:
    """See that what the next boot finds is what was acknowledged, and of the group in flight all or nothing."""
    owner = Owner(later)
    journal = owner.start([before.anchor])
    assert owner.acknowledged in (before.acknowledged, before.acknowledged + before.in_flight)
    assert folded(journal) == fold(b"", owner.acknowledged)
    entries = list(journal.records(1))
    assert all(isinstance(entry, Record) for entry in entries)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    owner.work(journal, [(10,)], Random(0))  # noqa: S311 -- a seed
    assert len(payloads(journal.records(1))) == len(entries) + 1


@settings(max_examples=200)
@given(steps=STEPS, cut=st.integers(1, 150), seed=st.integers(0, 2**32))
def test_a_power_cut_at_any_operation(steps: list[Step], cut: int, seed: int) -> None:
    """What was not synced is lost, kept or torn by sectors; the fold of what was acknowledged comes back."""
    dice = Random(seed)  # noqa: S311 -- a seed
    disk = SimDisk()
    owner = Owner(disk, room_ahead_bytes=dice.choice(ROOMS))
    disk.cut_power_at(cut)
    with contextlib.suppress(PowerCut):
        owner.work(owner.start([]), steps, dice)
    survives(owner, disk.after_power_cut(dice))


@settings(max_examples=80)
@given(cuts=st.lists(st.integers(1, 60), min_size=2, max_size=5), seed=st.integers(0, 2**32))
def test_power_cuts_while_recovering(cuts: list[int], seed: int) -> None:
    """Cut again and again, opening included, what was acknowledged in any of the lives is there in the last."""
    dice = Random(seed)  # noqa: S311 -- a seed
    disk = SimDisk()
    owner = Owner(disk, room_ahead_bytes=dice.choice(ROOMS))
    for cut in cuts:
        disk.cut_power_at(cut)
        with contextlib.suppress(PowerCut):
            owner.work(owner.start([owner.anchor]), [(10, 600), (300,), "segment", (2000, 5)], dice)
        survives(owner, disk.after_power_cut(dice))  # one of the disks it may leave; the next life has another
        disk = disk.after_power_cut(dice)
        owner.disk = disk
    survives(owner, disk.after_power_cut(dice))


@pytest.mark.parametrize("room_ahead_bytes", [0, 1000])
@pytest.mark.parametrize("cut", range(1, 62))
def test_a_kill_at_every_operation(cut: int, room_ahead_bytes: int) -> None:
    """A process killed at each operation of its life, creation included, leaves all it acknowledged."""
    disk = SimDisk()
    owner = Owner(disk, room_ahead_bytes=room_ahead_bytes)
    disk.cut_power_at(cut)
    dice = Random(cut)  # noqa: S311 -- a seed
    with contextlib.suppress(PowerCut):
        owner.work(owner.start([]), [(10, 2000), (300,), "segment", (5, 5, 5), (700,)], dice)
    survives(owner, disk.after_kill())
    survives(owner, disk.after_power_cut(dice))
