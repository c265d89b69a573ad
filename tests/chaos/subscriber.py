"""The core of the reader of market data: testifies to all that it is handed. Pure."""

from collections.abc import Sequence

from proto.market import TradeSeen
from shared.core.continuity import Broken, Event, Seen
from shared.core.service import Effect, Happening, Moment, Watch, Watched
from tests.chaos.duty import Duty
from tests.chaos.testimony import Broke, Line, Said, Saw, Synced


class SubscriberCore(Duty):
    """Watches the feed."""

    def begin(self, past: Sequence[Line], now: Moment) -> Sequence[Effect]:
        """Begin to read."""
        del past, now
        return (Watch("feed", b"binance/"),)

    def work(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Say what came."""
        if not isinstance(happening, Watched):
            return ()
        return (self.testify(*(_said(event, now) for event in happening.events)),)


def _said(event: Event, now: Moment) -> Said:
    topic = event.topic.decode()
    if isinstance(event, Broken):
        return Broke(topic, event.reason)
    if isinstance(event, Seen):
        envelope, body = event.envelope, event.envelope.body
        text = body.trade_id if isinstance(body, TradeSeen) else type(body).__name__
        return Saw(topic, envelope.epoch, envelope.sequence, text, now.wall_ns - envelope.published_wall_ns)
    if event.latest is None:
        return Synced(topic, 0, 0)
    return Synced(topic, event.latest.epoch, event.latest.sequence)
