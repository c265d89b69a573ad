"""A small service of a mesh for tests: it runs in the shell of all services, and bears witness of when it had its seat.

    python -m tests.services.supervision.program ROOT INSTANCE CONDUCT

CONDUCT: `steady` ends in order on SIGTERM, `worried` does so too and is wary of something for its first seconds,
`stubborn` hears it and does not end, `mute` has its seat and no heartbeat, `fleeting` ends a moment after supervisord
calls it RUNNING and before it has its seat, `brief` says something and ends at once.
"""

import fcntl
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from shared.core.service import (
    BeWary,
    Effect,
    FromOutside,
    Happening,
    Moment,
    Outward,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Woken,
)
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post, Seat, take_seat
from shared.mesh.service import Plan, run

FOR_EVER_S: Final = 600.0
FLEETING_MS: Final = 1_300
WORRIED_NS: Final = 4_000_000_000


@dataclass(frozen=True, slots=True)
class Testify(Outward):
    """Write this word down."""

    word: str


class SmallCore:
    """Ends when it is told to, or does not."""

    def __init__(self, conduct: str) -> None:
        self._conduct: Final = conduct

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Do nothing until the end, but for worries."""
        match happening:
            case Started() if self._conduct == "worried":
                return BeWary(("the moon is behind a cloud",)), WakeAt("calm", now.boot_ns + WORRIED_NS)
            case Woken():
                return (BeWary(()),)
            case StopAsked():
                return (Testify("was asked"),) if self._conduct == "stubborn" else (Testify("left"), Stop())
            case _:
                return ()


class Witness:
    """One file of words for the whole mesh, and a lock of another kind beside each seat."""

    def __init__(self, root: Path, instance: str) -> None:
        self._root: Final = root
        self._instance: Final = instance
        self._words: Final = os.open(root / "witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._sole: Final = os.open(root / f"{instance}.sole", os.O_WRONLY | os.O_CREAT, 0o600)

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Say that the seat is taken, and by how many."""
        del bring
        try:
            fcntl.lockf(self._sole, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._testify("took")
        except BlockingIOError:
            self._testify("TWO HOLDERS")

    def perform(self, effect: Outward) -> None:
        """Write a word down."""
        assert isinstance(effect, Testify), "the core wants nothing else"
        self._testify(effect.word)

    def close(self) -> None:
        """Let go of the lock, before the seat is given back."""
        os.close(self._sole)

    def _testify(self, word: str) -> None:
        os.write(self._words, f"{word} {self._instance} {os.getpid()}\n".encode())


def main() -> int:
    """Do as told by the arguments."""
    root, instance, conduct = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.stderr.write(f"{instance} is {conduct}\n")
    if conduct == "brief":
        sys.exit("cannot go on: the moon is in the wrong house")
    if conduct == "fleeting":
        select.poll().poll(FLEETING_MS)
        return 1
    if conduct == "mute":
        return _sit_silently(root, instance)
    stubborn = conduct == "stubborn"
    plan = Plan(instance=instance, core=SmallCore(conduct), outside=Witness(root, instance))
    return run(replace(plan, drain_seconds=FOR_EVER_S) if stubborn else plan, root=root)


def _sit_silently(root: Path, instance: str) -> int:
    """Have the seat until SIGTERM, as a program does that hangs before it says anything."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    with PrivateDirectory(root / "var/seats") as seats:
        seat = take_seat(Post(instance, seats, SystemClock()))
        assert isinstance(seat, Seat)
        signal.sigwait({signal.SIGTERM})
        seat.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
