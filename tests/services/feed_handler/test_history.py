"""Whoever asks for bars is answered in time, whatever the venue does; what it told too late is not asked for again."""

from collections.abc import Sequence
from itertools import count
from typing import Final

import msgspec
import pytest

from proto.bars import AskBars, BarsGiven
from proto.fields import TEXT_LENGTH_MAX, clipped
from proto.streams import RequestRefused
from services.feed_handler.bar_desk import SHOWN_NS
from services.feed_handler.history import ASKERS_MAX
from services.feed_handler.vocabulary import CandlesFetched, FetchCandles
from shared.core.service import Answer, Asked, Effect
from tests.proto.examples import an_envelope
from tests.services.feed_handler.builders import MINUTE_NS, NOON_NS, SECOND_NS, SYMBOL, a_candle
from tests.services.feed_handler.life import Life

VALID_FOR_NS: Final = 3 * SECOND_NS // 2


class Reader:
    """Somebody who asks a feed for minutes, and what it did about it."""

    def __init__(self) -> None:
        self.life: Final = Life()
        self.life.opened()
        self._numbers: Final = count()

    def asks(self, bars_max: int = 3, *, before: int | None = None) -> Sequence[Effect]:
        """Ask for minutes, the last of which opened so many minutes from noon."""
        before_ns = None if before is None else NOON_NS + before * MINUTE_NS
        body = AskBars(symbol=SYMBOL, timeframe="1m", before_open_time_ns=before_ns, bars_max=bars_max)
        envelope = msgspec.structs.replace(
            an_envelope(body), id=str(next(self._numbers)), expires_boot_ns=self.life.boot_ns + VALID_FOR_NS
        )
        return self.life.take(Asked("strategy", envelope))

    def told(self, fetch: Effect, *minutes: int, failure: str | None = None) -> Sequence[Effect]:
        """Let the venue answer."""
        assert isinstance(fetch, FetchCandles)
        candles = tuple(a_candle(NOON_NS + minute * MINUTE_NS) for minute in minutes)
        return self.life.take(CandlesFetched(fetch.fetch_id, SYMBOL, "1m", candles, failure))

    def waits(self) -> list[Effect]:
        """Let so much time pass that a question expires."""
        so_far = len(self.life.effects)
        self.life.passes(VALID_FOR_NS)
        return self.life.effects[so_far:]


def opens(effects: Sequence[Effect]) -> list[list[int]]:
    """Return when the bars of each answer opened, in minutes from noon."""
    answers = [effect.body for effect in effects if isinstance(effect, Answer)]
    return [
        [(bar.open_time_ns - NOON_NS) // MINUTE_NS for bar in body.bars]
        for body in answers
        if isinstance(body, BarsGiven)
    ]


def refusals(effects: Sequence[Effect]) -> list[str]:
    """Return the rules by which questions were refused."""
    answers = [effect.body for effect in effects if isinstance(effect, Answer)]
    return [body.rule for body in answers if isinstance(body, RequestRefused)]


def test_what_is_not_known_is_fetched_up_to_the_last_bar_that_closed() -> None:
    """The bar under way is not asked for: a whole page of closed ones comes."""
    reader = Reader()
    (fetch,) = reader.asks(1_000)
    assert isinstance(fetch, FetchCandles)
    assert (fetch.before_open_time_ns, fetch.candles_max) == (NOON_NS, 1_000)
    assert opens(reader.told(fetch, -3, -2, -1)) == [[-3, -2, -1]]


def test_one_question_is_put_to_the_venue_once() -> None:
    """Whoever asks the same meanwhile waits for the same answer."""
    reader = Reader()
    (fetch,) = reader.asks()
    assert reader.asks() == ()
    assert opens(reader.told(fetch, -3, -2, -1)) == [[-3, -2, -1]] * 2


def test_nobody_waits_longer_than_their_question_is_valid() -> None:
    """A venue that does not answer in time is no reason to say nothing; its answer serves the next asking."""
    reader = Reader()
    (fetch,) = reader.asks()
    assert refusals(reader.waits()) == ["venue_gives_bars"]
    assert reader.told(fetch, -3, -2, -1) == []
    assert opens(reader.asks()) == [[-3, -2, -1]]
    assert isinstance(reader.asks()[0], FetchCandles)


def test_what_came_too_late_and_is_old_by_now_is_fetched_anew() -> None:
    """Minutes later the newest bars are others."""
    reader = Reader()
    (fetch,) = reader.asks()
    reader.waits()
    reader.told(fetch, -3, -2, -1)
    reader.life.now_ns += 5 * MINUTE_NS
    (again,) = reader.asks()
    assert isinstance(again, FetchCandles)
    assert again.before_open_time_ns == NOON_NS + 5 * MINUTE_NS


@pytest.mark.parametrize("failure", ["503 Service Unavailable", "<html>" * TEXT_LENGTH_MAX])
def test_what_cannot_be_fetched_is_refused_with_the_reason(failure: str) -> None:
    """The venue's own words are handed on, as many of them as an answer carries."""
    reader = Reader()
    (fetch,) = reader.asks()
    (answer,) = reader.told(fetch, failure=failure)
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, RequestRefused)
    assert answer.body.reason == clipped(f"the venue gives no bars: {failure}")


