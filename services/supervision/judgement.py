"""What state a process is in, from all that is known about it. Pure: evidence goes in, rows of the table come out.

supervisord knows which child it started and nothing of orphans, of seats, or of a child that hangs. The lock knows who
has the seat, the epoch file how often it was started, the heartbeats whether it moves. Here they are held together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.execution.belonging import why_idle

SILENT_S: Final = 1.5
# A process has its seat before it has its sockets, so it is not silent yet.
BOOT_S: Final = 3.0


class State(StrEnum):
    """What `bowline status` says of a process. RUNNING is well, and OFF is as it was wanted; nothing else is."""

    RUNNING = "RUNNING"
    OFF = "OFF"
    STARTING = "STARTING"
    STANDBY = "STANDBY"
    ORPHAN = "ORPHAN"
    IDLE = "IDLE"
    SILENT = "SILENT"
    NO_HEARTBEAT = "NO HEARTBEAT"
    CRASH_LOOP = "CRASH LOOP"
    BACKOFF = "BACKOFF"
    FATAL = "FATAL"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    UNKNOWN = "UNKNOWN"


# What supervisord alone can say; the rest of its words are held against the lock.
_ITS_WORD: Final = {
    "STARTING": State.STARTING,
    "BACKOFF": State.BACKOFF,
    "FATAL": State.FATAL,
    "STOPPING": State.STOPPING,
    "STOPPED": State.STOPPED,
    "EXITED": State.STOPPED,
    "UNKNOWN": State.UNKNOWN,
}
_SEAT_UNREADABLE: Final = "its seat cannot be looked at"
_NO_PROCESS: Final = frozenset({State.BACKOFF, State.FATAL, State.STOPPED, State.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Word:
    """What supervisord says about the child of this name."""

    state: str
    process_id: int
    uptime_s: float
    spawn_error: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """The living process that has the seat, and whether it is a child of the present supervisord."""

    process_id: int
    uptime_s: float
    orphan: bool


@dataclass(frozen=True, slots=True)
class Beat:
    """What was heard of a process: the age of its last heartbeat, None for nothing, and if it has a socket for it.

    One that `boots` says of itself that what it serves cannot be reached yet. `troubles` are what it is wary of.
    """

    age_s: float | None
    has_socket: bool = True
    boots: bool = False
    troubles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about one instance.

    `holder` is a text where somebody has the seat and nobody knows who, `beat` is None where nobody could listen.
    `starts` and `crash_loop` count those who had their seat, and what the overseer saw die before that. `crash_loop` is
    of the present supervisord; `looped_before` counts those before it too, to which `bowline up` has made an end.
    `seat_readable` is false where the files of the seats cannot be looked at, so that nobody knows of any holder.
    `foreign` is a program that is no process of the mesh: supervisord's word is all there is; and why, if it `rests`.
    """

    instance: str
    word: Word | None
    holder: Holder | str | None
    beat: Beat | None
    starts: int | None
    epoch: int | None
    crash_loop: bool
    looped_before: bool = False
    seat_readable: bool = True
    foreign: bool = False
    rests: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One process, or one that should be there."""

    instance: str
    state: State
    process_id: int | None
    uptime_s: float | None
    starts: int | None
    heartbeat_age_s: float | None
    epoch: int | None
    remark: str

    @property
    def well(self) -> bool:
        """Tell whether nobody needs to look."""
        return self.state in {State.RUNNING, State.OFF}

    @property
    def stays(self) -> bool:
        """Tell whether waiting changes nothing: an orphan is left alone, and books of another account stay that."""
        return self.state in {State.FATAL, State.ORPHAN, State.IDLE}

    @property
    def wary(self) -> bool:
        """Tell whether it runs, and says of itself that something stands in its way."""
        return self.state is State.RUNNING and self.remark not in {"", _LOOPED_BEFORE}


def rows_of(evidence: Sequence[Evidence]) -> list[Row]:
    """Return the rows of all instances, in their order."""
    return [row for one in evidence for row in judged(one)]


def judged(evidence: Evidence) -> Iterator[Row]:
    """Yield the rows of one instance: that of supervisord's child, and that of an orphan beside it."""
    holder = evidence.holder
    orphan = holder if isinstance(holder, Holder) and holder.orphan else None
    if evidence.word is not None:
        yield _child(evidence, evidence.word)
    elif isinstance(holder, Holder) and orphan is None:  # supervisord cannot be asked, and it is a child of its
        yield _seated(evidence, holder, *_verdict(evidence, holder))
    elif orphan is None:
        state, remark = State.STOPPED, holder if isinstance(holder, str) else ""
        if not evidence.seat_readable:
            state, remark = State.UNKNOWN, _SEAT_UNREADABLE
        yield Row(evidence.instance, state, None, None, evidence.starts, None, evidence.epoch, remark)
    if orphan is not None:
        remark = "no child of this supervisord" if evidence.word else "no supervisord restarts it"
        yield _seated(evidence, orphan, State.ORPHAN, remark)


