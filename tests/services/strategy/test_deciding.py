"""What is decided at the close of a bar: on which bars, and what has to be known first."""

from decimal import Decimal
from typing import Final

import msgspec
import pytest

from proto.bars import AskBars
from proto.market import BarClosed, LinkLost, SymbolDoubted
from proto.orders import PositionChanged
from proto.streams import StreamPosition
from services.strategy.core.entry import FRESH_NS
from services.strategy.core.past import AGAIN_NS
from shared.core.continuity import Broken, Synced
from shared.core.service import Heard, Listen, Moment, Stop, StopAsked, ToldOfLoss, Watch, Woken
from shared.strategies.intent_ids import intent_id
from tests.proto.examples import an_envelope
from tests.services.strategy.world import (
    A_HEARTBEAT,
    OWNER,
    SECOND_NS,
    SYMBOL,
    WARM,
    World,
    some_bars,
)

BARS: Final = some_bars()
LATE: Final = "its bar closed too long ago, or has not closed yet by our clock"


def wished_at() -> int:
    """Return how many bars have closed when the first entry is wished for."""
    world = World()
    world.starts()
    world.closes_until_asked()
    return world.closed


WISH: Final = wished_at()


def a_world_before_its_wish(bars: list[BarClosed] | None = None) -> World:
    """Return a world whose next bar makes a wish."""
    world = World(bars)
    world.starts()
    world.closes(WISH - 1 - WARM)
    return world


def questions(world: World) -> list[AskBars]:
    """Return what the feed was asked."""
    return [ask.body for ask in world.asked if isinstance(ask.body, AskBars)]


def test_a_wish_is_asked_of_risk() -> None:
    """It has the id that its bar gives it, and rests on the place of that bar in the stream."""
    world = a_world_before_its_wish()
    world.closes()
    ask = world.asked[-1]
    bar = BARS[WISH - 1]
    wanted = intent_id(strategy=OWNER, symbol=SYMBOL, bar_close_time_ns=bar.close_time_ns, side="buy")
    assert (ask.instance, ask.ask_id) == ("risk", wanted)
    assert world.intents[0].intent_id == wanted
    assert getattr(ask.body, "market_seen", None) == StreamPosition(f"binance/{SYMBOL}/bars/5s", 1, WISH)


def test_the_past_is_asked_for_page_by_page() -> None:
    """Each page ends where the one after it begins, until there are as many bars as it takes."""
    world = World()
    world.feed_gives = 30
    world.starts()
    opens = [question.before_open_time_ns for question in questions(world)]
    assert opens == [None, BARS[WARM - 30].open_time_ns, BARS[WARM - 60].open_time_ns]
    assert [question.bars_max for question in questions(world)] == [76, 46, 16]
    assert "enough bars are known to decide" in world.events()


def test_a_past_that_is_short_is_asked_for_again() -> None:
    """While the feed does not answer, or has too few, it is asked again in a while, and nothing is decided."""
    world = World()
    world.feed_answers = False
    world.starts()
    before = len(questions(world))
    world.closes(WISH - WARM)
    assert len(questions(world)) > before
    assert world.intents == []
    world.feed_answers = True
    world.now_ns += AGAIN_NS
    world.hands(Woken("clock"))
    assert "enough bars are known to decide" in world.events()


def test_bars_that_come_while_the_past_is_gathered_are_a_part_of_it() -> None:
    """Without any past a strategy is as warm as soon when enough bars have closed before its eyes."""
    world = World()
    world.feed_gives = 0
    world.starts()
    world.closes(75)
    assert "enough bars are known to decide" not in world.events()
    world.closes()
    assert "enough bars are known to decide" in world.events()


@pytest.mark.parametrize("reason", ["gap", "new epoch", "lagging", "slept"])
def test_a_broken_stream_of_bars_begins_the_past_anew(reason: str) -> None:
    """Bars that were missed are asked for, and the wish of one that is fresh is heard."""
    world = a_world_before_its_wish()
    before = len(questions(world))
    topic = f"binance/{SYMBOL}/bars/5s".encode()
    world.feed_answers = False
    world.hears(Broken(topic, "gap" if reason == "gap" else "new epoch"))
    world.closes_unheard()
    assert world.intents == []
    world.feed_answers = True
    world.hears(Synced(topic, None))
    world.now_ns += AGAIN_NS
    world.hands(Woken("clock"))
    assert len(questions(world)) > before
    assert len(world.intents) == 1


def test_a_bar_that_does_not_follow_is_a_gap() -> None:
    """What lies between is asked for, though no number was missing."""
    world = a_world_before_its_wish()
    before = len(questions(world))
    world.closes_unheard(2)
    world.closes()
    assert len(questions(world)) > before
    assert world.intents == []
    assert LATE in world.why()


def test_a_bar_told_twice_is_decided_on_once() -> None:
    """A repetition changes nothing."""
    world = a_world_before_its_wish()
    world.verdict = "refused"
    world.closes()
    asked = len(world.asked)
    world.feed_tells("bars/5s", BARS[WISH - 1])
    world.feed_tells("bars/5s", BARS[WISH - 5])
    assert len(world.asked) == asked


