"""A reader of a stream sees each message at most once, in order, and no hole it was not told of."""

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.envelope import MarketEnvelope
from proto.market import TradeSeen
from proto.streams import StreamPosition
from shared.core.continuity import KEPT_BACK_MAX, Announcement, Broken, Continuity, Event, Seen, Synced

TOPIC = b"binance/BTC/USDT/trade_seen"
QUIET = b"binance/ETH/USDT/trade_seen"
ANSWERS_TO_HEAL_MAX = 2


def a_trade(sequence: int, epoch: int = 1) -> MarketEnvelope:
    """Make the message with this number."""
    return MarketEnvelope(
        epoch=epoch,
        sequence=sequence,
        exchange_time_ns=None,
        received_wall_ns=0,
        published_wall_ns=0,
        body=TradeSeen(symbol="BTC/USDT", price=1.0, quantity=1.0, taker_side="buy", trade_id=str(sequence)),
    )


def at(sequence: int, epoch: int = 1, topic: bytes = TOPIC) -> StreamPosition:
    """Make the publisher's position."""
    return StreamPosition(stream=topic.decode(), epoch=epoch, sequence=sequence)


def joined(sequence: int = 0, epoch: int = 1) -> Continuity:
    """Make a reader that is live at this position."""
    reader = Continuity()
    reader.snapshot(at(sequence, epoch), None)
    reader.wants_snapshot = False
    return reader


def numbers(events: Iterable[Event]) -> list[int]:
    """List the numbers of the messages among some events."""
    return [event.envelope.sequence for event in events if isinstance(event, Seen)]


def test_a_joiner_asks_for_a_snapshot_before_anything() -> None:
    """Whoever joins knows nothing, and says so."""
    assert Continuity().wants_snapshot


def test_a_joiner_replays_what_came_while_it_waited() -> None:
    """What the snapshot holds is dropped, what came after it follows."""
    reader = Continuity()
    assert reader.heard(TOPIC, [a_trade(7)]) == [Broken(TOPIC, "joined")]
    assert reader.heard(TOPIC, [a_trade(8)]) == []
    events = reader.snapshot(at(7), a_trade(7))
    assert events == [Synced(TOPIC, a_trade(7)), Seen(TOPIC, a_trade(8))]


def test_a_topic_that_begins_needs_no_snapshot() -> None:
    """The first message of an epoch has nothing before it."""
    reader = Continuity()
    reader.wants_snapshot = False
    assert reader.heard(TOPIC, [a_trade(1)]) == [Synced(TOPIC, None), Seen(TOPIC, a_trade(1))]
    assert not reader.wants_snapshot


def test_a_hole_breaks_the_topic_until_a_snapshot_heals_it() -> None:
    """After a hole nothing is delivered before the snapshot, and nothing is lost behind it."""
    reader = joined()
    assert numbers(reader.heard(TOPIC, [a_trade(1)])) == [1]
    assert reader.heard(TOPIC, [a_trade(3)]) == [Broken(TOPIC, "gap")]
    assert reader.wants_snapshot
    assert reader.heard(TOPIC, [a_trade(4)]) == []
    assert numbers(reader.snapshot(at(2), a_trade(2))) == [3, 4]


def test_a_snapshot_older_than_the_hole_leaves_it_open() -> None:
    """A snapshot that does not reach what was kept back breaks the topic again."""
    reader = joined()
    reader.heard(TOPIC, [a_trade(5)])
    reader.wants_snapshot = False
    assert reader.snapshot(at(3), None) == [Synced(TOPIC, None), Broken(TOPIC, "gap")]
    assert reader.wants_snapshot
    assert numbers(reader.snapshot(at(4), None)) == [5]


def test_a_publisher_that_restarts_is_not_taken_for_a_repetition() -> None:
    """Numbers that begin again under a new epoch are new messages."""
    reader = joined(sequence=500)
    assert reader.heard(TOPIC, [a_trade(1, epoch=2)]) == [Broken(TOPIC, "new epoch")]
    assert numbers(reader.snapshot(at(0, epoch=2), None)) == [1]


def test_the_last_words_of_a_replaced_publisher_are_ignored() -> None:
    """What an older epoch still says after the new one spoke is not believed."""
    reader = joined(epoch=2)
    assert reader.heard(TOPIC, [a_trade(99, epoch=1)]) == []
    assert not reader.wants_snapshot


