"""The shell every service runs in: it owns the loop, hands the core what happened, and does what the core returns.

Whatever comes, from a socket, a timer or outside, ends in `take`: one input at a time. What a core wants recorded is
durable before anything else is done about it (see shared/core/service.py for what a core may rely on).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from proto.codec import EnvelopeCodec
from shared.core.service import (
    Answer,
    Ask,
    Effect,
    Follow,
    FromOutside,
    Happening,
    Listen,
    Moment,
    Note,
    NotRecorded,
    Outward,
    Publish,
    Recorded,
    Report,
    Restored,
    Say,
    Stalled,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Watch,
    Woken,
)
from shared.mesh.anchors import AnchorKeeper
from shared.mesh.bus.hub import AddressUnusableError, Hub
from shared.mesh.bus.keys import KeysUnusableError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, ClockWatch
from shared.mesh.journal import JournalFailed, JournalFull
from shared.mesh.run_directory import SocketPathError
from shared.mesh.seat import Seat
from shared.mesh.service.diary import Diary
from shared.mesh.service.hops import CORE, JOURNAL, Hops
from shared.mesh.service.links import Links, SnailError
from shared.mesh.service.own_sockets import OwnSockets
from shared.mesh.service.plan import JournaledPlan, Plan
from shared.mesh.service.pulse import Pulse, Workload
from shared.mesh.service.timers import Timers

# Exit codes, as sysexits.h names them. Whatever it is, the supervisor starts the process again.
IN_ORDER: Final = 0
OUR_DEFECT: Final = 70
BEGIN_ANEW: Final = 75
UNUSABLE: Final = 78

FOLD_RECORDS: Final = 1_000
RESERVE_EVERY_BEATS: Final = 20

log: Final = structlog.get_logger("service")


@dataclass(frozen=True, kw_only=True)
class Station:
    """What the start has made ready for a service: its seat, its sockets, its clock, its name and its journal."""

    plan: Plan
    seat: Seat
    hub: Hub
    clock: Clock
    codec: EnvelopeCodec
    sender: Sender
    pulse: Pulse
    keeper: AnchorKeeper
    diary: Diary | None
    troubles: Sequence[str]


class Service:
    """One service at work, from its first beat to its exit code."""

    def __init__(self, station: Station) -> None:
        self._station: Final = station
        self._plan: Final = station.plan
        self._core: Final = station.plan.core
        self._clock: Final = station.clock
        self._pulse: Final = station.pulse
        self._loop: Final = station.hub.loop
        self._clock_watch: Final = ClockWatch(station.clock)
        self._exit: Final[asyncio.Future[int]] = self._loop.create_future()
        self._inputs: Final[deque[Happening]] = deque()
        self._busy = False
        self._hops: Final = Hops()
        self._handled = 0
        self._beats = 0
        self._timers: Final = Timers(
            loop=self._loop, clock=self._clock, look=self.look, ring=lambda timer: self.take(Woken(timer))
        )
        self._own: Final = OwnSockets(
            plan=station.plan, hub=station.hub, sender=station.sender, clock=station.clock, codec=station.codec
        )
        self._links: Final = Links(
            hub=station.hub,
            sender=station.sender,
            clock=self._clock,
            codec=station.codec,
            keeper=station.keeper,
            look=self.look,
            take=self.take,
        )
        self._performers: Final[Mapping[type, Callable[[Any], None]]] = {
            Answer: self._own.answer,
            Ask: self._links.ask,
            Follow: self._links.follow,
            Listen: self._links.listen,
            Note: _note,
            Publish: self._own.publish,
            Say: self._own.say,
            Stop: lambda _: self._end(IN_ORDER),
            WakeAt: lambda effect: self._timers.set(effect.timer, effect.boot_ns),
            Watch: self._links.watch,
        }

    async def run(self) -> int:
        """Work until there is an exit code."""
        self._loop.set_exception_handler(self._escaped)
        self._beat()
        await self._fold()
        if not self._exit.done():
            self._guarded(self._begin)
        try:
            return await self._exit
        finally:
            self._timers.close()

    def look(self) -> None:
        """Notice that the process stood still, before anything is read that waited meanwhile."""
        gap_ns = self._pulse.look()
        if gap_ns and self._pulse.state != "booting":
            log.warning("stood still", seconds=round(gap_ns / 1e9, 3))
            self.take(Stalled(gap_ns))
            self._links.slept()
            self._timers.slept()

    def bring(self, happening: FromOutside) -> None:
        """Take in what came from outside the bus."""
        self.look()
        self.take(happening)

    def stop(self) -> None:
        """Ask the core to finish; it has as long as the plan says."""
        if self._pulse.state == "draining" or self._exit.done():
            return
        if self._pulse.state == "booting":
            self._end(IN_ORDER)
            return
        self._pulse.state = "draining"
        log.info("draining", seconds=self._plan.drain_seconds)
        self._loop.call_later(self._plan.drain_seconds, self._drained_too_late)
        self.look()
        self.take(StopAsked())

    def take(self, happening: Happening) -> None:
        """Hand an input to the core and do what it returns; what comes meanwhile waits for its turn."""
        self._inputs.append(happening)
        if self._busy:
            return
        self._busy = True
        self._guarded(self._handle_inputs)
        self._busy = False

    def _handle_inputs(self) -> None:
        while self._inputs and not self._exit.done():
            self._turn(self._inputs.popleft())

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do some work, and end on whatever it raises."""
        try:
            work()
        except (AddressUnusableError, KeysUnusableError, SocketPathError) as error:
            self._give_up(UNUSABLE, "a socket cannot be had", error)
        except JournalFailed as error:
            self._give_up(BEGIN_ANEW, "the journal failed", error)
        except Exception as error:  # noqa: BLE001 -- the last line of defence: better dead than wrong
            self._defect(error)

    def _begin(self) -> None:
        """Open our sockets, and give the core its first word."""
        seat, plan, diary = self._station.seat, self._plan, self._station.diary
        self._own.open(records=diary.records if diary is not None else None, on_asked=self.take)
        self._pulse.state = "running"
        log.info("running", instance=plan.instance, epoch=seat.epoch, restarts=seat.restarts)
        self.take(Started(plan.instance, seat.epoch, seat.restarts, tuple(self._station.troubles)))
        if plan.outside is not None and not self._exit.done():
            plan.outside.open(self.bring)
            self._station.hub.before_closing(plan.outside.close)
        self._say_health()

    def _turn(self, happening: Happening) -> None:
        now = self._now()
        self._hops.arrived(happening, now)
        effects = self._core.handle(happening, now)
        self._hops.took(CORE, self._clock.boot_ns() - now.boot_ns)
        self._handled += 1
        assert not effects or self._pulse.state != "booting" or isinstance(happening, Started), (
            "the past is only folded"
        )
        reports = [effect for effect in effects if isinstance(effect, Report)]
        if reports and not self._recorded(reports):
            return
        for effect in effects:
            self._perform(effect)

    def _recorded(self, reports: Sequence[Report]) -> bool:
        """Make reports durable, tell whoever follows, hand them back to the core; or hand in that it was not done."""
        diary = self._station.diary
        assert diary is not None, "a core without a journal reports nothing"
        began_ns = self._clock.boot_ns()
        try:
            envelopes, frames = diary.record(reports, self._station.sender)
        except JournalFull as full:
            log.critical("the journal is full", reason=str(full))
            self._turn(NotRecorded(tuple(report.body for report in reports), str(full)))
            return False
        self._hops.took(JOURNAL, self._clock.boot_ns() - began_ns)
        self._own.tell(frames)
        for envelope in envelopes:
            self._turn(Recorded(envelope))
        return True

    def _perform(self, effect: Effect) -> None:
        performer = self._performers.get(type(effect))
        if performer is not None:
            performer(effect)
        elif isinstance(effect, Outward):
            assert self._plan.outside is not None, "a core with hands outside needs somebody who has them"
            self._plan.outside.perform(effect)

    async def _fold(self) -> None:
        """Hand the core its past, with room for heartbeats in between."""
        diary = self._station.diary
        if diary is None:
            return
        self.take(Restored(diary.journal.snapshot.state))
        for count, envelope in enumerate(diary.past()):
            self.take(Recorded(envelope))
            if count % FOLD_RECORDS == 0:
                await asyncio.sleep(0)

    def _now(self) -> Moment:
        return Moment(self._clock.wall_ns(), self._clock.boot_ns(), self._clock.boot_id)

    def _beat(self) -> None:
        """Say that the loop moves, and look after what needs it now and then."""
        if self._exit.done():
            return
        self._loop.call_later(self._pulse.pause_ns / 1e9, self._beat)
        self.look()
        self._handled += 1
        self._beats += 1
        if not self._station.seat.is_intact():
            self._give_up(BEGIN_ANEW, "the seat is lost", RuntimeError("its lock file was removed or replaced"))
            return
        for change in self._clock_watch.look():
            log.warning("the clocks jumped", change=str(change))
        self._tend_diary()
        self._say_health()

    def _tend_diary(self) -> None:
        diary = self._station.diary
        if diary is None or not isinstance(self._plan, JournaledPlan) or self._pulse.state == "booting":
            return
        try:
            diary.turn_page(wall_ns=self._clock.wall_ns(), state=self._plan.core.state)
            if diary.journal.is_full and self._beats % RESERVE_EVERY_BEATS == 0 and diary.journal.refill_reserve():
                log.info("the journal has room again")
        except JournalFailed as error:
            self._give_up(BEGIN_ANEW, "the journal failed", error)

    def _say_health(self) -> None:
        diary = self._station.diary
        heartbeat, hello = self._pulse.beat(
            Workload(
                handled=self._handled,
                queued=len(self._inputs) + self._links.unanswered,
                published=self._own.positions(),
                anchor=diary.journal.anchor if diary is not None else None,
            )
        )
        if hello is not None:
            self._own.say_health(hello)
            self._own.say_health(self._hops.measured())
        self._own.say_health(heartbeat)

    def _drained_too_late(self) -> None:
        if not self._exit.done():
            log.critical("not drained in time", seconds=self._plan.drain_seconds)
            self._end(BEGIN_ANEW)

    def _escaped(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """End on whatever a callback or task of the loop raises: nothing else would notice it."""
        error = context.get("exception")
        if isinstance(error, SnailError):
            self._give_up(BEGIN_ANEW, "too slow", error)
        else:
            self._defect(error if isinstance(error, Exception) else RuntimeError(context.get("message")))

    def _defect(self, error: Exception) -> None:
        log.critical("a defect of ours", exc_info=error)
        self._end(OUR_DEFECT)

    def _give_up(self, code: int, what: str, error: Exception) -> None:
        log.critical(what, reason=str(error))
        self._end(code)

    def _end(self, code: int) -> None:
        if not self._exit.done():
            self._exit.set_result(code)


def _note(note: Note) -> None:
    getattr(log, note.level)(note.event, **note.details)
