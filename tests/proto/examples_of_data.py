"""Examples of what is said about the market, and of what is measured; `examples.py` has the rest."""

from decimal import Decimal
from typing import Final

from proto.bars import AskBars, AskBook, Bar, BarsGiven, BookGiven, Level
from proto.envelope import Body
from proto.health import HopLatency
from proto.market import (
    BarClosed,
    BookChanged,
    BookLevel,
    BookSnapshot,
    LinkLost,
    LinkOpened,
    MarketBody,
    QuoteSeen,
    SymbolDoubted,
    SymbolTrusted,
    TradeSeen,
)
from proto.measures import (
    AskMeasures,
    FeedCounted,
    HopMeasured,
    HopsGiven,
    MeasuresGiven,
    ProcessMeasured,
    SymbolMeasured,
    Tally,
)

NOON_NS: Final = 1_790_000_000_000_000_000
SECOND_NS: Final = 1_000_000_000

A_HOP: Final = HopLatency(
    hop="feed.market",
    count=5_000,
    sum_ns=650_000_000,
    p50_ns=110_000,
    p90_ns=180_000,
    p99_ns=420_000,
    p999_ns=900_000,
    max_ns=1_100_000,
    negative=0,
    clipped=0,
    buckets=(0, 12, 140, 2_000, 2_700, 130, 17, 1, *[0] * 12),
)

A_BAR: Final = Bar(
    open_time_ns=NOON_NS,
    open_price=Decimal("64000.00"),
    high_price=Decimal("64200.50"),
    low_price=Decimal("63900.00"),
    close_price=Decimal("64111.10"),
    base_volume=Decimal("812.50000000"),
    quote_volume=Decimal("52000000.00000000"),
    trade_count=48_211,
    source="venue",
    gapless=True,
)
MARKET_BODIES: Final[tuple[MarketBody, ...]] = (
    TradeSeen(symbol="BTC/USDT", price=64000.12, quantity=0.0123, taker_side="buy", trade_id="3141592653"),
    QuoteSeen(symbol="BTC/USDT", bid_price=64000.12, bid_quantity=0.5, ask_price=64000.13, ask_quantity=1.25),
    BookSnapshot(
        symbol="BTC/USDT",
        book_sequence=1001,
        bids=(BookLevel(64000.12, 0.5), BookLevel(64000.11, 2.0)),
        asks=(BookLevel(64000.13, 1.25),),
    ),
    BookChanged(symbol="BTC/USDT", first_sequence=1002, last_sequence=1004, bids=(), asks=(BookLevel(64000.13, 0.0),)),
    BarClosed(
        symbol="BTC/USDT",
        timeframe="1h",
        open_time_ns=NOON_NS,
        close_time_ns=NOON_NS + 3600 * SECOND_NS,
        open_price=64000.0,
        high_price=64200.5,
        low_price=63900.0,
        close_price=64111.1,
        base_volume=812.5,
        quote_volume=52_000_000.0,
        trade_count=48_211,
        source="trades",
        gapless=True,
    ),
    LinkOpened(symbol=None),
    LinkLost(symbol="BTC/USDT", reason="no message for 5 s on quotes"),
    SymbolDoubted(symbol="BTC/USDT", reasons=("spike", "stale quotes")),
    SymbolTrusted(symbol="BTC/USDT"),
)

DATA_BODIES: Final[tuple[Body, ...]] = (
    AskBars(symbol="BTC/USDT", timeframe="1h", before_open_time_ns=None, bars_max=500),
    BarsGiven(symbol="BTC/USDT", timeframe="1h", bars=(A_BAR,)),
    AskBook(symbol="BTC/USDT"),
    BookGiven(
        symbol="BTC/USDT",
        book_sequence=1001,
        bids=(Level(price=Decimal("64000.12"), quantity=Decimal("0.5")),),
        asks=(Level(price=Decimal("64000.13"), quantity=Decimal("1.25")),),
    ),
    FeedCounted(
        venue="binance",
        symbol="BTC/USDT",
        took=(Tally(what="trades", count=48_211), Tally(what="quotes", count=912_000)),
        refused=(Tally(what="spike", count=2),),
    ),
    AskMeasures(of="hops"),
    MeasuresGiven(
        taken_wall_ns=NOON_NS,
        store="down",
        store_reason="connection refused",
        symbols=(
            SymbolMeasured(
                feed="feed",
                venue="binance",
                symbol="BTC/USDT",
                link="open",
                lost_reason=None,
                doubts=("spike",),
                bid_price=Decimal("64000.12"),
                ask_price=Decimal("64000.13"),
                mid_price=Decimal("64000.125"),
                spread_bps=Decimal("0.0016"),
                last_price=Decimal("64000.12"),
                messages_per_second=Decimal("17.5"),
                received_age_ns=31_000_000,
                exchange_age_ns=None,
                refused_count=2,
            ),
        ),
        processes=(
            ProcessMeasured(
                instance="feed",
                state="running",
                epoch=12,
                restarts=1,
                process_id=4711,
                uptime_ns=3600 * SECOND_NS,
                heartbeat_age_ns=120_000_000,
                queued=0,
                handled_per_second=Decimal("312.5"),
                memory_bytes=130_000_000,
                cpu_percent=Decimal("7.5"),
                loop_gap_max_ns=2_000_000,
            ),
        ),
    ),
    HopsGiven(hops=(HopMeasured(instance="strategy", latency=A_HOP),)),
)
