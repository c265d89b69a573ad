"""A bar comes once, at its close or later, is never changed, and says the truth about what may be missing."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.bars import Bar
from shared.market.bars import DOUBTS_MAX, EMPTY_BARS_MAX, BarBuilder, BarFolder, bar_of, candle_fault, differences
from shared.market.observations import Trade
from shared.market.timeframe import timeframe
from tests.shared.market.observed import MINUTE, MONDAY, SECOND, a_bar, a_candle, a_trade

ONE_MINUTE, FIVE_MINUTES = timeframe("1m"), timeframe("5m")

PRICES = st.decimals("0.00000001", "1000000", places=8)
QUANTITIES = st.decimals("0.00000001", "1000000", places=8)
# Mostly close together, now and then minutes apart.
STEPS_NS = st.one_of(st.integers(0, 5 * SECOND), st.integers(0, 12 * MINUTE))


@st.composite
def trades_in_time(draw: st.DrawFn) -> list[Trade]:
    """Make trades in the order of their time, the first in the first minute."""
    at_ns, made = draw(st.integers(0, MINUTE - 1)), list[Trade]()
    for number in range(draw(st.integers(1, 40))):
        made.append(a_trade(at_ns, draw(PRICES), draw(QUANTITIES), trade_id=number))
        at_ns += draw(STEPS_NS)
    return made


def begun(name: str = "1m", *, after_ns: int = 0) -> BarBuilder:
    """Make a builder that counts from that Monday on, or from some time after its beginning."""
    builder = BarBuilder(timeframe(name))
    builder.begin(MONDAY + after_ns)
    return builder


def minutes(bars: list[Bar]) -> list[tuple[int, bool]]:
    """List when some bars opened, in minutes since that Monday began, and whether they are gapless."""
    return [((bar.open_time_ns - MONDAY) // MINUTE, bar.gapless) for bar in bars]


def test_a_bar_sums_its_trades_exactly() -> None:
    """Prices, volumes and the count of a bar are those of its trades, to the last digit."""
    builder = begun()
    for number, (price, quantity) in enumerate([("100.1", "0.3"), ("100.7", "0.1"), ("99.9", "1e-8"), ("100", "2")]):
        assert builder.trade(a_trade(number * SECOND, price, quantity, trade_count=number + 1)) == []
    (bar,) = builder.reached(MONDAY + MINUTE)
    assert bar == Bar(
        open_time_ns=MONDAY,
        open_price=Decimal("100.1"),
        high_price=Decimal("100.7"),
        low_price=Decimal("99.9"),
        close_price=Decimal(100),
        base_volume=Decimal("2.40000001"),
        quote_volume=Decimal("240.100000999"),
        trade_count=10,
        source="trades",
        gapless=True,
    )


def test_a_bar_waits_for_its_close() -> None:
    """A nanosecond before its close nothing is returned, at the close the bar is, and once."""
    builder = begun()
    builder.trade(a_trade(0))
    assert builder.reached(MONDAY + MINUTE - 1) == []
    assert minutes(builder.reached(MONDAY + MINUTE)) == [(0, True)]
    assert builder.reached(MONDAY + MINUTE) == []


def test_a_trade_closes_the_bars_before_it() -> None:
    """The trade of a later bar returns the one before, and the empty ones between at its last price."""
    builder = begun()
    builder.trade(a_trade(0, "100"))
    builder.trade(a_trade(1, "101"))
    before, *between = builder.trade(a_trade(3 * MINUTE, "200"))
    assert before.close_price == Decimal(101)
    assert minutes(between) == [(1, True), (2, True)]
    for empty in between:
        assert {empty.open_price, empty.high_price, empty.low_price, empty.close_price} == {Decimal(101)}
        assert not any((empty.base_volume, empty.quote_volume, empty.trade_count))


def test_no_bar_is_made_before_the_first_trade() -> None:
    """Without a close before it, a silent bar has no price: the first bar is that of the first trade."""
    builder = begun()
    assert builder.reached(MONDAY + 7 * MINUTE) == []
    assert builder.trade(a_trade(9 * MINUTE)) == []
    assert minutes(builder.reached(MONDAY + 10 * MINUTE)) == [(9, True)]


def test_a_bar_joined_in_the_middle_says_so() -> None:
    """Only the bar in which counting began is doubted."""
    builder = begun(after_ns=1)
    builder.trade(a_trade(1))
    assert minutes(builder.trade(a_trade(MINUTE))) == [(0, False)]
    assert minutes(builder.trade(a_trade(2 * MINUTE))) == [(1, True)]
    late = begun(after_ns=1)
    late.trade(a_trade(MINUTE))
    assert minutes(late.reached(MONDAY + 2 * MINUTE)) == [(1, True)]


def test_a_late_trade_is_counted_and_changes_nothing() -> None:
    """A trade of a bar that was returned is not taken in anywhere."""
    builder = begun()
    builder.trade(a_trade(0))
    builder.reached(MONDAY + MINUTE)
    assert builder.trade(a_trade(MINUTE - 1, "777")) == []
    assert builder.late_count == 1
    (bar,) = builder.reached(MONDAY + 2 * MINUTE)
    assert (bar.high_price, bar.trade_count) == (Decimal(100), 0)


def test_a_doubt_is_that_of_the_bars_its_times_lie_in() -> None:
    """Where a trade may be missing the bar is not gapless; those before and after it are."""
    builder = begun()
    builder.trade(a_trade(0))
    builder.doubt(MONDAY + MINUTE, MONDAY + 3 * MINUTE - 1)
    assert minutes(builder.reached(MONDAY + 4 * MINUTE)) == [(0, True), (1, False), (2, False), (3, True)]


def test_doubts_apart_from_each_other_leave_what_lies_between_alone() -> None:
    """Each doubt is about its own bars, however early it was told."""
    builder = begun()
    builder.trade(a_trade(0))
    builder.doubt(MONDAY, MONDAY)
    builder.doubt(MONDAY + 2 * MINUTE, MONDAY + 2 * MINUTE)
    assert minutes(builder.trade(a_trade(3 * MINUTE))) == [(0, False), (1, True), (2, False)]


def test_what_is_remembered_of_doubts_is_bounded() -> None:
    """Doubts without end keep no more than so many apart: beyond that, what lies between is doubted as well."""
    builder = begun()
    builder.trade(a_trade(0))
    for number in range(DOUBTS_MAX + 1):
        builder.doubt(MONDAY + 3 * number * MINUTE, MONDAY + 3 * number * MINUTE)
    bars = builder.reached(MONDAY + (3 * DOUBTS_MAX + 1) * MINUTE)
    assert [bar.gapless for bar in bars[:4]] == [False, True, True, False]
    assert not any(bar.gapless for bar in bars[-4:])


def test_a_long_silence_makes_no_bars() -> None:
    """Silence makes as many bars as the bound allows, and beyond it none: bars begin anew with the next trade."""
    quiet, lost = begun(), begun()
    for builder in (quiet, lost):
        builder.trade(a_trade(0))
    assert len(quiet.trade(a_trade((EMPTY_BARS_MAX + 1) * MINUTE))) == EMPTY_BARS_MAX + 1
    assert minutes(lost.trade(a_trade((EMPTY_BARS_MAX + 2) * MINUTE))) == [(0, True)]
    assert minutes(lost.reached(MONDAY + (EMPTY_BARS_MAX + 3) * MINUTE)) == [(EMPTY_BARS_MAX + 2, True)]
    assert minutes(quiet.reached(MONDAY + 10_000 * MINUTE)) == [(EMPTY_BARS_MAX + 1, True)]
    assert quiet.reached(MONDAY + 10_001 * MINUTE) == []


def test_volumes_keep_within_what_a_bar_carries() -> None:
    """Numbers longer than any venue's are rounded to 36 digits, and end at the largest there is."""
    builder = begun()
    builder.trade(a_trade(0, "1.00000000000000000000000000001", "1.00000000000000000000000000001"))
    (bar,) = builder.reached(MONDAY + MINUTE)
    assert bar.quote_volume == Decimal("1.00000000000000000000000000002")
    builder.trade(a_trade(MINUTE, "1e-20", "1e-20"))
    assert builder.reached(MONDAY + 2 * MINUTE)[0].quote_volume == 0
    builder.trade(a_trade(2 * MINUTE, "1e15", "1e18"))
    assert builder.reached(MONDAY + 3 * MINUTE)[0].quote_volume == Decimal("1e18")


