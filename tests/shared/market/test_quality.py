"""Nothing senseless passes, what is sensible passes at once, a move passes whole, and a spike never does."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.bounds import PRICE_LARGEST, QUANTITY_LARGEST, SMALLEST
from shared.market.observations import Quote, Trade
from shared.market.price_band import HELD_MAX
from shared.market.quality import Gate, GateSettings, Judged, Refusal
from tests.shared.market.judged_market import Market, calm, decimals
from tests.shared.market.observed import MINUTE, MONDAY, SECOND, a_candle, a_quote, a_trade
from tests.shared.market.recorded import streamed


@pytest.mark.parametrize(
    ("price", "quantity", "reason"),
    [
        ("0", "1", "zero"),
        ("-0", "1", "zero"),
        ("-100", "1", "negative"),
        ("NaN", "1", "not finite"),
        ("sNaN", "1", "not finite"),
        ("Infinity", "1", "not finite"),
        ("1e-300", "1", "out of range"),
        ("1e16", "1", "out of range"),
        ("100.0000000000000000000000000000000000001", "1", "out of range"),
        ("100", "0", "zero"),
        ("100", "-1", "negative"),
        ("100", "NaN", "not finite"),
        ("100", "1e19", "out of range"),
        ("100", "1e-300", "out of range"),
    ],
)
def test_a_senseless_number_is_refused(price: str, quantity: str, reason: Refusal) -> None:
    """Numbers that no trade can have are refused at once, and counted by reason."""
    market = calm()
    assert market.trade(price, quantity) == []
    assert market.refused == {reason: 1}


@pytest.mark.parametrize(
    ("time_ns", "reason"),
    [
        (MONDAY // SECOND, "wrong unit"),
        (MONDAY // 1_000_000, "wrong unit"),
        (MONDAY // 1_000, "wrong unit"),
        (MONDAY * 1_000, "wrong unit"),
        (0, "wrong unit"),
        (MONDAY + 6 * SECOND + SECOND + 1, "from the future"),
        (MONDAY + 5 * SECOND, "time backwards"),
    ],
)
def test_a_time_is_neither_of_another_unit_nor_of_tomorrow_nor_before_the_last(time_ns: int, reason: Refusal) -> None:
    """The time of a trade lies between the last one and a second from now."""
    market = calm()
    assert market.at_ns == 6 * SECOND
    assert market.judge(a_trade(time_ns - MONDAY)) == Judged((), ((reason, 1),))
    assert market.trade("100") == [Decimal(100)]


def test_trades_of_one_time_all_pass() -> None:
    """Several trades at once are no step back, and a little of the future is the clock's."""
    market = calm()
    last_ns = market.at_ns + SECOND
    assert market.judge(a_trade(last_ns)).passed
    assert market.judge(a_trade(last_ns)).passed


@pytest.mark.parametrize("spike", ["100000", "0.1", "104", "96"])
def test_a_spike_never_passes(spike: str) -> None:
    """A price far off is held, suspect, and refused when the next one is back."""
    market = calm()
    assert market.trade(spike) == []
    assert market.gate.trades_held == 1
    assert market.doubts() == ("suspect price",)
    assert market.trade("100") == decimals("100")
    assert market.gate.trades_held == 0
    assert market.refused == {"spike": 1}
    assert market.doubts() == ()


def test_a_move_passes_whole_once_it_is_confirmed() -> None:
    """Two more prices around the first one let all of them pass in order, and the band stands there."""
    market = calm()
    assert market.trades("110", "110.5") == []
    assert market.trade("109.5") == decimals("110", "110.5", "109.5")
    assert market.trade("111") == decimals("111")
    assert market.refused == {}
    assert market.trade("100") == []


def test_a_move_in_leaps_passes_whole() -> None:
    """Prices on the way to where it settles belong to the move; a spike beyond it does not."""
    market = calm()
    assert market.trades("90", "100000", "80", "70", "70") == []
    assert market.trade("70") == decimals("90", "80", "70", "70", "70")
    assert market.refused == {"spike": 1}