@pytest.mark.parametrize("late_ns", [FRESH_NS, -FRESH_NS - SECOND_NS])
def test_a_late_bar_enters_nothing(late_ns: int) -> None:
    """A bar that comes long after its close, or before it by our clock, decides nothing; the next one does again."""
    world = a_world_before_its_wish()
    world.closes(late_ns=late_ns)
    assert (world.intents, world.why()) == ([], [LATE])


def test_a_doubted_symbol_is_not_entered() -> None:
    """While the feed doubts a symbol, has lost it, or says nothing of it, wishes are let go."""
    for body, kind in (
        (SymbolDoubted(symbol=SYMBOL, reasons=("stale quotes",)), "trust"),
        (LinkLost(symbol=SYMBOL, reason="closed by the venue"), "link"),
    ):
        world = a_world_before_its_wish()
        world.feed_tells(kind, body)
        world.closes()
        assert world.intents == []
        assert len(world.why()) == 1
    silent = World()
    silent.is_trusted = False
    silent.starts()
    silent.closes(WISH - WARM)
    assert silent.why() == ["the feed has not said whether it can be trusted"]


def test_trust_that_was_missed_is_none() -> None:
    """When something of it was lost, it is believed again once it is said again."""
    world = a_world_before_its_wish()
    world.hears(Broken(f"binance/{SYMBOL}/trust".encode(), "gap"))
    world.closes()
    assert world.intents == []


def test_a_bar_that_may_lack_a_trade_enters_nothing() -> None:
    """What it makes the kernel wish for is let go."""
    bars = list(BARS)
    bars[WISH - 1] = msgspec.structs.replace(bars[WISH - 1], gapless=False)
    world = a_world_before_its_wish(bars)
    world.closes()
    assert (world.intents, world.why()) == ([], ["its bar may lack a trade"])


@pytest.mark.parametrize(("doubtful", "wishes"), [(3, 1), (4, 0)])
def test_a_row_of_doubtful_bars_begins_the_past_anew(doubtful: int, wishes: int) -> None:
    """Three bars in a row may lack a trade; behind a fourth nothing is decided before the past is whole again."""
    bars = list(BARS)
    for place in range(WISH - 1 - doubtful, WISH - 1):
        bars[place] = msgspec.structs.replace(bars[place], gapless=False)
    world = a_world_before_its_wish(bars)
    world.closes()
    assert len(world.intents) == wishes


def test_nothing_is_decided_before_the_reports_are_read() -> None:
    """Bars wait while the executor has told of more than was heard: nobody knows what is held."""
    world = a_world_before_its_wish()
    announced = StreamPosition(stream="reports", epoch=1, sequence=1)
    world.hands(Heard("executor", an_envelope(msgspec.structs.replace(A_HEARTBEAT, published=(announced,)))))
    world.feed_tells("bars/5s", BARS[WISH - 1])
    world.now_ns = BARS[WISH - 1].close_time_ns + SECOND_NS
    assert world.intents == []
    world.executor_tells(*world.executor.traded("buy", world.now_ns), *world.executor.traded("sell", world.now_ns))
    assert (world.intents, world.why()) == ([], ["something was filled since"])


def test_who_holds_something_does_not_enter_again() -> None:
    """Positions and entries under way are what the kernel is told it holds."""
    world = a_world_before_its_wish()
    world.executor_tells(*world.executor.traded("buy", world.now_ns))
    world.closes()
    assert world.intents == []


def test_dust_keeps_nobody_from_entering() -> None:
    """What a fee in the asset itself leaves over is no position."""
    world = a_world_before_its_wish()
    world.executor_tells(PositionChanged(OWNER, SYMBOL, Decimal("0.000002"), None, Decimal(0)))
    world.closes()
    assert len(world.intents) == 1


def test_without_the_steps_of_prices_nothing_is_asked() -> None:
    """A price that does not stand on the venue's steps would be refused by everybody."""
    world = World()
    world.tells_instruments = False
    world.starts()
    world.closes(WISH - WARM)
    assert world.why() == ["the executor has not said in which steps the venue trades"]


def test_lost_reports_are_said_aloud() -> None:
    """Entries and exits that nobody will ever hear of again are let go."""
    world = a_world_before_its_wish()
    world.hands(ToldOfLoss("executor", 5))
    assert [note.event for note in world.notes if note.level == "critical"] == [
        "reports of the executor are lost for good"
    ]


def test_it_reads_what_it_needs_and_ends_when_asked() -> None:
    """Bars, link and trust of its symbol, and what the executor says of itself; told to stop, it stops."""
    world = a_world_before_its_wish()
    assert {watch.topic_prefix for watch in world.opened if isinstance(watch, Watch)} == {
        f"binance/{SYMBOL}/{kind}".encode() for kind in ("bars/5s", "link", "trust")
    }
    assert [listen.socket for listen in world.opened if isinstance(listen, Listen)] == ["account", "health"]
    now: Moment = world.moment
    assert isinstance(world.core.handle(StopAsked(), now)[-1], Stop)
