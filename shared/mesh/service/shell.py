"""The shell every service runs in: it owns the loop, hands the core what happened, and does what the core returns.

Whatever comes, from a socket, a timer or outside, ends in `take`: one input at a time. What a core wants recorded is
durable before anything else is done about it (see shared/core/service.py for what a core may rely on).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import structlog

from proto.codec import EnvelopeCodec
from shared.core.service import (
    Answer,
    Ask,
    BeWary,
    Effect,
    Follow,
    FromOutside,
    Happening,
    InheritanceUnread,
    Inherited,
    InheritedState,
    Listen,
    Moment,
    Note,
    Outward,
    Publish,
    Restored,
    Say,
    ShowFlattenStep,
    Stalled,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Watch,
    Woken,
)
from shared.mesh import logs
from shared.mesh.anchors import AnchorKeeper
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, ClockWatch, WallMoved
from shared.mesh.exit_codes import BEGIN_ANEW, IN_ORDER
from shared.mesh.seat import Seat
from shared.mesh.service.afterwards import Afterwards
from shared.mesh.service.diary import Diary
from shared.mesh.service.doing import Doing
from shared.mesh.service.ending import Ending
from shared.mesh.service.halting import Halting
from shared.mesh.service.hops import CORE, Hops
from shared.mesh.service.links import Links
from shared.mesh.service.own_sockets import OwnSockets
from shared.mesh.service.plan import JournaledPlan, Plan
from shared.mesh.service.pulse import Pulse, Workload
from shared.mesh.service.timers import Timers
from shared.mesh.service.worries import Worries

FOLD_RECORDS: Final = 1_000
TEND_EVERY_BEATS: Final = 20

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
    inheritance: Iterable[InheritedState | Inherited | InheritanceUnread]
    troubles: Sequence[str]
    halting: Halting


class Service:
    """One service at work, from its first beat to its exit code."""

    def __init__(self, station: Station) -> None:
        self._station: Final = station
        self._plan: Final = station.plan
        self._clock: Final = station.clock
        self._pulse: Final = station.pulse
        self._loop: Final = station.hub.loop
        self._clock_watch: Final = ClockWatch(station.clock)
        self._ending: Final = Ending(self._loop)
        self._inputs: Final[deque[Happening]] = deque()
        self._busy = False
        self._begun = False  # the past is folded, and the core has its first word
        self._worries: Final = Worries(station.troubles)
        self._hops: Final = Hops()
        self._handled = 0
        self._beats = 0
        self._timers: Final = Timers(
            loop=self._loop, clock=self._clock, look=self.look, ring=lambda timer: self.take(Woken(timer))
        )
        afterwards = Afterwards(station.hub, self._perform)
        self._own: Final = OwnSockets(
            plan=station.plan, hub=station.hub, sender=station.sender, clock=station.clock, codec=station.codec
        )
        self._doing: Final = Doing(
            diary=station.diary,
            sender=station.sender,
            own=self._own,
            clock=self._clock,
            hops=self._hops,
            worries=self._worries,
            afterwards=afterwards,
            inputs=self._inputs,
            handle=self._handled_by_core,
            perform=self._perform,
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
            BeWary: self._worries.take,
            Follow: self._links.follow,
            Listen: self._links.listen,
            Note: _note,
            Publish: self._own.publish,
            Say: self._own.say,
            ShowFlattenStep: self._pulse.show_step,
            Stop: lambda _: self._ending.come(IN_ORDER),
            WakeAt: lambda effect: self._timers.set(effect.timer, effect.boot_ns),
            Watch: self._links.watch,
            **station.halting.performers,
        }

    async def run(self) -> int:
        """Work until there is an exit code."""
        self._beat()
        await self._fold()
        if not self._ending.has_come:
            self._ending.guard(self._begin)
        try:
            return await self._ending.code
        finally:
            self._station.halting.close()
            self._timers.close()
            self._pulse.close()

    def look(self) -> None:
        """Notice that the process stood still, before anything is read that waited meanwhile."""
        if (gap_ns := self._pulse.look()) and self._begun:
            log.warning("stood still", seconds=round(gap_ns / 1e9, 3))
            self.take(Stalled(gap_ns))
            self._links.slept()
            self._timers.slept()

    def bring(self, happening: FromOutside) -> None:
        """Take in what came from outside the bus."""
        self.look()
        if isinstance(happening, self._plan.open_with or ()):
            self._open()
        self.take(happening)

    def stop(self) -> None:
        """Ask the core to finish; it has as long as the plan says."""
        if self._pulse.state == "draining" or self._ending.has_come:
            return
        if not self._begun:
            self._ending.come(IN_ORDER)
            return
        self._pulse.state = "draining"
        log.info("draining", seconds=self._plan.drain_seconds)
        self._ending.come_within(self._plan.drain_seconds)
        self.look()
        self._say_health()  # whoever counts deaths knows by it that the end to come is none
        self.take(StopAsked())

    def take(self, happening: Happening) -> None:
        """Hand an input to the core and do what it returns; what comes meanwhile waits for its turn."""
        self._inputs.append(happening)
        self._work_off()

    def _work_off(self) -> None:
        if not self._busy and not self._ending.has_come:
            self._busy = True
            self._ending.guard(self._handle_inputs)
            self._busy = False

    def _handle_inputs(self) -> None:
        while self._inputs and not self._ending.has_come:
            self._doing.do(self._handled_by_core(self._inputs.popleft()))
            self._hops.count()

    def _begin(self) -> None:
        """Open our sockets, and give the core its first word."""
        seat, plan, diary = self._station.seat, self._plan, self._station.diary
        self._own.open(records=diary.records if diary is not None else None, on_asked=self.take)
        self._begun = True
        if plan.open_with is None:
            self._open()
        self._busy = True  # what the outside brings at once comes after the first word
        troubles = tuple(self._station.troubles)
        self._inputs.append(Started(plan.instance, seat.epoch, seat.restarts, troubles, died=seat.died))
        if diary is not None:
            self._doing.note_room()
        self._station.halting.open(self.take, heeds_halt=plan.heeds_halt)
        if plan.outside is not None:
            plan.outside.open(self.bring)
            self._station.hub.before_closing(plan.outside.close)
        self._handle_inputs()
        self._busy = False
        self._say_health()

    def _open(self) -> None:
        """Say that we run, once: from now on everything we serve can be reached."""
        if self._pulse.state == "booting":
            self._pulse.state, seat = "running", self._station.seat
            log.info("running", instance=self._plan.instance, epoch=seat.epoch, restarts=seat.restarts)

    def _handled_by_core(self, happening: Happening) -> Sequence[Effect]:
        now = Moment(self._clock.wall_ns(), self._clock.boot_ns(), self._clock.boot_id)
        self._hops.arrived(happening, now)
        effects = self._plan.core.handle(happening, now)
        self._hops.took(CORE, self._clock.boot_ns() - now.boot_ns)
        self._handled += 1
        assert not effects or self._begun, "the past is only folded"
        return effects

    def _perform(self, effect: Effect) -> None:
        if (performer := self._performers.get(type(effect))) is not None:
            performer(effect)
        elif isinstance(effect, Outward):
            assert self._plan.outside is not None, "a core with hands outside needs somebody who has them"
            self._plan.outside.perform(effect)

    async def _fold(self) -> None:
        """Hand the core its past, with room for heartbeats in between."""
        if (diary := self._station.diary) is None:
            return
        self.take(Restored(diary.journal.snapshot.state))
        for count, past in enumerate(chain(diary.past(), self._station.inheritance)):
            if self._ending.has_come:
                return
            self.take(past)
            if count % FOLD_RECORDS == 0:
                await asyncio.sleep(0)

    def _beat(self) -> None:
        """Say that the loop moves, and look after what needs it now and then."""
        if self._ending.has_come:
            return
        self._loop.call_later(self._pulse.pause_ns / 1e9, self._beat)
        self.look()
        self._handled += 1
        self._beats += 1
        if not self._station.seat.is_intact():
            self._ending.give_up(BEGIN_ANEW, "the seat is lost", "its lock file was removed or replaced")
            return
        for change in self._clock_watch.look():
            if isinstance(change, WallMoved):  # what was skipped is told as a stall
                log.warning("the wall clock was set", by_seconds=round(change.by_ns / 1e9, 3))
        if self._beats % TEND_EVERY_BEATS == 0:
            self._ending.guard(self._tend_diary)
        self._say_health()

    def _tend_diary(self) -> None:
        diary = self._station.diary
        if diary is None or not isinstance(self._plan, JournaledPlan) or not self._begun:
            return
        if refusal := diary.turn_page(wall_ns=self._clock.wall_ns(), state=self._plan.core.state):
            log.critical("no new segment could be begun: the old one goes on", reason=refusal)
        if diary.journal.is_full:
            diary.journal.refill_reserve()
            self._doing.note_room()
            self._work_off()

    def _say_health(self) -> None:
        anchor = None if self._station.diary is None else self._station.diary.journal.anchor
        queued, worries = len(self._inputs) + self._links.unanswered, self._worries.now()
        heartbeat, hello = self._pulse.beat(Workload(self._handled, queued, self._own.positions(), anchor, worries))
        for body in (heartbeat,) if hello is None else (hello, self._hops.measured(), heartbeat):
            self._own.say_health(body)


def _note(note: Note) -> None:
    # A detail that is called as a part of every line is shown beside that part, not in its place.
    details = {f"{name}_" if name in logs.LINE_PARTS else name: value for name, value in note.details.items()}
    getattr(log, note.level)(note.event, **details)
