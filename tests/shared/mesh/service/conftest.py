"""A service on a real loop with real sockets and a real seat; or in a project, as a process of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from proto.codec import EnvelopeCodec
from proto.schema import schema_digest
from shared.core.service import (
    Effect,
    FromOutside,
    Happening,
    InheritanceUnread,
    Inherited,
    Moment,
    Outward,
    Started,
)
from shared.mesh.anchors import AnchorKeeper
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, SystemClock, VirtualClock
from shared.mesh.halt_file import HaltFile
from shared.mesh.journal import JournalAbsent, Opening, create_journal, open_journal
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.seat import Post, Seat, take_seat
from shared.mesh.service.diary import Diary
from shared.mesh.service.halting import Halting
from shared.mesh.service.plan import JournaledPlan, Outside, Plan
from shared.mesh.service.pulse import Pulse
from shared.mesh.service.shell import Service, Station
from tests.proto.examples import DIGEST
from tests.shared.mesh.bus.conftest import PATIENCE_SECONDS, Mesh, eventually, mesh, run_directory
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.running import Project

__all__ = ["eventually", "mesh", "run_directory", "stage"]

React = Callable[[Happening, Moment], Sequence[Effect]]


class Told(FromOutside):
    """Something came from outside."""


class Do(Outward):
    """Something is to be done outside."""


class Hands(Outside):
    """What a service has beside the bus: notes what it is told to do, and brings in what a test wants."""

    def __init__(self, do: Callable[[Outward], None]) -> None:
        self.bring: Callable[[FromOutside], None]
        self.closed = False
        self._do: Final = do

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Be ready."""
        self.bring = bring

    def perform(self, effect: Outward) -> None:
        """Do what the test has in mind."""
        self._do(effect)

    def close(self) -> None:
        """End."""
        self.closed = True


class Memory:
    """A core that remembers what it was handed, and reacts as the test says."""

    def __init__(self, react: React) -> None:
        self.seen: Final[list[Happening]] = []
        self._react: Final = react

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Remember and react."""
        self.seen.append(happening)
        return self._react(happening, now)

    def state(self) -> bytes:
        """Return nothing: all of it is in the records."""
        return b""

    def of(self, *kinds: type) -> list[Any]:
        """Return what was seen of these kinds."""
        return [happening for happening in self.seen if isinstance(happening, kinds)]


class Actor:
    """One service under test."""

    def __init__(self, service: Service, core: Memory, keeper: AnchorKeeper) -> None:
        self.service: Final = service
        self.core: Final = core
        self.keeper: Final = keeper
        self.exit: Final = asyncio.ensure_future(service.run())

    async def code(self) -> int:
        """Wait for its end, and return its exit code."""
        return await asyncio.wait_for(asyncio.shield(self.exit), PATIENCE_SECONDS)


class Stage:
    """Puts services on, one at a time, and takes them off with the test."""

    def __init__(self, mesh: Mesh, directory: Path) -> None:
        self.mesh: Final = mesh
        self.directory: Final = directory
        self._actors: Final[list[Actor]] = []

    def service(
        self,
        react: React = lambda _happening, _now: (),
        *,
        instance: str = "risk",
        clock: Clock | None = None,
        disk: SimDisk | None = None,
        halt_directory: Path | None = None,
        inheritance: Iterable[Inherited | InheritanceUnread] = (),
        **plan: Any,  # noqa: ANN401 -- the fields of a Plan
    ) -> Actor:
        """Start a service whose core reacts so; with a disk it has a journal there."""
        core, clock = Memory(react), clock or SystemClock()
        process = self.mesh.process(instance, on_turn=lambda: service.look())  # noqa: PLW0108 -- it is made below
        seat = take_seat(Post(instance, PrivateDirectory(self.directory / "seats"), clock))
        assert isinstance(seat, Seat)
        planned = (
            Plan(instance=instance, core=core, **plan)
            if disk is None
            else JournaledPlan(instance=instance, core=core, reports="reports", **plan)
        )
        keeper = AnchorKeeper(self.directory / "anchors", instance)
        service = Service(
            Station(
                plan=planned,
                seat=seat,
                hub=process.hub,
                clock=clock,
                codec=process.codec,
                sender=Sender(instance=instance, epoch=seat.epoch, clock=clock),
                pulse=Pulse(
                    clock=clock,
                    restarts=seat.restarts,
                    build_id="a build",
                    schema_digest=schema_digest(),
                    money_config_digest=DIGEST,
                ),
                keeper=keeper,
                diary=a_diary(disk) if disk is not None else None,
                inheritance=inheritance,
                troubles=["it rains"],
                halting=Halting(
                    file=HaltFile(halt_directory or self.directory),
                    seats=PrivateDirectory(self.directory / "seats"),
                    own=instance,
                    clock=clock,
                ),
            )
        )
        self._actors.append(Actor(service, core, keeper))
        return self._actors[-1]

    async def end(self) -> None:
        """End what still runs."""
        for actor in self._actors:
            actor.exit.cancel()
            await asyncio.gather(actor.exit, return_exceptions=True)
            actor.keeper.close()


def a_diary(disk: SimDisk, *, empty_state: bytes = b"") -> Diary:
    """Open the journal on a disk of ours, or begin one, with a small reserve."""
    codec = EnvelopeCodec()
    opening = Opening(disk=disk, prove=codec.decode_stored, reserve_bytes=4_096)
    try:
        journal = open_journal(opening)
    except JournalAbsent:
        journal = create_journal(opening, date="2199-01-01", state=empty_state)
    return Diary(journal, codec=codec, troubles=())


def standing_clock() -> VirtualClock:
    """Return a clock that agrees with the machine's now, and stands until it is moved."""
    system = SystemClock()
    return VirtualClock(boot_ns=system.boot_ns(), wall_ns=system.wall_ns(), boot_id=system.boot_id)


def at_start(*effects: Effect) -> React:
    """Return a reaction: these effects when started, and nothing else ever."""
    return lambda happening, _now: effects if isinstance(happening, Started) else ()


@pytest.fixture
async def stage(mesh: Mesh, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a test its own stage."""
    own = Stage(mesh, tmp_path)
    yield own
    await own.end()


@pytest.fixture
def project() -> Iterator[Project]:
    """Return a project; its processes end with the test."""
    with Project() as project:
        yield project
