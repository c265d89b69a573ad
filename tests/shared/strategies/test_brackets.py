"""A wish becomes the message that risk is asked with."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import Side
from proto.intents import EnterBracket, StopCover
from shared.strategies.brackets import enter_bracket
from shared.strategies.decider import Decision
from shared.strategies.intent_ids import intent_id
from shared.strategies.strategy import BracketWish
from tests.proto.examples import A_POSITION

WISH = BracketWish(1.0, 100.0, 100.256, 96.001, 106.009, 0.005)


def asked(wish: BracketWish) -> EnterBracket:
    """Return the message for a wish."""
    return enter_bracket(
        Decision(3_600, wish, (("adx_14", 31.25),)),
        strategy="trend_continuation",
        symbol="BTC/USDT",
        bar_length="1h",
        market_seen=A_POSITION,
        tick=Decimal("0.01"),
        work_for_ns=1,
    )


def test_prices_are_rounded_to_the_worse() -> None:
    """On ticks a buy pays less, stops sooner and leaves nearer than wished for."""
    intent = asked(WISH)
    assert intent.side == "buy"
    assert (intent.decision_price, intent.price_worst) == (Decimal(100), Decimal("100.25"))
    assert intent.cover == StopCover(Decimal("96.01"))
    assert intent.targets[0].price == Decimal("106.00")
    assert intent.risk_fraction == Decimal("0.005")
    assert [(part.name, part.value) for part in intent.evidence] == [("adx_14", "31.25")]
    assert intent.intent_id == "trend_continuation|BTC/USDT|3600|buy|0"


def test_a_sale_is_rounded_the_other_way() -> None:
    """A short asks for more, stops sooner and leaves nearer."""
    intent = asked(BracketWish(-1.0, 100.0, 99.744, 103.999, 94.001, 0.005))
    assert (intent.side, intent.price_worst, intent.targets[0].price) == ("sell", Decimal("99.75"), Decimal("94.01"))
    assert intent.cover == StopCover(Decimal("103.99"))


NAMES = st.text(alphabet="abcdefghij_", min_size=1, max_size=12)


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(0, 10**19), st.sampled_from(["buy", "sell"]), st.integers(0, 99))))
def test_an_id_stands_for_one_wish(wishes: list[tuple[str, str, int, Side, int]]) -> None:
    """The same wish has the same id, another one another."""
    ids = {
        intent_id(strategy=strategy, symbol=symbol, bar_close_time_ns=closed, side=side, number=number)
        for strategy, symbol, closed, side, number in wishes
    }
    assert len(ids) == len(set(wishes))


def test_a_name_that_could_be_confused_is_our_mistake() -> None:
    """The mark between the parts stands in none of them."""
    with pytest.raises(AssertionError, match="cannot be told apart"):
        intent_id(strategy="a|b", symbol="BTC/USDT", bar_close_time_ns=1, side="buy")
