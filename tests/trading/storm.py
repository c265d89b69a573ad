"""Rounds of a storm: a mesh that trades is killed, frozen, halted and lied to, by a seed; it settles, and is judged."""

import random
import select
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from proto.fencing import RoleTaken
from proto.fields import Role
from proto.orders import EntryOpened, OrderFilled
from proto.verdicts import KillLatched
from tests.trading.doubts import DOUBTS, GHOSTS
from tests.trading.mesh import ACCOUNT, TradingMesh
from tests.trading.owner import Owner
from tests.trading.project import SYMBOLS
from tests.trading.trader import NAME, Trader

ROUNDS_TO_SETTLE: Final = 5
TRADES_A_ROUND: Final = 4
HELD_MAX: Final = 2  # and the entries of a round have room besides
WAIT_MS_MAX: Final = 600
FAULT_MS_MAX: Final = 4_000  # a stop that cannot be placed for longer would rightly be missed
VICTIMS: Final = ("executor", "executor", "risk", "feed", "exchange", "flattener")
FROZEN: Final = ("executor", "risk", "feed", "exchange", "flattener")
CHANNELS: Final[tuple[Role, ...]] = ("risk", "executor", "flattener")  # to press kill at, beside the file
HEARD_MS: Final = 1_500  # after it stood still it is heard again by then, or was ended for it
AWAY_MS_MAX: Final = 9_000  # longer than the flattener waits for an executor under the latch

# Where an executor or a risk dies by itself, if it comes there before the round ends.
PLACES: Final = (
    ("executor", "reports EntryOpened"),
    ("executor", "performs SendOrder"),
    ("executor", "brings OrderSent"),
    ("executor", "brings OrderTold"),
    ("executor", "brings OrderRead"),
    ("executor", "reports OrderFilled"),
    ("executor", "recorded OrderFilled"),
    ("executor", "recorded PositionChanged"),
    ("executor", "recorded OrderEnded"),
    ("executor", "reports SendMarked order.purpose=cover"),
    ("executor", "performs CancelOrder"),
    ("executor", "brings CancelSent"),
    ("executor", "recorded ReconcileFinished"),
    ("risk", "reports IntentJudged"),
    ("risk", "recorded IntentJudged"),
    ("risk", "recorded ReservationFreed"),
)
# What the exchange does besides answering orders badly; each for a moment.
TROUBLES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "stream_silent"},
    {"kind": "read_lag", "lag_ms": 1_500},
    {"kind": "report_lost", "when": {"probability": 0.5}},
    {"kind": "report_duplicated", "times": 3},
    {"kind": "reports_reordered", "behind": 1, "held_ms": 800},
    {"kind": "stream_cut"},
    {"kind": "maintenance"},
    {"kind": "rate_limited", "retry_after_seconds": 1},
    {"kind": "fill_after_cancel", "delay_ms": 300},
    {"kind": "drop_reply", "hold_ms": 1_000},
)


@dataclass
class Weathered:
    """What a storm consisted of, and what was traded in it."""

    acts: Counter[str]
    entries: int = 0
    fills: int = 0
    latches: int = 0
    tenures: int = 0  # how often the flattener had the executor's role
    bare: int = 0  # how often a position had no stop for longer than promised


