"""The wish of a kernel as the message that risk is asked with: floats become prices on the symbol's ticks.

Every price is rounded so that the trade is rather worse than wished for: paid less, stopped sooner, a nearer target.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final

from proto.fields import Side
from proto.intents import EVIDENCE_MAX, EnterBracket, Evidence, StopCover, Target
from proto.streams import StreamPosition
from shared.strategies.decider import Decision
from shared.strategies.intent_ids import intent_id

WHOLE: Final = Decimal(1)
_arithmetic: Final = Context(prec=60, traps=[InvalidOperation])


def enter_bracket(
    decision: Decision,
    *,
    strategy: str,
    symbol: str,
    bar_length: str,
    market_seen: StreamPosition,
    tick: Decimal,
    work_for_ns: int,
) -> EnterBracket:
    """Return the entry that a decision asks for."""
    wish = decision.wish
    side = side_of(wish.direction)
    nearer, farther = (ROUND_FLOOR, ROUND_CEILING) if side == "buy" else (ROUND_CEILING, ROUND_FLOOR)
    decision_price = _on_tick(wish.decision_price, tick, ROUND_HALF_EVEN)
    worst = _on_tick(wish.price_worst, tick, nearer)
    return EnterBracket(
        intent_id=intent_id(strategy=strategy, symbol=symbol, bar_close_time_ns=decision.bar_close_time_ns, side=side),
        strategy=strategy,
        symbol=symbol,
        side=side,
        timeframe=bar_length,
        bar_close_time_ns=decision.bar_close_time_ns,
        market_seen=market_seen,
        decision_price=decision_price,
        price_worst=max(worst, decision_price) if side == "buy" else min(worst, decision_price),
        cover=StopCover(_on_tick(wish.stop_price, tick, farther)),
        targets=(Target(_on_tick(wish.target_price, tick, nearer), WHOLE),),
        trail_distance=None,
        risk_fraction=exactly(wish.risk_fraction),
        expected_gain_fraction=None,
        work_for_ns=work_for_ns,
        evidence=tuple(Evidence(name, f"{value:.10g}") for name, value in decision.evidence[:EVIDENCE_MAX]),
    )


def side_of(direction: float) -> Side:
    """Return on which side of the market a direction begins."""
    return "buy" if direction > 0 else "sell"


def exactly(number: float) -> Decimal:
    """Return a float as the shortest decimal that reads back as it: what it was before it became a float."""
    return Decimal(repr(float(number)))  # numpy's own floats write themselves with their type


def _on_tick(price: float, tick: Decimal, rounding: str) -> Decimal:
    ticks = _arithmetic.divide(exactly(price), tick).to_integral_value(rounding)
    return _arithmetic.multiply(ticks, tick)