def test_a_price_told_twice_confirms_nothing() -> None:
    """The same trade or quote again is no second opinion."""
    market = calm()
    spike = a_trade(market.at_ns, "110", trade_id=1_000)
    for _ in range(9):
        assert market.judge(spike).passed == ()
    quote = a_quote(2_000, "110", "111")
    for _ in range(9):
        assert market.judge_quote(quote).passed == ()
    assert market.refused == {"repeated": 16}


def test_only_so_many_are_held() -> None:
    """A market that finds no level does not fill the memory: the oldest is given up as a spike."""
    market = calm()
    wild = [Decimal(10) ** (number % 9) * 1_000 for number in range(HELD_MAX + 5)]
    assert market.trades(*wild) == []
    assert market.gate.trades_held == HELD_MAX
    assert market.refused == {"spike": 5}


def test_held_trades_pass_in_the_order_of_their_time() -> None:
    """What was held and turns out older than what it follows is refused with the move."""
    market = calm()
    now_ns = market.at_ns
    told = [a_trade(now_ns + late_ns, "110", trade_id=late_ns) for late_ns in (3, 1, 4)]
    held, also_held, judged = map(market.judge, told)
    assert held == also_held == Judged()
    assert judged == Judged((told[0], told[2]), (("time backwards", 1),))


def test_the_band_is_as_wide_as_the_market_is_wild() -> None:
    """Where prices scatter, more is believed at once; where they stand still, three percent."""
    market = Market()
    for number in range(200):
        market.trade("100" if number % 2 else "101")
        market.step(SECOND)
    assert market.trade("104.1") == []
    scattered = Market()
    for number in range(200):
        scattered.trade(Decimal(100) + number % 5)
        scattered.step(SECOND)
    assert scattered.trade("120") == decimals("120")
    assert scattered.trade("1000") == []
    assert scattered.trade("1") == []


def test_the_band_follows_a_market_that_walks() -> None:
    """A price may go anywhere in steps, and each of them passes at once."""
    market, price = Market(), Decimal(100)
    for _ in range(200):
        price *= Decimal("1.001")
        assert market.trade(round(price, 4)) == [round(price, 4)]
        market.step(SECOND)


def test_after_a_silence_the_last_price_still_counts() -> None:
    """An hour later a price is still compared with the last one believed, and confirmed by others."""
    market = calm()
    market.step(60 * MINUTE)
    assert market.trades("100000", "102") == decimals("102")
    assert market.trades("120", "120", "120") == decimals("120", "120", "120")


@pytest.mark.parametrize(
    ("bid", "ask", "reason"),
    [
        ("100.1", "99.9", "crossed"),
        ("100", "100", "locked"),
        ("0", "100", "empty"),
        ("99", "0", "empty"),
        ("-99", "100", "negative"),
        ("99", "NaN", "not finite"),
        ("1e-300", "100", "out of range"),
    ],
)
def test_a_senseless_quote_is_refused(bid: str, ask: str, reason: Refusal) -> None:
    """Both sides of a quote make sense, by themselves and together."""
    market = calm()
    assert market.quote(bid, ask) == []
    assert market.refused == {reason: 1}


@pytest.mark.parametrize("side", ["bid_quantity", "ask_quantity"])
def test_a_side_without_quantity_is_empty(side: str) -> None:
    """Where nothing rests there is no price."""
    market = calm()
    market.step()
    nothing = msgspec.structs.replace(a_quote(market.number), **{side: Decimal(0)})
    assert market.judge_quote(nothing).refused == (("empty", 1),)
    below = msgspec.structs.replace(a_quote(market.number), **{side: Decimal(-1)})
    assert market.judge_quote(below).refused == (("negative", 1),)


