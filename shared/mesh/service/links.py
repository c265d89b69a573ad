"""What a process is connected to, as its core asks for it: whom it asks, watches, follows and listens to.

To watch or follow somebody is to listen to its heartbeat as well: that says how far its streams have come, which is how
a lost last message is noticed, and it carries the anchor of its journal, which is kept here for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Envelope
from proto.health import Heartbeat
from proto.topics import topic_of
from shared.core.continuity import Announcement, Broken, Event
from shared.core.service import (
    Answered,
    Ask,
    Follow,
    Happening,
    Heard,
    Listen,
    Told,
    ToldOfLoss,
    Unanswered,
    Watch,
    Watched,
)
from shared.mesh.anchors import AnchorKeeper, Witnessed
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.latest import Listener
from shared.mesh.bus.numbered import TAIL, EventReader
from shared.mesh.bus.requests import Answer, Requester, TooManyRequestsError
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import HISTORY, Subscriber
from shared.mesh.clock import Clock

HEALTH: Final = "health"
LAGS_MAX: Final = 3
LAGS_WINDOW_NS: Final = 60_000_000_000


class SnailError(Exception):
    """This process falls behind the market again and again: it has to begin anew."""


class Links:
    """Opens connections on demand, and hands in what comes over them."""

    def __init__(
        self,
        *,
        hub: Hub,
        sender: Sender,
        clock: Clock,
        codec: EnvelopeCodec,
        keeper: AnchorKeeper,
        look: Callable[[], None],
        take: Callable[[Happening], None],
    ) -> None:
        self._hub: Final = hub
        self._sender: Final = sender
        self._clock: Final = clock
        self._codec: Final = codec
        self._keeper: Final = keeper
        self._look: Final = look
        self._take: Final = take
        self._requesters: Final[dict[tuple[str, str], Requester]] = {}
        self._subscribers: Final[dict[str, list[Subscriber]]] = {}
        self._watching: Final[set[tuple[str, bytes]]] = set()
        self._readers: Final[dict[str, dict[str, EventReader]]] = {}
        self._listeners: Final[dict[tuple[str, str], Listener]] = {}
        self._wanted: Final[set[tuple[str, str]]] = set()
        self._asking: Final[set[str]] = set()
        self._lagged_at_ns: Final[deque[int]] = deque(maxlen=LAGS_MAX)

    @property
    def unanswered(self) -> int:
        """How many requests of ours wait for their answer."""
        return len(self._asking)

    def ask(self, effect: Ask) -> None:
        """Ask, and hand in what came of it; asking while the same is being asked changes nothing."""
        if effect.ask_id in self._asking:
            return
        requester = self._requester(effect.instance, topic_of(type(effect.body)).socket)
        self._asking.add(effect.ask_id)
        try:
            answer = requester.ask(effect.body, message_id=effect.ask_id, cause_id=effect.cause_id)
        except TooManyRequestsError as refused:
            answer = self._hub.loop.create_future()
            answer.set_exception(refused)
        answer.add_done_callback(partial(self._asked, effect.ask_id))

    def watch(self, effect: Watch) -> None:
        """Read market data; watching the same a second time changes nothing."""
        if (effect.instance, effect.topic_prefix) in self._watching:
            return
        overlaps = any(
            instance == effect.instance
            and (prefix.startswith(effect.topic_prefix) or effect.topic_prefix.startswith(prefix))
            for instance, prefix in self._watching
        )
        assert not overlaps, f"{effect.topic_prefix!r} and a prefix watched already have topics in common"
        self._watching.add((effect.instance, effect.topic_prefix))
        subscriber = Subscriber(
            hub=self._hub,
            instance=effect.instance,
            topic_prefix=effect.topic_prefix,
            requester=self._requester(effect.instance, HISTORY),
            clock=self._clock,
            on_events=partial(self._watched, effect.instance),
        )
        self._subscribers.setdefault(effect.instance, []).append(subscriber)
        self._hear(effect.instance, HEALTH)

    def follow(self, effect: Follow) -> None:
        """Read numbered events; following the same a second time changes nothing."""
        readers = self._readers.setdefault(effect.instance, {})
        if effect.socket not in readers:
            readers[effect.socket] = EventReader(
                hub=self._hub,
                instance=effect.instance,
                name=effect.socket,
                next_sequence=effect.next_sequence,
                requester=self._requester(effect.instance, TAIL),
                codec=self._codec,
                on_events=partial(self._told, effect.instance),
                on_loss=partial(self._told_of_loss, effect.instance),
            )
            self._hear(effect.instance, HEALTH)

    def listen(self, effect: Listen) -> None:
        """Hear the latest, and hand it in."""
        self._wanted.add((effect.instance, effect.socket))
        self._hear(effect.instance, effect.socket)

    def slept(self) -> None:
        """Drop what waited while this process stood still, and is of no use when it is old."""
        for listener in self._listeners.values():
            listener.slept()
        for subscribers in self._subscribers.values():
            for subscriber in subscribers:
                subscriber.slept()

    def _asked(self, ask_id: str, answer: asyncio.Future[Answer]) -> None:
        self._asking.remove(ask_id)
        if answer.cancelled():
            return
        outcome = Answered(ask_id, answer.result().envelope) if answer.exception() is None else Unanswered(ask_id)
        self._look()  # a request times out without any reading of a socket, which would have looked
        self._take(outcome)

    def _requester(self, instance: str, socket: str) -> Requester:
        where = (instance, socket)
        if where not in self._requesters:
            self._requesters[where] = Requester(
                hub=self._hub, instance=instance, name=socket, sender=self._sender, clock=self._clock, codec=self._codec
            )
        return self._requesters[where]

    def _hear(self, instance: str, socket: str) -> None:
        if (instance, socket) not in self._listeners:
            self._listeners[instance, socket] = Listener(
                hub=self._hub,
                instance=instance,
                name=socket,
                codec=self._codec,
                on_envelope=partial(self._heard, instance, socket),
            )

    def _heard(self, instance: str, socket: str, envelope: Envelope) -> None:
        if isinstance(envelope.body, Heartbeat):
            self._take_pulse(instance, envelope.epoch, envelope.body)
        if (instance, socket) in self._wanted:
            self._take(Heard(instance, envelope))

    def _take_pulse(self, instance: str, epoch: int, heartbeat: Heartbeat) -> None:
        readers = self._readers.get(instance, {})
        if readers and heartbeat.anchor is not None:
            self._keeper.keep(instance, Witnessed(heartbeat.anchor, epoch))
        for position in heartbeat.published:
            if position.stream in readers:
                readers[position.stream].announced(position.sequence)
        if subscribers := self._subscribers.get(instance):
            announcement = Announcement(heartbeat.published)
            for subscriber in subscribers:
                subscriber.announced(announcement)

    def _watched(self, instance: str, events: Sequence[Event]) -> None:
        if any(isinstance(event, Broken) and event.reason == "lagging" for event in events):
            self._count_lag()
        self._take(Watched(instance, events))

    def _count_lag(self) -> None:
        now_ns = self._clock.boot_ns()
        self._lagged_at_ns.append(now_ns)
        if len(self._lagged_at_ns) == LAGS_MAX and now_ns - self._lagged_at_ns[0] < LAGS_WINDOW_NS:
            raise SnailError(f"fell behind the market {LAGS_MAX} times within a minute")

    def _told(self, instance: str, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            self._take(Told(instance, envelope))

    def _told_of_loss(self, instance: str, next_sequence: int) -> None:
        self._take(ToldOfLoss(instance, next_sequence))
