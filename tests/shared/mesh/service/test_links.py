"""What a core asks, watches, follows and listens to comes in as promised, over real sockets."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from proto.control import ControlDone, Kill
from proto.market import TradeSeen
from proto.risk import Anchor
from proto.streams import StreamPosition
from shared.core.continuity import Broken, Seen, Synced
from shared.core.service import (
    Answered,
    Ask,
    Effect,
    Follow,
    Happening,
    Heard,
    Listen,
    Moment,
    Started,
    Told,
    ToldOfLoss,
    Unanswered,
    Watch,
    Watched,
)
from shared.mesh.anchors import Witnessed, anchors_of
from shared.mesh.bus.latest import Announcer
from shared.mesh.bus.requests import Request, Responder
from shared.mesh.exit_codes import BEGIN_ANEW
from shared.mesh.journal import resume_above
from tests.proto.examples import DIGEST
from tests.shared.mesh.bus.conftest import Process
from tests.shared.mesh.bus.test_latest import a_heartbeat
from tests.shared.mesh.bus.test_numbered import Owner
from tests.shared.mesh.bus.test_stream import TOPIC, Feed
from tests.shared.mesh.journal.journals import a_journal, an_opening
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Actor, Stage, at_start, standing_clock

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

KILL = Kill(actor="ada", reason="prices look wrong")
DONE = ControlDone(summary="latched")
SECOND_NS = 1_000_000_000


class Health:
    """The heartbeat of a peer, which says what a test has it say."""

    def __init__(self, process: Process) -> None:
        self._health = Announcer(hub=process.hub, name="health", sender=process.sender, codec=process.codec)

    def beat(self, *published: StreamPosition, anchor: Anchor | None = None) -> None:
        """Beat once."""
        self._health.say(msgspec.structs.replace(a_heartbeat(1), published=published, anchor=anchor))


def control(stage: Stage) -> list[Request]:
    """Start risk's control socket, which answers at once, and return what it was asked."""
    asked: list[Request] = []
    process = stage.mesh.process("risk")

    def on_request(request: Request) -> None:
        asked.append(request)
        responder.answer(request, DONE)

    responder = Responder(
        hub=process.hub,
        name="control",
        sender=process.sender,
        clock=process.clock,
        codec=process.codec,
        on_request=on_request,
    )
    return asked


def trades(actor: Actor) -> list[str]:
    """Return the ids of the trades that came as messages, and not as the latest of a snapshot."""
    events = [event for watched in actor.core.of(Watched) for event in watched.events]
    bodies = [event.envelope.body for event in events if isinstance(event, Seen)]
    return [body.trade_id for body in bodies if isinstance(body, TradeSeen)]


async def test_an_answer_comes_in_under_the_id_of_the_ask(stage: Stage, eventually: Eventually) -> None:
    """Who asks hears what came back, and under which of its asks; the request names its cause."""
    asked = control(stage)
    actor = stage.service(at_start(Ask("risk", KILL, ask_id="kill-1", cause_id="tick-9")), instance="operator")
    await eventually(lambda: actor.core.of(Answered))
    (answered,) = actor.core.of(Answered)
    assert (answered.ask_id, answered.envelope.body) == ("kill-1", DONE)
    assert [(request.envelope.id, request.envelope.cause_id) for request in asked] == [("kill-1", "tick-9")]


async def test_asking_twice_under_one_id_is_asking_once(stage: Stage, eventually: Eventually) -> None:
    """While it is being asked, the same ask changes nothing: one request, and one answer."""
    asked = control(stage)
    ask = Ask("risk", KILL, ask_id="kill-1")
    last = Ask("risk", KILL, ask_id="kill-2")
    actor = stage.service(at_start(ask, ask, last), instance="operator")
    await eventually(lambda: len(actor.core.of(Answered)) == 2)
    assert [answered.ask_id for answered in actor.core.of(Answered)] == ["kill-1", "kill-2"]
    assert [request.envelope.id for request in asked] == ["kill-1", "kill-2"]


