"""A position that was to have a stop and has none, as risk sees it: by the executor's reports, and by readings."""

from decimal import Decimal
from typing import Final

from proto.account import Balance
from proto.control import Flatten
from proto.orders import ExitOpened, OrderKey, PositionChanged
from proto.verdicts import Alerted, CoverTripped
from shared.core.service import Ask
from tests.services.risk_watchdog.bench import a_wish
from tests.services.risk_watchdog.surroundings import Scene

SYMBOL: Final = "ADA/USDT"
COVER: Final = OrderKey("c1", "cover-1", "trend", SYMBOL, "sell", "cover")
EXIT: Final = ExitOpened("exit-1", "trend", SYMBOL, Decimal(0), "trend", "the target is reached")


def bought(scene: Scene) -> None:
    """Let an entry be opened, filled and ended, and no stop be placed."""
    approval = scene.bench.approved(a_wish())
    scene.executor.opens(approval)
    holds(scene)
    scene.executor.ends(approval, "2")


def holds(scene: Scene, quantity: str = "2", *, covered: str = "0") -> None:
    """Let the executor tell of the position, and of how much of it a stop covers."""
    paid = Decimal(100) if Decimal(quantity) else None
    scene.executor.tells(PositionChanged("trend", SYMBOL, Decimal(quantity), paid, Decimal(covered)))


def passes(scene: Scene, seconds: float, *, beats: bool = True) -> None:
    """Let time pass, with the clock ringing."""
    for _ in range(round(seconds * 2)):
        scene.bench.wait(0.3)
        scene.strategy.beats()
        if beats:
            scene.executor.beats()
        scene.bench.tick()


def reads(scene: Scene, free: str = "2", locked: str = "0", *, times: int = 1, **changes: object) -> None:
    """Let the flattener read the account, two seconds after what was before."""
    for _ in range(times):
        passes(scene, 2)
        found = (Balance("USDT", Decimal(9_800), Decimal(0)), Balance("ADA", Decimal(free), Decimal(locked)))
        scene.flattener.reads("10000", late_s=0, **({"balances": found} | changes))
        scene.bench.tick()


def trips(scene: Scene) -> list[str]:
    """Return the trips that were written down."""
    return [trip.trip_id for trip in scene.bench.written(CoverTripped)]


def told(scene: Scene) -> list[str]:
    """Return what a person was told."""
    return [alerted.text for alerted in scene.bench.written(Alerted)]


def asked(scene: Scene) -> list[Ask]:
    """Return how often the executor was asked to close it."""
    return [ask for ask in scene.bench.of(Ask) if isinstance(ask.body, Flatten)]
