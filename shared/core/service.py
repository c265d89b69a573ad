"""What passes between a service's core and its shell: happenings go in, effects come out.

A core is an object with `handle(happening, now) -> effects`. It asks no clock, opens nothing, logs nothing: all it
knows came in, all it wants goes out. The same core runs behind sockets, in a simulation and in a test.

The shell keeps three promises. Inputs come one at a time, `Started` first and `Stalled` before what waited meanwhile.
The effects of one input are performed in order, but answers and notes beside a `Report` a moment later. And if there is
one, nothing is performed, nor is the next input handled, before every report is durable: then the core gets them back
as `Recorded`. A core with a journal changes what has to outlive it in `Recorded` and nowhere else. So what it knows is
the fold of its journal at every instant, and after a crash the same records lead to the same state.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from proto.envelope import Body, Envelope
from proto.fields import Id
from proto.market import MarketBody
from proto.risk import Latch
from shared.core.continuity import Event


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When something reached the core: all a core ever knows of the time.

    Each input has one, so nothing here is a dataclass: those take ten times as long to make, and slow each start.
    """

    wall_ns: int
    boot_ns: int
    boot_id: str


# What a core is handed.


class Restored(msgspec.Struct, frozen=True):
    """The state that the newest segment of the journal begins with, as `Journaling.state` once gave it."""

    state: bytes


class Recorded(msgspec.Struct, frozen=True):
    """A record of our own journal: when starting, each one since the state; later, each report once it is durable.

    Before `Started`, a core folds and returns nothing.
    """

    envelope: Envelope


class RecordsLost(msgspec.Struct, frozen=True):
    """Our own journal has a hole before this number: something was recorded there that nobody knows any more.

    It comes in the place of what is lost, at every start until the state is beyond it. So a core that has to be wary
    for as long as nobody has looked makes it a part of its state.
    """

    next_sequence: int
    reason: str


class InheritedState(msgspec.Struct, frozen=True):
    """What a page of the journal begins with of somebody who may act in our name while we are dead."""

    instance: str
    state: bytes


class Inherited(msgspec.Struct, frozen=True):
    """A record behind it, all of them in order, before `Started`: the core knows which it has, and which are ours."""

    instance: str
    envelope: Envelope


class InheritanceUnread(msgspec.Struct, frozen=True):
    """Some of what it wrote cannot be read: what it did in our name we may not know. It comes before `Started`, too."""

    instance: str
    reason: str
    next_sequence: int = 0  # behind the hole, where it is known


class JournalRoom(msgspec.Struct, frozen=True):
    """Whether the journal has room for everything again, or from now on takes reducing reports only."""

    for_everything: bool


class NotRecorded(msgspec.Struct, frozen=True):
    """There is no room for these reports, nor was anything done that was returned with them.

    A core may report something else instead, as a rule reducing. If that finds no room either, the same comes again;
    a core that goes on reporting is ended as defective.
    """

    bodies: tuple[Body, ...]
    reason: str
    is_reducing: bool  # one of them was: then there is no room for what reduces risk either


class Started(msgspec.Struct, frozen=True):
    """The first word of a run. `troubles` are what to be wary of; `died`: nobody stopped the run before."""

    instance: str
    epoch: int
    restarts: int
    troubles: tuple[str, ...]
    died: bool = False


class Asked(msgspec.Struct, frozen=True):
    """A request, in time and by somebody who may ask it. Answer it with `Answer`, now or later."""

    instance: str
    envelope: Envelope


class Answered(msgspec.Struct, frozen=True):
    """What came back to an `Ask` of ours: an answer, or a refusal."""

    ask_id: str
    envelope: Envelope


class Unanswered(msgspec.Struct, frozen=True):
    """Nobody answered an `Ask` of ours in time. Whether it was handled is not known."""

    ask_id: str


class Watched(msgspec.Struct, frozen=True):
    """Market data of one instance that we `Watch`, in order."""

    instance: str
    events: Sequence[Event]


class Told(msgspec.Struct, frozen=True):
    """A numbered event of an owner whom we `Follow`: each comes once, in order."""

    instance: str
    envelope: Envelope


class ToldOfLoss(msgspec.Struct, frozen=True):
    """The owner's journal has a hole before this number, and says so: what stood there nobody will ever see."""

    instance: str
    next_sequence: int


class Heard(msgspec.Struct, frozen=True):
    """The latest of something we `Listen` to; others may have been lost before it."""

    instance: str
    envelope: Envelope


class Woken(msgspec.Struct, frozen=True):
    """The time of a timer has come, or has passed."""

    timer: str


class Stalled(msgspec.Struct, frozen=True):
    """This process stood still for so long. Whoever watches others starts counting anew."""

    gap_ns: int


class StopAsked(msgspec.Struct, frozen=True):
    """Somebody wants this process to end: finish what must be finished, and return `Stop`."""


class HaltSeen(msgspec.Struct, frozen=True):
    """What the HALT file stands for: the first time right after `Started`, then whenever it has changed.

    None is that it is not there. Only a plan that heeds it has this.
    """

    latch: Latch | None