def test_a_quote_is_told_once_and_of_now() -> None:
    """A number that is not above the last is a repetition; a stamp is held to the same rules as that of a trade."""
    market = calm()
    assert market.judge_quote(a_quote(market.number)).refused == (("repeated", 1),)
    market.step()
    assert (
        market.judge_quote(a_quote(market.number, at_ns=market.at_ns + 2 * SECOND)).refused[0][0] == "from the future"
    )
    assert market.judge_quote(a_quote(market.number, at_ns=-MONDAY + 5)).refused[0][0] == "wrong unit"
    assert market.judge_quote(a_quote(market.number, at_ns=market.at_ns)).passed


def test_quotes_move_the_band_by_confirming_each_other() -> None:
    """Quotes far off are held until two more stand there; then they pass, and trades there pass at once."""
    market = calm()
    first = market.number + 1
    assert market.quote("109", "111") == []
    assert market.quote("109", "111") == []
    assert market.quote("109", "111") == [first, first + 1, first + 2]
    assert market.trade("110") == decimals("110")


def test_trades_confirm_quotes() -> None:
    """A trade where the quotes went says the same as a quote there."""
    market = calm()
    first = market.number + 1
    assert market.quote("109", "111") == []
    assert market.trade("110") == []
    assert market.quote("109", "111") == [first, first + 2]
    assert market.trade("110") == decimals("110", "110")


def test_a_quote_that_was_a_spike_is_refused_by_the_next() -> None:
    """A quote back in the band refutes the one before."""
    market = calm()
    assert market.quote("199", "201") == []
    assert market.quote("99", "101") == [market.number]
    assert market.refused == {"spike": 1}


def test_a_venues_candle_is_judged_by_all_its_numbers() -> None:
    """A candle of now lies in the band; one of yesterday cannot be compared; a senseless one is neither."""
    gate = calm().gate
    assert gate.candle(a_candle(-MINUTE, "101 102 99 101")) is None
    assert gate.candle(a_candle(-MINUTE, "100 210 90 101")) == "spike"
    assert gate.candle(a_candle(-MINUTE, "100 210 90 200")) == "spike"
    assert gate.candle(a_candle(-60 * MINUTE, "100 210 90 200")) is None
    assert gate.candle(a_candle(-MINUTE, "100 99 90 100")) == "high below others"
    assert gate.candle(a_candle(-MINUTE + 1)) == "open time off the grid"
    assert gate.candle(a_candle(-MONDAY)) == "wrong unit"
    assert gate.candle(a_candle(-MINUTE, timeframe="7x")) == "out of range"
    assert Gate("BTC/USDT", GateSettings()).candle(a_candle(-MINUTE, "100 210 90 200")) is None


ANY_NUMBER = st.one_of(
    st.decimals(),
    st.decimals("-10", "1000", places=3),
    st.sampled_from([Decimal(text) for text in ("0", "-0", "100", "1e-300", "1e300", "sNaN", "1e15", "1e18")]),
)
ANY_TIME = st.one_of(st.integers(-(2**63), 2**63), st.integers(0, MINUTE).map(lambda at_ns: MONDAY + at_ns))


@given(st.lists(st.tuples(ANY_NUMBER, ANY_NUMBER, ANY_TIME), max_size=30))
def test_no_senseless_trade_ever_passes(told: list[tuple[Decimal, Decimal, int]]) -> None:
    """Whatever is told, what passes fits the messages, is of a lawful time, and never goes back."""
    gate, passed, refused = Gate("BTC/USDT", GateSettings()), list[Trade](), 0
    for number, (price, quantity, time_ns) in enumerate(told):
        trade = a_trade(time_ns - MONDAY, price, quantity, trade_id=number)
        judged = gate.trade(trade, venue_now_ns=MONDAY + MINUTE, received_ns=number)
        passed += judged.passed
        refused += sum(count for _, count in judged.refused)
        assert passed == sorted(passed, key=lambda trade: trade.trade_id)
    assert len(passed) + refused + gate.trades_held == len(told)
    times = [trade.exchange_time_ns for trade in passed]
    assert times == sorted(times)
    for trade in passed:
        assert SMALLEST <= trade.price <= PRICE_LARGEST
        assert 0 < trade.quantity <= QUANTITY_LARGEST
        assert trade.exchange_time_ns <= MONDAY + MINUTE + SECOND


