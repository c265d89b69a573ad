"""What is known at one moment, and how it is gathered from answer to answer."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from proto.measures import HopsGiven, MeasuresGiven, SymbolMeasured
from services.watch.picture.figures import Places, places_for

TRAIL_MAX: Final = 12
TRAIL_STEP_NS: Final = 5_000_000_000

Key = tuple[str, str]  # feed and symbol


def key_of(symbol: SymbolMeasured) -> Key:
    """Return what a symbol is told apart by: two feeds may have the same."""
    return symbol.feed, symbol.symbol


def places_of(symbol: SymbolMeasured) -> Places:
    """Return the decimals that a symbol needs as it is now."""
    return places_for([symbol.bid_price, symbol.ask_price, symbol.last_price])


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when metrics has not answered, and what that is about, with what to do."""

    since_wall_ns: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything a picture is made of.

    `trails` are the mid prices of each symbol, 5 s apart, the newest last; `places` are the decimals it is shown with.
    """

    now_wall_ns: int
    measures: MeasuresGiven | None = None
    hops: HopsGiven | None = None
    trails: Mapping[Key, Sequence[Decimal]] = field(default_factory=dict)
    places: Mapping[Key, Places] = field(default_factory=dict)
    silence: Silence | None = None


class Gathering:
    """Keeps the last answers, the way of the mid prices, their decimals, and since when there is silence."""

    def __init__(self) -> None:
        self._measures: MeasuresGiven | None = None
        self._hops: HopsGiven | None = None
        self._trails: dict[Key, deque[Decimal]] = {}
        self._places: dict[Key, Places] = {}
        self._step = 0  # which step of time the newest of each trail is of
        self._silence: Silence | None = None

    def given(self, measures: MeasuresGiven, hops: HopsGiven) -> None:
        """Take in what metrics answered. The way of a symbol that it names no more is forgotten."""
        self._measures, self._hops, self._silence = measures, hops, None
        step = measures.taken_wall_ns // TRAIL_STEP_NS
        self._trails = {key_of(symbol): self._trail(symbol, begun=step != self._step) for symbol in measures.symbols}
        self._places = {key_of(symbol): self._widened(symbol) for symbol in measures.symbols}
        self._step = step

    def unanswered(self, trouble: str, now_wall_ns: int) -> None:
        """Take in that there was no answer. What was known stays, and is shown as old."""
        since_wall_ns = now_wall_ns if self._silence is None else self._silence.since_wall_ns
        self._silence = Silence(since_wall_ns, trouble)

    def sight(self, now_wall_ns: int) -> Sight:
        """Return what is known."""
        trails = {key: tuple(trail) for key, trail in self._trails.items()}
        return Sight(now_wall_ns, self._measures, self._hops, trails, dict(self._places), self._silence)

    def _widened(self, symbol: SymbolMeasured) -> Places:
        """Return what a symbol needs, now or before: a zero at the end of a price is not said, and comes back."""
        return places_of(symbol).widened_by(self._places.get(key_of(symbol), Places()))

    def _trail(self, symbol: SymbolMeasured, *, begun: bool) -> deque[Decimal]:
        """Return the trail of a symbol: within a step the latest price takes the place of the one before."""
        trail = self._trails.get(key_of(symbol), deque(maxlen=TRAIL_MAX))
        if symbol.mid_price is None:
            return trail
        if trail and not begun:
            trail.pop()
        trail.append(symbol.mid_price)
        return trail
