"""Answers of metrics, as examples: made from one symbol, one process and one hop that are well."""

from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from proto.measures import HopMeasured, HopsGiven, MeasuresGiven, ProcessMeasured, SymbolMeasured
from services.watch.picture.sight import Sight
from tests.proto.examples_of_data import A_HOP

NOON_NS: Final = 1_790_424_000_000_000_000
MS: Final = 1_000_000
SECOND: Final = 1_000_000_000

BTC: Final = SymbolMeasured(
    feed="feed",
    venue="binance",
    symbol="BTC/USDT",
    link="open",
    lost_reason=None,
    doubts=(),
    bid_price=Decimal("64000.12"),
    ask_price=Decimal("64000.13"),
    mid_price=Decimal("64000.125"),
    spread_bps=Decimal("0.0016"),
    last_price=Decimal("64000.12"),
    messages_per_second=Decimal("47.5"),
    received_age_ns=31 * MS,
    exchange_age_ns=84 * MS,
    refused_count=0,
)
SHIB: Final = replace(
    BTC,
    symbol="SHIB/USDT",
    bid_price=Decimal("0.00001712"),
    ask_price=Decimal("0.00001713"),
    mid_price=Decimal("0.000017125"),
    spread_bps=Decimal("5.8394"),
    last_price=Decimal("0.00001713"),
    messages_per_second=Decimal("3.2"),
    received_age_ns=640 * MS,
    exchange_age_ns=710 * MS,
)
ETH: Final = replace(
    BTC,
    symbol="ETH/USDT",
    doubts=("stale", "crossed"),
    bid_price=Decimal("3120.50"),
    ask_price=Decimal("3120.49"),
    mid_price=Decimal("3120.495"),
    spread_bps=Decimal(0),
    last_price=Decimal("3120.50"),
    messages_per_second=Decimal("0.0"),
    received_age_ns=12_400 * MS,
    exchange_age_ns=None,
    refused_count=1_204,
)
UNHEARD: Final = SymbolMeasured(
    feed="feed-2",
    venue="binance",
    symbol="SOL/USDT",
    link="lost",
    lost_reason="no route to the venue",
    doubts=(),
    bid_price=None,
    ask_price=None,
    mid_price=None,
    spread_bps=None,
    last_price=None,
    messages_per_second=Decimal(0),
    received_age_ns=None,
    exchange_age_ns=None,
    refused_count=0,
)

FEED: Final = ProcessMeasured(
    instance="feed",
    state="running",
    epoch=12,
    restarts=1,
    process_id=4711,
    uptime_ns=3_725 * SECOND,
    heartbeat_age_ns=120 * MS,
    queued=0,
    handled_per_second=Decimal("312.5"),
    memory_bytes=130_000_000,
    cpu_percent=Decimal("7.5"),
    loop_gap_max_ns=2_300_000,
)
RISK: Final = replace(FEED, instance="risk", process_id=4712, memory_bytes=88_000_000, cpu_percent=Decimal("0.8"))
LOOPING: Final = replace(FEED, instance="gateway", state="crash loop")
SILENT: Final = replace(FEED, instance="executor", state="silent", process_id=4713, heartbeat_age_ns=3_240 * MS)
BOOTING: Final = replace(FEED, instance="recorder", state="booting", uptime_ns=SECOND, restarts=7)
NEVER: Final = ProcessMeasured(
    instance="dashboard",
    state="silent",
    epoch=0,
    restarts=0,
    process_id=0,
    uptime_ns=0,
    heartbeat_age_ns=None,
    queued=0,
    handled_per_second=Decimal(0),
    memory_bytes=0,
    cpu_percent=Decimal(0),
    loop_gap_max_ns=0,
)

HOPS: Final = HopsGiven(
    hops=(
        HopMeasured(instance="strategy-trend", latency=A_HOP),
        HopMeasured(
            instance="risk",
            latency=replace(
                A_HOP, hop="strategy-trend.intents", count=3, p50_ns=85_400, p99_ns=1_230_000, max_ns=1_230_000
            ),
        ),
        HopMeasured(
            instance="risk",
            latency=replace(A_HOP, hop="journal", p50_ns=4_100_000, p99_ns=38_000_000, max_ns=1_240 * MS),
        ),
    )
)


def measures(*parts: SymbolMeasured | ProcessMeasured, **changes: Any) -> MeasuresGiven:  # noqa: ANN401 -- its fields
    """Return an answer with these symbols and processes; all is well with the rest."""
    well = MeasuresGiven(
        taken_wall_ns=NOON_NS,
        store="up",
        store_reason=None,
        symbols=tuple(part for part in parts if isinstance(part, SymbolMeasured)),
        processes=tuple(part for part in parts if isinstance(part, ProcessMeasured)),
    )
    return replace(well, **changes)


WELL: Final = measures(BTC, SHIB, FEED, RISK)
TROUBLED: Final = measures(
    BTC, SHIB, ETH, UNHEARD, FEED, RISK, SILENT, BOOTING, NEVER, store="down", store_reason="connection refused"
)


def seen(given: MeasuresGiven, **changes: Any) -> Sight:  # noqa: ANN401 -- the other fields of a sight
    """Return what is known when this was just answered, with the hops."""
    return Sight(now_wall_ns=NOON_NS, measures=given, **{"hops": HOPS, **changes})