async def test_nobody_there_is_unanswered(stage: Stage, eventually: Eventually) -> None:
    """Without a server the core hears, after all attempts, that nobody answered; it may then ask again."""

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        return (Ask("risk", KILL, ask_id="kill-1"),) if isinstance(happening, Started | Unanswered) else ()

    actor = stage.service(react, instance="operator")
    await eventually(lambda: actor.core.of(Unanswered))
    assert actor.core.of(Unanswered) == [Unanswered("kill-1")]
    asked = control(stage)
    await eventually(lambda: actor.core.of(Answered))
    assert len(asked) == 1


async def test_market_data_is_watched_in_order(stage: Stage, eventually: Eventually) -> None:
    """What a feed publishes on topics of the prefix comes in, in order and with its instance."""
    feed = Feed(stage.mesh.process("feed"))
    actor = stage.service(at_start(Watch("feed", b"binance/BTC")), instance="strategy")
    published: list[str] = []

    def flows() -> bool:
        feed.trade(len(published), b"binance/ETH/USDT/trade_seen")
        feed.trade(len(published))
        published.append(str(len(published)))
        return len(trades(actor)) > 10

    await eventually(flows)
    seen = trades(actor)
    assert seen == published[published.index(seen[0]) :][: len(seen)]
    assert {watched.instance for watched in actor.core.of(Watched)} == {"feed"}
    topics = {event.topic for watched in actor.core.of(Watched) for event in watched.events}
    assert topics == {TOPIC}


async def test_a_lost_last_message_is_betrayed_by_a_heartbeat(stage: Stage, eventually: Eventually) -> None:
    """A feed that says it has come further than its stream breaks the topic, and a snapshot mends it."""
    process = stage.mesh.process("feed")
    feed, health = Feed(process), Health(process)
    actor = stage.service(at_start(Watch("feed", b"binance/")), instance="strategy")
    feed.trade(1)
    await eventually(lambda: actor.core.of(Watched))

    def broken() -> bool:
        health.beat(StreamPosition(stream=TOPIC.decode(), epoch=process.sender.epoch, sequence=99))
        events = [event for watched in actor.core.of(Watched) for event in watched.events]
        return Broken(TOPIC, "lost tail") in events and isinstance(events[-1], Synced)

    await eventually(broken)


async def test_numbered_events_come_once_and_in_order(stage: Stage, eventually: Eventually) -> None:
    """A follower gets everything from its number on, with or without a hint, however often it asks to follow."""
    process = stage.mesh.process("executor")
    owner, health = Owner(process, a_journal(SimDisk())), Health(process)
    owner.commit(count=3)
    follow = Follow("executor", "reports", 2)
    actor = stage.service(at_start(follow, follow), instance="metrics")
    await eventually(lambda: len(actor.core.of(Told)) == 2)
    owner.commit(count=2)
    owner.commit(count=2, hint=False)

    def all_told() -> bool:
        health.beat(StreamPosition(stream="reports", epoch=1, sequence=owner.journal.anchor.sequence))
        return len(actor.core.of(Told)) >= 6

    await eventually(all_told)
    assert [told.envelope.sequence for told in actor.core.of(Told)] == [2, 3, 4, 5, 6, 7]
    assert {told.instance for told in actor.core.of(Told)} == {"executor"}
    owner.end(stage.mesh)


async def test_a_hole_in_a_journal_is_told(stage: Stage, eventually: Eventually) -> None:
    """What an owner lost for good comes in as the number behind it, before what follows."""
    disk = SimDisk()
    a_journal(disk, []).close()
    journal = resume_above(an_opening(disk, Anchor(sequence=5, digest=DIGEST)), above=5, reason="the tail is lost")
    owner = Owner(stage.mesh.process("executor"), journal)
    owner.commit(count=1)
    actor = stage.service(at_start(Follow("executor", "reports", 1)), instance="metrics")
    await eventually(lambda: actor.core.of(Told))
    (loss,), (told,) = actor.core.of(ToldOfLoss), actor.core.of(Told)
    assert loss == ToldOfLoss("executor", told.envelope.sequence)
    owner.end(stage.mesh)


