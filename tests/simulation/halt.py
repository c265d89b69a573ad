"""The HALT file of the simulated machine: it outlives every process, and whoever heeds it sees a change soon."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from proto.risk import Latch
from shared.core.service import HaltSeen, HaltUnwritable, Happening, MakeHalt, RemoveHalt, RenameHalt
from shared.mesh.halt_file import NOBODY
from tests.simulation.scheduler import MILLISECOND_NS, Dice, Scheduler
from tests.simulation.trace import Trace
from tests.simulation.weather import Weather

if TYPE_CHECKING:
    from tests.simulation.process import Process

LOOK_MS_MAX: Final = 50
_NEVER_TOLD: Final = object()


class SimHalt:
    """The file."""

    def __init__(self, scheduler: Scheduler, weather: Weather, dice: Dice, trace: Trace) -> None:
        self.scheduler: Final = scheduler
        self.weather: Final = weather
        self.latch: Latch | None = None
        self.before_removal: Callable[[], None]  # whoever watches
        self.dice: Final = dice.of("HALT file")
        self._trace: Final = trace
        self._watches: list[HaltWatch] = []

    def make(self, latch: Latch, *, is_pressed: bool) -> None:
        """Make it, unless it is there and nobody has pressed anew."""
        if self.latch is None or is_pressed:
            self._become(latch)

    def touch(self) -> None:
        """Let somebody make it anew by hand: it has a name of its own."""
        self._become(Latch(f"halt-{self.scheduler.now_ns}", NOBODY, "the file was made by hand", 0))

    def rename(self, latch: Latch, instead_of: str) -> None:
        """Let a program give it another name, if it has this one."""
        if self.latch is not None and self.latch.latch_id == instead_of:
            self._become(latch)

    def take_away(self, latch_id: str) -> None:
        """Let a program remove it, if it is this latch's."""
        if self.latch is not None and self.latch.latch_id == latch_id:
            self.before_removal()
            self._become(None)

    def remove(self) -> None:
        """Let somebody remove it by hand, which clears nothing."""
        self._become(None)

    def watched_by(self, process: "Process") -> "HaltWatch":
        """Return what looks at it for a new life."""
        watch = HaltWatch(self, process)
        self._watches = [*(one for one in self._watches if one.process.is_alive), watch]
        return watch

    def _become(self, latch: Latch | None) -> None:
        self.latch = latch
        self._trace.note("HALT", "is removed" if latch is None else f"is there: {latch.latch_id}")
        for watch in self._watches:
            self.scheduler.after(self.dice.randint(0, LOOK_MS_MAX) * MILLISECOND_NS, watch.look)


class HaltWatch:
    """What looks at it for one life, as shared/mesh/service/halting.py does."""

    def __init__(self, file: SimHalt, process: "Process") -> None:
        self.process: Final = process
        self._file: Final = file
        self._told: object = _NEVER_TOLD

    def look(self) -> None:
        """Tell how it is, if that is news, as soon as the process gets to it."""
        self.process.receive(self._seen)

    def perform(self, effect: MakeHalt | RenameHalt | RemoveHalt) -> None:
        """Make, rename or remove it, and tell how it is then; or that it cannot be done."""
        if self._file.weather.strikes("HALT file unwritable"):
            self.process.take(HaltUnwritable("the disk refuses"))
            return
        if isinstance(effect, MakeHalt):
            self._file.make(effect.latch, is_pressed=effect.is_pressed)
        elif isinstance(effect, RenameHalt):
            self._file.rename(effect.latch, effect.instead_of)
        else:
            self._file.take_away(effect.latch_id)
        self._told = _NEVER_TOLD
        self.look()

    def _seen(self) -> Iterable[Happening]:
        if self._file.latch == self._told:
            return ()
        self._told = self._file.latch
        return (HaltSeen(self._file.latch),)