@given(st.lists(st.tuples(st.integers(0, 50), ANY_NUMBER, ANY_NUMBER, ANY_NUMBER, st.none() | ANY_TIME), max_size=30))
def test_no_senseless_quote_ever_passes(told: list[tuple[int, Decimal, Decimal, Decimal, int | None]]) -> None:
    """Whatever is told, what passes has two sides that make sense together, and numbers that grow."""
    gate, sequences = Gate("BTC/USDT", GateSettings()), list[int]()
    for number, (sequence, bid, ask, quantity, time_ns) in enumerate(told):
        quote = Quote("BTC/USDT", sequence, bid, quantity, ask, Decimal(1), time_ns)
        for passed in gate.quote(quote, venue_now_ns=MONDAY + MINUTE, received_ns=number).passed:
            sequences.append(passed.sequence)
            assert SMALLEST <= passed.bid_price < passed.ask_price <= PRICE_LARGEST
            assert 0 < passed.bid_quantity <= QUANTITY_LARGEST
            assert passed.exchange_time_ns is None or passed.exchange_time_ns <= MONDAY + MINUTE + SECOND
    assert sequences == sorted(set(sequences))


@given(st.lists(st.decimals("98.6", "101.4", places=2), min_size=1, max_size=60))
def test_what_is_near_passes_at_once(prices: list[Decimal]) -> None:
    """As long as no two prices are three percent apart, each passes in the moment it comes."""
    market = Market()
    for price in prices:
        assert market.trade(price) == [price]


@given(st.decimals("0.001", "96.5", places=3) | st.decimals("103.5", "100000", places=3), st.integers(1, 6))
def test_every_single_spike_is_refused(spike: Decimal, times: int) -> None:
    """One price far off between prices that stand never passes, however often it happens."""
    market = calm()
    for _ in range(times):
        assert market.trades(spike, "100", "100.5") == decimals("100", "100.5")
    assert market.refused == {"spike": times}


@given(
    st.decimals("1", "95", places=2) | st.decimals("105", "100000", places=2),
    st.lists(st.integers(-100, 100), min_size=2, max_size=30),
)
def test_every_lasting_move_passes_whole(level: Decimal, wiggles: list[int]) -> None:
    """Wherever a price moves to that is out of the band for good, all passes, from the third one there on at once."""
    market = calm()
    prices = [level, *(level * (1 + Decimal(wiggle) / 10_000) for wiggle in wiggles)]
    assert market.trades(*prices[:2]) == []
    assert market.trade(prices[2]) == prices[:3]
    for price in prices[3:]:
        assert market.trade(price) == [price]
    assert market.refused == {}


@pytest.mark.parametrize("name", ["spot", "usdm"])
def test_a_real_stream_passes_whole(name: str) -> None:
    """Of what Binance streamed of a busy market nothing is refused or held, and nothing is doubted."""
    gate, told = Gate("BTC/USDT", GateSettings()), list[tuple[int, Trade | Quote]]()
    for received_ns, observed in streamed(f"rawws_binance_{name}_BTCUSDT_20240808.txt.gz"):
        if isinstance(observed, Trade | Quote):
            told.append((received_ns, observed))
    # The recorder's clock was more than a second behind: what came quickest was stamped when it was sent.
    ahead_ns = max(observed.exchange_time_ns - time_ns for time_ns, observed in told if observed.exchange_time_ns)
    for number, (received_ns, observed) in enumerate(told):
        venue_now_ns = received_ns + ahead_ns
        if isinstance(observed, Trade):
            assert gate.trade(observed, venue_now_ns=venue_now_ns, received_ns=received_ns) == Judged((observed,))
        else:
            assert gate.quote(observed, venue_now_ns=venue_now_ns, received_ns=received_ns) == Judged((observed,))
        assert number < 100 or gate.doubts(venue_now_ns, received_ns) == ()
    assert len(told) > 30_000
