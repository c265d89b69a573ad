"""One real message of every kind, with sensible values: the builders other tests start from.

`an_envelope(body)` and `a_market_envelope(body)` wrap a body; change a field with `msgspec.structs.replace`.
"""

from decimal import Decimal
from typing import Final

from proto.account import AccountSnapshot, Balance, Counted, InstrumentRules, InstrumentsTold
from proto.control import (
    AskLimits,
    ControlDone,
    ControlRefused,
    LimitsAnswered,
    PauseEntries,
    ResumeEntries,
)
from proto.envelope import Body, Envelope, MarketEnvelope
from proto.health import Heartbeat, Hello, HopsMeasured
from proto.intents import EnterBracket, Evidence, ExitRefused, ExitTaken, SetExit, StopCover, Target, WatchCover
from proto.market import MarketBody
from proto.orders import (
    CancelMarked,
    ConditionCleared,
    ConditionSet,
    EntryEnded,
    EntryOpened,
    ExitEnded,
    ExitHeldUp,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OrderKey,
    OutsideSeen,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
    TradesReadTo,
)
from proto.risk import (
    Anchor,
    AskLease,
    Condition,
    Everything,
    Latch,
    LeaseAnswered,
    LimitUse,
    OfStrategy,
    OfSymbol,
    RiskSnapshot,
)
from proto.streams import AskSnapshot, AskTail, RequestRefused, SnapshotGiven, StreamPosition, TailGiven
from proto.topics import topic_of
from proto.verdicts import (
    Approval,
    ApprovalDeclined,
    ApprovalTaken,
    DayBegun,
    EntriesPaused,
    EntriesResumed,
    IntentApproved,
    IntentJudged,
    IntentRefused,
    ReservationFreed,
)
from tests.proto.examples_of_data import A_HOP, DATA_BODIES, NOON_NS, SECOND_NS
from tests.proto.examples_of_halting import HALTING_BODIES

BOOT_NS: Final = 86_400_000_000_000

INTENT_ID: Final = "trend:BTC/USDT:1790000000:buy:1"
APPROVAL_ID: Final = "risk-17-204"
DIGEST: Final = "5b" * 32

AN_ORDER: Final = OrderKey(
    client_order_id="bw-main-k3v9q2m7x1abcd-1",
    parent_id=APPROVAL_ID,
    strategy="trend",
    symbol="BTC/USDT",
    side="buy",
    purpose="entry",
)
A_POSITION: Final = StreamPosition(stream="binance/BTC/USDT/bar_closed", epoch=12, sequence=90_210)
A_STOP: Final = StopCover(stop_price=Decimal("62800.5"))
TARGETS: Final = (
    Target(price=Decimal(66000), quantity_fraction=Decimal("0.5")),
    Target(price=Decimal("67500.25"), quantity_fraction=Decimal("0.5")),
)
AN_ANCHOR: Final = Anchor(sequence=4711, digest=DIGEST)
A_CONDITION: Final = Condition(
    name="feed_stale", scope=OfSymbol(symbol="BTC/USDT"), permission="REDUCE_ONLY", reason="no quote for 2.4 s"
)
A_LIMIT_USE: Final = LimitUse(
    name="exposure_total",
    scope=Everything(),
    used=Decimal("212.40"),
    limit=Decimal("300.00"),
    unit="USDT",
    unknown=None,
)
AN_UNKNOWN_USE: Final = LimitUse(
    name="drawdown_kill", scope=Everything(), used=None, limit=None, unit="USDT", unknown="nobody has read the account"
)