@given(trades_in_time(), st.lists(st.integers(0, 600 * SECOND), max_size=20))
def test_bars_come_in_order_never_early_and_without_a_hole(trades: list[Trade], looks: list[int]) -> None:
    """However trades and time come, each open time comes once, in order, after its close, and each trade is in one."""
    builder, now_ns, bars = begun(), MONDAY, list[Bar]()
    for number, trade in enumerate(trades):
        now_ns = max(now_ns, trade.exchange_time_ns)
        came = builder.trade(trade)
        if number < len(looks):
            now_ns += looks[number]
            came += builder.reached(now_ns)
        bars += came
        assert all(ONE_MINUTE.close_time_ns(bar.open_time_ns) <= now_ns for bar in came)
    bars += builder.reached(now_ns + MINUTE)
    assert [bar.open_time_ns for bar in bars] == list(range(MONDAY, bars[-1].open_time_ns + 1, MINUTE))
    assert all(bar.gapless for bar in bars)
    assert sum(bar.trade_count for bar in bars) + builder.late_count == len(trades)
    if not looks:
        assert builder.late_count == 0


@given(trades_in_time(), st.booleans(), st.dictionaries(st.integers(0, 39), STEPS_NS), st.sets(st.integers(0, 39)))
def test_folding_minutes_is_building_from_trades(
    trades: list[Trade],
    gapless: bool,  # noqa: FBT001  # hypothesis hands it by position
    doubts: dict[int, int],
    looks: set[int],
) -> None:
    """Five minutes from minutes are the five minutes from trades, doubts and times told included."""
    after_ns = 0 if gapless else 1
    minute, direct = begun("1m", after_ns=after_ns), begun("5m", after_ns=after_ns)
    folder = BarFolder(FIVE_MINUTES, part=ONE_MINUTE)
    built, folded, parts = list[Bar](), list[Bar](), list[Bar]()
    for number, trade in enumerate(trades):
        if number in doubts:
            for builder in (minute, direct):
                builder.doubt(trade.exchange_time_ns, trade.exchange_time_ns + doubts[number])
        if number in looks:
            parts += minute.reached(trade.exchange_time_ns)
            built += direct.reached(trade.exchange_time_ns)
        parts += minute.trade(trade)
        built += direct.trade(trade)
    parts += minute.reached(trades[-1].exchange_time_ns + 5 * MINUTE)
    built += direct.reached(trades[-1].exchange_time_ns + 5 * MINUTE)
    for part in parts:
        folded += folder.bar(part)
    assert folded == built