def test_a_lost_last_message_is_noticed_by_the_second_heartbeat() -> None:
    """A number that was announced and has not come by the next heartbeat is lost, not one that overtook it."""
    reader = joined()
    assert reader.announced(at(1)) == []
    reader.heard(TOPIC, [a_trade(1)])
    assert reader.announced(at(2)) == []
    assert reader.announced(at(2)) == [Broken(TOPIC, "lost tail")]


def test_a_reader_that_fell_behind_breaks_every_live_topic_once() -> None:
    """Giving up the queue is said once for each topic."""
    reader = joined()
    assert reader.dropped_everything("lagging") == [Broken(TOPIC, "lagging")]
    assert reader.dropped_everything("lagging") == []


def test_what_is_kept_back_is_bounded() -> None:
    """A snapshot that never comes costs a bounded number of messages, and a late one knows of its holes."""
    reader = joined()
    for sequence in range(2, KEPT_BACK_MAX + 10):
        reader.heard(TOPIC, [a_trade(sequence)])
    assert reader.snapshot(at(1), None) == [Synced(TOPIC, None), Broken(TOPIC, "gap")]


def left_out_of_the_answer() -> Continuity:
    """Make a reader that slept while the feed restarted, and was answered before the quiet topic spoke again."""
    reader = joined(sequence=5)
    reader.heard(QUIET, [a_trade(1)])
    reader.dropped_everything("slept")
    reader.wants_snapshot = False
    reader.snapshot(at(3, epoch=2), a_trade(3, epoch=2))
    assert reader.unmentioned(2, {TOPIC}) == [Synced(QUIET, None)]
    return reader


def test_a_topic_the_answer_leaves_out_runs_on_from_the_beginning() -> None:
    """What the new epoch had nothing to say on yet is heard from its first message on, and asked for by nobody."""
    reader = left_out_of_the_answer()
    assert numbers(reader.heard(QUIET, [a_trade(1, epoch=2)])) == [1]
    assert not reader.wants_snapshot


def test_a_topic_the_answer_leaves_out_is_asked_for_when_its_beginning_is_missing() -> None:
    """When the first that comes of it is number 7, it is broken anew, and the next answer heals it."""
    reader = left_out_of_the_answer()
    assert reader.heard(QUIET, [a_trade(7, epoch=2)]) == [Broken(QUIET, "gap")]
    assert reader.wants_snapshot
    assert numbers(reader.snapshot(at(6, 2, QUIET), None)) == [7]


def test_the_last_words_of_a_replaced_publisher_ask_for_nothing() -> None:
    """What was kept back of an older epoch, and is in no answer any more, is dropped and not asked for without end."""
    reader = joined()
    reader.dropped_everything("slept")
    reader.heard(TOPIC, [a_trade(1)])
    reader.wants_snapshot = False
    assert reader.unmentioned(2, ()) == [Synced(TOPIC, None)]
    assert not reader.wants_snapshot


def test_a_new_epoch_of_which_nothing_came_is_noticed_by_the_second_heartbeat() -> None:
    """A restarted publisher whose only message on a topic was lost is noticed without another message."""
    reader = joined(sequence=5)
    assert reader.announced(at(1, epoch=2)) == []
    assert reader.announced(at(1, epoch=2)) == [Broken(TOPIC, "new epoch")]


class Answer:
    """What the publisher says of every topic it has published on since it began, at one moment."""

    def __init__(self, epoch: int, sequences: dict[bytes, int]) -> None:
        self.epoch = epoch
        self.positions = [at(sequence, epoch, topic) for topic, sequence in sequences.items()]


