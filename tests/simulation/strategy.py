"""What the real strategy host is run with: a kernel that enters often, and a shelf that may refuse to take."""

from collections.abc import Callable
from typing import Final

import numpy as np

from services.strategy.core.host import StrategyCore
from services.strategy.core.vocabulary import Kept, NotRemembered, Remember, Remembered, Terms
from services.strategy.shelf import BYTES_MAX, KIND
from shared.core.service import Outward
from shared.market.columns import Floats
from shared.market.features import Feature
from shared.mesh.sealed_record import Damaged, seal, unseal
from shared.strategies.strategy import CLOSE, NOTHING, VOLUME, BracketWish, Parameter, Strategy
from tests.simulation.feed import FEED
from tests.simulation.machine import Surroundings
from tests.simulation.market import BAR_LENGTH
from tests.simulation.process import Process
from tests.simulation.venue import SYMBOLS, VENUE

STRATEGY: Final = "strategy"
OWNER: Final = "eager"
REST_BARS: Final = 2
QUIET_BARS: Final = 0  # the one place of the state: bars since the last fill


def on_bar(state: Floats, row: Floats, bar: Floats, params: Floats, held: float) -> BracketWish:
    """Wish for an entry at every third bar or so, by its volume, if not too much is held."""
    del row
    state[QUIET_BARS] += 1.0
    volume = int(bar[VOLUME])
    if state[QUIET_BARS] <= REST_BARS or volume % 3 != 0 or (held != 0.0 and volume % 5 != 0):
        return NOTHING
    close = bar[CLOSE]
    stop = close * (1.0 - (2.0 + volume % 7) / 1_000.0)
    target = close * (1.0 + (8.0 + volume % 11) / 1_000.0)
    return BracketWish(1.0, close, close * 1.004, stop, target, params[0])


def on_fill(state: Floats, _params: Floats, _quantity: float, _price: float) -> None:
    """Begin to rest."""
    state[QUIET_BARS] = 0.0


EAGER: Final = Strategy(
    name="eager",
    idea="enter often, so that there is something to go wrong",
    parameters=(Parameter("risk_fraction", "float", 0.005, 0.0005, 0.02, "what the stop may lose, of equity"),),
    constraints=(),
    parameter_sets={},
    features=lambda _: (Feature("sma_close", 2),),
    initial_state=lambda _: np.array([100.0]),
    on_bar=on_bar,
    on_fill=on_fill,
)


def strategy_core() -> StrategyCore:
    """Return the strategy host as it is, with a kernel that has something to do every few seconds."""
    return StrategyCore(
        Terms(
            owner=OWNER,
            strategy=EAGER,
            chosen={},
            bar_length=BAR_LENGTH,
            venue=VENUE,
            feeds=dict.fromkeys(SYMBOLS, FEED),
        )
    )


class File:
    """Where the strategy's process writes: it outlives each of its lives."""

    def __init__(self, look: Callable[[Kept], None]) -> None:
        self._content: bytes | None = None
        self._look: Final = look

    def write(self, kept: Kept) -> None:
        """Take what is known in the place of what was known before."""
        self._content = seal(KIND, kept)
        self._look(kept)

    def kept(self) -> Kept | None:
        """Return what was written down last."""
        if self._content is None:
            return None
        found = unseal(KIND, self._content, Kept, bytes_max=BYTES_MAX)
        assert not isinstance(found, Damaged), "a file is replaced as a whole"
        return found


class SimShelf:
    """The hands of one life, as services/strategy/shelf.py has them."""

    def __init__(self, *, process: Process, around: Surroundings, file: File) -> None:
        self._process: Final = process
        self._weather: Final = around.weather
        self._file: Final = file

    def open(self) -> None:
        """Bring what was written down last."""
        self._process.take(Remembered(self._file.kept(), ""))

    def close(self) -> None:
        """End: what is written down stays."""

    def perform(self, effect: Outward) -> None:
        """Write down what is known, if there is room."""
        assert isinstance(effect, Remember), f"{effect} is nothing to write down"
        if self._weather.strikes("strategy cannot write"):
            self._process.take(NotRemembered("no room"))
        else:
            self._file.write(effect.kept)