def folded(*parts: Bar) -> list[Bar]:
    """Fold some minutes into five."""
    folder = BarFolder(FIVE_MINUTES, part=ONE_MINUTE)
    return [bar for part in parts for bar in folder.bar(part)]


def test_a_folded_bar_comes_with_its_last_part() -> None:
    """Its prices are the first open, the extremes and the last close, its volumes the sums."""
    prices = ["100 110 90 105", "105 120 104 106", "106 107 80 81", "81 82 81 82", "82 99 82 98"]
    parts = [a_bar(number * MINUTE, text) for number, text in enumerate(prices)]
    assert folded(*parts[:4]) == []
    (bar,) = folded(*parts)
    assert [bar.open_price, bar.high_price, bar.low_price, bar.close_price] == [*map(Decimal, (100, 120, 80, 98))]
    assert (bar.base_volume, bar.quote_volume, bar.trade_count) == (Decimal("7.5"), Decimal("751.25"), 15)
    assert (bar.open_time_ns, bar.gapless, bar.source) == (MONDAY, True, "trades")


def test_a_part_without_a_trade_has_no_price_to_fold() -> None:
    """A folded bar opens with its first trade, and repeats the close before it only when there is none at all."""
    quiet = [
        msgspec.structs.replace(a_bar(number * MINUTE, "500 500 500 500"), base_volume=Decimal(0), trade_count=0)
        for number in range(5)
    ]
    (bar,) = folded(*quiet[:3], a_bar(3 * MINUTE), quiet[4])
    assert (bar.open_price, bar.high_price, bar.close_price) == (Decimal(100), Decimal(110), Decimal(105))
    assert (bar.trade_count, bar.gapless) == (3, True)
    assert folded(*quiet)[0].open_price == Decimal(500)


@pytest.mark.parametrize("missing", [0, 1, 3])
def test_a_folded_bar_misses_its_missing_part(missing: int) -> None:
    """Without a part of its beginning or middle the bar still comes, and is not gapless."""
    assert minutes(folded(*(a_bar(number * MINUTE) for number in range(5) if number != missing))) == [(0, False)]


def test_a_folded_bar_without_its_last_part_comes_with_the_next() -> None:
    """It is returned as soon as a part of a later bar comes, even together with that bar."""
    assert minutes(folded(a_bar(0), a_bar(5 * MINUTE))) == [(0, False)]
    assert minutes(folded(a_bar(0), a_bar(9 * MINUTE))) == [(0, False), (5, False)]