class World:
    """A publisher, a wire that loses and repeats, and a reader whose every event is held against the last."""

    def __init__(self) -> None:
        self.reader = Continuity()
        self.epoch = 1
        self.sequences: dict[bytes, int] = {}
        self.last_heard: dict[bytes, MarketEnvelope] = {}
        self.answers: list[Answer] = []
        self.expected: dict[bytes, tuple[int, int] | None] = {}

    def send(self, topic: bytes = TOPIC) -> None:
        """Publish a message that arrives."""
        self.lose(topic)
        self.last_heard[topic] = a_trade(self.sequences[topic], self.epoch)
        self.check(self.reader.heard(topic, [self.last_heard[topic]]))

    def send_quiet(self) -> None:
        """Publish a message on the topic that speaks seldom."""
        self.send(QUIET)

    def lose(self, topic: bytes = TOPIC) -> None:
        """Publish a message that does not arrive."""
        self.sequences[topic] = self.sequences.get(topic, 0) + 1

    def lose_quiet(self) -> None:
        """Lose a message of the topic that speaks seldom."""
        self.lose(QUIET)

    def repeat(self) -> None:
        """Let the last message of each topic arrive again."""
        for topic, envelope in self.last_heard.items():
            self.check(self.reader.heard(topic, [envelope]))

    def restart(self) -> None:
        """Begin a new epoch."""
        self.epoch, self.sequences = self.epoch + 1, {}

    def sleep(self) -> None:
        """Let the reader give up what is queued."""
        self.check(self.reader.dropped_everything("slept"))

    def beat(self) -> None:
        """Let a heartbeat arrive."""
        for position in Answer(self.epoch, self.sequences).positions:
            self.check(self.reader.announced(position))

    def ask(self) -> None:
        """Let the publisher answer as of now; the answer is on its way."""
        if self.reader.wants_snapshot:
            self.reader.wants_snapshot = False
            self.answers.append(Answer(self.epoch, self.sequences))

    def answer(self) -> None:
        """Let the oldest answer arrive."""
        if self.answers:
            answer = self.answers.pop(0)
            for position in answer.positions:
                self.check(self.reader.snapshot(position, None))
            mentioned = {position.stream.encode() for position in answer.positions}
            self.check(self.reader.unmentioned(answer.epoch, mentioned))

    def heal(self) -> None:
        """Let the reader ask for as long as it wants to, which is not for ever."""
        while self.answers:
            self.answer()
        for _ in range(ANSWERS_TO_HEAL_MAX):
            self.ask()
            self.answer()
        assert not self.reader.wants_snapshot, "it asks without end"

    def check(self, events: list[Event]) -> None:
        """Hold the events against what came before them."""
        for event in events:
            expected = self.expected.get(event.topic)
            match event:
                case Broken():
                    self.expected[event.topic] = None
                case Synced():
                    self.expected[event.topic] = (0, 0)
                case Seen(envelope=seen):
                    assert expected is not None, "a message of a broken topic"
                    assert expected in {(0, 0), (seen.epoch, seen.sequence)}
                    self.expected[event.topic] = (seen.epoch, seen.sequence + 1)


ACTS = [
    World.send,
    World.send,
    World.send_quiet,
    World.lose,
    World.lose_quiet,
    World.repeat,
    World.restart,
    World.sleep,
    World.beat,
    World.ask,
    World.answer,
]


@given(st.lists(st.sampled_from(ACTS), max_size=80))
def test_no_hole_goes_unnoticed(acts: list[Callable[[World], None]]) -> None:
    """Whatever is lost, repeated, restarted or slept through, numbers run on between two breaks, and topics heal."""
    world = World()
    for act in acts:
        act(world)
    world.heal()
    for topic in (TOPIC, QUIET):
        world.send(topic)
        world.heal()
        world.send(topic)
        assert world.expected[topic] == (world.epoch, world.sequences[topic] + 1)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_snapshot_for_a_live_topic_changes_nothing(epoch: int) -> None:
    """An answer that comes late, after another one, is not taken twice."""
    reader = joined(sequence=10)
    assert reader.snapshot(at(3, epoch), None) == []
    assert numbers(reader.heard(TOPIC, [a_trade(11)])) == [11]


def test_a_topic_whose_only_message_was_lost_is_asked_for() -> None:
    """What is announced twice, and of which nothing ever came, is asked for: its first message may be its last."""
    reader = joined()
    assert reader.announced(at(1, topic=QUIET)) == []
    assert reader.announced(at(1, topic=QUIET)) == [Broken(QUIET, "joined")]
    assert reader.wants_snapshot
    assert reader.snapshot(at(1, topic=QUIET), a_trade(1)) == [Synced(QUIET, a_trade(1))]


@given(st.lists(st.text("ab/\u00ff\U0010ffff", min_size=1, max_size=4)), st.text("ab/\u00ff\U0010ffff", max_size=2))
def test_an_announcement_is_looked_up_by_prefix(streams: list[str], prefix: str) -> None:
    """What is found below a prefix are the topics that begin so, and no others."""
    positions = [StreamPosition(stream, 1, number) for number, stream in enumerate(streams)]
    found = Announcement(positions).below(prefix.encode())
    assert {one.sequence for one in found} == {one.sequence for one in positions if one.stream.startswith(prefix)}
