"""Two small peers of a strategy: `python -m tests.services.strategy.peer_program ROOT risk|executor`.

This risk notes what it is asked, and refuses it a while later. This executor has nothing in its journal, and says in
which steps its venue trades.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from proto.account import InstrumentRules, InstrumentsTold
from proto.intents import EnterBracket
from proto.verdicts import IntentRefused
from shared.core.service import Answer, Asked, Effect, Happening, Moment, Note, Say, Started, WakeAt, Woken
from shared.mesh.service import JournaledPlan, Plan, run

ASKED: Final = "an entry is asked for"
ANSWER_NS: Final = 1_500_000_000
SAY_NS: Final = 200_000_000
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT")
STEPS: Final = tuple(
    InstrumentRules(
        symbol=symbol,
        base=symbol.partition("/")[0],
        quote="USDT",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00001"),
        quantity_min=Decimal("0.00001"),
        notional_min_quote=Decimal(5),
    )
    for symbol in SYMBOLS
)


class SlowRisk:
    """Refuses everything, after some time to think."""

    def __init__(self) -> None:
        self._asked: Final[dict[str, Asked]] = {}

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Note, wait, refuse."""
        match happening:
            case Asked(envelope=envelope) if isinstance(envelope.body, EnterBracket):
                intent = envelope.body
                self._asked[envelope.id] = happening
                details = {
                    "intent": intent.intent_id,
                    "symbol": intent.symbol,
                    "asked_as": envelope.id,
                    "bar_close_time_ns": intent.bar_close_time_ns,
                    "price": f"{intent.decision_price:f}",
                }
                return (Note("info", ASKED, details), WakeAt(envelope.id, now.boot_ns + ANSWER_NS))
            case Woken(timer=asked_as):
                return (Answer(self._asked[asked_as], IntentRefused(asked_as, "rule", "2", "1", "too much")),)
            case _:
                return ()


class EmptyExecutor:
    """Has done nothing yet."""

    def state(self) -> bytes:
        """Return all that it knows."""
        return b""

    def handle(self, happening: Happening, now: Moment) -> Sequence[Effect]:
        """Say in which steps the venue trades, again and again."""
        match happening:
            case Started() | Woken():
                return (Say(InstrumentsTold(instruments=STEPS)), WakeAt("say", now.boot_ns + SAY_NS))
            case _:
                return ()


def plan_of(instance: str) -> Plan:
    """Return what the peer is."""
    if instance == "risk":
        return Plan(instance=instance, core=SlowRisk(), answers=("intents",))
    return JournaledPlan(instance=instance, core=EmptyExecutor(), says=("account",), reports="reports")


if __name__ == "__main__":
    sys.exit(run(plan_of(sys.argv[2]), root=Path(sys.argv[1])))