def test_a_part_is_taken_once() -> None:
    """A part that came already, or is of a bar already returned, is ignored."""
    parts = [a_bar(number * MINUTE) for number in range(5)]
    (bar,) = folded(parts[0], parts[0], *parts[1:], parts[4], parts[2])
    assert (bar.trade_count, bar.gapless) == (15, True)
    assert folded(a_bar(0), a_bar(9 * MINUTE), *parts)[1:] == [folded(a_bar(9 * MINUTE))[0]]


def test_a_folded_bar_says_what_it_is_made_of() -> None:
    """It is the venue's when all its parts are, and as gapless as the least of them."""
    venue = [a_bar(number * MINUTE, of_venue=True) for number in range(5)]
    assert folded(*venue)[0].source == "venue"
    assert folded(*venue[:3], a_bar(3 * MINUTE), venue[4])[0].source == "trades"
    assert minutes(folded(*venue[:3], a_bar(3 * MINUTE, gapless=False), venue[4])) == [(0, False)]


def test_bars_differ_in_fields_by_name() -> None:
    """What the venue says otherwise is named; how a number is written is no difference."""
    ours = bar_of(a_candle(volumes="1.50 150.123456789"))
    assert differences(ours, bar_of(a_candle(volumes="1.5 150.12345679"))) == ()
    assert differences(ours, bar_of(a_candle(volumes="1.5 150.12345678"))) == ("quote_volume",)
    other = bar_of(a_candle(prices="101 111 91 106", volumes="2 151", trade_count=4))
    assert differences(ours, other) == (
        "open_price",
        "high_price",
        "low_price",
        "close_price",
        "base_volume",
        "quote_volume",
        "trade_count",
    )


@pytest.mark.parametrize(
    ("prices", "volumes", "fault"),
    [
        ("100 110 90 105", "0 0.00", None),
        ("NaN 110 90 105", "1 1", "not finite"),
        ("100 Infinity 90 105", "1 1", "not finite"),
        ("100 110 90 sNaN", "1 1", "not finite"),
        ("100 110 0 105", "1 1", "zero"),
        ("100 110 -90 105", "1 1", "negative"),
        ("100 110 90 105", "-1 1", "negative"),
        ("100 110 90 105", "1 -0", "negative"),
        ("100 110 90 105", "NaN 1", "not finite"),
        ("1e-300 110 1e-300 105", "1 1", "out of range"),
        ("100 1e16 90 105", "1 1", "out of range"),
        ("100 110 90 105", "1 2e18", "out of range"),
        ("100 104 90 105", "1 1", "high below others"),
        ("100 110 101 105", "1 1", "low above others"),
    ],
)
def test_a_senseless_candle_is_told_from_a_bar(prices: str, volumes: str, fault: str | None) -> None:
    """The first thing senseless about a candle is named."""
    assert candle_fault(a_candle(0, prices, volumes=volumes), ONE_MINUTE) == fault


def test_a_candle_stands_on_the_grid_and_counts() -> None:
    """Its open time is one of its timeframe, and its number of trades a number."""
    assert candle_fault(a_candle(MINUTE), ONE_MINUTE) is None
    assert candle_fault(a_candle(MINUTE), FIVE_MINUTES) == "open time off the grid"
    assert candle_fault(a_candle(1), ONE_MINUTE) == "open time off the grid"
    assert candle_fault(a_candle(-MONDAY - MINUTE), ONE_MINUTE) == "out of range"
    assert candle_fault(a_candle(trade_count=-1), ONE_MINUTE) == "negative"
    assert candle_fault(a_candle(trade_count=2**63), ONE_MINUTE) == "out of range"


WILD = st.one_of(
    st.decimals(), st.decimals("-10", "1000", places=2), st.sampled_from([Decimal("1e-300"), Decimal("-0")])
)


@given(st.tuples(WILD, WILD, WILD, WILD), WILD, WILD)
def test_what_has_no_fault_is_a_bar(prices: tuple[Decimal, ...], base: Decimal, quote: Decimal) -> None:
    """A candle of any numbers either has a fault or becomes a bar with these numbers."""
    candle = a_candle(0, " ".join(map(str, prices)), volumes=f"{base} {quote}")
    if candle_fault(candle, ONE_MINUTE) is None:
        bar = bar_of(candle)
        assert bar.low_price <= min(bar.open_price, bar.close_price) <= bar.high_price