AN_INTENT: Final = EnterBracket(
    intent_id=INTENT_ID,
    strategy="trend",
    symbol="BTC/USDT",
    side="buy",
    timeframe="1h",
    bar_close_time_ns=NOON_NS,
    market_seen=A_POSITION,
    decision_price=Decimal("64000.12"),
    price_worst=Decimal("64128.12"),
    cover=A_STOP,
    targets=TARGETS,
    trail_distance=Decimal(1200),
    risk_fraction=Decimal("0.005"),
    expected_gain_fraction=None,
    work_for_ns=30 * SECOND_NS,
    evidence=(Evidence(name="adx_14", value="31.7"), Evidence(name="prior_high_20", value="63950.0")),
)
AN_APPROVAL: Final = Approval(
    approval_id=APPROVAL_ID,
    intent_id=INTENT_ID,
    strategy="trend",
    symbol="BTC/USDT",
    side="buy",
    quantity_max=Decimal("0.00312"),
    price_low=Decimal(63000),
    price_high=Decimal("64128.12"),
    decision_price=Decimal("64000.12"),
    cover=WatchCover(level_price=Decimal("62800.5")),
    targets=TARGETS,
    trail_distance=None,
    reserved_quote=Decimal("200.0799"),
    start_by_boot_ns=BOOT_NS + 2 * SECOND_NS,
    work_until_boot_ns=BOOT_NS + 30 * SECOND_NS,
    risk_epoch=17,
)
BODIES: Final[tuple[Body, ...]] = (
    AN_INTENT,
    SetExit(
        exit_id="trend:BTC/USDT:1790003600:exit",
        strategy="trend",
        symbol="BTC/USDT",
        target_quantity=Decimal(0),
        reason="close under the average",
    ),
    ExitTaken(exit_id="trend:BTC/USDT:1790003600:exit", target_quantity=Decimal(0)),
    ExitRefused(exit_id="trend:DOGE/USDT:1790003600:exit", reason="trend holds no DOGE/USDT"),
    IntentApproved(intent_id=INTENT_ID, approval_id=APPROVAL_ID, quantity_max=Decimal("0.00312")),
    IntentRefused(
        intent_id=INTENT_ID,
        rule="exposure_total_within_limit",
        value="312.40 USDT",
        limit="300.00 USDT",
        reason="the entry would take total exposure over its limit",
    ),
    AN_APPROVAL,
    IntentJudged(
        intent=AN_INTENT,
        approval=AN_APPROVAL,
        refusal=None,
        equity_quote=Decimal("1003.17"),
        exposure_quote=Decimal("64.12"),
        entries_today=2,
    ),
    ReservationFreed(approval_id=APPROVAL_ID, filled_quantity=Decimal("0.00100"), reason="the entry has ended"),
    EntriesPaused(scope=OfSymbol(symbol="BTC/USDT"), actor="ada", reason="upgrade of the venue"),
    EntriesResumed(scope=OfSymbol(symbol="BTC/USDT"), actor="ada", reason="the upgrade is over"),
    DayBegun(day_start_ns=NOON_NS // (86_400 * SECOND_NS) * 86_400 * SECOND_NS, equity_quote=Decimal("1003.17")),
    ApprovalTaken(approval_id=APPROVAL_ID),
    ApprovalDeclined(approval_id=APPROVAL_ID, rule="approval_in_time", reason="start_by passed 40 ms ago"),
    AskLease(number=7200, executor_epoch=7),
    LeaseAnswered(
        number=7200,
        risk_epoch=17,
        permission="RUN",
        conditions=(A_CONDITION,),
        latch=Latch(latch_id="kill-1", actor="ada", reason="prices look wrong", set_wall_ns=NOON_NS),
    ),
    EntryOpened(approval=AN_APPROVAL),
    EntryEnded(
        approval_id=APPROVAL_ID,
        intent_id=INTENT_ID,
        strategy="trend",
        symbol="BTC/USDT",
        filled_quantity=Decimal("0.00100"),
        reason="work_until passed",
    ),
    ExitOpened(
        exit_id="trend:BTC/USDT:1790003600:exit",
        strategy="trend",
        symbol="BTC/USDT",
        target_quantity=Decimal(0),
        asked_by="strategy-trend",
        reason="the trend is over",
    ),
    ExitEnded(
        exit_id="trend:BTC/USDT:1790003600:exit",
        strategy="trend",
        symbol="BTC/USDT",
        quantity_left=Decimal("0.0000008"),
        reason="what is left is below the venue's least order",
    ),
    ExitHeldUp(
        exit_id="trend:BTC/USDT:1790003600:exit",
        strategy="trend",
        symbol="BTC/USDT",
        reason="the venue takes no orders for a while: there were too many requests",
    ),
    CancelMarked(order=AN_ORDER, reason="work_until passed"),
    OutsideSeen(
        kind="transfer",
        reference="withdrawal-88",
        symbol=None,
        asset="USDT",
        quantity=Decimal("-120.00"),
        venue_time_ns=NOON_NS,
    ),
    ConditionSet(condition=A_CONDITION),
    ConditionCleared(
        name="outside_activity", scope=Everything(), actor="ada", reason="it was I who took the money out"
    ),
    SendMarked(
        order=AN_ORDER,
        order_type="limit_ioc",
        quantity=Decimal("0.00312"),
        limit_price=Decimal("64000.12"),
        stop_price=None,
        decision_price=Decimal("64000.00"),
        cost_expected_fraction=Decimal("0.0013"),
        child_number=1,
        window_ns=3 * SECOND_NS,
        lease_age_ns=120_000_000,
    ),
    OrderAcknowledged(order=AN_ORDER, venue_order_id="28457193", venue_time_ns=NOON_NS),
    OrderDoubted(order=AN_ORDER, http_status=504, venue_code="", reason="gateway timeout with an HTML body"),
    OrderFilled(
        order=AN_ORDER,
        venue_order_id="28457193",
        trade_id=3_141_592_653,
        price=Decimal("64000.12"),
        quantity=Decimal("0.00100"),
        quote_quantity=Decimal("64.00012"),
        cumulative_quantity=Decimal("0.00100"),
        fee=Decimal("0.0000845"),
        fee_asset="BNB",
        liquidity="taker",
        venue_time_ns=NOON_NS,
        decision_price=Decimal("64000.00"),
        cost_expected_quote=Decimal("0.0704"),
    ),
    OrderEnded(
        order=AN_ORDER,
        ending="canceled",
        executed_quantity=Decimal("0.00100"),
        average_price=Decimal("64000.12"),
        venue_code="",
        reason="work_until passed",
    ),
    PositionChanged(
        strategy="trend",
        symbol="BTC/USDT",
        quantity=Decimal("0.00100"),
        average_entry_price=Decimal("64000.12"),
        covered_quantity=Decimal("0.00100"),
    ),
    ReconcileFinished(
        pass_number=3,
        clean=False,
        differences=("BNB: ours 0.51, venue 0.50",),
        trades_read=(TradesReadTo("BTC/USDT", 3_141_592_654),),
    ),
    AccountSnapshot(
        read_number=881,
        account_fingerprint=DIGEST,
        venue_time_ns=NOON_NS,
        quote_asset="USDT",
        equity_quote=Decimal("1003.17"),
        balances=(
            Balance(asset="USDT", free=Decimal("739.09"), locked=Decimal(0)),
            Balance(asset="BTC", free=Decimal(0), locked=Decimal("0.00100")),
        ),
        counted=(
            Counted(asset="USDT", quantity=Decimal("739.09"), bid_quote=Decimal(1)),
            Counted(asset="BTC", quantity=Decimal("0.00100"), bid_quote=Decimal("264080.00")),
        ),
    ),
    InstrumentsTold(
        instruments=(
            InstrumentRules(
                symbol="BTC/USDT",
                base="BTC",
                quote="USDT",
                price_tick=Decimal("0.01"),
                quantity_step=Decimal("0.00001"),
                quantity_min=Decimal("0.00001"),
                notional_min_quote=Decimal(5),
            ),
        )
    ),
    RiskSnapshot(
        permission="RUN",
        conditions=(A_CONDITION,),
        latch_id=None,
        latch_is_cleared=False,
        equity_quote=Decimal("1003.17"),
        equity_peak_quote=Decimal("1010.00"),
        equity_day_start_quote=Decimal("1001.02"),
        day_pnl_quote=Decimal("2.15"),
        drawdown_fraction=Decimal("0.00676"),
        exposure_quote=Decimal("64.00"),
        reserved_quote=Decimal("136.08"),
        entries_today=2,
        day_start_ns=NOON_NS,
        limits=(A_LIMIT_USE,),
    ),
    PauseEntries(actor="ada", reason="exchange announced maintenance", scope=Everything()),
    ResumeEntries(actor="ada", reason="maintenance is over", scope=OfStrategy(strategy="trend")),
    AskLimits(actor="ada"),
    LimitsAnswered(limits=(A_LIMIT_USE, AN_UNKNOWN_USE)),
    ControlDone(summary="entries paused everywhere"),
    ControlRefused(rule="latch_unchanged", reason="another kill was pressed since the offer; ask again"),
    AskSnapshot(topic_prefix="binance/BTC/USDT/"),
    SnapshotGiven(positions=(A_POSITION,)),
    AskTail(from_sequence=1200, records_max=500),
    TailGiven(first_sequence=1200, record_count=35, last_sequence=1234),
    RequestRefused(rule="request_in_time", reason="it expired 2.1 s before it was read"),
    Hello(
        process_id=31337,
        restarts=0,
        build_id="0.1.0+2f6c1d9",
        schema_digest=DIGEST,
        money_config_digest=DIGEST,
        account_fingerprint=None,
    ),
    Heartbeat(
        state="running",
        handled=128_440,
        queued=0,
        flatten_step=0,
        money_config_digest=DIGEST,
        loop_gap_max_ns=3_100_000,
        memory_bytes=58_720_256,
        cpu_time_ns=12 * SECOND_NS,
        published=(StreamPosition(stream="reports", epoch=7, sequence=1234),),
        anchor=Anchor(sequence=1234, digest=DIGEST),
        troubles=("the disk has no room for the journal of executor",),
    ),
    HopsMeasured(hops=(A_HOP,)),
    *HALTING_BODIES,
    *DATA_BODIES,
)


def an_envelope(body: Body) -> Envelope:
    """Wrap a body as one of its lawful senders would."""
    senders = sorted(topic_of(type(body)).senders)
    return Envelope(
        schema=1,
        sender=senders[0] if senders else "executor",
        epoch=7,
        sequence=1234,
        id="executor-7-1234",
        cause_id=INTENT_ID,
        sent_wall_ns=NOON_NS,
        boot_id="b7c1",
        sent_boot_ns=BOOT_NS,
        expires_boot_ns=BOOT_NS + SECOND_NS,
        body=body,
    )


def a_market_envelope(body: MarketBody) -> MarketEnvelope:
    """Wrap a market body as the feed-handler would."""
    return MarketEnvelope(
        epoch=12,
        sequence=90_210,
        exchange_time_ns=NOON_NS,
        received_wall_ns=NOON_NS + 31_000_000,
        published_wall_ns=NOON_NS + 31_080_000,
        body=body,
    )
