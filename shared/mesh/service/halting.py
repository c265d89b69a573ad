"""What stops the mesh or a process of it: the HALT file as a core sees it, the end of whoever makes no progress."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from shared.core.service import (
    HaltSeen,
    HaltUnwritable,
    Happening,
    MakeHalt,
    RemoveHalt,
    RenameHalt,
    Retire,
    RetireEnded,
)
from shared.mesh.clock import Clock
from shared.mesh.fencing import FenceRefused, Retired, retire
from shared.mesh.halt_file import HaltFile
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory, PrivateFileError
from shared.mesh.seat import Post
from shared.mesh.service.watching import watched

Take = Callable[[Happening], None]

LOOK_SECONDS: Final = 0.05
_NEVER_SEEN: Final = object()


def _nobody(happening: Happening) -> None:
    raise AssertionError(f"nobody takes {happening}: it was not opened")


class HaltWatch:
    """Looks for the file twenty times a second, and tells what has changed."""

    def __init__(self, file: HaltFile) -> None:
        self._file: Final = file
        self._take: Take = _nobody
        self._told: object = _NEVER_SEEN
        self._next: asyncio.TimerHandle | None = None

    def open(self, take: Take) -> None:
        """Tell how it is, and go on looking."""
        self._take = take
        self._look_on()

    def close(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()

    def perform(self, effect: MakeHalt | RenameHalt | RemoveHalt) -> None:
        """Make the file, rename it, or remove it if it is this latch's, and tell how it is then."""
        try:
            match effect:
                case MakeHalt(latch=latch, is_pressed=True):
                    self._file.press(latch)
                case MakeHalt(latch=latch):
                    self._file.make(latch)
                case RenameHalt(latch=latch, instead_of=instead_of):
                    self._file.rename(latch, instead_of)
                case RemoveHalt(latch_id=latch_id):
                    self._file.take_away(latch_id)
        except FileUnusableError as error:
            self._take(HaltUnwritable(str(error)))
            return
        self._look_anew()

    def _look_on(self) -> None:
        self._next = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_on)
        self._look()

    def _look_anew(self) -> None:
        """Tell how it is, also where that is nothing new: whoever wanted it changed waits for a word."""
        self._told = _NEVER_SEEN
        self._look()

    def _look(self) -> None:
        latch = self._file.latch()
        if latch != self._told:
            self._told = latch
            self._take(HaltSeen(latch))


class Retiring:
    """Ends the holders of roles, one after the other, beside the loop: a death may take seconds."""

    def __init__(self, seats: PrivateDirectory, *, own: str, clock: Clock) -> None:
        self._seats: Final = seats
        self._own: Final = own
        self._clock: Final = clock
        self._take: Take = _nobody
        self._under_way: Final[set[str]] = set()

    def open(self, take: Take) -> None:
        """Tell whatever comes of it."""
        self._take = take

    def begin(self, effect: Retire) -> None:
        """Begin, unless it is under way."""
        if effect.instance not in self._under_way:
            self._under_way.add(effect.instance)
            _ = watched(self._retire(effect.instance, effect.epoch))

    async def _retire(self, instance: str, epoch: int) -> None:
        post = Post(instance, self._seats, self._clock)
        try:
            outcome = await asyncio.to_thread(retire, post, by=self._own, silent_epoch=epoch)
        except PrivateFileError as error:
            ended = RetireEnded(instance, None, str(error))
        else:
            ended = _ended(instance, outcome)
        self._under_way.discard(instance)
        self._take(ended)


class Halting:
    """Both, for the service whose `open` is called."""

    def __init__(self, *, file: HaltFile, seats: PrivateDirectory, own: str, clock: Clock) -> None:
        self._watch: Final = HaltWatch(file)
        self._retiring: Final = Retiring(seats, own=own, clock=clock)
        self.performers: Final[Mapping[type, Callable[[Any], None]]] = {
            MakeHalt: self._watch.perform,
            RenameHalt: self._watch.perform,
            RemoveHalt: self._watch.perform,
            Retire: self._retiring.begin,
        }

    def open(self, take: Take, *, heeds_halt: bool) -> None:
        """Begin: whatever comes of it is taken."""
        self._retiring.open(take)
        if heeds_halt:
            self._watch.open(take)

    def close(self) -> None:
        """End."""
        self._watch.close()


def _ended(instance: str, outcome: Retired | FenceRefused) -> RetireEnded:
    if isinstance(outcome, FenceRefused):
        return RetireEnded(instance, None, outcome.words)
    if outcome.process is None:
        return RetireEnded(instance, None, "nobody holds the role")
    return RetireEnded(instance, outcome.process.process_id, "it was killed")
