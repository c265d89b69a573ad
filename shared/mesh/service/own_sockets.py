"""The sockets a process binds: what it answers, what it publishes, what it says."""

from collections.abc import Callable, Sequence
from typing import Final

from proto.codec import EnvelopeCodec
from proto.envelope import Body
from proto.streams import StreamPosition
from proto.topics import topic_of
from shared.core.service import Answer, Asked, Publish, Say
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.latest import Announcer
from shared.mesh.bus.numbered import EventPublisher, Records
from shared.mesh.bus.requests import Request, Responder
from shared.mesh.bus.sender import Sender
from shared.mesh.bus.stream import HISTORY, Publisher
from shared.mesh.clock import Clock
from shared.mesh.service.afterwards import PAUSE_SECONDS
from shared.mesh.service.links import HEALTH
from shared.mesh.service.plan import JournaledPlan, Plan


class OwnSockets:
    """`health` is there from the first moment; the rest when `open` is called, and from then on others are heard."""

    def __init__(self, *, plan: Plan, hub: Hub, sender: Sender, clock: Clock, codec: EnvelopeCodec) -> None:
        self._plan: Final = plan
        self._hub: Final = hub
        self._sender: Final = sender
        self._clock: Final = clock
        self._codec: Final = codec
        self._announcers: Final = {HEALTH: self._announcer(HEALTH)}
        self._responders: Final[dict[str, Responder]] = {}
        self._market: Publisher | None = None
        self._events: EventPublisher | None = None
        self._records: Records | None = None
        self._untold: Final[list[bytes]] = []
        hub.before_closing(self._tell_now)

    def open(self, *, records: Records | None, on_asked: Callable[[Asked], None]) -> None:
        """Bind what the plan names."""

        def on_request(request: Request) -> None:
            on_asked(Asked(request.instance, request.envelope))

        hub, sender, clock, codec = self._hub, self._sender, self._clock, self._codec
        for name in self._plan.says:
            self._announcers[name] = self._announcer(name)
        if self._plan.publishes_market:
            self._market = Publisher(hub=hub, sender=sender, clock=clock, codec=codec, on_request=on_request)
        if isinstance(self._plan, JournaledPlan) and records is not None:
            self._records = records
            self._events = EventPublisher(
                hub=hub, name=self._plan.reports, records=records, sender=sender, clock=clock, codec=codec
            )
        for name in self._plan.answers:
            self._responders[name] = Responder(
                hub=hub, name=name, sender=sender, clock=clock, codec=codec, on_request=on_request
            )

    def answer(self, effect: Answer) -> None:
        """Answer a request where it was asked."""
        asked = effect.asked
        request, socket = Request(asked.instance, asked.envelope), topic_of(type(asked.envelope.body)).socket
        if socket == HISTORY and self._market is not None:
            self._market.answer(request, effect.body)
        else:
            self._responders[socket].answer(request, effect.body)

    def publish(self, effect: Publish) -> None:
        """Publish market data."""
        assert self._market is not None, "the plan says who publishes market data"
        self._market.publish(
            effect.topic,
            effect.body,
            exchange_time_ns=effect.exchange_time_ns,
            received_wall_ns=effect.received_wall_ns,
        )

    def tell(self, frames: Sequence[bytes]) -> None:
        """Tell whoever follows of records that are durable now, behind all that comes of them: a hint can wait."""
        if not self._untold:
            self._hub.loop.call_later(PAUSE_SECONDS, self._tell_now)
        self._untold.extend(frames)

    def _tell_now(self) -> None:
        if self._untold:
            assert self._events is not None, "what is folded while booting was told long ago"
            self._events.publish(self._untold)
            self._untold.clear()

    def say(self, effect: Say) -> None:
        """Say the latest."""
        self._announcers[topic_of(type(effect.body)).socket].say(effect.body, effect.cause_id)

    def say_health(self, body: Body) -> None:
        """Say who we are, or that we move. What a heartbeat says to be there is told before it."""
        self._tell_now()
        self._announcers[HEALTH].say(body)

    def positions(self) -> list[StreamPosition]:
        """Say how far each of our streams has come."""
        positions = self._market.positions() if self._market is not None else []
        if self._records is not None and isinstance(self._plan, JournaledPlan):
            last = self._records.last_sequence
            positions.append(StreamPosition(stream=self._plan.reports, epoch=self._sender.epoch, sequence=last))
        return positions

    def _announcer(self, name: str) -> Announcer:
        return Announcer(hub=self._hub, name=name, sender=self._sender, codec=self._codec)
