"""How a process of the mesh comes up and goes down, the same for every service.

Settings, logs, keys, seat, sockets, journal, core; whatever is wrong with one of them is said in a sentence, and the
process ends with a code that tells whether to look at the configuration or just to begin anew. Behind another holder
of its seat it stands by: it binds nothing and says so.
"""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from proto.codec import EnvelopeCodec
from proto.schema import schema_digest
from shared.core.service import InheritanceUnread, Inherited, InheritedState
from shared.mesh import logs
from shared.mesh.anchors import AnchorKeeper
from shared.mesh.build import build_id
from shared.mesh.bus.hub import AddressUnusableError, Hub
from shared.mesh.bus.keys import KeyRing, KeysUnusableError, load_key_ring
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, SystemClock
from shared.mesh.epoch import EpochUnknownError, EpochVerdict
from shared.mesh.exit_codes import BEGIN_ANEW, IN_ORDER, OUR_DEFECT, UNUSABLE
from shared.mesh.halt_file import HaltFile
from shared.mesh.journal import JournalFailed, JournalFull, JournalRefused
from shared.mesh.loop import run_on_loop
from shared.mesh.past_lives import remembered
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.run_directory import RunDirectory, SocketPathError
from shared.mesh.seat import Post, Seat, Standby, take_seat
from shared.mesh.service.adoption import inheritance
from shared.mesh.service.core_dump import refuse_core_dumps
from shared.mesh.service.diary import Diary, open_diary
from shared.mesh.service.halting import Halting
from shared.mesh.service.plan import JournaledPlan, Plan
from shared.mesh.service.pulse import Pulse
from shared.mesh.service.shell import Service, Station
from shared.mesh.settings import Configuration, SettingsError, load_configuration, money_hash

PROJECT: Final = Path(__file__).parents[3]
# Short, so that a standby ends soon after it is told to; the holder's death wakes it at once anyway.
STANDBY_PAUSE_NS: Final = 200_000_000
DESCRIPTORS_MIN: Final = 256  # several times what a process with all its sockets and peers has open
SAID_AGAIN_PAUSES: Final = 300
LINGER_MS: Final = 200

log: Final = structlog.get_logger("service")


def run(plan: Plan, *, root: Path = PROJECT) -> int:
    """Run a service until it ends, and return the exit code of its process."""
    build = build_id(PROJECT)  # at once: what stands by for days must not take an upgrade for what it runs
    refuse_core_dumps()
    # The kernel hangs up on whoever is stopped while its supervisord dies: that is no reason to die without draining.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        configuration = load_configuration(root=root, environment=os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{plan.instance}: {error}\n")
        return UNUSABLE
    chosen = configuration.settings.logs
    logs.configure(stream=sys.stderr, level=chosen.level, line_format=chosen.format, role=plan.instance)
    descriptors_max = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if descriptors_max < DESCRIPTORS_MIN:  # whoever runs out of them later is ended in the middle of something
        reason = (
            f"only {descriptors_max} files may be open at once, {DESCRIPTORS_MIN} are needed: `ulimit -n 1024` first"
        )
        log.critical("cannot start", reason=reason)
        return UNUSABLE
    try:
        return run_on_loop(_serve(plan, configuration, build))
    except JournalFailed as error:
        log.critical("the journal failed", reason=str(error))
        return BEGIN_ANEW
    except (
        AddressUnusableError,
        EpochUnknownError,
        JournalFull,
        JournalRefused,
        KeysUnusableError,
        PrivateFileError,
        SocketPathError,
    ) as error:
        log.critical("cannot start", reason=str(error))
        return UNUSABLE


@dataclass(frozen=True, slots=True)
class _Start:
    """What every step of a start needs."""

    plan: Plan
    configuration: Configuration
    clock: Clock
    codec: EnvelopeCodec
    stopping: asyncio.Event
    build_id: str


@dataclass(frozen=True, slots=True)
class _Seated:
    """The seat, the journal that goes with it, and what is wrong with either."""

    seat: Seat
    diary: Diary | None
    troubles: Sequence[str]


async def _serve(plan: Plan, configuration: Configuration, build: str) -> int:
    start = _Start(plan, configuration, SystemClock(), EnvelopeCodec(), asyncio.Event(), build)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, start.stopping.set)
    keys = load_key_ring(PrivateDirectory(configuration.keys_directory), plan.instance)
    seated = await _seated(start)
    if seated is None:
        return IN_ORDER
    code = OUR_DEFECT
    try:
        code = await _work(start, keys, seated)
    finally:
        if seated.diary is not None:
            seated.diary.close()
        if code == IN_ORDER:
            seated.seat.stop()  # anything else counts as a death
    return code


