"""Examples of what stops the mesh and flattens the account; `examples.py` has the rest."""

from decimal import Decimal
from typing import Final

from proto.account import Counted
from proto.control import AskClearKill, ClearKillOffered, ConfirmClearKill, Flatten, Kill, LiftKill
from proto.envelope import Body
from proto.fencing import RoleReturned, RoleTaken
from proto.orders import FlatnessTold, FlattenBegun, FlattenCalledOff
from proto.risk import Latch
from proto.verdicts import (
    Alerted,
    CoverRead,
    CoverTripped,
    EquityRead,
    FlowCounted,
    GuardTripped,
    HolderRetired,
    KillCleared,
    KillLatched,
)
from tests.proto.examples_of_data import NOON_NS

DIGEST: Final = "5b" * 32
LATCH_ID: Final = "kill-20261121-120000"

HALTING_BODIES: Final[tuple[Body, ...]] = (
    KillLatched(
        latch=Latch(latch_id=LATCH_ID, actor="ada", reason="prices look wrong", set_wall_ns=NOON_NS),
    ),
    KillCleared(latch_id=LATCH_ID, actor="ada", reason="feed was at fault, mended"),
    FlowCounted(report_sequence=1288, asset="USDT", quantity=Decimal("-120.00"), worth_quote=Decimal("-120.00")),
    EquityRead(
        reader_epoch=5,
        read_number=881,
        venue_time_ns=NOON_NS,
        equity_quote=Decimal("858.50"),
        executor_equity_quote=Decimal("858.91"),
        account_fingerprint=DIGEST,
        quote_asset="USDT",
        counted=(Counted("USDT", Decimal("858.50"), Decimal(1)), Counted("ETH", Decimal(0), None)),
    ),
    GuardTripped(
        trip_id="drawdown-17-2204",
        guard="drawdown",
        base_quote=Decimal("1010.00"),
        floor_quote=Decimal("858.50"),
        equity_quote=Decimal("858.50"),
        reason="equity is 15.00 % below its peak, at most 15 % may be lost",
    ),
    CoverRead(
        reader_epoch=17,
        read_number=2204,
        venue_time_ns=NOON_NS,
        strategy="trend",
        symbol="BTC/USDT",
        report_sequence=1290,
        uncovered_ns=15_200_000_000,
        quantity=Decimal("0.0004"),
        covered_quantity=Decimal("0.0001"),
        elsewhere_quantity=Decimal(0),
        free_quantity=Decimal("0.0003"),
        locked_quantity=Decimal("0.0001"),
    ),
    CoverTripped(
        trip_id="trip-cover-17-2205-1290",
        strategy="trend",
        symbol="BTC/USDT",
        quantity=Decimal("0.0004"),
        reason="0.0004 BTC/USDT of trend are without a stop at the exchange for 17 s, and the executor does nothing",
    ),
    HolderRetired(instance="executor", process_id=31337, reason="it made no progress for 4.2 s"),
    Alerted(level="warning", name="drawdown_near", text="equity is 11.4 % below its peak, trading stops at 15 %"),
    FlattenBegun(flatten_id=LATCH_ID, symbol=None, actor="ada", reason="prices look wrong"),
    FlattenCalledOff(flatten_id="flatten-1790000000000000000", actor="ada", reason="the market is halted"),
    FlatnessTold(
        flatten_id=LATCH_ID,
        is_flat=False,
        pass_number=4,
        reason="0.0001 BTC of trend are left: the venue takes no order so small",
    ),
    RoleTaken(instance="executor", epoch=8, reason="it makes no progress, and the kill latch is set"),
    RoleReturned(instance="executor", epoch=8, reason="everything is flat"),
    Kill(actor="ada", reason="prices look wrong"),
    AskClearKill(actor="ada", reason="feed was at fault, mended", latch_id=LATCH_ID),
    ClearKillOffered(latch_id=LATCH_ID, offer_id="offer-7Q2F", summary="flat since 12:03, nothing open"),
    ConfirmClearKill(actor="ada", latch_id=LATCH_ID, offer_id="offer-7Q2F"),
    LiftKill(actor="ada", reason="feed was at fault, mended", latch_id=LATCH_ID),
    Flatten(actor="ada", reason="over the weekend", symbol="BTC/USDT"),
)