def _child(evidence: Evidence, word: Word) -> Row:
    own = _ITS_WORD.get(word.state)
    if own in _NO_PROCESS:
        state, remark = _looping(evidence, own, word.spawn_error)
        return Row(evidence.instance, state, None, None, evidence.starts, None, evidence.epoch, remark)
    if evidence.foreign:
        running = State.OFF if evidence.rests else State.RUNNING
        state, remark = _looping(evidence, own or running, evidence.rests)
        return Row(evidence.instance, state, word.process_id, word.uptime_s, None, None, None, remark)
    holder = evidence.holder
    if isinstance(holder, Holder) and holder.process_id == word.process_id:
        state, remark = (own, "") if own else _verdict(evidence, holder)
        return _seated(evidence, holder, *_looping(evidence, state, remark))
    state, remark = State.STARTING, "has no seat yet"
    if isinstance(holder, Holder):
        state, remark = State.STANDBY, f"waits for process {holder.process_id}"
    elif isinstance(holder, str):
        state, remark = State.STANDBY, holder
    elif not evidence.seat_readable:
        state, remark = State.UNKNOWN, _SEAT_UNREADABLE
    state, remark = _looping(evidence, own or state, remark)
    return Row(evidence.instance, state, word.process_id, word.uptime_s, None, None, None, remark)


def _looping(evidence: Evidence, state: State, remark: str) -> tuple[State, str]:
    """Call by its name what starts, or seems to run, between one death and the next."""
    if evidence.crash_loop and state in _BETWEEN_DEATHS:
        return State.CRASH_LOOP, "died three times within 60 s"
    if evidence.looped_before and state is State.RUNNING:
        return state, _LOOPED_BEFORE
    return state, remark


_LOOPED_BEFORE: Final = "died three times within 60 s before it was brought up"
_BETWEEN_DEATHS: Final = frozenset({State.BACKOFF, State.RUNNING, State.STARTING})


def _verdict(evidence: Evidence, holder: Holder) -> tuple[State, str]:
    """Judge a process that supervisord started and that has its seat."""
    beat, remedy = evidence.beat, f"`bowline restart {evidence.instance}`"
    if beat is None:
        return State.UNKNOWN, "its heartbeat cannot be heard from here"
    if beat.age_s is not None and beat.age_s <= SILENT_S:
        if beat.boots:
            return State.STARTING, "says that it is booting"
        return State.RUNNING if why_idle(beat.troubles) is None else State.IDLE, "; ".join(beat.troubles)
    if holder.uptime_s < BOOT_S:
        return State.STARTING, "no heartbeat yet"
    if not beat.has_socket:
        return State.NO_HEARTBEAT, f"has no socket for it: {remedy}"
    return State.SILENT, f"no heartbeat for {SILENT_S:g} s: {remedy}"


def _seated(evidence: Evidence, holder: Holder, state: State, remark: str) -> Row:
    return Row(
        evidence.instance,
        state,
        holder.process_id,
        holder.uptime_s,
        evidence.starts,
        evidence.beat.age_s if evidence.beat else None,
        evidence.epoch,
        remark,
    )