async def test_anchors_of_those_who_are_followed_are_kept(stage: Stage, eventually: Eventually) -> None:
    """The newest anchor that an owner's heartbeat carried lies in a file of the follower, with the owner's epoch."""
    process = stage.mesh.process("executor")
    owner, health = Owner(process, a_journal(SimDisk())), Health(process)
    stage.service(at_start(Follow("executor", "reports", 1)), instance="metrics")
    for sequence in 7, 9:
        witnessed = Witnessed(Anchor(sequence=sequence, digest=DIGEST), process.sender.epoch)

        def kept(witnessed: Witnessed = witnessed) -> bool:
            health.beat(anchor=witnessed.anchor)
            return list(anchors_of(stage.directory / "anchors", "executor")) == [witnessed]

        await eventually(kept)
    owner.end(stage.mesh)


async def test_an_anchor_that_cannot_be_kept_stops_nothing(stage: Stage, eventually: Eventually) -> None:
    """A disk that takes no anchor weakens a proof; the follower goes on."""
    process = stage.mesh.process("executor")
    owner, health = Owner(process, a_journal(SimDisk())), Health(process)
    actor = stage.service(at_start(Follow("executor", "reports", 1), Listen("executor", "health")), instance="metrics")
    (stage.directory / "anchors" / "metrics" / "executor.new").mkdir(parents=True)

    def heard() -> bool:
        health.beat(anchor=Anchor(sequence=7, digest=DIGEST))
        return len(actor.core.of(Heard)) > 1

    await eventually(heard)
    assert not actor.exit.done()
    owner.end(stage.mesh)


async def test_the_latest_is_heard_by_whoever_listens(stage: Stage, eventually: Eventually) -> None:
    """A heartbeat comes in where it was asked for; to watch the same instance does not bring it in."""
    feed, metrics = stage.mesh.process("feed"), stage.mesh.process("metrics")
    feed_health, metrics_health = Health(feed), Health(metrics)
    Feed(feed)
    actor = stage.service(at_start(Watch("feed", b""), Listen("metrics", "health")), instance="strategy")

    def heard() -> bool:
        feed_health.beat()
        metrics_health.beat()
        return len(actor.core.of(Heard)) > 2

    await eventually(heard)
    assert {one.instance for one in actor.core.of(Heard)} == {"metrics"}


@pytest.mark.parametrize("apart_ns", [0, 31 * SECOND_NS], ids=["within", "over"])
async def test_who_falls_behind_three_times_in_a_minute_begins_anew(
    stage: Stage, eventually: Eventually, apart_ns: int
) -> None:
    """The third lag within a minute ends the process; when they are further apart it drops, resyncs and goes on."""
    feed = Feed(stage.mesh.process("feed"))
    clock = standing_clock()
    slow = [False]

    def react(happening: Happening, _now: Moment) -> Sequence[Effect]:
        if isinstance(happening, Started):
            return (Watch("feed", b"binance/"),)
        if isinstance(happening, Watched) and slow[0] and any(isinstance(event, Seen) for event in happening.events):
            clock.advance(2 * SECOND_NS)
        return ()

    actor = stage.service(react, instance="strategy", clock=clock)

    def lags() -> int:
        events = [event for watched in actor.core.of(Watched) for event in watched.events]
        return events.count(Broken(TOPIC, "lagging"))

    def flows() -> bool:
        feed.trade(0)
        return len(trades(actor)) > seen or actor.exit.done()

    for number in range(1, 4):
        seen = len(trades(actor))
        await eventually(flows)
        slow[0] = True
        while lags() < number and not actor.exit.done():
            for trade in range(300):
                feed.trade(trade)
                feed.publisher.flush()
            await eventually(stirs(actor))
        slow[0] = False
        clock.advance(apart_ns)
    if apart_ns:
        assert not actor.exit.done()
    else:
        assert await actor.code() == BEGIN_ANEW


def stirs(actor: Actor) -> Callable[[], bool]:
    """Return what tells whether anything more has come in."""
    before = len(actor.core.seen)
    return lambda: len(actor.core.seen) > before or actor.exit.done()