class HaltUnwritable(msgspec.Struct, frozen=True):
    """The HALT file could not be made, or not be removed: the disk refuses."""

    reason: str


class RetireEnded(msgspec.Struct, frozen=True):
    """What came of a `Retire`: the number of the process that was killed, or in words why nobody was."""

    instance: str
    process_id: int | None
    words: str


class FromOutside:
    """Base of what a service's own shell brings in: a venue's reply, a line of a pipe."""

    __slots__ = ()


Happening = (
    Restored
    | Recorded
    | RecordsLost
    | InheritedState
    | Inherited
    | InheritanceUnread
    | JournalRoom
    | NotRecorded
    | Started
    | Asked
    | Answered
    | Unanswered
    | Watched
    | Told
    | ToldOfLoss
    | Heard
    | Woken
    | Stalled
    | StopAsked
    | HaltSeen
    | HaltUnwritable
    | RetireEnded
    | FromOutside
)


# What a core returns.


class Report(msgspec.Struct, frozen=True):
    """Write it into our journal and tell whoever follows. A `reducing` one may use the last room there."""

    body: Body
    cause_id: str | None = None
    reducing: bool = False


class Answer(msgspec.Struct, frozen=True):
    """Answer a request; asked again, the same is answered again."""

    asked: Asked
    body: Body


class Ask(msgspec.Struct, frozen=True):
    """Ask another process. The id names the request for ever: asking twice under one id is asking once."""

    instance: str
    body: Body
    ask_id: str
    cause_id: str | None = None


class Publish(msgspec.Struct, frozen=True, gc=False):
    """Publish market data on a topic."""

    topic: bytes
    body: MarketBody
    exchange_time_ns: int | None
    received_wall_ns: int


class Say(msgspec.Struct, frozen=True):
    """Say something of which only the latest counts."""

    body: Body
    cause_id: str | None = None


class Watch(msgspec.Struct, frozen=True):
    """Read an instance's market data, from now on, on every topic that begins so."""

    instance: str
    topic_prefix: bytes


class Follow(msgspec.Struct, frozen=True):
    """Read an owner's numbered events on one of its sockets, from a number on."""

    instance: str
    socket: str
    next_sequence: int


class Listen(msgspec.Struct, frozen=True):
    """Hear the latest that an instance says on one of its sockets: its `health`, for one."""

    instance: str
    socket: str


class WakeAt(msgspec.Struct, frozen=True):
    """Hand in `Woken` at that time; it replaces an earlier one of the same name. Without a time it is put off."""

    timer: str
    boot_ns: int | None


class Note(msgspec.Struct, frozen=True):
    """Write it into the log. A `critical` one wants a person."""

    level: Literal["info", "warning", "critical"]
    event: str
    details: Mapping[str, object] = msgspec.field(default_factory=dict)


class BeWary(msgspec.Struct, frozen=True):
    """Show a person, beside the state of this process, what keeps it from its work; the last word counts."""

    troubles: tuple[str, ...]


class MakeHalt(msgspec.Struct, frozen=True):
    """Make the HALT file; where there is one, only if pressed anew. `HaltSeen` follows, or `HaltUnwritable`."""

    latch: Latch
    is_pressed: bool = False


class RenameHalt(msgspec.Struct, frozen=True):
    """Let the HALT file stand for this latch, if it stands for that one. `HaltSeen` follows, or `HaltUnwritable`."""

    latch: Latch
    instead_of: Id


class RemoveHalt(msgspec.Struct, frozen=True):
    """Remove the HALT file if it stands for this latch. `HaltSeen` follows, or `HaltUnwritable`."""

    latch_id: Id


class Retire(msgspec.Struct, frozen=True):
    """End by SIGKILL whoever holds a role beyond doubt: its supervisor starts it anew. `RetireEnded` follows.

    `epoch` is the highest that was heard of the role: a successor that begins under a higher one has its time to start.
    """

    instance: str
    epoch: int


class ShowFlattenStep(msgspec.Struct, frozen=True):
    """Let the heartbeats say how many steps of flattening were taken: whoever watches sees by it that it goes on."""

    step: int


class Stop(msgspec.Struct, frozen=True):
    """End this process in order: everything is finished."""


class Outward:
    """Base of what only a service's own shell can do: a call to the venue."""

    __slots__ = ()


Effect = (
    Report
    | Answer
    | Ask
    | Publish
    | Say
    | Watch
    | Follow
    | Listen
    | WakeAt
    | Note
    | BeWary
    | MakeHalt
    | RenameHalt
    | RemoveHalt
    | Retire
    | ShowFlattenStep
    | Stop
    | Outward
)


class Core(Protocol):
    """What every service has at its heart."""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Take in what happened and return what shall be done."""


class Journaling(Core, Protocol):
    """A core that owns a journal."""

    def state(self) -> bytes:
        """Return what `Restored` needs to go on from here: the fold of everything recorded so far."""
