"""Market data arrives in order or is known to be missing, over real sockets."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from proto.bars import AskBook, BookGiven
from proto.envelope import MarketEnvelope
from proto.fields import ID_LENGTH_MAX
from proto.market import BOOK_LEVELS_MAX, BookLevel, BookSnapshot, TradeSeen
from proto.streams import TOPICS_MAX, StreamPosition
from shared.core.continuity import Announcement, Broken, Event, Seen, Synced
from shared.mesh.bus.hub import STREAM_MESSAGES_MAX
from shared.mesh.bus.requests import Request
from shared.mesh.bus.stream import Publisher, Subscriber
from tests.shared.mesh.bus.conftest import Mesh, Process
from tests.shared.mesh.bus.test_latest import a_heartbeat

TOPIC = b"binance/BTC/USDT/trade_seen"
PROBE = b"binance/probe"
OTHER = b"binance/ETH/USDT/trade_seen"

Eventually = Callable[[Callable[[], object]], Awaitable[None]]


class Feed:
    """The feed-handler's publisher, with trades to publish."""

    def __init__(self, process: Process) -> None:
        self.asked = list[Request]()
        self.publisher = Publisher(
            hub=process.hub,
            sender=process.sender,
            clock=process.clock,
            codec=process.codec,
            on_request=self.asked.append,
        )

    def trade(self, number: int, topic: bytes = TOPIC) -> None:
        """Publish the trade with this id."""
        body = TradeSeen(symbol="BTC/USDT", price=1.0, quantity=1.0, taker_side="buy", trade_id=str(number))
        self.publisher.publish(topic, body, exchange_time_ns=None, received_wall_ns=0)


class Reader:
    """A subscriber that remembers what it was handed."""

    def __init__(self, process: Process, prefix: bytes = b"binance/") -> None:
        self.events: list[Event] = []
        self.subscriber = Subscriber(
            hub=process.hub,
            instance="feed",
            topic_prefix=prefix,
            requester=process.asks("feed", "history"),
            clock=process.clock,
            on_events=self._on_events,
        )

    def _on_events(self, events: Sequence[Event]) -> None:
        self.events += events

    def trades(self, topic: bytes = TOPIC) -> list[str]:
        """List the ids of the trades handed over, those in snapshots included."""
        return [
            envelope.body.trade_id
            for event in self.events
            if event.topic == topic and (envelope := _envelope_of(event)) and isinstance(envelope.body, TradeSeen)
        ]

    def follows(self, feed: "Feed") -> bool:
        """Publish something and say whether anything came over the socket yet, and not by way of a snapshot."""
        feed.trade(0, PROBE)
        return any(isinstance(event, Seen) and event.topic == PROBE for event in self.events)

    def synced(self, topic: bytes = TOPIC) -> int:
        """Count how often the topic was synced."""
        return sum(isinstance(event, Synced) and event.topic == topic for event in self.events)


def _envelope_of(event: Event) -> MarketEnvelope | None:
    match event:
        case Seen(envelope=envelope):
            return envelope
        case Synced(latest=latest):
            return latest
        case Broken():
            return None


async def test_a_subscriber_sees_everything_in_order(mesh: Mesh, eventually: Eventually) -> None:
    """Whoever is there from the start sees every message, in order, topic by topic."""
    feed = Feed(mesh.process("feed"))
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.follows(feed))
    for number in range(500):
        feed.trade(number)
        feed.trade(number, OTHER)
    await eventually(lambda: len(reader.trades()) >= 500 and len(reader.trades(OTHER)) >= 500)
    assert reader.trades() == [str(number) for number in range(500)]
    assert reader.trades(OTHER) == [str(number) for number in range(500)]


async def test_a_late_joiner_begins_with_the_latest(mesh: Mesh, eventually: Eventually) -> None:
    """Whoever joins later gets the latest message of each topic first, and from there on all of them."""
    feed = Feed(mesh.process("feed"))
    for number in range(10):
        feed.trade(number)
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.follows(feed))
    assert reader.trades() == ["9"]
    feed.trade(10)
    await eventually(lambda: reader.trades() == ["9", "10"])


async def test_history_answers_what_else_is_asked_there(mesh: Mesh, eventually: Eventually) -> None:
    """A question at `history` that is not for a snapshot goes to the feed's core, and what it says goes back."""
    feed = Feed(mesh.process("feed"))
    requester = mesh.process("strategy").asks("feed", "history")
    asking = asyncio.ensure_future(requester.ask(AskBook(symbol="BTC/USDT")))
    await eventually(lambda: feed.asked)
    given = BookGiven(symbol="BTC/USDT", book_sequence=7, bids=(), asks=())
    feed.publisher.answer(feed.asked[0], given)
    assert (await asking).envelope.body == given


async def test_the_largest_book_is_in_a_snapshot(mesh: Mesh, eventually: Eventually) -> None:
    """A book of all the levels that one may have reaches whoever joins later."""
    feed = Feed(mesh.process("feed"))
    side = tuple(BookLevel(price=1 / 3 + level, quantity=1 / 3) for level in range(BOOK_LEVELS_MAX))
    book = BookSnapshot(symbol="BTC/USDT", book_sequence=1, bids=side, asks=side)
    feed.publisher.publish(TOPIC, book, exchange_time_ns=None, received_wall_ns=0)
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.synced() == 1)