class Storm:
    """Goes through rounds; raises AssertionError for whatever does not heal, or is judged to be broken."""

    def __init__(self, mesh: TradingMesh, *, seed: int, say: Callable[[str], None]) -> None:
        self._mesh: Final = mesh
        self._trader: Final = Trader(mesh)
        self._owner: Final = Owner(mesh)
        self._random: Final = random.Random(seed)  # noqa: S311 -- a seed has to bring the same acts again
        self._say: Final = say
        self._weathered: Final = Weathered(Counter())

    def go_through(self, rounds: int) -> Weathered:
        """Trade and be struck so many times, with a flattener there."""
        self._mesh.start("flattener")
        for number in range(1, rounds + 1):
            self._enter()
            words = self._strike()
            self._say(f"round {number}: {words}")
            if number % ROUNDS_TO_SETTLE == 0 or number == rounds:
                self._calm()
        self._weathered.entries = len(self._mesh.written.by_executor(EntryOpened))
        self._weathered.fills = len(self._mesh.written.by_executor(OrderFilled))
        self._weathered.latches = len(self._mesh.written.by_risk(KillLatched))
        self._weathered.tenures = len(self._mesh.written.by_flattener(RoleTaken))
        return self._weathered

    def _enter(self) -> None:
        """Have an entry worked, so that there is something to lose; this waits until the mesh has healed so far."""
        self._mesh.forget_deaths()
        held = {symbol for _, symbol in self._mesh.written.to_leave()}
        free = [symbol for symbol in SYMBOLS if symbol not in held]
        if len(held) <= HELD_MAX and free:
            self._trader.enter(self._random.choice(free))
        else:
            self._trader.leave((NAME, self._random.choice(SYMBOLS)))

    def _strike(self) -> str:
        """Do one thing to the mesh while it trades, and let it be whole again but for what the exchange does."""
        acts = (self._kill, self._kill_at_a_place, self._freeze, self._halt, self._doubt, self._trouble)
        words = self._random.choice(acts)()
        self._weathered.acts[words] += 1
        self._mesh.revive()
        if self._owner.latch_id is not None:
            self._mesh.until(self._owner.told_flat)
            self._owner.cleared()
        return words

    def _kill(self) -> str:
        victim = self._random.choice(VICTIMS)
        self._trade()
        self._mesh.kill(victim)
        return f"{victim} is killed"

    def _kill_at_a_place(self) -> str:
        victim, place = self._random.choice(PLACES)
        self._mesh.die_at(victim, place)
        self._trade()
        self._mesh.die_nowhere(victim)
        if self._mesh.is_alive(victim):
            return f"{victim} does not come to {place}"
        self._mesh.died(victim)
        return f"{victim} dies where it {place}"

    def _freeze(self) -> str:
        victim = self._random.choice(FROZEN)
        self._trade()
        self._mesh.freeze(victim)
        self._wait(self._random.randrange(200, FAULT_MS_MAX))
        self._mesh.thaw(victim)
        self._wait(HEARD_MS)
        return f"{victim} stands still"

    def _halt(self) -> str:
        """Press kill in one of its ways, maybe with somebody dead, for so long that another acts for him."""
        victim = self._random.choice((None, None, "executor", "executor", "risk", "flattener"))
        channel = self._random.choice((None, *CHANNELS))
        self._trade()
        if victim is not None:
            self._mesh.kill(victim)
        if channel is None or channel == victim:
            self._owner.touch()
        else:
            self._owner.press(channel, "a storm")
        self._trade()
        if victim is not None:
            self._wait(self._random.randrange(AWAY_MS_MAX))
        return f"kill is pressed with {victim or 'nobody'} dead"

    def _doubt(self) -> str:
        doubt = self._random.choice([*DOUBTS, None])
        executed = self._random.random() < 0.5
        fault = self._random.choice(GHOSTS) if doubt is None else doubt.fault(executed=executed)
        words = str(fault["kind"]) if doubt is None else f"{doubt.words}, {'' if executed else 'not '}executed"
        method = self._random.choice(("POST", "POST", "DELETE"))
        self._suffer(fault, {"endpoint": f"{method} /api/v3/order"})
        self._trade()
        return f"{method}: {words}"

    def _trouble(self) -> str:
        trouble = self._random.choice(TROUBLES)
        self._suffer(trouble, trouble.get("when", {}))
        self._trade()
        return str(trouble["kind"])

    def _suffer(self, fault: dict[str, Any], when: dict[str, Any]) -> None:
        """Let the exchange fail for a moment; a few of its answers to others than us are spared."""
        until = f"+{self._random.randrange(500, FAULT_MS_MAX)}ms"
        self._mesh.admin.fault(**{**fault, "when": {**when, "account": ACCOUNT, "until": until}})

    def _trade(self) -> None:
        """Ask for some entries and exits, whatever comes of them."""
        for _ in range(TRADES_A_ROUND):
            symbol = self._random.choice(SYMBOLS)
            if self._random.random() < 0.4:
                self._trader.leave((NAME, symbol))
            else:
                self._trader.try_to_enter(symbol)
            self._wait(self._random.randrange(WAIT_MS_MAX))

    def _calm(self) -> None:
        """Let all faults end, everything be sold, and the checker judge."""
        self._mesh.heal()
        self._trader.settle()
        self._weathered.bare = self._mesh.judge("--settled")

    def _wait(self, milliseconds: int) -> None:
        select.poll().poll(milliseconds)
