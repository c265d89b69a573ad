"""Which faults a seed has, and how hard: each is switched by lot, one seed in ten has none at all."""

from collections.abc import Collection
from typing import Final

from tests.simulation.scheduler import Dice

CALM_SHARE: Final = 0.1
CALM_START_SHARE: Final = 0.7  # or nothing is read well for so long that little is traded
ON_SHARE: Final = 0.4

# Each fault with the greatest chance it can have, each time that it could strike.
FAULTS: Final[dict[str, float]] = {
    "request lost": 0.12,
    "reply lost": 0.2,
    "reply late": 0.2,
    "reply doubled": 0.3,
    "request held": 0.2,
    "error though done": 0.2,
    "error and not done": 0.2,
    "turned away": 0.2,
    "signing slow": 0.6,
    "latency": 0.5,
    "read failed": 0.25,
    "read lags": 0.6,
    "stream lost": 0.05,
    "told lost": 0.3,
    "told late": 0.3,
    "told doubled": 0.3,
    "banned": 0.02,
    "executor killed": 0.04,
    "executor frozen": 0.04,
    "executor stays away": 1.0,
    "executor asked to stop": 0.02,
    "executor power cut": 0.3,
    "executor disk slow": 0.08,
    "executor disk full": 0.02,
    "executor segment begun": 0.1,
    "risk killed": 0.015,
    "risk frozen": 0.02,
    "risk asked to stop": 0.015,
    "risk power cut": 0.3,
    "risk disk slow": 0.05,
    "risk disk full": 0.02,
    "risk segment begun": 0.1,
    "flattener killed": 0.06,
    "flattener frozen": 0.02,
    "flattener asked to stop": 0.02,
    "flattener power cut": 0.8,
    "flattener disk slow": 0.2,
    "flattener disk full": 0.02,
    "flattener segment begun": 0.1,
    "role refused": 0.7,
    "strategy killed": 0.03,
    "strategy frozen": 0.04,
    "strategy asked to stop": 0.02,
    "strategy cannot write": 0.2,
    "ask lost": 0.3,
    "ask late": 0.3,
    "ask doubled": 0.4,
    "ask replayed": 0.1,
    "answer lost": 0.3,
    "answer late": 0.3,
    "lease lost": 0.9,
    "lease late": 0.3,
    "hint lost": 0.4,
    "hint late": 0.3,
    "hint doubled": 0.3,
    "tail lost": 0.4,
    "beat lost": 0.4,
    "beat late": 0.3,
    "market lost": 0.1,
    "market late": 0.1,
    "feed silent": 0.04,
    "feed doubts": 0.04,
    "bar doubtful": 0.1,
    "traded by hand": 0.02,
    "moved by hand": 0.02,
    "ordered by hand": 0.02,
    "executor paused by hand": 0.05,
    "risk paused by hand": 0.1,
    "killed by hand": 0.04,
    "flattened by hand": 0.04,
    "killed as an entry is approved": 0.1,
    "killed with the executor gone": 0.04,
    "HALT file touched by hand": 0.02,
    "HALT file touched as the latch is lifted": 1.0,
    "HALT file removed by hand": 0.03,
    "HALT file unwritable": 0.3,
    "price jumps": 0.08,
    "book thin": 0.3,
    "filled though cancelled": 0.3,
}


class Weather:
    """The faults of a seed. What strikes is drawn from dice of its own, so switching one fault off shifts no other."""

    def __init__(self, dice: Dice, *, without: Collection[str] = ()) -> None:
        chosen = dice.of("weather")
        self.is_calm: Final = chosen.random() < CALM_SHARE
        self._dice: Final = dice
        self._chances: Final[dict[str, float]] = {}
        for fault, greatest in FAULTS.items():
            is_on, intensity = chosen.random() < ON_SHARE, chosen.random()
            if is_on and not self.is_calm and fault not in without:
                self._chances[fault] = greatest * intensity
        self.struck: Final[dict[str, int]] = {}
        self.is_over = chosen.random() < CALM_START_SHARE

    @property
    def faults(self) -> list[str]:
        """Return the faults of this seed."""
        return list(self._chances)

    def strikes(self, fault: str) -> bool:
        """Draw whether a fault strikes now."""
        assert fault in FAULTS, f"{fault} is no fault"
        chance = self._chances.get(fault, 0.0)
        if not chance or self._dice.of(fault).random() >= chance or self.is_over:
            return False
        self.struck[fault] = self.struck.get(fault, 0) + 1
        return True

    def amount(self, fault: str, low: int, high: int) -> int:
        """Draw how much of a fault there is."""
        return self._dice.of(f"{fault}: how much").randint(low, high)