async def _work(start: _Start, keys: KeyRing, seated: _Seated) -> int:
    """Open the bus, run the service, close the bus."""
    configuration, plan, seat = start.configuration, start.plan, seated.seat
    for trouble in seated.troubles:
        log.critical("something was lost", reason=trouble)
    pulse = Pulse(
        clock=start.clock,
        restarts=seat.restarts,
        build_id=start.build_id,
        schema_digest=schema_digest(),
        money_config_digest=money_hash(configuration.settings),
    )
    keeper = AnchorKeeper(configuration.anchors_directory, plan.instance)
    hub = Hub(
        loop=asyncio.get_running_loop(),
        keys=keys,
        run_directory=RunDirectory(configuration.run_directory),
        overrides=configuration.settings.mesh.addresses,
        on_turn=lambda: service.look(),  # noqa: PLW0108 -- it is made below, and before anything is read
        on_trouble=lambda words: log.critical("trouble on a socket", reason=words),
    )
    try:
        service = Service(
            Station(
                plan=plan,
                seat=seat,
                hub=hub,
                clock=start.clock,
                codec=start.codec,
                sender=Sender(instance=plan.instance, epoch=seat.epoch, clock=start.clock),
                pulse=pulse,
                keeper=keeper,
                diary=seated.diary,
                inheritance=_inheritance(start),
                troubles=seated.troubles,
                halting=Halting(
                    file=HaltFile(configuration.halt_directory),
                    seats=PrivateDirectory(configuration.seats_directory),
                    own=plan.instance,
                    clock=start.clock,
                ),
            )
        )
        _ = hub.start(_stop_when_asked(start.stopping, service))  # the hub keeps it
        gc.collect()
        gc.freeze()  # what is here now stays: the collector need not look at it again
        return await service.run()
    finally:
        hub.close(linger_ms=LINGER_MS)
        keeper.close()


def _inheritance(start: _Start) -> Iterable[InheritedState | Inherited | InheritanceUnread]:
    plan = start.plan
    if not isinstance(plan, JournaledPlan) or plan.inherits is None:
        return ()
    return inheritance(start.configuration, plan.inherits, codec=start.codec)


async def _stop_when_asked(stopping: asyncio.Event, service: Service) -> None:
    await stopping.wait()
    service.stop()


async def _seated(start: _Start) -> _Seated | None:
    """Take the seat, and open the journal if there is one; None when told to stop before that.

    A journal, a peer or the overseer that knows a higher epoch than the seat's file says that the file is gone, or an
    old copy of it was put back.
    What was found wrong is said whichever round found it: it is mended then, and the next one sees nothing.
    """
    plan, clock = start.plan, start.clock
    post = Post(plan.instance, PrivateDirectory(start.configuration.seats_directory), clock)
    known_epoch = remembered(start.configuration.past_lives_directory, plan.instance).epoch
    troubles: dict[str, None] = {}
    while (seat := await _seat(post, known_epoch, start.stopping)) is not None:
        troubles |= dict.fromkeys(_troubles(seat))
        if not isinstance(plan, JournaledPlan):
            return _Seated(seat, None, list(troubles))
        diary = open_diary(
            start.configuration,
            plan.instance,
            codec=start.codec,
            wall_ns=clock.wall_ns(),
            empty_state=plan.core.state(),
        )
        troubles |= dict.fromkeys(diary.troubles)
        known_epoch = max(known_epoch, diary.known_epoch())
        if known_epoch < seat.epoch:
            return _Seated(seat, diary, list(troubles))
        troubles[str(EpochVerdict.BEHIND)] = None  # the next seat cannot tell: by then we have written the file
        diary.close()
        seat.stop()
    return None


async def _seat(post: Post, known_epoch: int, stopping: asyncio.Event) -> Seat | None:
    pauses = 0
    while isinstance(found := take_seat(post, known_epoch=known_epoch), Standby):
        if stopping.is_set():
            return None
        if pauses % SAID_AGAIN_PAUSES == 0:
            log.warning("standing by", behind=found.words)
        pauses += 1
        await asyncio.to_thread(found.wait, timeout_ns=STANDBY_PAUSE_NS)
    return found


def _troubles(seat: Seat) -> list[str]:
    troubles = []
    if seat.verdict not in {EpochVerdict.FIRST, EpochVerdict.CONTINUED}:
        troubles.append(str(seat.verdict))
    if seat.crash_loop:
        troubles.append("crash loop: three deaths within a minute")
    return troubles