async def test_as_many_topics_as_there_may_be_reach_every_reader(mesh: Mesh, eventually: Eventually) -> None:
    """A full table of topics with the longest names fits a snapshot and a heartbeat; one more is refused in words."""
    process = mesh.process("feed")
    feed = Feed(process)
    topics = [f"{number:04}".ljust(ID_LENGTH_MAX, "\N{EM DASH}").encode() for number in range(TOPICS_MAX)]
    for topic in topics:
        feed.trade(1, topic)
    with pytest.raises(ValueError, match=f"at most {TOPICS_MAX}"):
        feed.trade(1, b"one too many")
    feed.trade(2, topics[0])
    reports = StreamPosition(stream="reports", epoch=1, sequence=1)
    published = (*feed.publisher.positions(), reports)
    heartbeat = process.sender.envelope(msgspec.structs.replace(a_heartbeat(1), published=published))
    assert process.codec.decode(process.codec.encode(heartbeat)) == heartbeat
    reader = Reader(mesh.process("strategy"), prefix=b"")
    await eventually(lambda: {event.topic for event in reader.events if isinstance(event, Synced)} == set(topics))


@pytest.mark.parametrize("topic", [b"", b"x" * (ID_LENGTH_MAX + 1)], ids=["empty", "long"])
async def test_a_topic_that_no_position_can_carry_is_refused(mesh: Mesh, topic: bytes) -> None:
    """A name that would make every heartbeat unreadable is told to whoever publishes under it."""
    with pytest.raises(ValueError, match="characters"):
        Feed(mesh.process("feed")).trade(1, topic)


async def test_a_prefix_is_all_that_is_sent(mesh: Mesh, eventually: Eventually) -> None:
    """A subscriber is troubled with no topic it did not ask for."""
    feed = Feed(mesh.process("feed"))
    reader = Reader(mesh.process("strategy"), prefix=OTHER)

    def heard() -> bool:
        feed.trade(1)
        feed.trade(2, OTHER)
        return any(isinstance(event, Seen) for event in reader.events)

    await eventually(heard)
    assert {event.topic for event in reader.events} == {OTHER}


async def test_a_publisher_that_comes_back_is_followed(mesh: Mesh, eventually: Eventually) -> None:
    """A killed publisher's successor numbers from one again; its readers notice and lose nothing of it."""
    process = mesh.process("feed")
    feed = Feed(process)
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.follows(feed))
    feed.trade(1)
    await eventually(lambda: reader.trades() == ["1"])
    mesh.end(process)
    successor = Feed(mesh.process("feed"))
    successor.trade(2)

    def seen_after_publishing_on() -> bool:
        if "3" not in reader.trades():
            successor.trade(3)  # connections come back in their own time; what was missed is in the snapshot
        return reader.trades()[-1] == "3"

    await eventually(seen_after_publishing_on)
    assert reader.trades()[0] == "1"
    assert any(isinstance(event, Broken) for event in reader.events)


async def test_a_flood_that_overflows_is_noticed_and_healed(mesh: Mesh, eventually: Eventually) -> None:
    """A subscriber that stood still while ten times its queue went by is told of the hole and resynced."""
    feed = Feed(mesh.process("feed"))
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.follows(feed))
    feed.trade(0)
    await eventually(lambda: reader.trades() == ["0"])
    last = 5 * STREAM_MESSAGES_MAX
    for number in range(1, last + 1):
        feed.trade(number)
        feed.publisher.flush()  # a packet each, and no turn of the loop in which the subscriber could read

    def caught_up() -> bool:
        reader.subscriber.announced(
            Announcement(feed.publisher.positions())
        )  # the publisher is silent now, but for its heartbeat
        return reader.trades()[-1] == str(last)

    await eventually(caught_up)
    numbers = [int(trade) for trade in reader.trades()]
    assert numbers == sorted(numbers)
    assert len(numbers) < last


async def test_a_lost_last_message_is_found_by_the_heartbeat(mesh: Mesh, eventually: Eventually) -> None:
    """What was published to nobody is announced by the publisher and fetched."""
    feed = Feed(mesh.process("feed"))
    feed.trade(1)
    reader = Reader(mesh.process("strategy"), prefix=TOPIC)
    await eventually(lambda: reader.trades() == ["1"])
    feed.publisher._sequences[TOPIC] += 1  # a message that no socket carried
    for _ in range(2):
        reader.subscriber.announced(Announcement(feed.publisher.positions()))
    await eventually(lambda: reader.synced() == 2)


def _is_synced(reader: Reader, times: int) -> bool:
    return reader.synced() == times


@pytest.mark.parametrize("times", [1, 3])
async def test_a_reader_that_slept_gives_up_its_queue(mesh: Mesh, eventually: Eventually, times: int) -> None:
    """After standing still a reader drops what waited, says so, and begins again from a snapshot."""
    feed = Feed(mesh.process("feed"))
    reader = Reader(mesh.process("strategy"))
    await eventually(lambda: reader.follows(feed))
    feed.trade(0)
    await eventually(lambda: reader.synced() == 1)
    for _ in range(times):
        wanted = reader.synced() + 1
        reader.subscriber.slept()
        await eventually(functools.partial(_is_synced, reader, wanted))
    assert sum(isinstance(event, Broken) and event.topic == TOPIC for event in reader.events) == times
