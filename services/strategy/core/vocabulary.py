"""What a group of decisions is about, and what passes between the core and the file in which it is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from services.strategy.core.holding import Holding
from shared.core.service import FromOutside, Outward
from shared.strategies.decider import StoredState
from shared.strategies.strategy import Strategy, parameter_row


@dataclass(frozen=True, kw_only=True)
class Terms:
    """One strategy on the bars of some symbols. Its positions go by the name of their `owner`."""

    owner: str
    strategy: Strategy
    chosen: Mapping[str, float]
    bar_length: str
    venue: str
    feeds: Mapping[str, str]  # who reads each symbol

    @property
    def decides_by(self) -> str:
        """All that its decisions depend on beside bars and fills: the state of another kernel is of no use."""
        row = " ".join(repr(float(value)) for value in parameter_row(self.strategy, self.chosen))
        return f"{self.strategy.name} {self.bar_length} {row}"


class Fill(msgspec.Struct, frozen=True):
    """What was bought, or sold as a negative quantity, as a kernel is told it."""

    venue_time_ns: int
    quantity: float
    price: float


class SymbolKept(msgspec.Struct, frozen=True):
    """What is known of one symbol. The `fills` are those that the kernel was not told yet."""

    symbol: str
    kernel: StoredState
    holding: Holding
    fills: tuple[Fill, ...]


class Kept(msgspec.Struct, frozen=True):
    """What came of all bars and reports up to some of them: to go on from there is as good as never to have ended."""

    owner: str
    decides_by: str
    reports_read: int  # the number of the last one
    symbols: tuple[SymbolKept, ...]


@dataclass(frozen=True, slots=True)
class Remember(Outward):
    """Write it down, in the place of what was written before."""

    kept: Kept


@dataclass(frozen=True, slots=True)
class Remembered(FromOutside):
    """What was written down last, None where there is nothing that could be used; `trouble` says why, if it should."""

    kept: Kept | None
    trouble: str


@dataclass(frozen=True, slots=True)
class NotRemembered(FromOutside):
    """It could not be written down. What was written before is as good, and takes longer to go on from."""

    reason: str