def test_senseless_bars_are_counted_and_not_given() -> None:
    """A candle is judged by the gate of its symbol, whoever wanted it."""
    reader = Reader()
    (fetch,) = reader.asks(before=0)
    assert isinstance(fetch, FetchCandles)
    off_the_grid = msgspec.structs.replace(a_candle(NOON_NS - MINUTE_NS), open_time_ns=NOON_NS - MINUTE_NS + 1)
    fetched = CandlesFetched(fetch.fetch_id, SYMBOL, "1m", (a_candle(NOON_NS - 2 * MINUTE_NS), off_the_grid), None)
    assert opens(reader.life.take(fetched)) == [[-2]]


@pytest.mark.parametrize("is_the_same", [True, False])
def test_questions_that_wait_are_bounded(*, is_the_same: bool) -> None:
    """Beyond a hundred whoever asks is told to come again, and may when the others were answered."""
    reader = Reader()
    for number in range(ASKERS_MAX):
        reader.asks(before=0 if is_the_same else -number)
    assert refusals(reader.asks(before=-1_000)) == ["not_too_many_at_once"]
    assert len(refusals(reader.waits())) == ASKERS_MAX
    assert refusals(reader.asks(before=-1_000)) == []


class ReaderOfSeconds:
    """Somebody who asks a feed for bars of five seconds, at a venue that tells seconds, and what became of it."""

    def __init__(self) -> None:
        self.life: Final = Life(bar_length="5s", tells_seconds=True)
        self.life.opened()
        self.life.now_ns += SHOWN_NS

    def asks(self, bars_max: int = 2) -> Sequence[Effect]:
        """Ask for the newest bars."""
        body = AskBars(symbol=SYMBOL, timeframe="5s", before_open_time_ns=None, bars_max=bars_max)
        envelope = msgspec.structs.replace(an_envelope(body), id="asked", expires_boot_ns=None)
        return self.life.take(Asked("strategy", envelope))

    def told(self, fetch: Effect, *seconds: int) -> Sequence[Effect]:
        """Let the venue answer, with seconds from noon."""
        assert isinstance(fetch, FetchCandles)
        candles = tuple(a_candle(NOON_NS + second * SECOND_NS, timeframe="1s") for second in seconds)
        return self.life.take(CandlesFetched(fetch.fetch_id, SYMBOL, "1s", candles, None))


def bars_of(effects: Sequence[Effect]) -> list[tuple[int, int]]:
    """Return of each bar of the one answer when it opened, in seconds from noon, and how many trades it has."""
    (answer,) = effects
    assert isinstance(answer, Answer)
    assert isinstance(answer.body, BarsGiven)
    return [((bar.open_time_ns - NOON_NS) // SECOND_NS, bar.trade_count) for bar in answer.body.bars]


def test_bars_of_seconds_are_folded_from_those_of_the_venue() -> None:
    """What was before the feed began is made of the venue's seconds, once it surely shows all of their trades."""
    reader = ReaderOfSeconds()
    (fetch,) = reader.asks()
    assert isinstance(fetch, FetchCandles)
    assert (fetch.timeframe, fetch.before_open_time_ns, fetch.candles_max) == ("1s", NOON_NS, 10)
    assert bars_of(reader.told(fetch, *range(-10, 0))) == [(-10, 5), (-5, 5)]


def test_a_bar_that_a_second_is_missing_from_is_not_given() -> None:
    """Nobody is handed a bar of which a part is not known, nor bars across it."""
    reader = ReaderOfSeconds()
    (fetch,) = reader.asks(3)
    assert bars_of(reader.told(fetch, *range(-15, -8), *range(-7, 0))) == [(-5, 5)]


def test_as_many_seconds_are_fetched_as_the_venue_gives_at_once() -> None:
    """A thousand bars of five seconds are asked for, and two hundred come: whoever wants more asks again."""
    (fetch,) = ReaderOfSeconds().asks(1_000)
    assert isinstance(fetch, FetchCandles)
    assert fetch.candles_max == 1_000
