"""Entries, accounts and limits for the tests of the rules."""

from decimal import Decimal
from typing import Final

from proto.fields import Side
from proto.intents import Cover, EnterBracket, StopCover, Target
from proto.streams import StreamPosition
from shared.risk.book import Book, Candidate, Exposure, Lot
from shared.risk.limits import Limits
from shared.risk.tiers import tier_of_equity
from shared.trading.costs import CostTerms
from tests.proto.examples import A_POSITION
from tests.shared.trading.terms import the_terms

SMALL: Final = Limits(
    risk_per_trade_fraction=Decimal("0.005"),
    order_fraction=Decimal("0.05"),
    order_quote_max=Decimal(500),
    position_fraction=Decimal("0.1"),
    position_quote_max=Decimal(1_000),
    exposure_fraction=Decimal("0.3"),
    reserve_cash_fraction=Decimal("0.2"),
    positions_max=3,
    entries_per_day_max=10,
    daily_loss_breaker_fraction=Decimal("0.03"),
    daily_loss_is_by_size=True,
)
SEEN: Final[StreamPosition] = A_POSITION


def an_intent(
    *,
    entry: str = "100",
    stop: str = "98",
    target: str | None = "103",
    symbol: str = "ADA/USDT",
    side: Side = "buy",
    worst: str | None = None,
    risk: str = "0.005",
    gain: str | None = None,
) -> EnterBracket:
    """Return an entry that a strategy may ask for."""
    cover: Cover = StopCover(Decimal(stop))
    return EnterBracket(
        intent_id="an-intent",
        strategy="trend",
        symbol=symbol,
        side=side,
        timeframe="1h",
        bar_close_time_ns=0,
        market_seen=SEEN,
        decision_price=Decimal(entry),
        price_worst=Decimal(worst or entry),
        cover=cover,
        targets=() if target is None else (Target(Decimal(target), Decimal(1)),),
        trail_distance=None,
        risk_fraction=Decimal(risk),
        expected_gain_fraction=None if gain is None else Decimal(gain),
        work_for_ns=0,
        evidence=(),
    )


def a_candidate(
    intent: EnterBracket | None = None,
    *,
    step: str = "0.01",
    quantity_min: str = "0.01",
    notional_min: str = "5",
    market: str | None = None,
    costs: CostTerms[Decimal] | None = None,
) -> Candidate:
    """Return an entry with what trading its symbol takes."""
    wish = intent or an_intent()
    return Candidate(
        intent=wish,
        market_price=wish.decision_price if market is None else Decimal(market),
        lot=Lot(Decimal(step), Decimal(quantity_min), Decimal(notional_min)),
        costs=costs or the_terms(Decimal),
    )


def a_book(
    equity: str = "2000",
    *,
    free: str | None = None,
    held: tuple[tuple[str, str, str], ...] = (),
    day_start: str | None = None,
    entries: int = 0,
    is_recovering: bool = False,
) -> Book:
    """Return an account; what is held is written as strategy, symbol and worth."""
    return Book(
        equity_quote=Decimal(equity),
        free_quote=Decimal(equity if free is None else free),
        tier=tier_of_equity(Decimal(equity)),
        exposures=tuple(Exposure(strategy, symbol, Decimal(worth)) for strategy, symbol, worth in held),
        day_start_quote=Decimal(equity if day_start is None else day_start),
        entries_today=entries,
        is_recovering=is_recovering,
    )
