"""What the checker says: each promise that was not kept, and how often each was looked at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

INVARIANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "I1": "approved before it was sent, and within the approval",
        "I2": "one entry per intent, one approval per entry",
        "I3": "nothing is at the exchange that was not durably marked before",
        "I4": "sent once, executed once: never more than approved, never two children at a time",
        "I5": "every order ended as the exchange says it did",
        "I6": "no order before the one it replaces has ended",
        "I7": "what was called absent was proved to be",
        "I8": "every fill counts once, with its fee, and is a trade of the exchange",
        "I9": "every order lived by the table of docs/order-life.md",
        "I10": "positions are the sums of their fills",
        "I11": "balances are what was there and what came and went, to the last digit",
        "I12": "amounts are finite, and orders fit the filters",
        "I13": "nothing is approved while entries are paused or on a lost day, nor entered under the kill latch, "
        "which a person clears",
        "I14": "no entry before the books were reconciled, nor under a standing condition",
        "I15": "what reduces a position leaves within seconds, or it is said why not, and never turns it over",
        "I16": "every approval was within the limits, and no guard of the account tripped without need",
        "I17": "no more orders a minute than the governor allows",
        "I18": "reservations are made, freed once, and within the limit",
        "I19": "what was bought under a stop was protected within seconds",
        "I20": "a trading day begins once, and its counters never go back",
        "I21": "one writer at a time, of ever higher epochs",
        "I25": "nothing was done after its time, nor under an epoch that is over",
        "I26": "journals and log are whole, in order and readable",
        "I28": "every act names who did it and why, FLAT is only said of what was read back, and dust is worth little",
        "I30": "in the end everything has ended, and the books agree",
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it stands: in which journal or log, under which number, about which order."""

    journal: str
    sequence: int | None = None
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was not kept: which, how, and where that shows."""

    invariant: str
    what: str
    place: Place

    def __str__(self) -> str:
        """Say it in one line."""
        number = "" if self.place.sequence is None else f" {self.place.sequence}"
        order = f", order {self.place.client_id}" if self.place.client_id else ""
        return f"{self.invariant}  {self.place.journal}{number}{order}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that was found, what was read for it, how often each promise was looked at, and what could not be judged."""

    violations: tuple[Violation, ...]
    read: Mapping[str, int]
    checked: Mapping[str, int]
    unchecked: tuple[str, ...]


class Judge:
    """Counts what is looked at, and keeps what does not hold."""

    def __init__(self) -> None:
        self.violations: Final[list[Violation]] = []
        self.checked: Final[Counter[str]] = Counter()
        self.unchecked: Final[list[str]] = []

    def hold(self, invariant: str, what: str, place: Place, *, holds: bool) -> bool:
        """Look at one thing: `what` says how the promise is broken if it does not hold."""
        assert invariant in INVARIANTS, f"{invariant} has no line in INVARIANTS"
        self.checked[invariant] += 1
        if not holds:
            self.violations.append(Violation(invariant, what, place))
        return holds

    def skip(self, what: str) -> None:
        """Say what cannot be judged, and why."""
        self.unchecked.append(what)
